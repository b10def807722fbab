"""Does asyncio with aiohttp read what httpx reads, and tell no more of what it cannot read?"""

from __future__ import annotations

import socket
import time
import traceback

import pytest
from wallaroo_mlops_client.models import ListWorkspacesRequest

from contract_tests.support.servers import http_servers, three_ways
from wallaroo_ext import ConnectionFailedError, ServerError

SECRET = "s3cr3t-of-a-session"
BODY = b'{"workspaces":[]}'
LARGE = 8 << 20


def answered(way: str, head: bytes) -> None:
    """List the workspaces of a server that answers with this head."""

    def respond(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + head + b"\r\n\r\n" + BODY)

    with http_servers.raw(respond) as url:
        three_ways.list_in(way, url)


@pytest.mark.parametrize("way", three_ways.WAYS)
@pytest.mark.parametrize("size", [9_000, 65_536, 90_000])
def test_a_long_header_is_read(way: str, size: int) -> None:
    answered(way, b"Content-Length: 17\r\nContent-Security-Policy: " + b"a" * size)


@pytest.mark.parametrize("way", three_ways.WAYS)
def test_a_reason_phrase_may_be_in_any_language(way: str) -> None:
    answer = "HTTP/1.1 500 Ungültig\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    with (
        http_servers.raw(lambda connection: connection.sendall(answer.encode("latin-1"))) as url,
        pytest.raises(ServerError, match="500"),
    ):
        three_ways.list_in(way, url)


@pytest.mark.parametrize("way", three_ways.WAYS)
@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 17\r\nSet-Cookie: session=" + SECRET.encode() * 10_000,
        b"Content-Length: 17\r\nSet-Cookie session=" + SECRET.encode(),
        b"Content-Length: 17\r\nSet-Cookie: session=" + SECRET.encode() + b"\x00",
        b"Content-Length: 18 " + SECRET.encode(),
        b"Content-Length: 18\r\nContent-Length: 19" + SECRET.encode(),
    ],
    ids=["a header that is too long", "no colon", "NUL", "a length with more", "two lengths"],
)
def test_what_cannot_be_read_is_not_repeated(way: str, head: bytes) -> None:
    with pytest.raises(ConnectionFailedError) as raised:
        answered(way, head)
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("way", three_ways.WAYS)
def test_an_answer_may_begin_before_the_whole_body_is_sent(way: str) -> None:
    with http_servers.raw(_answer_at_the_first_byte, reads=False) as url:
        body = ListWorkspacesRequest.from_dict({"filler": "x" * LARGE})
        assert three_ways.list_in(way, url, body=body).workspaces == []


def _answer_at_the_first_byte(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    received = len(connection.recv(1 << 10))
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n")
    time.sleep(0.2)
    while received < LARGE:
        received += len(connection.recv(1 << 20))
    connection.sendall(BODY)
