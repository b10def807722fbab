"""An instance that reads an upload and keeps nothing: what sending alone costs, as a program that prints its URL."""

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
"""What `upload_model` asks; a version without a digest says nothing about what was sent."""


class Sink(BaseHTTPRequestHandler):
    """Reads what comes, and answers what `upload_model` asks."""

    protocol_version = "HTTP/1.1"
    _answers: ClassVar[dict[str, Any]] = {contract.operation(name).path: answer for name, answer in _ANSWERS.items()}

    def do_POST(self) -> None:
        """Read the body piece by piece, and answer."""
        left = int(self.headers["Content-Length"])
        room = memoryview(bytearray(1 << 20))
        while left:
            left -= self.rfile.readinto(room[: min(left, len(room))])  # pyright: ignore[reportAttributeAccessIssue] - it is a buffered reader
        answer = json.dumps(self._answers[self.path]).encode()
        self.send_response(HTTPStatus.ACCEPTED if "upload" in self.path else HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Say nothing."""


@contextmanager
def sink() -> Generator[str]:
    """Yield a sink as a process of its own, for the time of a `with` block; its URL."""
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
