"""What the process does with memory that it no longer needs."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT = 128 << 20
_LARGEST_KEPT = 32 << 20  # the largest value that the C library takes


def keep_memory() -> None:
    """Keep what one large request used for the next one, up to 128 MiB, where the C library is glibc.

    It would give it back to the system after each request and take it anew for the next one; on a virtual machine,
    taking memory can cost more than everything that is done with it.
    """
    if not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
