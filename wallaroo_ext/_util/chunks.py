"""A large body whose content is in several places in memory, in parts of a good size to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

AT_ONCE = 1 << 18


def parts(pieces: Sequence[memoryview]) -> Iterator[bytes | memoryview]:
    """Yield the content in parts: small pieces joined, large ones cut.

    What a socket does not take at once is copied, and of one large part nearly all is.
    """
    small = bytearray()
    for piece in pieces:
        if len(small) + piece.nbytes <= AT_ONCE:
            small += piece
            continue
        if small:
            yield bytes(small)
            small.clear()
        for start in range(0, piece.nbytes, AT_ONCE):
            yield piece[start : start + AT_ONCE]
    if small:
        yield bytes(small)
