"""What the sandbox and its model processes say to each other: an object of JSON and bytes, over a Unix socket."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from wallaroo_ext._util.json_values import object_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIZES = struct.Struct("<IQ")
_MAX_HEADER = 16 << 20
_SMALL = 1 << 16


class BrokenMessageError(Exception):
    """The other side has ended, or says what no message is."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message.

    Attributes:
        header: The object of JSON.
        content: The bytes.
    """

    header: dict[str, Any]
    content: memoryview


def send(connection: socket.socket, header: dict[str, Any], pieces: Sequence[Any] = ()) -> None:
    """Send a message.

    Args:
        connection: Where to.
        header: The object of JSON.
        pieces: The bytes, one piece after the other.

    Raises:
        OSError: The other side has ended.
    """
    views = [memoryview(piece).cast("B") for piece in pieces if len(piece)]
    size = sum(view.nbytes for view in views)
    text = orjson.dumps(header)
    head = _SIZES.pack(len(text), size) + text
    if size <= _SMALL:
        connection.sendall(b"".join([head, *views]))
        return
    connection.sendall(head)
    for view in views:
        connection.sendall(view)


def receive(connection: socket.socket, most: int) -> Message:
    """Return the next message.

    Args:
        connection: Where from.
        most: How large its bytes may be.

    Raises:
        BrokenMessageError: There is none, or it is larger.
    """
    try:
        header_size, size = _SIZES.unpack(_read(connection, _SIZES.size))
        if header_size > _MAX_HEADER or size > most:
            raise BrokenMessageError(f"a message of {header_size} and {size} bytes")
        header = object_of(orjson.loads(_read(connection, header_size)))
        return Message(header, _read(connection, size))
    except (OSError, ValueError, MemoryError) as error:
        raise BrokenMessageError(str(error) or type(error).__name__) from None


def _read(connection: socket.socket, size: int) -> memoryview:
    """So many bytes; they come in one piece, unless a signal or a time-out of the socket is in between."""
    content = b""
    while len(content) < size:
        piece = connection.recv(size - len(content), socket.MSG_WAITALL)
        if not piece:
            raise BrokenMessageError("the other side has ended")
        content = content + piece if content else piece
    return memoryview(content)
