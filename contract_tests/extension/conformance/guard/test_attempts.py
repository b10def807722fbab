"""Is a request sent again as the contract allows, and is an instance blamed only for what stays?"""

from __future__ import annotations

import threading
import time
from collections import Counter
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import httpx
import pytest
import requests
import urllib3

from wallaroo_ext import BearerToken, KeycloakAuth, contract
from wallaroo_ext.conformance.guard.attempts import MOST_ATTEMPTS
from wallaroo_ext.conformance.guard.effects import effects_of
from wallaroo_ext.conformance.guard.gateways import LONGEST_WAIT, NoAnswerError, gap_of_answer, gap_of_error
from wallaroo_ext.conformance.guard.interceptor import (
    SIGNER,
    InterceptedTransport,
    Interceptor,
    RateLimit,
)
from wallaroo_ext.conformance.guard.owned_resources import OwnedResources
from wallaroo_ext.conformance.guard.write_guard import WriteGuard
from wallaroo_ext.conformance.results import OperationRow, Run, Subject, Verdict, verdict
from wallaroo_ext.conformance.rules import ANSWERED, Rules
from wallaroo_ext.transport.retry.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_790_000_000.0
HTML = {"Content-Type": "text/html"}
LIST, CREATE, MODELS = "/v1/api/workspaces/list", "/v1/api/workspaces/create", "/v1/api/models/list"
SCORE = "/v1/api/pipelines/infer/conformance-p-1/conformance-p"
RULES = Rules(contract.load())


class Waiting(Clock):
    """A clock on which waiting takes no time, and is noted."""

    def __init__(self) -> None:
        self.time = 0.0
        self.pauses: list[float] = []

    def now(self) -> float:
        return self.time

    def date(self) -> float:
        return NOW + self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.pauses.append(seconds)


class Server:
    """An instance behind a gateway: what stands in its list comes first, at the path of the list."""

    def __init__(self, path: str, *before: httpx.Response | Exception, forever: bool = False) -> None:
        self.path = path
        self.before = list(before)
        self.forever = forever
        self.asked = 0
        self.is_gone = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.is_gone:
            raise httpx.ConnectError("refused")
        if request.url.path != self.path:
            return httpx.Response(200, json={"workspaces": [], "models": []})
        self.asked += 1
        if self.before:
            found = self.before[0] if self.forever else self.before.pop(0)
            if isinstance(found, Exception):
                raise found
            return httpx.Response(found.status_code, headers=found.headers, content=found.content)
        return httpx.Response(200, json={"workspaces": [], "workspace_id": 3})


class Asked:
    """A run against a server, with a client of its own."""

    def __init__(self, server: Callable[[httpx.Request], httpx.Response]) -> None:
        self.clock = Waiting()
        owned = OwnedResources("conformance")
        guard = WriteGuard(effects_of(RULES.document), owned, read_only=False, user_changes=False, alone=True)
        rows = [OperationRow(name, "", "", "") for name in RULES.operations]
        self.run = Run(Subject("live", "", "", "", "conformance", 1), rows, NOW)
        self.interceptor = Interceptor(self.run, RULES, guard, RateLimit(None), clock=self.clock)
        self.http = httpx.Client(
            base_url="http://instance",
            transport=InterceptedTransport(httpx.MockTransport(server), self.interceptor),
        )

    def list(self) -> httpx.Response:
        """Ask for something that is answered, so that the instance is known to be there; then list workspaces."""
        self.http.post(MODELS, json={"workspace_id": 1})
        return self.http.post(LIST, json={})

    def create(self) -> httpx.Response:
        """Do the same, and make a workspace in place of listing them."""
        self.http.post(MODELS, json={"workspace_id": 1})
        return self.http.post(CREATE, json={"workspace_name": "conformance-1"})


@pytest.mark.parametrize(
    "content", [b'{"workspace_id": 1}', iter([b'{"workspace_id"', b": 1}"])], ids=["whole", "chunks"]
)
def test_a_request_whose_token_was_refused_is_sent_with_a_new_one(content: Any) -> None:
    server, tokens = Server(MODELS, httpx.Response(401)), iter(["old", "new"])
    auth = BearerToken(lambda: next(tokens), api_url="http://instance")
    sent = Asked(server).http.post(MODELS, content=content, auth=auth, headers={"Content-Type": "application/json"})
    assert (sent.status_code, server.asked, sent.request.headers["Authorization"]) == (200, 2, "Bearer new")


@pytest.mark.parametrize("is_chosen", [False, True], ids=["the user's", "another person's"])
def test_what_is_sent_again_has_a_new_token(*, is_chosen: bool) -> None:
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["Authorization"])
        return httpx.Response(503 if len(sent) in {2, 3} else 200, json={"models": []})

    asked, tokens = Asked(answer), iter(["second", "third"])
    give = lambda: f"Bearer {next(tokens)}"  # noqa: E731 - an iterator's next one
    asked.interceptor.signer_of = lambda header: give if header == "Bearer first" and not is_chosen else None
    extensions = {SIGNER: give} if is_chosen else {}
    for token in ("expired", "first"):
        given = {"Authorization": f"Bearer {token}"}
        answered = asked.http.post(MODELS, json={"workspace_id": 1}, headers=given, extensions=extensions)
        assert answered.status_code == 200
    assert sent == ["Bearer expired", "Bearer first", "Bearer second", "Bearer third"]


def test_a_token_that_is_not_the_users_stays_when_it_is_sent_again() -> None:
    server = Server(MODELS, httpx.Response(503), httpx.Response(401))
    asked = Asked(server)
    asked.interceptor.signer_of = {"Bearer good": lambda: "Bearer new"}.get
    refused = asked.http.post(MODELS, json={"workspace_id": 1}, headers={"Authorization": "Bearer bad"})
    assert (refused.status_code, refused.request.headers["Authorization"]) == (401, "Bearer bad")


TROUBLES = [
    httpx.Response(429),
    httpx.Response(429, headers={"Retry-After": "2"}),
    httpx.Response(502, headers=HTML, content=b"<html>"),
    httpx.Response(503, headers=HTML, content=b"<html>"),
    httpx.Response(503, json={"code": 503, "msg": "The deployment does not answer at the moment."}),
    httpx.Response(504, headers=HTML, content=b"<html>"),
    httpx.Response(524, headers=HTML, content=b"<html>"),
    httpx.RemoteProtocolError("closed"),
    httpx.ReadError("reset"),
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("slow"),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=repr)
def test_what_a_gateway_did_once_is_counted_and_no_finding(trouble: httpx.Response | Exception) -> None:
    asked = Asked(Server(LIST, trouble, trouble))
    assert asked.list().status_code == 200
    assert asked.run.findings == []
    assert sum(asked.run.gaps.values()) == 2
    assert len(asked.run.exchanges) == 4, "each is in the report"
    asked.run.note_gaps()
    [notice] = asked.run.notices
    assert notice.operation == "list_workspaces"
    assert notice.text.startswith("2 times")
    assert verdict(asked.run) is Verdict.CONFORMS


@pytest.mark.parametrize("trouble", [each for each in TROUBLES if not isinstance(each, httpx.ConnectError)], ids=repr)
def test_what_may_not_be_sent_twice_is_not(trouble: httpx.Response | Exception) -> None:
    server = Server(CREATE, trouble)
    asked = Asked(server)
    is_refused = isinstance(trouble, httpx.Response) and trouble.status_code == 429
    if is_refused:
        assert asked.create().status_code == 200
        return
    with pytest.raises(NoAnswerError) as caught:
        asked.create()
    assert caught.value.may_be_repeated
    assert server.asked == 1
    assert asked.run.findings == []


def test_a_connection_that_was_not_made_carried_nothing_out() -> None:
    assert Asked(Server(CREATE, httpx.ConnectError("refused"))).create().status_code == 200


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"code": 500, "msg": "no"}),
        httpx.Response(500, headers=HTML, content=b"<html>"),
        httpx.Response(520, json={"code": 520, "msg": "no"}),
        httpx.Response(418, headers=HTML, content=b"<html>"),
    ],
    ids=repr,
)
def test_what_the_instance_says_itself_is_not_asked_again(answer: httpx.Response) -> None:
    server = Server(LIST, answer)
    assert Asked(server).list().status_code == answer.status_code
    assert server.asked == 1


def test_what_stays_although_others_are_answered_is_a_finding_once() -> None:
    server = Server(LIST, httpx.Response(503, headers=HTML), forever=True)
    asked = Asked(server)
    for _ in range(2):
        with pytest.raises(NoAnswerError) as caught:
            asked.list()
        asked.interceptor.give_up(caught.value)
    assert [(each.operation, each.check) for each in asked.run.findings] == [("list_workspaces", ANSWERED)]
    assert server.asked == MOST_ATTEMPTS + 1, "patience ends once"
    assert verdict(asked.run) is Verdict.DOES_NOT_CONFORM


def test_a_limit_that_stays_is_not_known_to_be_the_instances() -> None:
    asked = Asked(Server(LIST, httpx.Response(429, headers={"Retry-After": "1"}), forever=True))
    with pytest.raises(NoAnswerError) as caught:
        asked.list()
    asked.interceptor.give_up(caught.value)
    assert asked.run.findings == []
    assert list(asked.run.unanswered) == ["list_workspaces"]
    assert verdict(asked.run) is Verdict.COULD_NOT_RUN


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, headers=HTML | {"WWW-Authenticate": 'Basic realm="a"'}),
        httpx.Response(413, headers=HTML, content=b"<html>"),
    ],
    ids=repr,
)
def test_what_would_be_no_other_the_next_time_is_sent_once_and_not_the_instances(answer: httpx.Response) -> None:
    server = Server(CREATE, answer, forever=True)
    asked = Asked(server)
    with pytest.raises(NoAnswerError) as caught:
        asked.create()
    assert not caught.value.may_be_repeated
    asked.interceptor.give_up(caught.value, is_lasting=True)
    assert server.asked == 1
    assert asked.run.findings == []
    assert list(asked.run.unanswered) == ["create_workspace"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"code": 401, "msg": "no"}, headers={"WWW-Authenticate": "Basic"}),
        httpx.Response(401, headers=HTML | {"WWW-Authenticate": 'Bearer realm="a", Basic realm="b"'}),
        httpx.Response(401, headers=HTML | {"WWW-Authenticate": 'Bearer realm="Basic"'}),
        httpx.Response(401, headers=HTML),
        httpx.Response(413, json={"code": 413, "msg": "no"}),
    ],
    ids=repr,
)
def test_a_refusal_of_the_instance_is_no_gateways(answer: httpx.Response) -> None:
    assert Asked(Server(LIST, answer)).list().status_code == answer.status_code


def test_an_instance_that_is_gone_is_not_blamed() -> None:
    server = Server(LIST)
    asked = Asked(server)
    asked.list()
    server.is_gone = True
    with pytest.raises(NoAnswerError) as caught:
        asked.http.post(LIST, json={})
    asked.interceptor.give_up(caught.value)
    assert asked.run.findings == []
    assert list(asked.run.unanswered) == ["list_workspaces"]
    assert verdict(asked.run) is Verdict.COULD_NOT_RUN


def test_before_the_first_answer_what_comes_is_passed_on() -> None:
    """So that a wrong address is an error at once, with its own message."""
    asked = Asked(Server(LIST, httpx.ConnectError("refused"), forever=True))
    with pytest.raises(httpx.ConnectError):
        asked.http.post(LIST, json={})
    assert asked.clock.pauses == []


@pytest.mark.parametrize("wait", ["7", formatdate(NOW + 7, usegmt=True)])
def test_what_a_gateway_asks_to_wait_is_waited(wait: str) -> None:
    asked = Asked(Server(LIST, httpx.Response(429, headers={"Retry-After": wait})))
    asked.list()
    assert asked.clock.pauses == [pytest.approx(7)]


def test_nobody_waits_for_ever() -> None:
    gap = gap_of_answer(429, [("Retry-After", "86400")], NOW)
    assert gap is not None
    assert gap.pause(1) == LONGEST_WAIT


@pytest.mark.parametrize("is_once", [True, False])
@pytest.mark.parametrize(("trouble", "may_be_scored"), [(httpx.Response(502), True), (httpx.ConnectError("no"), False)])
def test_rows_that_may_be_scored_are_not_sent_again_where_they_are_counted(
    trouble: httpx.Response | Exception,
    may_be_scored: bool,  # noqa: FBT001 - a parameter of pytest
    is_once: bool,  # noqa: FBT001 - the same
) -> None:
    server = Server(SCORE, trouble)
    asked = Asked(server)
    asked.interceptor.send_rows_once(is_once)
    asked.list()
    if is_once and may_be_scored:
        with pytest.raises(NoAnswerError) as raised:
            asked.http.post(SCORE, json=[{"tensor": [1.0]}])
        assert raised.value.may_be_repeated, "with another deployment, or where the rows of before are left out"
    else:
        asked.http.post(SCORE, json=[{"tensor": [1.0]}])
    assert server.asked == 2 - (is_once and may_be_scored)


@pytest.mark.parametrize(
    ("error", "was_carried_out"),
    [
        (httpx.ConnectError("x"), False),
        (httpx.ReadError("x"), True),
        (requests.exceptions.ConnectTimeout(), False),
        (requests.ConnectionError("NewConnectionError: refused"), False),
        (requests.ConnectionError("RemoteDisconnected"), True),
        (urllib3.exceptions.ProtocolError("IncompleteRead"), True),
    ],
    ids=repr,
)
def test_only_without_a_connection_nothing_was_carried_out(error: Exception, was_carried_out: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    assert gap_of_error(error).was_carried_out is was_carried_out


def test_a_refresh_token_is_not_sent_twice() -> None:
    """Reading is no reason to: it can often be used once."""
    token = "/auth/realms/master/protocol/openid-connect/token"
    for grant, is_sent_again in (("password", True), ("refresh_token", False)):
        server = Server(token, httpx.ReadError("reset"))
        asked = Asked(server)
        asked.http.post(MODELS, json={"workspace_id": 1})
        form: dict[str, Any] = {"grant_type": grant}
        if is_sent_again:
            asked.http.post(token, data=form)
        else:
            with pytest.raises(NoAnswerError):
                asked.http.post(token, data=form)
        assert server.asked == 1 + is_sent_again


def test_a_run_whose_renewal_was_lost_signs_in_with_the_password() -> None:
    grants: list[str] = []
    answers: list[httpx.Response | Exception] = [
        httpx.Response(200, json={"access_token": "t1", "refresh_token": "r1", "expires_in": 60}),
        httpx.ReadError("reset"),
        httpx.Response(400, json={"error": "invalid_grant", "error_description": "Maximum allowed reuse exceeded"}),
        httpx.Response(200, json={"access_token": "t2", "refresh_token": "r2", "expires_in": 60}),
    ]

    def keycloak(request: httpx.Request) -> httpx.Response:
        if request.url.path == MODELS:
            return httpx.Response(200, json={"models": []})
        grants.append(dict(parse_qsl(request.read().decode()))["grant_type"])
        answer = answers[len(grants) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    asked = Asked(keycloak)
    asked.http.post(MODELS, json={"workspace_id": 1})
    auth = KeycloakAuth(
        "http://instance/auth/realms/master/protocol/openid-connect/token",
        api_url="http://instance",
        client_id="c",
        username="u",
        password="p",
        transport=InterceptedTransport(httpx.MockTransport(keycloak), asked.interceptor),
        clock=asked.clock.now,
    )
    assert auth.token().access == "t1"
    asked.clock.time += 61
    assert auth.token().access == "t2"
    assert grants == ["password", "refresh_token", "refresh_token", "password"]
    assert sum(asked.run.gaps.values()) == 1


class Slow(Counter[tuple[str, str]]):
    """A counter that takes a moment from one entry to the next."""

    def items(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - as far as it is used here
        for entry in super().items():
            time.sleep(0.05)
            yield entry


def test_gaps_are_counted_while_another_thread_looks_at_them() -> None:
    asked = Asked(Server(LIST, httpx.Response(503), httpx.Response(502)))
    asked.run.gaps = Slow({(name, "503"): 1 for name in ("get_model", "list_features", "query_users")})
    thread = threading.Thread(target=asked.list)
    thread.start()
    asked.interceptor._attempts.is_lasting("list_models", 6)  # pyright: ignore[reportPrivateUsage]
    thread.join()
    assert asked.run.gaps["list_workspaces", "503"] == 1
