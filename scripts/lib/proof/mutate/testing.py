"""Runs tests in an environment with switches, each time in a fork of a process that has loaded what they need.

It reads requests, one JSON object a line, from its standard input, and writes an answer to each.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from scripts.lib.proof.mutate.forks import Forks
from scripts.lib.proof.mutate.processes import end_with_parent, take_orphans
from scripts.lib.proof.mutate.reports import Chosen, Measure, Reporter, outcome_of, reached, read_reports
from scripts.lib.proof.mutate.running import OPTIONS, files_of, import_plugins, run_tests

if TYPE_CHECKING:
    import mmap
    from collections.abc import Sequence

Tests: TypeAlias = "Sequence[tuple[str, float]]"
"""Ids of tests, with how long each takes."""


def main() -> None:
    """Load what the tests need, and answer requests until there are no more."""
    root = Path(sys.argv[1])
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    with Path(os.devnull).open("r+b") as nothing:
        for number in range(2):  # what goes wrong here is seen; what tests write is not
            os.dup2(nothing.fileno(), number)
    take_orphans()  # what a killed test leaves behind comes to this process, which ends it
    end_with_parent()
    os.chdir(root)
    worker = _Worker()
    for line in requests:
        request = json.loads(line)
        if "load" in request:
            answer: Any = worker.load(request["load"])
        elif "measure" in request:
            answer = worker.measure(request["measure"], request["seconds"])
        else:
            answer = worker.try_change(request["change"], request["tests"], is_early=request["is_early"])
        print(json.dumps(answer), file=answers, flush=True)
    worker.end()


class _Worker:
    """A process that has loaded what tests need."""

    def __init__(self) -> None:
        from contract_tests.support.servers.forks import fork_server

        self._switches: mmap.mmap = import_module("sitecustomize").switches()
        self._forks = Forks()
        fork_server.start_by(self._forks.serve_programs)

    def load(self, files: Sequence[str]) -> dict[str, Any]:
        """Import files of tests. Returns pytest's exit code, and the changes that are reached already."""
        import_plugins()
        code = int(pytest.main([*OPTIONS, "--collect-only", *files]))
        self._forks.wait()
        return {"code": code, "reached": reached(self._switches)}

    def measure(self, file: str, seconds: float) -> list[Any]:
        """Run the tests of a file. Returns what each reached, how long it took, and whether it passed."""
        self._clear()
        return [line for line in self._run_fork([file], Measure(self._switches, seconds)) if "seconds" in line]

    def try_change(self, number: int, tests: Tests, *, is_early: bool) -> dict[str, Any]:
        """Run tests with a change switched on, until one fails. Returns what became of it.

        The tests until then have to pass without the change, too, in the same order: otherwise it is unclear.
        """
        run = self._run_anew if is_early else self._run_chosen
        self._clear()
        self._switches[2 * number + 1] = 1
        outcome = outcome_of(run(tests))
        self._clear()
        if outcome["outcome"] == "survived":
            return outcome
        names = [test for test, _ in tests]
        until = names.index(outcome["test"]) + 1 if outcome["test"] in names else 1
        without = outcome_of(run(tests[:until]))
        return outcome if without["outcome"] == "survived" else without | {"outcome": "unclear"}

    def end(self) -> None:
        """End what still runs."""
        self._forks.end()
        self._end_children()

    def _clear(self) -> None:
        self._switches[:] = bytes(len(self._switches))

    def _run_fork(self, files: list[str], plugin: Reporter) -> list[dict[str, Any]]:
        """Run tests in a fork, and return what it reports, its end last."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            plugin.write_to(writing)
            run_tests(files, plugin)
        os.close(writing)
        try:
            return read_reports(reading, pid)
        finally:
            os.close(reading)
            self._end_children()

    def _run_chosen(self, tests: Tests) -> list[dict[str, Any]]:
        """Run some tests in a fork, and return the reports."""
        return self._run_fork(files_of(dict(tests)), Chosen(dict(tests)))

    def _run_anew(self, tests: Tests) -> list[dict[str, Any]]:
        """Run tests where nothing of the repository is loaded, for a change that has its effect on import."""
        reading, writing = os.pipe()
        try:
            pid = self._forks.run_anew(dict(tests), writing)
            os.close(writing)
            return read_reports(reading, pid)
        finally:
            os.close(reading)
            self._end_children()

    def _end_children(self) -> None:
        """Kill what tests have left behind."""
        for file in Path("/proc/self/task").glob("*/children"):
            for child in map(int, file.read_text(encoding="ascii").split()):
                if child not in self._forks.pids:
                    with suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)
                    with suppress(ChildProcessError):
                        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
