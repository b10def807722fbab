"""A lock between processes, by a file."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from wallaroo_ext._util.after_fork import keep_from_children

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
        # Unlocked and not only closed, because a program that was started meanwhile may have it open, too.
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def locked(path: Path, seconds: float) -> Generator[None]:
    """Hold the lock for the time of a `with` block; other threads are kept out, too.

    A process that is forked meanwhile has no part in it, and leaves the block without unlocking.

    Args:
        path: The file, which is made where it is missing and stays, because a removed one would lock nobody out.
        seconds: How long to wait for it.

    Raises:
        TimeoutError: Others hold it.
        OSError: The file cannot be opened, or its file system has no locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    keep_from_children(descriptor)
    try:
        _lock(descriptor, seconds)
        try:
            yield
        finally:
            with suppress(OSError):
                _unlock(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _try_lock(descriptor)
        except (BlockingIOError, PermissionError):  # how the systems say that others hold it
            if time.monotonic() > deadline:
                raise TimeoutError("others hold the lock") from None
        time.sleep(_PAUSE_SECONDS)
