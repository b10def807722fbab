"""Runs an instance that reads uploads and keeps nothing, to measure sending alone; the program prints its URL."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

from wallaroo_ext import contract

if TYPE_CHECKING:
    from collections.abc import Generator

_VERSION = {"id": 1, "models_pk_id": 1, "model_version": "1", "sha": "", "status": "ready"}
_ANSWERS: dict[str, Any] = {
    "list_workspaces": {"workspaces": []},
    "upload_and_convert_model": {"insert_models": {"returning": [{"models": [{"id": 1}]}]}},
    "list_model_versions": [_VERSION],
}
"""Answers to the requests of `upload_model`; without a digest, it has nothing to compare."""


class Sink(BaseHTTPRequestHandler):
    """Reads request bodies and answers the requests of `upload_model`."""

    protocol_version = "HTTP/1.1"
    _answers: ClassVar[dict[str, Any]] = {contract.operation(name).path: answer for name, answer in _ANSWERS.items()}

    def do_POST(self) -> None:
        """Read the body in chunks, and answer."""
        left = int(self.headers["Content-Length"])
        buffer = memoryview(bytearray(1 << 20))
        while left:
            left -= self.rfile.readinto(buffer[: min(left, len(buffer))])  # pyright: ignore[reportAttributeAccessIssue] - it is a buffered reader
        answer = json.dumps(self._answers[self.path]).encode()
        self.send_response(HTTPStatus.ACCEPTED if "upload" in self.path else HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Log nothing."""


@contextmanager
def sink() -> Generator[str]:
    """Run a sink in a process of its own while a `with` block runs. Yields its URL."""
    with subprocess.Popen([sys.executable, "-P", __file__], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), Sink) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
