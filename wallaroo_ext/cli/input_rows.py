"""The rows that a person scores: from a file or the standard input, whole or some columns of it."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.rows import require_pyarrow, to_table

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import pyarrow as pa

_REQUEST_BYTES = 16 << 20
_SHOWN = 10
_STDIN = "The standard input"


def read_rows(file: str, columns: list[str]) -> pa.Table:
    """Return the rows of a file, or of the standard input where the file is `-`.

    Args:
        file: The file.
        columns: The columns to keep, as `with_columns` takes them; an index of pandas is one of the rows' only if it is
            named.

    Raises:
        InvalidDataError: There are no rows in it.
        OSError: It cannot be opened.
    """
    require_pyarrow()
    named = [name for text in columns for name in (text, *text.split(","))]
    if file != "-":
        return to_table(file, named)
    with _spooled(sys.stdin.buffer.read()) as path:
        try:
            return to_table(path, named)
        except InvalidDataError as error:
            raise InvalidDataError(str(error).replace(str(path), _STDIN)) from None


@contextmanager
def _spooled(content: bytes) -> Generator[Path]:
    """Yield a file of what the standard input had, with the ending that fits."""
    if not content.strip():
        raise InvalidDataError(f"{_STDIN} is empty: it has to have the rows, as Arrow, Parquet, JSON or CSV.")
    with tempfile.TemporaryDirectory(prefix="wallaroo-ext-") as directory:
        path = Path(directory) / f"rows{_ending(content)}"
        path.write_bytes(content)
        yield path


def _ending(content: bytes) -> str:
    """Return the ending for what a file begins with."""
    if content.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return ".arrow"
    if content.startswith(b"PAR1"):
        return ".parquet"
    return ".json" if content.lstrip()[:1] in {b"[", b"{"} else ".csv"


def select_columns(table: pa.Table, columns: list[str], drop: list[str]) -> pa.Table:
    """Return some columns of a table.

    Args:
        table: The table.
        columns: The columns to keep, in this order; all of them where there are none.
        drop: The columns to leave out. Each text is a name, or names with commas between.

    Raises:
        UsageError: There is no such column.
    """
    kept = _named(table, columns, "--columns") or table.column_names
    left_out = set(_named(table, drop, "--drop"))
    names = [name for name in kept if name not in left_out]
    if not names:
        raise UsageError("No column is left to be sent.")
    return table.select(names)


def _named(table: pa.Table, texts: list[str], option: str) -> list[str]:
    known = table.column_names
    names = [name for text in texts for name in ([text] if text in known else text.split(","))]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.5) or [
                *known[:_SHOWN],
                *["…"][: max(0, len(known) - _SHOWN)],
            ]
            raise UsageError(f"{option}: there is no column {name!r} in the rows, but {', '.join(near)}.")
    return names


def to_vector_column(table: pa.Table) -> pa.Table:
    """Return the columns as one: a vector of 32-bit floats a row, for a model with one input.

    Raises:
        UsageError: A column has something else than numbers, or nulls.
    """
    from wallaroo_ext.inference.vectors import VectorError, vector_of

    try:
        return vector_of(table)
    except VectorError as error:
        raise UsageError(f"--vector: {error} --drop {error.column} leaves it out.") from None


def split_into_requests(table: pa.Table) -> Iterator[pa.Table]:
    """Yield a table in pieces that one request can carry, at least one."""
    rows = max(1, table.num_rows * _REQUEST_BYTES // max(table.nbytes, 1))
    for begin in range(0, max(table.num_rows, 1), rows):
        yield table.slice(begin, rows)
