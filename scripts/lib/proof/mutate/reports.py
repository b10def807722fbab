"""Reports of tests over a pipe: what each reaches, or whether one of them notices a change."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

START_SECONDS = 60.0
"""How long it may take until the first test begins."""

GRACE_SECONDS, _TIMES = 15.0, 5.0
"""A test may take so many seconds and so many times as long as it took without a change, while each has a processor."""


class Reporter:
    """A plugin of pytest that reports tests over a pipe."""

    _pipe: int

    def write_to(self, pipe: int) -> None:
        """Let it report to the descriptor of a pipe."""
        self._pipe = pipe

    def report(self, **line: Any) -> None:
        """Report something."""
        os.write(self._pipe, json.dumps(line).encode() + b"\n")


class Measure(Reporter):
    """Reports what each test reaches.

    Args:
        memory: The switches.
        seconds: After how long the rest of the tests is left out.
    """

    def __init__(self, memory: Any, seconds: float) -> None:
        self._switches, self._seconds = memory, seconds
        self._until = 0.0
        self._has_passed = True

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin to count the time."""
        _ = session
        self._until = time.monotonic() + self._seconds * processes_per_processor()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Report a test before and after it runs."""
        self._switches[::2] = bytes(len(self._switches) // 2)
        self._has_passed = True
        self.report(begun=item.nodeid, own=START_SECONDS)
        started = time.monotonic()
        result = yield
        seconds = (time.monotonic() - started) / processes_per_processor()
        numbers = reached(self._switches)
        self.report(test=item.nodeid, seconds=round(seconds, 3), reached=numbers, passed=self._has_passed)
        if time.monotonic() > self._until:
            item.session.shouldstop = "enough"
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note whether a test passed."""
        self._has_passed = self._has_passed and report.passed


class Chosen(Reporter):
    """Runs chosen tests, in an order, until one fails.

    Args:
        tests: Their ids, with how long each takes.
    """

    def __init__(self, tests: dict[str, float]) -> None:
        self.tests = tests

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out all other tests."""
        places = {test: place for place, test in enumerate(self.tests)}
        items[:] = sorted((item for item in items if item.nodeid in places), key=lambda item: places[item.nodeid])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Report that a test begins."""
        self.report(begun=item.nodeid, own=self.tests[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Report a test that failed."""
        if report.failed:
            self.report(failed=report.nodeid)


def reached(switches: Any) -> list[int]:
    """Return the numbers of the changes that were reached, by the memory of the switches."""
    return [number for number, is_reached in enumerate(switches[::2]) if is_reached]


def read_reports(pipe: int, pid: int, start_seconds: float = START_SECONDS) -> list[dict[str, Any]]:
    """Return the reports of a process until it ends, or until a test takes several times as long as it should."""
    lines: list[dict[str, Any]] = []
    content, seconds = b"", start_seconds
    while select.select([pipe], [], [], seconds * processes_per_processor())[0]:
        received = os.read(pipe, 1 << 16)
        if not received:
            break
        *whole, content = (content + received).split(b"\n")
        lines += [json.loads(line) for line in whole]
        seconds = next((GRACE_SECONDS + _TIMES * line["own"] for line in reversed(lines) if "own" in line), seconds)
        if lines and "ended" in lines[-1]:
            break
    else:
        lines.append({"timed_out": True})
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)
    return lines


def processes_per_processor() -> float:
    """Return how many processes share a processor; on a busy machine, what takes long may only be waiting."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def outcome_of(lines: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return what became of a change, by the reports of the tests."""
    test, ended = "", None
    for line in lines:
        test = line.get("begun", test)
        if "failed" in line:
            return {"outcome": "noticed", "test": line["failed"]}
        if "timed_out" in line:
            return {"outcome": "timed out", "test": test}
        ended = line.get("ended", ended)
    return {"outcome": "survived" if ended in {0, 5} else "noticed", "test": test}
