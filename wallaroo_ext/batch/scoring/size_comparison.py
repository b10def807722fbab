"""Comparing two sizes of requests whose rates differ by chance, too."""

from __future__ import annotations

from math import log

from wallaroo_ext.batch.scoring.throughput import chance

_TURNS, _MOST_TURNS = 4, 8
_LEAST_TURNS = 3
_DEVIATIONS = 1.5


class SizeComparison:
    """Two sizes that are measured in turns, because a machine with other work is faster at one time than at another.

    It ends in favour of the present size as soon as that one is not worse. The other one is chosen after two turns of
    each; one that is expected to be worse after four of each, or once the difference is larger than by chance.

    Args:
        rows: The present size, which is measured first.
        other: The other one.
        gain: How many times as many rows a second the other one has to score.
        expected: Whether the other one is expected to be better.
    """

    def __init__(self, rows: int, other: int, *, gain: float, expected: bool) -> None:
        self.rows = rows
        self.other = other
        self._gain = gain
        self._expected = expected
        self._turns = 0
        self._scored = [0.0, 0.0]
        self._seconds = [0.0, 0.0]

    def measured(self, rate: float, seconds: float) -> None:
        """Take into account the rate of the size whose turn it was, and for how many seconds it was measured."""
        which = self._turns % 2
        self._scored[which] += rate * seconds
        self._seconds[which] += seconds
        self._turns += 1

    @property
    def next(self) -> int:
        """The size whose turn it is."""
        return (self.rows, self.other)[self._turns % 2]

    @property
    def may_be_better(self) -> bool:
        """Whether the other size is better so far."""
        return self._difference > 0

    @property
    def is_better(self) -> bool:
        """Whether the other size, which is better so far, was so for long enough."""
        if self._expected:
            return self._turns >= _TURNS
        is_certain = self._difference > _DEVIATIONS * chance(*self._seconds)
        return self._turns >= (_LEAST_TURNS if is_certain else _MOST_TURNS)

    @property
    def rate(self) -> float:
        """The rate of the present size."""
        return self._rate(0)

    @property
    def other_rate(self) -> float:
        """The rate of the other size."""
        return self._rate(1)

    def _rate(self, which: int) -> float:
        return self._scored[which] / self._seconds[which]

    @property
    def _difference(self) -> float:
        """By how much the other size is better than it has to be, as a logarithm."""
        return log(self.other_rate / self.rate / self._gain)
