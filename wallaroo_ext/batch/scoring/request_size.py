"""Choosing the number of rows of a request: a fixed one, or the one with the highest rate of scored rows."""

from __future__ import annotations

import statistics
import threading

from wallaroo_ext.errors import InvalidDataError

FIRST_ROWS = 1_000
MAX_BYTES = 1 << 20
"""The largest size of a request's rows as Arrow. A run holds a multiple of `in_flight` requests in memory."""

_SAMPLES = 8
_SETTLED_SAMPLES = 64
_FACTOR = 2
_MIN_GAIN = 1.05
_LONGEST_SECONDS = 10.0


class RequestSize:
    """The size of the next request, which adapts to the rates of the last ones.

    With a constant number of requests in flight, the throughput of the engine is proportional to the rows of a request
    divided by the time until its answer. The size starts at `FIRST_ROWS` and doubles as long as the median of that rate
    grows by 5 %. Then it stays, and from time to time the next larger or smaller size is tried. A request never has
    more than `max_bytes`, and always fewer rows than one that the instance refused as too large. A size whose answers
    take longer than 10 s is halved, because gateways end requests that take long.

    Any thread may call it.

    Args:
        rows: A fixed number of rows; None for one that adapts.
        max_bytes: The largest number of bytes of a request.
    """

    def __init__(self, rows: int | None = None, *, max_bytes: int = MAX_BYTES) -> None:
        if rows is not None and (isinstance(rows, bool) or rows < 1):
            raise InvalidDataError(f"A request has at least one row, not {rows}.")
        self._fixed = rows is not None
        self._rows = rows or FIRST_ROWS
        self._max_bytes = max_bytes
        self._ceiling: int | None = None
        self._growing = True
        self._best: tuple[int, float] | None = None
        self._samples_needed = _SAMPLES
        self._samples: list[tuple[float, float]] = []
        self._lock = threading.Lock()

    @property
    def rows(self) -> int:
        """The current size."""
        return self._rows

    def next(self, row_bytes: float) -> int:
        """Return the number of rows of the next request.

        Args:
            row_bytes: The number of bytes of a row.
        """
        if self._fixed:
            return self._below_ceiling(self._rows)
        with self._lock:
            max_rows = max(1, int(self._max_bytes / row_bytes))
            self._rows = min(self._below_ceiling(self._rows), max_rows)
            self._growing = self._growing and self._rows < max_rows
            return self._rows

    def answered(self, rows: int, seconds: float) -> None:
        """Take into account that a request was answered at its first attempt."""
        with self._lock:
            if self._fixed or rows != self._rows:
                return
            self._samples.append((rows / max(seconds, 1e-9), seconds))
            if len(self._samples) >= self._samples_needed:
                self._choose()

    def too_large(self, rows: int) -> None:
        """Take into account that the instance refused a request because of its size."""
        with self._lock:
            self._ceiling = min(self._ceiling or rows, max(1, rows // 2))
            self._rows = self._below_ceiling(self._rows)
            self._samples.clear()

    def _below_ceiling(self, rows: int) -> int:
        return rows if self._ceiling is None else min(rows, self._ceiling)

    def _choose(self) -> None:
        rate = statistics.median(rate for rate, _ in self._samples)
        seconds = statistics.median(seconds for _, seconds in self._samples)
        self._samples.clear()
        slow = seconds > _LONGEST_SECONDS
        if slow:
            self._growing = False
        if slow or self._best is None or rate > self._best[1] * _MIN_GAIN:
            self._best = None if slow else (self._rows, rate)
            self._samples_needed = _SAMPLES
            self._rows = self._next_size()
        else:
            self._return_to_best()

    def _return_to_best(self) -> None:
        """Go back to the best size for a long time; the next trial goes in the other direction."""
        assert self._best is not None, "there is a best size before one is worse"  # noqa: S101 - by _choose
        self._rows = self._below_ceiling(self._best[0])
        self._growing = not self._growing
        self._best = None
        self._samples_needed = _SETTLED_SAMPLES

    def _next_size(self) -> int:
        return self._below_ceiling(self._rows * _FACTOR if self._growing else max(1, self._rows // _FACTOR))
