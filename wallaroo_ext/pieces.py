"""A large body whose content is in several places in memory, in parts of a good size to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

AT_ONCE = 1 << 18


def parts(pieces: Sequence[memoryview]) -> Iterator[bytes | memoryview]:
    """The content in parts: small pieces joined, large ones cut.

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


class PiecesStream(httpx.ByteStream):
    """The body of a request over memory that is there already; like httpx's own in memory, it can be sent again.

    Args:
        pieces: The content, in order. It must not change until the answer is there.

    Attributes:
        length: How long the content is, in bytes.
    """

    def __init__(self, pieces: Sequence[memoryview]) -> None:
        self._pieces = pieces
        self.length = sum(piece.nbytes for piece in pieces)

    def __iter__(self) -> Iterator[bytes]:
        for part in parts(self._pieces):
            yield bytes(part)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in parts(self._pieces):
            yield bytes(part)
