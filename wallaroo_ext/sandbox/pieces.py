"""A large answer, sent from the memory that its pieces are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.types import Receive, Scope, Send

_AT_ONCE = 1 << 18


class PiecesResponse(Response):
    """An answer of known length whose content is in several places.

    It is sent a part at a time: what a socket does not take at once is copied, and of one large part nearly all is.

    Args:
        pieces: The content, in order.
        media_type: Its media type.
    """

    def __init__(self, pieces: Sequence[memoryview], media_type: str) -> None:
        self._pieces = pieces
        length = sum(piece.nbytes for piece in pieces)
        super().__init__(headers={"Content-Length": str(length)}, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        del scope, receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for part in _parts(self._pieces):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _parts(pieces: Sequence[memoryview]) -> Iterator[bytes | memoryview]:
    """The content in parts of a good size: small pieces joined, large ones cut."""
    small = bytearray()
    for piece in pieces:
        if len(small) + piece.nbytes <= _AT_ONCE:
            small += piece
            continue
        if small:
            yield bytes(small)
            small.clear()
        for start in range(0, piece.nbytes, _AT_ONCE):
            yield piece[start : start + _AT_ONCE]
    if small:
        yield bytes(small)
