"""The rows of `wallaroo-ext infer`: from a file or the standard input, all columns or some."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from wallaroo_ext._util.file_signatures import ARROW_FILE, ARROW_MESSAGE, PARQUET
from wallaroo_ext.cli.columns import drop_columns, find_columns
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.inputs.rows import read_columns, require_pyarrow, rows_to_send
from wallaroo_ext.inference.row_errors import RowError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import pyarrow as pa

    from wallaroo_ext.inference.missing_option import Missing

_REQUEST_BYTES = 16 << 20
_OWNER = "the rows"
_STDIN = "The standard input"


def read_rows(file: str, columns: list[str]) -> pa.Table:
    """Return the rows of a file, or of the standard input if the file is `-`.

    Args:
        file: The file.
        columns: The columns to keep, as `select_columns` takes them; an index of pandas is read only if it is named.

    Raises:
        InvalidDataError: The file has no rows.
        OSError: The file cannot be opened.
    """
    require_pyarrow()
    names = [name for text in columns for name in text.split(",")]
    index = [*columns, *names]
    if file != "-":
        return read_columns(file, index, names)
    with _temporary_file(sys.stdin.buffer.read()) as path:
        try:
            return read_columns(path, index, names)
        except InvalidDataError as error:
            raise InvalidDataError(str(error).replace(str(path), _STDIN)) from None


@contextmanager
def _temporary_file(content: bytes) -> Generator[Path]:
    """Yield a temporary file with the content, whose name has the fitting ending."""
    if not content.strip():
        raise InvalidDataError(f"{_STDIN} is empty: it has to have the rows, as Arrow, Parquet, JSON or CSV.")
    with tempfile.TemporaryDirectory(prefix="wallaroo-ext-") as directory:
        path = Path(directory) / f"rows{_fitting_ending(content)}"
        path.write_bytes(content)
        yield path


def _fitting_ending(content: bytes) -> str:
    """Return the ending of file names that fits the first bytes of a file."""
    if content.startswith((ARROW_FILE, ARROW_MESSAGE)):
        return ".arrow"
    if content.startswith(PARQUET):
        return ".parquet"
    return ".json" if content.lstrip()[:1] in {b"[", b"{"} else ".csv"


def select_columns(table: pa.Table, columns: list[str], drop: list[str]) -> pa.Table:
    """Return some columns of a table.

    Args:
        table: The table.
        columns: The columns to keep, in this order; all of them if none are given.
        drop: The columns to leave out. Each text is a name, or names with commas between.

    Raises:
        UsageError: There is no such column.
    """
    known = table.column_names
    wanted = find_columns(known, columns, "--columns", _OWNER) or known
    return table.select(drop_columns(known, wanted, drop, _OWNER))


def complete_rows(table: pa.Table, *, vector: bool, missing: Missing) -> pa.Table:
    """Return a table in which no number is missing, as one vector of 32-bit floats a row if that is wanted.

    Raises:
        UsageError: A number is missing, or a column of a vector has values that are no numbers.
    """
    from wallaroo_ext.inference.inputs.vectors import VectorError

    try:
        return rows_to_send(table, vector=vector, missing=missing)
    except VectorError as error:
        raise UsageError(f"--vector: {error} --drop {error.column} leaves it out.") from None
    except RowError as error:
        raise UsageError(str(error)) from None


def split_into_requests(table: pa.Table) -> Iterator[pa.Table]:
    """Yield a table in parts that are small enough for one request, at least one part."""
    rows = max(1, table.num_rows * _REQUEST_BYTES // max(table.nbytes, 1))
    for start in range(0, max(table.num_rows, 1), rows):
        yield table.slice(start, rows)
