"""The body of a request whose content is in several places in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from wallaroo_ext.pieces import parts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence


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
