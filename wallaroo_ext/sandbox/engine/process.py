"""The sandbox's side of the processes that run models: starting and ending them, and asking them."""

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
from wallaroo_ext.sandbox.engine.confined import COMMAND, END, FORK
from wallaroo_ext.sandbox.engine.deadlines import Deadlines

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from wallaroo_ext.sandbox.engine.messages import Message
    from wallaroo_ext.sandbox.options import SandboxOptions

_MIB = 1 << 20
_BESIDE = 128 * _MIB  # what a process takes beside rows and models
_WEIGHTS = 4  # how often a model's file is in memory while it is loaded: read, parsed, laid out, and kept
_MOST_IN_A_FILE = (1 << 31) - 1  # Protocol Buffers' own limit
_GRACE_SECONDS = 5.0
_START_SECONDS = 60.0
_MOST_ERROR = 10_000
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "TZ")
_ENDS_AT_ONCE = "the process for models ends when it is started, as with too little memory or too few processes"
_DEADLINES = Deadlines()
_LOGGER = logging.getLogger(__name__)


class ProcessEndedError(Exception):
    """A process has ended, or was ended, before it had answered.

    Attributes:
        is_late: Whether it took longer than it may.
        was_told: Whether it was to end, for a reset or because its deployment ends.
        was_alone: Whether it worked on nothing else.
    """

    def __init__(self, *, is_late: bool = False, was_told: bool = False, was_alone: bool = True) -> None:
        super().__init__("The process of the models has ended.")
        self.is_late = is_late
        self.was_told = was_told
        self.was_alone = was_alone


class ShortageError(Exception):
    """The system gives no further process, connection or open file; the message says which, and why."""


class ModelRefusedError(Exception):
    """A process does not load a model; the message says why.

    Attributes:
        number: Which one of the models it is.
    """

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number


class ModelFile(NamedTuple):
    """A model to load.

    Attributes:
        name: The model's name.
        path: Its file.
    """

    name: str
    path: Path


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure
    """A process refuses rows.

    Attributes:
        status: The HTTP status to answer.
        reason: Why, in a sentence.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reply:
    """What a process gives for rows. It is no more than what it says.

    Attributes:
        outputs: What describes the outputs.
        content: Their bytes, and behind these the rows as a plain Arrow file where `has_rows` says so.
        has_rows: Whether the rows came as a file that is not plain.
        elapsed_ns: How long the models ran.
    """

    outputs: Any
    content: memoryview
    has_rows: bool
    elapsed_ns: int


@contextmanager
def _pair() -> Generator[tuple[socket.socket, socket.socket]]:
    """Give both ends of a connection: one that stays open unless the block fails, and one to be given away in it.

    Raises:
        ShortageError: The system gives none.
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


class _FirstProcess:
    """The process that has loaded the libraries, and forks one for each deployment.

    Attributes:
        layers: What keeps each process to itself; None before the libraries are loaded.
    """

    def __init__(self) -> None:
        with _pair() as (ours, theirs), tempfile.TemporaryDirectory(prefix="wallaroo-engine-") as empty:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "wallaroo_ext.sandbox.engine.confined", str(theirs.fileno())],
                cwd=empty,  # which is gone before anything is loaded: no path leads anywhere from there
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a terminal's signals are for the sandbox, which ends it
            )
        ours.settimeout(_START_SECONDS)
        self._control = ours
        self._lock = threading.Lock()
        self.layers: tuple[str, ...] | None = None

    def wait_until_loaded(self) -> None:
        """Wait until it has loaded the libraries.

        Raises:
            messages.BrokenMessageError: It has ended.
        """
        with self._lock:
            if self.layers is None:
                header = messages.receive(self._control, 0).header
                self.layers = tuple(str(layer) for layer in list_of(header.get("layers")))

    def fork(self, number: int, connection: socket.socket) -> int:
        """Fork a process with one end of a connection; its id.

        Raises:
            messages.BrokenMessageError: The first process has ended.
            ShortageError: The system lets it start no further process.
        """
        self.wait_until_loaded()
        with self._lock:
            try:
                socket.send_fds(self._control, [COMMAND.pack(FORK, number)], [connection.fileno()])
            except OSError as error:
                raise messages.BrokenMessageError(str(error)) from None
            header = messages.receive(self._control, 0).header
        if "error" in header:
            raise ShortageError(f"no process for models can be started: {str(header['error'])[:_MOST_ERROR]}")
        return int(header["process"])

    def end(self, number: int) -> None:
        """End a process that was forked, whatever it does."""
        with self._lock, suppress(OSError):
            self._control.sendall(COMMAND.pack(END, number))

    def close(self) -> None:
        """End it, and with it all that it has forked."""
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)  # it ends those that it has forked, where the kernel would not
        if sys.platform.startswith("linux"):
            self._process.kill()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._control.close()


def _environment() -> dict[str, str]:
    """The variables of the first process: nothing secret, and what has libraries start no threads before it forks."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "ORT_DISABLE_TELEMETRY": "1",  # else it keeps a database, and would send from it, in a thread of its own
    }


class ModelProcesses:
    """The processes of all deployments and conversions.

    Args:
        options: How much memory and time models may take.
    """

    def __init__(self, options: SandboxOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._first: _FirstProcess | None = None
        self._numbers = count(1)
        self._running: set[ModelProcess] = set()
        self._is_closed = False

    def start(self) -> None:
        """Have the libraries loaded, if they are not.

        Raises:
            ProcessEndedError: The sandbox ends.
            ShortageError: The system does not give what it takes.
        """
        try:
            self._started().wait_until_loaded()
        except messages.BrokenMessageError:
            if self._is_closed:
                raise ProcessEndedError(was_told=True) from None
            raise ShortageError(_ENDS_AT_ONCE) from None

    def _started(self) -> _FirstProcess:
        with self._lock:
            if self._is_closed:
                raise ProcessEndedError(was_told=True)
            if self._first is None:
                try:
                    self._first = _FirstProcess()
                except OSError as error:
                    raise ShortageError(f"no process for models can be started: {error.strerror or error}") from None
            return self._first

    @property
    def layers(self) -> tuple[str, ...] | None:
        """What keeps each process to itself; None before the first one is there."""
        first = self._first
        return None if first is None else first.layers

    def load(self, files: Sequence[ModelFile]) -> ModelProcess:
        """Return a process that has loaded these models.

        Raises:
            ModelRefusedError: It does not load one of them.
            ProcessEndedError: It has ended meanwhile.
            ShortageError: The system does not give what it takes.
            FileNotFoundError: A model's file is gone.
        """
        for number, file in enumerate(files):
            if file.path.stat().st_size > _MOST_IN_A_FILE:
                raise ModelRefusedError(number, "the file is no ONNX model: it has more than 2 GiB")
        process = self._forked()
        try:
            process.load(files)
        except BaseException:
            process.end()
            raise
        return process

    def _forked(self) -> ModelProcess:
        """Return a new process; where the first one has ended, by a new first one."""
        with _pair() as (ours, theirs):
            for is_last in (False, True):
                first = self._started()
                number = next(self._numbers)
                try:
                    pid = first.fork(number, theirs)
                except messages.BrokenMessageError:
                    self._replace(first)
                    if self._is_closed:
                        raise ProcessEndedError(was_told=True) from None
                    if is_last:
                        raise ShortageError(_ENDS_AT_ONCE) from None
                    continue
                process = ModelProcess(self, first, number, pid, ours)
                with self._lock:
                    self._running.add(process)
                    is_late = self._is_closed
                if is_late:
                    process.end(was_told=True)
                return process
        raise AssertionError

    def _replace(self, first: _FirstProcess) -> None:
        """Let go of a first process that has ended."""
        with self._lock:
            if self._first is first:
                self._first = None
        first.close()

    def forget(self, process: ModelProcess) -> None:
        """Know a process no longer."""
        with self._lock:
            self._running.discard(process)

    def end_all(self) -> None:
        """End all processes but the first; what they work on fails."""
        with self._lock:
            running = list(self._running)
        for process in running:
            process.end(was_told=True)

    def end_working(self) -> None:
        """End the processes that work on rows, which fail."""
        with self._lock:
            running = list(self._running)
        for process in running:
            if process.is_working:
                process.end(was_told=True)

    def close(self) -> None:
        """End all processes, and start no more."""
        with self._lock:
            self._is_closed = True
        self.end_all()
        if self._first is not None:
            self._first.close()

    @property
    def options(self) -> SandboxOptions:
        """How much memory and time models may take."""
        return self._options


class ModelProcess:
    """A process with loaded models. It works on several requests at a time, each on a connection of its own.

    Args:
        all_processes: All processes.
        first: Which one forked it.
        number: By which number that one knows it.
        pid: Its id.
        control: Where files and connections are handed to it.
    """

    def __init__(
        self, all_processes: ModelProcesses, first: _FirstProcess, number: int, pid: int, control: socket.socket
    ) -> None:
        self.pid = pid
        self._all = all_processes
        self._first = first
        self._number = number
        self._control = control
        self._lock = threading.Lock()
        self._idle: list[socket.socket] = []
        self._working: set[socket.socket] = set()
        self._models = 0
        self._is_ended = self._was_told = self._retires = False

    def load(self, files: Sequence[ModelFile]) -> None:
        """Load models, each within the time that it may take.

        Raises:
            ModelRefusedError: One is refused.
            ProcessEndedError: The process has ended, or was ended since it took too long.
        """
        options = self._all.options
        size = sum(file.path.stat().st_size for file in files)
        for_rows = (options.rows_memory_mib + options.arrow_limit_mib) * _MIB
        header = {
            "memory": options.model_memory_mib * _MIB + _WEIGHTS * size + _BESIDE + for_rows,
            "memory_for_rows": for_rows,
            "model_memory_mib": options.model_memory_mib,
            "rows_memory_mib": options.rows_memory_mib,
            "seconds": options.model_seconds,
            "names": [file.name for file in files],
        }
        self._models = len(files)
        with self._in_time(_GRACE_SECONDS):
            messages.send(self._control, header)
        for number, file in enumerate(files):
            self._load_one(number, file)

    def _load_one(self, number: int, file: ModelFile) -> None:
        with _opened(file.path) as opened, self._in_time(self._all.options.model_seconds + _GRACE_SECONDS):
            socket.send_fds(self._control, [b"M"], [opened.fileno()])
            error = messages.receive(self._control, 0).header.get("error")
        if error is not None:
            raise ModelRefusedError(number, str(error)[:_MOST_ERROR])

    @contextmanager
    def _in_time(self, seconds: float) -> Generator[None]:
        """End the process if the `with` block takes longer, or if it finds that it says what is no message.

        Raises:
            ProcessEndedError: It has ended, for one of these reasons or another.
        """
        late: list[bool] = []

        def end() -> None:
            late.append(True)
            self.end()

        try:
            with _DEADLINES.after(seconds, end):
                yield
        except (OSError, messages.BrokenMessageError):
            with self._lock:
                was_alone = len(self._working) <= 1
            self.end()
            raise ProcessEndedError(is_late=bool(late), was_told=self._was_told, was_alone=was_alone) from None

    def score(self, pieces: Sequence[Any]) -> Reply:
        """Return what the models give for the rows of an Arrow file.

        Args:
            pieces: The file.

        Raises:
            Refusal: The rows or the models are refused.
            ProcessEndedError: The process has ended, or was ended since it took too long.
            ShortageError: The system gives no connection to it.
        """
        options = self._all.options
        seconds = options.model_seconds * (self._models + 1) + _GRACE_SECONDS
        most = (options.model_memory_mib + options.rows_memory_mib) * _MIB
        connection = self._take()
        try:
            with self._in_time(seconds):
                messages.send(connection, {}, pieces)
                reply = _reply(messages.receive(connection, most))
        finally:
            self._give_back(connection)
        return reply

    def _take(self) -> socket.socket:
        """Return a connection that nobody else uses."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
            if connection is not None:
                self._working.add(connection)
                return connection
        with _pair() as (ours, theirs):
            try:
                socket.send_fds(self._control, [b"C"], [theirs.fileno()])
            except OSError:
                self.end()
                raise ProcessEndedError(was_told=self._was_told, was_alone=False) from None
        with self._lock:
            self._working.add(ours)
        return ours

    def _give_back(self, connection: socket.socket) -> None:
        with self._lock:
            self._working.discard(connection)
            if not self._is_ended:
                self._idle.append(connection)
            is_done = self._retires and not self._working
        if self._is_ended:
            connection.close()
        elif is_done:
            self.end(was_told=True)

    @property
    def is_working(self) -> bool:
        """Whether it works on rows."""
        with self._lock:
            return bool(self._working)

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        if self._is_ended:
            return False
        try:
            poll = select.poll()
            poll.register(self._control, select.POLLIN)
            has_ended = bool(poll.poll(0))  # it says nothing unasked, so this is the end of the connection
        except (OSError, ValueError):
            has_ended = True
        if has_ended:
            self.end()
        return not has_ended

    def retire(self) -> None:
        """Let it end what it works on, if that does not take long, and end it."""
        with self._lock:
            self._retires = True
            is_done = not self._working
        if is_done:
            self.end(was_told=True)
            return
        timer = threading.Timer(_GRACE_SECONDS, self.end, kwargs={"was_told": True})
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:  # the system gives no further thread
            self.end(was_told=True)

    def end(self, *, was_told: bool = False) -> None:
        """End it at once, whatever it does."""
        with self._lock:
            if self._is_ended:
                return
            self._is_ended = True
            self._was_told = was_told
            idle, working = self._idle, list(self._working)
            self._idle = []
        self._first.end(self._number)
        for connection in (self._control, *working):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # wakes who waits for it
        for connection in (self._control, *idle):
            connection.close()
        self._all.forget(self)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ShortageError(f"the model's file cannot be opened: {error.strerror}") from None


def _reply(message: Message) -> Reply:
    """Return what a process said, as far as it can be told before it is looked at.

    Raises:
        Refusal: It refuses the rows.
        messages.BrokenMessageError: It says something else than it should.
    """
    header = message.header
    if "error" in header:
        status = 413 if header.get("status") == 413 else 400  # noqa: PLR2004 - the two that there are
        raise Refusal(status, str(header["error"])[:_MOST_ERROR])
    elapsed = header.get("elapsed_ns")
    if type(elapsed) is not int or not 0 <= elapsed < math.inf or elapsed >> 63:
        raise messages.BrokenMessageError("a time that is none")
    return Reply(header.get("outputs"), message.content, header.get("has_rows") is True, elapsed)
