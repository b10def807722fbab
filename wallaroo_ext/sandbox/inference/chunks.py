"""A large answer, sent from the memory that its pieces are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from wallaroo_ext._util.chunks import split_into_chunks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Receive, Scope, Send


class PiecesResponse(Response):
    """An answer of known length whose content is in several places.

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
        for part in split_into_chunks(self._pieces):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
