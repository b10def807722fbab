"""Requests and answers as values, between a server and an ASGI application."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = tuple[tuple[bytes, bytes], ...]

JSON = "application/json"
RAW = "contract_tests.raw"
"""The extension of a scope by which bytes are written to its connection as they are."""
_TYPE, _LENGTH = b"content-type", b"content-length"


def _header(headers: Headers, name: bytes) -> str:
    return next((value.decode("latin-1") for found, value in headers if found.lower() == name), "")


def _with_header(headers: Headers, name: bytes, value: str) -> Headers:
    return (*((found, kept) for found, kept in headers if found.lower() != name), (name, value.encode("latin-1")))


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose body was read.

    Attributes:
        path: Its path.
        query: Its query, as it came.
        headers: Its headers.
        body: Its body.
        method: Its method.
    """

    path: str
    query: bytes
    headers: Headers
    body: bytes
    method: str = "POST"

    def header(self, name: str) -> str:
        """Return a header, by its name in lower case; empty where it is missing."""
        return _header(self.headers, name.encode())

    def with_header(self, name: str, value: str) -> Request:
        """Return the request with a header in place of those of its name, which is in lower case."""
        return replace(self, headers=_with_header(self.headers, name.encode(), value))

    def with_body(self, body: bytes) -> Request:
        """Return the request with another body."""
        return replace(self, body=body, headers=_with_header(self.headers, _LENGTH, str(len(body))))

    @property
    def json(self) -> Any:
        """Its body's JSON; None where it is none."""
        return _json(self.body)

    def with_json(self, value: Any) -> Request:
        """Return the request with another body of JSON."""
        return self.with_body(json.dumps(value).encode())


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    Attributes:
        status: Its status.
        headers: Its headers.
        body: Its body.
        behind: What the server sends behind it, which belongs to no answer.
    """

    status: int
    headers: Headers
    body: bytes
    behind: bytes = b""

    @staticmethod
    def of(status: int, value: Any) -> Answer:
        """Return an answer of JSON."""
        return Answer(status, ((_TYPE, JSON.encode()),), b"").with_json(value)

    @property
    def media_type(self) -> str:
        """Its media type, without parameters."""
        return _header(self.headers, _TYPE).partition(";")[0]

    def with_media_type(self, media_type: str) -> Answer:
        """Return the answer with another media type."""
        return replace(self, headers=_with_header(self.headers, _TYPE, media_type))

    def with_header(self, name: str, value: str) -> Answer:
        """Return the answer with a header in place of those of its name, which is in lower case."""
        return replace(self, headers=_with_header(self.headers, name.encode(), value))

    @property
    def json(self) -> Any:
        """Its body's JSON; None where it is none."""
        return _json(self.body) if self.media_type == JSON else None

    def with_json(self, value: Any) -> Answer:
        """Return the answer with another body of JSON."""
        body = json.dumps(value).encode()
        return replace(self, body=body, headers=_with_header(self.headers, _LENGTH, str(len(body))))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


async def read_request(scope: Scope, receive: Receive) -> Request:
    """Return the whole request of an ASGI scope."""
    chunks: list[bytes] = []
    more = True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return Request(scope["path"], scope["query_string"], tuple(scope["headers"]), b"".join(chunks), scope["method"])


async def call_app(app: ASGIApp, scope: Scope, request: Request) -> Answer:
    """Return the answer of an ASGI application to a request, whose client stays until it has the answer."""
    incoming: list[Message] = [{"type": "http.request", "body": request.body, "more_body": False}]
    outgoing: list[Message] = []

    async def receive() -> Message:
        if not incoming:
            await asyncio.Event().wait()  # an application that is told of a disconnection stops its answer
        return incoming.pop()

    async def send(message: Message) -> None:
        outgoing.append(message)

    changed: dict[str, Any] = {
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": request.query,
        "headers": list(request.headers),
        "state": {},
    }
    await app({**scope, **changed}, receive, send)
    start, *parts = outgoing
    body = b"".join(bytes(part.get("body", b"")) for part in parts)
    headers: Headers = tuple(start["headers"])
    has_length = any(name.lower() == _LENGTH for name, _ in headers)
    return Answer(start["status"], headers if has_length else _with_header(headers, _LENGTH, str(len(body))), body)


async def send_answer(answer: Answer, scope: Scope, send: Send) -> None:
    """Send an answer, and what comes behind it."""
    await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
    await send({"type": "http.response.body", "body": answer.body, "more_body": bool(answer.behind)})
    if answer.behind:
        scope["extensions"][RAW]["write"](answer.behind)
        await send({"type": "http.response.body", "body": b""})
