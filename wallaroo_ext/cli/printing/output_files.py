"""The output files of commands, written atomically."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from wallaroo_ext._util.files.atomic_files import atomic_writer
from wallaroo_ext.cli.printing.output import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Generator
    from pathlib import Path
    from typing import BinaryIO


def check_output(file: Path, endings: Collection[str] = ()) -> None:
    """Check that an output file can be written, before the command does its work.

    Args:
        file: The file.
        endings: The endings that its name may have; empty for any.

    Raises:
        UsageError: Its directory is missing, it is a directory itself, or its name has another ending.
    """
    if endings and file.suffix.lower() not in endings:
        raise UsageError(f"--output {file}: the name has to end in {', '.join(endings)}.")
    if file.is_dir():
        raise UsageError(f"--output {file} is a directory: name a file in it.")
    if not file.parent.is_dir():
        raise UsageError(f"There is no directory {file.parent} to write {file.name} to.")
    if file.is_symlink() and not file.resolve().parent.is_dir():
        raise UsageError(f"--output {file} is a link into a directory that does not exist: name another file.")


@contextmanager
def open_output(file: Path) -> Generator[BinaryIO]:
    """Yield a file to write to, which replaces the output file when the block ends without an error.

    A link is followed, as in shells: it stays, and its target is replaced. A file that cannot be replaced, which is a
    device, a pipe, or an open file such as /dev/stdout, is appended to.
    """
    if file.exists() and (not file.is_file() or _is_open_file(file)):
        with file.open("ab") as target:
            yield target
        return
    with atomic_writer(file.resolve()) as target:
        yield target


def _is_open_file(file: Path) -> bool:
    """Return whether a path leads to an open file of a process, through the links in /proc."""
    while file.is_symlink():
        if file.parent.name == "fd" and file.parent.resolve().is_relative_to("/proc"):
            return True
        file = file.parent / file.readlink()
    return False
