"""Are interim answers, which a gateway may send unasked, passed over by every client of the suite?"""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import httpx
import pytest
import requests

from wallaroo_ext.conformance.guard.final_answers import FinalAnswersAdapter

if TYPE_CHECKING:
    from collections.abc import Generator

INTERIM = {
    "none": b"",
    "100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "103": b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
    "102 and 103": b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n",
}
FINAL = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Final: yes\r\n\r\nok"


@pytest.fixture(params=INTERIM)
def url(request: pytest.FixtureRequest) -> Generator[str]:
    """Yield the URL of a server that answers two requests on one connection, each after interim answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                for _ in range(2):
                    connection.recv(65_536)
                    connection.sendall(INTERIM[request.param] + FINAL)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_requests_passes_over_them(url: str) -> None:
    with requests.Session() as session:
        session.mount("http://", FinalAnswersAdapter())
        for _ in range(2):
            answer = session.get(url, timeout=10)
            assert (answer.status_code, answer.text, answer.headers["X-Final"]) == (200, "ok", "yes")


def test_httpx_passes_over_them(url: str) -> None:
    with httpx.Client() as client:
        for _ in range(2):
            answer = client.get(url)
            assert (answer.status_code, answer.text, answer.headers["X-Final"]) == (200, "ok", "yes")
