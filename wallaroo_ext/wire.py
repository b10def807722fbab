"""What sends a request once: httpx's own transports, made when they are first needed, by each process for itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

import httpcore
import httpx

from wallaroo_ext._util.after_fork import (
    PerProcess,
    Process,
    keep_from_children,
    leave_alone,
    renew_in_children,
    this_process,
)
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.tls import tls_context

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterator

Backend = Literal["httpx", "aiohttp"]


class ForkSafeTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that a forked child can use: no connection of its parent is used there."""


class _Connections:
    """Those of one process: one set for its threads, and one for each event loop."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.sync: httpx.Client | None = None
        self.by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()


class Wire(ForkSafeTransport):
    """Connections to any number of servers, by the proxies that the environment names.

    It serves threads, and any number of event loops and of forked processes, each with connections of its own. Nothing
    is made before the first request, and what was closed is made anew where it is used again.

    Args:
        verify: Whether certificates are checked, or the TLS settings to do it with.
        limits: How many connections are open at a time, and for how long an idle one stays open; for each event loop.
        backend: What sends the requests of asyncio.
    """

    def __init__(self, *, verify: ssl.SSLContext | bool, limits: httpx.Limits, backend: Backend) -> None:
        self._verify = verify
        self._limits = limits
        self._async_client = _async_client(backend)
        self._own = PerProcess(_Connections)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        own = self._own.get()
        client = own.sync or self._made(own)
        response = client._transport_for_url(request.url).handle_request(request)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - a client that is given a transport forgets the environment's proxies: this one still has them
        response.stream = _Answer(response.stream)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        own, loop = self._own.get(), _running_loop()
        client = own.by_loop.get(loop) or self._made_for(own, loop)
        response = await client._transport_for_url(request.url).handle_async_request(request)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the same
        response.stream = _Answer(response.stream)
        return response

    def _made(self, own: _Connections) -> httpx.Client:
        with own.lock:
            if own.sync is None:
                own.sync = _HttpxClient(verify=self._context(), limits=self._limits)
            return own.sync

    def _made_for(self, own: _Connections, loop: asyncio.AbstractEventLoop) -> httpx.AsyncClient:
        renew_in_children(loop)
        with own.lock:
            return own.by_loop.setdefault(loop, self._async_client(verify=self._context(), limits=self._limits))

    def _context(self) -> ssl.SSLContext:
        """The TLS settings, which threads and event loops share."""
        if isinstance(self._verify, bool):
            self._verify = tls_context(verify=self._verify)
        return self._verify

    def close(self) -> None:
        """Close the connections of this process's threads."""
        own = self._own.get()
        with own.lock:
            client, own.sync = own.sync, None
        if client is not None:
            client.close()

    async def aclose(self) -> None:
        """Close the connections of the running event loop, and those of threads: tokens are asked for there."""
        self.close()
        client = self._own.get().by_loop.pop(_running_loop(), None)
        if client is not None:
            await client.aclose()


class OneProcess(ForkSafeTransport):
    """A transport of which nobody knows whether it has connections: for the process that uses it first.

    Args:
        transport: The transport.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._user: Process | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        self._check()
        return self._transport.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        self._check()
        return await self._transport.handle_async_request(request)

    def _check(self) -> None:
        if self._user is None:
            self._user = this_process()
        elif not self._user.is_this:
            kind = type(self._transport).__name__
            raise ConfigurationError(
                f"The {kind} that was given as a transport was used before this process was forked.",
                advice="Make it, and the client, in this process; or leave `transport` out: each process has its own.",
            )

    def close(self) -> None:
        """Close it, in the process that used it."""
        if self._user is None or self._user.is_this:
            self._transport.close()

    async def aclose(self) -> None:
        """Close it, in the process that used it."""
        if self._user is None or self._user.is_this:
            await self._transport.aclose()


_WITHOUT_CONNECTIONS = (httpx.MockTransport, httpx.WSGITransport, httpx.ASGITransport)


def fork_safe(transport: Any) -> Any:
    """Return a transport that sends nothing over a parent's connections in a forked child, by this one.

    One that has connections, as far as anybody knows, refuses to work in a child of the process that has used it.
    """
    if isinstance(transport, (ForkSafeTransport, *_WITHOUT_CONNECTIONS)):
        return transport
    return OneProcess(transport)


class _Answer(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer, for the process that asked; a child neither reads on nor closes what its parent reads."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._process = this_process()

    def __iter__(self) -> Iterator[bytes]:
        self._check()
        parts = iter(self._stream)
        try:
            for part in parts:
                yield part
                self._check()
        finally:
            self._leave(parts)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._check()
        parts = aiter(self._stream)
        try:
            async for part in parts:
                yield part
                self._check()
        finally:
            self._leave(parts)

    def _check(self) -> None:
        self._process.check("The request whose answer is read")

    def _leave(self, parts: object) -> None:
        """Keep what reads the parent's connection as it is: to end it would wait for the parent's threads."""
        if not self._process.is_this:
            leave_alone(parts)

    def close(self) -> None:
        """Close the answer."""
        if self._process.is_this:
            self._stream.close()

    async def aclose(self) -> None:
        """Close the answer."""
        if self._process.is_this:
            await self._stream.aclose()


class _KeptConnections(httpcore.NetworkBackend):
    """Makes connections that forked children let go of.

    Args:
        backend: Makes connections.
    """

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(self, *arguments: Any, **named: Any) -> httpcore.NetworkStream:
        """Connect."""
        stream = self._backend.connect_tcp(*arguments, **named)
        keep_from_children(stream.get_extra_info("socket").fileno())
        return stream


class _KeptAsyncConnections(httpcore.AsyncNetworkBackend):
    """The same for asyncio.

    Args:
        backend: Makes connections.
    """

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(self, *arguments: Any, **named: Any) -> httpcore.AsyncNetworkStream:
        """Connect."""
        stream = await self._backend.connect_tcp(*arguments, **named)
        keep_from_children(stream.get_extra_info("socket").fileno())
        return stream


def _kept(transport: Any, backend: Any) -> Any:
    """A transport of httpx whose connections forked children let go of."""
    pool = transport._pool  # noqa: SLF001 - httpx has no parameter for what makes its connections
    pool._network_backend = backend(pool._network_backend)  # noqa: SLF001 - the same
    return transport


class _HttpxClient(httpx.Client):
    def _init_transport(self, *arguments: Any, **options: Any) -> httpx.BaseTransport:
        return _kept(super()._init_transport(*arguments, **options), _KeptConnections)

    def _init_proxy_transport(self, *arguments: Any, **options: Any) -> httpx.BaseTransport:
        return _kept(super()._init_proxy_transport(*arguments, **options), _KeptConnections)


class _HttpxAsyncClient(httpx.AsyncClient):
    def _init_transport(self, *arguments: Any, **options: Any) -> httpx.AsyncBaseTransport:
        return _kept(super()._init_transport(*arguments, **options), _KeptAsyncConnections)

    def _init_proxy_transport(self, *arguments: Any, **options: Any) -> httpx.AsyncBaseTransport:
        return _kept(super()._init_proxy_transport(*arguments, **options), _KeptAsyncConnections)


def _running_loop() -> asyncio.AbstractEventLoop:
    import asyncio  # as much again as the rest of this package, for programs that may not need it

    return asyncio.get_running_loop()


def _async_client(backend: Backend) -> Callable[..., httpx.AsyncClient]:
    """What makes a client whose transports are of a backend.

    Raises:
        ConfigurationError: It is not installed, or nobody knows it.
    """
    if backend == "httpx":
        return _HttpxAsyncClient
    if backend != "aiohttp":
        raise ConfigurationError(f"A transport is 'httpx', 'aiohttp' or an object of httpx, not {backend!r}.")
    try:
        from wallaroo_ext.aiohttp_wire import AiohttpClient
    except ImportError:
        raise ConfigurationError("The transport 'aiohttp' needs: pip install 'wallaroo-ext[aiohttp]'.") from None
    return AiohttpClient
