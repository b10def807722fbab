"""Running a sandbox in a process of its own, for a test, a notebook or a program that needs an instance for a while."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from wallaroo_ext._util.after_fork import detach_in_children, this_process
from wallaroo_ext._util.files.user_paths import user_path
from wallaroo_ext.errors import ConfigurationError, WallarooError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from wallaroo_ext._util.after_fork import Process
    from wallaroo_ext.sandbox.control_client import Sandbox

_START_SECONDS, _GRACE_SECONDS = 30.0, 10.0
_NEEDED = ("cyclopts", "onnxruntime", "pyarrow", "starlette", "uvicorn")


class SandboxFailedError(WallarooError):
    """The sandbox did not start; the message includes its output."""


class Program(Protocol):
    """A program that was started."""

    def poll(self) -> int | None:
        """Return the exit code; None while the program runs."""
        ...

    def end(self) -> None:
        """End the program, and wait for its end."""
        ...


class Starter(Protocol):
    """Starts the command line, `wallaroo-ext`, as a program of its own."""

    def __call__(self, arguments: Sequence[str], files: tuple[int, int, int]) -> Program:
        """Start it with arguments and with its standard input, output and error."""
        ...


class _Process(subprocess.Popen[bytes]):
    """A process that can be ended for certain."""

    def end(self) -> None:
        """End the process with SIGTERM, or kill it after a while, and wait for its end."""
        self.terminate()
        try:
            self.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            self.wait()


def start_process(arguments: Sequence[str], files: tuple[int, int, int]) -> Program:
    """Start the command line in a new process, and return it."""
    stdin, stdout, stderr = files
    # -P: modules of the current directory, such as the tests' own, stand in for none of the sandbox's
    command = [sys.executable, "-P", "-m", "wallaroo_ext.cli", *arguments]
    # In a group of its own: Ctrl-C, which a terminal sends to a whole group, is for this process, which then cleans up.
    return _Process(command, stdin=stdin, stdout=stdout, stderr=stderr, process_group=0)


@contextmanager
def running(
    directory: Path | None = None,
    *arguments: str,
    log: Path | None = None,
    log_format: str = "off",
    start: Starter = start_process,
) -> Generator[dict[str, str]]:
    """Run a sandbox for the duration of a `with` block.

    The sandbox also ends when this process ends in any way, because that closes its standard input, a pipe. Forked
    children of this process may use the sandbox, and do not end it.

    Args:
        directory: The data directory; None for a temporary one.
        *arguments: Further arguments of `wallaroo-ext sandbox`.
        log: A file for its stderr; None for a temporary one.
        log_format: The format of its access log: `text`, `json` or `off`.
        start: Starts the sandbox's program; by default in a new process.

    Yields:
        The environment variables that `wallaroo_ext.connect` reads.

    Raises:
        SandboxFailedError: The sandbox did not start.
    """
    owner = this_process()
    with ExitStack() as ended:
        with _temporary_directory() as temporary:
            env_file, log_file = temporary / "environment", log or temporary / "log"
            command = ["sandbox", "--end-with-stdin", "--env-file", str(env_file), "--log-format", log_format]
            command += ["--data-dir", str(directory)] if directory is not None else []
            program, lifeline = _start(start, [*command, *arguments], log_file)
            ended.callback(_end, program, lifeline, owner)
            _wait_until_ready(program, env_file, log_file)
            environment = read_environment(env_file)
        yield environment  # without the directory, which would stay if this process were killed


def _end(program: Program, lifeline: int, owner: Process) -> None:
    """End a sandbox, in the process that started it."""
    if owner.is_this:
        try:
            program.end()
        finally:
            os.close(lifeline)  # which ends it, too, if the waiting for its end is interrupted


@contextmanager
def sandbox(
    *,
    data_dir: str | os.PathLike[str] | None = None,
    release: str | None = None,
    log: str | os.PathLike[str] | None = None,
    arguments: Sequence[str] = (),
) -> Generator[Sandbox]:
    """Run a sandbox for the duration of a `with` block: an instance on this machine, with real models.

        with wallaroo_ext.sandbox() as instance:
            wallaroo_ext.upload_model(instance.client, "model.onnx", name="churn")

    It ends with the block, and with this process, in whatever way that ends. In a `unittest.TestCase`,
    `self.enterContext(wallaroo_ext.sandbox())` runs it for a test; in a notebook, `contextlib.ExitStack` keeps it over
    several cells.

    Args:
        data_dir: Where to keep its models and state; without it, they are gone when the sandbox ends.
        release: The release of Wallaroo to imitate, such as 2025.2; by default the newest that is known.
        log: A file to log each request in, and what goes wrong in the sandbox; it is written anew.
        arguments: Further arguments of `wallaroo-ext sandbox`, such as `["--tls"]`; a text is one of them.

    Yields:
        The sandbox, as the fixture `wallaroo_sandbox` has it: its `url`, its `environment` for `connect` and for other
        programs, a `client` of it, and what steers it.

    Raises:
        ConfigurationError: The extra `sandbox` is not installed.
        SandboxFailedError: The sandbox did not start.
    """
    if any(find_spec(name) is None for name in _NEEDED):
        raise ConfigurationError("This runs a sandbox, which needs: pip install 'wallaroo-ext[sandbox]'.")
    from wallaroo_ext.sandbox.control_client import Sandbox

    further = [arguments] if isinstance(arguments, str) else arguments
    options = [*([] if release is None else ["--release", release]), *further]
    directory, log_file = (None if path is None else user_path(path) for path in (data_dir, log))
    log_format = "off" if log_file is None else "text"
    with (
        running(directory, *options, log=log_file, log_format=log_format) as environment,
        Sandbox(environment) as instance,
    ):
        yield instance


@contextmanager
def _temporary_directory() -> Generator[Path]:
    """Yield a temporary directory that only this process removes; `tempfile`'s is removed by forked children, too."""
    owner, directory = this_process(), Path(tempfile.mkdtemp(prefix="wallaroo-sandbox-"))
    try:
        yield directory
    finally:
        if owner.is_this:
            shutil.rmtree(directory, ignore_errors=True)


def _start(start: Starter, command: list[str], log: Path) -> tuple[Program, int]:
    """Start a sandbox whose standard input is a pipe, and return its program and the other end of the pipe.

    The sandbox ends when that end is closed. Child processes do not inherit it, because they may outlive this process.
    """
    read_end, write_end = os.pipe()
    detach_in_children(write_end)
    try:
        with log.open("wb") as stderr, Path(os.devnull).open("wb") as stdout:
            return start(command, (read_end, stdout.fileno(), stderr.fileno())), write_end
    except BaseException:
        os.close(write_end)
        raise
    finally:
        os.close(read_end)


def read_environment(env_file: Path) -> dict[str, str]:
    """Return the variables of a file of `export NAME=VALUE` lines."""
    words = shlex.split(env_file.read_text(encoding="utf-8"))
    return dict(word.split("=", 1) for word in words if "=" in word)


def _wait_until_ready(program: Program, env_file: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not env_file.exists():
        has_ended = program.poll() is not None
        if has_ended or time.monotonic() > deadline:
            output = log.read_text(encoding="utf-8", errors="replace").strip()
            within = "" if has_ended else f" within {_START_SECONDS:g} seconds"
            raise SandboxFailedError(f"The sandbox did not start{within}: {output or 'it gave no reason'}")
        time.sleep(0.01)
