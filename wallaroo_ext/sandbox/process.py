"""A sandbox as a process of its own, for a test or a program that needs an instance for a while."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import weakref
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_PATIENCE_SECONDS = 30.0


class SandboxFailedError(Exception):
    """The sandbox did not start; the message has what it said."""


@contextmanager
def running(
    directory: Path | None = None, *arguments: str, log: Path | None = None, log_format: str = "off"
) -> Generator[dict[str, str]]:
    """Run a sandbox for the time of a `with` block.

    It ends as well when this process does, however that comes: it waits for the end of a pipe that nobody else holds. A
    process that is forked from this one may use it, and does not end it.

    Args:
        directory: Its data directory; None for one that is removed at the end.
        *arguments: Further arguments of `wallaroo-ext sandbox`.
        log: A file for what it says on stderr; None for one that is removed at the end.
        log_format: How it logs each request there: `text`, `json` or `off`.

    Yields:
        The environment variables that `wallaroo_ext.connect` reads.

    Raises:
        SandboxFailedError: It did not start.
    """
    owner = os.getpid()
    temporary = Path(tempfile.mkdtemp(prefix="wallaroo-sandbox-"))
    env_file, said = temporary / "environment", log or temporary / "log"
    command = [sys.executable, "-m", "wallaroo_ext.cli", "sandbox", "--end-with-stdin", "--env-file", str(env_file)]
    command += ["--log-format", log_format, "--data-dir", str(directory or temporary / "data"), *arguments]
    try:
        lifeline = _Lifeline()
        process = _started(command, lifeline, said)
        try:
            _wait(process, env_file, said)
            yield read_environment(env_file)
        finally:
            if os.getpid() == owner:
                _end(process)
                lifeline.cut()
    finally:
        if os.getpid() == owner:
            shutil.rmtree(temporary, ignore_errors=True)


class _Lifeline:
    """A pipe that a sandbox reads, and whose other end only its owner holds.

    Programs that the owner starts do not inherit it, and forked children let go of it at once: else a child that
    outlives its parent would keep the sandbox alive.

    Attributes:
        read_end: The sandbox's standard input, until it has it.
    """

    def __init__(self) -> None:
        self.read_end, self._write_end = os.pipe()
        _lifelines.add(self)

    def cut(self) -> None:
        """Let the sandbox see the end."""
        if self in _lifelines:
            _lifelines.discard(self)
            with suppress(OSError):
                os.close(self._write_end)


_lifelines = weakref.WeakSet[_Lifeline]()


def _leave_lifelines() -> None:
    for lifeline in list(_lifelines):
        lifeline.cut()


os.register_at_fork(after_in_child=_leave_lifelines)


def _started(command: list[str], lifeline: _Lifeline, said: Path) -> subprocess.Popen[bytes]:
    """Return the process of a sandbox that hangs on a lifeline."""
    try:
        with said.open("w", encoding="utf-8") as stderr:
            return subprocess.Popen(command, stdin=lifeline.read_end, stdout=subprocess.DEVNULL, stderr=stderr)
    except BaseException:
        lifeline.cut()
        raise
    finally:
        os.close(lifeline.read_end)


def read_environment(env_file: Path) -> dict[str, str]:
    """The variables of a file of `export NAME=VALUE` lines."""
    words = shlex.split(env_file.read_text(encoding="utf-8"))
    return dict(word.split("=", 1) for word in words if "=" in word)


def _wait(process: subprocess.Popen[bytes], env_file: Path, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not env_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(encoding="utf-8").strip()
            raise SandboxFailedError(f"The sandbox did not start: {said or 'it gave no reason'}")
        time.sleep(0.01)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
