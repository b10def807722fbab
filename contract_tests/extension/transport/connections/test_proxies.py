"""Do requests to this machine go without a proxy, and all others by one rule?"""

from __future__ import annotations

import asyncio
import base64
import gc
import socket
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from contract_tests.support.command_line import process
from contract_tests.support.servers import http_servers, proxy_servers, three_ways
from contract_tests.support.servers.certificates import self_signed
from wallaroo_ext import ConfigurationError, ConnectionFailedError, InvalidRequestError, connect
from wallaroo_ext.auth import KeycloakAuth
from wallaroo_ext.cli import checks
from wallaroo_ext.client import DEFAULT_LIMITS
from wallaroo_ext.conformance.drift.fetching import fetch_document
from wallaroo_ext.conformance.guard.inference_urls import InferenceUrls
from wallaroo_ext.conformance.guard.interceptor import InterceptedSession
from wallaroo_ext.transport.connections.pooled_connections import PooledTransport
from wallaroo_ext.transport.connections.proxies import is_loopback, proxy_for
from wallaroo_ext.transport.plain_client import plain_client

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    import requests

_HERE = """
    localhost localhost4 localhost6 LOCALHOST localhost. api.localhost 127.0.0.1 127.8.9.10 127.1 0.0.0.0 0x7f.1
    ::1 [::1] ::ffff:127.0.0.1 :: 0:0:0:0:0:0:0:1
"""
_ELSEWHERE = """
    example.com localhost.example.com mylocalhost localhostX 127.0.0.1.example.com 128.0.0.1 10.0.0.1 1 xn--
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
    '"http://127.0.0.1:1"',
    "http:/127.0.0.1:1",
)


@pytest.mark.parametrize("named", ['"http://127.0.0.1:1"', "http:/127.0.0.1:1", "//127.0.0.1:1"])
def test_what_is_no_url_is_called_so(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", named)
    with pytest.raises(ConfigurationError, match="HTTP_PROXY names is no URL such as"):
        three_ways.list_in("sync", "http://api.example.com")


@pytest.mark.parametrize("password", ["hunter2/Zq8x", "hunter2#Zq8x", "x@hunter2#Zq8x", "1@hunter2/Zq8x"])
def test_how_a_password_is_written_is_said(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://u:{password}@127.0.0.1:1")
    with pytest.raises(ConfigurationError, match=r"HTTP_PROXY names .* written as %40, %2F or %23") as raised:
        three_ways.list_in("sync", "http://api.example.com")
    assert "hunter2" not in f"{raised.value!r}"


@pytest.mark.parametrize("zone", ["%eth0", "%25eth0"])
def test_an_address_may_have_a_zone(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://[fe80::1{zone}]:3128")
    assert proxy_for(httpx.URL("http://api.example.com")) == "http://[fe80::1%eth0]:3128"


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


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("way", three_ways.WAYS)
def test_each_variable_names_a_proxy_with_a_user_and_a_password(
    variable: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_servers.serving() as seen:
        monkeypatch.setenv(variable, seen.url.replace("http://", "u%40x.example:p%3As%2F@"))
        assert three_ways.list_in(way, UNRELATED).workspaces == []
    encoded = base64.b64encode(b"u@x.example:p:s/").decode()
    assert f"proxy-authorization: basic {encoded}".lower() in seen.requests[0].lower()
    assert seen.requests[0].startswith(f"POST {UNRELATED}{http_servers.path_of('list_workspaces')} ")


def test_one_in_lower_case_counts_before_the_other_and_is_the_one_that_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "nonsense://127.0.0.1:2")
    with pytest.raises(ConfigurationError, match=r"The proxy that http_proxy names speaks 'nonsense'"):
        three_ways.list_in("sync", UNRELATED)
    monkeypatch.setenv("http_proxy", "")
    assert proxy_for(httpx.URL(UNRELATED)) is None


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("scheme", ["socks", "socks5", "socks5h"])
def test_one_of_socks_is_used_where_the_extra_is_there(way: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_servers.serving() as seen, proxy_servers.socks5(seen.url) as asked:
        monkeypatch.setenv("all_proxy", f"{scheme}://u:p%40w@{asked.address}/")
        assert three_ways.list_in(way, UNRELATED).workspaces == []
    assert asked.names == ["api.example.com:80"]
    assert asked.users == ["u:p@w"]


def test_with_aiohttp_it_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match=r"all_proxy names speaks SOCKS, which aiohttp cannot"):
        three_ways.list_in("aiohttp", UNRELATED)


@pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)  # httpcore drops it
@pytest.mark.parametrize("way", ["sync", "async"])
def test_what_speaks_no_socks_is_a_failed_connection(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The errors of the library for SOCKS came unchanged."""
    with http_servers.raw(lambda connection: connection.sendall(b"HTTP/1.1 400 X\r\n\r\n"), reads=False) as url:
        monkeypatch.setenv("all_proxy", url.replace("http", "socks5"))
        with pytest.raises(ConnectionFailedError, match=rf"api\.example\.com:80 through the proxy {url[7:]} failed"):
            three_ways.list_in(way, UNRELATED)
        gc.collect()  # a connection that is left open becomes a warning here, and not in another test


@pytest.mark.parametrize("way", three_ways.WAYS)
@pytest.mark.parametrize("named", _NO_URLS)
def test_nor_in_the_way_of_a_host_that_is_exempt(named: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo

    def on_this_machine(host: Any, *arguments: Any, **options: Any) -> Any:
        return look_up("127.0.0.1" if host in {"api.example.com", b"api.example.com"} else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", on_this_machine)
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("all_proxy", named)
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.0/8,::1,*.example.com")
    with http_servers.serving() as server:
        assert three_ways.list_in(way, server.url.replace("127.0.0.1", "api.example.com")).workspaces == []


@pytest.mark.parametrize("way", three_ways.WAYS)
def test_one_that_wants_a_password_is_named_with_the_advice(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with http_servers.raw(lambda connection: connection.sendall(refused)) as url:
        for scheme, kind in (("http", InvalidRequestError), ("https", ConnectionFailedError)):
            monkeypatch.setenv(f"{scheme.upper()}_PROXY", url)
            with pytest.raises(kind, match="407") as raised:
                three_ways.list_in(way, f"{scheme}://api.example.com")
            assert f"write them into {scheme.upper()}_PROXY, as in http://USER:PASSWORD@HOST" in str(raised.value)
            assert "NO_PROXY" in str(raised.value)


@pytest.mark.parametrize("way", three_ways.WAYS)
@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (b"403 Forbidden", "Ask those who run the proxy that https_proxy names whether it may connect to this host."),
        (b"302 \xff\xfe", "Ask those who run the proxy that https_proxy names"),
        (b"502 Bad Gateway", "The proxy could not reach the instance: is the address right?"),
        (b"504 Gateway Timeout", "The proxy could not reach the instance"),
    ],
)
def test_one_that_does_not_connect_wants_no_password(
    way: str, status: bytes, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with http_servers.raw(lambda connection: connection.sendall(refused)) as url:
        monkeypatch.setenv("https_proxy", url)
        with pytest.raises(ConnectionFailedError, match=status[:3].decode()) as raised:
            three_ways.list_in(way, "https://api.example.com")
    assert raised.value.advice.startswith(advice)
    assert raised.value.advice.endswith("NO_PROXY excepts hosts from it.")
    assert str(raised.value).isascii()


@pytest.mark.parametrize("way", three_ways.WAYS)
def test_one_that_does_not_run_is_named_and_the_instance_is_not_blamed(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", http_servers.unused())
    with pytest.raises(ConnectionFailedError, match=r"api\.example\.com:8443 through the proxy 127\.0") as raised:
        three_ways.list_in(way, "https://api.example.com:8443")
    assert raised.value.advice == "Is the proxy that https_proxy names running? NO_PROXY excepts hosts from it."


@pytest.mark.parametrize("way", three_ways.WAYS)
def test_one_that_speaks_tls_is_trusted_by_the_same_certificates(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    with http_servers.serving(tls=certificate) as seen:
        monkeypatch.setenv("http_proxy", seen.url)
        assert three_ways.list_in(way, UNRELATED, ca_bundle=str(certificate)).workspaces == []


@pytest.mark.parametrize("way", three_ways.WAYS)
def test_of_one_that_speaks_no_tls_the_variable_is_named_and_not_the_instances_url(
    way: str, proxy: http_servers.Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.url.replace("http://", "https://"))
    with pytest.raises(ConnectionFailedError) as raised:
        three_ways.list_in(way, UNRELATED)
    assert raised.value.advice == (
        "The proxy speaks no TLS at this port: write http:// in place of https:// into http_proxy."
    )


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
        inference = InferenceUrls(())

        def admit(self, *_: object) -> Any: ...

        def exchange(self, _: object, send: Any, **__: object) -> Any:
            return send("")[0], None

    return InterceptedSession(Observer())  # pyright: ignore[reportArgumentType] - all that is asked of it
