"""Does signing in get tokens by every grant, renew them in time, and say what is wrong?"""

from __future__ import annotations

import asyncio
import copy
import gzip
import json
import logging
import os
import pickle
import sqlite3
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import httpx
import pytest

from contract_tests.support.fake_keycloak import (
    API,
    CLIENT_SECRET,
    PASSWORD,
    TOKEN_URL,
    Keycloak,
    down,
    refused,
    refusing,
    unreachable,
)
from wallaroo_ext import (
    AuthenticationError,
    BearerToken,
    ConfigurationError,
    ConnectionFailedError,
    KeycloakAuth,
    connect,
)
from wallaroo_ext.auth.grants import Credentials, Form
from wallaroo_ext.auth.token_endpoint import TokenEndpoint
from wallaroo_ext.errors import RateLimitedError, RequestTimeoutError, ServerError, WallarooError

if TYPE_CHECKING:
    from pathlib import Path

NO_USER = {"username": None, "password": None}


@pytest.fixture
def keycloak() -> Keycloak:
    return Keycloak()


# Grants


def test_one_token_serves_many_requests(keycloak: Keycloak) -> None:
    with keycloak.client(keycloak.auth()) as http:
        for _ in range(3):
            assert http.post("/a").status_code == 200
    assert keycloak.seen == ["t1", "t1", "t1"]
    assert keycloak.forms == [{"grant_type": "password", "username": "a@example.com", "password": PASSWORD}]
    assert keycloak.basic == f"api-client:{CLIENT_SECRET}"


def test_without_a_user_the_clients_own_credentials_are_used(keycloak: Keycloak) -> None:
    keycloak.auth(**NO_USER, scope="email").access_token()
    assert keycloak.forms == [{"grant_type": "client_credentials", "scope": "email"}]


def test_a_refresh_token_from_elsewhere_is_used_and_then_the_one_that_came_for_it(keycloak: Keycloak) -> None:
    keycloak.usable = {"given-7f3a"}
    auth = keycloak.auth(**NO_USER, refresh_token="given-7f3a")
    assert auth.access_token() == "t1"
    keycloak.now += 3600
    assert auth.access_token() == "t2"
    assert [form["refresh_token"] for form in keycloak.forms] == ["given-7f3a", "r1"]


def test_a_refresh_token_is_tried_before_the_users_password(keycloak: Keycloak) -> None:
    assert keycloak.auth(refresh_token="dead").access_token() == "t2"
    assert keycloak.grants == ["refresh_token", "password"]


def test_an_offline_token_renews_for_ever(keycloak: Keycloak) -> None:
    keycloak.refresh_lifetime = 0
    auth = keycloak.auth(grant="offline_access", scope="email")
    auth.access_token()
    keycloak.now += 10**8
    auth.access_token()
    assert keycloak.forms[0]["scope"] == "email offline_access"
    assert keycloak.grants == ["password", "refresh_token"]


def test_a_public_client_names_itself_in_the_form(keycloak: Keycloak) -> None:
    keycloak.auth(client_secret=None).access_token()
    assert (keycloak.forms[0]["client_id"], keycloak.basic) == ("api-client", None)


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [("a", "50%+1"), ("a", "a+b"), ("a:b", "c"), ("a", "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n")],
)
def test_credentials_that_basic_would_change_go_into_the_form(keycloak: Keycloak, client_id: str, secret: str) -> None:
    keycloak.auth(client_id=client_id, client_secret=secret).access_token()
    assert (keycloak.forms[0]["client_id"], keycloak.forms[0]["client_secret"]) == (client_id, secret)
    assert keycloak.basic is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"grant": "magic"}, "offline_access, client_credentials"),
        ({"password": None}, "a username and a password"),
        ({"grant": "offline_access", **NO_USER}, "a username and a password"),
        ({"client_secret": None, **NO_USER}, "a client_secret"),
        ({"grant": "refresh_token"}, "a refresh_token"),
        ({"client_id": ""}, "client_id"),
        ({"api_url": "api.example.com"}, "Write https://api.example.com"),
        ({"api_url": "https://user:password-1@api.example.com"}, "arguments of their own"),
        ({"inference_hosts": ["http://infer.example.com"]}, "use https"),
        ({"inference_hosts": ["*.example.com"]}, "is no host"),
        ({"inference_hosts": [""]}, "https://host"),
    ],
)
def test_what_cannot_work_is_refused_at_once(keycloak: Keycloak, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as raised:
        keycloak.auth(**wrong)
    assert PASSWORD not in str(raised.value)


def test_a_token_endpoint_that_is_no_url_is_refused_at_once() -> None:
    for url in ("keycloak", "https://\x7f", "ftp://keycloak.example.com", "https://u:p@keycloak.example.com/token"):
        with pytest.raises(ConfigurationError):
            KeycloakAuth(url, api_url=API, client_id="c", client_secret="s")


# Renewal


@pytest.mark.parametrize(("lifetime", "margin"), [(3600, 60), (60, 6), (3, 0.3)])
def test_a_token_is_renewed_a_tenth_of_its_life_ahead(keycloak: Keycloak, lifetime: float, margin: float) -> None:
    keycloak.lifetime, keycloak.refresh_lifetime = lifetime, lifetime * 2
    auth = keycloak.auth()
    auth.access_token()
    keycloak.now += lifetime - margin - 0.01
    auth.access_token()
    assert keycloak.grants == ["password"]
    keycloak.now += 0.02
    auth.access_token()
    assert keycloak.grants == ["password", "refresh_token"]
    assert keycloak.forms[1]["refresh_token"] == "r1"


def test_a_young_token_is_in_the_first_half_of_its_life_if_it_can_be(keycloak: Keycloak) -> None:
    keycloak.lifetime = 100
    auth = keycloak.auth()
    assert auth.young_token().access == "t1"
    keycloak.now += 49
    assert auth.young_token().access == "t1"
    keycloak.now += 2
    assert (auth.access_token(), auth.young_token().access, auth.access_token()) == ("t1", "t2", "t2")
    keycloak.now += 51
    keycloak.failure = refusing("unauthorized_client")
    assert auth.young_token().access == "t2"
    keycloak.now += 50
    with pytest.raises(AuthenticationError):
        auth.young_token()
    assert not auth.has_signed("Bearer t2"), "it has expired"
    fixed = BearerToken("t", api_url=API)
    assert fixed.young_token().access == "t"
    assert [fixed.has_signed(header) for header in ("Bearer t", "Bearer t2", "t")] == [True, False, False]


def test_an_older_token_serves_where_no_younger_one_can_be_had_for_whatever_reason(keycloak: Keycloak) -> None:
    keycloak.lifetime = 100
    auth = keycloak.auth()
    assert auth.young_token().access == "t1"
    keycloak.failure = Mock(side_effect=LookupError("of whatever sends the request"))
    keycloak.now += 60
    assert auth.young_token().access == "t1"
    keycloak.now += 41
    with pytest.raises(LookupError):
        auth.young_token()


@pytest.mark.parametrize("lifetime", [None, 0, -5, "", "soon", True, [], float("inf"), float("nan"), 10**400])
def test_a_lifetime_without_sense_is_taken_as_a_minute(keycloak: Keycloak, lifetime: object) -> None:
    content = json.dumps({"access_token": "t", "expires_in": lifetime}).encode()
    keycloak.failure = lambda _: httpx.Response(200, content=content)
    auth = keycloak.auth()
    auth.access_token()
    keycloak.now += 53
    auth.access_token()
    assert len(keycloak.forms) == 1
    keycloak.now += 2
    auth.access_token()
    assert len(keycloak.forms) == 2


def test_a_lifetime_may_be_written_as_a_text(keycloak: Keycloak) -> None:
    keycloak.lifetime = "3600"
    auth = keycloak.auth()
    auth.access_token()
    keycloak.now += 3500
    auth.access_token()
    assert len(keycloak.forms) == 1


def test_the_time_on_the_way_counts_against_the_token(keycloak: Keycloak) -> None:
    keycloak.lifetime = 100

    def slow(request: httpx.Request) -> httpx.Response:
        keycloak.now += 50
        keycloak.failure = None
        keycloak.forms.pop()
        return keycloak.issue(request)

    keycloak.failure = slow
    auth = keycloak.auth()
    auth.access_token()
    keycloak.now += 41
    auth.access_token()
    assert len(keycloak.forms) == 2


def test_a_refresh_token_that_died_first_is_not_used(keycloak: Keycloak) -> None:
    keycloak.refresh_lifetime = 1800
    auth = keycloak.auth()
    auth.access_token()
    keycloak.now += 3600
    auth.access_token()
    assert keycloak.grants == ["password", "password"]


def test_a_refused_refresh_falls_back_on_the_grant(keycloak: Keycloak) -> None:
    auth = keycloak.auth()
    auth.access_token()
    keycloak.now += 3600
    keycloak.usable.clear()
    assert auth.access_token() == "t3"
    assert keycloak.grants == ["password", "refresh_token", "password"]


@pytest.mark.parametrize("failure", [down, unreachable, refusing("unauthorized_client", status=401)])
def test_no_other_grant_is_tried_where_the_server_or_the_client_is_the_trouble(
    keycloak: Keycloak, failure: Any
) -> None:
    auth = keycloak.auth()
    auth.access_token()
    keycloak.now += 3600
    keycloak.failure = failure
    with pytest.raises(WallarooError):
        auth.access_token()
    assert keycloak.grants == ["password", "refresh_token"]


def test_an_answer_without_a_refresh_token_leaves_the_one_that_was_used(keycloak: Keycloak) -> None:
    keycloak.usable = {"given-7f3a"}
    auth = keycloak.auth(**NO_USER, refresh_token="given-7f3a")
    keycloak.fields = {"refresh_token": None}
    auth.access_token()
    keycloak.usable = {"given-7f3a"}
    keycloak.now += 3600
    assert auth.access_token() == "t2"


def test_the_one_that_was_left_dies_when_it_was_told_to(keycloak: Keycloak) -> None:
    auth = keycloak.auth()
    auth.access_token()
    keycloak.fields = {"refresh_token": None}
    keycloak.now += 3600
    auth.access_token()
    keycloak.usable = {"r1"}
    keycloak.now += 3601
    auth.access_token()
    assert keycloak.grants == ["password", "refresh_token", "password"]


def test_a_token_that_is_still_good_stays_in_use_while_keycloak_is_down(keycloak: Keycloak) -> None:
    auth = keycloak.auth()
    auth.access_token()
    keycloak.now += 3541
    for failure in (down, unreachable):
        keycloak.failure = failure
        assert auth.access_token() == "t1"
        keycloak.now += 6
    keycloak.now += 60
    with pytest.raises(ConnectionFailedError):
        auth.access_token()


def test_a_renewal_that_failed_is_not_tried_again_at_once(keycloak: Keycloak) -> None:
    auth = keycloak.auth()
    auth.access_token()
    keycloak.now, keycloak.failure = keycloak.now + 3541, down
    for _ in range(5):
        auth.access_token()
    assert len(keycloak.forms) == 2
    keycloak.now += 6
    auth.access_token()
    assert len(keycloak.forms) == 3


def test_a_user_who_is_refused_does_not_go_on_with_the_old_token(keycloak: Keycloak) -> None:
    auth = keycloak.auth()
    auth.access_token()
    keycloak.now += 3541
    keycloak.failure = refusing("invalid_grant", "Account disabled")
    with pytest.raises(AuthenticationError, match="enable"):
        auth.access_token()


def test_the_token_endpoint_has_timeouts_of_its_own(keycloak: Keycloak) -> None:
    with keycloak.client(keycloak.auth(timeout=3.0)) as http:
        http.post("/a", timeout=httpx.Timeout(1, read=2))
    assert keycloak.requests[0].extensions["timeout"] == {"connect": 3, "read": 3, "write": 3, "pool": 3}


def test_the_given_transport_is_not_closed(keycloak: Keycloak) -> None:
    class Watched(httpx.MockTransport):
        closed = False

        def close(self) -> None:
            self.closed = True

    transport = Watched(keycloak.issue)
    keycloak.auth(transport=transport).access_token()
    assert not transport.closed


# A refused token


def test_a_refused_token_is_renewed_once(keycloak: Keycloak) -> None:
    with keycloak.client(keycloak.auth()) as http:
        http.post("/a")
        keycloak.revoked = {"t1"}
        assert http.post("/a", json={"b": 1}).status_code == 200
        keycloak.revoked = {"t2", "t3"}
        assert http.post("/a").status_code == 401
    assert keycloak.seen == ["t1", "t1", "t2", "t2", "t3"]


def test_a_token_that_was_renewed_meanwhile_is_used_in_place_of_the_refused_one(keycloak: Keycloak) -> None:
    auth = keycloak.auth()
    first, second = (auth.sync_auth_flow(httpx.Request("POST", f"{API}/a")) for _ in range(2))
    requests = [next(first), next(second)]
    for flow, request in zip((first, second), requests, strict=True):
        assert flow.send(httpx.Response(401, request=request)).headers["Authorization"] == "Bearer t2"
        flow.close()
    assert len(keycloak.forms) == 2


def test_a_stream_is_not_sent_twice_and_the_next_one_has_a_new_token(keycloak: Keycloak) -> None:
    class Unread(httpx.BaseTransport):
        """Sends a body as a network does, without keeping it; httpx's MockTransport reads it into memory."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            assert isinstance(request.stream, httpx.SyncByteStream)
            assert b"".join(request.stream) or request.method == "GET"
            return keycloak(request)

    with httpx.Client(transport=Unread(), base_url=API, auth=keycloak.auth()) as http:
        http.get("/a")
        keycloak.revoked = {"t1"}
        assert http.post("/a", content=iter([b"once"])).status_code == 401
        assert http.post("/a", files={"file": b"once"}).status_code == 200
    assert keycloak.seen == ["t1", "t1", "t2"]


def test_what_went_wrong_with_the_renewal_is_told_in_place_of_the_401(keycloak: Keycloak) -> None:
    with keycloak.client(keycloak.auth()) as http:
        http.post("/a")
        keycloak.revoked, keycloak.failure = {"t1"}, unreachable
        with pytest.raises(ConnectionFailedError):
            http.post("/a")


# Tokens from elsewhere


def test_a_given_token_is_sent_as_it_is_and_a_401_is_the_answer(keycloak: Keycloak) -> None:
    keycloak.revoked = {"given-7f3a"}
    with keycloak.client(BearerToken("given-7f3a\n", api_url=API)) as http:
        assert http.post("/a").status_code == 401
    assert keycloak.seen == ["given-7f3a"]


@pytest.mark.parametrize("token", ["", "Bearer abc", "a1\nb1", "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n", 5, None])
def test_what_is_no_token_is_refused_without_being_shown(token: Any) -> None:
    with pytest.raises(ConfigurationError, match="without the word Bearer") as raised:
        BearerToken(token, api_url=API)
    assert not token or str(token).split()[-1] not in str(raised.value)


def test_a_function_is_asked_for_the_first_token_and_for_another_one_where_it_is_refused(keycloak: Keycloak) -> None:
    tokens = iter(["g1", "g2"])
    keycloak.revoked = {"g1"}
    with keycloak.client(BearerToken(lambda: next(tokens), api_url=API)) as http:
        assert [http.post("/a").status_code for _ in range(2)] == [200, 200]
    assert keycloak.seen == ["g1", "g2", "g2"]


def test_a_function_may_tell_how_long_its_tokens_live(keycloak: Keycloak) -> None:
    calls: list[int] = []

    async def give() -> dict[str, Any]:
        await asyncio.sleep(0)
        calls.append(1)
        return {"access_token": f"g{len(calls)}", "expires_in": 100}

    auth = BearerToken(give, api_url=API, clock=lambda: keycloak.now)
    assert auth.access_token() == auth.access_token() == "g1"
    keycloak.now += 91
    assert auth.access_token() == "g2"


def test_what_a_function_raises_reaches_the_caller() -> None:
    def give() -> str:
        raise LookupError("the vault is closed")

    auth = BearerToken(give, api_url=API)
    for _ in range(2):
        with pytest.raises(LookupError, match="vault"):
            auth.access_token()


def test_a_function_that_waits_for_its_own_token_is_told_so() -> None:
    def give() -> str:
        return auth.access_token()

    auth = BearerToken(give, api_url=API)
    with pytest.raises(ConfigurationError, match="another client"):
        auth.access_token()


# Errors


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (refused("invalid_grant", "Invalid user credentials", 401), "user's name and password"),
        (refused("invalid_grant", "Account disabled"), "enable the user"),
        (refused("invalid_grant", "Account is not fully set up"), "password is temporary"),
        (refused("invalid_client", "Invalid client or Invalid client credentials", 401), "client's id and secret"),
        (refused("unauthorized_client", "Invalid client secret", 401), "client's id and secret"),
        (refused("unauthorized_client", "Client not allowed for direct access grants"), "Direct access grants"),
        (refused("invalid_scope", "Invalid scopes: x"), "Check the scope"),
        (refused("unsupported_grant_type"), "allow this grant"),
        (refused("invalid_request", "HTTPS required", 403), "https://"),
        (refused("Realm does not exist", status=404), "address of Keycloak"),
        (httpx.Response(404, text="<html>no such page</html>"), "the token endpoint"),
        (httpx.Response(200, text="<html>welcome</html>"), "the token endpoint"),
        (httpx.Response(200, json={"token": "x"}), "the token endpoint"),
        (httpx.Response(200, json={"access_token": "a b"}), "the token endpoint"),
        (httpx.Response(200, text="[" * 100_000), "the token endpoint"),
        (httpx.Response(407, text="<html>proxy</html>"), "The proxy"),
        (httpx.Response(401, html="<html>", headers={"WWW-Authenticate": 'Basic realm="a"'}), "gateway in front"),
        (
            httpx.Response(302, headers={"Location": "https://sso.example.com/x?token=abc"}),
            "at https://sso.example.com,",
        ),
    ],
)
def test_a_refusal_says_what_to_do(keycloak: Keycloak, answer: httpx.Response, message: str) -> None:
    keycloak.failure = lambda _: answer
    with pytest.raises(AuthenticationError, match=message) as raised:
        keycloak.auth().access_token()
    assert raised.value.status == answer.status_code
    assert "abc" not in str(raised.value)


def test_an_address_of_keycloak_that_ends_with_auth_is_said() -> None:
    """Keycloak's own documents give it so, and the realm was said not to exist."""
    auth = KeycloakAuth(
        "https://k.example.com/auth/auth/realms/master/protocol/openid-connect/token",
        api_url="https://a.example.com",
        client_id="c",
        client_secret="s",
        transport=httpx.MockTransport(lambda _: httpx.Response(404, json={"error": "Realm does not exist"})),
    )
    with pytest.raises(AuthenticationError, match="Leave out the /auth at the end of Keycloak's address"):
        auth.access_token()


def test_a_refused_refresh_token_without_a_password_says_so(keycloak: Keycloak) -> None:
    with pytest.raises(AuthenticationError, match="refresh token has expired"):
        keycloak.auth(**NO_USER, refresh_token="dead").access_token()


def test_a_server_that_is_down_or_busy_is_no_matter_of_credentials(keycloak: Keycloak) -> None:
    keycloak.failure = down
    with pytest.raises(ServerError, match="503"):
        keycloak.auth().access_token()
    keycloak.failure = lambda _: httpx.Response(429, headers={"Retry-After": "7"})
    with pytest.raises(RateLimitedError) as raised:
        keycloak.auth().access_token()
    assert raised.value.retry_after == 7


def test_no_answer_is_a_failed_connection(keycloak: Keycloak) -> None:
    keycloak.failure = unreachable
    with pytest.raises(ConnectionFailedError, match=r"keycloak\.example\.com"):
        keycloak.auth().access_token()

    def late(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late", request=request)

    keycloak.failure = late
    with pytest.raises(RequestTimeoutError):
        keycloak.auth().access_token()
    keycloak.failure = lambda _: httpx.Response(
        200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip")
    )
    with pytest.raises(ConnectionFailedError):
        keycloak.auth().access_token()


def test_an_answer_may_be_compressed_and_is_read_to_a_limit(keycloak: Keycloak) -> None:
    def compressed(text: bytes) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(gzip.compress(text)))

    keycloak.failure = lambda _: compressed(b'{"access_token": "small"}')
    assert keycloak.auth().access_token() == "small"
    keycloak.failure = lambda _: compressed(b'{"access_token": "big", "x": "%s"}' % (b" " * (4 << 20)))
    with pytest.raises(AuthenticationError):
        keycloak.auth().access_token()


def test_an_answer_that_drips_in_ends_at_the_time_to_read(keycloak: Keycloak) -> None:
    class Drip(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            while True:
                yield b" "

    keycloak.failure = lambda _: httpx.Response(200, stream=Drip())
    with pytest.raises(RequestTimeoutError):
        keycloak.auth(timeout=0.01).access_token()


def test_an_answer_without_an_end_is_left_by_a_whole_client_too() -> None:
    """The layer of retries, which reads other answers completely, does not read those with tokens."""
    taken = 0

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            nonlocal taken
            while taken < 100:
                taken += 1
                yield bytes(1 << 20)

    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Endless()))
    environment = {"WALLAROO_CLIENT_ID": "c", "WALLAROO_CLIENT_SECRET": "s"}
    with (
        connect(API, transport=transport, environment=environment) as client,
        pytest.raises(AuthenticationError),
    ):
        client.get_httpx_client().post("/a")
    assert taken < 10


# Secrets


@pytest.mark.parametrize("failure", [unreachable, down, refusing("invalid_grant", "Invalid user credentials")])
def test_no_secret_is_in_an_error_its_traceback_a_log_or_a_repr(
    keycloak: Keycloak, failure: Any, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = {CLIENT_SECRET, PASSWORD, "refresh-secret-1"}
    auth = keycloak.auth(refresh_token="refresh-secret-1")
    keycloak.failure = failure
    with caplog.at_level(logging.DEBUG), pytest.raises(WallarooError) as raised:
        auth.access_token()
    assert raised.value.__context__ is raised.value.__cause__ is None
    printed = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    frames = "".join(str(frame.locals) for frame in printed.stack if frame.filename != __file__)
    shown = frames + str(raised.value) + caplog.text + repr(auth) + repr(vars(raised.value)) + repr(vars(auth))
    assert [secret for secret in secrets if secret in shown] == []
    assert pickle.loads(pickle.dumps(raised.value)).args == raised.value.args  # noqa: S301 - what was just written


def test_the_error_of_a_connection_does_not_hold_the_request_with_the_password() -> None:
    endpoint = TokenEndpoint(TOKEN_URL, Credentials("c", "s"), transport=httpx.MockTransport(unreachable))
    with pytest.raises(ConnectionFailedError) as raised:
        endpoint.request(Form("password", {"password": PASSWORD}))
    assert raised.value.__context__ is None


def test_renewals_are_logged_without_tokens(keycloak: Keycloak, caplog: pytest.LogCaptureFixture) -> None:
    keycloak.fields = {"access_token": "token-secret-1"}
    with caplog.at_level(logging.DEBUG, "wallaroo_ext.auth"):
        keycloak.auth().access_token()
    assert "the grant password" in caplog.text
    assert "to be renewed in 3540 s" in caplog.text
    assert "token-secret-1" not in caplog.text


def test_what_holds_secrets_is_neither_pickled_nor_copied(keycloak: Keycloak) -> None:
    for auth in (keycloak.auth(), BearerToken("given-7f3a", api_url=API)):
        for make in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="holds secrets"):
                make(auth)


def test_forget_signs_in_anew(keycloak: Keycloak) -> None:
    auth = keycloak.auth()
    auth.access_token()
    auth.forget()
    assert auth.access_token() == "t2"
    assert keycloak.grants == ["password", "password"]


def test_the_repr_names_who_signs_in_where(keycloak: Keycloak) -> None:
    shown = repr(keycloak.auth())
    assert TOKEN_URL in shown
    assert "a@example.com" in shown


@pytest.mark.parametrize("secret", ["plain", "a+b", "50%", "%2B", "a b", "ü", "a:b", 'a"b&c=d', "%", "+"])
@pytest.mark.parametrize("client_id", ["api-client", "a:b", "a+b"])
def test_basic_is_written_in_one_way_that_is_read_as_the_same_pair(client_id: str, secret: str) -> None:
    """The suite and the client do so; the client's credentials go into the form if releases differ."""
    from wallaroo_ext.auth.token_endpoint import basic_header, client_authentication
    from wallaroo_ext.sandbox.handlers.authentication import _basic  # pyright: ignore[reportPrivateUsage] - as Keycloak reads it

    assert _basic(basic_header(client_id, secret)) == (client_id, secret)
    headers, fields = client_authentication(client_id, secret)
    assert (headers == {"Authorization": basic_header(client_id, secret)}) is (fields == {})
    assert fields in ({}, {"client_id": client_id, "client_secret": secret})


@pytest.mark.slow
def test_an_instance_whose_clients_secret_has_signs_conforms(tmp_path: Path) -> None:
    from wallaroo_ext.sandbox.process import running

    with running(tmp_path / "data"):
        pass
    [database] = [
        file for file in (tmp_path / "data").iterdir() if file.is_file() and file.read_bytes()[:6] == b"SQLite"
    ]
    with sqlite3.connect(database) as db:
        db.execute("UPDATE settings SET value = 'a+b%2F c%' WHERE name = 'client_secret'")
    db.close()
    with running(tmp_path / "data", "--token-lifetime", "5") as environment:
        assert environment["WALLAROO_CLIENT_SECRET"] == "a+b%2F c%"
        command = [
            sys.executable,
            "-m",
            "wallaroo_ext.cli",
            "conformance",
            "--cases",
            "2",
            "--operation",
            "request_token",
        ]
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            env=os.environ | environment,
            timeout=200,
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stdout + done.stderr
