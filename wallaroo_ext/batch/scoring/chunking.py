"""Batches of any size cut and joined to the size of requests."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pyarrow import RecordBatch, Table

pa: Any = import_module("pyarrow")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that go into one request.

    Attributes:
        first: The number of its first row among all rows, from 0.
        rows: The rows.
    """

    first: int
    rows: Table

    def half(self) -> tuple[Chunk, Chunk]:
        """Return the chunk in two, over the same memory."""
        middle = self.rows.num_rows // 2
        return Chunk(self.first, self.rows.slice(0, middle)), Chunk(self.first + middle, self.rows.slice(middle))


def cut(batches: Iterable[RecordBatch], wanted: Callable[[float], int], first: int = 0) -> Iterator[Chunk]:
    """Yield the rows of all batches, in order, as many at a time as are wanted then.

    Batches are read when their rows are needed. A chunk over one batch shares its memory; what several batches give to
    one chunk is copied into one piece, because a request of many small pieces is slow to read.

    Args:
        batches: The batches, all of one schema.
        wanted: How many rows the next chunk should have, from the bytes of a row.
        first: The number of the first row.

    Raises:
        InvalidDataError: A batch has another schema than the first one.
    """
    held = _Held()
    for batch in batches:
        held.add(batch)
        while held.rows and held.rows >= (rows := wanted(held.row_bytes)):
            yield Chunk(first, held.take(rows))
            first += rows
    if held.rows:
        yield Chunk(first, held.take(held.rows))


class _Held:
    """Rows that were read and are in no chunk yet."""

    def __init__(self) -> None:
        self.rows = 0
        self.row_bytes = 1.0
        self._schema: Any = None
        self._batches: deque[Any] = deque()

    def add(self, batch: Any) -> None:
        """Take the next batch."""
        if not isinstance(batch, pa.RecordBatch):
            raise InvalidDataError(f"`batches` gives pyarrow's RecordBatch objects, not {type(batch).__name__}.")
        if self._schema is None:
            self._schema = batch.schema
        elif not batch.schema.equals(self._schema):
            raise InvalidDataError(
                f"All batches have one schema, and one has {batch.schema.names} after {self._schema.names}, or "
                "other types."
            )
        if batch.num_rows:
            self._batches.append(batch)
            self.rows += batch.num_rows
            self.row_bytes = max(batch.nbytes / batch.num_rows, 1.0)

    def take(self, rows: int) -> Table:
        """Return the first rows, in one piece."""
        self.rows -= rows
        taken: list[Any] = []
        while rows:
            batch = self._batches.popleft()
            if batch.num_rows > rows:
                self._batches.appendleft(batch.slice(rows))
                batch = batch.slice(0, rows)
            taken.append(batch)
            rows -= batch.num_rows
        table = pa.Table.from_batches(taken)
        return table if len(taken) == 1 else table.combine_chunks()
