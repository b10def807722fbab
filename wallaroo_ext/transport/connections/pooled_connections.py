"""Pooled connections: httpx's own transports, made when they are first needed, by each process for itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import httpx

from wallaroo_ext._util.after_fork import PerProcess, renew_selector_in_children
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.redaction.known_secrets import KnownSecrets
from wallaroo_ext.transport.connections.claimed_connections import claim_connections
from wallaroo_ext.transport.connections.proxies import EnvironmentProxies, Proxy
from wallaroo_ext.transport.connections.timed_connections import enforce_deadlines
from wallaroo_ext.transport.connections.tls import prepare_thread, shared_tls_context, unused_tls_context
from wallaroo_ext.transport.process_connections import (
    ForkSafeTransport,
    SingleProcessStream,
    detach_connections_in_children,
    opened_connections,
)
from wallaroo_ext.transport.retry import request_options
from wallaroo_ext.transport.wire_errors import as_httpx_errors

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Callable

Backend = Literal["httpx", "aiohttp"]
AnyClient = TypeVar("AnyClient", httpx.Client, httpx.AsyncClient)


class _Route(NamedTuple):
    """How a request goes: the proxy, if it needs one, and whether TLS is spoken on the way."""

    proxy: Proxy | None
    is_encrypted: bool

    @property
    def is_socks(self) -> bool:
        """Whether the proxy speaks SOCKS."""
        return self.proxy is not None and self.proxy.is_socks


class _ProcessPool:
    """The connections of one process: one set for its threads, and one for each event loop.

    A set has a client for each route. So a proxy or certificates that cannot be used only affect requests that need
    them. The proxies are those that the environment named at the first request.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.proxies = EnvironmentProxies()
        self.sync: dict[_Route, httpx.Client] = {}
        self.by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Route, httpx.AsyncClient]] = (
            WeakKeyDictionary()
        )

    def route_of(self, request: httpx.Request) -> _Route:
        """Return the route of a request, and note the proxy in its extensions, for messages."""
        proxy = self.proxies.find(request.url)
        if proxy is not None:
            request.extensions[request_options.PROXY] = proxy
        return _Route(proxy, request.url.scheme == "https" or (proxy is not None and proxy.is_encrypted))


class PooledTransport(ForkSafeTransport):
    """A transport with pooled connections to any number of servers, through the proxies that the environment names.

    It can be used by threads and by any number of event loops and forked processes, each with connections of its own.
    Connections are opened at the first request, and again after the transport was closed.

    Args:
        verify: Whether certificates are checked, or the TLS settings to check them with.
        limits: How many connections may be open, and for how long an idle one stays open; for each event loop.
        backend: The library that sends the requests of asyncio.
    """

    def __init__(self, *, verify: ssl.SSLContext | bool, limits: httpx.Limits, backend: Backend) -> None:
        self._verify = verify
        self._limits = limits
        self._backend: Backend = backend
        _async_class(backend)  # refuses one that is unknown or not installed
        self._secrets = KnownSecrets()
        self._pools = PerProcess(_ProcessPool)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        prepare_thread()
        pool = self._pools.get()
        route = pool.route_of(request)
        client = pool.sync.get(route) or self._client_for(pool, route)
        send = _through_socks if route.is_socks else _through
        with as_httpx_errors():
            response = send(client, request)
        response.stream = SingleProcessStream(response.stream)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        prepare_thread()
        pool, loop = self._pools.get(), _running_loop()
        route = pool.route_of(request)
        client = pool.by_loop.get(loop, {}).get(route) or self._async_client_for(pool, loop, route)
        send = _through_socks_async if route.is_socks else _through_async
        with as_httpx_errors():
            response = await send(client, request)
        response.stream = SingleProcessStream(response.stream)
        return response

    def _client_for(self, pool: _ProcessPool, route: _Route) -> httpx.Client:
        with pool.lock:
            if route not in pool.sync:
                made = self._made(httpx.Client, pool, route)
                pool.sync[route] = claim_connections(detach_connections_in_children(enforce_deadlines(made)))
            return pool.sync[route]

    def _async_client_for(
        self, pool: _ProcessPool, loop: asyncio.AbstractEventLoop, route: _Route
    ) -> httpx.AsyncClient:
        renew_selector_in_children(loop)
        with pool.lock:
            if route.proxy is not None and route.is_socks and self._backend == "aiohttp":
                raise route.proxy.refusal('speaks SOCKS, which aiohttp cannot; `transport="httpx"` can')
            made = self._made(_async_class(self._backend), pool, route)
            return pool.by_loop.setdefault(loop, {}).setdefault(route, detach_connections_in_children(made))

    def _made(self, make: Callable[..., AnyClient], pool: _ProcessPool, route: _Route) -> AnyClient:
        """Return a client for a route, whatever else the environment says.

        Raises:
            ConfigurationError: The proxy or the certificates cannot be used.
        """
        pool.proxies.remember_passwords(self._secrets)
        context = self._context() if route.is_encrypted else unused_tls_context()
        proxy = None if route.proxy is None else route.proxy.for_httpx(context)
        try:
            return make(verify=context, limits=self._limits, proxy=proxy, trust_env=False)
        except ImportError:
            if route.proxy is None:
                raise
            raise route.proxy.refusal("speaks SOCKS, which needs: pip install 'wallaroo-ext[socks]'") from None

    def _context(self) -> ssl.SSLContext:
        """Return the TLS settings, which threads and event loops share."""
        if isinstance(self._verify, bool):
            self._verify = shared_tls_context(verify=self._verify)
        return self._verify

    def close(self) -> None:
        """Close the connections of this process's threads."""
        pool = self._pools.get()
        with pool.lock:
            clients, pool.sync = pool.sync, {}
        for client in clients.values():
            client.close()

    async def aclose(self) -> None:
        """Close the connections of the running event loop, and those of threads, which token requests use."""
        self.close()
        by_loop = self._pools.get().by_loop
        clients = by_loop.pop(_running_loop(), {}) if by_loop else {}  # a child has no running loop
        for client in clients.values():
            await client.aclose()


def _through(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    return _transport(client).handle_request(request)


async def _through_async(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    return await _transport(client).handle_async_request(request)


def _through_socks(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    """Send a request through a SOCKS proxy, and close the connection that it refuses."""
    opened: list[Any] = []
    token = opened_connections.set(opened)
    try:
        return _through(client, request)
    except BaseException:
        for stream in opened:
            stream.close()
        raise
    finally:
        opened_connections.reset(token)


async def _through_socks_async(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Send a request through a SOCKS proxy, and close the connection that it refuses."""
    opened: list[Any] = []
    token = opened_connections.set(opened)
    try:
        return await _through_async(client, request)
    except BaseException:
        for stream in opened:
            await stream.aclose()
        raise
    finally:
        opened_connections.reset(token)


def _transport(client: httpx.Client | httpx.AsyncClient) -> Any:
    """Return the transport of a client: that of its proxy if it has one."""
    mounted: Any = client._mounts  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - httpx has no public name for a transport through any kind of proxy
    return next(iter(mounted.values()), client._transport)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the same


def _running_loop() -> asyncio.AbstractEventLoop:
    import asyncio  # imported late, because it takes as long as the rest of this package

    return asyncio.get_running_loop()


def _async_class(backend: Backend) -> Callable[..., httpx.AsyncClient]:
    """Return the class of asynchronous clients for a backend.

    Raises:
        ConfigurationError: The backend is unknown or not installed.
    """
    if backend == "httpx":
        return httpx.AsyncClient
    if backend != "aiohttp":
        raise ConfigurationError(f"A transport is 'httpx', 'aiohttp' or an object of httpx, not {backend!r}.")
    try:
        from wallaroo_ext.transport.connections.aiohttp_connections import AiohttpClient
    except ImportError:
        raise ConfigurationError("The transport 'aiohttp' needs: pip install 'wallaroo-ext[aiohttp]'.") from None
    return AiohttpClient
