"""Runs the tests that disturb no others in two child processes, beside those, on a sandbox.

Half of a run is spent on requests that an instance has to refuse, on those that only read, on tokens, and in workspaces
that no other test looks into: they can be sent while other tests wait or compute. One child runs the tests that change
nothing, the other those with a workspace of their own or with none. Both are forked when the run has made its things,
run their tests in their order, those of operations that write and have to refuse at the end, and send what they found.
The first process, which takes longest and has precedence, adds that after its own tests, but for those that are the
last, so that a report always has everything in the same order, whoever was faster. What a child does not tell, because
it ended, the first process does by itself.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import queue
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.runner import runtestprotocol

from wallaroo_ext.conformance.plugin import operations_of

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from wallaroo_ext.conformance.guard.interceptor import News
    from wallaroo_ext.conformance.options import SuiteOptions
    from wallaroo_ext.conformance.suite import Suite

MARK = "changes_nothing"
"""The mark of tests whose requests are refused, or which do nothing but read where their operation does."""
SEPARATE = "separate"
"""The mark of tests that work in a workspace of their own, or in none."""
_NAMES = {MARK: "beside", SEPARATE: "apart"}
"""What the names that a child gives begin with, after the run's prefix, by the mark of its tests."""
_IGNORED = ("SIGINT", "SIGHUP")
"""What a terminal sends to all processes: the first one ends the children."""
_GRACE_SECONDS = 5.0
_NICENESS = 5
"""By how much the children give way to the first process, and to the instance."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a test in a child process.

    Attributes:
        test: The test, as pytest names it.
        reports: Pytest's reports, as data.
        news: What was found meanwhile.
    """

    test: str
    reports: list[dict[str, Any]]
    news: News


def may_have_child_processes(options: SuiteOptions) -> bool:
    """Return whether a run has child processes: one that starts a sandbox of its own, and looks at all of it.

    On an instance that others use, one request is sent at a time, but for the tests that are about several.
    """
    return (
        sys.platform == "linux"  # elsewhere, forks of a process that has loaded much are not safe
        and options.instance == "sandbox"
        and options.running is None  # its server may be threads of this process
        and options.rate is None
        and not options.operations
    )


class ChildProcesses:
    """A plugin of pytest that runs the tests which disturb no others in two child processes.

    Args:
        suite: The run.
    """

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._own: list[pytest.Item] = []
        self._others: list[pytest.Item] = []
        self._marks: dict[pytest.Item, str] = {}
        self._children: dict[str, _Child] = {}
        self._is_passed_on = False
        self._untried: set[str] = set()
        self._seen = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Choose the tests of the children; their turn comes when these had the time of the others' to run them.

        The last test of all stays in the first process, which cleans up.
        """
        items = (item for item in session.items[:-1] if not _is_last(item))
        self._marks = {item: mark for item in items if (mark := self._child_of(item))}
        waits = partial(_waits, self._suite)
        self._others = sorted(self._marks, key=waits)
        self._untried = {name for item in filter(waits, self._others) for name in operations_of(item)}
        self._own = [item for item in session.items if item not in self._marks]
        first = next((at for at, item in enumerate(self._own) if _is_last(item)), len(self._own) - 1)
        session.items[:] = [*self._own[:first], *self._others, *self._own[first:]]

    def _child_of(self, item: pytest.Item) -> str:
        """Return the mark of the child that may run a test, which has a workspace of its own or changes nothing."""
        if _is_separate(item):
            return SEPARATE
        mark = item.get_closest_marker(MARK)
        may_change = mark is None or (mark.kwargs.get("if_reading") and _writes(self._suite, item))
        return "" if may_change else MARK

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> object:
        """Add what a child found in a test of its own; let other tests run as always."""
        if self._is_passed_on:
            self._is_passed_on = False
            return None
        if not self._children and self._others and self._suite.has_made_fixtures:
            self._start_children()
        if not self._children:
            return None
        if item in self._marks or self._has_tried_writing():
            for child in self._children.values():
                child.let_write()
        outcome = self._children[self._marks[item]].take(item) if item in self._marks else None
        if outcome is not None:
            self._add(item, outcome)
            return True
        # What belongs to a module is ended after the last of its tests that this process runs.
        self._is_passed_on = True
        return item.ihook.pytest_runtest_protocol(item=item, nextitem=self._next_own(item, nextitem))

    def _start_children(self) -> None:
        """Start a child for each mark, and then the threads that receive what they find: no fork may have threads."""
        for mark in dict.fromkeys(map(self._marks.__getitem__, self._others)):
            items = [item for item in self._others if self._marks[item] == mark]
            self._children[mark] = _Child(self._suite, mark, items, list(self._children.values()))
        for child in self._children.values():
            child.receive()

    def _has_tried_writing(self) -> bool:
        """Return whether the operations that write have succeeded: some faults show after a success only."""
        exchanges = self._suite.run.exchanges
        for sent in exchanges[self._seen :] if self._untried else ():
            if sent.operation in self._untried and self._suite.rules.is_success(sent.operation, sent.status):
                self._untried.remove(sent.operation)
        self._seen = len(exchanges)
        return not self._untried

    def _next_own(self, item: pytest.Item, nextitem: pytest.Item | None) -> pytest.Item | None:
        """Return the next test that this process runs for certain."""
        if item in self._marks:
            return nextitem
        following = self._own[self._own.index(item) + 1 :]
        return following[0] if following else None

    def _add(self, item: pytest.Item, outcome: _Outcome) -> None:
        self._suite.interceptor.add_news(outcome.news)
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for data in outcome.reports:
            report = item.config.hook.pytest_report_from_serializable(config=item.config, data=data)
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """End the children, which an interrupted run may still have."""
        for child in self._children.values():
            child.end()


def _is_last(item: pytest.Item) -> bool:
    return item.get_closest_marker("last") is not None


def _is_separate(item: pytest.Item) -> bool:
    return item.get_closest_marker(SEPARATE) is not None


def _waits(suite: Suite, item: pytest.Item) -> bool:
    """Return whether a test has to wait until the operations that it is about were successful."""
    return _writes(suite, item) and not _is_separate(item)


def _writes(suite: Suite, item: pytest.Item) -> bool:
    """Return whether a test is about an operation that writes."""
    return any(map(suite.guard.writes, operations_of(item)))


class _Child:
    """A child process, as the first process sees it.

    Args:
        suite: The run.
        mark: The mark of its tests.
        items: The tests to run, in their order.
        elder: The children that were started before.

    Attributes:
        lifeline: A pipe whose other end the child has: it ends when nobody has this one.
    """

    def __init__(self, suite: Suite, mark: str, items: list[pytest.Item], elder: list[_Child]) -> None:
        self._outcomes: queue.SimpleQueue[_Outcome | None] = queue.SimpleQueue()
        self._has_ended = False
        context = multiprocessing.get_context("fork")
        self._results, results_end = context.Pipe(duplex=False)
        lifeline, self.lifeline = context.Pipe(duplex=False)
        self._may_write = False
        not_its_own = [self.lifeline, *(each.lifeline for each in elder)]  # or those would not notice their end
        ends = {"results": results_end, "lifeline": lifeline, "not_its_own": not_its_own}
        self._process = context.Process(target=_work, args=(suite, mark, items), kwargs=ends, daemon=True)
        self._process.start()
        results_end.close()
        lifeline.close()

    def receive(self) -> None:
        """Begin to receive what its tests find, in a thread."""
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        with self._results as results:
            while True:
                try:
                    self._outcomes.put(results.recv())
                except (EOFError, OSError):
                    self._outcomes.put(None)
                    return

    def take(self, item: pytest.Item) -> _Outcome | None:
        """Wait for what a test of the child's found; None if the child has ended without it."""
        if self._has_ended:
            return None
        outcome = self._outcomes.get()
        if outcome is None or outcome.test != item.nodeid:
            self.end()
            return None
        return outcome

    def let_write(self) -> None:
        """Let it go on with the tests of operations that write, which it runs last."""
        if not (self._may_write or self._has_ended):
            self._may_write = True
            with suppress(OSError):  # it has ended
                self.lifeline.send(None)

    def end(self) -> None:
        """End the process, and wait for its end."""
        self._has_ended = True
        self.lifeline.close()
        self._process.join(_GRACE_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _work(
    suite: Suite,
    mark: str,
    items: list[pytest.Item],
    *,
    results: Connection,
    lifeline: Connection,
    not_its_own: list[Connection],
) -> None:
    """Run tests in a child process, and send what each found. It ends with the first process, however that ends."""
    for each in not_its_own:
        each.close()
    os.nice(_NICENESS)
    gc.freeze()  # otherwise, garbage collection would copy the memory that the processes share
    for name in _IGNORED:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    may_write = threading.Event()
    threading.Thread(target=_watch, args=(lifeline, may_write), daemon=True).start()
    suite.continue_in_child(_NAMES[mark])
    items[0].session._setupstate.teardown_exact(items[0])  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - what the first process has set up for the test before
    for item, following in pairwise([*items, items[0].session.items[-1]]):  # that one is not run here
        if _waits(suite, item):
            may_write.wait()
        reports = runtestprotocol(item, log=False, nextitem=following)
        data = [item.config.hook.pytest_report_to_serializable(config=item.config, report=each) for each in reports]
        results.send(_Outcome(item.nodeid, data, suite.interceptor.take_news()))
    results.close()
    os._exit(0)  # nothing of the first process's is cleaned up here


def _watch(lifeline: Connection, may_write: threading.Event) -> None:
    """Note what the first process says, and end this one when nobody has the other end of the pipe any more."""
    with suppress(EOFError, OSError):
        while True:
            lifeline.recv()
            may_write.set()
    os._exit(1)
