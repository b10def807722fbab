"""Are instances found under a path prefix and by IPv6, and do failed connections say where, and what runs there?"""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from wallaroo_mlops_client.api.workspaces import list_workspaces
from wallaroo_mlops_client.models import ListWorkspacesRequest

from contract_tests.support.servers import http_servers, three_ways
from wallaroo_ext import ConnectionFailedError, NotFoundError, RequestTimeoutError, RetryPolicy, connect, contract
from wallaroo_ext.conformance.drift.fetching import fetch_document
from wallaroo_ext.transport.response_errors import connection_error, response_error

if TYPE_CHECKING:
    from collections.abc import Generator

LIST = http_servers.path_of("list_workspaces")


def token_or_list(handler: Any, _: int) -> None:
    answer = b'{"access_token": "a-token", "expires_in": 60}' if "token" in handler.path else http_servers.LISTED
    http_servers.answer(handler, 200, answer)


def paths(seen: http_servers.Seen) -> list[str]:
    return [request.split()[1] for request in seen.requests]


@pytest.mark.parametrize("way", three_ways.WAYS)
@pytest.mark.parametrize("prefix", ["/ml", "/ml/", "/a/b%20c/"])
def test_a_prefix_comes_before_every_path(way: str, prefix: str) -> None:
    with http_servers.serving(token_or_list) as seen:
        assert three_ways.list_in(way, seen.url + prefix, three_ways.USER).workspaces == []
    stripped = prefix.rstrip("/")
    assert paths(seen) == [stripped + http_servers.path_of("request_token"), stripped + LIST]


def test_keycloak_has_one_of_its_own() -> None:
    with http_servers.serving(token_or_list) as seen:
        environment = three_ways.USER | {"WALLAROO_AUTH_URL": f"{seen.url}/sso/"}
        assert three_ways.list_in("sync", f"{seen.url}/ml", environment).workspaces == []
    assert paths(seen) == ["/sso" + http_servers.path_of("request_token"), "/ml" + LIST]


def test_generated_operations_are_retried_behind_it_too() -> None:
    def respond(handler: Any, number: int) -> None:
        http_servers.answer(handler, 200 if number else 503, http_servers.LISTED)

    retries = RetryPolicy(first_pause=0.001, longest_pause=0.001)
    with (
        http_servers.serving(respond) as seen,
        connect(f"{seen.url}/ml", environment=three_ways.TOKEN, retries=retries) as client,
    ):
        assert list_workspaces.sync(client=client, body=ListWorkspacesRequest()) is not None
    assert paths(seen) == ["/ml" + LIST] * 2
    assert contract.operation_at(f"/v1/api/pipelines/infer/{LIST[1:]}") is None


def test_the_instances_own_document_is_looked_for_behind_it() -> None:
    with (
        http_servers.serving() as seen,
        connect(f"{seen.url}/ml", environment=three_ways.TOKEN) as client,
    ):
        assert fetch_document(client).url == f"{seen.url}/ml/v1/api/docs/openapi.json"


@pytest.fixture
def unused_ipv6() -> Generator[str]:
    """Return the address of a port of `::1` where nothing listens."""
    with socket.socket(socket.AF_INET6) as bound:
        bound.bind(("::1", 0))
        yield f"[::1]:{bound.getsockname()[1]}"


@pytest.mark.parametrize("way", three_ways.WAYS)
def test_a_failed_connection_says_host_and_port_and_what_could_run_there(way: str, unused_ipv6: str) -> None:
    for address in (http_servers.unused().removeprefix("http://"), unused_ipv6):
        with pytest.raises(ConnectionFailedError) as raised:
            three_ways.list_in(way, f"http://{address}")
        assert f"the connection to {address} failed" in str(raised.value)
        assert "`wallaroo-ext sandbox` runs one on this machine" in raised.value.advice


@pytest.mark.parametrize("way", three_ways.WAYS)
@pytest.mark.parametrize(("url", "address"), [("http://api.example", ":80"), ("https://api.example", ":443")])
def test_elsewhere_the_port_is_said_and_no_sandbox_is(
    way: str, url: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConnectionFailedError, match=f"the connection to api.example{address} failed") as raised:
        three_ways.list_in(way, url)
    assert "sandbox" not in str(raised.value)


def test_a_timeout_says_host_and_port() -> None:
    with http_servers.silent() as url, pytest.raises(RequestTimeoutError, match=re.escape(url.removeprefix("http://"))):
        three_ways.list_in("sync", url, timeout=0.05)


@pytest.mark.parametrize("way", three_ways.WAYS)
def test_where_nothing_is_found_behind_a_prefix_it_is_asked_about(way: str) -> None:
    with http_servers.serving(lambda handler, _: http_servers.answer(handler, 404, b"{}")) as seen:
        with pytest.raises(NotFoundError) as behind:
            three_ways.list_in(way, f"{seen.url}/gateway")
        with pytest.raises(NotFoundError) as bare:
            three_ways.list_in(way, seen.url)
    assert behind.value.advice.startswith("Does the API's URL end with /gateway? If it does: check the names")
    assert bare.value.advice.startswith("Check the names")


def test_where_no_connection_is_made_in_time_less_is_not_advised() -> None:
    request = httpx.Request("POST", "https://api.example.com/v1/api/workspaces/list")
    late = connection_error("list_workspaces", httpx.ConnectTimeout("timed out", request=request))
    slow = connection_error("list_workspaces", httpx.ReadTimeout("timed out", request=request))
    assert isinstance(late, RequestTimeoutError)
    assert isinstance(slow, RequestTimeoutError)
    assert late.advice.startswith("Is the address right, and can this machine reach it?")
    assert slow.advice == "Connect with a longer `timeout`, or ask for less at a time."


@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        ("30", "Wait 30 s before the next request."),
        ("9" * 20, "Wait before the next request, and send fewer at a time."),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "Wait before the next request, and send fewer at a time."),
    ],
)
def test_a_time_to_wait_that_nobody_means_is_not_repeated(asked: str, advice: str) -> None:
    request = httpx.Request("POST", "https://api.example.com/v1/api/workspaces/list")
    error = response_error("list_workspaces", httpx.Response(429, headers={"Retry-After": asked}, request=request))
    assert error.advice == advice
