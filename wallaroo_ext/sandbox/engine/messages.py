"""The messages between the sandbox and its model processes: a JSON object and bytes, over a Unix socket."""

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
    """The other process has ended, or sent something that is no message."""


class LateMessageError(BrokenMessageError):
    """The other process sent no message in time."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message.

    Attributes:
        header: The JSON object.
        content: The bytes.
    """

    header: dict[str, Any]
    content: memoryview


def send(connection: socket.socket, header: dict[str, Any], chunks: Sequence[Any] = ()) -> None:
    """Send a message.

    Args:
        connection: The connection to the other process.
        header: The JSON object.
        chunks: The bytes, in chunks.

    Raises:
        OSError: The other process has ended.
    """
    views = [memoryview(chunk).cast("B") for chunk in chunks if len(chunk)]
    size = sum(view.nbytes for view in views)
    text = orjson.dumps(header)
    head = _SIZES.pack(len(text), size) + text
    if size <= _SMALL:
        connection.sendall(b"".join([head, *views]))
        return
    connection.sendall(head)
    for view in views:
        connection.sendall(view)


def receive(connection: socket.socket, max_size: int) -> Message:
    """Return the next message.

    Args:
        connection: The connection to the other process.
        max_size: The largest allowed number of bytes beside the JSON object.

    Raises:
        BrokenMessageError: The connection has ended, or the message is malformed or too large.
        LateMessageError: The connection has a timeout, and it is over.
    """
    try:
        header_size, size = _SIZES.unpack(_receive_exactly(connection, _SIZES.size))
        if header_size > _MAX_HEADER or size > max_size:
            raise BrokenMessageError(f"a message of {header_size} and {size} bytes")
        header = object_of(orjson.loads(_receive_exactly(connection, header_size)))
        return Message(header, _receive_exactly(connection, size))
    except TimeoutError as error:
        raise LateMessageError(str(error)) from None
    except (OSError, ValueError, MemoryError) as error:
        raise BrokenMessageError(str(error) or type(error).__name__) from None


def _receive_exactly(connection: socket.socket, size: int) -> memoryview:
    """Return the next `size` bytes, which arrive in one call unless a signal or a timeout of the socket intervenes."""
    content = b""
    while len(content) < size:
        chunk = connection.recv(size - len(content), socket.MSG_WAITALL)
        if not chunk:
            raise BrokenMessageError("the other process has ended")
        content = content + chunk if content else chunk
    return memoryview(content)
