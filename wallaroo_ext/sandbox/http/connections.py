"""Accepting connections: up to a limit, closing the longest idle ones to make room."""

from __future__ import annotations

import asyncio
import logging
import resource
from typing import TYPE_CHECKING

from wallaroo_ext.sandbox.http.protocol import TICK_SECONDS, DroppableProtocol

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Collection

HANDSHAKE_SECONDS = 10.0
_MAX_CONNECTIONS, _MIN_CONNECTIONS = 512, 16
_OTHER_DESCRIPTORS = 96
"""File descriptors reserved for other uses: the database, models, uploads, the engine's pipes."""
_ACCEPT_BATCH = 16
_CLOSE_BATCH = 8
_PAUSE_SECONDS = 0.1
_MIN_IDLE_SECONDS = 0.1
"""How long a connection may be idle before it can be closed to make room for another one."""

_log = logging.getLogger(__name__)


def connection_limit() -> int:
    """Return how many connections this process can hold within its limit of open files."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return _MAX_CONNECTIONS
    return max(_MIN_CONNECTIONS, min(_MAX_CONNECTIONS, files - _OTHER_DESCRIPTORS))


class Acceptor:
    """Accepts connections up to a limit, and calls `expire` on them regularly.

    asyncio itself accepts every connection, waits a minute for a TLS handshake, and floods the log when it runs out of
    file descriptors. Here, the connections that have been idle the longest are closed for new ones. If all are busy,
    new connections wait in the backlog of the socket.

    Args:
        listener: A bound socket.
        factory: Creates the protocol of a connection.
        connections: The protocols of the open connections; each adds and removes itself.
        tls: The context for TLS; None for plain HTTP.
        limit: The largest number of connections.
    """

    def __init__(
        self,
        listener: socket.socket,
        factory: Callable[[], asyncio.Protocol],
        connections: Collection[object],
        tls: ssl.SSLContext | None,
        limit: int,
    ) -> None:
        self._listener = listener
        self._factory = factory
        self._connections = connections
        self._tls = tls
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._opening: dict[asyncio.Task[tuple[asyncio.Transport, asyncio.Protocol]], float] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._is_closed = False

    def start(self, backlog: int) -> None:
        """Start to listen and to accept, with a backlog of waiting connections."""
        self._listener.setblocking(False)
        self._listener.listen(backlog)
        self._resume()
        self._sweep()

    def close(self) -> None:
        """Stop accepting; open connections stay open."""
        self._is_closed = True
        self._loop.remove_reader(self._listener)
        for timer in self._timers.values():
            timer.cancel()
        for task in list(self._opening):
            task.cancel()

    async def wait_closed(self) -> None:
        """Return immediately, since uvicorn waits for the connections itself."""

    def _resume(self) -> None:
        if not self._is_closed:
            self._loop.add_reader(self._listener, self._accept)

    def _pause(self) -> None:
        """Leave new connections in the backlog for a moment."""
        self._loop.remove_reader(self._listener)
        self._timers["resume"] = self._loop.call_later(_PAUSE_SECONDS, self._resume)

    def _accept(self) -> None:
        """Accept waiting connections."""
        for _ in range(_ACCEPT_BATCH):
            if len(self._connections) + len(self._opening) >= self._limit:
                if not self._make_room():
                    self._pause()
                return  # closed connections are gone at the next call
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no file descriptor or no memory is left
                _log.warning("a connection cannot be accepted: %s", error)
                self._make_room()
                self._pause()
                return
            connection.setblocking(False)
            self._open(connection)

    def _open(self, connection: socket.socket) -> None:
        """Start the protocol of a connection, after the TLS handshake if there is one."""
        timeout = None if self._tls is None else HANDSHAKE_SECONDS
        task = self._loop.create_task(
            self._loop.connect_accepted_socket(self._factory, connection, ssl=self._tls, ssl_handshake_timeout=timeout)
        )

        def forget(_: object) -> None:
            del self._opening[task]
            if task.cancelled() or task.exception() is not None:  # such as a failed TLS handshake
                connection.close()

        self._opening[task] = self._loop.time()
        task.add_done_callback(forget)

    def _make_room(self) -> bool:
        """Close the connections that have been idle the longest. Return False if none is idle."""
        idle: list[tuple[float, Callable[[], object]]] = [(since, task.cancel) for task, since in self._opening.items()]
        for protocol in self._connections:
            if isinstance(protocol, DroppableProtocol):
                since = protocol.idle_since()
                if since is not None:
                    idle.append((since, protocol.transport.abort))
        latest = self._loop.time() - _MIN_IDLE_SECONDS
        idle = sorted((entry for entry in idle if entry[0] <= latest), key=lambda entry: entry[0])
        for _, close in idle[: min(_CLOSE_BATCH, 1 + len(idle) // _CLOSE_BATCH)]:
            close()
        return bool(idle)

    def _sweep(self) -> None:
        """Close the connections whose clients are too slow."""
        for protocol in list(self._connections):
            if isinstance(protocol, DroppableProtocol):
                protocol.expire()
        self._timers["sweep"] = self._loop.call_later(TICK_SECONDS, self._sweep)
