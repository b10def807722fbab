"""The files that a command writes because they were named: there as a whole or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from wallaroo_ext._util.atomic_files import atomic_writer
from wallaroo_ext.cli.printing.output import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Generator
    from pathlib import Path
    from typing import BinaryIO


def check_output(file: Path, endings: Collection[str] = ()) -> None:
    """Refuse a file that cannot be written, before any work is done for it.

    Args:
        file: The file.
        endings: The endings that its name may have; any where there are none.

    Raises:
        UsageError: Its directory is not there, it is one itself, or its name has another ending.
    """
    if endings and file.suffix.lower() not in endings:
        raise UsageError(f"--output {file}: the name has to end in {', '.join(endings)}.")
    if file.is_dir():
        raise UsageError(f"--output {file} is a directory: name a file in it.")
    if not file.parent.is_dir():
        raise UsageError(f"There is no directory {file.parent} to write {file.name} to.")
    if file.is_symlink() and not file.resolve().parent.is_dir():
        raise UsageError(f"--output {file} is a link to where no file can be: name another file.")


@contextmanager
def open_output(file: Path) -> Generator[BinaryIO]:
    """Yield a file to write to, which takes the place of another one when the block ends well.

    A link is followed, as shells do: it stays, and what it leads to is replaced. What cannot be replaced, a device, a
    pipe, or a file that is open already such as /dev/stdout, is written to at its end.
    """
    if file.exists() and (not file.is_file() or _is_open_file(file)):
        with file.open("ab") as target:
            yield target
        return
    with atomic_writer(file.resolve()) as target:
        yield target


def _is_open_file(file: Path) -> bool:
    """Whether a path leads to one of the files that a process has open, by the links that the system has for them."""
    while file.is_symlink():
        if file.parent.name == "fd" and file.parent.resolve().is_relative_to("/proc"):
            return True
        file = file.parent / file.readlink()
    return False
