"""The standard input, where a command is given `-` for a file."""

from __future__ import annotations

import sys
from typing import BinaryIO

from wallaroo_ext.cli.printing.output import UsageError


def standard_input() -> BinaryIO:
    """Return the standard input, as bytes.

    Raises:
        UsageError: There is none.
    """
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] - it is where it was closed
        raise UsageError("There is no standard input: it was closed. Name a file.")
    return sys.stdin.buffer
