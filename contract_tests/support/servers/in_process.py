"""Runs the sandbox's server in the tests' process, with a small application."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from wallaroo_ext.sandbox.http.protocol import drop_connection
from wallaroo_ext.sandbox.server.serve import LimitedServer, listening, server_config

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_ext.sandbox.server.tls import TlsFiles

HOST, CLOSE = "Host: h\r\n", "Connection: close\r\n"
LARGE = 16 << 20
TIMEOUT_SECONDS = 10


@dataclass(slots=True)
class Served:
    """A server in this process.

    Attributes:
        port: Its port on 127.0.0.1.
        scopes: The scope of each request that reached the application.
    """

    port: int
    scopes: list[Any]

    @property
    def slow(self) -> list[Any]:
        """The scopes of the slow requests."""
        return [scope for scope in self.scopes if scope["path"] == "/slow"]

    def connect(self) -> socket.socket:
        """Return a connection to the server."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_SECONDS)

    def answer(self, *pieces: str | bytes, pause: float = 0) -> str:
        """Send pieces one after the other. Returns everything that is answered until the connection is closed."""
        with self.connect() as connection:
            with suppress(ConnectionError):  # the server closed it before everything was sent
                for piece in pieces:
                    connection.sendall(piece.encode("latin-1") if isinstance(piece, str) else piece)
                    if pause:
                        time.sleep(pause)
            return received(connection)

    def status(self, *pieces: str | bytes, pause: float = 0) -> int:
        """Send pieces one after the other. Returns the status of the first answer."""
        return int(self.answer(*pieces, pause=pause).split(" ", 2)[1])

    def is_well(self) -> bool:
        """Return whether the server still answers."""
        return self.status(f"GET / HTTP/1.1\r\n{HOST}{CLOSE}\r\n") == 200


def received(connection: socket.socket) -> str:
    """Return everything that is received until the connection is closed."""
    pieces: list[bytes] = []
    while piece := connection.recv(1 << 20):
        pieces.append(piece)
    return b"".join(pieces).decode("latin-1")


def _application(scopes: list[Any]) -> Starlette:
    async def echo(request: Request) -> Response:
        scopes.append(request.scope)
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response(status_code=400)
        return PlainTextResponse(f"<{request.method} {request.url.path} {len(body)} {request.headers.get('x')}>")

    async def slow(request: Request) -> Response:
        scopes.append(request.scope)
        await run_in_threadpool(time.sleep, 1)
        return PlainTextResponse("slow")

    async def unread(_: Request) -> Response:
        return PlainTextResponse("not read", 401)

    async def dropped(request: Request) -> Response:
        await drop_connection(request.scope, reset=False)
        return await until_gone(request)

    async def until_gone(request: Request) -> Response:
        scopes.append(request.scope)
        while (await request.receive())["type"] != "http.disconnect":
            pass
        request.scope["is_gone"] = True
        return Response()

    async def large(_: Request) -> Response:
        return Response(bytes(LARGE))

    paths = {
        "/slow": slow,
        "/unread": unread,
        "/until-gone": until_gone,
        "/dropped": dropped,
        "/large": large,
        "/{path:path}": echo,
    }
    return Starlette(routes=[Route(path, endpoint, methods=["GET", "POST"]) for path, endpoint in paths.items()])


@contextmanager
def serving(limit: int | None = None, tls: TlsFiles | None = None) -> Generator[Served]:
    """Run a server with a limit of connections, or the default limit, while a `with` block runs."""
    scopes: list[Any] = []
    with listening("127.0.0.1", 0) as listener:
        ready = threading.Event()
        server = LimitedServer(server_config(_application(scopes), tls), ready.set, limit=limit)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        assert ready.wait(TIMEOUT_SECONDS)
        try:
            yield Served(listener.getsockname()[1], scopes)
        finally:
            server.should_exit = server.force_exit = True
            thread.join()


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
