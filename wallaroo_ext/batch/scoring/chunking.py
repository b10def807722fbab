"""Cutting and joining batches of any size to the size of requests."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from pyarrow import RecordBatch, Table

pa: Any = import_module("pyarrow")


@dataclass(frozen=True, slots=True)
class Chunk:
    """The rows of one request.

    Attributes:
        first: The number of its first row among all rows, counted from 0.
        rows: The rows.
        sent: What is sent of them; None before that is known.
        numbers: The numbers of its rows, where some between them were left out; None if none were.
    """

    first: int
    rows: Table
    sent: Any = None
    numbers: Any = None

    def halves(self) -> tuple[Chunk, Chunk]:
        """Return the two halves of the chunk, over the same memory."""
        middle = self.rows.num_rows // 2
        return self._slice(0, middle), self._slice(middle, self.rows.num_rows - middle)

    def _slice(self, begin: int, rows: int) -> Chunk:
        sent = None if self.sent is None else self.sent.slice(begin, rows)
        numbers = None if self.numbers is None else self.numbers[begin : begin + rows]
        first = self.first + begin if self.numbers is None else int(self.numbers[begin])
        return Chunk(first, self.rows.slice(begin, rows), sent, numbers)

    def without(self, left_out: Collection[int]) -> Chunk:
        """Return the chunk without some of its rows, which are counted from its first one; at least one has to stay."""
        import numpy as np

        stay = np.ones(self.rows.num_rows, bool)
        stay[list(left_out)] = False
        kept = np.flatnonzero(stay)
        numbers, mask = self.first + kept, pa.array(stay)
        sent = None if self.sent is None else self.sent.filter(mask)
        return Chunk(int(numbers[0]), self.rows.filter(mask), sent, numbers)


def chunk_batches(
    batches: Iterable[RecordBatch], next_size: Callable[[float, int], int], first: int = 0
) -> Iterator[Chunk]:
    """Yield the rows of all batches in order, in chunks of the size that is asked for at the time.

    Batches are read when their rows are needed. A chunk from one batch shares its memory. A chunk from several batches
    is copied into one piece, because an engine is slow to read a request of many small pieces.

    Args:
        batches: The batches, all of one schema.
        next_size: Returns the number of rows of the next chunk for the bytes of a row and the rows that are there.
        first: The number of the first row.

    Raises:
        InvalidDataError: A batch has another schema than the first one.
    """
    buffer = _Buffer()
    for batch in batches:
        buffer.add(batch)
        while buffer.rows and buffer.rows >= (rows := next_size(buffer.row_bytes, buffer.rows)):
            yield Chunk(first, buffer.take(rows))
            first += rows
    if buffer.rows:
        yield Chunk(first, buffer.take(buffer.rows))


def _difference(found: Any, wanted: Any) -> str:
    """Return in which way a schema is another one than the first."""
    if found.names != wanted.names:
        return f"the columns {found.names} after {wanted.names}"
    pairs = zip(found, wanted, strict=True)
    one, other = next((one, other) for one, other in pairs if not one.equals(other))
    return f"{one.name!r} of type {_type_of(one)} after {_type_of(other)}"


def _type_of(field: Any) -> str:
    """Return the type of a column for a message, and whether it may have nulls, which is part of a schema, too."""
    return f"{field.type}{'' if field.nullable else ' not null'}"


class _Buffer:
    """Rows that were read and are not part of a chunk yet."""

    def __init__(self) -> None:
        self.rows = 0
        self.row_bytes = 1.0
        self._schema: Any = None
        self._batches: deque[Any] = deque()

    def add(self, batch: Any) -> None:
        """Append a batch."""
        if self._schema is None:
            self._schema = batch.schema
        elif not batch.schema.equals(self._schema):
            raise InvalidDataError(
                f"All batches need one schema, and one has {_difference(batch.schema, self._schema)}."
            )
        if batch.num_rows:
            self._batches.append(batch)
            self.rows += batch.num_rows
            self.row_bytes = max(batch.nbytes / batch.num_rows, 1.0)

    def take(self, rows: int) -> Table:
        """Remove the first rows and return them in one piece."""
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
