"""What readers of files ask of an open file, whichever library opened it."""

from __future__ import annotations

import os
from typing import Protocol


class Readable(Protocol):
    """A file of Python or of pyarrow that is open for reading."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; empty at the end."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def is_file(source: object) -> bool:
    """Return whether an object is an open file, or names one by a path or a URL."""
    return isinstance(source, str | os.PathLike) or callable(getattr(source, "read", None))
