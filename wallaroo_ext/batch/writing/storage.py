"""A directory whose files are there as a whole or not at all, on any file system."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.after_fork import prevent_finalization, this_process
from wallaroo_ext._util.atomic_files import atomic_writer, temporary_name
from wallaroo_ext._util.user_paths import user_text
from wallaroo_ext.batch.filesystems import resolved
from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    import os
    from collections.abc import Generator
    from typing import BinaryIO

    from pyarrow import NativeFile

    from wallaroo_ext.batch.reading.data_source import Source

fs: Any = import_module("pyarrow.fs")


class Storage:
    """A directory.

    Args:
        place: Its path, or its URL.
        filesystem: pyarrow's or fsspec's file system that it is in.
    """

    def __init__(self, place: str | os.PathLike[str], filesystem: Any = None) -> None:
        self._system: Any
        self._system, self._base = resolved(place, filesystem)
        self.place = user_text(place)

    @property
    def local(self) -> str | None:
        """Its path, where it is on this machine."""
        return self._base if isinstance(self._system, fs.LocalFileSystem) else None

    def check_outside(self, source: Source) -> None:
        """Raise InvalidDataError if the source reads files of this directory, or would at the next call."""
        if source.reads(self._system, self._base):
            raise InvalidDataError(
                f"{self.place} is in the source, which would read what is written there: name a directory outside."
            )

    def path(self, name: str) -> str:
        """Return the path of a file in its file system."""
        return f"{self._base.rstrip('/')}/{name}"

    def make(self) -> None:
        """Make the directory, unless it is there."""
        self._system.create_dir(self._base, recursive=True)

    def is_other_than_directory(self) -> bool:
        """Whether something else is at its place, such as a file, or a file is where a directory above it would be."""
        base = PurePosixPath(self._base)
        places = [base, *base.parents] if self.local is not None else [base]
        kinds = (self._system.get_file_info(str(place)).type for place in places)
        return (
            next((kind for kind in kinds if kind != fs.FileType.NotFound), fs.FileType.Directory)
            != fs.FileType.Directory
        )

    def names(self) -> list[str]:
        """Return the names of what is in it, hidden files among them; none where it is not there."""
        infos = self._system.get_file_info(fs.FileSelector(self._base, allow_not_found=True))
        return sorted(PurePosixPath(info.path).name for info in infos)

    def is_link(self, name: str) -> bool:
        """Return whether a name in it is that of a link, which other file systems than the machine's do not have."""
        return self.local is not None and Path(self.path(name)).is_symlink()

    def read(self, name: str) -> bytes:
        """Return what is in a file; nothing where it is not there."""
        if self._system.get_file_info(self.path(name)).type == fs.FileType.NotFound:
            return b""
        with self._system.open_input_stream(self.path(name)) as opened:
            return opened.read()

    def remove(self, name: str) -> None:
        """Remove a file."""
        self._system.delete_file(self.path(name))

    @contextmanager
    def writing(self, name: str) -> Generator[NativeFile | BinaryIO]:
        """Yield a file to write to, which takes its name, and the place of an older one, when the block ends well.

        On this machine it is on the disk by then. A process that is forked meanwhile leaves the file to its parent.
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
                prevent_finalization(opened)  # to close it would complete the file
                raise
            with suppress(OSError):
                opened.close()
            with suppress(OSError):
                self._system.delete_file(temporary)
            raise
