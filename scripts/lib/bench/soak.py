"""Sends an hour's worth of mixed requests in five minutes: all have to succeed, and the memory has to stay flat.

A busy team sends ten requests a second, so 36,000 in an hour. Here they are sent at 120 a second, by clients that each
wait for their own turn and not for each other.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from scripts.lib.bench.mixed_load import ACTIONS, Actor
from scripts.lib.bench.sandbox_processes import memory_mib, sandboxes_below
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HOUR = 36_000
"""The requests of an hour."""

SECONDS = 300.0
CLIENTS = 8
GROWTH = 0.1
"""The share by which the process's memory may grow after the warm-up."""

_WARM_UP = 0.2
_COMMON = {name: 60 for name in ACTIONS if name.startswith("infer 1 row")}
_READS = {name: 16 for name in ACTIONS if name.startswith(("list", "read a"))}
_RARE = {"refresh the token": 6, "read the log": 4, "deploy or undeploy": 4, "infer 10,000 rows, Arrow": 4}
MIX = dict.fromkeys(ACTIONS, 1) | _COMMON | _READS | _RARE
"""The weights of the actions: inferences are most frequent, then reads, then changes."""


@dataclass
class Soaked:
    """The measurements of a run.

    Attributes:
        took: The duration of the run in seconds.
        seconds: The durations of the requests in seconds, by action.
        errors: The errors of requests.
        memory: Samples of the sandbox's resident memory: seconds since the start, and MiB.
    """

    took: float = 0.0
    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in ACTIONS})
    errors: list[str] = field(default_factory=list[str])
    memory: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    @property
    def done(self) -> int:
        """The number of requests that have ended."""
        return sum(map(len, self.seconds.values())) + len(self.errors)

    @property
    def warm(self) -> list[tuple[float, float]]:
        """The samples of memory after the warm-up."""
        return [sample for sample in self.memory if sample[0] >= self.took * _WARM_UP]

    @property
    def memory_before(self) -> float:
        """The memory after the warm-up, in MiB: the median of a tenth of the samples."""
        return _median(self.warm[: _tenth(self.warm)])

    @property
    def memory_after(self) -> float:
        """The memory at the end, in MiB: the median of a tenth of the samples."""
        return _median(self.warm[-_tenth(self.warm) :])

    @property
    def slope(self) -> float:
        """The growth of memory after the warm-up, in MiB for an hour's requests: the slope of the samples."""
        times, values = zip(*self.warm, strict=True)
        return float(np.polyfit(times, values, 1)[0]) * self.took

    @property
    def is_good(self) -> bool:
        """Whether nothing failed and the memory stayed flat."""
        return not self.errors and self.memory_after <= self.memory_before * (1 + GROWTH)


def _tenth(samples: list[tuple[float, float]]) -> int:
    return max(1, len(samples) // 10)


def _median(samples: list[tuple[float, float]]) -> float:
    return float(np.median([value for _, value in samples]))


def soak(on_progress: Callable[[int, float], None], requests: int = HOUR, seconds: float = SECONDS) -> Soaked:
    """Send requests to a sandbox of its own, evenly over a time. Returns the measurements.

    Args:
        on_progress: Called each second with the number of ended requests and the MiB of memory.
        requests: How many requests to send.
        seconds: The time to send them in; a slow machine takes longer.
    """
    before = set(sandboxes_below(os.getpid()))
    with running(None, "--log-limit", "256") as environment, ExitStack() as opened:
        [pid] = set(sandboxes_below(os.getpid())) - before
        actors = [opened.enter_context(closing(Actor(number, number, MIX))) for number in range(CLIENTS)]
        for actor in actors:
            actor.connect(environment)
            actor.prepare()
            actor.wait_until_running()
            actor.infer_json()
        return measured(actors, pid, on_progress, requests, seconds)


def measured(
    actors: Sequence[Actor], pid: int, on_progress: Callable[[int, float], None], requests: int, seconds: float
) -> Soaked:
    """Let actors send requests evenly over a time, and return the measurements; an error or an interrupt ends it.

    Args:
        actors: Those that send the requests, each a part of them.
        pid: The process whose memory is measured.
        on_progress: Called each second with the number of ended requests and the MiB of memory.
        requests: How many requests to send.
        seconds: The time to send them in.
    """
    soaked, over, began = Soaked(), threading.Event(), time.perf_counter()
    with ThreadPoolExecutor(len(actors) + 1) as threads:
        sampling = threads.submit(_sample, soaked, pid, began, over, on_progress)
        turns = (requests // len(actors), seconds, began)
        try:
            for done in [threads.submit(_act, soaked, actor, turns, over) for actor in actors]:
                done.result()
            soaked.took = time.perf_counter() - began
        finally:
            over.set()  # the threads end by it, for which leaving the block waits
        sampling.result()
    return soaked


def _act(soaked: Soaked, actor: Actor, turns: tuple[int, float, float], over: threading.Event) -> None:
    """Send an actor's requests at their times until the run is over; late requests are sent at once."""
    count, seconds, began = turns
    for number in range(count):
        if over.wait(max(0.0, began + seconds * number / count - time.perf_counter())):
            return
        sent = time.perf_counter()
        try:
            action = actor.step()
        except Exception as error:  # noqa: BLE001 - any error is a finding
            soaked.errors.append(f"{type(error).__name__}: {error}")
        else:
            soaked.seconds[action].append(time.perf_counter() - sent)


def _sample(
    soaked: Soaked, pid: int, began: float, over: threading.Event, on_progress: Callable[[int, float], None]
) -> None:
    """Sample the memory each second until the run is over."""
    while not over.wait(1.0):
        memory = memory_mib(pid, "VmRSS")
        soaked.memory.append((time.perf_counter() - began, memory))
        on_progress(soaked.done, memory)
