"""Sending the requests of asyncio by aiohttp; needs the extra `aiohttp`.

`httpx_aiohttp` does the work. Three of its faults are corrected here, because retries and timeouts depend on them: it
does not distinguish a connection that was never made from an error after the request was sent, it waits forever for a
server that does not read, and it keeps cookies of its own.
"""

from __future__ import annotations

import asyncio
import base64
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from wallaroo_ext._util.after_fork import detach_in_children, this_process
from wallaroo_ext.transport.retry.request_bodies import can_be_read_twice
from wallaroo_ext.transport.wire_errors import NO_ANSWER_AT_ALL, NO_HTTP, without_quotes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

_CHUNK_SIZE = 64 * 1024
_LONGEST_LINE = 100 * 1024
"""Bytes of the longest line in an answer's head, as with httpx; by default aiohttp takes 8 KiB."""

_NO_STATUS_LINE = "Bad status line"
"""How aiohttp's message begins where an answer does not begin as one of HTTP does."""

_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ClientHttpProxyError, httpx.ProxyError),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ServerDisconnectedError, httpx.RemoteProtocolError),
    (aiohttp.ClientPayloadError, httpx.RemoteProtocolError),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError),
    (aiohttp.NonHttpUrlClientError, httpx.UnsupportedProtocol),
    (aiohttp.InvalidUrlClientError, httpx.UnsupportedProtocol),
)
"""httpx's errors for those of aiohttp; the first that matches counts, and any other is a ReadError."""


class AiohttpClient(httpx.AsyncClient):
    """A client of httpx whose transports are aiohttp's, those of proxies included."""

    def _init_transport(self, *_: Any, **options: Any) -> httpx.AsyncBaseTransport:
        return _Transport(verify=options["verify"], limits=options["limits"])

    def _init_proxy_transport(self, proxy: httpx.Proxy, *_: Any, **options: Any) -> httpx.AsyncBaseTransport:
        return _Transport(verify=options["verify"], limits=options["limits"], proxy=_with_header(proxy))


def _with_header(proxy: httpx.Proxy) -> httpx.Proxy:
    """Return a proxy whose user and password are in a header, which aiohttp sends to it as `Proxy-Authorization`."""
    if proxy.raw_auth is None:
        return proxy
    encoded = base64.b64encode(b":".join(proxy.raw_auth)).decode()
    return httpx.Proxy(proxy.url, ssl_context=proxy.ssl_context, headers={"Authorization": f"Basic {encoded}"})


_used: ContextVar[asyncio.BaseTransport | None] = ContextVar("_used", default=None)


class _Connector(aiohttp.TCPConnector):
    """Remembers which connection a task uses, and which process opened its connections."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # pyright: ignore[reportUnknownMemberType] - a parameter of aiohttp's has no type
        self._process = this_process()

    @property
    def closed(self) -> bool:
        """Whether it is closed; True in a forked child, so that aiohttp does not warn there of an open session."""
        return super().closed or not self._process.is_this

    async def connect(self, *arguments: Any, **named: Any) -> Any:
        connection = await super().connect(*arguments, **named)
        _used.set(connection.transport)
        if connection.transport is not None:
            detach_in_children(connection.transport.get_extra_info("socket").fileno())
        return connection

    def __del__(self, *arguments: Any) -> None:
        if self._process.is_this:  # a child leaves the connections to its parent
            super().__del__(*arguments)


class _Response(aiohttp.ClientResponse):
    """An answer whose reason phrase is ASCII, as `httpx_aiohttp` needs it: others may be in any language."""

    async def start(self, *arguments: Any, **named: Any) -> aiohttp.ClientResponse:
        started = await super().start(*arguments, **named)
        self.reason = _in_ascii(self.reason or "")
        return started


def _abort_connection() -> None:
    """Abort the connection: closing it would wait until the server has read the rest."""
    transport = _used.get()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


class _Transport(AiohttpTransport):
    def get_client(self) -> aiohttp.ClientSession:
        """Return a session without cookies: httpx keeps them."""
        limits = self.limits
        options: Any = {} if limits.keepalive_expiry is None else {"keepalive_timeout": limits.keepalive_expiry}
        connector = _Connector(ssl=self.ssl_context, limit=limits.max_connections or 0, **options)
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            response_class=_Response,
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        limit = asyncio.timeout(None)
        _used.set(None)  # another task may use the connection of an earlier request by now
        with _translate_errors(limit):
            try:
                async with limit:
                    response = await super().handle_async_request(_limit_writing(request, limit))
            except asyncio.CancelledError:
                _abort_connection()
                raise
            finally:
                if limit.expired():
                    _abort_connection()
        response.request = request
        response.stream = _AnswerStream(response.stream)
        return response


class _AnswerStream(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translate_errors():
            async for part in self._stream:
                yield part

    async def aclose(self) -> None:
        with _translate_errors():
            await self._stream.aclose()


class _LimitedBody(httpx.AsyncByteStream):
    """A body that limits the time for each of its chunks to be sent."""

    def __init__(self, stream: Any, limit: asyncio.Timeout, seconds: float) -> None:
        self._stream = stream
        self._limit = limit
        self._seconds = seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop().time
        async for part in self._stream:
            for start in range(0, len(part), _CHUNK_SIZE):
                self._end_at(clock() + self._seconds)
                yield part[start : start + _CHUNK_SIZE]
        self._end_at(None)

    def _end_at(self, when: float | None) -> None:
        """Set when the time for what is sent now ends, by the event loop's clock; None for never."""
        with suppress(RuntimeError):  # the limit is over where the answer begins before the whole body is sent
            self._limit.reschedule(when)


def _limit_writing(request: httpx.Request, limit: asyncio.Timeout) -> httpx.Request:
    """Return the request with a time limit on sending; a small body fits into the system's buffers and needs none."""
    seconds = request.extensions.get("timeout", {}).get("write")
    small = can_be_read_twice(request.stream) and int(request.headers.get("Content-Length", 0)) <= _CHUNK_SIZE
    if small or seconds is None:
        return request
    body = _LimitedBody(request.stream, limit, seconds)
    return httpx.Request(
        request.method, request.url, headers=request.headers, stream=body, extensions=request.extensions
    )


@contextmanager
def _translate_errors(limit: asyncio.Timeout | None = None) -> Generator[None]:
    """Raise errors of aiohttp as errors of httpx, by their cause."""
    try:
        yield
    except (httpx.TransportError, aiohttp.ClientError) as error:
        cause = error if isinstance(error, aiohttp.ClientError) else error.__cause__
        kind = next((ours for theirs, ours in _ERRORS if isinstance(cause, theirs)), httpx.ReadError)
        raise kind(_reason(cause)) from (None if isinstance(cause, aiohttp.ClientResponseError) else cause)
    except TimeoutError as error:
        if limit is not None and limit.expired():
            raise httpx.WriteTimeout("The server does not read the body.") from error
        raise httpx.ReadTimeout(str(error)) from error


def _reason(error: BaseException | None) -> str:
    """Return what an error says, without what it repeats of the answer, in which there may be secrets."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        is_in_the_middle = not isinstance(error.message, str)
        return "Server disconnected in the middle of its answer." if is_in_the_middle else NO_ANSWER_AT_ALL
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"{error.status} {_in_ascii(without_quotes(error.message))}".rstrip()
    if isinstance(error, aiohttp.ClientResponseError):
        if error.message.startswith(_NO_STATUS_LINE):
            return NO_HTTP
        return f"The answer cannot be read: {without_quotes(error.message)}."
    return str(error)


def _in_ascii(text: str) -> str:
    """Return a text without the characters that are not ASCII."""
    return text.encode("ascii", "ignore").decode()
