"""Is the deadline kept however slow a server is, from the first byte on, for token requests too?"""

from __future__ import annotations

import gc
import itertools
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from wallaroo_mlops_client.models import ListWorkspacesRequest

from contract_tests.support.servers import http_servers
from contract_tests.support.servers.three_ways import TOKEN, USER, WAYS, list_in
from wallaroo_ext import ConnectionFailedError, RequestTimeoutError, RetryPolicy, connect
from wallaroo_ext.auth import KeycloakAuth

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

DEADLINE = 0.1
LATEST = 2.5
"""A busy machine takes a while to notice that the time is over."""
PAUSE = 0.02


def forever(*pieces: bytes) -> Callable[[socket.socket], None]:
    """Return a handler that writes a beginning, and then its last part again and again for a long time."""

    def respond(connection: socket.socket) -> None:
        for piece in itertools.chain(pieces, itertools.repeat(pieces[-1], 1000)):
            connection.sendall(piece)
            time.sleep(PAUSE)

    return respond


DRIPS = {
    "the status line": forever(b"H", b"T", b"T", b"P", b"/1.1 200 O", b"K"),
    "a header": forever(b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
    "headers": forever(b"HTTP/1.1 200 OK\r\n", b"X-A: a\r\n"),
    "early hints": forever(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "processing": forever(b"HTTP/1.1 102 Processing\r\n\r\n"),
    "a body": forever(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n", b" "),
    "chunks": forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a chunk's extension": forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=", b"a"),
    "an error": forever(b"HTTP/1.1 500 No\r\nContent-Length: 9999\r\n\r\n", b" "),
    "nothing": forever(b""),
}


@contextmanager
def in_time() -> Generator[None]:
    began_at = time.monotonic()
    with pytest.raises(ConnectionFailedError) as raised:
        yield
    assert time.monotonic() - began_at < LATEST
    assert isinstance(raised.value, RequestTimeoutError), raised.value


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", DRIPS)
def test_what_comes_in_drops_ends_at_the_deadline(kind: str, way: str) -> None:
    with http_servers.raw(DRIPS[kind]) as url, in_time():
        list_in(way, url, deadline=DEADLINE)


@pytest.mark.parametrize("kind", DRIPS)
def test_a_token_that_comes_in_drops_too(kind: str) -> None:
    """Tokens are requested in a thread, even if the request itself is sent by asyncio."""
    with http_servers.raw(DRIPS[kind]) as url, in_time():
        list_in("sync", url, USER, deadline=DEADLINE)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("way", WAYS)
def test_a_handshake_that_comes_in_drops_too(way: str) -> None:
    """Asyncio leaves the connection of a cancelled handshake to the garbage collector, and warns of that."""
    with http_servers.raw(forever(b"\x16\x03\x03\x40\x00", b"\x02"), reads=False) as url, in_time():
        list_in(way, url.replace("http:", "https:"), deadline=DEADLINE)
    gc.collect()


@pytest.mark.parametrize("way", WAYS)
def test_a_proxy_that_answers_in_drops_too(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_servers.raw(forever(b"HTTP/1.1 200 OK\r\nX-A: ", b"a")) as url, in_time():
        monkeypatch.setenv("HTTPS_PROXY", url)
        list_in(way, "https://api.example.com", deadline=DEADLINE)


@pytest.mark.parametrize("way", WAYS)
def test_a_name_that_is_looked_up_for_ever_too(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object, **__: object) -> Any:
        time.sleep(1)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    began_at = time.monotonic()
    if way == "sync":
        with in_time():
            list_in(way, "http://api.example.com", deadline=DEADLINE)
        return
    # asyncio waits at its end for the thread that looks names up; the error has come long before.
    with pytest.raises(RequestTimeoutError, match="example"):
        list_in(way, "http://api.example.com", deadline=DEADLINE)
    assert time.monotonic() - began_at < 8


@pytest.mark.parametrize("way", WAYS)
def test_a_server_that_does_not_read_too(way: str) -> None:
    """The body is larger than the buffers of the systems on both sides."""
    body = ListWorkspacesRequest.from_dict({"padding": "x" * 20_000_000})
    with http_servers.silent() as url, in_time():
        list_in(way, url, deadline=DEADLINE, body=body)


def _slow_parts() -> Generator[bytes]:
    for _ in range(20):
        time.sleep(DEADLINE / 10)
        yield b"x" * 1000


def test_the_time_for_an_upload_counts_from_its_end() -> None:
    """Sending it takes longer than the deadline, and the answer comes byte by byte."""
    asked_at: list[float] = []

    def respond(connection: socket.socket) -> None:
        asked_at.append(time.monotonic())
        forever(b"HTTP/1.1 200 OK\r\nX-A: ", b"a")(connection)

    policy = RetryPolicy(attempts=1, deadline=DEADLINE)
    headers = {"Content-Length": "20000"}
    with http_servers.raw(respond) as url, connect(url, environment=TOKEN, retries=policy) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.get_httpx_client().post("/v1/api/models/upload_stream", content=_slow_parts(), headers=headers)
        assert time.monotonic() - asked_at[0] < LATEST


@pytest.mark.parametrize("kind", ["a header", "early hints", "a body"])
def test_tokens_alone_have_a_deadline(kind: str) -> None:
    """They have one even if only `KeycloakAuth` is used, which has no policy."""
    with http_servers.raw(DRIPS[kind]) as url, in_time():
        auth = KeycloakAuth(f"{url}/token", api_url=url, client_id="c", client_secret="a-secret", timeout=DEADLINE / 3)
        auth.access_token()


@pytest.mark.parametrize("way", WAYS)
def test_what_is_slow_and_ends_in_time_is_read_whole(way: str) -> None:
    body = b'{"workspaces": []}'

    def respond(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        connection.sendall(b"Content-Length: %d\r\n\r\n" % len(body))
        for byte in body:
            connection.sendall(bytes([byte]))
            time.sleep(0.005)

    with http_servers.raw(respond) as url:
        assert list_in(way, url, deadline=20).workspaces == []


@pytest.mark.parametrize("deadline", [None, float("inf")])
@pytest.mark.parametrize("way", WAYS)
def test_without_a_deadline_there_is_none(way: str, deadline: float | None) -> None:
    with http_servers.raw(forever(b"")) as url, pytest.raises(RequestTimeoutError):
        list_in(way, url, retries=RetryPolicy(attempts=1, deadline=deadline), timeout=0.2)
