"""Limits on the size of answers, counted after decompression while an answer is read.

httpx decompresses a whole part of an answer at once, and one encoding within another, so that a kilobyte can become a
gigabyte. Here a part is decompressed 64 KiB at a time, and an answer may have only one encoding.
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
"""The largest answer in Arrow, in bytes: about a million rows of a hundred numbers."""
LIMIT = 64 * MIB
"""The largest answer in any other format, in bytes: JSON takes at least ten times its size in memory."""
ERROR_LIMIT = MIB
"""How much of an error's body is read, in bytes."""
ACCEPTED_ENCODINGS = "gzip, deflate"
"""The header `Accept-Encoding` of requests: the encodings that can be decompressed bit by bit."""

UNREADABLE_REDIRECT = "wallaroo_ext.unreadable_redirect"
"""The key in an answer's extensions that marks a redirect to an invalid URL."""
_LIMIT_KEY = "wallaroo_ext.bound"
"""The key in an answer's extensions for its limit, in bytes; None for any size."""

_CHUNK_SIZE = 64 * 1024
_ARROW = "application/vnd.apache.arrow"
_SLICE_SIZE = 4 * 1024
"""How much is decompressed at a time: zlib copies what follows the end of each member of gzip."""
_GZIP = 16 + zlib.MAX_WBITS
_NOT_AS_STATED = "the answer is not compressed in the way that it states"
_GZIP_MAGIC = b"\x1f\x8b"
_ENCODINGS = {
    "": 0,
    "gzip": _GZIP,
    "x-gzip": _GZIP,
    "deflate": zlib.MAX_WBITS,
}


class AnswerRefused(httpx.DecodingError):
    """An answer that is not read to its end, because of its size or its encoding.

    Attributes:
        status: The answer's HTTP status.
        too_large: Whether the size is the reason; otherwise it is the encoding.
    """

    def __init__(
        self, message: str, *, status: int, too_large: bool = True, request: httpx.Request | None = None
    ) -> None:
        super().__init__(message, request=request)
        self.status = status
        self.too_large = too_large


def check_answer_limit(limit: int | None) -> int | None:
    """Return a limit in bytes unchanged.

    Raises:
        ConfigurationError: The limit is no positive whole number.
    """
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit <= 0):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may be untyped
        raise ConfigurationError(f"answer_limit is a positive number of bytes, not {limit!r}.")
    return limit


class LimitedTransport(ForkSafeTransport):
    """Decompresses the answers of another transport and limits their size.

    A body is read on demand; `AnswerRefused` is raised when it grows too large. The body of an error is cut after 1 MiB
    without an exception, because its beginning says what is wrong, and stays as it came where it cannot be
    decompressed, because its status says what is wrong, too.

    Args:
        transport: The transport that sends requests.
        limit: The largest answer, in bytes; None for 512 MiB in Arrow and 64 MiB otherwise.
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
    """Return an answer whose body is decompressed and limited while it is read.

    Args:
        response: The answer, with its body unread.
        request: Its request; `request_options.STREAM` removes the limit, `request_options.ANSWER_LIMIT` replaces it.
        limit: The largest body, in bytes; None for 512 MiB in Arrow and 64 MiB otherwise.

    Raises:
        AnswerRefused: It is a success and has several encodings or an unknown one, or its header states that it is too
            large.
    """
    named = _encoding_of(response)
    if named not in _ENCODINGS and response.is_success:
        raise AnswerRefused(
            f"an answer in the encoding {named[:60]!r}, which was not asked for",
            status=response.status_code,
            too_large=False,
            request=request,
        )
    response = _drop_unreadable_redirect(response, request)
    limit = response.extensions[_LIMIT_KEY] = _limit_of(response, request, limit)
    length = response.headers.get("Content-Length", "")
    has_body = response.is_success and request.method != "HEAD"
    window = _ENCODINGS.get(named, 0)
    if not window and limit is not None and has_body and _exceeds(length, limit):
        raise too_large_error(response.status_code, limit, request)
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _CHANGED]
    stream = _LimitedStream(response, request, limit, window)
    if not named:
        response.stream = stream
        return response
    return httpx.Response(response.status_code, headers=headers, stream=stream, extensions=response.extensions)


_CHANGED = {b"content-encoding", b"content-length"}
_NO_ENCODINGS = {"", "identity", "none", "binary", "utf-8"}
"""What servers write that means the content as it is; `utf-8` is one that they confuse with the charset."""


def _encoding_of(response: httpx.Response) -> str:
    """Return the encoding that an answer states, in lower case; empty for none, and joined if there are several."""
    named = (name.strip().lower() for name in response.headers.get("Content-Encoding", "").split(","))
    return ", ".join(name for name in named if name not in _NO_ENCODINGS)


def _drop_unreadable_redirect(response: httpx.Response, request: httpx.Request) -> httpx.Response:
    """Remove an invalid redirect from an answer, because httpx parses it even without following it, and fails."""
    if not response.has_redirect_location:
        return response
    try:
        target = parse_url(request.url.join(response.headers["Location"]))
    except (httpx.InvalidURL, ValueError):
        target = None
    if target is None or not target.host:  # as of `about:blank`
        del response.headers["Location"]
        response.extensions[UNREADABLE_REDIRECT] = True
    return response


def _exceeds(length: str, limit: int) -> bool:
    return length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > limit)  # noqa: PLR2004 - digits of 2^60


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
    """Return how large an Arrow answer may be in memory, in bytes: the same as its limit when it is read."""
    limit = response.extensions.get(_LIMIT_KEY)
    return ARROW_LIMIT if limit is None else limit


def too_large_error(status: int, limit: int, request: httpx.Request | None) -> AnswerRefused:
    """Return the error of an answer that is larger than its limit, in bytes."""
    shown = f"{limit / MIB:g} MiB" if limit >= MIB else f"{limit} bytes"
    return AnswerRefused(f"an answer of more than {shown}", status=status, request=request)


class _LimitedStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that is decompressed and counted while it is read."""

    def __init__(self, response: httpx.Response, request: httpx.Request, limit: int | None, window: int) -> None:
        self._stream: Any = response.stream
        self._status = response.status_code
        self._ends_early = not response.is_success
        self._request = request
        self._limit = limit
        self._decompressor = _Decompressor(window) if window else None
        self._size = 0
        self._received = 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            for chunk in self._decompress(part):
                yield self._count(chunk)
                if self._is_full:
                    return
            if self._is_full:
                return
        self._check_end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            for chunk in self._decompress(part):
                yield self._count(chunk)
                if self._is_full:
                    return
            if self._is_full:
                return
        self._check_end()

    def _decompress(self, part: bytes) -> Iterator[bytes]:
        """Return the decompressed content of a part of the body; empty after the end of the compressed data."""
        if self._decompressor is None:
            return iter((part,))
        self._received += len(part)
        if not self._ends_early and self._is_too_long:
            raise too_large_error(self._status, self._limit or 0, self._request)
        chunks = self._decompressor.feed(part)
        return self._or_as_it_came(part, chunks) if self._ends_early else chunks

    def _or_as_it_came(self, part: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the decompressed content of a part of an error's body; from one on that is not compressed, the part."""
        try:
            yield from chunks
        except httpx.DecodingError:
            self._decompressor = None
            yield part

    @property
    def _is_too_long(self) -> bool:
        """Whether more was received than any answer within the limit has when it is compressed."""
        return self._limit is not None and self._received > self._limit + self._limit // 1000 + _CHUNK_SIZE

    def _check_end(self) -> None:
        """Raise if the compressed data is cut off although the body is complete: half an answer may look valid."""
        if self._decompressor is not None and self._decompressor.is_cut_off and not self._ends_early:
            raise httpx.DecodingError("the answer ends in the middle of what was compressed", request=self._request)

    def _count(self, chunk: bytes) -> bytes:
        """Return the chunk; of an error, only as much as its limit allows."""
        self._size += len(chunk)
        if self._limit is None or self._size <= self._limit:
            return chunk
        if self._ends_early:
            return chunk[: len(chunk) - (self._size - self._limit)]
        raise too_large_error(self._status, self._limit, self._request)

    @property
    def _is_full(self) -> bool:
        """Whether the body of an error has reached its limit."""
        return self._ends_early and self._limit is not None and (self._size >= self._limit or self._is_too_long)

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Decompressor:
    """Decompresses a body, 64 KiB at a time; one in gzip may have several members, one after the other."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._state = zlib.decompressobj(window)
        self._is_first = True
        self._has_members = window == _GZIP
        self._after_end = b""

    @property
    def is_cut_off(self) -> bool:
        """Whether compressed data has begun and not ended."""
        return not self._is_first and not self._state.eof

    def feed(self, part: bytes) -> Iterator[bytes]:
        for start in range(0, len(part), _SLICE_SIZE):
            rest = part[start : start + _SLICE_SIZE]
            while rest and (not self._state.eof or self._begins_member(rest)):
                rest = self._after_end + rest
                self._after_end = b""
                yield from self._decompress(rest)
                rest = self._state.unused_data

    def _begins_member(self, rest: bytes) -> bool:
        """Return whether another member begins after the end of one; anything else there is ignored, as by gzip."""
        begun = (self._after_end + rest)[: len(_GZIP_MAGIC)]
        if not self._has_members or not _GZIP_MAGIC.startswith(begun):
            self._has_members = False
            return False
        if begun == _GZIP_MAGIC:
            self._state = zlib.decompressobj(self._window)
            return True
        self._after_end = begun
        return False

    def _decompress(self, part: bytes) -> Iterator[bytes]:
        try:
            chunk = self._state.decompress(part, _CHUNK_SIZE)
        except zlib.error as error:
            if not self._is_first or self._window != zlib.MAX_WBITS:
                raise httpx.DecodingError(f"{_NOT_AS_STATED} ({error})") from None
            self._state = zlib.decompressobj(-zlib.MAX_WBITS)  # some servers send it without the zlib header
            chunk = self._next(part)
        self._is_first = False
        while chunk:
            yield chunk
            chunk = self._next(self._state.unconsumed_tail)

    def _next(self, part: bytes) -> bytes:
        try:
            return self._state.decompress(part, _CHUNK_SIZE)
        except zlib.error as error:
            raise httpx.DecodingError(f"{_NOT_AS_STATED} ({error})") from None
