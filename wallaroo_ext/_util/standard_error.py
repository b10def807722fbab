"""Standard error, for what is shown beside a result: nothing fails because it is closed, full or gone."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any


class StandardError:
    """Writes to what `sys.stderr` is at the time; to nothing where a program has none, or it takes no more."""

    @property
    def encoding(self) -> str:
        """The encoding of what is written."""
        return getattr(_stream(), "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        with suppress(AttributeError, ValueError, OSError):  # there is none, or it is closed
            return bool(_stream().isatty())
        return False

    def write(self, text: str) -> int:
        """Write a text."""
        with suppress(AttributeError, ValueError, OSError):
            _stream().write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is still in a buffer."""
        with suppress(AttributeError, ValueError, OSError):
            _stream().flush()


STANDARD_ERROR = StandardError()


def print_error_line(text: str) -> None:
    """Print a line on standard error, at once."""
    STANDARD_ERROR.write(f"{text}\n")
    STANDARD_ERROR.flush()


def _stream() -> Any:
    """Return standard error itself, also while a bar of rich stands in for it."""
    return getattr(sys.stderr, "rich_proxied_file", sys.stderr)
