"""Changes the extension one place at a time, in a draw over all of it, and says which changes the tests notice.

All drawn changes stand in the code at once, each behind a switch that is off. While the tests run, the code notes which
changes each test reaches, in the programs that it starts, too; then each change is switched on for the tests that reach
it, the nearest and fastest first, until one fails. The test that noticed a change the last time is asked before all
others. .mutation/ keeps what is known until any file changes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise, repeat
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any, cast

from scripts.lib.proof.kept_results import KeptResults, digest
from scripts.lib.proof.mutate.changes import changes_of
from scripts.lib.proof.mutate.environment import make_environments
from scripts.lib.proof.mutate.killers import FILE, Killers
from scripts.lib.proof.mutate.nearness import TestFiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scripts.lib.proof.mutate.changes import Change

ROOT = Path(__file__).parents[4]
REASONS: dict[str, str] = json.loads((ROOT / "scripts/lib/proof/mutate/equivalent.json").read_text(encoding="utf-8"))
"""Why no test can notice a change, by the change's name."""
LEAST_NOTICED = 0.9
_SEED = 29
_DRAWN = 500
_JOBS = 2
_STEPS = (1, 3, 6)
"""How many of the nearest files of tests are asked, before all are."""

_NOTICED = {"noticed", "timed out"}
_KILLER_SECONDS = 5.0
"""How long a test that noticed a change is assumed to take."""

_MEASURE_SECONDS, _TRY_SECONDS = 60.0, 30.0
"""The time for the tests of one file, and for all tests that a change is shown to at a time."""


def main() -> int:
    """Try the drawn changes. Returns 1 if the tests notice too few of them."""
    options = parse_arguments()
    everything = changes_of(ROOT, sorted((ROOT / "wallaroo_ext").rglob("*.py")))
    check_reasons(everything)
    matching = [change for change in everything if options.match in change.name]
    drawn = draw(matching, options.seed, options.skip, options.sample)
    if not drawn:
        raise SystemExit(f"No change is drawn: {len(matching)} have {options.match!r} in their names.")
    if options.list:
        print("\n".join(f"{change.line}: {change.name}" for change in drawn))
        return 0
    started = time.monotonic()
    trials = Trials(drawn, options.jobs, near=options.near)
    try:
        outcomes = trials.run()
    finally:
        trials.end()
    if options.remember:
        Killers(ROOT).remember(outcomes, {change.name for change in everything})
    return report(outcomes, len(everything), time.monotonic() - started)


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument(
        "--sample", type=int, default=_DRAWN, metavar="N", help=f"how many changes; {_DRAWN} by default"
    )
    parser.add_argument("--skip", type=int, default=0, metavar="N", help="how many changes of the draw to leave out")
    parser.add_argument("--match", default="", metavar="TEXT", help="draw only from those whose name has a text in it")
    parser.add_argument("--seed", type=int, default=_SEED, help="another draw")
    parser.add_argument("--jobs", type=int, default=_JOBS, help="how many changes at a time")
    parser.add_argument("--near", action="store_true", help="ask only the six nearest files of tests of each change")
    parser.add_argument("--remember", action="store_true", help=f"write which tests noticed the changes to {FILE}")
    parser.add_argument("--list", action="store_true", help="only list the changes")
    return parser.parse_args()


def draw(changes: Sequence[Change], seed: int, skip: int, count: int) -> list[Change]:
    """Return some of the changes; the draw of a seed stays mostly the same when the code changes."""
    return sorted(changes, key=lambda change: change.rank(seed))[skip : skip + count]


def check_reasons(changes: Sequence[Change]) -> None:
    """Check that all changes that are listed as equivalent are still there."""
    if gone := sorted(REASONS.keys() - {change.name for change in changes}):
        raise SystemExit("\n".join(["These are no changes any more: take them out of equivalent.json.", *gone]))


class Trials:
    """The trials of the drawn changes.

    Args:
        drawn: The changes.
        jobs: How many processes run tests at a time.
        near: Whether only the nearest files of tests are asked.
    """

    def __init__(self, drawn: Sequence[Change], jobs: int, *, near: bool) -> None:
        self._numbers = {change: number for number, change in enumerate(drawn)}
        directory = ROOT / ".mutation"
        directory.mkdir(exist_ok=True)
        names = [change.name for change in drawn]
        # Which tests are asked first decides nothing about what becomes of a change.
        self._kept = KeptResults(directory / f"{digest(names, '.', f':!{FILE}')}.jsonl")
        self._known_files = {line["file"]: line["tests"] for line in self._kept.results if "file" in line}
        self._outcomes = {line["change"]: line["outcome"] for line in self._kept.results if "change" in line}
        self._files = TestFiles(ROOT)
        self._killers = Killers(ROOT)
        self._near = near
        self._lock = threading.Lock()
        self._measured: dict[str, Future[list[Any]]] = {}
        self._workers: SimpleQueue[Worker] = SimpleQueue()
        self._jobs = jobs
        first = sorted({self._first_file(change) for change in drawn})
        workers = [Worker(place) for place in make_environments(ROOT, directory, self._numbers, jobs)]
        with ThreadPoolExecutor(jobs) as pool:
            for worker in pool.map(Worker.load, workers, repeat(first)):
                self._workers.put(worker)

    def run(self) -> dict[Change, dict[str, Any]]:
        """Try all changes, and return what became of each."""
        with ThreadPoolExecutor(self._jobs) as pool:
            return dict(zip(self._numbers, pool.map(self._judge, self._numbers), strict=True))

    def end(self) -> None:
        """End the processes."""
        while not self._workers.empty():
            self._workers.get().end()

    def _judge(self, change: Change) -> dict[str, Any]:
        """Show a change to tests until they notice it, and return what became of it."""
        if known := self._outcomes.get(change.name):
            return known
        worker = self._workers.get()
        try:
            outcome = self._ask_tests(worker, change)
        finally:
            self._workers.put(worker)
        self._kept.add({"change": change.name, "outcome": outcome})
        print(
            f"{outcome['outcome']}: {change.path}:{change.line} {change.where}: {change.before} -> {change.after}",
            flush=True,
        )
        return outcome

    def _first_file(self, change: Change) -> str:
        """Return the file of tests that is asked first."""
        return (self._killers.of(change) or self._files.nearest(change)[0]).partition("::")[0]

    def _ask_tests(self, worker: Worker, change: Change) -> dict[str, Any]:
        is_early = change.is_early or self._numbers[change] in worker.loaded
        asked = {"change": self._numbers[change], "is_early": is_early}
        killer = self._killers.of(change)
        outcome: dict[str, Any] = worker.ask(tests=[(killer, _KILLER_SECONDS)], **asked) if killer else {"outcome": ""}
        if outcome["outcome"] in _NOTICED:
            return outcome
        outcome = {"outcome": "not reached"}
        for files in self._steps(change):
            tests = self._tests_reaching(worker, change, files, is_early=is_early)
            while tests and (outcome := worker.ask(tests=tests, **asked))["outcome"] == "unclear":
                # A test that fails without the change tells nothing of it.
                tests = [test for test in tests if test[0] != outcome["test"]] if outcome["test"] else []
            if outcome["outcome"] in _NOTICED:
                break
        return outcome

    def _steps(self, change: Change) -> Iterator[list[str]]:
        """Yield files of tests, a few of the nearest first."""
        files = self._files.nearest(change)
        places = [0, *_STEPS] if self._near else [0, *_STEPS, len(files)]
        for start, end in pairwise(places):
            yield files[start:end]

    def _tests_reaching(
        self, worker: Worker, change: Change, files: list[str], *, is_early: bool
    ) -> list[tuple[str, float]]:
        """Return the tests of files that reach a change with how long they take, the fastest of each file first."""
        number = self._numbers[change]
        found: list[tuple[str, float]] = []
        for file in files:
            passing = [test for test in self._measure(worker, file) if test["passed"]]
            groups = [[test for test in passing if number in test["reached"]]]
            if is_early and file in self._files.nearest(change)[: _STEPS[1]]:
                # What uses the changed value may be in other modules, or in a program that has loaded it already.
                groups.append([test for test in passing if number not in test["reached"]])
            for tests in groups:
                found += sorted(((test["test"], test["seconds"]) for test in tests), key=lambda test: test[1])
        taken: list[tuple[str, float]] = []
        total = 0.0
        for test, seconds in found:
            if total + seconds <= _TRY_SECONDS or not taken:
                taken.append((test, seconds))
                total += seconds
        return taken

    def _measure(self, worker: Worker, file: str) -> list[Any]:
        """Return what the tests of a file reach; they run once."""
        with self._lock:
            measured = self._measured.get(file)
            is_ours = measured is None
            if measured is None:
                measured = self._measured[file] = Future()
        if is_ours:
            try:
                tests = self._known_files.get(file)
                if tests is None:
                    tests = worker.ask(measure=file, seconds=_MEASURE_SECONDS)
                    self._kept.add({"file": file, "tests": tests})
                measured.set_result(tests)
            except BaseException as error:
                measured.set_exception(error)
                raise
        return measured.result()


class Worker:
    """A process that runs tests.

    Args:
        place: Its environment of Python.

    Attributes:
        loaded: The changes that were reached while it imported tests: results of that may be kept for all tests.
    """

    def __init__(self, place: Path) -> None:
        self.loaded = frozenset[int]()
        variables = os.environ | {
            "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": str(place),
        }
        self._process = subprocess.Popen(
            [place / "bin/python", "-P", "-m", "scripts.lib.proof.mutate.testing", str(ROOT)],
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def load(self, files: Sequence[str]) -> Worker:
        """Let it import files of tests, and return it."""
        loaded = self.ask(load=list(files))
        if loaded["code"]:
            raise SystemExit("The tests cannot be collected: run scripts/test.")
        self.loaded = frozenset(loaded["reached"])
        return self

    def ask(self, **request: Any) -> Any:
        """Return the answer to a request."""
        print(json.dumps(request), file=cast("IO[str]", self._process.stdin), flush=True)
        return json.loads(cast("IO[str]", self._process.stdout).readline())

    def end(self) -> None:
        """End the process, and what it has started."""
        self._process.communicate()


def report(outcomes: dict[Change, dict[str, Any]], possible: int, seconds: float) -> int:
    """Print what became of the changes. Returns 1 if the tests noticed too few of them, or a listed one."""
    rooms: dict[str, Counter[str]] = defaultdict(Counter)
    for change, outcome in outcomes.items():
        is_listed = outcome["outcome"] in {"survived", "not reached"} and change.name in REASONS
        rooms[change.room]["equivalent" if is_listed else outcome["outcome"]] += 1
    for change, outcome in outcomes.items():
        if outcome["outcome"] not in _NOTICED and change.name not in REASONS:
            print(f"{outcome['outcome']}, line {change.line}: {change.name}")
    stale = [
        change.name
        for change, outcome in outcomes.items()
        if outcome["outcome"] == "noticed" and change.name in REASONS
    ]
    for name in stale:
        print(f"It is noticed: take it out of equivalent.json: {name}")
    for room, counts in sorted(rooms.items()):
        print(f"{room}: {_share(counts)}")
    total = sum(rooms.values(), Counter[str]())
    used = os.times()
    processor = used.user + used.system + used.children_user + used.children_system
    print(
        f"All: {_share(total)}; {possible} changes are possible; {seconds:.0f} s, {processor:.0f} s of processor time."
    )
    return int(bool(stale) or _noticed(total) < LEAST_NOTICED * _counted(total))


def _share(counts: Counter[str]) -> str:
    others = "".join(
        f", {counts[name]} {name}"
        for name in ("timed out", "survived", "unclear", "not reached", "equivalent")
        if counts[name]
    )
    share = _noticed(counts) / max(_counted(counts), 1)
    return f"{_noticed(counts)} of {_counted(counts)} noticed ({share:.1%}){others}"


def _noticed(counts: Counter[str]) -> int:
    return counts["noticed"] + counts["timed out"]


def _counted(counts: Counter[str]) -> int:
    return counts.total() - counts["equivalent"]


if __name__ == "__main__":
    sys.exit(main())
