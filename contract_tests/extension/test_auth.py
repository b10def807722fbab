"""Does signing in renew tokens in time, once for all callers, and keep them at home?"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from wallaroo_ext import AuthenticationError, BearerToken, ConfigurationError, KeycloakAuth

HOME = "https://api.example.com"
TOKEN_URL = "https://keycloak.example.com/token"


@dataclass
class Keycloak:
    """A token endpoint and an API in memory, with a clock that tests move."""

    lifetime: float = 3600
    refresh_lifetime: float = 1800
    now: float = 1000.0
    refuse_refresh: bool = False
    revoked: set[str] = field(default_factory=set[str])
    forms: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    seen: list[str] = field(default_factory=list[str])
    timeouts: dict[str, float] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url == TOKEN_URL:
            return self.issue(request)
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.seen.append(token)
        return httpx.Response(401 if token in self.revoked else 200, json={})

    def issue(self, request: httpx.Request) -> httpx.Response:
        self.timeouts = request.extensions.get("timeout")
        form = dict(httpx.QueryParams(request.content.decode()))
        with self.lock:
            self.forms.append(form | {"basic": request.headers.get("Authorization", "")})
        if form["grant_type"] == "refresh_token" and self.refuse_refresh:
            return httpx.Response(400, json={"error": "invalid_grant", "error_description": "Token is not active"})
        answer: dict[str, Any] = {"access_token": f"t{len(self.forms)}", "expires_in": self.lifetime}
        if form["grant_type"] != "client_credentials":
            answer |= {"refresh_token": f"r{len(self.forms)}", "refresh_expires_in": self.refresh_lifetime}
        return httpx.Response(200, json=answer)

    @property
    def grants(self) -> list[str]:
        return [form["grant_type"] for form in self.forms]

    def auth(self, **options: Any) -> KeycloakAuth:
        who: dict[str, Any] = {"client_secret": "s", "username": "u", "password": "p"} | options
        return KeycloakAuth(TOKEN_URL, api_url=HOME, client_id="api-client", clock=lambda: self.now, **who)

    def client(self, auth: httpx.Auth) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self), base_url=HOME, auth=auth)

    def async_client(self, auth: httpx.Auth) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self), base_url=HOME, auth=auth)


@pytest.fixture
def keycloak() -> Keycloak:
    return Keycloak()


def test_one_token_serves_many_requests(keycloak: Keycloak) -> None:
    with keycloak.client(keycloak.auth()) as http:
        for _ in range(3):
            assert http.post("/a").status_code == 200
    assert keycloak.seen == ["t1", "t1", "t1"]
    assert keycloak.forms[0]["username"] == "u"
    assert keycloak.forms[0]["basic"].startswith("Basic ")


@pytest.mark.parametrize(("lifetime", "margin"), [(3600, 60), (60, 6), (3, 0.3)])
def test_a_token_is_renewed_a_tenth_of_its_life_ahead(keycloak: Keycloak, lifetime: float, margin: float) -> None:
    keycloak.lifetime = lifetime
    keycloak.refresh_lifetime = lifetime * 2
    with keycloak.client(keycloak.auth()) as http:
        http.post("/a")
        keycloak.now += lifetime - margin - 0.01
        http.post("/a")
        assert keycloak.grants == ["password"]
        keycloak.now += 0.02
        http.post("/a")
    assert keycloak.grants == ["password", "refresh_token"]
    assert keycloak.forms[1]["refresh_token"] == "r1"


def test_a_refresh_token_that_died_first_is_not_used(keycloak: Keycloak) -> None:
    with keycloak.client(keycloak.auth()) as http:
        http.post("/a")
        keycloak.now += 3600
        http.post("/a")
    assert keycloak.grants == ["password", "password"]


def test_a_refused_refresh_falls_back_on_the_grant(keycloak: Keycloak) -> None:
    keycloak.lifetime, keycloak.refuse_refresh = 60, True
    with keycloak.client(keycloak.auth()) as http:
        http.post("/a")
        keycloak.now += 60
        assert http.post("/a").status_code == 200
    assert keycloak.grants == ["password", "refresh_token", "password"]


def test_a_token_request_has_the_timeouts_of_the_request_it_is_for(keycloak: Keycloak) -> None:
    with keycloak.client(keycloak.auth()) as http:
        http.post("/a", timeout=httpx.Timeout(1, read=2))
    assert keycloak.timeouts == {"connect": 1, "read": 2, "write": 1, "pool": 1}


def test_without_a_user_the_clients_own_credentials_are_used(keycloak: Keycloak) -> None:
    with keycloak.client(keycloak.auth(username=None, password=None)) as http:
        http.post("/a")
    assert keycloak.grants == ["client_credentials"]


def test_a_public_client_names_itself_in_the_form(keycloak: Keycloak) -> None:
    with keycloak.client(keycloak.auth(client_secret=None)) as http:
        http.post("/a")
    assert (keycloak.forms[0]["client_id"], keycloak.forms[0]["basic"]) == ("api-client", "")


def test_a_refused_token_is_renewed_once(keycloak: Keycloak) -> None:
    with keycloak.client(keycloak.auth()) as http:
        http.post("/a")
        keycloak.revoked = {"t1"}
        assert http.post("/a").status_code == 200
        keycloak.revoked = {"t2", "t3"}
        assert http.post("/a").status_code == 401
    assert keycloak.seen == ["t1", "t1", "t2", "t2", "t3"]


def test_a_stream_is_not_sent_twice(keycloak: Keycloak) -> None:
    with keycloak.client(keycloak.auth()) as http:
        http.post("/a")
        keycloak.revoked = {"t1"}
        assert http.post("/a", content=iter([b"once"])).status_code == 401
        assert http.post("/a", files={"file": b"once"}).status_code == 401
    assert keycloak.seen == ["t1", "t1", "t1"]


def test_threads_on_an_expired_token_make_one_request(keycloak: Keycloak) -> None:
    keycloak.refresh_lifetime = 7200
    with keycloak.client(keycloak.auth()) as http, ThreadPoolExecutor(64) as pool:
        http.post("/a")
        keycloak.now += 3600
        answers = list(pool.map(http.post, ["/a"] * 64))
    assert [answer.status_code for answer in answers] == [200] * 64
    assert keycloak.grants == ["password", "refresh_token"]


def test_tasks_on_an_expired_token_make_one_request_on_any_event_loop(keycloak: Keycloak) -> None:
    auth = keycloak.auth()
    keycloak.refresh_lifetime = 7200

    async def post(count: int) -> None:
        async with keycloak.async_client(auth) as http:
            answers = await asyncio.gather(*(http.post("/a") for _ in range(count)))
        assert all(answer.status_code == 200 for answer in answers)

    asyncio.run(post(1))
    keycloak.now += 3600
    asyncio.run(post(64))
    assert keycloak.grants == ["password", "refresh_token"]


def test_a_refused_token_is_renewed_once_by_tasks(keycloak: Keycloak) -> None:
    async def post() -> list[int]:
        async with keycloak.async_client(keycloak.auth()) as http:
            await http.post("/a")
            keycloak.revoked = {"t1"}
            return [answer.status_code for answer in await asyncio.gather(*(http.post("/a") for _ in range(8)))]

    assert asyncio.run(post()) == [200] * 8
    assert len(keycloak.forms) == 2


@pytest.mark.parametrize(
    "url", ["https://evil.example.com/a", "http://api.example.com/a", "https://api.example.com:1/a"]
)
def test_a_token_goes_to_no_other_origin(keycloak: Keycloak, url: str) -> None:
    for auth in (keycloak.auth(), BearerToken("given", api_url=HOME)):
        with keycloak.client(auth) as http, pytest.raises(ConfigurationError, match="another origin"):
            http.post(url)
    assert keycloak.forms == []


def test_a_given_token_is_sent_as_it_is(keycloak: Keycloak) -> None:
    with keycloak.client(BearerToken("given", api_url=HOME)) as http:
        http.post("/a")
    assert (keycloak.seen, keycloak.forms) == (["given"], [])


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (401, b'{"error":"invalid_grant","error_description":"Invalid user credentials"}', "user's name and password"),
        (401, b'{"error":"unauthorized_client"}', "id and secret"),
        (503, b"<html>busy</html>", "busy"),
        (200, b"<html>a page</html>", "Keycloak's address"),
        (200, b'{"token":"x"}', "Keycloak's address"),
    ],
)
def test_a_refusal_says_what_to_do_and_no_secret(status: int, content: bytes, said: str) -> None:
    auth = KeycloakAuth(
        TOKEN_URL, api_url=HOME, client_id="api-client", client_secret="secret-1", username="u", password="password-1"
    )
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=content))
    with httpx.Client(transport=transport, base_url=HOME, auth=auth) as http:
        with pytest.raises(AuthenticationError, match=said) as raised:
            http.post("/a")
        assert raised.value.status == status
        with pytest.raises(AuthenticationError):
            http.post("/a")  # the lock was released
    assert "secret-1" not in str(raised.value) + repr(auth)
    assert "password-1" not in str(raised.value) + repr(auth)
