"""What readers of files ask of an open file, whichever library opened it."""

from __future__ import annotations

from typing import Protocol


class Readable(Protocol):
    """A file of Python or of pyarrow that is open for reading."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; empty at the end."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...
