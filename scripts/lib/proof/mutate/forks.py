"""Processes that have loaded what tests need, and fork others: for tests, and for the programs that tests start.

Their forks have all modules loaded. For a change that has its effect when its module is imported, there are two more,
which have loaded the libraries and nothing of the repository, so that each fork loads the changed module itself.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from scripts.lib.proof.mutate.processes import end_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PROGRAMS, _SUITE, _PROGRAMS_ANEW, _TESTS_ANEW = "programs", "suite", "programs anew", "tests anew"
_OF_REPOSITORY = {"__main__", "contract_tests", "scripts", "sitecustomize", "wallaroo_ext"}
_NUMBER = struct.Struct("<q")
_FILES = 2


class Forks:
    """The processes that fork others."""

    def __init__(self) -> None:
        self._programs = {False: _Forker(_PROGRAMS), True: _Forker(_SUITE)}

    @cached_property
    def _anew(self) -> tuple[_Forker, _Forker]:
        """Those that fork programs and tests which load the repository's modules themselves."""
        programs = _Forker(_PROGRAMS_ANEW, self._programs[True].libraries())
        return programs, _Forker(_TESTS_ANEW, libraries(), programs)

    @property
    def pids(self) -> set[int]:
        """Their process ids."""
        return {forker.pid for forker in self._all()}

    def wait(self) -> None:
        """Wait until they have loaded what they need."""
        for forker in self._programs.values():
            forker.libraries()

    def serve_programs(self, control: socket.socket, *, suite: bool) -> None:
        """Start a fork server of programs that serves a connection."""
        self._programs[suite].fork(control.fileno())

    def run_anew(self, tests: dict[str, float], pipe: int) -> int:
        """Run tests in a process that loads the repository's modules itself, and reports to a pipe. Returns its id."""
        descriptor = os.memfd_create("tests")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", closefd=False) as file:
                json.dump(tests, file)
            return self._anew[1].fork(pipe, descriptor)
        finally:
            os.close(descriptor)

    def end(self) -> None:
        """End them."""
        for forker in reversed(self._all()):  # one has the connection to another
            forker.end()

    def _all(self) -> list[_Forker]:
        return [*self._programs.values(), *self.__dict__.get("_anew", ())]


class _Forker:
    """A process that forks others.

    Args:
        kind: What they do.
        modules: What it loads of libraries.
        programs: What starts the programs of tests.
    """

    def __init__(self, kind: str, modules: Sequence[str] = (), programs: _Forker | None = None) -> None:
        from contract_tests.support.servers.forks import fork_server

        self._ours, theirs = socket.socketpair()
        files = [theirs.fileno(), *([programs._ours.fileno()] if programs else [])]  # noqa: SLF001 - of this class
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "scripts.lib.proof.mutate.forks", kind, *map(str, files)],
                env=os.environ if kind == _TESTS_ANEW else fork_server.program_environment(),
                stdin=subprocess.PIPE,
                pass_fds=files,
                text=True,
            )
        if self._process.stdin:
            json.dump(modules, self._process.stdin)
            self._process.stdin.close()
        self.pid = self._process.pid

    def fork(self, *files: int) -> int:
        """Fork a process that gets files. Returns its process id."""
        socket.send_fds(self._ours, [b"F"], files)
        return _NUMBER.unpack(self._ours.recv(_NUMBER.size, socket.MSG_WAITALL))[0]

    def libraries(self) -> list[str]:
        """Return the modules of libraries that it has loaded."""
        reading, writing = os.pipe()
        socket.send_fds(self._ours, [b"L"], [writing])
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as pipe:
            return json.load(pipe)

    def end(self) -> None:
        """End the process."""
        self._ours.close()
        self._process.wait()


def libraries() -> list[str]:
    """Return the modules that this process has loaded and that are not the repository's, in their order."""
    return [name for name in sys.modules if name.partition(".")[0] not in _OF_REPOSITORY]


def _load(names: Sequence[str]) -> None:
    for name in names:
        with suppress(Exception):  # some can only be imported by others
            import_module(name)


def _serve(connection: socket.socket, run: Callable[[list[int]], object]) -> None:
    """Fork processes until the other end of a connection is closed."""
    while True:
        what, descriptors, _, _ = socket.recv_fds(connection, 1, _FILES)
        if not what:
            return
        if what == b"L":
            with os.fdopen(descriptors[0], "w", encoding="utf-8") as pipe:
                json.dump(libraries(), pipe)
            continue
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            connection.close()
            _run(run, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        connection.sendall(_NUMBER.pack(pid))


def _run(run: Callable[[list[int]], object], descriptors: list[int]) -> NoReturn:
    try:
        run(descriptors)
    finally:
        os._exit(0)


def _serve_programs(descriptors: list[int]) -> None:
    from contract_tests.support.servers.forks import fork_server

    fork_server.serve(socket.socket(fileno=descriptors[0]))


def _serve_programs_anew(descriptors: list[int]) -> None:
    from contract_tests.support.servers.forks import fork_server

    fork_server.load_modules(suite=True)
    _serve_programs(descriptors)


def _run_tests(programs: socket.socket, descriptors: list[int]) -> None:
    from contract_tests.support.servers.forks import fork_server
    from scripts.lib.proof.mutate.reports import Chosen
    from scripts.lib.proof.mutate.running import files_of, import_plugins, run_tests

    def serve_programs(control: socket.socket, **_: Any) -> None:
        socket.send_fds(programs, [b"F"], [control.fileno()])
        programs.recv(_NUMBER.size, socket.MSG_WAITALL)

    fork_server.start_by(serve_programs)
    pipe, file = descriptors
    with os.fdopen(file, encoding="utf-8") as opened:
        opened.seek(0)
        plugin = Chosen(json.load(opened))
    plugin.write_to(pipe)
    import_plugins()
    run_tests(files_of(plugin.tests), plugin)


def main() -> None:
    """Load what is needed, and fork processes for as long as the owner of this one lives."""
    end_with_parent()
    kind, *files = sys.argv[1:]
    connection, *programs = (socket.socket(fileno=int(file)) for file in files)
    modules = json.load(sys.stdin)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    if kind in {_PROGRAMS, _SUITE}:
        from contract_tests.support.servers.forks import fork_server

        fork_server.load_modules(suite=kind == _SUITE)
        run: Callable[[list[int]], object] = _serve_programs
    else:
        _load(modules)
        run = partial(_run_tests, programs[0]) if kind == _TESTS_ANEW else _serve_programs_anew
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that no fork stays as a zombie
    _serve(connection, run)


if __name__ == "__main__":
    main()
