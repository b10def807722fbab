"""Bodies of requests: which can be read twice, and whether any other has been read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator


def can_be_read_twice(stream: Any) -> bool:
    """Return whether a body is in memory; a file or a generator can be read only once."""
    return isinstance(stream, httpx.ByteStream)


class WatchedStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that records whether any of it was read.

    Args:
        stream: The body.
        ended: Called when all of it was read.
    """

    def __init__(
        self, stream: httpx.SyncByteStream | httpx.AsyncByteStream, ended: Callable[[], object] = lambda: None
    ) -> None:
        self._stream = stream
        self._ended = ended
        self.was_read = False

    def __iter__(self) -> Iterator[bytes]:
        self.was_read = True
        return self._parts()

    def _parts(self) -> Iterator[bytes]:
        yield from cast("httpx.SyncByteStream", self._stream)
        self._ended()

    def __aiter__(self) -> AsyncIterator[bytes]:
        self.was_read = True
        return self._parts_async()

    async def _parts_async(self) -> AsyncIterator[bytes]:
        async for part in cast("httpx.AsyncByteStream", self._stream):
            yield part
        self._ended()
