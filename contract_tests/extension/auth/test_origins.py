"""Does a token only go to the instance's own origins, whatever a server redirects to?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

import httpx
import pytest

from contract_tests.support.fake_keycloak import API, TOKEN_URL, Keycloak
from wallaroo_ext import BearerToken, ConfigurationError
from wallaroo_ext.auth.origins import Origins

if TYPE_CHECKING:
    from collections.abc import Callable

INFERENCE = "https://infer.example.com"
FOREIGN = {
    "another port": "https://api.example.com:8443",
    "another host": "https://other.example.com",
    "a host below": "https://x.api.example.com",
    "no encryption": "http://api.example.com",
    "a dot at the end": "https://api.example.com.",
    "a user who looks like the host": "https://api.example.com@other.example.com",
    "an inference host": INFERENCE,
}
CASES = list(product((301, 302, 303, 307, 308), ("GET", "POST")))


@dataclass
class World:
    """Answers for every host: the API redirects from `/start`, and all hosts answer 401 without a token."""

    status: int
    location: str
    came: list[tuple[str, str, str | None]] = field(default_factory=list[tuple[str, str, "str | None"]])

    def __call__(self, request: httpx.Request) -> httpx.Response:
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        token = request.headers.get("Authorization")
        self.came.append((request.method, origin, token))
        if request.url.path == "/start":
            return httpx.Response(self.status, headers={"Location": self.location})
        return httpx.Response(401 if token is None else 200)


def send_sync(world: World, auth: httpx.Auth, method: str) -> httpx.Response:
    with httpx.Client(transport=httpx.MockTransport(world), auth=auth, follow_redirects=True) as http:
        return http.request(method, f"{API}/start", content=b"{}" if method == "POST" else None)


def send_async(world: World, auth: httpx.Auth, method: str) -> httpx.Response:
    async def main() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.MockTransport(world), auth=auth, follow_redirects=True) as http:
            return await http.request(method, f"{API}/start", content=b"{}" if method == "POST" else None)

    return asyncio.run(main())


SENDERS = {"sync": send_sync, "async": send_async}


def method_after(method: str, status: int) -> str:
    """Return the method of a redirected request."""
    return method if status in {307, 308} else "GET"


@pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS)
@pytest.mark.parametrize("origin", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize(("status", "method"), CASES)
def test_no_token_goes_along_to_another_origin(
    status: int, method: str, origin: str, sender: Callable[..., httpx.Response]
) -> None:
    keycloak = Keycloak()
    world = World(status, f"{origin}/end")
    response = sender(world, keycloak.auth(inference_hosts=["infer.example.com"]), method)
    assert response.status_code == 401
    first, last = world.came
    assert first == (method, API, "Bearer t1")
    assert (last[0], last[2]) == (method_after(method, status), None)
    assert len(keycloak.forms) == 1  # a 401 that the token has no part in renews nothing


@pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS)
@pytest.mark.parametrize("location", ["/end", f"{API}/end", "https://API.example.com:443/end"])
@pytest.mark.parametrize(("status", "method"), CASES)
def test_the_token_goes_along_within_the_api(
    status: int, method: str, location: str, sender: Callable[..., httpx.Response]
) -> None:
    world = World(status, location)
    assert sender(world, Keycloak().auth(), method).status_code == 200
    assert world.came == [(method, API, "Bearer t1"), (method_after(method, status), API, "Bearer t1")]


@pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS)
def test_a_redirect_there_and_back_comes_back_without_the_token(sender: Callable[..., httpx.Response]) -> None:
    class Detour(World):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            response = super().__call__(request)
            if request.url.host == "other.example.com":
                return httpx.Response(307, headers={"Location": f"{API}/end"})
            return response

    world = Detour(307, "https://other.example.com/x")
    assert sender(world, Keycloak().auth(), "POST").status_code == 401
    assert [token for _, _, token in world.came] == ["Bearer t1", None, None]


def test_a_redirect_that_is_not_followed_is_checked_where_it_is_sent_later() -> None:
    auth = Keycloak().auth(inference_hosts=["infer.example.com"])
    for origin in FOREIGN.values():
        world = World(307, f"{origin}/end")
        with httpx.Client(transport=httpx.MockTransport(world), auth=auth) as http:
            later = http.post(f"{API}/start").next_request
            assert later is not None
            if origin == INFERENCE:
                assert http.send(later).status_code == 200
            else:
                with pytest.raises(ConfigurationError):
                    http.send(later)
                assert len(world.came) == 1


@pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS)
def test_after_a_redirect_only_the_refused_request_is_sent_again(sender: Callable[..., httpx.Response]) -> None:
    class Stale(World):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            response = super().__call__(request)
            is_stale = request.url.path == "/end" and request.headers["Authorization"] == "Bearer t1"
            return httpx.Response(401) if is_stale else response

    world = Stale(303, "/end")
    assert sender(world, Keycloak().auth(), "POST").status_code == 200
    assert world.came == [("POST", API, "Bearer t1"), ("GET", API, "Bearer t1"), ("GET", API, "Bearer t2")]


@pytest.mark.parametrize("url", [url for name, url in FOREIGN.items() if name != "an inference host"])
def test_a_request_to_another_origin_is_not_sent(url: str) -> None:
    keycloak = Keycloak()
    given = BearerToken("given-7f3a", api_url=API, inference_hosts="infer.example.com")
    for auth in (keycloak.auth(), given):
        with keycloak.client(auth) as http, pytest.raises(ConfigurationError) as raised:
            http.post(f"{url}/a")
        assert "is not sent to" in str(raised.value)
    assert (keycloak.forms, keycloak.seen) == ([], [])


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        (API.replace("https", "http"), "use https"),
        ("http://other.example.com", "get_pipeline_external_url"),
        ("https://other.example.com", "get_pipeline_external_url"),
    ],
)
def test_a_refusal_says_what_to_do(url: str, advice: str) -> None:
    keycloak = Keycloak()
    with keycloak.client(keycloak.auth()) as http, pytest.raises(ConfigurationError, match=advice):
        http.post(f"{url}/a")


@pytest.mark.parametrize(
    ("api", "hosts", "allowed", "refused"),
    [
        (
            API,
            [],
            ["https://API.EXAMPLE.COM", "https://api.example.com:443", "https://u@api.example.com", TOKEN_URL],
            ["http://keycloak.example.com", "https://api.example.com:80", "ftp://api.example.com", "https://[::1]"],
        ),
        (
            "http://127.0.0.1:8080",
            ["localhost:9000"],
            ["http://127.0.0.1:8080", "http://localhost:9000", "https://localhost:9000"],
            ["https://127.0.0.1:8080", "http://127.0.0.1", "http://localhost:8080", "http://[::1]:8080"],
        ),
        ("http://api", [], ["http://api", "https://api"], ["https://api:80", "http://api:443", "https://api."]),
        ("http://[::1]:1", [], ["http://[::1]:1"], ["http://[::1]", "http://[::2]:1"]),
        (
            "https://b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example.com",
            [],
            ["https://xn--bcher-kva.example.com", "https://B\N{LATIN SMALL LETTER U WITH DIAERESIS}CHER.example.com"],
            ["https://bucher.example.com", "https://b\N{CYRILLIC SMALL LETTER U}cher.example.com"],
        ),
        (API, ["https://infer.example.com:444/"], ["https://infer.example.com:444"], [INFERENCE]),
        (API, "infer.example.com", [INFERENCE], ["http://infer.example.com", "https://x.infer.example.com"]),
    ],
)
def test_an_origin_is_a_scheme_a_host_and_a_port(
    api: str, hosts: list[str] | str, allowed: list[str], refused: list[str]
) -> None:
    origins = Origins(api, TOKEN_URL, hosts)
    for url in allowed:
        origins.check(httpx.URL(url))
    for url in refused:
        with pytest.raises(ConfigurationError, match="is not sent to"):
            origins.check(httpx.URL(url))


def test_a_redirect_to_encryption_keeps_the_token_on_the_ports_of_http_alone() -> None:
    for api, location, token in (
        ("http://api", "https://api/end", "Bearer t1"),
        ("http://api:8080", "https://api:8443/end", None),
        ("http://api", "https://other/end", None),
    ):
        world = World(307, location)
        auth = Keycloak().auth(api_url=api)
        with httpx.Client(transport=httpx.MockTransport(world), auth=auth, follow_redirects=True) as http:
            http.post(f"{api}/start")
        assert [token for _, _, token in world.came] == ["Bearer t1", token]


def test_a_message_has_no_password_of_a_url() -> None:
    with pytest.raises(ConfigurationError) as raised:
        Origins(API).check(httpx.URL("https://user:password-1@other.example.com/?token=abc"))
    assert "password-1" not in str(raised.value)
    assert "abc" not in str(raised.value)
