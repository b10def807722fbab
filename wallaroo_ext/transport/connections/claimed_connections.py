"""Connections that threads share: none is closed by one thread while another one uses it.

httpcore looks at its connections while other threads begin and end requests on them. So a thread may find one idle, and
its answer, which has just come for another thread, a sign that the server has closed it; the other thread then reads
from a closed socket. Here a connection is claimed and released under the lock under which the pool looks at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx


def claim_connections(client: httpx.Client) -> httpx.Client:
    """Make all connections of a client belong to one thread at a time. Return the client."""
    mounted: list[Any] = [client._transport, *client._mounts.values()]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - httpx shows its pools by no public name
    for transport in mounted:
        if transport is not None:
            _claim(transport._pool)  # noqa: SLF001 - the same
    return client


def _claim(pool: Any) -> None:
    create = pool.create_connection

    def create_connection(origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        return _ClaimedConnection(create(origin), pool)

    pool.create_connection = create_connection


class _ClaimedConnection(httpcore.ConnectionInterface):
    """A connection that is in use from the beginning of a request to the end of its answer.

    The pool asks for its state with its lock held.

    Args:
        inner: The connection of httpcore.
        pool: The pool that it belongs to.
    """

    def __init__(self, inner: httpcore.ConnectionInterface, pool: Any) -> None:
        self._inner = inner
        self._pool = pool
        self._lock = pool._optional_thread_lock  # noqa: SLF001 - another lock would not keep the pool from looking
        self._is_used = False

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        with self._lock:
            if self._is_used or self not in self._pool.connections:
                raise httpcore.ConnectionNotAvailable  # the pool then looks for another one
            self._is_used = True
        try:
            response = self._inner.handle_request(request)
        except BaseException:
            self._release()
            raise
        response.stream = _ReleasingStream(response.stream, self._release)
        return response

    def _release(self) -> None:
        with self._lock:
            self._is_used = False

    def close(self) -> None:
        self._inner.close()

    def info(self) -> str:
        return self._inner.info()

    def can_handle_request(self, origin: httpcore.Origin) -> bool:
        return self._inner.can_handle_request(origin)

    def is_available(self) -> bool:
        return not self._is_used and self._inner.is_available()

    def has_expired(self) -> bool:
        return not self._is_used and self._inner.has_expired()

    def is_idle(self) -> bool:
        return not self._is_used and self._inner.is_idle()

    def is_closed(self) -> bool:
        return not self._is_used and self._inner.is_closed()


class _ReleasingStream:
    """The body of an answer, at whose end its connection is released.

    Args:
        stream: The body.
        release: Called when it is closed.
    """

    def __init__(self, stream: Any, release: Callable[[], None]) -> None:
        self._stream = stream
        self._release = release

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            self._release()
