"""The request that a fault is applied to: its operation, its answer and its connection."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.http.protocol import drop_connection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LENGTH = b"content-length"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of an operation before it is sent.

    Attributes:
        start: The ASGI message with the status and the headers.
        body: The whole body.
    """

    start: Message
    body: bytes

    def cut(self, length: int) -> Answer:
        """Return an answer with only the first bytes of the body, and the matching Content-Length."""
        headers = [(name, value) for name, value in self.start["headers"] if name != _LENGTH]
        start = dict(self.start) | {"headers": [*headers, (_LENGTH, str(length).encode())]}
        return Answer(start, self.body[:length])


class Exchange:
    """One request and its connection.

    Args:
        app: The application that performs the operation.
        scope: The ASGI scope of the request.
        receive: Receives the body of the request.
        send: Sends the answer.
        options: The fields of the rule that applies.
        handled: Whether the operation is performed.
    """

    def __init__(
        self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, options: Mapping[str, Any], *, handled: bool
    ) -> None:
        self.options = options
        self.handled = handled
        self._app = app
        self._scope = scope
        self._receive = receive
        self._send = send

    async def pass_on(self) -> None:
        """Perform the operation and send its answer unchanged."""
        await self._app(self._scope, self._receive, self._send)

    async def handle(self) -> Answer:
        """Perform the operation, and return its answer without sending it."""
        starts: list[Message] = []
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                starts.append(message)
            else:
                parts.append(message.get("body", b""))

        await self._app(self._scope, self._receive, collect)
        return Answer(starts[0], b"".join(parts))

    async def answer(self, response: Response) -> None:
        """Send a given answer, after performing the operation if the rule says so."""
        if self.handled:
            await self.handle()
        await response(self._scope, self._receive, self._send)

    async def begin(self, answer: Answer) -> None:
        """Send the status and the headers."""
        await self._send(answer.start)

    async def send(self, body: bytes, *, last: bool) -> None:
        """Send a piece of the body."""
        await self._send({"type": "http.response.body", "body": body, "more_body": not last})

    async def read(self, size: int) -> None:
        """Wait until this many bytes of the request's body have arrived, or the whole body."""
        more = True
        while size > 0 and more:
            message = await self._receive()
            size -= len(message.get("body", b""))
            more = message.get("more_body", False)

    async def drop(self, *, reset: bool) -> None:
        """End the connection.

        Args:
            reset: Whether the connection is reset rather than closed.
        """
        await drop_connection(self._scope, reset=reset)
        await self._until_disconnected()  # returning earlier, without an answer, is an error to the server

    async def pause(self, seconds: float) -> bool:
        """Wait once the request has been read. Return False as soon as the client disconnects, else True."""
        disconnected = asyncio.ensure_future(self._until_disconnected())
        try:
            done, _ = await asyncio.wait({disconnected}, timeout=seconds)
        finally:
            disconnected.cancel()
        return not done

    async def _until_disconnected(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
