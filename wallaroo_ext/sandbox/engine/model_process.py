"""The sandbox's side of the processes that run models: starts and ends them, and sends rows to them.

`confined/worker.py` is the program that runs in these processes.
"""

from __future__ import annotations

import logging
import math
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from wallaroo_ext._util.json_values import list_of
from wallaroo_ext.sandbox.engine import messages
from wallaroo_ext.sandbox.engine.confined.worker import COMMAND, END, FORK
from wallaroo_ext.sandbox.engine.deadlines import Deadlines
from wallaroo_ext.sandbox.engine.steps import chain, named_models

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from wallaroo_ext.sandbox.engine.messages import Message
    from wallaroo_ext.sandbox.engine.steps import Model
    from wallaroo_ext.sandbox.options import SandboxOptions

_MIB = 1 << 20
_OVERHEAD = 128 * _MIB  # the memory of a process without rows and models
_FILE_COPIES = 4  # of a model's file in memory while it is loaded: read, parsed, prepacked, and kept
_MAX_FILE_SIZE = (1 << 31) - 1  # the limit of Protocol Buffers
_GRACE_SECONDS = 15.0
_START_SECONDS = 60.0
_MAX_ERROR_LENGTH = 10_000
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "TZ")
_ENDS_AT_ONCE = "the process for models ends when it is started, as with too little memory or too few processes"
_IS_SLOW = f"the process for models takes more than {_START_SECONDS:g} seconds to start"
_DEADLINES = Deadlines()
_LOGGER = logging.getLogger(__name__)


class ProcessEndedError(Exception):
    """A process ended before it replied.

    Attributes:
        timed_out: Whether it was ended because it took too long.
        was_requested: Whether it was ended for a reset or because its deployment ends.
        was_only_request: Whether it was working on no other request.
    """

    def __init__(self, *, timed_out: bool = False, was_requested: bool = False, was_only_request: bool = True) -> None:
        super().__init__("The process of the models has ended.")
        self.timed_out = timed_out
        self.was_requested = was_requested
        self.was_only_request = was_only_request


class ShortageError(Exception):
    """The system refuses another process, connection or open file; the message says which, and why."""


class ModelRefusedError(Exception):
    """A process refused to load a model; the message says why.

    Attributes:
        number: The index of the model among those to load.
    """

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number


class ModelFile(NamedTuple):
    """A model to load.

    Attributes:
        model: The model version.
        path: The path of its file.
    """

    model: Model
    path: Path


class RowsRefusedError(Exception):
    """A process refused rows.

    Attributes:
        status: The HTTP status to answer.
        reason: The reason, as a sentence.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply of a process to rows. It is not trusted.

    Attributes:
        results: The descriptions of the models' outputs.
        content: The bytes of the outputs and, if `has_rows`, the rows as a plain Arrow file.
        has_rows: Whether the rows were sent as a file that is not plain.
        elapsed_ns: How long the models ran.
    """

    results: dict[str, Any]
    content: memoryview
    has_rows: bool
    elapsed_ns: int


@contextmanager
def _socket_pair() -> Generator[tuple[socket.socket, socket.socket]]:
    """Yield both ends of a connection: our end, which is closed if the `with` block fails, and the other process's.

    Raises:
        ShortageError: The system refuses it.
    """
    try:
        ours, theirs = socket.socketpair()
    except OSError as error:
        raise ShortageError(f"no connection to models can be made: {error.strerror}") from None
    with theirs:
        try:
            yield ours, theirs
        except BaseException:
            ours.close()
            raise


def start_program(control: socket.socket) -> subprocess.Popen[bytes]:
    """Start the program of the fork server, and return its process.

    Args:
        control: The program's end of its connection to the sandbox.
    """
    with tempfile.TemporaryDirectory(prefix="wallaroo-engine-") as empty:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "wallaroo_ext.sandbox.engine.confined.worker", str(control.fileno())],
            cwd=empty,  # removed before anything is loaded, so that relative paths lead nowhere
            env=program_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[control.fileno()],
            start_new_session=True,  # signals of a terminal go to the sandbox only, which ends this process
        )


class _ForkServerProcess:
    """The fork server, which imports the libraries and forks a worker for each deployment.

    Attributes:
        layers: The layers that confine each worker; None before the libraries are imported.
    """

    def __init__(self) -> None:
        with _socket_pair() as (ours, theirs):
            self._process = start_program(theirs)
        ours.settimeout(_START_SECONDS)
        self._control = ours
        self._lock = threading.Lock()
        self.layers: tuple[str, ...] | None = None

    def wait_until_loaded(self) -> None:
        """Wait until the libraries are imported.

        Raises:
            messages.BrokenMessageError: The fork server has ended.
        """
        with self._lock:
            if self.layers is None:
                header = messages.receive(self._control, 0).header
                self.layers = tuple(str(layer) for layer in list_of(header.get("layers")))

    def fork(self, number: int, connection: socket.socket) -> int:
        """Fork a worker and return its process id.

        Args:
            number: The number to call the worker by.
            connection: The worker's end of its connection to the sandbox.

        Raises:
            messages.BrokenMessageError: The fork server has ended.
            ShortageError: The system refuses another process.
        """
        self.wait_until_loaded()
        with self._lock:
            try:
                socket.send_fds(self._control, [COMMAND.pack(FORK, number)], [connection.fileno()])
            except OSError as error:
                raise messages.BrokenMessageError(str(error)) from None
            header = messages.receive(self._control, 0).header
        if "error" in header:
            raise ShortageError(f"no process for models can be started: {str(header['error'])[:_MAX_ERROR_LENGTH]}")
        return int(header["process"])

    def end(self, number: int) -> None:
        """Kill a worker."""
        with self._lock, suppress(OSError):
            self._control.sendall(COMMAND.pack(END, number))

    def close(self) -> None:
        """End the fork server and all workers."""
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)  # it then kills its workers, even where the kernel would not
        if sys.platform.startswith("linux"):
            self._process.kill()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._control.close()


def program_environment() -> dict[str, str]:
    """Return the fork server's environment, without secrets, in which libraries start no threads before it forks."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "ORT_DISABLE_TELEMETRY": "1",  # otherwise, onnxruntime collects data to send, in a thread of its own
    }


class ModelProcesses:
    """The processes of all deployments and conversions.

    Args:
        options: The limits of memory and time.
    """

    def __init__(self, options: SandboxOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._fork_server: _ForkServerProcess | None = None
        self._numbers = count(1)
        self._running: set[ModelProcess] = set()
        self._is_closed = False

    def start(self) -> None:
        """Start the fork server and wait until it has imported the libraries, unless it has.

        Raises:
            ProcessEndedError: The sandbox is closing.
            ShortageError: The system refuses a process, connection or file.
        """
        try:
            self._start_fork_server().wait_until_loaded()
        except messages.BrokenMessageError as error:
            if self._is_closed:
                raise ProcessEndedError(was_requested=True) from None
            raise _shortage(error) from None

    def _start_fork_server(self) -> _ForkServerProcess:
        """Return the fork server, started if there is none."""
        with self._lock:
            if self._is_closed:
                raise ProcessEndedError(was_requested=True)
            if self._fork_server is None:
                try:
                    self._fork_server = _ForkServerProcess()
                except OSError as error:
                    raise ShortageError(f"no process for models can be started: {error.strerror or error}") from None
            return self._fork_server

    @property
    def layers(self) -> tuple[str, ...] | None:
        """The layers that confine each process; None before the fork server has imported the libraries."""
        fork_server = self._fork_server
        return None if fork_server is None else fork_server.layers

    def load(self, files: Sequence[ModelFile], steps: Sequence[Any] | None = None) -> ModelProcess:
        """Return a new process that has loaded some models.

        Args:
            files: The models.
            steps: The steps to run, as in a pipeline's definition; None for one model after the other.

        Raises:
            ModelRefusedError: The process refused one of them.
            ProcessEndedError: The process ended meanwhile.
            ShortageError: The system refuses a process, connection or file.
            FileNotFoundError: The file of a model does not exist.
        """
        for number, file in enumerate(files):
            if file.path.stat().st_size > _MAX_FILE_SIZE:
                raise ModelRefusedError(number, "the file is no ONNX model: it has more than 2 GiB")
        process = self._fork()
        try:
            process.load(files, steps)
        except BaseException:
            process.end()
            raise
        return process

    def _fork(self) -> ModelProcess:
        """Return a new process; if the fork server has ended, start another one."""
        with _socket_pair() as (ours, theirs):
            for is_last in (False, True):
                fork_server = self._start_fork_server()
                number = next(self._numbers)
                try:
                    pid = fork_server.fork(number, theirs)
                except messages.BrokenMessageError as error:
                    self._discard_fork_server(fork_server)
                    if self._is_closed:
                        raise ProcessEndedError(was_requested=True) from None
                    if is_last:
                        raise _shortage(error) from None
                    continue
                process = ModelProcess(self, fork_server, number, pid, ours)
                with self._lock:
                    self._running.add(process)
                    is_closed = self._is_closed
                if is_closed:
                    process.end(was_requested=True)
                return process
        raise AssertionError

    def _discard_fork_server(self, fork_server: _ForkServerProcess) -> None:
        """Forget a fork server that has ended, and clean up after it."""
        with self._lock:
            if self._fork_server is fork_server:
                self._fork_server = None
        fork_server.close()

    def discard(self, process: ModelProcess) -> None:
        """Forget a process that has ended."""
        with self._lock:
            self._running.discard(process)

    def end_all(self) -> None:
        """End all processes but the fork server; the requests in progress fail."""
        with self._lock:
            running = list(self._running)
        for process in running:
            process.end(was_requested=True)

    def end_busy(self) -> None:
        """End the processes that are scoring rows; these requests fail."""
        with self._lock:
            running = list(self._running)
        for process in running:
            if process.is_busy:
                process.end(was_requested=True)

    def close(self) -> None:
        """End all processes, and start no others."""
        with self._lock:
            self._is_closed = True
            fork_server = self._fork_server
        self.end_all()
        if fork_server is not None:
            fork_server.close()

    @property
    def options(self) -> SandboxOptions:
        """The limits of memory and time."""
        return self._options


class ModelProcess:
    """A process with loaded models. It scores several requests at a time, each on a connection of its own.

    Args:
        all_processes: All processes.
        fork_server: The fork server that forked it.
        number: The number by which the fork server knows it.
        pid: The process id.
        control: The connection on which files and connections are passed to it.

    Attributes:
        pid: The process id.
    """

    def __init__(
        self,
        all_processes: ModelProcesses,
        fork_server: _ForkServerProcess,
        number: int,
        pid: int,
        control: socket.socket,
    ) -> None:
        self.pid = pid
        self._all = all_processes
        self._fork_server = fork_server
        self._number = number
        self._control = control
        self._lock = threading.Lock()
        self._idle: list[socket.socket] = []
        self._busy: set[socket.socket] = set()
        self._models = 0
        self._is_ended = self._was_requested = self._was_only_request = self._is_retiring = False

    def load(self, files: Sequence[ModelFile], steps: Sequence[Any] | None) -> None:
        """Load models, each within the time limit.

        Raises:
            ModelRefusedError: The process refused one of them.
            ProcessEndedError: The process ended, or was ended because it took too long.
        """
        options = self._all.options
        size = sum(file.path.stat().st_size for file in files)
        for_rows = (options.rows_memory_mib + options.arrow_limit_mib) * _MIB
        steps = chain(file.model for file in files) if steps is None else steps
        header = {
            "memory": options.model_memory_mib * _MIB + _FILE_COPIES * size + _OVERHEAD + for_rows,
            "memory_for_rows": for_rows,
            "model_memory_mib": options.model_memory_mib,
            "rows_memory_mib": options.rows_memory_mib,
            "seconds": options.model_seconds,
            "models": [(file.model.name, file.model.version) for file in files],
            "steps": steps,
        }
        self._models = len(named_models(steps))
        with self._time_limit(_GRACE_SECONDS):
            messages.send(self._control, header)
        for number, file in enumerate(files):
            self._load_one(number, file)

    def _load_one(self, number: int, file: ModelFile) -> None:
        with _open_model_file(file.path) as opened, self._time_limit(self._all.options.model_seconds + _GRACE_SECONDS):
            socket.send_fds(self._control, [b"M"], [opened.fileno()])
            error = messages.receive(self._control, 0).header.get("error")
        if error is not None:
            raise ModelRefusedError(number, str(error)[:_MAX_ERROR_LENGTH])

    @contextmanager
    def _time_limit(self, seconds: float) -> Generator[None]:
        """End the process if the `with` block takes too long, or fails because of a malformed message.

        Raises:
            ProcessEndedError: The process ended, for one of these reasons or another.
        """
        is_over = threading.Event()

        def end() -> None:
            is_over.set()
            self.end()

        try:
            with _DEADLINES.after(seconds, end):
                yield
        except (OSError, messages.BrokenMessageError):
            self.end()
            raise ProcessEndedError(
                timed_out=is_over.is_set(),
                was_requested=self._was_requested,
                was_only_request=self._was_only_request,
            ) from None

    def score(self, chunks: Sequence[Any]) -> Reply:
        """Return the models' outputs for the rows of an Arrow file.

        Args:
            chunks: The file, in chunks.

        Raises:
            RowsRefusedError: The process refused the rows.
            ProcessEndedError: The process ended, or was ended because it took too long.
            ShortageError: The system refuses another connection.
        """
        options = self._all.options
        seconds = options.model_seconds * (self._models + 1) + _GRACE_SECONDS
        max_size = (options.model_memory_mib + options.rows_memory_mib) * _MIB
        connection = self._acquire_connection()
        try:
            with self._time_limit(seconds):
                messages.send(connection, {}, chunks)
                reply = _parse_reply(messages.receive(connection, max_size))
        finally:
            self._release_connection(connection)
        return reply

    def _acquire_connection(self) -> socket.socket:
        """Return an idle connection, or a new one."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
            if connection is not None:
                self._busy.add(connection)
                return connection
        with _socket_pair() as (ours, theirs):
            try:
                socket.send_fds(self._control, [b"C"], [theirs.fileno()])
            except OSError:
                self.end()
                raise ProcessEndedError(was_only_request=False) from None  # these rows were not sent
        with self._lock:
            self._busy.add(ours)
        return ours

    def _release_connection(self, connection: socket.socket) -> None:
        with self._lock:
            self._busy.discard(connection)
            if not self._is_ended:
                self._idle.append(connection)
            is_done = self._is_retiring and not self._busy
        if self._is_ended:
            connection.close()
        elif is_done:
            self.end(was_requested=True)

    @property
    def is_busy(self) -> bool:
        """Whether it is scoring rows."""
        with self._lock:
            return bool(self._busy)

    @property
    def is_alive(self) -> bool:
        """Whether the process is running."""
        if self._is_ended:
            return False
        try:
            poll = select.poll()
            poll.register(self._control, select.POLLIN)
            has_ended = bool(poll.poll(0))  # the worker sends nothing unasked, so readable means closed
        except (OSError, ValueError):
            has_ended = True
        if has_ended:
            self.end()
        return not has_ended

    def retire(self) -> None:
        """End the process once its requests are done, or after a few seconds."""
        with self._lock:
            self._is_retiring = True
            is_done = not self._busy
        if is_done:
            self.end(was_requested=True)
            return
        timer = threading.Timer(_GRACE_SECONDS, self.end, kwargs={"was_requested": True})
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:  # the system refuses another thread
            self.end(was_requested=True)

    def end(self, *, was_requested: bool = False) -> None:
        """End the process at once.

        Args:
            was_requested: Whether this is for a reset or because its deployment ends, and not for a failure.
        """
        with self._lock:
            if self._is_ended:
                return
            self._is_ended = True
            self._was_requested = was_requested
            self._was_only_request = len(self._busy) <= 1  # decided once: each request leaves the busy ones as it fails
            idle, busy = self._idle, list(self._busy)
            self._idle = []
        self._fork_server.end(self._number)
        for connection in (self._control, *busy):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # wakes the threads that wait for it
        for connection in (self._control, *idle):
            connection.close()
        self._all.discard(self)


def _open_model_file(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ShortageError(f"the model's file cannot be opened: {error.strerror}") from None


def _shortage(error: messages.BrokenMessageError) -> ShortageError:
    """Return why the fork server does not start."""
    return ShortageError(_IS_SLOW if isinstance(error, messages.LateMessageError) else _ENDS_AT_ONCE)


def _parse_reply(message: Message) -> Reply:
    """Return the reply in a message, whose outputs are still to be checked.

    Raises:
        RowsRefusedError: The process refused the rows.
        messages.BrokenMessageError: The message is malformed.
    """
    header = message.header
    if "error" in header:
        if "trace" in header:
            _LOGGER.error("a process of models failed on rows: %s", str(header["trace"])[:_MAX_ERROR_LENGTH])
        status = 413 if header.get("status") == 413 else 400  # noqa: PLR2004 - no other status is allowed
        raise RowsRefusedError(status, str(header["error"])[:_MAX_ERROR_LENGTH])
    elapsed = header.get("elapsed_ns")
    if type(elapsed) is not int or not 0 <= elapsed < math.inf or elapsed >> 63:
        raise messages.BrokenMessageError("an elapsed time that is no number of nanoseconds")
    return Reply(header, message.content, header.get("has_rows") is True, elapsed)
