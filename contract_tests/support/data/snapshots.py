"""Snapshots of directories, and files such as people have in them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

Snapshot = dict[str, tuple[int, int, bytes]]


def snapshot(*directories: Path) -> Snapshot:
    """Return the mode, the time of change, and the content or target of everything in some directories."""
    paths = [path for directory in directories for path in (directory, *sorted(directory.rglob("*")))]
    return {str(path): _state(path) for path in paths}


def _state(path: Path) -> tuple[int, int, bytes]:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        content = os.fsencode(path.readlink())
    else:
        content = path.read_bytes() if stat.S_ISREG(found.st_mode) else b""
    return found.st_mode, found.st_mtime_ns, content


def write(file: Path, content: bytes = b"somebody's own") -> Path:
    """Write a file, with its directory, as if it had been made long ago."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(0o640)
    os.utime(file, (1_500_000_000, 1_500_000_000))
    return file


def fill(directory: Path, outside: Path, *names: str) -> None:
    """Fill a directory with files of some names, and with dotfiles, folders, and links to `outside`."""
    for name in (*names, ".hidden", ".config/settings", "notes.txt", ".notes.txt.0123456789abcdef.unfinished"):
        write(directory / name)
    write(outside / "file", b"outside")
    write(outside / "folder" / "file", b"outside, too")
    (directory / "empty").mkdir()
    (directory / "link").symlink_to(outside / "file")
    (directory / "linked").symlink_to(outside / "folder")
    (directory / "dangling").symlink_to(outside / "nowhere")
