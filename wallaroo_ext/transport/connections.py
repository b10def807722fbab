"""What sends a request once: httpx's own transports, made when they are first needed, by each process for itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from weakref import WeakKeyDictionary

import httpx

from wallaroo_ext._util.after_fork import PerProcess, renew_selector_in_children
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.redaction.known_secrets import KnownSecrets
from wallaroo_ext.redaction.tracebacks import clear_frames
from wallaroo_ext.transport.process_connections import (
    ForkSafeTransport,
    SingleProcessStream,
    detach_connections_in_children,
)
from wallaroo_ext.transport.proxies import bypasses_proxy, environment_proxies, match_proxy, remember_proxy_passwords
from wallaroo_ext.transport.timed_connections import enforce_deadlines
from wallaroo_ext.transport.tls import shared_tls_context

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Callable

Backend = Literal["httpx", "aiohttp"]
AnyClient = TypeVar("AnyClient", httpx.Client, httpx.AsyncClient)


class _ProcessPool:
    """Those of one process: one set for its threads, and one for each event loop.

    A set has a client for each proxy, by its URL, and one without: so a proxy that cannot be used is in nobody's way
    who does not need it.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.proxies = environment_proxies()
        self.sync: dict[str | None, httpx.Client] = {}
        self.by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str | None, httpx.AsyncClient]] = (
            WeakKeyDictionary()
        )

    def proxy_for(self, url: httpx.URL) -> str | None:
        """Return the proxy that a request goes through, as the environment was at first."""
        return None if bypasses_proxy(url) else match_proxy(self.proxies, url)


class PooledTransport(ForkSafeTransport):
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
        self._secrets = KnownSecrets()
        self._own = PerProcess(_ProcessPool)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        own = self._own.get()
        proxy = own.proxy_for(request.url)
        response = _transport(own.sync.get(proxy) or self._made(own, proxy)).handle_request(request)
        response.stream = SingleProcessStream(response.stream)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        own, loop = self._own.get(), _running_loop()
        proxy = own.proxy_for(request.url)
        client = own.by_loop.get(loop, {}).get(proxy) or self._made_for(own, loop, proxy)
        response = await _transport(client).handle_async_request(request)
        response.stream = SingleProcessStream(response.stream)
        return response

    def _made(self, own: _ProcessPool, proxy: str | None) -> httpx.Client:
        with own.lock:
            if proxy not in own.sync:
                made = _client(httpx.Client, verify=self._context(), limits=self._limits, proxy=proxy)
                own.sync[proxy] = detach_connections_in_children(enforce_deadlines(made))
            return own.sync[proxy]

    def _made_for(self, own: _ProcessPool, loop: asyncio.AbstractEventLoop, proxy: str | None) -> httpx.AsyncClient:
        renew_selector_in_children(loop)
        with own.lock:
            made = _client(self._async_client, verify=self._context(), limits=self._limits, proxy=proxy)
            return own.by_loop.setdefault(loop, {}).setdefault(proxy, detach_connections_in_children(made))

    def _context(self) -> ssl.SSLContext:
        """The TLS settings, which threads and event loops share; it is asked for with each new set of connections."""
        remember_proxy_passwords(self._secrets)
        if isinstance(self._verify, bool):
            self._verify = shared_tls_context(verify=self._verify)
        return self._verify

    def close(self) -> None:
        """Close the connections of this process's threads."""
        own = self._own.get()
        with own.lock:
            clients, own.sync = own.sync, {}
        for client in clients.values():
            client.close()

    async def aclose(self) -> None:
        """Close the connections of the running event loop, and those of threads: tokens are asked for there."""
        self.close()
        by_loop = self._own.get().by_loop
        clients = by_loop.pop(_running_loop(), {}) if by_loop else {}  # in a child, asyncio knows no running loop
        for client in clients.values():
            await client.aclose()


def _client(make: Callable[..., AnyClient], **options: Any) -> AnyClient:
    """Make a client that has a proxy, or none, whatever the environment names.

    Raises:
        ConfigurationError: The proxy cannot be used.
    """
    try:
        return make(**options, trust_env=False)
    except (ValueError, httpx.InvalidURL, ImportError) as error:
        clear_frames(error)
        reason = "it needs the package socksio" if isinstance(error, ImportError) else "it is no URL of http or https"
    raise ConfigurationError(
        f"A proxy that the environment names cannot be used: {reason}. Mend HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or "
        f"unset it."
    )


def _transport(client: httpx.Client | httpx.AsyncClient) -> Any:
    """Return what sends a client's requests: its proxy's transport where it has one."""
    mounted: Any = client._mounts  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - httpx has no public name for a transport through any kind of proxy
    return next(iter(mounted.values()), client._transport)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the same


def _running_loop() -> asyncio.AbstractEventLoop:
    import asyncio  # as much again as the rest of this package, for programs that may not need it

    return asyncio.get_running_loop()


def _async_client(backend: Backend) -> Callable[..., httpx.AsyncClient]:
    """Return what makes a client whose transports are of a backend.

    Raises:
        ConfigurationError: It is not installed, or nobody knows it.
    """
    if backend == "httpx":
        return httpx.AsyncClient
    if backend != "aiohttp":
        raise ConfigurationError(f"A transport is 'httpx', 'aiohttp' or an object of httpx, not {backend!r}.")
    try:
        from wallaroo_ext.transport.aiohttp_connections import AiohttpClient
    except ImportError:
        raise ConfigurationError("The transport 'aiohttp' needs: pip install 'wallaroo-ext[aiohttp]'.") from None
    return AiohttpClient
