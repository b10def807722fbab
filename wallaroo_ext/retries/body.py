"""Bodies of requests: which can be read twice, and whether one that cannot was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


def can_be_read_twice(stream: Any) -> bool:
    """Whether a body is in memory; what is read from a file or a generator is gone."""
    return isinstance(stream, httpx.ByteStream)


class WatchedStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that knows whether anything of it was read.

    Args:
        stream: The body.
    """

    def __init__(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        self._stream = stream
        self.was_read = False

    def __iter__(self) -> Iterator[bytes]:
        self.was_read = True
        return iter(cast("httpx.SyncByteStream", self._stream))

    def __aiter__(self) -> AsyncIterator[bytes]:
        self.was_read = True
        return aiter(cast("httpx.AsyncByteStream", self._stream))
