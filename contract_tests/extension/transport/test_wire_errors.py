"""Does what the libraries below httpx let through become an error of this package's tree?"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING

import httpx
import pytest
from socksio.exceptions import ProtocolError
from wallaroo_mlops_client.api.workspaces import list_workspaces
from wallaroo_mlops_client.models import ListWorkspacesRequest

from contract_tests.support.servers import http_servers, three_ways
from wallaroo_ext import ConnectionFailedError, KeycloakAuth, WallarooError, aio, call, connect
from wallaroo_ext.transport.connections.tls import NAMED_BY
from wallaroo_ext.transport.wire_errors import as_httpx_errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

LET_THROUGH: list[tuple[Exception, type[httpx.RequestError]]] = [
    (ssl.SSLError("bad record mac"), httpx.ReadError),
    (ConnectionResetError("reset"), httpx.ReadError),
    (EOFError("ended"), httpx.ReadError),
    (UnicodeError("label too long"), httpx.ReadError),
    (ProtocolError("Malformed reply"), httpx.ProxyError),
]


@pytest.mark.parametrize(("error", "kind"), LET_THROUGH)
def test_it_is_an_error_of_httpx(error: Exception, kind: type[httpx.RequestError]) -> None:
    with pytest.raises(kind, match=str(error)) as raised, as_httpx_errors():
        raise error
    assert raised.value.__suppress_context__


@pytest.mark.parametrize("error", [httpx.ReadTimeout("x"), httpx.InvalidURL("x"), KeyError("x"), RuntimeError("x")])
def test_what_is_httpxs_own_or_a_defect_stays(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, as_httpx_errors():
        raise error
    assert raised.value is error


ANSWERS = {
    b"SSH-2.0-OpenSSH_9.6\r\n\r\n": ("does not speak HTTP", "Does the port speak https?"),
    b"\x15\x03\x01\x00\x02\x02\x46": ("does not speak HTTP", "Does the port speak https?"),  # an alert of TLS
    b"": ("without sending a response", "Does the port speak https?"),
    b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000: ("its answer take more than 100 KiB", "Try again"),
    b"HTTP/1.1 101 Switching\r\n\r\n": ("it changed to another protocol", "Try again"),
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{": ("peer closed connection", "Try again"),
}


@pytest.mark.parametrize(
    ("way", "sent"),
    [
        *((way, sent) for way in ("sync", "async") for sent in ANSWERS),
        *(("aiohttp", sent) for sent in list(ANSWERS)[:3]),
    ],
)
def test_what_is_no_answer_is_said_in_words(way: str, sent: bytes) -> None:
    what, advice = ANSWERS[sent]
    with http_servers.raw(lambda one: one.sendall(sent)) as url:
        with pytest.raises(ConnectionFailedError, match=what) as raised:
            three_ways.list_in(way, url)
        assert raised.value.advice.startswith(advice)


_VARIABLES = [*(f"{scheme}_proxy" for scheme in ("http", "https", "all", "no")), *NAMED_BY, "SSLKEYLOGFILE"]
_VALUES = [
    "",
    "/none/there",
    "nonsense://[::1",
    "socks4://127.0.0.1",
    "http://:0",
    "[::1",
    "\x01\u00fc\udcff",
    "9" * 300,
]


@pytest.mark.parametrize("name", [*_VARIABLES, *(name.upper() for name in _VARIABLES if name.islower())])
@pytest.mark.parametrize("way", three_ways.WAYS)
def test_whatever_the_environment_says_is_an_error_of_the_tree(
    name: str, way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # SSLKEYLOGFILE may name a file here

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for value in _VALUES:
        monkeypatch.setenv(name, value)
        with pytest.raises(WallarooError):
            three_ways.list_in(
                way, "https://api.example.com" if "http_" not in name.lower() else "http://api.example.com"
            )


class _Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield b"["
        raise ssl.SSLError("bad record mac")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"["
        raise ssl.SSLError("bad record mac")


@pytest.mark.parametrize("within", ["the request", "the answer"])
def test_it_reaches_callers_as_a_failed_connection(within: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def answered(*_: object) -> httpx.Response:
        if within == "the request":
            raise ssl.SSLError("bad record mac")
        return httpx.Response(200, stream=_Broken())

    async def answered_async(*_: object) -> httpx.Response:
        await asyncio.sleep(0)
        return answered()

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answered)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", answered_async)
    url = http_servers.unused()

    async def call_async() -> None:
        async with connect(url, environment=three_ways.TOKEN) as client:
            await aio.call(list_workspaces, client=client, body=ListWorkspacesRequest())

    with pytest.raises(ConnectionFailedError, match=r"SSLError: .*bad record mac"):
        asyncio.run(call_async())
    with connect(url, environment=three_ways.TOKEN) as client, pytest.raises(ConnectionFailedError, match="bad record"):
        call(list_workspaces, client=client, body=ListWorkspacesRequest())
    auth = KeycloakAuth(f"{url}/token", api_url=url, client_id="c", client_secret="a-secret")
    with pytest.raises(ConnectionFailedError, match=r"request_token: .*bad record mac"):
        auth.access_token()
