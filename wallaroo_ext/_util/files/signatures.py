"""The first bytes of files with rows, which tell their format whatever the files are called."""

from __future__ import annotations

ARROW_FILE = b"ARROW1"
"""An Arrow IPC file, which ends with them, too."""

ARROW_MESSAGE = b"\xff\xff\xff\xff"
"""An Arrow IPC stream, or a serialised schema alone. Base64 never begins with them."""

FEATHER_1 = b"FEA1"
"""A Feather file of version 1; one of version 2 is an Arrow IPC file."""

PARQUET = b"PAR1"
"""A Parquet file."""

TAR = slice(257, 262)
"""Where an archive of tar has its signature."""


def is_tar(head: bytes) -> bool:
    """Return whether a file is an archive of tar, by its first bytes."""
    return head[TAR] == b"ustar"
