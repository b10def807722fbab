"""Writing the parts of an output: Parquet files, each complete or absent."""

from __future__ import annotations

from contextlib import ExitStack
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyarrow import Schema, Table

    from wallaroo_ext.batch.writing.storage import Storage

pa: Any = import_module("pyarrow")
parquet: Any = import_module("pyarrow.parquet")

_GROUP_ROWS = 65_536
_GROUP_BYTES = 8 << 20


def part_name(number: int) -> str:
    """Return the name of a part's file."""
    return f"part-{number:06d}.parquet"


def is_part(name: str) -> bool:
    """Return whether a file has the name of a part."""
    return name.startswith("part-") and name.endswith(".parquet")


def check_keys(fields: Iterable[Any]) -> None:
    """Raise InvalidDataError unless Parquet keeps the types of keys.

    Raises:
        InvalidDataError: Parquet cannot hold a type, or would read it back as another one.
    """
    for each in fields:
        if not _keeps_type(each):
            raise InvalidDataError(
                f"The key {each.name!r} is of type {each.type}, which Parquet does not keep.",
                advice="Name another type by `types`, or leave the column out.",
            )


def _keeps_type(field: Any) -> bool:
    sink = pa.BufferOutputStream()
    try:
        parquet.write_table(pa.schema([field]).empty_table(), sink)
    except (pa.ArrowException, OSError):
        return False
    return parquet.read_schema(pa.BufferReader(sink.getvalue())).field(0).type.equals(field.type)


class Part:
    """A part that is being written.

    Args:
        storage: The directory of the output.
        number: The number of the part, counted from 0.
        schema: The schema of its rows.

    Attributes:
        name: The name of its file.
        rows: How many rows it has so far.
    """

    def __init__(self, storage: Storage, number: int, schema: Schema) -> None:
        self.name = part_name(number)
        self.rows = 0
        self._held: list[Table] = []
        self._stack = ExitStack()
        sink = self._stack.enter_context(storage.writing(self.name))
        self._writer = self._stack.enter_context(parquet.ParquetWriter(sink, schema))

    def write(self, table: Table) -> None:
        """Add rows, which are written to the file when there are enough for a row group."""
        self._held.append(table)
        self.rows += table.num_rows
        if (
            sum(each.num_rows for each in self._held) >= _GROUP_ROWS
            or sum(t.nbytes for t in self._held) >= _GROUP_BYTES
        ):
            self._flush()

    def finish(self) -> None:
        """Complete the file, under its name."""
        try:
            self._flush()
        except BaseException as error:
            self.drop(error)
            raise
        self._stack.close()

    def drop(self, error: BaseException) -> None:
        """Remove the unfinished file because of an error."""
        try:
            self._stack.__exit__(type(error), error, None)
        except BaseException as raised:
            if raised is not error:
                raise

    def _flush(self) -> None:
        if self._held:
            self._writer.write_table(pa.concat_tables(self._held))
            self._held.clear()
