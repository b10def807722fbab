"""How many rows a request has: a number that is given, or the one that the engine answers best at."""

from __future__ import annotations

import statistics
import threading

from wallaroo_ext.errors import InvalidDataError

FIRST_ROWS = 1_000
MOST_BYTES = 1 << 20
"""A request's rows in Arrow. Twice the window of such requests is what a run holds in memory."""

_SAMPLES = 8
_HELD_SAMPLES = 64
_STEP = 2
_GAIN = 1.05
_LONGEST_SECONDS = 10.0


class RequestSize:
    """The size of the next request, which follows the rates of the last ones.

    With a constant number of requests in flight, what the engine does in a second is proportional to the rows of a
    request by the time until its answer. From `FIRST_ROWS`, the size doubles as long as the median of that rate grows
    by 5 %; then it stays, and from time to time the next larger or smaller size is tried. A request never has more than
    `most_bytes`, nor more rows than what the instance refused as too large, and a size whose answers take longer than
    10 s is halved, because gateways end requests that take long.

    Any thread may call it.

    Args:
        rows: A number of rows that does not change; None for one that adapts.
        most_bytes: The most bytes of a request.
    """

    def __init__(self, rows: int | None = None, *, most_bytes: int = MOST_BYTES) -> None:
        if rows is not None and (isinstance(rows, bool) or rows < 1):
            raise InvalidDataError(f"A request has at least one row, not {rows}.")
        self._fixed = rows is not None
        self._rows = rows or FIRST_ROWS
        self._most_bytes = most_bytes
        self._ceiling: int | None = None
        self._growing = True
        self._best: tuple[int, float] | None = None
        self._wanted = _SAMPLES
        self._samples: list[tuple[float, float]] = []
        self._lock = threading.Lock()

    @property
    def rows(self) -> int:
        """The present size."""
        return self._rows

    def next(self, row_bytes: float) -> int:
        """Return how many rows the next request has.

        Args:
            row_bytes: How many bytes a row has.
        """
        if self._fixed:
            return self._limited(self._rows)
        with self._lock:
            most = max(1, int(self._most_bytes / row_bytes))
            self._rows = min(self._limited(self._rows), most)
            self._growing = self._growing and self._rows < most
            return self._rows

    def answered(self, rows: int, seconds: float) -> None:
        """A request of so many rows was answered, at its first attempt."""
        with self._lock:
            if self._fixed or rows != self._rows:
                return
            self._samples.append((rows / max(seconds, 1e-9), seconds))
            if len(self._samples) >= self._wanted:
                self._decide()

    def too_large(self, rows: int) -> None:
        """The instance refused a request of so many rows because of its size."""
        with self._lock:
            self._ceiling = min(self._ceiling or rows, max(1, rows // 2))
            self._rows = self._limited(self._rows)
            self._samples.clear()

    def _limited(self, rows: int) -> int:
        return rows if self._ceiling is None else min(rows, self._ceiling)

    def _decide(self) -> None:
        rate = statistics.median(rate for rate, _ in self._samples)
        seconds = statistics.median(seconds for _, seconds in self._samples)
        self._samples.clear()
        slow = seconds > _LONGEST_SECONDS
        if slow:
            self._growing = False
        if slow or self._best is None or rate > self._best[1] * _GAIN:
            self._best = None if slow else (self._rows, rate)
            self._wanted = _SAMPLES
            self._rows = self._neighbour()
        else:
            self._stay()

    def _stay(self) -> None:
        """Go back to the best size, for long; what is tried after it is on its other side."""
        assert self._best is not None, "there is a best size before one is worse"  # noqa: S101 - by _decide
        self._rows = self._limited(self._best[0])
        self._growing = not self._growing
        self._best = None
        self._wanted = _HELD_SAMPLES

    def _neighbour(self) -> int:
        return self._limited(self._rows * _STEP if self._growing else max(1, self._rows // _STEP))
