"""Pieces of any size as pieces of one size: small ones cost a call each, and large ones memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 256 * 1024
"""How many bytes are read, hashed and sent at a time. Larger ones are copied more often where the network is slower."""

_ENOUGH = PIECE // 4


class Evened:
    """Takes pieces of any size, and gives pieces of `PIECE` bytes, the last one smaller.

    A piece of about the right size is passed on as it is, without a copy.
    """

    def __init__(self) -> None:
        self._held = bytearray()

    def add(self, piece: Any) -> Iterator[bytes]:
        """Take a piece; give what is whole.

        Raises:
            InvalidDataError: It is no bytes.
        """
        view = as_bytes(piece)
        if isinstance(piece, bytes) and not self._held and _ENOUGH <= len(piece) <= PIECE:
            yield piece
            return
        begin = 0
        while begin < len(view):
            end = begin + PIECE - len(self._held)
            self._held += view[begin:end]  # a copy: who gave the piece may write into it again
            begin = end
            if len(self._held) == PIECE:
                yield from self.rest()

    def rest(self) -> Iterator[bytes]:
        """Give what is left."""
        if self._held:
            whole = bytes(self._held)
            self._held.clear()
            yield whole


def as_bytes(piece: Any) -> memoryview:
    """The bytes of an object, without a copy.

    Raises:
        InvalidDataError: It has none.
    """
    try:
        return memoryview(piece).cast("B")
    except TypeError:
        raise InvalidDataError(
            f"A model consists of bytes, not of {type(piece).__name__}. Open a file with the mode 'rb'."
        ) from None
