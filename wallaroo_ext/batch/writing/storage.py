"""Writing whole files to a directory on any file system."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from importlib import import_module
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.after_fork import prevent_finalization, this_process
from wallaroo_ext._util.files.atomic_files import atomic_writer, temporary_name
from wallaroo_ext._util.files.user_paths import user_text
from wallaroo_ext._util.locations import is_url, without_secrets
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.opening.filesystems import resolve

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import BinaryIO

    from pyarrow import NativeFile

    from wallaroo_ext.batch.reading.data_source import Source

fs: Any = import_module("pyarrow.fs")


def _check(location: object) -> None:
    if not isinstance(location, str | PathLike):
        raise InvalidDataError(
            f"The target is {location!r}, which is no directory.", advice="Give the path or the URL of one."
        )


class Storage:
    """A directory on any file system, whose files are written completely or not at all.

    Args:
        location: The path or the URL of the directory.
        filesystem: Its file system, of pyarrow or fsspec; without one, that of the URL, or this machine's.

    Attributes:
        location: The path or the URL as a text for people, without what may be secret in it.
    """

    def __init__(self, location: str | PathLike[str], filesystem: Any = None) -> None:
        _check(location)
        self._system: Any
        self._system, self._base = resolve(location, filesystem)
        self.location = without_secrets(user_text(location))

    @property
    def local(self) -> str | None:
        """The path of the directory if it is on this machine, else None."""
        return self._base if isinstance(self._system, fs.LocalFileSystem) else None

    def check_outside(self, source: Source) -> None:
        """Raise InvalidDataError if the source reads files of this directory, or would at the next call."""
        if source.reads(self._system, self._base):
            raise InvalidDataError(
                f"{self.location} is in the source, which would read what is written there: name a directory outside."
            )

    def path(self, name: str) -> str:
        """Return the path of a file of the directory."""
        return f"{self._base.rstrip('/')}/{name}"

    def shown(self, name: str) -> str:
        """Return a file of the directory for people: below the URL of the directory, if that is on another machine."""
        is_elsewhere = self.local is None and is_url(self.location)
        return f"{self.location.rstrip('/')}/{name}" if is_elsewhere else self.path(name)

    def make(self) -> None:
        """Make the directory, unless it exists."""
        self._system.create_dir(self._base, recursive=True)

    def is_blocked(self) -> bool:
        """Return whether something other than a directory has this path, or the path of a directory above."""
        base = PurePosixPath(self._base)
        paths = [base, *base.parents] if self.local is not None else [base]
        kinds = (self._system.get_file_info(str(path)).type for path in paths)
        existing = next((kind for kind in kinds if kind != fs.FileType.NotFound), fs.FileType.Directory)
        return existing != fs.FileType.Directory

    def names(self) -> list[str]:
        """Return the names of all files in the directory, also hidden ones; empty if the directory does not exist."""
        infos = self._system.get_file_info(fs.FileSelector(self._base, allow_not_found=True))
        return sorted(PurePosixPath(info.path).name for info in infos)

    def is_link(self, name: str) -> bool:
        """Return whether a file is a symbolic link, which exists on this machine's file system only."""
        return self.local is not None and Path(self.path(name)).is_symlink()

    def read(self, name: str) -> bytes:
        """Return the content of a file; empty if the file does not exist."""
        if self._system.get_file_info(self.path(name)).type == fs.FileType.NotFound:
            return b""
        with self._system.open_input_stream(self.path(name)) as opened:
            return opened.read()

    def remove(self, name: str) -> None:
        """Remove a file."""
        self._system.delete_file(self.path(name))

    @contextmanager
    def writing(self, name: str) -> Generator[NativeFile | BinaryIO]:
        """Yield a file to write to, which gets its name and replaces an older one when the block ends without an error.

        On this machine, it is on the disk by then. A process that is forked meanwhile leaves the file to its parent.
        """
        if self.local is not None:
            with atomic_writer(Path(self.path(name)), durable=True) as opened:
                yield opened
            return
        temporary, process = self.path(temporary_name(name)), this_process()
        opened = self._system.open_output_stream(temporary)
        try:
            yield opened
            process.check(f"The file {name}")
            opened.close()
            self._system.move(temporary, self.path(name))
        except BaseException:
            if not process.is_this:
                prevent_finalization(opened)  # closing it would complete the file
                raise
            with suppress(OSError):
                opened.close()
            with suppress(OSError):
                self._system.delete_file(temporary)
            raise
