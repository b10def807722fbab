"""The parts of an output: Parquet files that are written piece by piece, and there as a whole or not at all."""

from __future__ import annotations

import time
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
    """Make sure that Parquet gives back what keys are, with their types.

    Raises:
        InvalidDataError: It has no place for a type, or gives another one back.
    """
    for each in fields:
        if not _is_kept(each):
            raise InvalidDataError(
                f"The key {each.name!r} is of type {each.type}, which Parquet does not give back as it is.",
                advice="Name a type by `types` that it has, or leave the column out.",
            )


def _is_kept(field: Any) -> bool:
    sink = pa.BufferOutputStream()
    try:
        parquet.write_table(pa.schema([field]).empty_table(), sink)
    except (pa.ArrowException, OSError):
        return False
    return parquet.read_schema(pa.BufferReader(sink.getvalue())).field(0).type.equals(field.type)


class Part:
    """A part that is being written.

    Args:
        storage: The output's directory.
        number: The part's number, from 0.
        schema: The schema of its rows.

    Attributes:
        name: Its file.
        rows: How many rows it has so far.
        since: When it was begun, on the monotonic clock.
    """

    def __init__(self, storage: Storage, number: int, schema: Schema) -> None:
        self.name = part_name(number)
        self.rows = 0
        self.since = time.monotonic()
        self._held: list[Table] = []
        self._stack = ExitStack()
        sink = self._stack.enter_context(storage.writing(self.name))
        self._writer = self._stack.enter_context(parquet.ParquetWriter(sink, schema))

    def write(self, table: Table) -> None:
        """Add rows; they go to the file when there are enough for a row group."""
        self._held.append(table)
        self.rows += table.num_rows
        if (
            sum(each.num_rows for each in self._held) >= _GROUP_ROWS
            or sum(t.nbytes for t in self._held) >= _GROUP_BYTES
        ):
            self._flush()

    def finish(self) -> None:
        """Put it in its place."""
        try:
            self._flush()
        except BaseException as error:
            self.drop(error)
            raise
        self._stack.close()

    def drop(self, error: BaseException) -> None:
        """Remove what was written of it, because of an error."""
        try:
            self._stack.__exit__(type(error), error, None)
        except BaseException as raised:
            if raised is not error:
                raise

    def _flush(self) -> None:
        if self._held:
            self._writer.write_table(pa.concat_tables(self._held))
            self._held.clear()
