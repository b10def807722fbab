"""Can a person read the contract on the instance's docs page, sign in there, and try an operation?"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette

from contract_tests.support.browser import Browser, browsing
from wallaroo_ext import contract
from wallaroo_ext.sandbox.options import SandboxOptions
from wallaroo_ext.sandbox.paths import DOCS_PAGE as PAGE
from wallaroo_ext.sandbox.server.docs import docs_routes

if TYPE_CHECKING:
    from collections.abc import Generator

CONTRACT = f"{PAGE}/openapi.json"
FILES = {
    f"{PAGE}/page.css": "text/css",
    f"{PAGE}/page.js": "text/javascript",
    f"{PAGE}/swagger-ui.css": "text/css",
    f"{PAGE}/swagger-ui.js": "text/javascript",
}
LIST_WORKSPACES = "#operations-workspaces-list_workspaces"

# Scripts for the browser; the argument is the id of an operation's block.
TOGGLE = "document.getElementById(arguments[0]).querySelector('.opblock-summary-control').click()"
IS_OPEN = "return document.getElementById(arguments[0]).querySelector('.responses-wrapper') !== null"
SHOW_SCHEMAS = "document.querySelectorAll(`#${arguments[0]} .tab li:last-child button`).forEach(tab => tab.click())"
SHOWN = """
    const block = document.getElementById(arguments[0]);
    const statuses = [...block.querySelectorAll('.responses-table tr.response')].map(row => row.dataset.code);
    const errors = [...document.querySelectorAll('.errors-wrapper, .fallback')].map(error => error.textContent);
    return {statuses, hasSchemas: block.querySelector('.json-schema-2020-12') !== null, errors};
"""


@pytest.fixture
def api(sandbox: dict[str, str]) -> Generator[httpx.Client]:
    """Yield an HTTP client that sends no token."""
    with httpx.Client(base_url=sandbox["WALLAROO_API_URL"]) as plain:
        yield plain


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Generator[Browser]:
    with browsing(tmp_path_factory.mktemp("browser")) as started:
        yield started


@pytest.fixture
def page(browser: Browser, sandbox: dict[str, str]) -> Browser:
    """Return the browser on a fresh copy of the page, with the operations on it."""
    browser.complaints()
    browser.open(sandbox["WALLAROO_API_URL"] + PAGE)
    browser.wait_until("return document.querySelector('.opblock') !== null")
    return browser


def blocks(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the operations of the contract by the ids that Swagger UI gives their blocks."""
    found = (operation for _, _, operation in contract.operations(document))
    return {f"operations-{operation['tags'][0]}-{operation['operationId']}": operation for operation in found}


class TestOverHttp:
    def test_the_page_is_for_everyone_and_says_how_to_sign_in(self, api: httpx.Client, sandbox: dict[str, str]) -> None:
        answer = api.get(PAGE)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "WALLAROO_USER" in answer.text
        assert not [name for name in ("PASSWORD", "CLIENT_SECRET") if sandbox[f"WALLAROO_{name}"] in answer.text]

    def test_a_slash_at_the_end_leads_to_the_page(self, api: httpx.Client) -> None:
        assert api.get(f"{PAGE}/", follow_redirects=True).url.path == PAGE

    @pytest.mark.parametrize("path", FILES)
    def test_its_files_are_there(self, api: httpx.Client, path: str) -> None:
        answer = api.get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].split(";")[0] == FILES[path]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.content

    @pytest.mark.parametrize("path", [PAGE, f"{PAGE}/page.css", f"{PAGE}/page.js"])
    def test_it_names_no_other_host(self, api: httpx.Client, path: str) -> None:
        assert re.search(r"https?:|[\"'(]//", api.get(path).text) is None

    def test_its_policy_allows_nothing_from_elsewhere_and_nothing_inline(self, api: httpx.Client) -> None:
        policy = api.get(PAGE).headers["Content-Security-Policy"].split("; ")
        assert policy[0] == "default-src 'none'"
        assert not [word for word in ("http", "*", "unsafe") if word in str(policy)]

    def test_no_other_file_of_the_package_is_served(self, api: httpx.Client) -> None:
        assert api.get(f"{PAGE}/scalar.js").status_code == 404
        assert api.get(f"{PAGE}/index.html").status_code == 404

    def test_the_contract_beside_it_is_that_of_the_release(self, api: httpx.Client) -> None:
        document = contract.load(SandboxOptions().release)
        answer = api.get(CONTRACT)
        assert answer.headers["Content-Type"] == "application/json"
        served = answer.json()
        from openapi_python_client.schema import OpenAPI  # takes long to import

        assert OpenAPI.model_validate(served).openapi == "3.1.0"
        assert len(list(contract.operations(served))) == len(list(contract.operations(document)))
        del served["components"]["securitySchemes"]["signIn"]
        served |= {"servers": document["servers"], "security": document["security"]}
        token_path = contract.operation("request_token").path
        served["paths"][token_path] |= {"servers": document["paths"][token_path]["servers"]}
        assert served == document

    def test_its_servers_are_the_host_that_was_asked(self, api: httpx.Client) -> None:
        for host in ("sandbox.test:1234", "sandbox.test"):
            served = api.get(CONTRACT, headers={"Host": host}).json()
            token_path = contract.operation("request_token").path
            servers = served["servers"] + served["paths"][token_path]["servers"]
            assert [server["url"] for server in servers] == [f"http://{host}"] * 2
            flow = served["components"]["securitySchemes"]["signIn"]["flows"]["password"]
            assert flow["tokenUrl"] == f"http://{host}{token_path}"

    def test_another_issuer_is_where_to_sign_in(self, document: dict[str, Any]) -> None:
        issuer = "https://keycloak.example.com"
        app = Starlette(routes=docs_routes(PAGE, lambda: document, issuer))

        async def answers() -> tuple[httpx.Response, httpx.Response]:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox.test") as plain:
                return await plain.get(PAGE), await plain.get(CONTRACT)

        page, served = asyncio.run(answers())
        assert issuer in page.text
        assert page.headers["Content-Security-Policy"].endswith(f"connect-src 'self' {issuer}")
        flow = served.json()["components"]["securitySchemes"]["signIn"]["flows"]["password"]
        assert flow["tokenUrl"] == issuer + contract.operation("request_token").path


@pytest.mark.slow
class TestInABrowser:
    def test_every_operation_is_listed(self, page: Browser) -> None:
        document = contract.load(SandboxOptions().release)
        listed = page.run("return [...document.querySelectorAll('.opblock')].map(block => block.id)")
        assert sorted(listed) == sorted(blocks(document))
        assert page.complaints() == []

    @pytest.mark.slow
    def test_every_operation_is_rendered(self, page: Browser) -> None:
        document = contract.load(SandboxOptions().release)
        for block, operation in blocks(document).items():
            page.run(TOGGLE, block)
            page.wait_until(IS_OPEN, block)
            page.run(SHOW_SCHEMAS, block)
            assert page.run(SHOWN, block) == {
                "statuses": list(operation["responses"]),
                "hasSchemas": True,
                "errors": [],
            }, block
            page.run(TOGGLE, block)  # Swagger UI is slow with many open blocks
        assert page.complaints() == []

    def test_nothing_comes_from_elsewhere(self, page: Browser, sandbox: dict[str, str]) -> None:
        loaded = page.run("return performance.getEntriesByType('resource').map(entry => entry.name)")
        assert {sandbox["WALLAROO_API_URL"] + path for path in (CONTRACT, *FILES)} == set(loaded)

    def test_an_operation_runs_as_a_user_who_signed_in(self, page: Browser, sandbox: dict[str, str]) -> None:
        page.click(".auth-wrapper .authorize")
        page.type("#oauth_username", sandbox["WALLAROO_USER"])
        page.type("#oauth_password", sandbox["WALLAROO_PASSWORD"])
        page.type("#client_secret_password", sandbox["WALLAROO_CLIENT_SECRET"])
        authorize(page, "//button[@aria-label='Apply given OAuth2 credentials']")
        assert execute(page, LIST_WORKSPACES) == "200"

    def test_an_operation_runs_with_a_token(self, page: Browser, token: str) -> None:
        page.click(".auth-wrapper .authorize")
        page.type("#auth-bearer-value", token)
        authorize(page, "//form[.//*[@id='auth-bearer-value']]//button[text()='Authorize']")
        assert execute(page, LIST_WORKSPACES) == "200"

    def test_an_operation_is_refused_without_a_token(self, page: Browser) -> None:
        assert execute(page, LIST_WORKSPACES) == "401"


def authorize(page: Browser, button: str) -> None:
    """Sign in with a button of the dialog, and close the dialog once the user is signed in."""
    page.click(button)
    page.text("//button[text()='Logout']")
    page.click(".close-modal")


def execute(page: Browser, block: str) -> str:
    """Run an operation on the page with the values that it suggests, and return the status that it shows."""
    page.click(f"{block} .opblock-summary-control")
    page.click(f"{block} .try-out__btn")
    page.click(f"{block} .execute")
    return page.text(f"{block} .live-responses-table tbody .response-col_status").split()[0]
