"""A copy of what can be read once only, or in one direction only, which can be opened again and again."""

from __future__ import annotations

import io
import os
import tempfile
from typing import IO, TYPE_CHECKING, Any, Self

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from types import TracebackType

    from wallaroo_ext._util.files.readable import Readable

PIECE = 1 << 20
_IN_MEMORY = 64 << 20


class TemporaryCopy:
    """Bytes in memory, or in a temporary file where they are many; a context, at whose end they are gone."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed at the end of the context

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bytes."""
        self._file.close()

    def write(self, piece: bytes) -> None:
        """Add bytes."""
        self._file.write(piece)

    def write_all(self, stream: Readable, most: int | None = None) -> None:
        """Add all bytes of a stream.

        Args:
            stream: The stream.
            most: How many bytes it may have; None for any number.

        Raises:
            InvalidDataError: It has more, so that it may be made to fill the disk.
        """
        while piece := stream.read(PIECE):
            self._file.write(piece)
            if most is not None and self._file.tell() > most:
                raise InvalidDataError(
                    f"unpacked it has more than {most:,} bytes: unpack it, and score it by infer_dataset "
                    "(wallaroo-ext batch)."
                )

    def open(self) -> IO[bytes]:
        """Open the bytes for reading, with a position of its own."""
        return io.BufferedReader(_Reader(self._file), PIECE)


class _Reader(io.RawIOBase):
    """Reads a file with a position of its own, and leaves it open."""

    def __init__(self, file: Any) -> None:
        super().__init__()
        self._file = file
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes into a buffer, and return how many; 0 at the end."""
        self._file.seek(self._position)
        found = self._file.read(len(buffer))
        buffer[: len(found)] = found
        self._position += len(found)
        return len(found)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position, and return it."""
        self._file.seek(0, os.SEEK_END)
        before = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._file.tell()}[whence]
        self._position = max(0, before + offset)
        return self._position
