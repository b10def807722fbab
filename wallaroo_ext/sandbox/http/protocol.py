"""uvicorn's HTTP protocol with limits and time-outs, on connections that the application can drop."""

from __future__ import annotations

import logging
import socket
import struct
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Scope
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

HEAD_LIMIT = 64 * 1024
"""Bytes in the head of a request, or between two chunks of a body."""
FIELDS_LIMIT = 100
HEAD_SECONDS = 20.0
"""Time to send a complete head, from the opening of the connection or from the previous answer."""
BODY_SECONDS = 30.0
WRITE_SECONDS = 60
MIN_BYTES_PER_SECOND = 500
"""The required rate of a body, or of reading an answer, after BODY_SECONDS or WRITE_SECONDS."""
TICK_SECONDS = 1.0
"""The interval at which `expire` is called."""

_PIPELINED_LIMIT = 16
_LINGER_SECONDS = 2.0
_STALLED_TICKS = 2
_EXTENSION = "wallaroo.sandbox.connection"
_DISCARD_AND_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for zero seconds

_log = logging.getLogger(__name__)


class _Refusal(NamedTuple):
    """Why the rest of a request is not read: the status and the text of the answer."""

    status: HTTPStatus
    message: str


class _RefusedError(Exception):
    """A request whose rest is not read. It is made anew each time, since its traceback refers to the connection."""

    def __init__(self, refusal: _Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


_MALFORMED = _Refusal(HTTPStatus.BAD_REQUEST, "The request is not HTTP, or is ambiguous.")
_LONG_URL = _Refusal(HTTPStatus.REQUEST_URI_TOO_LONG, f"A URL may have at most {HEAD_LIMIT} bytes.")
_LONG_HEAD = _Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    f"The head of a request may have at most {HEAD_LIMIT} bytes and {FIELDS_LIMIT} fields.",
)
_PADDED_BODY = _Refusal(
    HTTPStatus.BAD_REQUEST,
    f"Between two chunks of a body, and in its trailers, there may be at most {HEAD_LIMIT} bytes.",
)
_NO_HOST = _Refusal(HTTPStatus.BAD_REQUEST, "The request has to have one Host header.")
_SINGLE = ("authorization", "content-type", "origin", "sec-fetch-site")
"""Headers that may not be repeated, because servers differ in whether the first or the last one counts."""
_TWICE = _Refusal(HTTPStatus.BAD_REQUEST, f"Send each of these headers at most once: {', '.join(_SINGLE)}.")
_AMBIGUOUS_LENGTH = _Refusal(
    HTTPStatus.BAD_REQUEST,
    "The request has to give the length of its body in exactly one way: Content-Length, or chunked.",
)
_OTHER_VERSION = _Refusal(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "Send HTTP/1.1.")
_NO_UPGRADE = _Refusal(  # httptools would take the body for another protocol
    HTTPStatus.BAD_REQUEST, "There is no protocol to upgrade to: send the body without the header Upgrade."
)
_TOO_MANY_AT_ONCE = _Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "Wait for answers before sending further requests.")
_SLOW = _Refusal(HTTPStatus.REQUEST_TIMEOUT, "The request took too long to arrive.")


class DroppableProtocol(HttpToolsProtocol):
    """Ends connections that send too much or too slowly, and lets the application drop one without an answer.

    Errors of HTTP itself are answered here in plain text: 400, 408, 414, 431, 503 and 505. `expire` has to be called on
    each connection every `TICK_SECONDS`.
    """

    _is_ended = False
    """Whether further input is ignored; the connection closes once the earlier requests are answered."""
    _has_head = True
    """Whether the head of the last request is complete, so that further input is its body."""
    _between = 0  # bytes since the last chunk of a body, or since the last message began or ended
    _received = _reading_ticks = _silent_ticks = 0  # for the body that is being read
    _write_ticks = _unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as uvicorn's
        """Start the connection, and the time for its first head."""
        super().connection_made(transport)
        self._waiting_since = self.loop.time()
        self._unanswered: deque[RequestResponseCycle] = deque()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell each request that has no answer; uvicorn tells the last one only, and others may be waiting for it."""
        super().connection_lost(exc)
        for request in self._unanswered:
            request.disconnected = True
            request.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Parse input within the limits."""
        if self._is_ended or self.parser is None:
            return
        self._unset_keepalive_if_required()
        self._between += len(data)
        self._silent_ticks = 0
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end_after_answers()  # no upgrade is supported, and what follows may be another protocol
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause.refusal if isinstance(cause, _RefusedError) else _MALFORMED)
        else:
            if self._between > HEAD_LIMIT:
                self._refuse(_PADDED_BODY if self._has_head else self._too_long())

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        self._has_head = False
        self._between = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Append a part of the URL, up to the limit."""
        super().on_url(url)
        if len(self.url) > HEAD_LIMIT:
            raise _RefusedError(self._too_long())

    def _too_long(self) -> _Refusal:
        """Return the refusal of a head that is too long: because of the URL or of the headers, whichever is longer."""
        return _LONG_URL if len(self.url) > HEAD_LIMIT // 2 else _LONG_HEAD

    def on_headers_complete(self) -> None:
        """Start a request, with the extension in its scope by which the application can drop the connection."""
        self._check_head()
        self._received = self._reading_ticks = 0
        extensions: dict[str, dict[object, object]] = {_EXTENSION: {"drop": self._drop}}
        self.scope["extensions"] = extensions
        super().on_headers_complete()  # refuses URLs that it cannot parse
        self._has_head = True
        self._unanswered.append(self.cycle)
        self.headers = []  # trailers must not become headers of a request that was already checked

    def _check_head(self) -> None:
        """Refuse a head that is too long or ambiguous, and too many pipelined requests."""
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > HEAD_LIMIT or len(self.headers) > FIELDS_LIMIT:
            raise _RefusedError(self._too_long())
        self._check_ambiguity()
        if len(self.pipeline) >= _PIPELINED_LIMIT:
            raise _RefusedError(_TOO_MANY_AT_ONCE)

    def _check_ambiguity(self) -> None:
        """Refuse a head that two servers could interpret differently."""
        version, has_upgrade = self._version_and_upgrade()
        if version not in {"1.0", "1.1"}:
            raise _RefusedError(_OTHER_VERSION)
        names = [name for name, _ in self.headers]
        hosts, lengths, codings = (names.count(name) for name in (b"host", b"content-length", b"transfer-encoding"))
        if hosts > 1 or (hosts == 0 and version == "1.1"):
            raise _RefusedError(_NO_HOST)
        if any(names.count(name.encode()) > 1 for name in _SINGLE):
            raise _RefusedError(_TWICE)
        if has_upgrade and (lengths or codings):
            raise _RefusedError(_NO_UPGRADE)
        if lengths + codings > 1 or (codings and (version == "1.0" or not self._is_chunked())):
            raise _RefusedError(_AMBIGUOUS_LENGTH)

    def _is_chunked(self) -> bool:
        """Return whether `chunked` is the only transfer coding; others are not decoded here."""
        return (b"transfer-encoding", b"chunked") in ((name, value.strip().lower()) for name, value in self.headers)

    def _version_and_upgrade(self) -> tuple[str, bool]:
        if self.parser is None:
            return "", False
        return self.parser.get_http_version(), self.parser.should_upgrade()

    def on_body(self, body: bytes) -> None:
        """Pass on a part of a body."""
        self._between = 0
        self._received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that a body ends."""
        self._between = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Continue with the next request, and start the time for its head."""
        self._waiting_since = self.loop.time()
        self._unanswered.popleft()
        super().on_response_complete()
        if self._is_ended and self._is_answered():
            self._close_gently()

    def resume_writing(self) -> None:
        """Resume writing, since the client has read most of the answer so far."""
        self._write_ticks = 0
        super().resume_writing()

    @property
    def _last_request(self) -> RequestResponseCycle | None:
        """The last request; None before the first one, which uvicorn's annotation omits."""
        return self.cycle

    def _is_answered(self) -> bool:
        """Return whether every request is answered."""
        return not self._unanswered

    def _end_after_answers(self) -> None:
        """Ignore further input, and close once the earlier requests are answered."""
        self._is_ended = True
        if self._is_answered():
            self._close_gently()

    def _refuse(self, refusal: _Refusal) -> None:
        """Ignore further input, and send the refusal if the client expects an answer next."""
        _log.warning("refused: %d, %s", refusal.status, refusal.message)
        self._is_ended = True
        request = self._last_request
        if request is None or not (self._has_head and request.more_body):  # the refusal is about a head
            if self._is_answered():
                self._write_refusal(refusal)
        elif self.pipeline:
            self._unanswered.pop()
            self.pipeline.popleft()  # its body never arrives; the requests before it are answered
        elif request.response_started:
            self.transport.close()
        else:
            request.disconnected = True
            request.message_event.set()
            self._write_refusal(refusal)

    def _write_refusal(self, refusal: _Refusal) -> None:
        """Write a refusal, and close the connection."""
        body = f"{refusal.message}\n".encode()
        head = (
            f"HTTP/1.1 {refusal.status.value} {refusal.status.phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self._close_gently()

    def _close_gently(self) -> None:
        """Close the connection after discarding for a moment what the client still sends.

        If a connection is closed with unread input, the client's system discards the answer.
        """
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def idle_since(self) -> float | None:
        """Return since when the connection is idle, or None if a request is being handled.

        A connection also counts as idle if its client stalls in the middle of a request, or does not read its answer.
        """
        is_stalled = self._silent_ticks >= _STALLED_TICKS or self._write_ticks >= _STALLED_TICKS
        is_waiting = self._is_answered() and not self.transport.get_write_buffer_size()
        return self._waiting_since if is_waiting or is_stalled else None

    def expire(self) -> None:
        """End the connection if its client takes too long to send or to read."""
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
        """Refuse a slow body. The time that the application takes does not count."""
        self._reading_ticks += 1
        self._silent_ticks += 1
        if self._reading_ticks * TICK_SECONDS > BODY_SECONDS + self._received / MIN_BYTES_PER_SECOND:
            self._refuse(_SLOW)

    def _expire_answer(self, unsent: int) -> None:
        """Abort the connection if its client reads almost nothing of its answer."""
        if self._write_ticks == 0:
            self._unsent = unsent
        self._write_ticks += 1
        if self._write_ticks * TICK_SECONDS > WRITE_SECONDS:
            if self._unsent - unsent < WRITE_SECONDS * MIN_BYTES_PER_SECOND:
                _log.warning("dropped a connection whose client does not read its answer")
                self.transport.abort()
            self._write_ticks = 0

    async def _drop(self, *, reset: bool) -> None:
        if not reset:
            self.transport.close()
            return
        if self.transport.get_write_buffer_size():  # with an empty buffer, TLS would wait for ever
            self.transport.set_write_buffer_limits(0)
            await self.flow.drain()
        connection: socket.socket | None = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DISCARD_AND_RESET)
        self.transport.abort()


async def drop_connection(scope: Scope, *, reset: bool) -> None:
    """End the connection of a request.

    Args:
        scope: The ASGI scope of the request.
        reset: Whether to reset the connection, as a gateway that gives up does: the client's next read fails, and data
            that it has not received may be lost. Otherwise the connection is closed, and what was sent still arrives.

    Raises:
        RuntimeError: The request does not come from a DroppableProtocol.
    """
    try:
        drop = scope["extensions"][_EXTENSION]["drop"]
    except KeyError:
        raise RuntimeError("Connections can be dropped only where `wallaroo-ext sandbox` serves them.") from None
    await drop(reset=reset)
