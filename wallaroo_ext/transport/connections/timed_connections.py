"""Connections for threads that check the request's deadline at each step; see `transport.retry.deadline`."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import TYPE_CHECKING, Any

import httpcore

from wallaroo_ext.transport.retry.deadline import PASSED, time_left

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    import httpx

_CHUNK_SIZE = 64 * 1024
"""How much is written at a time, in bytes; the deadline is checked before each chunk."""


def enforce_deadlines(client: httpx.Client) -> httpx.Client:
    """Make all connections of a client check the deadline of their thread. Return the client."""
    backend = TimedBackend()
    mounted: list[Any] = [client._transport, *client._mounts.values()]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - httpx takes no network backend, and httpcore does
    for transport in mounted:
        if transport is not None:
            transport._pool._network_backend = backend  # noqa: SLF001 - the same
    return client


class TimedBackend(httpcore.NetworkBackend):
    """Makes httpcore's connections, which check the remaining time before each step."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of a host's addresses that accepts the connection."""
        failure: httpcore.TimeoutException | httpcore.NetworkError = httpcore.ConnectError(f"{host} has no address")
        for address in _addresses(host, port, timeout):
            left = _remaining(timeout, httpcore.ConnectTimeout)
            try:
                return _TimedStream(self._inner.connect_tcp(address, port, left, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        """Connect to a Unix socket."""
        left = _remaining(timeout, httpcore.ConnectTimeout)
        return _TimedStream(self._inner.connect_unix_socket(path, left, socket_options))

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._inner.sleep(seconds)


class _TimedStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _remaining(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _CHUNK_SIZE):
            self._inner.write(buffer[start : start + _CHUNK_SIZE], _remaining(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _remaining(timeout, httpcore.ConnectTimeout)
        return _TimedStream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _remaining(timeout: float | None, kind: type[httpcore.TimeoutException]) -> float | None:
    try:
        return time_left(timeout)
    except TimeoutError:
        raise kind(PASSED) from None


def _addresses(host: str, port: int, timeout: float | None) -> list[str]:
    """Return a host's addresses, looked up in another thread because the system's look-up has no timeout."""
    left = _remaining(timeout, httpcore.ConnectTimeout)
    if left is None or _is_address(host):
        return [host]
    found: list[str] = []
    failures: list[Exception] = []

    def look_up() -> None:
        try:
            found.extend(str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:  # noqa: BLE001 - raised in the waiting thread
            failures.append(error)

    thread = threading.Thread(target=look_up, name="wallaroo-names", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # at interpreter shutdown, no thread can be started
        return [host]
    thread.join(left)
    if thread.is_alive():
        raise httpcore.ConnectTimeout(f"the address of {host} was not found in time")
    if failures:
        error = failures[0]
        raise httpcore.ConnectError(str(error)) if isinstance(error, OSError | UnicodeError) else error
    return list(dict.fromkeys(found))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
