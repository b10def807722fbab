"""A sandbox as a process of its own, for a test or a program that needs an instance for a while."""

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
    owner = this_process()
    with _temporary_directory() as temporary:
        env_file, said = temporary / "environment", log or temporary / "log"
        command = [sys.executable, "-m", "wallaroo_ext.cli", "sandbox", "--end-with-stdin", "--env-file", str(env_file)]
        command += ["--log-format", log_format, "--data-dir", str(directory or temporary / "data"), *arguments]
        process, lifeline = _started(command, said)
        try:
            _wait(process, env_file, said)
            yield read_environment(env_file)
        finally:
            if owner.is_this:
                _end(process)
                os.close(lifeline)


@contextmanager
def _temporary_directory() -> Generator[Path]:
    """Yield a directory that this process removes at the end; `tempfile`'s own is removed by forked processes, too."""
    owner, directory = this_process(), Path(tempfile.mkdtemp(prefix="wallaroo-sandbox-"))
    try:
        yield directory
    finally:
        if owner.is_this:
            shutil.rmtree(directory, ignore_errors=True)


def _started(command: list[str], log: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start a sandbox whose standard input is a pipe.

    Returns:
        Its process, and the other end of the pipe. The sandbox ends when that is closed, which the end of this process
        does. Neither programs that it starts nor forked children hold it, since they may outlive it.
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
