"""Small servers on this machine that answer as a test says, never answer, never read, or break off."""

from __future__ import annotations

import re
import selectors
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx

from wallaroo_ext import contract

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

LISTED = b'{"workspaces": []}'


@dataclass
class Seen:
    """A running server, and the requests that it got.

    Attributes:
        url: Its URL.
        requests: The first line and the headers of each request, as text.
        bodies: The body of each request.
        connections: The number of connections.
        most_at_once: The greatest number of requests in flight at a time.
        release: The event that ends waiting answers.
    """

    url: str = ""
    requests: list[str] = field(default_factory=list[str])
    bodies: list[bytes] = field(default_factory=list[bytes])
    connections: int = 0
    most_at_once: int = 0
    release: threading.Event = field(default_factory=threading.Event)


def listed(handler: BaseHTTPRequestHandler, _: int) -> None:
    """Answer with an empty list of workspaces."""
    answer(handler, 200, LISTED)


def answer(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    """Answer with JSON, unless the headers name another type."""
    handler.send_response(status)
    for name, value in ({"Content_Type": "application/json", "Content_Length": str(len(body))} | headers).items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def serving(
    respond: Callable[[BaseHTTPRequestHandler, int], None] = listed, *, tls: Path | None = None
) -> Generator[Seen]:
    """Run a server while a `with` block runs.

    Args:
        respond: Answers a request; it gets the handler and the number of earlier requests.
        tls: A PEM file with a certificate and its key.
    """
    seen = Seen()
    lock = threading.Lock()
    in_flight = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            seen.connections += 1
            super().setup()

        def do_POST(self) -> None:
            nonlocal in_flight
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                number = len(seen.requests)
                seen.requests.append(f"{self.requestline}\n{self.headers}")
                seen.bodies.append(body)
                in_flight += 1
                seen.most_at_once = max(seen.most_at_once, in_flight)
            try:
                respond(self, number)
            finally:
                with lock:
                    in_flight -= 1

        do_GET = do_HEAD = do_PUT = do_DELETE = do_POST  # noqa: N815 - the base class names them

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            """Log nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    seen.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield seen
    finally:
        seen.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: some tests close connections or refuse the certificate on purpose."""


@contextmanager
def silent(*, backlog: int = 64) -> Generator[str]:
    """Run a server that accepts connections and never reads or answers. Yields its URL."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listening.bind(("127.0.0.1", 0))
        listening.listen(backlog)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def full() -> Generator[str]:
    """Run a server whose queue of connections is full, so that it accepts no more. Yields its URL."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        waiting: list[socket.socket] = []
        while _gets_connection(address, waiting):
            pass
        try:
            yield f"http://127.0.0.1:{address[1]}"
        finally:
            for connection in waiting:
                connection.close()


def _gets_connection(address: tuple[str, int], waiting: list[socket.socket]) -> bool:
    connection = socket.socket()
    connection.setblocking(False)
    waiting.append(connection)
    connection.connect_ex(address)
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_WRITE)
        return bool(selector.select(0.2))


def is_answering(url: str) -> bool:
    """Return whether a server answers at a URL, with any status."""
    try:
        httpx.get(url, trust_env=False)
    except httpx.TransportError:
        return False
    return True


def unused() -> str:
    """Return a URL where no server listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


def path_of(operation: str) -> str:
    """Return an operation's path."""
    return contract.operation(operation).path


@contextmanager
def raw(respond: Callable[[socket.socket], object], *, reads: bool = True) -> Generator[str]:
    """Run a server that writes any bytes to each connection. Yields its URL.

    Args:
        respond: Writes the answer to a connection.
        reads: Whether to read a request first.
    """
    stopped = threading.Event()

    def handle(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if reads:
                _read_request(connection)
            respond(connection)

    def accept(listening: socket.socket) -> None:
        while not stopped.is_set():
            with suppress(OSError):
                connection, _ = listening.accept()
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0.05)
        thread = threading.Thread(target=accept, args=(listening,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            stopped.set()
            thread.join()


def _read_request(connection: socket.socket) -> None:
    """Read a request with its body."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65_536)
        if not piece:
            return
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    left = int(length[1]) - len(body) if length else 0
    while left > 0:
        left -= len(connection.recv(65_536)) or left
