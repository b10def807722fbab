"""Splitting a large body, whose content is in several buffers, into chunks of a good size to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHUNK_SIZE = 1 << 18


def split_into_chunks(buffers: Sequence[memoryview]) -> Iterator[bytes | memoryview]:
    """Yield the content in chunks: small buffers joined, large ones cut.

    Whatever a socket does not take at once is copied, which would be nearly all of one large chunk.
    """
    small = bytearray()
    for buffer in buffers:
        if len(small) + buffer.nbytes <= CHUNK_SIZE:
            small += buffer
            continue
        if small:
            yield bytes(small)
            small.clear()
        for start in range(0, buffer.nbytes, CHUNK_SIZE):
            yield buffer[start : start + CHUNK_SIZE]
    if small:
        yield bytes(small)
