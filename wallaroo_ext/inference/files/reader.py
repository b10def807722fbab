"""Rows from files, by the endings of their names."""

from __future__ import annotations

import json
import math
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext._util import arrow_files
from wallaroo_ext._util.user_paths import user_path
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.pandas_index import index_named

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from pyarrow import Table

pa: Any = import_module("pyarrow")


def read_file(path: str | os.PathLike[str], table_of: Callable[[Any], Table]) -> Table:
    """Return the rows of a file.

    Args:
        path: The file: `.arrow` or `.feather`, `.parquet`, `.csv` with a line of names, or `.json` with a list of
            records or an object of columns.
        table_of: Makes a table of records and of columns.

    Raises:
        InvalidDataError: Its name has another ending, or it cannot be read as what its name says.
        OSError: It cannot be opened.
    """
    file = user_path(path)
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise InvalidDataError(f"Rows are read from {', '.join(_READERS)} files, and {str(path)!r} is none of them.")
    with file.open("rb"):  # what the system says about a file that cannot be opened is said best by itself
        try:
            return table_of(reader(file))
        except (InvalidDataError, pa.ArrowException, ValueError, OSError, RecursionError) as error:
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise InvalidDataError(f"{path} cannot be read as a {file.suffix} file: {reason}") from error


def _read_arrow(path: Path) -> Table:
    """Return an Arrow IPC file; or a stream, which some programs give the same ending."""
    content = path.read_bytes()
    if content.startswith(arrow_files.MAGIC):
        return arrow_files.from_file(content)
    table = pa.ipc.open_stream(content).read_all()
    table.validate(full=True)
    return table


def _read_parquet(path: Path) -> Table:
    parquet: Any = import_module("pyarrow.parquet")
    return parquet.ParquetFile(path).read()


def read_csv(path: Path) -> Table:
    """Return the rows of a CSV file, each column with the type that its texts have in common.

    What pandas writes as an index, a first column without a name, is marked as one.

    Raises:
        InvalidDataError: It cannot be read as CSV; the message names the row where there is one.
    """
    from wallaroo_ext.inference.files.csv_files import CsvFile
    from wallaroo_ext.inference.files.csv_types import typed

    file = CsvFile(partial(path.open, "rb"))
    if not file.names:
        raise InvalidDataError("it is empty, and a CSV file begins with a line of names.")
    texts = pa.Table.from_batches(file.texts(), pa.schema([(name, pa.string()) for name in file.names]))
    columns = {name: typed(name, texts.column(name)) for name in file.names}
    return pa.table(columns).replace_schema_metadata(index_named("") if "" in columns else None)


def _read_json(path: Path) -> Any:
    content: Any = json.loads(path.read_bytes(), object_pairs_hook=_object, parse_float=_float)
    if isinstance(content, list):
        return cast("Any", content)
    if isinstance(content, dict) and all(isinstance(values, list) for values in cast("Any", content).values()):
        return cast("Any", content)
    raise ValueError(
        "it is neither a list of records, as pandas writes it with orient='records', nor an object of columns"
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; one with two values under a name has no meaning that all readers share."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"an object has the name {next(n for n in names if names.count(n) > 1)!r} twice")
    return found


def _float(text: str) -> float:
    """Return a number, unless a float of 64 bits has it as infinite or as 0 only."""
    number = float(text)
    if math.isinf(number) or (not number and text.lower().partition("e")[0].strip("-.0")):
        raise ValueError(f"the number {text[:_SHOWN]} is beyond those of 64 bits")
    return number


_SHOWN = 40
_READERS: dict[str, Callable[[Path], Any]] = {
    ".arrow": _read_arrow,
    ".feather": _read_arrow,
    ".parquet": _read_parquet,
    ".json": _read_json,
    ".csv": read_csv,
}
