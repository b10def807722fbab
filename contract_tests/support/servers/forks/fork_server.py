"""Starts programs in forks of a process that has loaded their modules, for tests that are not about the start.

A sandbox that is started anew needs more than a second of processor time for imports, and a run of the contract suite
several. A test process has a fork server for each, which is started with its first program, has one thread, and ends
with the test process. A program in a fork of it has the environment, the working directory and the standard files that
its caller gives it, and the signal handlers of a new process. `wallaroo_ext.sandbox.process.running` and
`command_line.SCRIPT` start programs anew.
"""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import nullcontext, redirect_stdout, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast

from contract_tests.support.servers.forks.few_signing_keys import FewSigningKeys
from wallaroo_ext._util.after_fork import PerProcess, detach_in_children, this_process
from wallaroo_ext._util.arrow.no_pandas import hide_pandas
from wallaroo_ext.sandbox.auth import signing_keys
from wallaroo_ext.sandbox.engine import model_process
from wallaroo_ext.sandbox.engine.confined import worker
from wallaroo_ext.sandbox.process import running as running_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wallaroo_ext._util.after_fork import Process


class Starting(Protocol):
    """A function that starts a fork server, which serves a connection."""

    def __call__(self, control: socket.socket, *, suite: bool) -> None: ...


_NUMBER = struct.Struct("<q")
_SECONDS, _GRACE_SECONDS = 60.0, 10.0
_FILES = 4
_NO_THREADS = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}  # of the allocator that comes with pyarrow
_MODULES = (
    "wallaroo_ext.sandbox.server.serve",
    "wallaroo_ext.sandbox.engine.tensors",
    "http.server",
    "encodings.idna",
    "wallaroo_mlops_client",
    "uvicorn.lifespan.on",
    "uvicorn.loops.asyncio",
    "anyio._backends._asyncio",
)
_SUITE = "suite"
_SUITE_MODULES = (
    "wallaroo_ext.conformance.command",
    "wallaroo_ext.conformance.plugin",
    "wallaroo_ext.conformance.report",
)


class Program:
    """A program in a fork of the fork server.

    Args:
        connection: The connection on which the fork server reports the program's start and end.

    Attributes:
        pid: The process id.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.pid = _receive_number(connection)
        self._connection = connection
        self._code: int | None = None

    def wait(self, seconds: float = _SECONDS) -> int | None:
        """Wait for the end. Returns the exit code, the negative number of a signal, or None if it still runs."""
        if self._code is None and select.select([self._connection], [], [], seconds)[0]:
            self._code = os.waitstatus_to_exitcode(_receive_number(self._connection))
            self._connection.close()
        return self._code

    def poll(self) -> int | None:
        """Return the exit code; None while the program runs."""
        return self.wait(0)

    def kill(self) -> None:
        """Kill the program, and wait for its end."""
        if self.poll() is None:
            self._signal(signal.SIGKILL)
            self.wait()

    def end(self) -> None:
        """End the program with SIGTERM, or kill it after a while, and wait for its end."""
        if self.poll() is None:
            self._signal(signal.SIGTERM)
            self.wait(_GRACE_SECONDS)
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        """Send the program a signal, unless it has ended meanwhile, which the fork server is about to report."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


def start(
    kind: str,
    arguments: Sequence[str],
    files: tuple[int, int, int],
    *,
    environment: dict[str, str] | None = None,
    directory: Path | None = None,
) -> Program:
    """Start a program.

    Args:
        kind: `cli`, the command line; `suite`, the command line for a run of the contract suite; `module`, the function
            `main` of the module that the first argument names.
        arguments: Its arguments.
        files: Its standard input, output and error.
        environment: Its environment; None for that of this process.
        directory: Its working directory; None for that of this process.
    """
    request = json.dumps(
        {
            "kind": kind,
            "arguments": list(arguments),
            "environment": dict(os.environ if environment is None else environment),
            "directory": str(Path.cwd() if directory is None else directory),
        }
    ).encode()
    ours, theirs = socket.socketpair()
    ours.settimeout(_SECONDS)
    detach_in_children(ours.fileno())
    server = (_SUITE_SERVER if kind == _SUITE else _FORK_SERVER).get()
    with theirs, _LOCK:
        socket.send_fds(server, [_NUMBER.pack(len(request))], [theirs.fileno(), *files])
        server.sendall(request)
    return Program(ours)


def _receive_number(connection: socket.socket) -> int:
    content = connection.recv(_NUMBER.size, socket.MSG_WAITALL)
    assert len(content) == _NUMBER.size, "the fork server has ended"
    return _NUMBER.unpack(content)[0]


def start_by(starting: Starting) -> None:
    """Let a function start the fork servers, in processes that have loaded the modules; it gets what they serve.

    Its `suite` says whether they are for runs of the contract suite.
    """
    _STARTING.append(starting)


def program_environment() -> dict[str, str]:
    """Return the environment of a process that forks programs: libraries start no threads in it."""
    return os.environ | model_process.program_environment() | _NO_THREADS


def _start_fork_server(*more: str) -> socket.socket:
    """Start a fork server, and return the connection to it. It ends when the connection is closed."""
    ours, theirs = socket.socketpair()
    detach_in_children(ours.fileno())
    with theirs:
        if _STARTING:
            _STARTING[-1](theirs, suite=_SUITE in more)
        else:
            _start_anew(theirs, ours, more)
    return ours


def _start_anew(theirs: socket.socket, ours: socket.socket, more: Sequence[str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "contract_tests.support.servers.forks.fork_server", str(theirs.fileno()), *more],
        env=program_environment(),
        stdin=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
    )
    atexit.register(_end_fork_server, this_process(), process, ours)


def _end_fork_server(owner: Process, process: subprocess.Popen[bytes], connection: socket.socket) -> None:
    """End the fork server of this process; forked children do not end that of their parent."""
    if owner.is_this:
        connection.close()
        process.wait()


_STARTING: list[Starting] = []
_FORK_SERVER = PerProcess(_start_fork_server)
_SUITE_SERVER = PerProcess(partial(_start_fork_server, _SUITE))
_LOCK = threading.Lock()


def start_sandbox(arguments: Sequence[str], files: tuple[int, int, int]) -> Program:
    """Start a sandbox in a fork, in a group of its own."""
    return start("sandbox", arguments, files)


running = partial(running_by, start=start_sandbox)
"""Run a sandbox while a `with` block runs, as `wallaroo_ext.sandbox.process.running` does, in a fork."""


def load_modules(*, suite: bool = False) -> None:
    """Load what the programs need, with no more than one thread; what the contract suite needs, if it is asked for."""
    from wallaroo_ext.cli.main import build_app

    hide_pandas()
    worker.import_libraries()
    with suppress(SystemExit), redirect_stdout(io.StringIO()):
        build_app([])(["token", "--help"])  # which imports what renders a help
    for name in _MODULES:
        import_module(name)
    if suite:
        for name in _SUITE_MODULES:
            import_module(name)
        _draw_once()
        from wallaroo_ext.conformance.conditions import surroundings

        cast("Any", surroundings)._tables = nullcontext
    gc.collect()
    gc.freeze()  # otherwise, garbage collection in each program would copy the memory that they share
    assert threading.active_count() == 1
    if sys.platform == "linux":
        assert len(list(Path("/proc/self/task").iterdir())) == 1  # threads of libraries would be missing in the forks


def _draw_once() -> None:
    """Draw random data once: hypothesis prepares tables of characters and constants then, which takes seconds."""
    from hypothesis import given, settings
    from hypothesis import strategies as st

    @settings(max_examples=1, database=None)
    @given(st.text(st.characters(codec="utf-8")))
    def draw(_: str) -> None: ...

    draw()


def serve(control: socket.socket) -> None:
    """Start programs until the test process has ended, which has the other end of the connection."""
    _ForkServer(control).serve()


class _ForkServer:
    """Forks programs, and reports their ends.

    Args:
        control: The connection to the test process.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._callers: dict[int, socket.socket] = {}  # by process id
        self._keys = FewSigningKeys()

    def serve(self) -> None:
        """Start programs until the test process has ended."""
        cast("Any", signing_keys).rsa = self._keys.as_rsa()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the test process ends the programs
        signal.signal(signal.SIGCHLD, self._report_ends)
        while True:
            size, files, _, _ = socket.recv_fds(self._control, _NUMBER.size, _FILES)
            if not size:
                return
            request = json.loads(self._control.recv(_NUMBER.unpack(size)[0], socket.MSG_WAITALL))
            self._fork(request, socket.socket(fileno=files[0]), files[1:])

    def _fork(self, request: dict[str, Any], caller: socket.socket, files: list[int]) -> None:
        if request["arguments"][:1] == ["sandbox"]:
            self._keys.advance()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # until the program is in the table
        pid = os.fork()
        if pid == 0:
            for connection in (self._control, caller, *self._callers.values()):
                connection.close()
            _run(request, files)
        self._callers[pid] = caller
        for file in files:
            os.close(file)
        with suppress(OSError):
            caller.sendall(_NUMBER.pack(pid))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})

    def _report_ends(self, *_: object) -> None:
        while self._callers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            with self._callers.pop(pid) as caller, suppress(OSError):
                caller.sendall(_NUMBER.pack(status))


def _run(request: dict[str, Any], files: list[int]) -> NoReturn:
    """Run a program in a fork, and end the process with its exit code."""
    code: Any = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        _use(files)
        os.environ.clear()
        os.environ.update(request["environment"])
        time.tzset()
        os.chdir(request["directory"])
        sys.argv[1:] = request["arguments"]
        _PROGRAMS[request["kind"]](request["arguments"])
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:  # noqa: BLE001 - the exit code reports it
        sys.excepthook(*cast("Any", sys.exc_info()))
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(int(code))


def _use(files: list[int]) -> None:
    """Make descriptors the standard files."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    encoding, errors = sys.stdout.encoding, sys.stdout.errors
    sys.stdin = open(0, encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115 - for the life of the process
    sys.stdout = open(1, "w", encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding=encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115


def _run_command(arguments: list[str]) -> None:
    from wallaroo_ext.cli.main import main

    if arguments[:1] == ["sandbox"]:
        _prepare_engine()
    main()


def _run_sandbox(arguments: list[str]) -> None:
    """Run a sandbox in a group of its own, as one that is started anew is."""
    os.setpgid(0, 0)
    _run_command(arguments)


def _run_module(arguments: list[str]) -> None:
    name, *words = arguments
    import_module(name).main(*words)


_PROGRAMS = {"cli": _run_command, _SUITE: _run_command, "sandbox": _run_sandbox, "module": _run_module}


class _Engine:
    """The process of the sandbox's engine, as a `Popen`.

    Args:
        pid: Its process id.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._is_ended = False

    def kill(self) -> None:
        """Kill it, unless it has ended."""
        if not self._is_ended:
            os.kill(self._pid, signal.SIGKILL)

    def wait(self, timeout: float = _SECONDS) -> None:
        """Wait for its end."""
        until = time.monotonic() + timeout
        while not self._is_ended:
            self._is_ended = os.waitpid(self._pid, os.WNOHANG)[0] == self._pid
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired("engine", timeout)
            time.sleep(0.001)


def _prepare_engine() -> None:
    """Fork the sandbox's engine before the sandbox has threads; another one that it needs later is started anew."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _run_engine(theirs)
    theirs.close()
    prepared, start_anew = [_Engine(pid)], model_process.start_program

    def start_program(control: socket.socket) -> Any:
        if not prepared:
            return start_anew(control)
        with ours:
            socket.send_fds(ours, [b"E"], [control.fileno()])
        return prepared.pop()

    model_process.start_program = start_program


def _run_engine(channel: socket.socket) -> NoReturn:
    """Run the engine once the sandbox starts it."""
    try:
        os.setsid()
        with channel:
            files = socket.recv_fds(channel, 1, 1)[1]
        if files:
            with tempfile.TemporaryDirectory(prefix="wallaroo-engine-") as empty:
                os.chdir(empty)
            with Path(os.devnull).open("r+b", buffering=0) as nothing:
                for number in range(3):
                    os.dup2(nothing.fileno(), number)
            variables = model_process.program_environment()
            os.environ.clear()
            os.environ.update(variables)
            sys.argv[1:] = [str(files[0])]
            worker.main()
    finally:
        os._exit(0)


if __name__ == "__main__":
    load_modules(suite=_SUITE in sys.argv[2:])
    serve(socket.socket(fileno=int(sys.argv[1])))
