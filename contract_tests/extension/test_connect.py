"""Does each option of `connect` do what it says? Each test fails where the option does nothing."""

from __future__ import annotations

import asyncio
import math
import os
import platform
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from wallaroo_mlops_client.api.workspaces import list_workspaces
from wallaroo_mlops_client.models import ListWorkspacesRequest

from contract_tests.support.servers import http_servers
from contract_tests.support.servers.certificates import self_signed
from wallaroo_ext import (
    Clock,
    ConfigurationError,
    ContractViolationError,
    RetryPolicy,
    Timeouts,
    aio,
    attempts_of,
    call,
    connect,
)
from wallaroo_ext.transport.connections.pooled_connections import PooledTransport
from wallaroo_ext.transport.connections.tls import shared_tls_context
from wallaroo_ext.transport.timeouts import to_httpx_timeout

if TYPE_CHECKING:
    from pathlib import Path

    from wallaroo_mlops_client import Client

PATH = http_servers.path_of("list_workspaces")
ONCE = RetryPolicy(attempts=1)
BACKENDS = ("sync", "httpx", "aiohttp")
LARGE = 16 << 20


def connected(url: str, **options: Any) -> Client:
    defaults: dict[str, Any] = {"retries": ONCE, "environment": {"WALLAROO_TOKEN": "given"}}
    return connect(url, **(defaults | options))


def post(url: str, backend: str, content: bytes = b"{}", **options: Any) -> httpx.Response:
    """Return one request, sent by threads or by a backend of asyncio."""
    if backend == "sync":
        with connected(url, **options) as client:
            return client.get_httpx_client().post(PATH, content=content)

    async def send() -> httpx.Response:
        try:
            async with asyncio.timeout(30), connected(url, transport=backend, **options) as client:
                return await client.get_async_httpx_client().post(PATH, content=content)
        finally:
            for _ in range(3):  # asyncio closes a connection that was broken off in its next rounds
                await asyncio.sleep(0)

    return asyncio.run(send())


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class TestTimeouts:
    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize(
        "given", [math.inf, httpx.Timeout(math.inf), Timeouts(connect=math.inf, read=math.inf, pool=math.inf)]
    )
    def test_infinity_is_no_limit(self, backend: str, given: Any) -> None:
        with http_servers.serving() as seen:
            assert post(seen.url, backend, timeout=given).status_code == 200

    def test_they_are_finite_by_default(self) -> None:
        client = connected("https://api.example.com")
        timeouts = client.get_httpx_client().timeout.as_dict()
        assert timeouts == {"connect": 10.0, "read": 300.0, "write": 300.0, "pool": 60.0}

    @pytest.mark.parametrize("given", [7, 7.0, httpx.Timeout(7), Timeouts(connect=7, read=7, write=7, pool=7)])
    def test_they_are_given_in_three_forms(self, given: Any) -> None:
        client = connected("https://api.example.com", timeout=given)
        assert client.get_httpx_client().timeout == httpx.Timeout(7)

    @pytest.mark.parametrize(("given", "expected"), [({}, 30), ({"timeout": 7}, 7)])
    def test_they_hold_for_tokens_too_which_come_soon_by_default(self, given: Any, expected: float) -> None:
        seconds: dict[str, float] = {}

        def answer(request: httpx.Request) -> httpx.Response:
            seconds[request.url.path] = request.extensions["timeout"]["read"]
            return httpx.Response(200, json={"access_token": "t", "expires_in": 60})

        user = {"WALLAROO_USER": "u", "WALLAROO_PASSWORD": "p"}
        options: Any = {"environment": user, "transport": httpx.MockTransport(answer), **given}
        with connected("https://api.example.com", **options) as client:
            client.get_httpx_client().post(PATH)
        assert seconds[http_servers.path_of("request_token")] == expected

    @pytest.mark.parametrize("wrong", [0, -1, float("nan"), True, "7", None, httpx.Timeout(-1.0)])
    def test_what_is_no_time_is_refused(self, wrong: Any) -> None:
        with pytest.raises(ConfigurationError, match="positive number of seconds") as raised:
            connected("https://api.example.com", timeout=wrong)
        assert raised.value.advice == "math.inf means no limit."
        assert "timeout timeout" not in str(raised.value)
        if not isinstance(wrong, httpx.Timeout):
            with pytest.raises(ConfigurationError, match="timeout read is a positive"):
                Timeouts(read=wrong)

    def test_httpx_may_say_that_there_is_no_end(self) -> None:
        assert to_httpx_timeout(httpx.Timeout(None)) == httpx.Timeout(None)

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_read_ends_waiting_for_an_answer(self, backend: str) -> None:
        with http_servers.silent() as url, pytest.raises(httpx.ReadTimeout):
            post(url, backend, timeout=Timeouts(read=0.2))

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_write_ends_waiting_for_a_server_that_does_not_read(self, backend: str) -> None:
        with http_servers.silent() as url, pytest.raises(httpx.WriteTimeout):
            post(url, backend, b"x" * LARGE, timeout=Timeouts(write=0.2, read=5))

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_connect_ends_waiting_for_a_connection(self, backend: str) -> None:
        with http_servers.full() as url, pytest.raises(httpx.ConnectTimeout):
            post(url, backend, timeout=Timeouts(connect=0.2, read=5))

    def test_pool_ends_waiting_for_a_free_connection(self) -> None:
        def wait(handler: Any, _: int) -> None:
            seen.release.wait(30)
            http_servers.listed(handler, 0)

        limits = httpx.Limits(max_connections=1)
        with (
            http_servers.serving(wait) as seen,
            connected(seen.url, limits=limits, timeout=Timeouts(pool=0.2, read=5)) as client,
            ThreadPoolExecutor(1) as pool,
        ):
            first = pool.submit(client.get_httpx_client().post, PATH)
            while not seen.requests:
                assert not first.done()
            with pytest.raises(httpx.PoolTimeout):
                client.get_httpx_client().post(PATH)
            seen.release.set()
            assert first.result().status_code == 200

    @pytest.mark.parametrize("backend", ["httpx", "aiohttp"])
    def test_pool_ends_waiting_in_asyncio_too(self, backend: str) -> None:
        expected = {"httpx": httpx.PoolTimeout, "aiohttp": httpx.ConnectTimeout}[backend]

        async def send() -> None:
            options: Any = {"limits": httpx.Limits(max_connections=1), "timeout": Timeouts(pool=0.2, read=5)}
            async with connected(url, transport=backend, **options) as client:
                http = client.get_async_httpx_client()
                first = asyncio.create_task(http.post(PATH))
                await asyncio.sleep(0)
                with pytest.raises(expected):
                    await http.post(PATH)
                first.cancel()

        with http_servers.silent() as url:
            asyncio.run(send())


class TestConnections:
    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("most", [1, 3])
    def test_limits_count(self, backend: str, most: int) -> None:
        limits = httpx.Limits(max_connections=most, max_keepalive_connections=most)
        with http_servers.serving() as seen:
            statuses = self.many(seen.url, backend, limits=limits)
        assert statuses == [200] * 12
        assert seen.most_at_once <= most
        assert seen.connections <= most

    def test_without_keeping_each_request_has_its_own(self) -> None:
        with http_servers.serving() as seen:
            self.many(seen.url, "sync", limits=httpx.Limits(max_connections=1, max_keepalive_connections=0))
        assert seen.connections == 12

    @staticmethod
    def many(url: str, backend: str, **options: Any) -> list[int]:
        if backend == "sync":
            with connected(url, **options) as client, ThreadPoolExecutor(12) as pool:
                answers = list(pool.map(client.get_httpx_client().post, [PATH] * 12))
            return [answer.status_code for answer in answers]

        async def send() -> list[httpx.Response]:
            async with connected(url, transport=backend, **options) as client:
                http = client.get_async_httpx_client()
                return await asyncio.gather(*(http.post(PATH) for _ in range(12)))

        return [answer.status_code for answer in asyncio.run(send())]

    @pytest.mark.parametrize("backend", ["httpx", "aiohttp"])
    def test_several_event_loops_have_connections_of_their_own(self, backend: Any) -> None:
        wire = PooledTransport(verify=True, limits=httpx.Limits(), backend=backend)

        async def send() -> int:
            answer = await wire.handle_async_request(httpx.Request("POST", seen.url + PATH))
            await answer.aread()
            return answer.status_code

        with http_servers.serving() as seen, asyncio.Runner() as first, asyncio.Runner() as second:
            for runner in (first, second, first, second):
                assert runner.run(send()) == 200
            assert seen.connections == 2
            for runner in (first, second):
                runner.run(wire.aclose())

    def test_what_was_closed_keeps_no_connection(self) -> None:
        with http_servers.serving() as seen:
            post(seen.url, "sync")
            post(seen.url, "sync")
        assert seen.connections == 2

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_the_environments_proxy_is_used(self, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
        with http_servers.serving() as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            assert post("http://instance.example.com", backend).status_code == 200
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            with http_servers.serving() as direct:
                assert post(direct.url, backend).status_code == 200
        assert proxy.requests[0].startswith(f"POST http://instance.example.com{PATH} ")
        assert (len(proxy.requests), len(direct.requests)) == (1, 1)


class TestUserAgent:
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_the_server_sees_versions_and_the_program(self, backend: str) -> None:
        with http_servers.serving() as seen:
            post(seen.url, backend)
            post(seen.url, backend, user_agent="my-program/1.2")
        own = f"wallaroo-ext/{version('wallaroo-ext')} python/{platform.python_version()} httpx/{httpx.__version__}"
        lines = [line for text in seen.requests for line in text.splitlines() if line.lower().startswith("user-agent")]
        assert [line.partition(": ")[2] for line in lines] == [own, f"{own} my-program/1.2"]

    @pytest.mark.parametrize("wrong", ["", "  ", "a\r\nX-Injected: 1", "schön"])
    def test_what_cannot_stand_in_a_header_is_refused(self, wrong: str) -> None:
        with pytest.raises(ConfigurationError, match="User-Agent"):
            connected("https://api.example.com", user_agent=wrong)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a self-signed certificate of 127.0.0.1 with its key."""
    return self_signed(tmp_path_factory.mktemp("tls"))


class TestCertificates:
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_one_that_nobody_vouches_for_is_refused_at_once(self, backend: str, certificate: Path) -> None:
        with http_servers.serving(tls=certificate) as seen:
            with pytest.raises(httpx.ConnectError, match=r"(?i)certificate.verify.failed") as raised:
                post(seen.url, backend, retries=RetryPolicy(longest_pause=0))
            assert len(attempts_of(raised.value)) == 1
            assert seen.requests == []

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_the_bundle_is_trusted(self, backend: str, certificate: Path) -> None:
        with http_servers.serving(tls=certificate) as seen:
            assert post(seen.url, backend, ca_bundle=str(certificate)).status_code == 200
            assert post(seen.url, backend, ca_bundle=certificate).status_code == 200

    def test_the_environment_names_the_bundle(self, certificate: Path) -> None:
        environment = {"WALLAROO_TOKEN": "given", "WALLAROO_CA_BUNDLE": str(certificate)}
        with http_servers.serving(tls=certificate) as seen, connect(seen.url, environment=environment) as client:
            assert client.get_httpx_client().post(PATH).status_code == 200

    @pytest.mark.parametrize("backend", BACKENDS)
    def test_checking_can_be_switched_off_or_given(self, backend: str, certificate: Path) -> None:
        context = ssl.create_default_context(cafile=certificate)
        with http_servers.serving(tls=certificate) as seen:
            assert post(seen.url, backend, verify=False).status_code == 200
            assert post(seen.url, backend, verify=context).status_code == 200

    def test_signing_in_trusts_the_same(self, certificate: Path) -> None:
        def respond(handler: Any, number: int) -> None:
            http_servers.answer(
                handler, 200, b'{"access_token": "t", "expires_in": 60}' if number == 0 else http_servers.LISTED
            )

        environment = {"WALLAROO_USER": "u", "WALLAROO_PASSWORD": "p", "WALLAROO_CA_BUNDLE": str(certificate)}
        with (
            http_servers.serving(respond, tls=certificate) as seen,
            connect(seen.url, environment=environment) as client,
        ):
            assert client.get_httpx_client().post(PATH).status_code == 200
        assert "authorization: bearer t" in seen.requests[1].lower()

    def test_a_file_without_certificates_is_refused(self, tmp_path: Path, certificate: Path) -> None:
        empty = tmp_path / "empty.pem"
        empty.write_text("nothing", encoding="utf-8")
        with pytest.raises(ConfigurationError, match="no certificates"):
            connected("https://api.example.com", ca_bundle=str(empty))
        with pytest.raises(ConfigurationError, match="leave `ca_bundle` out"):
            connected("https://api.example.com", ca_bundle=str(certificate), verify=False)


class TestTransport:
    def test_an_object_of_httpx_sends_the_requests(self) -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"workspaces": []}))
        with connected("https://api.example.com", transport=transport) as client:
            assert call(list_workspaces, client=client, body=ListWorkspacesRequest()).workspaces == []

    def test_an_object_of_asyncio_leaves_signing_in_to_connections_of_its_own(self) -> None:
        class Asynchronous(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                assert request.headers["Authorization"] == "Bearer t"
                return httpx.Response(200, json={"workspaces": []})

        async def send(environment: dict[str, str]) -> Any:
            async with aio.connect(seen.url, environment=environment, transport=Asynchronous()) as client:
                return await aio.call(list_workspaces, client=client, body=ListWorkspacesRequest())

        with http_servers.serving(
            lambda handler, _: http_servers.answer(handler, 200, b'{"access_token": "t", "expires_in": 60}')
        ) as seen:
            listed = asyncio.run(send({"WALLAROO_USER": "u", "WALLAROO_PASSWORD": "p"}))
        assert (listed.workspaces, len(seen.requests)) == ([], 1)

    @pytest.mark.parametrize("option", ["limits", "verify", "ca_bundle"])
    def test_what_an_object_has_itself_is_refused_beside_it(self, option: str, certificate: Path) -> None:
        values: dict[str, Any] = {"limits": httpx.Limits(), "verify": True, "ca_bundle": str(certificate)}
        transport = httpx.MockTransport(lambda _: httpx.Response(200))
        with pytest.raises(ConfigurationError, match=f"own connections: leave `{option}` out"):
            connected("https://api.example.com", transport=transport, **{option: values[option]})

    def test_an_unknown_name_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="'curl'"):
            connected("https://api.example.com", transport="curl")

    def test_an_extra_that_is_not_installed_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "wallaroo_ext.transport.connections.aiohttp_connections", None)
        with pytest.raises(ConfigurationError, match=r"pip install 'wallaroo-ext\[aiohttp\]'"):
            connected("https://api.example.com", transport="aiohttp")

    def test_aiohttp_keeps_no_cookies_of_its_own(self) -> None:
        async def send(url: str) -> None:
            async with connected(url, transport="aiohttp") as client:
                http = client.get_async_httpx_client()
                await http.post(PATH)
                http.cookies.clear()
                await http.post(PATH)

        with http_servers.serving(
            lambda handler, _: http_servers.answer(handler, 200, b"{}", Set_Cookie="a=b")
        ) as seen:
            asyncio.run(send(seen.url.replace("127.0.0.1", "localhost")))  # cookies of addresses are kept by nobody
        assert "cookie" not in seen.requests[1].lower()


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_one_is_an_error_that_names_the_other_host(self, status: int) -> None:
        def respond(handler: Any, _: int) -> None:
            http_servers.answer(handler, status, b"", Location="https://elsewhere.example.com/?token=hidden")

        with http_servers.serving(respond) as seen, connected(seen.url) as client:
            with pytest.raises(ContractViolationError, match=r"elsewhere\.example\.com") as raised:
                call(list_workspaces, client=client, body=ListWorkspacesRequest())
            assert len(seen.requests) == 1
        assert "hidden" not in str(raised.value)


def test_an_option_that_is_misspelt_is_an_error() -> None:
    with pytest.raises(TypeError, match="'time_out'"):
        connected("https://api.example.com", time_out=5)


def test_certificates_are_read_once_and_anew_when_they_change(
    certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "authorities.pem"
    file.write_bytes(certificate.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    first = shared_tls_context(verify=True)
    assert shared_tls_context(verify=True) is first
    assert shared_tls_context(verify=False).verify_mode is ssl.CERT_NONE
    os.utime(file, ns=(1, 1))
    assert shared_tls_context(verify=True) is not first


def test_the_twin_for_asyncio_is_the_same() -> None:
    assert aio.connect is connect


def test_the_clock_is_that_of_tokens() -> None:
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == http_servers.path_of("request_token"):
            asked.append(request.url.path)
            return httpx.Response(200, json={"access_token": f"t{len(asked)}", "expires_in": 60})
        return httpx.Response(200, json={"workspaces": []})

    class StillClock(Clock):
        time = 0.0

        def now(self) -> float:
            return self.time

        def date(self) -> float:
            return self.time

        def sleep(self, seconds: float) -> None:
            self.time += seconds

        async def sleep_async(self, seconds: float) -> None:
            self.time += seconds

    clock = StillClock()
    environment = {"WALLAROO_USER": "u", "WALLAROO_PASSWORD": "p"}
    options: dict[str, Any] = {"transport": httpx.MockTransport(handle), "clock": clock, "environment": environment}
    with connect("https://api.example.com", **options) as client:
        http = client.get_httpx_client()
        for seconds in (0, 0, 60):
            clock.time += seconds
            http.post(PATH)
    assert len(asked) == 2


def test_a_client_shows_where_it_is_connected_and_nothing_else() -> None:
    with connect("https://api.example.com", token="t-51f0c9d2", environment={}) as client:
        assert repr(client) == "ConnectedClient('https://api.example.com')"
