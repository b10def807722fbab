"""Instances for benchmarks of clients alone: they read whatever is sent, drop it, and give an answer that is there."""

from __future__ import annotations

import subprocess
import sys
from abc import abstractmethod
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator
    from http import HTTPStatus


class Answering(BaseHTTPRequestHandler):
    """Reads request bodies, drops them, and answers with JSON."""

    protocol_version = "HTTP/1.1"

    @abstractmethod
    def answer(self) -> tuple[HTTPStatus, bytes]:
        """Return the status and the body of the answer to this request."""

    def do_POST(self) -> None:
        """Read the body in chunks, and answer."""
        left = int(self.headers["Content-Length"])
        buffer = memoryview(bytearray(1 << 20))
        while left:
            left -= self.rfile.readinto(buffer[: min(left, len(buffer))])  # pyright: ignore[reportAttributeAccessIssue] - it is a buffered reader
        status, body = self.answer()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Log nothing."""


def serve(handler: type[Answering], path: str = "") -> None:
    """Serve on a free port, and print the URL, which ends in the path."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        print(f"http://127.0.0.1:{server.server_port}{path}", flush=True)
        server.serve_forever()


@contextmanager
def answering(program: str, *arguments: str) -> Generator[str]:
    """Run a program that serves in a process of its own while a `with` block runs. Yields the URL that it prints."""
    command = [sys.executable, "-P", program, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
