"""Finding the rows that an engine rejects, by halving the request that contains them."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import (
    AnswerTooLargeError,
    ApiError,
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    ContractViolationError,
    EngineError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    WallarooError,
)
from wallaroo_ext.inference.row_errors import RowError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pyarrow import Table

    from wallaroo_ext.batch.scoring.chunking import Chunk


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was not scored.

    Attributes:
        row: Its number among all rows, counted from 0.
        reason: Why: what the engine says, or the error of a row that could not be sent or was too large.
        keys: The values of its key columns.
        key_columns: The key columns as a table of one row, with their types; None in the rejections that a caller gets.
    """

    row: int
    reason: str
    keys: dict[str, Any] = field(default_factory=dict[str, Any], hash=False)
    key_columns: Table | None = field(default=None, repr=False, compare=False)


_NOT_OF_THE_SIZE = (AuthenticationError, PermissionDeniedError, NotFoundError, ConflictError, RateLimitedError)


class SplitError(Exception):
    """A request was not answered, maybe because of its size: its rows are sent in parts."""


class RejectionLimit:
    """Counts rejected rows up to a limit; any thread may call it.

    Args:
        limit: How many rows may be rejected; None for any number.
        already: How many rows were rejected before this run.
    """

    def __init__(self, limit: int | None, already: int = 0) -> None:
        self._limit = limit
        self._count = already
        self._lock = threading.Lock()

    def count(self, error: WallarooError) -> None:
        """Count one more rejected row.

        Raises:
            WallarooError: The given error, if this row exceeds the limit.
        """
        with self._lock:
            self._count += 1
            exceeded = self._limit is not None and self._count > self._limit
        if exceeded:
            if self._limit:
                error.advice = f"More than {self._limit} rows were rejected. {error.advice}".rstrip()
            raise error


def is_rejection(error: WallarooError) -> bool:
    """Return whether an error is about the rows of a request, so that a part of them may be accepted."""
    return isinstance(error, EngineError | RowError) or is_too_large(error)


def is_too_large(error: WallarooError) -> bool:
    """Return whether a request was refused because of its size, or has an answer that is too large to be read."""
    if isinstance(error, AnswerTooLargeError):
        return True
    return isinstance(error, ApiError) and error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def may_be_too_large(error: WallarooError) -> bool:
    """Return whether a request may have failed because of its size.

    Not every gateway says 413: some end the connection while it is sent, or answer 400, 500 or a page; a request that
    takes too long ends as a timeout or 504, and an engine without enough memory as 502 or 503.
    """
    if isinstance(error, ConnectionFailedError | ContractViolationError):
        return True
    return isinstance(error, ApiError) and not isinstance(error, _NOT_OF_THE_SIZE)


def score_by_halves(
    chunk: Chunk, score: Callable[[Chunk], Table], reject: Callable[[Chunk, WallarooError], Rejection]
) -> Iterator[Table | Rejection]:
    """Yield the scored rows of a chunk in order, with each rejected row in its place.

    A chunk that is rejected is scored in two halves, and so on down to single rows. One rejected row among n costs
    2 log2 n more requests.

    Args:
        chunk: The rows.
        score: Scores a chunk, or raises SplitError if it has to be sent in parts.
        reject: Returns the rejection for a chunk of one row and its error.
    """
    try:
        scored = score(chunk)
    except SplitError:
        pass
    except WallarooError as error:
        if not is_rejection(error):
            raise
        if chunk.rows.num_rows == 1:
            yield reject(chunk, error)
            return
    else:
        yield scored
        return
    for half in chunk.halves():
        yield from score_by_halves(half, score, reject)


def with_gaps(
    results: Iterable[Table | Rejection], numbers: Sequence[int] | None, gaps: Sequence[Rejection]
) -> Iterator[Table | Rejection]:
    """Yield the results of rows in order, with rows that were left out of them in their places.

    Args:
        results: The scored rows, and those that were rejected.
        numbers: The numbers of the rows of these results; None if there are no gaps.
        gaps: The rows that were left out, in order.
    """
    waiting = deque(gaps)
    done = 0
    for result in results:
        begin, rows = done, 1 if isinstance(result, Rejection) else result.num_rows
        while numbers is not None and waiting and waiting[0].row < numbers[begin + rows - 1]:
            place = bisect_left(numbers, waiting[0].row)
            if not isinstance(result, Rejection) and place > done:
                yield result.slice(done - begin, place - done)
                done = place
            yield waiting.popleft()
        yield result if done == begin or isinstance(result, Rejection) else result.slice(done - begin)
        done = begin + rows
    yield from waiting
