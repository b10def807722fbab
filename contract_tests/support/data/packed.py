"""Compressing bytes in each way that files of rows may be compressed."""

from __future__ import annotations

import bz2
import gzip
import lzma
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

arrow: Any = pa


def _by_arrow(name: str) -> Callable[[bytes], bytes]:
    def compress(content: bytes) -> bytes:
        sink = arrow.BufferOutputStream()
        with arrow.CompressedOutputStream(sink, name) as stream:
            stream.write(content)
        return sink.getvalue().to_pybytes()

    return compress


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": _by_arrow("zstd"),
    ".lz4": _by_arrow("lz4"),
}
"""Functions that compress, by the suffix of what they make."""
