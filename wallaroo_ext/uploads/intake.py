"""A model's bytes on their way into a request: counted, checked, hashed, and in pieces of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext.uploads.pieces import Evened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallaroo_ext.uploads.digest import BackgroundDigest
    from wallaroo_ext.uploads.sources import Source


class Intake:
    """Takes the pieces of a source, and gives those to send.

    It is one piece behind: the last one is given when everything has been read and found to be as it was announced, so
    that an instance never has the whole of a file that is not.

    Args:
        source: What the bytes come from.
        digest: Takes the bytes, too; None for nobody.
    """

    def __init__(self, source: Source, digest: BackgroundDigest | None) -> None:
        self._source = source
        self._digest = digest
        self._evened = Evened()
        self._held = b""
        self._end = 0

    def push(self, piece: Any) -> Iterator[bytes]:
        """Take a piece.

        Raises:
            InvalidDataError: It is no bytes, or one that was not announced.
        """
        for even in self._evened.add(piece):
            yield from self._passed(even)

    def last(self) -> Iterator[bytes]:
        """Take the end.

        Raises:
            InvalidDataError: The source has ended too early, is empty, or has changed.
        """
        for even in self._evened.rest():
            yield from self._passed(even)
        self._source.check_end(self._end)
        yield self._held

    def _passed(self, piece: bytes) -> Iterator[bytes]:
        self._end += len(piece)
        self._source.check_room(self._end)
        if self._digest is not None:
            self._digest.feed(piece)
        if self._held:
            yield self._held
        self._held = piece
