"""A server in a process of its own that echoes requests and counts connections, for tests that fork.

A thread would not do as a server: a forked child would have a copy of the server's side of each connection.
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_tests.support.servers.forks import fork_server
from wallaroo_ext._util.after_fork import this_process

if TYPE_CHECKING:
    from collections.abc import Generator

_COUNTS = {"opened": 0, "closed": 0, "requests": 0, "tokens": 0, "refused": 0, "waiting": 0}
_REFRESH_TOKENS: set[str] = set()
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Echo:
    """A running echo server.

    Attributes:
        url: Its URL.
        environment: The variables that `wallaroo_ext.connect` reads.
    """

    url: str
    environment: dict[str, str]

    def counts(self) -> dict[str, int]:
        """Return the numbers of connections and requests by kind, without this request."""
        from http.client import HTTPConnection, HTTPSConnection

        insecure = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        insecure.check_hostname, insecure.verify_mode = False, ssl.CERT_NONE  # it is on this machine
        host = self.url.partition("://")[2]
        plain = HTTPConnection(host) if self.url.startswith("http:") else HTTPSConnection(host, context=insecure)
        try:
            plain.request("GET", "/counts")
            found: dict[str, int] = json.loads(plain.getresponse().read())
        finally:
            plain.close()
        return found

    def wait_for(self, name: str, count: int) -> None:
        """Wait until a number is reached."""
        deadline = time.monotonic() + 20
        while self.counts()[name] < count:
            assert time.monotonic() < deadline, f"{name}: {self.counts()}"
            time.sleep(0.01)


@contextmanager
def echo_server(tls: Path | None = None) -> Generator[Echo]:
    """Run the server while a `with` block runs.

    Args:
        tls: A PEM file with a certificate and its key; None for plain HTTP.
    """
    printed, stdout = os.pipe()
    with Path(os.devnull).open("rb") as nothing:
        arguments = [__name__] if tls is None else [__name__, str(tls)]
        program = fork_server.start("module", arguments, (nothing.fileno(), stdout, 2))
    os.close(stdout)
    with os.fdopen(printed) as lines:
        url = lines.readline().strip()
    variables = {"API_URL": url, "USER": "u", "PASSWORD": "p", "CLIENT_SECRET": "s"}
    if tls is not None:
        variables["CA_BUNDLE"] = str(tls)
    owner = this_process()
    try:
        yield Echo(url, {f"WALLAROO_{name}": value for name, value in variables.items()})
    finally:
        if owner.is_this:
            program.kill()


def _count(name: str, more: int = 1) -> None:
    with _LOCK:
        _COUNTS[name] += more


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle(self) -> None:
        _count("opened")
        try:
            super().handle()
        except OSError:
            pass  # the client closed the connection
        finally:
            _count("closed")

    def do_GET(self) -> None:
        """Answer with the numbers, without counting this request."""
        with _LOCK:
            _COUNTS["opened"] -= 1
            _COUNTS["closed"] -= 1
            counts = dict(_COUNTS)
        self.close_connection = True
        self._answer(200, counts)

    def do_POST(self) -> None:
        """Echo the body, which may say how many seconds to wait before the answer, or within it."""
        body = self._body()
        if self.path.endswith("/token"):
            self._answer_token(body.decode())
            return
        _count("requests")
        content: dict[str, Any] = json.loads(body) if body[:1] == b"{" else {"bytes": len(body)}
        self._wait(content.get("before", 0))
        if "within" in content:
            self._answer_slowly(content)
        else:
            self._answer(200, content)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = bytearray()
        while size := int(self.rfile.readline(), 16):
            parts += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(parts)

    def _answer_token(self, form: str) -> None:
        """Answer with a token and a refresh token for one use."""
        fields = dict(pair.split("=", 1) for pair in form.split("&"))
        with _LOCK:
            used = fields.get("refresh_token")
            refused = used is not None and used not in _REFRESH_TOKENS
            _REFRESH_TOKENS.discard(used or "")
            _COUNTS["refused" if refused else "tokens"] += 1
            number = _COUNTS["tokens"]
            if not refused:
                _REFRESH_TOKENS.add(f"r{number}")
        if refused:
            self._answer(400, {"error": "invalid_grant", "error_description": "Token is not active"})
        else:
            answer = {"access_token": f"t{number}", "refresh_token": f"r{number}", "expires_in": 3600}
            self._answer(200, answer | {"refresh_expires_in": 36000})

    def _answer_slowly(self, content: dict[str, Any]) -> None:
        text = json.dumps(content).encode()
        self._head(200, len(text) + 20_000)
        self.wfile.write(b" " * 20_000 + text[:5])
        self._wait(content["within"])
        self.wfile.write(text[5:])

    def _wait(self, seconds: float) -> None:
        _count("waiting")
        time.sleep(seconds)
        _count("waiting", -1)

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        text = json.dumps(answer).encode()
        self._head(status, len(text))
        self.wfile.write(text)

    def _head(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        self.send_header("Set-Cookie", "sticky=1; Path=/")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base has it
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: some tests close connections on purpose."""


def main(tls: str | None = None) -> None:
    """Print the URL, and serve until the process is killed."""
    server = _Server(("127.0.0.1", 0), _Handler)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    sys.stdout.write(f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
