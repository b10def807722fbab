"""Running a sandbox in a process of its own, for a test or a program that needs an instance for a while."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from wallaroo_ext._util.after_fork import detach_in_children, this_process

if TYPE_CHECKING:
    from collections.abc import Generator

_START_SECONDS = 30.0


class SandboxFailedError(Exception):
    """The sandbox did not start; the message includes its output."""


@contextmanager
def running(
    directory: Path | None = None, *arguments: str, log: Path | None = None, log_format: str = "off"
) -> Generator[dict[str, str]]:
    """Run a sandbox for the duration of a `with` block.

    The sandbox also ends when this process ends in any way, because that closes its standard input, a pipe. Forked
    children of this process may use the sandbox, and do not end it.

    Args:
        directory: The data directory; None for a temporary one.
        *arguments: Further arguments of `wallaroo-ext sandbox`.
        log: A file for its stderr; None for a temporary one.
        log_format: The format of its access log: `text`, `json` or `off`.

    Yields:
        The environment variables that `wallaroo_ext.connect` reads.

    Raises:
        SandboxFailedError: The sandbox did not start.
    """
    owner = this_process()
    with _temporary_directory() as temporary:
        env_file, log_file = temporary / "environment", log or temporary / "log"
        command = [sys.executable, "-m", "wallaroo_ext.cli", "sandbox", "--end-with-stdin", "--env-file", str(env_file)]
        command += ["--log-format", log_format, "--data-dir", str(directory or temporary / "data"), *arguments]
        process, lifeline = _start(command, log_file)
        try:
            _wait_until_ready(process, env_file, log_file)
            yield read_environment(env_file)
        finally:
            if owner.is_this:
                _end(process)
                os.close(lifeline)


@contextmanager
def _temporary_directory() -> Generator[Path]:
    """Yield a temporary directory that only this process removes; `tempfile`'s is removed by forked children, too."""
    owner, directory = this_process(), Path(tempfile.mkdtemp(prefix="wallaroo-sandbox-"))
    try:
        yield directory
    finally:
        if owner.is_this:
            shutil.rmtree(directory, ignore_errors=True)


def _start(command: list[str], log: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start a sandbox whose standard input is a pipe, and return its process and the other end of the pipe.

    The sandbox ends when that end is closed. Child processes do not inherit it, because they may outlive this process.
    """
    read_end, write_end = os.pipe()
    detach_in_children(write_end)
    try:
        with log.open("w", encoding="utf-8") as stderr:
            return subprocess.Popen(command, stdin=read_end, stdout=subprocess.DEVNULL, stderr=stderr), write_end
    except BaseException:
        os.close(write_end)
        raise
    finally:
        os.close(read_end)


def read_environment(env_file: Path) -> dict[str, str]:
    """Return the variables of a file of `export NAME=VALUE` lines."""
    words = shlex.split(env_file.read_text(encoding="utf-8"))
    return dict(word.split("=", 1) for word in words if "=" in word)


def _wait_until_ready(process: subprocess.Popen[bytes], env_file: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not env_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            output = log.read_text(encoding="utf-8").strip()
            raise SandboxFailedError(f"The sandbox did not start: {output or 'it gave no reason'}")
        time.sleep(0.01)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
