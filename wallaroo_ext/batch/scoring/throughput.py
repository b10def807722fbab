"""Measuring how many rows a second are scored, over requests of one size."""

from __future__ import annotations

import math
from dataclasses import dataclass

_VARIANCE = 0.008
"""Of the logarithm of a rate that was measured for a second."""

_SHORTEST, _ROUNDS, _HALF = 0.03, 4, 0.45
_SOME, _EVEN = 4, 2.5
"""How many answers show that they come evenly, and how much longer than the mean the longest pause then may be."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """What was measured of requests of one size.

    Attributes:
        rate: Rows a second, with all threads at work.
        interval: Seconds from one answer to the next, with all threads at work.
        seconds: How long it was measured.
    """

    rate: float
    interval: float
    seconds: float = math.inf


def chance(*seconds: float) -> float:
    """Return by what factor rates may differ by chance that were measured for so many seconds, as its logarithm.

    It is one standard deviation. Machines are faster at one time than at another, and answers come in bursts: by 40 %
    in 0.03 s, 25 % in 0.1 s, 17 % in 0.3 s, as measured with client and instance on two cores.
    """
    return math.sqrt(sum(_VARIANCE / each for each in seconds))


class ThroughputMeter:
    """Measures the throughput of requests, whose times are given.

    The measurement begins with the first answer of a size, because requests of another one were under way before it.
    It takes as many answers as requests are under way, since several may come together and then none for a while; half
    as many where they come evenly. Time passes at the share of the requests that are under way of those that may be: a
    slow consumer, for which they wait, is not a slow instance.

    Attributes:
        in_flight: How many requests of the size that is measured may be under way at a time.
    """

    def __init__(self) -> None:
        self.in_flight = 1
        self._at_work = 0
        self._worked = 0.0
        self._now = 0.0
        self._begin: float | None = 0.0
        self._rows = self._answers = 0
        self._last = self._longest_pause = 0.0

    def restart(self) -> None:
        """Drop what was measured so far."""
        self._begin = None
        self._rows = self._answers = 0

    def begin(self, now: float) -> None:
        """Take into account that a thread begins a request."""
        self._advance(now)
        self._at_work += 1

    def fail(self, now: float) -> None:
        """Take into account that a thread ends a request without an answer that could be measured."""
        self._advance(now)
        self._at_work -= 1
        self.restart()

    def answer(self, now: float, rows: int, seconds: float, *, counts: bool, rounds: float) -> Throughput | None:
        """Take into account that a request was answered; return what was measured, once it is enough.

        Args:
            now: The present time.
            rows: The rows of the request.
            seconds: How long it took.
            counts: Whether it has the size that is measured.
            rounds: How many times as many answers as usual are needed.
        """
        self._advance(now)
        self._at_work -= 1
        passed_since = self._worked - self._last
        self._last = self._worked
        if self._begin is None:
            if not counts:
                return None
            self._begin, self._longest_pause = self._worked, 0.0
            if self.in_flight > 1:
                return None
            self._begin -= seconds  # alone, each request is measured as a whole
        self._rows += rows
        self._answers += 1
        self._longest_pause = max(self._longest_pause, passed_since)
        return self._result(seconds, rounds)

    def _result(self, seconds: float, rounds: float) -> Throughput | None:
        assert self._begin is not None, "the measurement began"  # noqa: S101 - by answer
        passed = self._worked - self._begin
        even = self._answers >= _SOME and self._longest_pause * self._answers <= _EVEN * passed
        needed = self.in_flight * rounds * (0.5 if even else 1.0)
        least = max(seconds * _HALF, min(_SHORTEST, seconds * _ROUNDS))
        if passed <= 0 or self._answers < needed or passed < least:
            return None
        measured = Throughput(self._rows / passed, passed / self._answers, passed)
        self.restart()
        return measured

    def _advance(self, now: float) -> None:
        self._worked += min(1.0, self._at_work / self.in_flight) * max(0.0, now - self._now)
        self._now = now
