"""Is an answer judged as what it is, kept without secrets, and closed?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from contract_tests.extension.conformance.guard.test_attempts import LIST, Asked
from wallaroo_ext.conformance.coverage import exercises
from wallaroo_ext.conformance.rules import ANSWERED

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKENS = "/auth/realms/master/protocol/openid-connect/token"
GRANT = {"grant_type": "client_credentials"}
OPAQUE = "kestrel-19-harbour-lantern"
"""A token that no pattern knows."""


def answering(answer: httpx.Response | Exception) -> Asked:
    """Return a run against an instance that gives one answer to everything."""

    def server(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return Asked(server)


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "GET"])
def test_an_answer_to_another_method_is_none_of_the_operation(method: str) -> None:
    asked = answering(httpx.Response(200, json={"allowed": ["POST"]}))
    assert asked.http.request(method, LIST).status_code == 200
    assert asked.run.findings == []
    assert not asked.run.passed
    assert {each.requests for each in exercises(asked.run)} == {0}


def test_a_finding_tells_no_token() -> None:
    asked = answering(httpx.Response(200, json=[{"access_token": OPAQUE}]))
    asked.http.post(TOKENS, data=GRANT)
    assert asked.run.findings
    assert OPAQUE not in repr(asked.run.findings)


@pytest.mark.parametrize("named", ["access_token", "refresh_token", "id_token"])
def test_the_token_of_anybody_is_known_wherever_it_comes_again(named: str) -> None:
    asked = answering(httpx.Response(200, json={"given": {named: OPAQUE}, "repeated": [OPAQUE], OPAQUE: 1}))
    asked.http.post(TOKENS, data=GRANT)
    asked.http.post(LIST, json={"unknown": OPAQUE})
    assert len(asked.run.exchanges) == 2
    assert OPAQUE not in repr(asked.run)


def test_a_url_is_kept_without_a_token_in_it() -> None:
    asked = answering(httpx.Response(200, json={"workspaces": []}))
    asked.http.post(f"{LIST}?access_token={OPAQUE}", json={})
    [exchange] = asked.run.exchanges
    assert exchange.url == f"http://instance{LIST}?access_token=[removed]"


def test_an_error_is_kept_without_a_cookie_in_it() -> None:
    received = f"HTTP/1.1 200 OK\r\nSet-Cookie: a={OPAQUE}".encode()
    asked = answering(httpx.RemoteProtocolError(f"It is none: {received!r}"))
    with pytest.raises(httpx.RemoteProtocolError):
        asked.http.post(LIST, json={})
    [exchange] = asked.run.exchanges
    assert exchange.error.startswith("RemoteProtocolError: It is none: ")
    assert OPAQUE not in exchange.error
    finding = asked.interceptor.make_finding(ANSWERED, f"Set-Cookie: a={OPAQUE}", operation="list_workspaces")
    assert OPAQUE not in finding.message


class _Noting(httpx.SyncByteStream):
    def __init__(self) -> None:
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"{}"

    def close(self) -> None:
        self.is_closed = True


def test_an_answer_that_is_refused_is_closed() -> None:
    body = _Noting()

    def server(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "br"}, stream=body)

    with pytest.raises(httpx.DecodingError):
        Asked(server).http.post(LIST, json={})
    assert body.is_closed
