"""Which connections a sandbox takes: as many as it can hold, and those whose clients do something first."""

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
_MOST_CONNECTIONS, _FEWEST_CONNECTIONS = 512, 16
_OTHER_DESCRIPTORS = 96
"""How many files may be open beside the connections: the database, models, uploads, the engine's pipes."""
_ACCEPTED_AT_ONCE = 16
_CLOSED_AT_ONCE = 8
_PAUSE_SECONDS = 0.1
_LEAST_WAITING_SECONDS = 0.1
"""How long a connection is given to send something before it may be closed for another one."""

_log = logging.getLogger(__name__)


def connection_limit() -> int:
    """Return how many connections this process may hold, by its limit of open files."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return max(_FEWEST_CONNECTIONS, min(_MOST_CONNECTIONS, files - _OTHER_DESCRIPTORS))


class Acceptor:
    """Accepts connections, and calls `expire` on them.

    asyncio's own loop accepts whatever comes, waits a minute for a TLS handshake, and where no file can be opened any
    more it logs that as fast as it can. Here, the connection that waits for its client the longest is closed for a new
    one; where all are at work, new ones wait in the system's queue.

    Args:
        listener: A socket that is bound.
        factory: Makes the protocol of a connection.
        connections: The protocols of those that are open; each adds and removes itself.
        tls: What to speak TLS with; None for plain HTTP.
        limit: How many connections there may be.
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
        """Listen and accept, with so many connections waiting in the system's queue at most."""
        self._listener.setblocking(False)
        self._listener.listen(backlog)
        self._resume()
        self._sweep()

    def close(self) -> None:
        """Accept nothing more; what is open stays open."""
        self._is_closed = True
        self._loop.remove_reader(self._listener)
        for timer in self._timers.values():
            timer.cancel()
        for task in list(self._opening):
            task.cancel()

    async def wait_closed(self) -> None:
        """Return at once; uvicorn waits for the connections itself."""

    def _resume(self) -> None:
        if not self._is_closed:
            self._loop.add_reader(self._listener, self._accept)

    def _pause(self) -> None:
        """Leave the connections that come in the system's queue for a moment."""
        self._loop.remove_reader(self._listener)
        self._timers["resume"] = self._loop.call_later(_PAUSE_SECONDS, self._resume)

    def _accept(self) -> None:
        """Accept what waits."""
        for _ in range(_ACCEPTED_AT_ONCE):
            if len(self._connections) + len(self._opening) >= self._limit:
                if not self._make_room():
                    self._pause()
                return  # what was closed is gone when this is called next
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # there is no file or no memory for it
                _log.warning("a connection cannot be accepted: %s", error)
                self._make_room()
                self._pause()
                return
            connection.setblocking(False)
            self._open(connection)

    def _open(self, connection: socket.socket) -> None:
        """Make a connection one of HTTP, once its TLS handshake is done."""
        timeout = None if self._tls is None else HANDSHAKE_SECONDS
        task = self._loop.create_task(
            self._loop.connect_accepted_socket(self._factory, connection, ssl=self._tls, ssl_handshake_timeout=timeout)
        )

        def forget(_: object) -> None:
            del self._opening[task]
            if task.cancelled() or task.exception() is not None:  # it does not speak TLS, for one
                connection.close()

        self._opening[task] = self._loop.time()
        task.add_done_callback(forget)

    def _make_room(self) -> bool:
        """Close the connections that wait for their clients the longest. Returns False where none does."""
        waiting: list[tuple[float, Callable[[], object]]] = [
            (since, task.cancel) for task, since in self._opening.items()
        ]
        for protocol in self._connections:
            if isinstance(protocol, DroppableProtocol):
                since = protocol.idle_since()
                if since is not None:
                    waiting.append((since, protocol.transport.abort))
        latest = self._loop.time() - _LEAST_WAITING_SECONDS
        waiting = sorted((entry for entry in waiting if entry[0] <= latest), key=lambda entry: entry[0])
        for _, end in waiting[: min(_CLOSED_AT_ONCE, 1 + len(waiting) // _CLOSED_AT_ONCE)]:
            end()
        return bool(waiting)

    def _sweep(self) -> None:
        """End the connections whose clients take too long."""
        for protocol in list(self._connections):
            if isinstance(protocol, DroppableProtocol):
                protocol.expire()
        self._timers["sweep"] = self._loop.call_later(TICK_SECONDS, self._sweep)
