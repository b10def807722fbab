"""An instance and a run that sends it rows, in simulated time: how many a second are scored, by requests' size."""

from __future__ import annotations

import heapq
import math
import random
from bisect import bisect
from dataclasses import dataclass, field
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_ext.batch.scoring.request_size import RequestSize

LONGEST_SECONDS = 10.0
"""What takes longer than this is ended by gateways, and no size to compare with."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """An instance that takes requests in the order in which they come.

    Attributes:
        overhead: The seconds that a worker spends on a request, beside those on its rows.
        row: The seconds that it spends on a row.
        workers: How many requests are worked on at a time.
        network: The seconds that a request and its answer are on their way.
        limit: The largest request in bytes; a larger one is refused with 413.
        noise: The standard deviation of the logarithm of the time that a request takes.
        slower: From which second on a row takes how many times as long.
        worse: From how many rows of a request on each of them takes four times as long.
        swings: The standard deviation of the logarithm of its speed, which is another one after so many seconds on
            average, as on a machine with other work; the mean speed stays.
    """

    overhead: float
    row: float
    workers: int = 1
    network: float = 0.001
    limit: float = math.inf
    noise: float = 0.0
    slower: tuple[float, float] = (math.inf, 1.0)
    worse: float = math.inf
    swings: tuple[float, float] = (0.0, math.inf)

    def seconds(self, rows: int, now: float = 0.0) -> float:
        """Return how long a worker works on a request."""
        begin, factor = self.slower
        row = self.row * (factor if now >= begin else 1) * (4 if rows > self.worse else 1)
        return self.overhead + row * rows

    def rate(self, rows: int, in_flight: int, now: float = 0.0) -> float:
        """Return how many rows a second are scored with requests of one size; 0 if they take too long."""
        seconds = self.seconds(rows, now) * math.exp(self.noise**2 / 2)
        if rows > 1 and seconds * max(1.0, in_flight / self.workers) > LONGEST_SECONDS:
            return 0.0
        return rows * min(in_flight / (self.network + seconds), self.workers / seconds)


class _Speeds:
    """The speed of an instance, which changes from time to time.

    Args:
        deviation: The standard deviation of its logarithm.
        seconds: How long it stays, on average.
        seed: Chooses the speeds and the times.
    """

    def __init__(self, deviation: float, seconds: float, seed: int) -> None:
        self._deviation = deviation
        self._seconds = seconds
        self._random = random.Random(seed)  # noqa: S311 - not for a secret
        self._changes: list[tuple[float, float]] = [(0.0, self._next())]

    def end(self, begin: float, work: float) -> float:
        """Return when work is done that takes so many seconds at the mean speed."""
        if not self._deviation:
            return begin + work
        now, place = begin, bisect(self._changes, begin, key=itemgetter(0)) - 1
        while True:
            if place + 1 == len(self._changes):
                self._change()
            speed, until = self._changes[place][1], self._changes[place + 1][0]
            if now + work / speed <= until:
                return now + work / speed
            work -= (until - now) * speed
            now, place = until, place + 1

    def _change(self) -> None:
        pause = self._random.expovariate(1 / self._seconds)
        self._changes.append((self._changes[-1][0] + pause, self._next()))

    def _next(self) -> float:
        return math.exp(self._random.gauss(-(self._deviation**2) / 2, self._deviation))


@dataclass(slots=True)
class _Chunk:
    rows: int
    began: float
    parts: list[int]
    attempts: int = 0


@dataclass
class Run:
    """A run with an endless source, whose threads wait for nothing but the instance.

    Attributes:
        bytes_in_flight: How many bytes all requests that are under way may have.
        scored: When how many rows were scored.
        cut: When a request of how many rows was cut.
        refused: When a request of how many bytes was refused.
        most_under_way: How many bytes all requests had that were under way at some time.
    """

    size: RequestSize
    clock: Clock
    instance: Instance
    in_flight: int
    row_bytes: float
    bytes_in_flight: float = math.inf
    seed: int = 0
    scored: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    cut: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    refused: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - not for a secret
        self._numbers = count()
        self._events: list[tuple[float, int, Callable[[_Chunk], None], _Chunk]] = []
        self._workers = [0.0] * self.instance.workers
        self._speeds = _Speeds(*self.instance.swings, self.seed)
        self._waiting: list[int] = []
        self._free = self.in_flight
        self._rows_under_way = 0
        self.most_under_way = 0.0

    def until(self, end: float) -> Run:
        """Let time pass; return the run."""
        self._begin_chunks()
        while self._events and self._events[0][0] <= end:
            now, _, happens, chunk = heapq.heappop(self._events)
            self.clock.now = now
            happens(chunk)
        self.clock.now = end
        return self

    def rate(self, begin: float, end: float) -> float:
        """Return the rows a second that were scored between two times."""
        return sum(rows for time, rows in self.scored if begin < time <= end) / (end - begin)

    def share_of_best(self, begin: float, end: float, most_bytes: float) -> float:
        """Return how fast the sizes that were chosen between two times are, as a share of the best size's rate."""
        chosen = [rows for time, rows in self.cut if begin <= time <= end]
        if not chosen:  # each request takes long
            chosen = [rows for time, rows in self.cut if time <= begin][-1:]
        rates = [(rows, self.instance.rate(self._accepted(rows), self._under_way(rows), begin)) for rows in chosen]
        seconds = sum(rows / rate if rate else math.inf for rows, rate in rates)
        return sum(chosen) / seconds / self.best_rate(most_bytes, begin)

    def best_rate(self, most_bytes: float, now: float = 0.0) -> float:
        """Return the highest rate of all sizes that are within a limit."""
        most = max(1, int(min(most_bytes, self.instance.limit) / self.row_bytes))
        sizes = {most, *(int(1.1**n) for n in range(int(math.log(most, 1.1)) + 1))}
        return max(self.instance.rate(rows, self._under_way(rows), now) for rows in sizes)

    def _under_way(self, rows: int) -> int:
        """Return how many requests of a size may be under way at a time."""
        return max(1, min(self.in_flight, round(min(self.bytes_in_flight / (rows * self.row_bytes), self.in_flight))))

    def _accepted(self, rows: int) -> int:
        """Return in which size rows are sent in the end."""
        return rows if rows * self.row_bytes <= self.instance.limit else rows // 2

    def _begin_chunks(self) -> None:
        while True:
            while self.in_flight - self._free + len(self._waiting) < self.size.begun():
                rows = self.size.next(self.row_bytes, 1 << 30)
                self._waiting.append(rows)
                self.cut.append((self.clock.now, rows))
            if not self._free or not self._waiting:
                return
            self._free -= 1
            rows = self._waiting.pop(0)
            self._rows_under_way += rows
            self.most_under_way = max(self.most_under_way, self._rows_under_way * self.row_bytes)
            self._send(_Chunk(rows, self.size.begin(), [rows]))

    def _send(self, chunk: _Chunk) -> None:
        while chunk.parts[-1] > 1 and self._is_too_large(chunk):
            self._split(chunk)
        chunk.attempts += 1
        self._after(self.instance.network / 2, self._arrive, chunk)

    def _is_too_large(self, chunk: _Chunk) -> bool:
        is_part = chunk.parts != [chunk.rows]
        return self.size.is_too_large(int(chunk.parts[-1] * self.row_bytes), is_part=is_part)

    @staticmethod
    def _split(chunk: _Chunk) -> None:
        rows = chunk.parts.pop()
        chunk.parts += [rows - rows // 2, rows // 2]

    def _arrive(self, chunk: _Chunk) -> None:
        rows, now = chunk.parts[-1], self.clock.now
        if rows * self.row_bytes > self.instance.limit:
            self._after(self.instance.network / 2, self._refuse, chunk)
            return
        worker = min(range(len(self._workers)), key=self._workers.__getitem__)
        noise = math.exp(self._random.gauss(0.0, self.instance.noise))
        begin = max(now, self._workers[worker])
        done = self._speeds.end(begin, self.instance.seconds(rows, now) * noise)
        self._workers[worker] = done
        self._after(done - now + self.instance.network / 2, self._answer, chunk)

    def _refuse(self, chunk: _Chunk) -> None:
        size = chunk.parts[-1] * self.row_bytes
        self.refused.append((self.clock.now, size))
        self.size.too_large(int(size))
        self._split(chunk)
        self._send(chunk)

    def _answer(self, chunk: _Chunk) -> None:
        rows = chunk.parts.pop()
        self.scored.append((self.clock.now, rows))
        self.size.taken(int(rows * self.row_bytes))
        if chunk.parts:
            self._send(chunk)
            return
        self.size.end(chunk.rows, chunk.began, at_once=chunk.attempts == 1)
        self._free += 1
        self._rows_under_way -= chunk.rows
        self._begin_chunks()

    def _after(self, seconds: float, happens: Callable[[_Chunk], None], chunk: _Chunk) -> None:
        heapq.heappush(self._events, (self.clock.now + seconds, next(self._numbers), happens, chunk))


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time that it was set to."""
        return self.now


def begin_run(
    make: Callable[..., RequestSize], instance: Instance, in_flight: int, row_bytes: float, **how: Any
) -> Run:
    """Return a run that was not begun yet.

    Args:
        make: Makes the size of requests, from `in_flight` and `clock`.
        instance: The instance.
        in_flight: How many requests are under way at a time.
        row_bytes: The bytes of a row.
        how: Other attributes of the run.
    """
    clock = Clock()
    return Run(make(in_flight=in_flight, clock=clock), clock, instance, in_flight, row_bytes, **how)
