"""Bounds on answers: how large one may be once it is decompressed, counted while it is read.

httpx decompresses a whole piece of an answer at once, and one encoding within another, so that a kilobyte can become a
gigabyte. Here a piece is decompressed 64 KiB at a time, and an answer has one encoding at most.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import httpx

from wallaroo_ext._util.urls import parse_url
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.transport.process_connections import ForkSafeTransport, fork_safe
from wallaroo_ext.transport.retry import request_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

MIB = 2**20
ARROW_LIMIT = 512 * MIB
"""How large an answer in Arrow may be, in bytes: about a million rows of a hundred numbers."""
LIMIT = 64 * MIB
"""How large any other answer may be, in bytes: JSON takes ten times its size in memory, and more."""
ERROR_LIMIT = MIB
"""How much of an answer without success is read, in bytes; the rest is left out."""
ACCEPTED_ENCODINGS = "gzip, deflate"
"""What a request says in `Accept-Encoding`: what can be decompressed a little at a time."""

UNREADABLE_REDIRECT = "wallaroo_ext.unreadable_redirect"
"""An entry of an answer's extensions: it redirects to what is no URL."""
_LIMIT_KEY = "wallaroo_ext.bound"
"""An entry of an answer's extensions: how large it may be, in bytes; None for any size."""

_PIECE = 64 * 1024
_ARROW = "application/vnd.apache.arrow"
_ENCODINGS = {
    "": 0,
    "identity": 0,
    "gzip": 16 + zlib.MAX_WBITS,
    "x-gzip": 16 + zlib.MAX_WBITS,
    "deflate": zlib.MAX_WBITS,
}


class AnswerRefused(httpx.DecodingError):
    """An answer that is not read to its end, because of its size or its encoding.

    Attributes:
        status: The answer's HTTP status.
        too_large: Whether its size is why; else its encoding.
    """

    def __init__(
        self, message: str, *, status: int, too_large: bool = True, request: httpx.Request | None = None
    ) -> None:
        super().__init__(message, request=request)
        self.status = status
        self.too_large = too_large


def check_answer_limit(limit: int | None) -> int | None:
    """Return a limit in bytes as it was given.

    Raises:
        ConfigurationError: It is no positive whole number.
    """
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit <= 0):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may be untyped
        raise ConfigurationError(f"answer_limit is a positive number of bytes, not {limit!r}.")
    return limit


class LimitedTransport(ForkSafeTransport):
    """Gives answers of another transport decompressed, and only as large as they may be.

    A body is read as it is asked for; `AnswerRefused` is raised where it grows too large. What is no success ends after
    1 MiB without an error, because its beginning says what is wrong.

    Args:
        transport: What sends requests.
        limit: How large an answer may be, in bytes; None for 512 MiB in Arrow and 64 MiB otherwise.
    """

    def __init__(self, transport: Any, limit: int | None = None) -> None:
        self._transport = fork_safe(transport)
        self._limit = check_answer_limit(limit)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        response: httpx.Response = self._transport.handle_request(request)
        try:
            return limit_answer(response, request, self._limit)
        except httpx.DecodingError:
            response.close()
            raise

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        response: httpx.Response = await self._transport.handle_async_request(request)
        try:
            return limit_answer(response, request, self._limit)
        except httpx.DecodingError:
            await response.aclose()
            raise

    def close(self) -> None:
        """Close the other transport."""
        self._transport.close()

    async def aclose(self) -> None:
        """Close the other transport."""
        await self._transport.aclose()


def limit_answer(response: httpx.Response, request: httpx.Request, limit: int | None = None) -> httpx.Response:
    """Return an answer whose body is decompressed and bounded while it is read.

    Args:
        response: The answer, with its body unread.
        request: Its request; `hints.STREAM` lifts the limit, `hints.ANSWER_LIMIT` is another one.
        limit: How large the body may be, in bytes; None for 512 MiB in Arrow and 64 MiB otherwise.

    Raises:
        AnswerRefused: It has several encodings, an unknown one, or says itself that it is too large.
    """
    named = response.headers.get("Content-Encoding", "").strip().lower()
    if named not in _ENCODINGS:
        raise AnswerRefused(
            f"an answer in the encoding {named[:60]!r}, which was not asked for",
            status=response.status_code,
            too_large=False,
            request=request,
        )
    response = _drop_unreadable_redirect(response, request)
    bound = response.extensions[_LIMIT_KEY] = _limit_of(response, request, limit)
    length = response.headers.get("Content-Length", "")
    has_body = response.is_success and request.method != "HEAD"
    if not _ENCODINGS[named] and bound is not None and has_body and _is_more(length, bound):
        raise too_large_error(response.status_code, bound, request)
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _CHANGED]
    stream = _LimitedStream(response, request, bound, _ENCODINGS[named])
    if not _ENCODINGS[named]:
        response.stream = stream
        return response
    return httpx.Response(response.status_code, headers=headers, stream=stream, extensions=response.extensions)


_CHANGED = {b"content-encoding", b"content-length"}


def _drop_unreadable_redirect(response: httpx.Response, request: httpx.Request) -> httpx.Response:
    """An answer whose redirect httpx can read: it reads one also where it does not follow it, and fails at some."""
    if not response.has_redirect_location:
        return response
    try:
        target = parse_url(request.url.join(response.headers["Location"]))
    except (httpx.InvalidURL, ValueError):
        target = None
    if target is None:
        del response.headers["Location"]
        response.extensions[UNREADABLE_REDIRECT] = True
    return response


def _is_more(length: str, bound: int) -> bool:
    return length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > bound)  # noqa: PLR2004 - digits of 2^60


def _limit_of(response: httpx.Response, request: httpx.Request, limit: int | None) -> int | None:
    if not response.is_success:
        return ERROR_LIMIT
    if request.extensions.get(request_options.STREAM):
        return None
    asked = request.extensions.get(request_options.ANSWER_LIMIT)
    if asked is not None or limit is not None:
        return asked if asked is not None else limit
    return ARROW_LIMIT if response.headers.get("Content-Type", "").lower().startswith(_ARROW) else LIMIT


def arrow_memory_limit(response: httpx.Response) -> int:
    """Return how large an Arrow answer may be in memory, in bytes: as large as it may be on its way."""
    bound = response.extensions.get(_LIMIT_KEY)
    return ARROW_LIMIT if bound is None else bound


def too_large_error(status: int, bound: int, request: httpx.Request | None) -> AnswerRefused:
    """Return the error of an answer with more than its bound, in bytes."""
    shown = f"{bound / MIB:g} MiB" if bound >= MIB else f"{bound} bytes"
    return AnswerRefused(f"an answer of more than {shown}", status=status, request=request)


class _LimitedStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that is decompressed and counted while it is read."""

    def __init__(self, response: httpx.Response, request: httpx.Request, bound: int | None, window: int) -> None:
        self._stream: Any = response.stream
        self._status = response.status_code
        self._ends_early = not response.is_success
        self._request = request
        self._bound = bound
        self._pieces = _Decompressor(window) if window else None
        self._size = 0
        self._received = 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            for piece in self._of(part):
                yield self._counted(piece)
                if self._is_full:
                    return
            if self._is_full:
                return
        self._check_end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            for piece in self._of(part):
                yield self._counted(piece)
                if self._is_full:
                    return
            if self._is_full:
                return
        self._check_end()

    def _of(self, part: bytes) -> Iterator[bytes]:
        """Return what a part of the body is, which may be nothing: empty blocks, or what comes after the end."""
        if self._pieces is None:
            return iter((part,))
        self._received += len(part)
        if not self._ends_early and self._is_too_much:
            raise too_large_error(self._status, self._bound or 0, self._request)
        return self._pieces.of(part)

    @property
    def _is_too_much(self) -> bool:
        """Whether more came than anything of the right size is when it is compressed."""
        return self._bound is not None and self._received > self._bound + self._bound // 1000 + _PIECE

    def _check_end(self) -> None:
        """Raise where what is decompressed is cut off, although the body is whole: half an answer looks like one."""
        if self._pieces is not None and self._pieces.is_cut_off and not self._ends_early:
            raise httpx.DecodingError("the answer ends in the middle of what was compressed", request=self._request)

    def _counted(self, piece: bytes) -> bytes:
        """Return the piece, or as much of it as an error has."""
        self._size += len(piece)
        if self._bound is None or self._size <= self._bound:
            return piece
        if self._ends_early:
            return piece[: len(piece) - (self._size - self._bound)]
        raise too_large_error(self._status, self._bound, self._request)

    @property
    def _is_full(self) -> bool:
        """Whether an error has as much as is read of one."""
        return self._ends_early and self._bound is not None and (self._size >= self._bound or self._is_too_much)

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Decompressor:
    """Decompresses a body, 64 KiB at a time."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._state = zlib.decompressobj(window)
        self._is_first = True

    @property
    def is_cut_off(self) -> bool:
        """Whether there was a beginning, and no end so far."""
        return not self._is_first and not self._state.eof

    def of(self, part: bytes) -> Iterator[bytes]:
        if self._state.eof:
            return  # what comes after the end would be kept in memory
        try:
            piece = self._state.decompress(part, _PIECE)
        except zlib.error as error:
            if not self._is_first or self._window != zlib.MAX_WBITS:
                raise httpx.DecodingError(str(error)) from None
            self._state = zlib.decompressobj(-zlib.MAX_WBITS)  # some servers send it without its header
            piece = self._first(part)
        self._is_first = False
        while piece:
            yield piece
            piece = self._first(self._state.unconsumed_tail)

    def _first(self, part: bytes) -> bytes:
        try:
            return self._state.decompress(part, _PIECE)
        except zlib.error as error:
            raise httpx.DecodingError(str(error)) from None
