"""Atomic writes: a file is written under a temporary name that nobody can guess, and then renamed.

A process that is killed in between leaves the temporary file behind; the next one that writes the same file removes it.
Two checks make that safe. The temporary name shows that it was made here, because its end is computed from the rest.
And the writer holds a lock on the file, which the system releases when the process ends. If the file system has no
locks, nothing is removed.
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

from wallaroo_ext._util.after_fork import detach_in_children, this_process

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
_LONGEST_NAME = 180  # file systems allow 255 bytes, and the rest of a temporary name needs some
_NEW = os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def create_file(path: Path, mode: int = PRIVATE) -> BufferedRandom:
    """Create a new file and open it for reading and writing.

    Args:
        path: The file.
        mode: Its permissions, before the umask is applied.

    Raises:
        FileExistsError: There is already a file or a link, wherever the link leads.
        OSError: The file cannot be created.
    """
    return os.fdopen(os.open(path, os.O_RDWR | _NEW, mode), "w+b")


@contextmanager
def atomic_writer(path: Path, *, mode: int | None = None, durable: bool = False) -> Generator[BinaryIO]:
    """Open a file that replaces `path` when the block ends without an error.

    Until then, readers of `path` see the old content. A link at `path` is replaced, not followed. A child that is
    forked meanwhile leaves the file to its parent.

    Args:
        path: The file; its directory exists.
        mode: Its permissions, whatever the umask; None for those of the file that it replaces, or of any new file.
        durable: Whether the file survives a power failure after the block.

    Raises:
        OSError: The file cannot be written; the old one is unchanged.
    """
    wanted = _mode_of(path) if mode is None else mode
    remove_leftovers(path)
    owner = this_process()
    with _temporary_file(path, 0o666 if wanted is None else PRIVATE) as (temporary, created):
        with created as file:
            detach_in_children(file.fileno())
            try:
                yield file
            finally:
                if not owner.is_this:
                    file.raw.close()  # so that the parent's buffered data is not written a second time
            owner.check(f"The file {path.name}")
            file.flush()
            if wanted is not None and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), wanted)
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
        if durable:
            sync_directory(path.parent)


def write_atomically(path: Path, content: bytes, *, mode: int | None = None, durable: bool = False) -> None:
    """Replace the content of a file; see `atomic_writer`."""
    with atomic_writer(path, mode=mode, durable=durable) as file:
        file.write(content)


def write_new(path: Path, content: bytes, *, mode: int = PRIVATE) -> bool:
    """Create a file with its content in one step, unless it exists. It survives a power failure.

    Returns:
        True if the file was created.

    Raises:
        OSError: The file cannot be created, or its file system has no hard links, which this needs.
    """
    remove_leftovers(path)
    with _temporary_file(path, mode) as (temporary, created):
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
def _temporary_file(path: Path, mode: int) -> Generator[tuple[Path, BufferedRandom]]:
    """Create a temporary file for `path`, and lock it until the block ends, even after the file is closed.

    If the file still has its temporary name at the end of the block, it is removed, but not by a forked child.
    """
    with ExitStack() as stack:
        while True:
            temporary = path.with_name(temporary_name(path.name))
            created = create_file(temporary, mode)
            stack.callback(_remove, temporary, this_process())
            stack.callback(created.close)
            if _is_locked(temporary, created, stack):
                break
        yield temporary, created


def _is_locked(temporary: Path, created: BufferedRandom, stack: ExitStack) -> bool:
    """Lock a file until the stack is closed. Return False if another process has just removed it as a leftover."""
    if sys.platform == "win32":
        return True
    lock = os.dup(created.fileno())  # it outlasts the file, which is closed before it is renamed
    stack.callback(os.close, lock)
    detach_in_children(lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # without locks, nobody removes it as a leftover
    return _is_at(temporary, lock)


def _remove(temporary: Path, owner: Process) -> None:
    if owner.is_this:
        with suppress(OSError):
            temporary.unlink()


def temporary_name(name: str) -> str:
    """Return a new temporary name for a file that will be called `name`."""
    token = secrets.token_hex(_TOKEN_BYTES)
    return f".{_shorten(name)}.{token}{_check_of(name, token)}{_SUFFIX}"


def is_temporary_name(candidate: str, name: str) -> bool:
    """Return whether `temporary_name` made a name for a file that would be called `name`."""
    found = re.fullmatch(rf"\.{re.escape(_shorten(name))}{_TOKEN}{re.escape(_SUFFIX)}", candidate)
    return found is not None and found[2] == _check_of(name, found[1])


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files of killed processes beside a file, and none that is still being written.

    Args:
        path: The file that was written.
    """
    if sys.platform == "win32":
        return
    with suppress(OSError):  # a directory need not be readable to be written to
        for file in leftovers(path):
            with suppress(OSError):
                _remove_if_abandoned(file)


def _remove_if_abandoned(file: Path) -> None:
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
    """Return the temporary files beside a file, of killed processes and of those that are still writing.

    Args:
        path: The file that was written.
    """
    # Not by scandir: an interrupt just before its `with` block would leave it open.
    names = [name for name in os.listdir(path.parent) if name.endswith(_SUFFIX)]  # noqa: PTH208 - names, not paths
    found = [path.with_name(name) for name in names if is_temporary_name(name, path.name)]
    return [file for file in found if _is_file(file)]


def sync_directory(directory: Path) -> None:
    """Flush the names in a directory to the disk; Windows does it by itself, and cannot open directories."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mode_of(path: Path) -> int | None:
    """Return the permissions of a file, or of the file that a link leads to; None if there is none."""
    try:
        found = path.stat().st_mode
    except OSError:
        return None
    return stat.S_IMODE(found) if stat.S_ISREG(found) else None


def _is_file(path: Path) -> bool:
    """Return whether a path is a file, and not a link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _check_of(name: str, token: str) -> str:
    """Return the checksum at the end of a temporary name, which distinguishes it from names made elsewhere."""
    content = f"wallaroo-ext {_shorten(name)} {token}".encode("utf-8", "surrogateescape")
    return hashlib.sha256(content).hexdigest()[: 2 * _TOKEN_BYTES]


def _shorten(name: str) -> str:
    return name.encode("utf-8", "surrogateescape")[:_LONGEST_NAME].decode("utf-8", "ignore")
