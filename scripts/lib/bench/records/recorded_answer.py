"""Runs an instance that gives each request one recorded answer, to measure clients alone; it prints its URL."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Generator

_PATH = "/v1/api/pipelines/infer/bench-1/bench"


class Recorded(BaseHTTPRequestHandler):
    """Reads request bodies, drops them, and gives the answer."""

    protocol_version = "HTTP/1.1"
    answer: ClassVar[bytes] = b"[]"

    def do_POST(self) -> None:
        """Read the body in chunks, and answer."""
        left = int(self.headers["Content-Length"])
        buffer = memoryview(bytearray(1 << 20))
        while left:
            left -= self.rfile.readinto(buffer[: min(left, len(buffer))])  # pyright: ignore[reportAttributeAccessIssue] - it is a buffered reader
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Log nothing."""


@contextmanager
def recorded_answer(file: Path) -> Generator[str]:
    """Run the instance in a process of its own while a `with` block runs. Yields its inference URL.

    Args:
        file: The answer.
    """
    command = [sys.executable, "-P", __file__, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


if __name__ == "__main__":
    Recorded.answer = Path(sys.argv[1]).read_bytes()
    with ThreadingHTTPServer(("127.0.0.1", 0), Recorded) as server:
        print(f"http://127.0.0.1:{server.server_port}{_PATH}", flush=True)
        server.serve_forever()
