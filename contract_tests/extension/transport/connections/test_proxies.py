"""Do requests to this machine go without a proxy, and all others by one rule?"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from contract_tests.support.command_line import process
from contract_tests.support.servers import http_servers, three_ways
from wallaroo_ext import ConfigurationError, connect
from wallaroo_ext.auth import KeycloakAuth
from wallaroo_ext.cli import checks
from wallaroo_ext.client import DEFAULT_LIMITS
from wallaroo_ext.conformance.drift.fetching import fetch_document
from wallaroo_ext.conformance.guard.interceptor import InterceptedSession
from wallaroo_ext.transport.connections.pooled_connections import PooledTransport
from wallaroo_ext.transport.connections.proxies import is_loopback, proxy_for
from wallaroo_ext.transport.plain_client import plain_client

if TYPE_CHECKING:
    from collections.abc import Generator

    import requests

_HERE = """
    localhost localhost4 localhost6 LOCALHOST localhost. api.localhost 127.0.0.1 127.8.9.10 127.1 0.0.0.0 0x7f.1
    ::1 [::1] ::ffff:127.0.0.1 :: 0:0:0:0:0:0:0:1
"""
_ELSEWHERE = """
    example.com localhost.example.com mylocalhost 127.0.0.1.example.com 128.0.0.1 10.0.0.1 1 xn--
    ::2 ffff::127.0.0.1
"""
UNRELATED = "http://api.example.com"


@pytest.mark.parametrize("host", _HERE.split())
def test_this_machine_is_known_by_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", _ELSEWHERE.split())
def test_other_machines_are_not(host: str) -> None:
    assert not is_loopback(host)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Generator[http_servers.Seen]:
    """Yield a proxy that the environment names for everything."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with http_servers.serving(lambda handler, _: http_servers.answer(handler, 502, b"{}")) as seen:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, seen.url)
            monkeypatch.setenv(name.upper(), seen.url)
        yield seen


def token_or_list(handler: Any, _: int) -> None:
    answer = b'{"access_token": "a-token", "expires_in": 60}' if "token" in handler.path else http_servers.LISTED
    http_servers.answer(handler, 200, answer)


@pytest.mark.parametrize("way", three_ways.WAYS)
def test_nothing_for_this_machine_reaches_it(proxy: http_servers.Seen, way: str) -> None:
    with http_servers.serving(token_or_list) as server:
        for url in (server.url, server.url.replace("127.0.0.1", "localhost")):
            assert three_ways.list_in(way, url, three_ways.USER).workspaces == []
    assert proxy.requests == []
    assert len(server.requests) == 4


def test_nor_what_is_asked_beside_a_client(proxy: http_servers.Seen) -> None:
    with http_servers.serving(token_or_list) as server:
        auth = KeycloakAuth(f"{server.url}/token", api_url=server.url, client_id="c", client_secret="a-secret")
        assert auth.access_token() == "a-token"
        with plain_client(server.url, seconds=5) as http:
            assert http.get("/").status_code == 200
        assert fetch_document(None, f"{server.url}/openapi.json").document == {"workspaces": []}
        checks.check_api(server.url, httpx.create_ssl_context())
        assert checks.proxy_host(httpx.URL(server.url)) is None
        assert _session().post(server.url, data=b"{}").status_code == 200
    assert proxy.requests == []


@pytest.mark.parametrize("way", three_ways.WAYS)
def test_all_else_goes_through_it(proxy: http_servers.Seen, way: str) -> None:
    wire = PooledTransport(verify=True, limits=DEFAULT_LIMITS, backend="aiohttp" if way == "aiohttp" else "httpx")
    request = httpx.Request("GET", f"{UNRELATED}/x")
    if way == "sync":
        response = wire.handle_request(request)
        response.read()
        wire.close()
    else:

        async def go() -> httpx.Response:
            response = await wire.handle_async_request(request)
            await response.aread()
            await wire.aclose()
            return response

        response = asyncio.run(go())
    assert response.status_code == 502
    assert len(proxy.requests) == 1


def test_the_suite_sends_all_of_its_requests_the_same_way(proxy: http_servers.Seen) -> None:
    """The tokens of the run went through the proxy, and the cases past it."""
    assert _session().post(UNRELATED, data=b"{}").status_code == 502
    with plain_client(UNRELATED, seconds=5) as http:
        assert http.post("/").status_code == 502
    assert checks.proxy_host(httpx.URL(UNRELATED)) == proxy.url.removeprefix("http://")
    assert len(proxy.requests) == 2


@pytest.mark.parametrize("exempt", ["api.example.com", "example.com", ".example.com", "*"])
def test_what_the_environment_exempts_goes_past_it(
    proxy: http_servers.Seen, exempt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", exempt)
    assert proxy_for(httpx.URL(UNRELATED)) is None
    assert proxy_for(httpx.URL("http://example.org")) == (None if exempt == "*" else proxy.url)


@pytest.mark.parametrize("named", ["foo://u:hunter2-Zq8x@127.0.0.1", "socks5://u:hunter2-Zq8x@127.0.0.1:1"])
def test_a_proxy_that_cannot_be_used_is_a_sentence(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", named)
    monkeypatch.setitem(sys.modules, "socksio", None)
    with connect(UNRELATED, environment=three_ways.TOKEN) as client:
        with pytest.raises(ConfigurationError) as raised:
            client.get_httpx_client().get("/")
        assert "hunter2" not in f"{raised.value!r}"
        assert "all_proxy" in str(raised.value)


_NO_URLS = (
    "socks://127.0.0.1:1080/",
    "socks5://u:p@127.0.0.1:1",
    "http://[::1",
    "ftp://x",
    "http://\x01:1",
    "unix:///x",
)


@pytest.mark.parametrize("way", three_ways.WAYS)
@pytest.mark.parametrize("named", _NO_URLS)
def test_one_that_cannot_be_used_is_not_in_the_way_of_what_needs_none(
    named: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A desktop may set `socks://`, which httpx does not know: the demo was refused because of that."""
    monkeypatch.setitem(sys.modules, "socksio", None)
    for name in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, named)
    with http_servers.serving() as server:
        assert three_ways.list_in(way, server.url).workspaces == []


@pytest.mark.parametrize("entry", ["fd07:b51a:cc66::/64", "[::1]:80", "m\u00fcller", "http://[::", ",", "x:99999"])
def test_an_entry_that_names_no_host_exempts_nothing_and_is_in_nobodys_way(
    proxy: http_servers.Seen, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", f"{entry},example.org")
    with plain_client(seconds=5) as http:
        assert http.post(f"{UNRELATED}/").status_code == 502
    assert len(proxy.requests) == 1
    assert proxy_for(httpx.URL("http://example.org")) is None


def test_the_sandboxs_own_tools_go_past_it_too(proxy: http_servers.Seen) -> None:
    """Whole commands: one gets a token, one calls an operation, and the doctor checks the connection."""
    with http_servers.serving(token_or_list) as server:
        environment = three_ways.USER | {"WALLAROO_API_URL": server.url}
        for arguments in (["call", "list_workspaces"], ["doctor"], ["token"]):
            process(*arguments, environment=environment)
        assert len(server.requests) >= 5
    assert proxy.requests == []


def _session() -> requests.Session:
    class Observer:
        def admit(self, *_: object) -> Any: ...

        def keep(self, *_: object, **__: object) -> None: ...

        def keep_unanswered(self, *_: object) -> None: ...

    return InterceptedSession(Observer())  # pyright: ignore[reportArgumentType] - all that is asked of it
