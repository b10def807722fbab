"""Runs tests in an environment with switches, each time in a fork of a process that has loaded what they need.

It reads requests, one JSON object a line, from its standard input, and writes an answer to each.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn, TypeAlias, cast

import pytest

from scripts.lib.proof.mutate_reports import START_SECONDS, Chosen, Measure, Reporter, outcome_of, read_reports

if TYPE_CHECKING:
    import mmap
    from collections.abc import Sequence

Tests: TypeAlias = "Sequence[tuple[str, float]]"
"""Ids of tests, with how long each takes."""

_OPTIONS = ["-q", "-m", "not slow", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
_PLUGINS = ("wallaroo_ext.conformance.plugin", "wallaroo_ext.pytest_plugin")
"""They are imported before pytest does it, which would do it without the switches."""

_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36


def main() -> None:
    """Load what the tests need, and answer requests until there are no more."""
    root = Path(sys.argv[1])
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    with Path(os.devnull).open("r+b") as nothing:
        for number in range(3):
            os.dup2(nothing.fileno(), number)
    _control_process(_SET_CHILD_SUBREAPER, 1)  # what a killed test leaves behind comes to this process, which ends it
    _control_process(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
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


def _control_process(option: int, value: int) -> None:
    """Set an attribute of this process, where there is such a thing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


class _Worker:
    """A process that has loaded what tests need."""

    def __init__(self) -> None:
        from contract_tests.support.servers.forks import fork_server

        self._switches: mmap.mmap = import_module("sitecustomize").switches()
        self._fork_servers = _ForkServers()
        fork_server.start_by(self._fork_servers.start)

    def load(self, files: Sequence[str]) -> int:
        """Import files of tests. Returns pytest's exit code."""
        for plugin in _PLUGINS:
            import_module(plugin)
        return int(pytest.main([*_OPTIONS, "--collect-only", *files]))

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
        self._fork_servers.end()
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
            _run_in_child(files, plugin)
        os.close(writing)
        try:
            return read_reports(reading, pid)
        finally:
            os.close(reading)
            self._end_children()

    def _run_chosen(self, tests: Tests) -> list[dict[str, Any]]:
        """Run some tests in a fork, and return the reports."""
        return self._run_fork(_files(tests), Chosen(dict(tests)))

    def _run_anew(self, tests: Tests) -> list[dict[str, Any]]:
        """Run tests in a new process, for a change that has its effect on import; the reports are as of a fork."""
        reading, writing = os.pipe()
        command = [sys.executable, "-P", "-m", "scripts.lib.proof.mutate_tests", "--anew", str(writing), *_files(tests)]
        try:
            with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[writing], text=True) as process:
                os.close(writing)
                with suppress(BrokenPipeError), cast("IO[str]", process.stdin) as pipe:
                    json.dump(dict(tests), pipe)
                lines = read_reports(reading, process.pid, START_SECONDS)
                process.returncode = 0  # read_reports has waited for it
            return lines
        finally:
            os.close(reading)
            self._end_children()

    def _end_children(self) -> None:
        """Kill what tests have left behind."""
        for file in Path("/proc/self/task").glob("*/children"):
            for child in map(int, file.read_text(encoding="ascii").split()):
                if child != self._fork_servers.pid:
                    with suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)
                    with suppress(ChildProcessError):
                        os.waitpid(child, 0)


class _ForkServers:
    """A process that has loaded what fork servers of tests load, and forks one whenever a test process wants one."""

    def __init__(self) -> None:
        from contract_tests.support.servers.forks import fork_server

        self._ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "scripts.lib.proof.mutate_tests", "--fork-servers", str(theirs.fileno())],
                env=fork_server.program_environment(),
                pass_fds=[theirs.fileno()],
            )
        self._process, self.pid = process, process.pid

    def start(self, control: socket.socket) -> None:
        """Start a fork server that serves a connection."""
        socket.send_fds(self._ours, [b"S"], [control.fileno()])

    def end(self) -> None:
        """End the process."""
        self._ours.close()
        self._process.wait()


def _serve_fork_servers(connection: socket.socket) -> None:
    from contract_tests.support.servers.forks import fork_server

    fork_server.load_modules()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that none of them stays as a zombie
    while files := socket.recv_fds(connection, 1, 1)[1]:
        if os.fork() == 0:
            try:
                connection.close()
                fork_server.serve(socket.socket(fileno=files[0]))
            finally:
                os._exit(0)
        os.close(files[0])


def _run_in_child(files: list[str], plugin: Reporter) -> NoReturn:
    code = 1
    try:
        code = int(
            pytest.main([*_OPTIONS, "-x", *files] if isinstance(plugin, Chosen) else [*_OPTIONS, *files], [plugin])
        )
    finally:
        plugin.report(ended=code)
        os._exit(code)


def _run_anew(pipe: int, files: list[str]) -> NoReturn:
    plugin = Chosen(json.load(sys.stdin))
    plugin.write_to(pipe)
    _run_in_child(files, plugin)


def _files(tests: Tests) -> list[str]:
    """Return the files of some tests, in their order."""
    return list(dict.fromkeys(test.partition("::")[0] for test, _ in tests))


if __name__ == "__main__":
    if sys.argv[1] == "--fork-servers":
        _serve_fork_servers(socket.socket(fileno=int(sys.argv[2])))
    elif sys.argv[1] == "--anew":
        _run_anew(int(sys.argv[2]), sys.argv[3:])
    else:
        main()
