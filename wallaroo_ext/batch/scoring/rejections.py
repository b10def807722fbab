"""The rows that an engine rejects, found by halving the request that has them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import ApiError, EngineError, WallarooError
from wallaroo_ext.inference.vectors import MissingNumberError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyarrow import Table

    from wallaroo_ext.batch.scoring.chunking import Chunk


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was not scored.

    Attributes:
        row: Its number among all rows, from 0.
        reason: What the engine says about it.
        keys: Its key columns.
        key_columns: The same as a table of one row, with their types; None once it is told.
    """

    row: int
    reason: str
    keys: dict[str, Any] = field(default_factory=dict[str, Any])
    key_columns: Table | None = field(default=None, repr=False, compare=False)


class Limit:
    """How many rows may be rejected; any thread may count.

    Args:
        most: How many; None for any number.
        already: How many were rejected before this run.
    """

    def __init__(self, most: int | None, already: int = 0) -> None:
        self._most = most
        self._count = already
        self._lock = threading.Lock()

    def count(self, error: WallarooError) -> None:
        """One more was rejected, because of this.

        Raises:
            WallarooError: The same error, where it is one too many.
        """
        with self._lock:
            self._count += 1
            over = self._most is not None and self._count > self._most
        if over:
            if self._most:
                error.advice = f"More than {self._most} rows were rejected. {error.advice}".rstrip()
            raise error


def is_rejection(error: WallarooError) -> bool:
    """Return whether an error is about the rows of a request, so that fewer of them may be fine."""
    return isinstance(error, EngineError | MissingNumberError) or is_too_large(error)


def is_too_large(error: WallarooError) -> bool:
    """Return whether the instance refuses a request because of its size."""
    return isinstance(error, ApiError) and error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def narrowed(
    chunk: Chunk, score: Callable[[Chunk], Table], rejected: Callable[[Chunk, WallarooError], Rejection]
) -> Iterator[Table | Rejection]:
    """Yield the scored rows of a chunk in order, and in their places the rows that were rejected.

    A chunk that is rejected is scored in two halves, and so on down to single rows; a wrong row among n costs
    2 log2 n requests more.

    Args:
        chunk: The rows.
        score: Scores a chunk.
        rejected: Takes a chunk of one row that was rejected, and why.
    """
    try:
        scored = score(chunk)
    except WallarooError as error:
        if not is_rejection(error):
            raise
        if chunk.rows.num_rows == 1:
            yield rejected(chunk, error)
            return
    else:
        yield scored
        return
    for half in chunk.half():
        yield from narrowed(half, score, rejected)
