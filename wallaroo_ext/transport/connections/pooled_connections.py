"""Pooled connections: httpx's own transports, made when they are first needed, by each process for itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from weakref import WeakKeyDictionary

import httpx

from wallaroo_ext._util.after_fork import PerProcess, renew_selector_in_children
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.redaction.known_secrets import KnownSecrets
from wallaroo_ext.redaction.tracebacks import clear_frames
from wallaroo_ext.transport.connections.proxies import (
    bypasses_proxy,
    environment_proxies,
    match_proxy,
    remember_proxy_passwords,
)
from wallaroo_ext.transport.connections.timed_connections import enforce_deadlines
from wallaroo_ext.transport.connections.tls import shared_tls_context
from wallaroo_ext.transport.process_connections import (
    ForkSafeTransport,
    SingleProcessStream,
    detach_connections_in_children,
)

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Callable

Backend = Literal["httpx", "aiohttp"]
AnyClient = TypeVar("AnyClient", httpx.Client, httpx.AsyncClient)


class _ProcessPool:
    """The connections of one process: one set for its threads, and one for each event loop.

    A set has a client for each proxy, by its URL, and one without a proxy. So an unusable proxy only affects requests
    that go through it.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.proxies = environment_proxies()
        self.sync: dict[str | None, httpx.Client] = {}
        self.by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str | None, httpx.AsyncClient]] = (
            WeakKeyDictionary()
        )

    def proxy_for(self, url: httpx.URL) -> str | None:
        """Return the proxy of a request, by the environment as it was at the first request; None if it needs none."""
        return None if bypasses_proxy(url) else match_proxy(self.proxies, url)


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
        self._async_class = _async_class(backend)
        self._secrets = KnownSecrets()
        self._pools = PerProcess(_ProcessPool)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        pool = self._pools.get()
        proxy = pool.proxy_for(request.url)
        response = _transport(pool.sync.get(proxy) or self._client_for(pool, proxy)).handle_request(request)
        response.stream = SingleProcessStream(response.stream)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        pool, loop = self._pools.get(), _running_loop()
        proxy = pool.proxy_for(request.url)
        client = pool.by_loop.get(loop, {}).get(proxy) or self._async_client_for(pool, loop, proxy)
        response = await _transport(client).handle_async_request(request)
        response.stream = SingleProcessStream(response.stream)
        return response

    def _client_for(self, pool: _ProcessPool, proxy: str | None) -> httpx.Client:
        with pool.lock:
            if proxy not in pool.sync:
                made = _client(httpx.Client, verify=self._context(), limits=self._limits, proxy=proxy)
                pool.sync[proxy] = detach_connections_in_children(enforce_deadlines(made))
            return pool.sync[proxy]

    def _async_client_for(
        self, pool: _ProcessPool, loop: asyncio.AbstractEventLoop, proxy: str | None
    ) -> httpx.AsyncClient:
        renew_selector_in_children(loop)
        with pool.lock:
            made = _client(self._async_class, verify=self._context(), limits=self._limits, proxy=proxy)
            return pool.by_loop.setdefault(loop, {}).setdefault(proxy, detach_connections_in_children(made))

    def _context(self) -> ssl.SSLContext:
        """Return the TLS settings, which threads and event loops share, for a new set of connections."""
        remember_proxy_passwords(self._secrets)
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


def _client(make: Callable[..., AnyClient], **options: Any) -> AnyClient:
    """Return a client with the given proxy or none, whatever the environment says.

    Raises:
        ConfigurationError: The proxy cannot be used.
    """
    try:
        return make(**options, trust_env=False)
    except (ValueError, httpx.InvalidURL, ImportError) as error:
        clear_frames(error)
        reason = "it needs the package socksio" if isinstance(error, ImportError) else "it is no URL of http or https"
    raise ConfigurationError(
        f"A proxy that the environment names cannot be used: {reason}. Correct HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, "
        f"or unset it."
    )


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
