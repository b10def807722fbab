"""Can only web pages that are served by this machine call the sandbox from a browser?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from contract_tests.support.browser import browsing
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import contract
from wallaroo_ext.sandbox.paths import DOCS_PAGE

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = pytest.mark.slow  # it starts a browser and sandboxes

LISTING = contract.operation("list_workspaces").path
HERE = ["http://localhost", "http://localhost:3000", "https://127.0.0.1:8443", "http://[::1]:9"]
ELSEWHERE = [
    "https://example.com",
    "http://localhost.example.com",
    "http://127.0.0.1.example.com",
    "http://127.0.0.1@example.com",
    "http://example.com:80/localhost",
    "http://localhost:3000\\.example.com",
    "file://",
    "null",
    "",
]


@pytest.fixture
def api(sandbox: dict[str, str]) -> Generator[httpx.Client]:
    """Yield an HTTP client that sends no token."""
    with httpx.Client(base_url=sandbox["WALLAROO_API_URL"]) as plain:
        yield plain


def cors_headers(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def preflight(api: httpx.Client, origin: str) -> httpx.Response:
    """Return the headers of a browser's preflight for a request with a token and a JSON body."""
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    return api.options(LISTING, headers={"Origin": origin} | asked)


@pytest.mark.parametrize("origin", HERE)
def test_a_page_of_this_machine_may_send_its_token(api: httpx.Client, origin: str) -> None:
    answer = preflight(api, origin)
    assert answer.status_code == 200
    allowed = cors_headers(answer)
    assert allowed["access-control-allow-origin"] == origin
    assert "POST" in allowed["access-control-allow-methods"]
    assert "authorization" in allowed["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in allowed


@pytest.mark.parametrize("origin", HERE)
def test_a_page_of_this_machine_may_read_every_answer(http: httpx.Client, origin: str) -> None:
    answer = http.post(LISTING, json={}, headers={"Origin": origin})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "Origin" in answer.headers["Vary"]
    refused = http.post(LISTING, json={}, headers={"Origin": origin, "Authorization": ""})
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_another_page_gets_no_permission(api: httpx.Client, http: httpx.Client, origin: str) -> None:
    asked = preflight(api, origin)
    assert asked.status_code == 405
    assert cors_headers(asked) == {}
    assert cors_headers(http.post(LISTING, json={}, headers={"Origin": origin})) == {}


def test_programs_see_no_difference(http: httpx.Client) -> None:
    answer = http.post(LISTING, json={})
    assert cors_headers(answer) == {}
    assert "Vary" not in answer.headers


def test_options_is_not_allowed_as_before_without_a_browser(api: httpx.Client) -> None:
    assert api.options(LISTING).status_code == 405


FETCH = """
    const [url, path, grant, basic] = arguments;
    window.seen = null;
    const form = new URLSearchParams(grant);
    fetch(url + path, {method: "POST", body: form, headers: {Authorization: `Basic ${btoa(basic)}`}})
        .then(answer => answer.json())
        .then(answer => { window.seen = Object.keys(answer).join(" "); })
        .catch(error => { window.seen = `${error}`; });
"""


def test_a_page_of_a_sandbox_signs_in_at_the_other_one_that_it_trusts(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, sandbox: dict[str, str]
) -> None:
    issuer = sandbox["WALLAROO_AUTH_URL"]
    grant = {
        "grant_type": "password",
        "username": sandbox["WALLAROO_USER"],
        "password": sandbox["WALLAROO_PASSWORD"],
    }
    basic = f"{sandbox['WALLAROO_CLIENT_ID']}:{sandbox['WALLAROO_CLIENT_SECRET']}"
    with (
        running(tmp_path / "data", "--auth-url", issuer) as environment,
        browsing(tmp_path_factory.mktemp("browser")) as browser,
    ):
        browser.open(environment["WALLAROO_API_URL"] + DOCS_PAGE)
        browser.run(FETCH, issuer, contract.operation("request_token").path, grant, basic)
        browser.wait_until("return window.seen !== null")
        assert "access_token" in browser.run("return window.seen")
