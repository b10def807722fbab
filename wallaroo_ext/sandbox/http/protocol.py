"""HTTP as uvicorn speaks it, with limits and time-outs, over connections that the application can end."""

from __future__ import annotations

import logging
import socket
import struct
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, MutableMapping

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

HEAD_LIMIT = 64 * 1024
"""How many bytes the head of a request may have, and what stands between two pieces of a body in chunks."""
FIELDS_LIMIT = 100
HEAD_SECONDS = 20.0
"""How long a connection may take to send a whole head, from when it was opened or from the answer before."""
BODY_SECONDS = 30.0
WRITE_SECONDS = 60
LEAST_RATE = 500
"""How many bytes a second a body, or the reading of an answer, has to come to once those times are over."""
TICK_SECONDS = 1.0
"""How often `expire` is called."""

_PIPELINED_LIMIT = 16
_LINGER_SECONDS = 2.0
_STALLED_TICKS = 2
_EXTENSION = "wallaroo.sandbox.connection"
_DISCARD_AND_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time

_log = logging.getLogger(__name__)


class _RefusedError(Exception):
    """A request that is not to be read further."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


_MALFORMED = _RefusedError(HTTPStatus.BAD_REQUEST, "The request is not HTTP, or is ambiguous.")
_LONG_URL = _RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG, f"A URL may have {HEAD_LIMIT} bytes.")
_LONG_HEAD = _RefusedError(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    f"The head of a request may have {HEAD_LIMIT} bytes and {FIELDS_LIMIT} fields.",
)
_PADDED_BODY = _RefusedError(
    HTTPStatus.BAD_REQUEST, f"Between two pieces of a body there may be {HEAD_LIMIT} bytes, and in its trailers."
)
_NO_HOST = _RefusedError(HTTPStatus.BAD_REQUEST, "The request has to have one Host header.")
_SINGLE = ("authorization", "content-type", "origin", "sec-fetch-site")
"""Which headers a request may have once: of two, one server reads the first and another one the last."""
_TWICE = _RefusedError(
    HTTPStatus.BAD_REQUEST, f"Of each of these headers the request may have one: {', '.join(_SINGLE)}."
)
_AMBIGUOUS_LENGTH = _RefusedError(
    HTTPStatus.BAD_REQUEST, "The request has to say in one way how long its body is: Content-Length, or chunked."
)
_OTHER_VERSION = _RefusedError(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "Send HTTP/1.1.")
_NO_UPGRADE = _RefusedError(  # of such a request, httptools takes the body for another protocol
    HTTPStatus.BAD_REQUEST, "There is no protocol to upgrade to: send the body without the header Upgrade."
)
_TOO_MANY_AT_ONCE = _RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "Wait for answers before sending further requests.")
_SLOW = _RefusedError(HTTPStatus.REQUEST_TIMEOUT, "The request took too long to arrive.")


class DroppableProtocol(HttpToolsProtocol):
    """Ends connections that send too much or too slowly, and lets the application end one without an answer.

    What is wrong with HTTP itself is answered here in plain text: 400, 408, 414, 431 and 505. Whoever runs the server
    calls `expire` every `TICK_SECONDS` on each connection.
    """

    _is_ended = False
    """Whether nothing that comes is looked at any more: the connection closes once what came before is answered."""
    _has_head = True
    """Whether the head of the last request is complete, so that what comes belongs to its body."""
    _unanswered = 0  # requests
    _between = 0  # bytes since the last piece of a body, or since the last message began or ended
    _received = _reading_ticks = _silent_ticks = 0  # of the body that is being read
    _write_ticks = _unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as uvicorn's
        """Begin; the time for the first head runs."""
        super().connection_made(transport)
        self._waiting_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Read what came, as far as the limits let it."""
        if self._is_ended or self.parser is None:
            return
        self._unset_keepalive_if_required()
        self._between += len(data)
        self._silent_ticks = 0
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end_after_answers()  # there is nothing to upgrade to, and what follows may be another protocol
        except httptools.HttpParserError as error:
            self._refuse(error.__context__ if isinstance(error.__context__, _RefusedError) else _MALFORMED)
        else:
            if self._between > HEAD_LIMIT:
                self._refuse(_PADDED_BODY if self._has_head else self._too_long())

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._has_head = False
        self._between = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the URL."""
        super().on_url(url)
        if len(self.url) > HEAD_LIMIT:
            raise self._too_long()

    def _too_long(self) -> _RefusedError:
        """Return what a head that is too long is refused with: it goes by the larger part."""
        return _LONG_URL if len(self.url) > HEAD_LIMIT // 2 else _LONG_HEAD

    def on_headers_complete(self) -> None:
        """Begin a request: its scope gets the extension before the application sees it."""
        self._check_head()
        self._has_head = True
        self._received = self._reading_ticks = 0
        extensions: dict[str, dict[object, object]] = {_EXTENSION: {"drop": self._drop}}
        self.scope["extensions"] = extensions
        super().on_headers_complete()
        self._unanswered += 1
        self.headers = []  # for trailers, which must not become headers of a request that was looked at already

    def _check_head(self) -> None:
        """Refuse a head that is too long, or one too many."""
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > HEAD_LIMIT or len(self.headers) > FIELDS_LIMIT:
            raise self._too_long()
        self._check_meaning()
        if len(self.pipeline) >= _PIPELINED_LIMIT:
            raise _TOO_MANY_AT_ONCE

    def _check_meaning(self) -> None:
        """Refuse a head that two servers could read in two ways."""
        version, has_upgrade = self._version_and_upgrade()
        if version not in {"1.0", "1.1"}:
            raise _OTHER_VERSION
        names = [name for name, _ in self.headers]
        hosts, lengths, codings = (names.count(name) for name in (b"host", b"content-length", b"transfer-encoding"))
        if hosts > 1 or (hosts == 0 and version == "1.1"):
            raise _NO_HOST
        if any(names.count(name.encode()) > 1 for name in _SINGLE):
            raise _TWICE
        if has_upgrade and (lengths or codings):
            raise _NO_UPGRADE
        if lengths + codings > 1 or (codings and (version == "1.0" or not self._is_chunked())):
            raise _AMBIGUOUS_LENGTH

    def _is_chunked(self) -> bool:
        """Return whether chunks are the only coding of the body: no other one is undone here."""
        return (b"transfer-encoding", b"chunked") in ((name, value.strip().lower()) for name, value in self.headers)

    def _version_and_upgrade(self) -> tuple[str, bool]:
        if self.parser is None:
            return "", False
        return self.parser.get_http_version(), self.parser.should_upgrade()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._between = 0
        self._received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request's body."""
        self._between = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request; the time for its head runs."""
        self._waiting_since = self.loop.time()
        self._unanswered -= 1
        super().on_response_complete()
        if self._is_ended and self._is_answered():
            self._close_gently()

    def resume_writing(self) -> None:
        """Write on, since the client has read most of what there was."""
        self._write_ticks = 0
        super().resume_writing()

    @property
    def _last_request(self) -> RequestResponseCycle | None:
        """The request that came last; None before the first one, which uvicorn's annotation leaves out."""
        return self.cycle

    def _is_answered(self) -> bool:
        """Return whether no request is under way."""
        return self._unanswered == 0

    def _end_after_answers(self) -> None:
        """Read nothing more, and close once the requests that came are answered."""
        self._is_ended = True
        if self._is_answered():
            self._close_gently()

    def _refuse(self, refused: _RefusedError) -> None:
        """Read nothing more, and say why where an answer is what the client expects next."""
        _log.warning("refused: %d, %s", refused.status, refused)
        self._is_ended = True
        request = self._last_request
        if request is None or not (self._has_head and request.more_body):  # it is about a head
            if self._is_answered():
                self._write_refusal(refused)
        elif self.pipeline:
            self._unanswered -= 1
            self.pipeline.popleft()  # its body never comes; those before it are answered
        elif request.response_started:
            self.transport.close()
        else:
            request.disconnected = True
            request.message_event.set()
            self._write_refusal(refused)

    def _write_refusal(self, refused: _RefusedError) -> None:
        """Answer, and close."""
        body = f"{refused}\n".encode()
        head = (
            f"HTTP/1.1 {refused.status.value} {refused.status.phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self._close_gently()

    def _close_gently(self) -> None:
        """Send nothing more, and drop what the client still sends for a moment.

        If the connection was closed with something unread, the client's system would throw away what it was answered.
        """
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def idle_since(self) -> float | None:
        """Return when the connection began to wait for its client; None where a request is worked on.

        A client that is silent in the middle of its request, or does not read, counts as idle.
        """
        is_stalled = self._silent_ticks >= _STALLED_TICKS or self._write_ticks >= _STALLED_TICKS
        is_waiting = self._is_answered() and not self.transport.get_write_buffer_size()
        return self._waiting_since if is_waiting or is_stalled else None

    def expire(self) -> None:
        """End the connection where its client takes too long to send or to read."""
        unsent = self.transport.get_write_buffer_size()
        if unsent:
            self._expire_answer(unsent)
            return
        self._write_ticks = 0
        if self._is_answered():
            if self.loop.time() - self._waiting_since > HEAD_SECONDS:
                self._expire_head()
        elif self.cycle.more_body and not self.flow.read_paused and not self._is_ended:
            self._expire_body()

    def _expire_head(self) -> None:
        if self._has_head or self._is_ended:
            self.transport.close()
        else:
            self._refuse(_SLOW)

    def _expire_body(self) -> None:
        """Count only the time in which the body is waited for, and not what the application takes for it."""
        self._reading_ticks += 1
        self._silent_ticks += 1
        if self._reading_ticks * TICK_SECONDS > BODY_SECONDS + self._received / LEAST_RATE:
            self._refuse(_SLOW)

    def _expire_answer(self, unsent: int) -> None:
        """Give up on a client that reads nothing of its answer, or next to nothing."""
        if self._write_ticks == 0:
            self._unsent = unsent
        self._write_ticks += 1
        if self._write_ticks * TICK_SECONDS > WRITE_SECONDS:
            if self._unsent - unsent < WRITE_SECONDS * LEAST_RATE:
                _log.warning("dropped a connection whose client does not read its answer")
                self.transport.abort()
            self._write_ticks = 0

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
    """Return what ends the connection of a request: an asynchronous function of the keyword `reset`.

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
