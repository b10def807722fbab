"""Writing a file whole or not at all: under a name that nobody can guess, and then in the place of its own name.

A process that is killed between the two leaves a file under the first name, and who writes the same file next removes
it. Two things say that this is right. The name tells that it was made here: its end is computed from the rest. And
whoever writes such a file holds a lock on it, which the system takes back when the process ends; where a file system
has no locks, nothing is removed.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
import sys
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from wallaroo_ext._util.after_fork import keep_from_children, this_process

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Generator
    from io import BufferedRandom
    from pathlib import Path
    from typing import BinaryIO

    from wallaroo_ext._util.after_fork import Process

PRIVATE = 0o600
"""The permissions of a file that its owner alone may read."""

_SUFFIX = ".unfinished"
_TOKEN_BYTES = 8
_TOKEN = rf"\.([0-9a-f]{{{2 * _TOKEN_BYTES}}})([0-9a-f]{{{2 * _TOKEN_BYTES}}})"
_LONGEST_NAME = 180  # file systems take 255 bytes, and the rest of an unfinished file's name needs some
_NEW = os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def create(path: Path, mode: int = PRIVATE) -> BufferedRandom:
    """Make a new file and open it for reading and writing.

    Args:
        path: Where.
        mode: Its permissions, less what the umask takes away.

    Raises:
        FileExistsError: There is a file already, or a link, wherever that leads.
        OSError: It cannot be made.
    """
    return os.fdopen(os.open(path, os.O_RDWR | _NEW, mode), "w+b")


@contextmanager
def replacing(path: Path, *, mode: int | None = None, durable: bool = False) -> Generator[BinaryIO]:
    """Open a file that takes the place of `path` when the block ends without an error.

    Whoever reads `path` meanwhile finds what was there before. A link at `path` is replaced, and not followed. A child
    that is forked meanwhile leaves the file to its parent.

    Args:
        path: The file; its directory exists.
        mode: Its permissions, whatever the umask; None for those of the file that it replaces, or of any new file.
        durable: Whether it is to outlast a power failure from the end of the block on.

    Raises:
        OSError: It cannot be written there; what was there is unchanged.
    """
    wanted = _mode_of(path) if mode is None else mode
    remove_leftovers(path)
    owner = this_process()
    with _unfinished(path, 0o666 if wanted is None else PRIVATE) as (temporary, created):
        with created as file:
            keep_from_children(file.fileno())
            try:
                yield file
            finally:
                if not owner.is_this:
                    file.raw.close()  # so that what its parent has buffered is not written here as well
            owner.check(f"The file {path.name}")
            file.flush()
            if wanted is not None and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), wanted)
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
        if durable:
            sync_directory(path.parent)


def write_whole(path: Path, content: bytes, *, mode: int | None = None, durable: bool = False) -> None:
    """Put content in the place of a file; see `replacing`."""
    with replacing(path, mode=mode, durable=durable) as file:
        file.write(content)


def write_new(path: Path, content: bytes, *, mode: int = PRIVATE) -> bool:
    """Make a file with its content in one step, unless there is one. It outlasts a power failure.

    Returns:
        True if it was made.

    Raises:
        OSError: It cannot be made, or its file system has no second names for files, by which this is done.
    """
    remove_leftovers(path)
    with _unfinished(path, mode) as (temporary, created):
        with created as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        sync_directory(path.parent)
        return True


@contextmanager
def _unfinished(path: Path, mode: int) -> Generator[tuple[Path, BufferedRandom]]:
    """Make an unfinished file for `path`, and lock it for the time of the block, even after it is closed.

    What still has its first name at the end of the block is removed, but not by a child that was forked meanwhile.
    """
    with ExitStack() as stack:
        while True:
            temporary = path.with_name(unfinished_name(path.name))
            created = create(temporary, mode)
            stack.callback(_remove, temporary, this_process())
            stack.callback(created.close)
            if _is_locked(temporary, created, stack):
                break
        yield temporary, created


def _is_locked(temporary: Path, created: BufferedRandom, stack: ExitStack) -> bool:
    """Lock a file until the stack is closed; False if somebody who removes leftovers was faster."""
    if sys.platform == "win32":
        return True
    lock = os.dup(created.fileno())  # of a descriptor of its own, because errors may show when the file is closed
    stack.callback(os.close, lock)
    keep_from_children(lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # without locks, nobody takes it for a leftover
    return _is_at(temporary, lock)


def _remove(temporary: Path, owner: Process) -> None:
    if owner.is_this:
        with suppress(OSError):
            temporary.unlink()


def unfinished_name(name: str) -> str:
    """Return a new name for a file that is being written and is to be called `name`."""
    token = secrets.token_hex(_TOKEN_BYTES)
    return f".{_shortened(name)}.{token}{_check_of(name, token)}{_SUFFIX}"


def is_unfinished(candidate: str, name: str) -> bool:
    """Return whether `unfinished_name` made a name for a file that was to be called `name`."""
    found = re.fullmatch(rf"\.{re.escape(_shortened(name))}{_TOKEN}{re.escape(_SUFFIX)}", candidate)
    return found is not None and found[2] == _check_of(name, found[1])


def remove_leftovers(path: Path) -> None:
    """Remove what writing a file left beside it when the process was killed, and nothing that is still being written.

    Args:
        path: The file that was written.
    """
    if sys.platform == "win32":
        return
    with suppress(OSError):  # a directory need not be readable to be written to
        for file in leftovers(path):
            with suppress(OSError):
                _remove_unless_written(file)


def _remove_unless_written(file: Path) -> None:
    descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)  # NFS locks only what may be written to
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_at(file, descriptor) and os.fstat(descriptor).st_uid == os.geteuid():
            file.unlink()
    finally:
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    """Return whether a path is that of an open file."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def leftovers(path: Path) -> list[Path]:
    """Return what writing a file left beside it when the process was killed, or is still writing.

    Args:
        path: The file that was written.
    """
    with os.scandir(path.parent) as entries:
        names = [entry.name for entry in entries if entry.name.endswith(_SUFFIX)]
    found = [path.with_name(name) for name in names if is_unfinished(name, path.name)]
    return [file for file in found if _is_file(file)]


def sync_directory(directory: Path) -> None:
    """Have the names in a directory written to the disk; Windows opens no directories, and does it itself."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mode_of(path: Path) -> int | None:
    """Return the permissions of a file, or of what a link leads to; None where there is none."""
    try:
        found = path.stat().st_mode
    except OSError:
        return None
    return stat.S_IMODE(found) if stat.S_ISREG(found) else None


def _is_file(path: Path) -> bool:
    """Return whether there is a file, and not a link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _check_of(name: str, token: str) -> str:
    """Return what the name of an unfinished file ends with, by which it is told from anybody else's."""
    content = f"wallaroo-ext {_shortened(name)} {token}".encode("utf-8", "surrogateescape")
    return hashlib.sha256(content).hexdigest()[: 2 * _TOKEN_BYTES]


def _shortened(name: str) -> str:
    return name.encode("utf-8", "surrogateescape")[:_LONGEST_NAME].decode("utf-8", "ignore")
