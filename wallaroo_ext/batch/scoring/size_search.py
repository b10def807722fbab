"""Searching the number of rows of a request at which most rows a second are scored; decides, and measures nothing."""

from __future__ import annotations

from enum import Enum
from math import log2
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wallaroo_ext.batch.scoring.throughput import Throughput

_FIRST_INTERVAL, _INTERVAL = 0.15, 0.1
"""The seconds from one answer to the next that growth aims at after the first measurement, and then."""

_LONGEST_INTERVAL = 1.0
"""What growth by a factor above 2 may at worst make of these seconds."""

_QUICK, _LONG = 0.02, 0.05
"""Answers that come more often cost more than their rows do; a request that takes longer has to be worth it."""

_LONGEST_SECONDS = 10.0
_LARGEST_FACTOR = 8
_LEAST_GAIN = 1.04
_CLEARLY_LESS, _LESS = 0.7, 0.97
_BETTER = 1.05
_CHANGED = (0.7, 1.4)
_FIRST_PATIENCE, _LONGEST_PATIENCE = 8, 64
_PATIENCE_FOR_COST = 16
"""How many times as long as it took to try a size in vain no other is tried."""

_FEW_TIMES = 2
_STEADY_ROUNDS = 3.0


class _Phase(Enum):
    GROWING = "growing"
    STEADY = "steady"
    TRYING_MORE = "trying more"
    TRYING_LESS = "trying less"


class SizeSearch:
    """The search for the best number of rows, from what is measured at one size after another.

    What a request costs beside its rows makes larger ones better, with an end: the size grows by factors of 2 to 8
    while answers come more often than 50 times a second, and beyond that as long as each doubling scores at least 4 %
    more rows a second, once without it for noise. Then it stays, and larger ones are tried from time to time, smaller
    ones where it became slower. Requests that take longer than 10 s become smaller, because gateways end them.

    Attributes:
        rows: The present size; 0 before the first one is set.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._phase = _Phase.GROWING
        self._tried: list[tuple[int, float]] = []
        self._without_gain = 0
        self._rate: float | None = None
        self._interval = 0.0
        self._steady = 0
        self._patience = _FIRST_PATIENCE
        self._unlike = 0
        self._doubt = False
        self.gain = 2.0

    @property
    def rounds(self) -> float:
        """How much longer than the shortest the next measurement is."""
        return 1.0 if self._phase is _Phase.GROWING else _STEADY_ROUNDS

    @property
    def is_growing(self) -> bool:
        """Whether the first search goes on."""
        return self._phase is _Phase.GROWING

    def settle(self, rows: int, rate: float | None = None) -> None:
        """Stay at a size, whose rate is known or not, and end the search for now."""
        self.rows = rows
        self._rate = rate
        self._phase = _Phase.STEADY
        self._steady = self._unlike = self._without_gain = 0
        self._tried = []

    def move(self, rows: int) -> None:
        """Go to a size because a limit changed; another one than the present one is measured anew."""
        if rows != self.rows and not self.is_growing:
            self.settle(rows)
        self.rows = rows

    def took(self, rows: int, seconds: float) -> None:
        """Take into account how long a request took."""
        if seconds > _LONGEST_SECONDS:
            shorter = max(1, int(rows * _LONGEST_SECONDS / 2 / seconds))
            if shorter < self.rows:
                self.settle(shorter)

    def measured(self, found: Throughput, most: int) -> None:
        """Choose the next size.

        Args:
            found: What was measured at the present size.
            most: The largest size.
        """
        if self._phase is _Phase.GROWING:
            self._grow(found, most)
        elif self._phase is _Phase.STEADY:
            self._interval = found.interval
            self._stay(found.rate, most)
        else:
            self._judge(found)

    def _grow(self, found: Throughput, most: int) -> None:
        factor = self._factor(found)
        self._tried.append((self.rows, found.rate))
        enough = 1 if found.interval > _LONG else _FEW_TIMES
        if self.rows < most and self._without_gain < enough:
            self.rows = min(int(self.rows * factor), most)
            return
        best = max(rate for _, rate in self._tried)
        rows, rate = max(each for each in self._tried if each[1] >= best * _CLEARLY_LESS)
        self._doubt = rate < best * _LESS
        self._patience = _FEW_TIMES if self._doubt else _FIRST_PATIENCE
        self.settle(rows)

    def _factor(self, found: Throughput) -> float:
        """Return by how much to grow, and count how often it brought nothing."""
        if not self._tried:
            return min(_LARGEST_FACTOR, max(2, _FIRST_INTERVAL / found.interval))
        rows, rate = max(self._tried, key=lambda each: each[1])
        gain, times = found.rate / rate, self.rows / rows
        self._count_gain(found, gain, times)
        share = (gain - 1) / (times - 1) if times > _BETTER else 0.0
        worth = 8 if share > 0.7 else 4 if share > 0.25 else 2  # noqa: PLR2004 - of the whole that the factor could bring
        quick = min(4, _INTERVAL / found.interval) if found.interval < _INTERVAL else 1
        return min(max(worth, quick), max(2.0, _LONGEST_INTERVAL / found.interval))

    def _count_gain(self, found: Throughput, gain: float, times: float) -> None:
        self.gain = gain ** (1 / log2(times)) if times > _BETTER else 1.0
        if gain < _CLEARLY_LESS:
            self._without_gain += _FEW_TIMES if found.interval >= _QUICK else 1
        elif self.gain >= _LEAST_GAIN or found.interval < _QUICK:
            self._without_gain = 0
        else:
            self._without_gain += 1

    def _stay(self, rate: float, most: int) -> None:
        known = self._rate or rate
        low, high = _CHANGED
        self._steady += 1
        if low < rate / known < high:
            self._unlike = 0
            self._rate = known + (rate - known) / 4
        else:
            self._rate = known
            self._unlike += 1
            if self._unlike < _FEW_TIMES:
                return
            self._doubt = rate < known
            self._rate, self._unlike, self._patience = rate, 0, 1
        if self._steady >= self._patience:
            self._try_another(most)

    def _try_another(self, most: int) -> None:
        assert self._rate is not None, "the present size was measured"  # noqa: S101 - by _stay
        self._tried = [(self.rows, self._rate)]
        if self._doubt and self.rows > 1:
            self._phase = _Phase.TRYING_LESS
            self.rows = max(1, self.rows // 2)
        elif self.rows < most:
            self._phase = _Phase.TRYING_MORE
            self.rows = min(self.rows * 2, most)
        else:
            self._steady = 0
            self._patience = min(self._patience * 2, _LONGEST_PATIENCE)
            self._doubt = self._patience == _LONGEST_PATIENCE
            return
        self._doubt = False

    def _judge(self, found: Throughput) -> None:
        """Go on in the same direction if the size that was tried is better, and back for long if it is not."""
        rows, before = self._tried[-1]
        if found.rate <= before * _BETTER:
            cost = found.interval / max(self._interval, 1e-9)
            self.settle(rows, before)
            self._patience = max(min(self._patience * 2, _LONGEST_PATIENCE), int(cost * _PATIENCE_FOR_COST))
            return
        less = self._phase is _Phase.TRYING_LESS
        self.settle(self.rows, found.rate)
        self._patience, self._doubt = 1, less
