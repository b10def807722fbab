"""Which rows of which file a run has come to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple


class Position(NamedTuple):
    """Between two rows of a data set.

    Attributes:
        file: The number of the file in the data set, from 0.
        row: How many of the file's rows come before it, of those that pass the filter.
    """

    file: int
    row: int


@dataclass(slots=True)
class _Span:
    """Rows that follow each other in one file."""

    first: int
    rows: int
    begin: Position


class Ledger:
    """Where the rows that were read came from, until they are finished."""

    def __init__(self) -> None:
        self._spans: deque[_Span] = deque()
        self._last: Position | None = None

    def read(self, first: int, rows: int, begin: Position) -> None:
        """Rows were read.

        Args:
            first: The number of the first among all rows.
            rows: How many.
            begin: Where the first is.
        """
        self._spans.append(_Span(first, rows, begin))

    def place(self, row: int) -> Position:
        """Return where a row that was read and is not finished is."""
        span = next(span for span in self._spans if row < span.first + span.rows)
        return Position(span.begin.file, span.begin.row + row - span.first)

    def finish(self, row: int) -> Position:
        """Forget the rows below a number; where the next one is.

        Args:
            row: The number, more than that of any row finished before.
        """
        while self._spans and self._spans[0].first + self._spans[0].rows <= row:
            span = self._spans.popleft()
            self._last = Position(span.begin.file, span.begin.row + span.rows)
        if self._spans and self._spans[0].first < row:
            return self.place(row)
        assert self._last is not None, "rows were read before they are finished"  # noqa: S101 - by the run
        return self._last
