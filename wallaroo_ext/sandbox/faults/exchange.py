"""A request that is going to fail: its operation can be carried out, and its connection be used in any way."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.http.protocol import dropping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LENGTH = b"content-length"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answered, and nobody has received yet.

    Attributes:
        start: The ASGI message with the status and the headers.
        body: The whole body.
    """

    start: Message
    body: bytes

    def cut(self, length: int) -> Answer:
        """Return an answer of the first bytes of this one, which announces as many."""
        headers = [(name, value) for name, value in self.start["headers"] if name != _LENGTH]
        start = dict(self.start) | {"headers": [*headers, (_LENGTH, str(length).encode())]}
        return Answer(start, self.body[:length])


class Exchange:
    """One request, and the connection that it came on.

    Args:
        app: What carries out the operation.
        scope: The request, as ASGI has it.
        receive: Its body.
        send: Takes the answer.
        options: The fields of the rule that it met.
        handled: Whether the operation is to be carried out.
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
        """Carry out the operation, whose answer is sent as it is."""
        await self._app(self._scope, self._receive, self._send)

    async def handle(self) -> Answer:
        """Carry out the operation, and keep its answer back."""
        starts: list[Message] = []
        parts: list[bytes] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                starts.append(message)
            else:
                parts.append(message.get("body", b""))

        await self._app(self._scope, self._receive, keep)
        return Answer(starts[0], b"".join(parts))

    async def answer(self, response: Response) -> None:
        """Send another answer than the operation's own, which is carried out before if that is asked for."""
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
        """Wait until so many bytes of the request's body have arrived, or all that there are."""
        more = True
        while size > 0 and more:
            message = await self._receive()
            size -= len(message.get("body", b""))
            more = message.get("more_body", False)

    async def drop(self, *, reset: bool) -> None:
        """End the connection.

        Args:
            reset: Whether it is reset; otherwise it is closed.
        """
        await dropping(self._scope)(reset=reset)
        await self._until_disconnected()  # to return before is, to the server, an answer that was forgotten

    async def pause(self, seconds: float) -> bool:
        """Wait, after the request has been read, as long as the client is there; whether it is."""
        gone = asyncio.ensure_future(self._until_disconnected())
        try:
            done, _ = await asyncio.wait({gone}, timeout=seconds)
        finally:
            gone.cancel()
        return not done

    async def _until_disconnected(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
