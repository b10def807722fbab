"""Reading a file of rows, in the format that the suffix of its name says."""

from __future__ import annotations

import json
import math
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext._util import arrow_files
from wallaroo_ext._util.file_signatures import ARROW_FILE
from wallaroo_ext._util.files.user_paths import user_path
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.pandas_index import index_metadata

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
        table_of: Makes a table from records or columns.

    Raises:
        InvalidDataError: The file has another suffix, or its content is not what the suffix says.
        OSError: The file cannot be opened.
    """
    file = user_path(path)
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise InvalidDataError(f"Rows are read from {', '.join(_READERS)} files, and {str(path)!r} is none of them.")
    with file.open("rb"):  # the system's own error is the best one for a file that cannot be opened
        try:
            return table_of(reader(file))
        except (InvalidDataError, pa.ArrowException, ValueError, OSError, RecursionError) as error:
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise InvalidDataError(f"{path} cannot be read as a {file.suffix} file: {reason}") from error


def _read_arrow(path: Path) -> Table:
    """Return the rows of an Arrow IPC file, or of an IPC stream, to which some programs give the same suffix."""
    content = path.read_bytes()
    if content.startswith(ARROW_FILE):
        return arrow_files.from_file(content)
    table = pa.ipc.open_stream(content).read_all()
    table.validate(full=True)
    return table


def _read_parquet(path: Path) -> Table:
    parquet: Any = import_module("pyarrow.parquet")
    return parquet.ParquetFile(path).read()


def _read_csv(path: Path) -> Table:
    """Return the rows of a CSV file, each column with the common type of its texts.

    A first column without a name, as pandas writes an index, is marked as an index.

    Raises:
        InvalidDataError: The file is not valid CSV; the message names the row if there is one.
    """
    from wallaroo_ext.inference.files.csv_files import CsvFile
    from wallaroo_ext.inference.files.csv_types import infer_type

    file = CsvFile(partial(path.open, "rb"))
    if not file.names:
        raise InvalidDataError("it is empty, and a CSV file begins with a line of names.")
    texts = pa.Table.from_batches(file.texts(), pa.schema([(name, pa.string()) for name in file.names]))
    columns = {name: infer_type(name, texts.column(name)) for name in file.names}
    return pa.table(columns).replace_schema_metadata(index_metadata("") if "" in columns else None)


def _read_json(path: Path) -> Any:
    content: Any = json.loads(path.read_bytes(), object_pairs_hook=_object_of_pairs, parse_float=_parse_float)
    if isinstance(content, list):
        return cast("Any", content)
    if isinstance(content, dict) and all(isinstance(values, list) for values in cast("Any", content).values()):
        return cast("Any", content)
    raise ValueError(
        "it is neither a list of records, as pandas writes it with orient='records', nor an object of columns"
    )


def _object_of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; raise ValueError if a name stands twice, because readers disagree on its value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"an object has the name {next(n for n in names if names.count(n) > 1)!r} twice")
    return found


def _parse_float(text: str) -> float:
    """Return a number; raise ValueError if a 64-bit float would turn it into infinity or 0."""
    number = float(text)
    if math.isinf(number) or (not number and text.lower().partition("e")[0].strip("-.0")):
        raise ValueError(f"the number {text[:_MAX_SHOWN]} is beyond those of 64 bits")
    return number


_MAX_SHOWN = 40
_READERS: dict[str, Callable[[Path], Any]] = {
    ".arrow": _read_arrow,
    ".feather": _read_arrow,
    ".parquet": _read_parquet,
    ".json": _read_json,
    ".csv": _read_csv,
}
