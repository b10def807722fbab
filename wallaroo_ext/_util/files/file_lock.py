"""A lock between processes, held on a file."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from wallaroo_ext._util.after_fork import detach_in_children

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_PAUSE_SECONDS = 0.02

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        # Closing is not enough: a program that was started meanwhile may have the file open, too.
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def locked(path: Path, seconds: float) -> Generator[None]:
    """Hold the lock during a `with` block, against other processes and other threads.

    A child that is forked meanwhile does not hold the lock, and leaves the block without unlocking.

    Args:
        path: The file. It is created if it is missing, and stays: locking a removed file would keep nobody out.
        seconds: How long to wait for the lock.

    Raises:
        TimeoutError: Others hold the lock.
        OSError: The file cannot be opened, or its file system has no locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    detach_in_children(descriptor)
    try:
        lock_within(descriptor, seconds)
        try:
            yield
        finally:
            with suppress(OSError):
                _unlock(descriptor)
    finally:
        os.close(descriptor)


def lock_within(descriptor: int, seconds: float) -> None:
    """Lock an open file, and try again for some seconds while others hold the lock.

    Raises:
        TimeoutError: Others hold the lock.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _try_lock(descriptor)
        except (BlockingIOError, PermissionError):  # what the systems raise if others hold it
            if time.monotonic() > deadline:
                raise TimeoutError("others hold the lock") from None
        time.sleep(_PAUSE_SECONDS)
