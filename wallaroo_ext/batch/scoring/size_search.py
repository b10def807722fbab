"""Searching the number of rows of a request at which most rows a second are scored; decides, and measures nothing."""

from __future__ import annotations

from enum import Enum
from math import log, log2
from operator import itemgetter
from typing import TYPE_CHECKING

from wallaroo_ext.batch.scoring.size_comparison import SizeComparison
from wallaroo_ext.batch.scoring.throughput import chance

if TYPE_CHECKING:
    from collections.abc import Callable

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
_CHANGED = 1.4
_UNLIKELY, _RARE = 1.3, 2.0
"""How many times as far as by chance rates are apart where one is taken to be worse, or to have changed."""

_REMEMBERED = 4
"""For how many measurements a rate stands that was averaged over many."""

_FIRST_PATIENCE, _LONGEST_PATIENCE = 8, 64
_PATIENCE_FOR_COST = 16
"""How many times as long as it took to try a size in vain no other is tried."""

_FEW_TIMES = 2
_MOST_ROUNDS = 3.0
_ENOUGH_SECONDS = 0.15
"""Once growth is over, measurements take three times as many answers as needed, or as many as come in this time."""


class _Phase(Enum):
    GROWING = "growing"
    STEADY = "steady"
    TRYING_MORE = "trying more"
    TRYING_LESS = "trying less"


class SizeSearch:
    """The search for the best number of rows, from what is measured at one size after another.

    What a request costs beside its rows makes larger ones better, with an end: the size grows by factors of 2 to 8
    while answers come more often than 50 times a second, and beyond that as long as each doubling scores at least 4 %
    more rows a second, once without it for noise. Then it stays at the largest one that may be the best by what was
    measured for so short a time, and is compared with others: with larger ones from time to time, and with smaller ones
    where it became slower or growth found a better one. Requests that take longer than 10 s become smaller, because
    gateways end them.

    Args:
        fill: Returns a size near a larger one than the present one that suits better, from both.

    Attributes:
        rows: The present size; 0 before the first one is set.
    """

    def __init__(self, fill: Callable[[int, int], int]) -> None:
        self.rows = 0
        self._fill = fill
        self._phase = _Phase.GROWING
        self._tried: list[tuple[int, Throughput]] = []
        self._without_gain = 0
        self._rate: float | None = None
        self._interval = 0.0
        self._steady = 0
        self._patience = _FIRST_PATIENCE
        self._unlike = 0
        self._doubt = False
        self._rounds: dict[int, float] = {}
        self._seconds = 0.0
        self._comparison: SizeComparison | None = None
        self.gain = 2.0

    @property
    def rounds(self) -> float:
        """How much longer than the shortest the next measurement is."""
        return 1.0 if self.is_growing else min(_MOST_ROUNDS, max(1.0, _ENOUGH_SECONDS / self._round_seconds()))

    @property
    def is_growing(self) -> bool:
        """Whether the first search goes on."""
        return self._phase is _Phase.GROWING

    def settle(self, rows: int, rate: float | None = None) -> None:
        """Stay at a size, whose rate is known or not, and end the search for now."""
        self.rows = rows
        self._rate = rate
        self._seconds = 0.0
        self._phase = _Phase.STEADY
        self._steady = self._unlike = self._without_gain = 0
        self._tried = []
        self._rounds = {each: seconds for each, seconds in self._rounds.items() if each == rows}

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
        self._rounds[self.rows] = found.seconds / self.rounds
        if self._phase is _Phase.GROWING:
            self._grow(found, most)
        elif self._phase is _Phase.STEADY:
            self._interval = found.interval
            self._stay(found, most)
        else:
            self._judge(found)

    def _round_seconds(self) -> float:
        """Return how long the shortest measurement takes at least, from the one at the nearest size."""
        rows = min(self._rounds, key=lambda each: abs(log(each / self.rows)), default=0)
        return self._rounds[rows] * min(1.0, self.rows / rows) if rows else _ENOUGH_SECONDS

    def _grow(self, found: Throughput, most: int) -> None:
        factor = self._factor(found)
        self._tried.append((self.rows, found))
        enough = 1 if found.interval > _LONG else _FEW_TIMES
        if self.rows < most and self._without_gain < enough:
            self.rows = self._fill(min(int(self.rows * factor), most), self.rows)
            return
        highest = max((each for _, each in self._tried), key=lambda each: each.rate)
        rows, good = max((each for each in self._tried if _may_be_as_good(each[1], highest)), key=itemgetter(0))
        self._doubt = good.rate < highest.rate * _LESS
        self._patience = 1 if self._doubt else _FIRST_PATIENCE
        self.settle(rows)

    def _factor(self, found: Throughput) -> float:
        """Return by how much to grow, and count how often it brought nothing."""
        if not self._tried:
            return min(_LARGEST_FACTOR, max(2, _FIRST_INTERVAL / found.interval))
        rows, best = max(self._tried, key=lambda each: each[1].rate)
        gain, times = found.rate / best.rate, self.rows / rows
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

    def _stay(self, found: Throughput, most: int) -> None:
        rate = found.rate
        known = self._rate or rate
        self._steady += 1
        self._seconds = min(self._seconds + found.seconds, _REMEMBERED * found.seconds)
        if abs(log(rate / known)) < max(log(_CHANGED), _RARE * chance(found.seconds)):
            self._unlike = 0
            self._rate = known + (rate - known) / 4
        else:
            self._rate = known
            self._unlike += 1
            if self._unlike < _FEW_TIMES:
                return
            self._doubt = rate < known
            self._seconds = found.seconds
            self._rate, self._unlike, self._patience = rate, 0, 1
        if self._steady >= self._patience:
            self._try_another(most)

    def _try_another(self, most: int) -> None:
        if self._doubt and self.rows > 1:
            self._compare(self.rows // 2, _Phase.TRYING_LESS)
        elif self.rows < most:
            self._compare(self._fill(min(self.rows * 2, most), self.rows), _Phase.TRYING_MORE)
        else:
            self._steady = 0
            self._patience = min(self._patience * 2, _LONGEST_PATIENCE)
            self._doubt = self._patience == _LONGEST_PATIENCE
            return
        self._doubt = False

    def _compare(self, rows: int, phase: _Phase) -> None:
        """Begin to compare another size with the present one."""
        assert self._rate is not None, "the present size was measured"  # noqa: S101 - by _stay
        self._comparison = SizeComparison(self.rows, rows, gain=_BETTER, expected=phase is _Phase.TRYING_MORE)
        self._comparison.measured(self._rate, self._seconds)
        self._phase = phase
        self.rows = rows

    def _judge(self, found: Throughput) -> None:
        """Go on in the same direction if the size that was tried is better, and back for long if it is not."""
        comparison = self._comparison
        assert comparison is not None, "there is another size"  # noqa: S101 - by _compare
        comparison.measured(found.rate, found.seconds)
        if not comparison.may_be_better:
            cost = found.interval / max(self._interval, 1e-9) if self.rows == comparison.other else 1.0
            self.settle(comparison.rows, comparison.rate)
            self._patience = max(min(self._patience * 2, _LONGEST_PATIENCE), int(cost * _PATIENCE_FOR_COST))
        elif comparison.is_better:
            less = comparison.other < comparison.rows
            self.settle(comparison.other, comparison.other_rate)
            self._patience, self._doubt = 1, less
        else:
            self.rows = comparison.next


def _may_be_as_good(one: Throughput, best: Throughput) -> bool:
    """Return whether a size may score as many rows a second as the best one, or nearly."""
    return log(best.rate / one.rate) <= max(-log(_CLEARLY_LESS), _UNLIKELY * chance(one.seconds, best.seconds))
