"""HTTP as uvicorn speaks it, over connections that the application can end."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

_EXTENSION = "wallaroo.sandbox.connection"
_DISCARD_AND_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time


class DroppableProtocol(HttpToolsProtocol):
    """Gives the application, which ASGI lets answer and nothing else, a way to end the connection without an answer."""

    def on_headers_complete(self) -> None:
        """Begin a request: its scope gets the extension before the application sees it."""
        extensions: dict[str, dict[object, object]] = {_EXTENSION: {"drop": self._drop}}
        self.scope["extensions"] = extensions
        super().on_headers_complete()

    async def _drop(self, *, reset: bool) -> None:
        if not reset:
            self.transport.close()
            return
        if self.transport.get_write_buffer_size():  # for an empty buffer, TLS would never end the wait
            self.transport.set_write_buffer_limits(0)
            await self.flow.drain()
        connection: socket.socket | None = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DISCARD_AND_RESET)
        self.transport.abort()


def dropping(scope: MutableMapping[str, Any]) -> Callable[..., Awaitable[None]]:
    """What ends the connection of a request: an asynchronous function of the keyword `reset`.

    With `reset=False` the connection is closed as by a program that ends: what was sent before arrives. With
    `reset=True` it is reset as by a gateway that gives up: the client's next read fails, and of what it had not
    received by then, some may be lost.

    Raises:
        RuntimeError: The server is not one of DroppableProtocol.
    """
    try:
        return scope["extensions"][_EXTENSION]["drop"]
    except KeyError:
        raise RuntimeError("Connections can be dropped only where `wallaroo-ext sandbox` serves them.") from None
