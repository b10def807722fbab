"""A directory whose files are there as a whole or not at all, on any file system."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from wallaroo_ext._util.after_fork import keep_from_children, leave_alone, this_process
from wallaroo_ext.batch.filesystems import resolved

if TYPE_CHECKING:
    from collections.abc import Generator

    from pyarrow import NativeFile

pa: Any = import_module("pyarrow")
fs: Any = import_module("pyarrow.fs")

UNFINISHED = ".unfinished-"
"""What the names of files begin with that are being written."""


class Storage:
    """A directory.

    Args:
        place: Its path, or its URL.
        filesystem: pyarrow's or fsspec's file system that it is in.
    """

    def __init__(self, place: str | os.PathLike[str], filesystem: Any = None) -> None:
        self._system: Any
        self._system, self._base = resolved(place, filesystem)
        self.place = os.fspath(place)

    @property
    def local(self) -> str | None:
        """Its path, where it is on this machine."""
        return self._base if isinstance(self._system, fs.LocalFileSystem) else None

    def path(self, name: str) -> str:
        """The path of a file in its file system."""
        return f"{self._base.rstrip('/')}/{name}"

    def make(self) -> None:
        """Make the directory, unless it is there."""
        self._system.create_dir(self._base, recursive=True)

    def names(self) -> list[str]:
        """The names of what is in it, hidden files among them; none where it is not there."""
        infos = self._system.get_file_info(fs.FileSelector(self._base, allow_not_found=True))
        return sorted(PurePosixPath(info.path).name for info in infos)

    def read(self, name: str) -> bytes:
        """What is in a file; nothing where it is not there."""
        if self._system.get_file_info(self.path(name)).type == fs.FileType.NotFound:
            return b""
        with self._system.open_input_stream(self.path(name)) as opened:
            return opened.read()

    def remove(self, name: str) -> None:
        """Remove a file."""
        self._system.delete_file(self.path(name))

    @contextmanager
    def writing(self, name: str) -> Generator[NativeFile]:
        """A file to write to, which takes its name, and the place of an older one, when the block ends well.

        On this machine it is on the disk by then. A process that is forked meanwhile leaves the file to its parent.
        """
        temporary, process = self.path(f"{UNFINISHED}{uuid4().hex[:12]}-{name}"), this_process()
        try:
            with self._open(temporary) as opened:
                try:
                    yield opened
                finally:
                    if not process.is_this:
                        leave_alone(opened)
            process.check(f"The file {name}")
            if self.local is None:
                self._system.move(temporary, self.path(name))
            else:
                _sync(temporary)
                os.replace(temporary, self.path(name))  # noqa: PTH105 - the paths are pyarrow's texts
                _sync(self._base)
        except BaseException:
            if process.is_this:
                with suppress(OSError):
                    self._system.delete_file(temporary)
            raise

    def _open(self, path: str) -> Any:
        """A new file to write to, which no forked process can write to."""
        if self.local is None:
            return self._system.open_output_stream(path)
        opened = pa.OSFile(path, "wb")
        keep_from_children(opened.fileno())
        return opened


def _sync(path: str) -> None:
    """Have the system write a file or a directory to the disk."""
    if os.name == "nt" and os.path.isdir(path):  # noqa: PTH112 - Windows opens no directories
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
