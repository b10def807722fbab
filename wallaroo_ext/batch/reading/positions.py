"""Positions in a data set, and which of its rows are finished."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple


class Position(NamedTuple):
    """A position between two rows of a data set.

    Attributes:
        file: The number of the file in the data set, counted from 0.
        row: How many rows of the file come before it, of those that pass the filter.
    """

    file: int
    row: int


@dataclass(slots=True)
class _Span:
    """Consecutive rows of one file."""

    first: int
    rows: int
    begin: Position


class Ledger:
    """Remembers where the rows that were read come from, until they are finished."""

    def __init__(self) -> None:
        self._spans: deque[_Span] = deque()
        self._last: Position | None = None

    def read(self, first: int, rows: int, begin: Position) -> None:
        """Remember rows that were read.

        Args:
            first: The number of the first row among all rows.
            rows: The number of rows.
            begin: The position of the first row.
        """
        self._spans.append(_Span(first, rows, begin))

    def position(self, row: int) -> Position:
        """Return the position of a row that was read and is not finished."""
        span = next(span for span in self._spans if row < span.first + span.rows)
        return Position(span.begin.file, span.begin.row + row - span.first)

    def finish(self, row: int) -> Position:
        """Forget the rows before a row, and return the position of that row.

        Args:
            row: The number of the row, larger than in any call before.
        """
        while self._spans and self._spans[0].first + self._spans[0].rows <= row:
            span = self._spans.popleft()
            self._last = Position(span.begin.file, span.begin.row + span.rows)
        if self._spans and self._spans[0].first < row:
            return self.position(row)
        assert self._last is not None, "rows were read before they are finished"  # noqa: S101 - by the run
        return self._last
