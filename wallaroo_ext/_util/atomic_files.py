"""Writing a file whole or not at all: under a name that nobody can guess, and then in the place of its own name."""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from wallaroo_ext._util.after_fork import keep_from_children, this_process

if TYPE_CHECKING:
    from collections.abc import Generator
    from io import BufferedRandom
    from pathlib import Path
    from typing import BinaryIO

PRIVATE = 0o600
"""The permissions of a file that its owner alone may read."""

_SUFFIX = ".unfinished"
_TOKEN_BYTES = 8
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
    temporary = path.with_name(unfinished_name(path.name))
    owner = this_process()
    created = create(temporary, 0o666 if wanted is None else PRIVATE)
    try:
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
    except BaseException:
        if owner.is_this:
            with suppress(OSError):
                temporary.unlink()
        raise


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
    temporary = path.with_name(unfinished_name(path.name))
    created = create(temporary, mode)
    try:
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
    finally:
        with suppress(OSError):
            temporary.unlink()


def unfinished_name(name: str) -> str:
    """Return a new name for a file that is being written and is to be called `name`."""
    return f".{_shortened(name)}.{secrets.token_hex(_TOKEN_BYTES)}{_SUFFIX}"


def is_unfinished(candidate: str, name: str) -> bool:
    """Whether `unfinished_name` made a name for a file that was to be called `name`."""
    pattern = rf"\.{re.escape(_shortened(name))}\.[0-9a-f]{{{2 * _TOKEN_BYTES}}}{re.escape(_SUFFIX)}"
    return re.fullmatch(pattern, candidate) is not None


def leftovers(path: Path) -> list[Path]:
    """Return what writing a file left beside it when the process was killed, or is still writing.

    Args:
        path: The file that was written.
    """
    return [
        found
        for found in path.parent.iterdir()
        if is_unfinished(found.name, path.name) and stat.S_ISREG(found.lstat().st_mode)
    ]


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
    """The permissions of a file, or of what a link leads to; None where there is none."""
    try:
        found = path.stat().st_mode
    except OSError:
        return None
    return stat.S_IMODE(found) if stat.S_ISREG(found) else None


def _shortened(name: str) -> str:
    return name.encode("utf-8", "surrogateescape")[:_LONGEST_NAME].decode("utf-8", "ignore")
