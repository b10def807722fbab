"""Choosing the number of rows of a request: a fixed one, or the one with the highest rate of scored rows."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from wallaroo_ext.batch.scoring.size_limits import SizeLimits
from wallaroo_ext.batch.scoring.size_search import SizeSearch
from wallaroo_ext.batch.scoring.throughput import ThroughputMeter
from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_ROWS = 32
FIRST_BYTES = 256 << 10
"""The first requests are small: a row of a large model may take a second, and what grows from here is fast to grow."""

MAX_BYTES = 4 << 20
"""The largest size of a request's rows as Arrow."""

MAX_JSON_BYTES = 1 << 20
"""The same for JSON, which takes several times as much, and is read at a tenth of the rate."""

BYTES_IN_FLIGHT = 32 << 20
"""About how many bytes of rows all requests under way have at most: of a run's memory, the part that is chosen.

Of large requests, fewer are under way at a time than may be: eight of 4 MiB keep an instance as busy as 16 of 2 MiB.
"""

_BYTES_AHEAD = 4 << 20
_SECONDS_AHEAD = 0.05
_SAME_SIZE = 0.75
_TRIAL_GAIN = 1.02


class RequestSize:
    """The size of the next request: a fixed number of rows, or what `SizeSearch` finds within `SizeLimits`.

    Any thread may call it.

    Args:
        rows: A fixed number of rows; None for one that adapts.
        in_flight: How many requests may be under way at a time.
        max_bytes: The largest number of bytes of a request.
        clock: Returns the present time in seconds.
    """

    def __init__(
        self,
        rows: int | None = None,
        *,
        in_flight: int = 1,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if rows is not None and (isinstance(rows, bool) or rows < 1):
            raise InvalidDataError(f"A request has at least one row, not {rows}.")
        self._fixed = rows
        self._in_flight = in_flight
        self._clock = clock
        self._limits = SizeLimits(max_bytes)
        self._search = SizeSearch(self._filling)
        self._meter = ThroughputMeter()
        self._most = 1
        self._row_bytes = 1.0
        self._interval: float | None = None
        self._lock = threading.Lock()

    def next(self, row_bytes: float, available: int) -> int:
        """Return the number of rows of the next request.

        Args:
            row_bytes: The number of bytes of a row.
            available: How many rows there are; with fewer than are returned, this is asked again.
        """
        with self._lock:
            self._row_bytes = row_bytes
            if self._fixed is not None:
                return min(self._fixed, self._rows_in(self._limits.most)) if self._limits.refused else self._fixed
            trial = self._limits.next_trial() if self._search.gain > _TRIAL_GAIN else None
            if trial is None:
                return self._present_rows()
            rows = self._rows_in(trial)
            if rows <= available:
                self._limits.begin_trial(trial)
            return rows

    def begun(self) -> int:
        """Return how many requests may be begun: those under way, and those that wait for a thread.

        As many wait as threads take until more are read and cut; none where fewer are under way than there are threads.
        """
        with self._lock:
            present = self._present_in_flight()
            if self._fixed is not None:
                return 2 * present
            if present < self._in_flight:
                return present
            if self._interval is None:
                return present + 1
            by_time = _SECONDS_AHEAD / max(self._interval, 1e-9)
            by_bytes = _BYTES_AHEAD / (self._search.rows * self._row_bytes)
            return present + max(1, min(present, int(by_time), int(by_bytes)))

    def begin(self) -> float:
        """Take into account that a thread begins to score a chunk; return the present time."""
        with self._lock:
            now = self._clock()
            self._meter.in_flight = self._present_in_flight()
            self._meter.begin(now)
            return now

    def end(self, rows: int, began: float, *, at_once: bool) -> None:
        """Take into account that a chunk was scored.

        Args:
            rows: The rows of the chunk.
            began: What `begin` returned.
            at_once: Whether it was one request, answered at its first attempt.
        """
        with self._lock:
            now = self._clock()
            if self._fixed is not None or not at_once:
                self._meter.fail(now)
                return
            self._search.took(rows, now - began)
            present = self._search.rows
            found = self._meter.answer(
                now,
                rows,
                now - began,
                counts=present * _SAME_SIZE <= rows <= present / _SAME_SIZE,
                rounds=self._search.rounds,
            )
            if found is not None:
                self._interval = found.interval
                self._search.measured(found, self._most)

    def fail(self) -> None:
        """Take into account that a chunk could not be scored."""
        with self._lock:
            self._meter.fail(self._clock())

    def taken(self, size: int) -> None:
        """Take into account that the instance answered a request with so many bytes of rows."""
        with self._lock:
            if self._limits.taken(size):
                self._meter.restart()

    def too_large(self, size: int, *, certain: bool = True) -> None:
        """Take into account that the instance refused a request with so many bytes of rows because of its size.

        Args:
            size: The bytes.
            certain: Whether the size is known to be the reason; otherwise it is tried again later.
        """
        with self._lock:
            self._limits.refuse(size, certain=certain)
            self._meter.restart()
            if self._search.is_growing:
                self._search.settle(self._search.rows)

    def is_too_large(self, size: int, *, is_part: bool) -> bool:
        """Return whether a request with so many bytes of rows would be refused, by what is known.

        Args:
            size: The bytes.
            is_part: Whether it is a part of a chunk, which was or would be refused as a whole.
        """
        with self._lock:
            return self._limits.is_too_large(size, is_part=is_part)

    def is_new(self, size: int) -> bool:
        """Return whether a failure may be due to the size: only smaller requests were answered so far."""
        with self._lock:
            return self._fixed is None and self._limits.is_new(size)

    @property
    def is_first(self) -> bool:
        """Whether the size adapts, and no request was answered so far."""
        with self._lock:
            return self._fixed is None and self._limits.none_taken

    def _rows_in(self, size: float) -> int:
        return max(1, int(size / self._row_bytes))

    def _present_in_flight(self) -> int:
        return self._in_flight if self._fixed is not None else self._in_flight_with(self._search.rows)

    def _in_flight_with(self, rows: int) -> int:
        """Return how many requests of a size may be under way at a time."""
        return max(1, min(self._in_flight, round(BYTES_IN_FLIGHT / (max(rows, 1) * self._row_bytes))))

    def _filling(self, rows: int, before: int) -> int:
        """Return a size near the given one with which the requests under way have all bytes that they may.

        Growth does not leave out the largest size with which as many are under way as there are threads, and from there
        on goes in steps of 2, because each has fewer under way.
        """
        with_all = self._rows_in(BYTES_IN_FLIGHT / self._in_flight)
        if rows < with_all * _SAME_SIZE:
            return rows
        if before < with_all * _SAME_SIZE:
            return min(with_all, self._most)
        under_way = self._in_flight_with(min(rows, 2 * before))
        return min(self._rows_in(BYTES_IN_FLIGHT / under_way), self._most)

    def _present_rows(self) -> int:
        """Return the size that the search is at, within the limit, or at it if it was there before the limit rose."""
        search, before = self._search, self._most
        self._most = self._rows_in(self._limits.most)
        if not search.rows:
            search.rows = min(FIRST_ROWS, self._rows_in(FIRST_BYTES), self._most)
        elif search.rows > self._most or (self._limits.refused and search.rows >= before and not search.is_growing):
            search.move(self._most)
        return search.rows
