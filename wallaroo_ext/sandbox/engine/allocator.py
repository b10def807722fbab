"""Settings of the C library's memory allocator."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT = 128 << 20
_LARGEST_KEPT = 32 << 20  # the largest value that glibc accepts


def keep_memory() -> None:
    """Keep up to 128 MiB of freed memory for the next request, if the C library is glibc.

    By default, glibc returns large blocks to the system after each request and requests them again for the next one; on
    a virtual machine, this can take longer than the request itself.
    """
    if not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
