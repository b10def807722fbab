"""Rows from files, by the endings of their names."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext import arrow
from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from pyarrow import Table

pa: Any = import_module("pyarrow")


def read_file(path: str | os.PathLike[str], table_of: Callable[[Any], Table]) -> Table:
    """The rows of a file.

    Args:
        path: The file: `.arrow` or `.feather`, `.parquet`, `.csv` with a line of names, or `.json` with a list of
            records or an object of columns.
        table_of: Makes a table of records and of columns.

    Raises:
        InvalidDataError: Its name has another ending, or it cannot be read as what its name says.
        OSError: It cannot be opened.
    """
    file = Path(path)
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
    """An Arrow IPC file; or a stream, which some programs give the same ending."""
    content = path.read_bytes()
    if content.startswith(arrow.MAGIC):
        return arrow.from_file(content)
    table = pa.ipc.open_stream(content).read_all()
    table.validate(full=True)
    return table


def _read_parquet(path: Path) -> Table:
    parquet: Any = import_module("pyarrow.parquet")
    return parquet.ParquetFile(path).read()


def _read_csv(path: Path) -> Table:
    csv: Any = import_module("pyarrow.csv")
    return csv.read_csv(path)


def _read_json(path: Path) -> Any:
    content: Any = json.loads(path.read_bytes())
    if isinstance(content, list):
        return cast("Any", content)
    if isinstance(content, dict) and all(isinstance(values, list) for values in cast("Any", content).values()):
        return cast("Any", content)
    raise ValueError(
        "it is neither a list of records, as pandas writes it with orient='records', nor an object of columns"
    )


_READERS: dict[str, Callable[[Path], Any]] = {
    ".arrow": _read_arrow,
    ".feather": _read_arrow,
    ".parquet": _read_parquet,
    ".json": _read_json,
    ".csv": _read_csv,
}
