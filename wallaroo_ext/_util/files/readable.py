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


_OF_FILES = ("readline", "readinto", "seek")


def is_file(source: object) -> bool:
    """Return whether an object is an open file, or names one by a path or a URL."""
    if isinstance(source, str | os.PathLike):
        return True
    return callable(getattr(source, "read", None)) and not yields_frames(source)


def yields_frames(source: object) -> bool:
    """Return whether an object reads a file into frames one after another, as `pandas.read_csv(…, chunksize=…)`.

    Its `read` returns a frame, and it has nothing else of an open file.
    """
    is_reader = hasattr(source, "read") and hasattr(source, "__next__")
    return is_reader and not any(hasattr(source, ability) for ability in _OF_FILES)
