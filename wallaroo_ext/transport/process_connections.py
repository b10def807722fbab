"""Connections and answers that belong to one process, so that a forked child does not use those of its parent."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import httpcore
import httpx

from wallaroo_ext._util.after_fork import Process, detach_in_children, prevent_finalization, this_process
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.transport.wire_errors import as_httpx_errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

AnyClient = TypeVar("AnyClient", httpx.Client, httpx.AsyncClient)


class ForkSafeTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that a forked child can use: it never uses a connection of its parent."""


class SingleProcessTransport(ForkSafeTransport):
    """A transport for the process that uses it first, because the transport it wraps may hold connections.

    Args:
        transport: The transport to wrap.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._process: Process | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        self._check()
        return self._transport.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        self._check()
        return await self._transport.handle_async_request(request)

    def _check(self) -> None:
        if self._process is None:
            self._process = this_process()
        elif not self._process.is_this:
            kind = type(self._transport).__name__
            raise ConfigurationError(
                f"The {kind} that was given as a transport was used before this process was forked.",
                advice="Make it and the client in this process, or leave out `transport`: each process has its own.",
            )

    def close(self) -> None:
        """Close the wrapped transport, in the process that used it."""
        if self._process is None or self._process.is_this:
            self._transport.close()

    async def aclose(self) -> None:
        """Close the wrapped transport, in the process that used it."""
        if self._process is None or self._process.is_this:
            await self._transport.aclose()


_WITHOUT_CONNECTIONS = (httpx.MockTransport, httpx.WSGITransport, httpx.ASGITransport)


def fork_safe(transport: Any) -> Any:
    """Return a transport that does not use connections of its parent in a forked child.

    A transport that may hold connections is wrapped; it then refuses to work in a child of the process that used it.
    """
    if isinstance(transport, (ForkSafeTransport, *_WITHOUT_CONNECTIONS)):
        return transport
    return SingleProcessTransport(transport)


class SingleProcessStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer, for the process that sent the request: a forked child neither reads nor closes it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._process = this_process()

    def __iter__(self) -> Iterator[bytes]:
        self._check()
        parts = iter(self._stream)
        try:
            while (part := self._next(parts)) is not None:
                yield part
                self._check()
        finally:
            self._abandon_in_child(parts)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._check()
        parts = aiter(self._stream)
        try:
            while (part := await self._next_async(parts)) is not None:
                yield part
                self._check()
        finally:
            self._abandon_in_child(parts)

    def _next(self, parts: Iterator[bytes]) -> bytes | None:
        with as_httpx_errors():
            return next(parts, None)

    async def _next_async(self, parts: AsyncIterator[bytes]) -> bytes | None:
        with as_httpx_errors():
            return await anext(parts, None)

    def _check(self) -> None:
        self._process.check("The request whose answer is read")

    def _abandon_in_child(self, parts: object) -> None:
        """Leave the iterator of the parent unfinished in a child: closing it would wait for the parent's threads."""
        if not self._process.is_this:
            prevent_finalization(parts)

    def close(self) -> None:
        """Close the answer."""
        if self._process.is_this:
            self._stream.close()

    async def aclose(self) -> None:
        """Close the answer."""
        if self._process.is_this:
            await self._stream.aclose()


opened_connections: ContextVar[list[Any] | None] = ContextVar("opened_connections", default=None)
"""Receives what the running thread or task opens: httpcore leaves a connection open where a SOCKS proxy refuses it."""


def _note_opened(stream: object) -> None:
    """Note a connection for `opened_connections`, where somebody wants to know it."""
    if (opened := opened_connections.get()) is not None:
        opened.append(stream)


class _DetachingBackend(httpcore.NetworkBackend):
    """Makes connections that are detached in forked children.

    Args:
        backend: Makes connections.
    """

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(self, *arguments: Any, **named: Any) -> httpcore.NetworkStream:
        """Connect."""
        stream = self._backend.connect_tcp(*arguments, **named)
        _note_opened(stream)
        detach_in_children(stream.get_extra_info("socket").fileno())
        return stream


class _AsyncDetachingBackend(httpcore.AsyncNetworkBackend):
    """Makes connections for asyncio that are detached in forked children.

    Args:
        backend: Makes connections.
    """

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(self, *arguments: Any, **named: Any) -> httpcore.AsyncNetworkStream:
        """Connect."""
        stream = await self._backend.connect_tcp(*arguments, **named)
        _note_opened(stream)
        detach_in_children(stream.get_extra_info("socket").fileno())
        return stream


def detach_connections_in_children(client: AnyClient) -> AnyClient:
    """Detach all connections of an httpx client in forked children. Return the client."""
    mounted: list[Any] = [client._transport, *client._mounts.values()]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - httpx takes no network backend, and httpcore does
    backend = _DetachingBackend if isinstance(client, httpx.Client) else _AsyncDetachingBackend
    for transport in mounted:
        if (pool := getattr(transport, "_pool", None)) is not None:
            pool._network_backend = backend(pool._network_backend)  # noqa: SLF001 - the same
    return client
