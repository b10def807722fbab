"""Is an instance's own OpenAPI document found, and does its token stay with it?"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from wallaroo_ext import connect, contract
from wallaroo_ext.conformance.drift import fetching
from wallaroo_ext.conformance.drift.changes import DriftError
from wallaroo_ext.conformance.drift.fetching import fetch_document
from wallaroo_ext.conformance.drift.sources import drift_of
from wallaroo_ext.errors import WallarooError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallaroo_mlops_client import Client

HOME = "https://api.example.com"
BESIDE = f"{HOME}{fetching.DOCS_PAGE}/openapi.json"
DOCUMENT: dict[str, Any] = {"openapi": "3.1.0", "paths": {}}
JSON = httpx.Response(200, json=DOCUMENT)


class Instance:
    """An instance of fixed answers; what it does not have is 404.

    Args:
        answers: The answers, by URL.
    """

    def __init__(self, answers: Mapping[str, httpx.Response]) -> None:
        self.answers = answers
        self.signed: dict[str, bool] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        self.signed[url] = request.headers.get("Authorization") == "Bearer a-token"
        found = self.answers.get(url, httpx.Response(404))
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)

    def client(self) -> Client:
        return connect(HOME, token="a-token", transport=httpx.MockTransport(self), environment={})


def page(*names: str) -> httpx.Response:
    scripts = "".join(f'<script>ui({{url: "{name}"}})</script>' for name in names)
    return httpx.Response(200, html=f"<!DOCTYPE html><html>{scripts}</html>")


RELEASED = contract.load(contract.RELEASES[-1])
"""The contract of the release that a sandbox imitates by default."""


def test_a_sandbox_serves_the_contract_of_its_release(client: Client) -> None:
    drift = drift_of(RELEASED, client=client)
    assert drift.changes == ()
    assert drift.against.endswith("/v1/api/docs/openapi.json")


def test_the_contract_of_another_release_differs_from_it(client: Client) -> None:
    found = drift_of(contract.load("2023.2"), client=client)
    listed = [change for change in found.changes if change.operation == "list_models"]
    assert any(change.breaks for change in listed)


def test_the_page_of_a_sandbox_names_it_too(client: Client, sandbox: dict[str, str]) -> None:
    page_url = sandbox["WALLAROO_API_URL"] + fetching.DOCS_PAGE
    assert drift_of(RELEASED, client=client, url=page_url).changes == ()
    assert drift_of(RELEASED, url=page_url).changes == ()


def test_it_may_be_in_yaml_and_a_page_may_name_it_so() -> None:
    written = httpx.Response(200, text="openapi: 3.1.0\npaths: {}\n")
    answers = {f"{HOME}{fetching.DOCS_PAGE}": page("api.yaml"), f"{HOME}/v1/api/api.yaml": written}
    instance = Instance(answers)
    assert fetch_document(instance.client()).document == DOCUMENT
    assert fetch_document(instance.client(), "/v1/api/api.yaml").document == DOCUMENT


def test_it_is_looked_for_beside_the_page() -> None:
    instance = Instance({BESIDE: JSON})
    found = fetch_document(instance.client())
    assert (found.url, found.document) == (BESIDE, DOCUMENT)
    assert instance.signed == {BESIDE: True}


def test_it_is_looked_for_in_the_page() -> None:
    named = f"{HOME}/v1/api/docs/private/api.json"
    answers = {
        f"{HOME}{fetching.DOCS_PAGE}": page("https://other.example.org/a.json", "docs/private/api.json"),
        named: JSON,
    }
    instance = Instance(answers)
    assert fetch_document(instance.client()).url == named
    assert "https://other.example.org/a.json" not in instance.signed


def test_a_url_can_be_given_and_gets_the_token_at_the_instances_own_origin() -> None:
    instance = Instance({f"{HOME}/spec": JSON})
    assert fetch_document(instance.client(), f"{HOME}/spec").document == DOCUMENT
    assert fetch_document(instance.client(), "/spec").document == DOCUMENT
    assert instance.signed == {f"{HOME}/spec": True}


def test_a_token_in_a_url_is_not_shown() -> None:
    url = f"{HOME}/spec?access_token=kestrel-19"
    assert fetch_document(Instance({url: JSON}).client(), url).url == f"{HOME}/spec?access_token=[removed]"


@pytest.mark.parametrize("url", ["https://other.example.org/spec", "http://api.example.com/spec", f"{HOME}:8443/spec"])
def test_another_origin_gets_no_token(url: str) -> None:
    instance = Instance({url: JSON})
    assert fetch_document(instance.client(), url).document == DOCUMENT
    assert instance.signed == {url: False}


def test_a_redirect_within_the_origin_is_followed() -> None:
    instance = Instance({f"{HOME}/a": httpx.Response(308, headers={"Location": "/b"}), f"{HOME}/b": JSON})
    assert fetch_document(instance.client(), "/a").url == f"{HOME}/b"


def redirect(target: str) -> httpx.Response:
    return httpx.Response(302, headers={"Location": target})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(404), "answers with 404"),
        (httpx.Response(500, text="no"), "answers with 500"),
        (httpx.Response(401, json={"msg": "no"}), "answers with 401"),
        (redirect("https://login.example.org/"), r"redirects to login\.example\.org"),
        (redirect(f"{HOME}/spec"), "again and again"),
        (page(), "is a page"),
        (page("missing.json"), "answers with 404"),
        (httpx.Response(200, text="openapi: 3.1.0"), "no OpenAPI document in JSON or YAML"),
        (httpx.Response(200, json=[]), "no OpenAPI document in JSON or YAML"),
        (httpx.Response(200), "no OpenAPI document in JSON or YAML"),
        (httpx.Response(200, content=b"[" * 100_000), "no OpenAPI document in JSON or YAML"),
    ],
)
def test_what_came_in_its_place_is_said_in_a_sentence(answer: httpx.Response, reason: str) -> None:
    instance = Instance({f"{HOME}/spec": answer})
    with pytest.raises(DriftError, match=reason) as caught:
        fetch_document(instance.client(), f"{HOME}/spec")
    assert HOME in str(caught.value)
    assert "a-token" not in str(caught.value)
    assert not any(signed for url, signed in instance.signed.items() if not url.startswith(HOME))


def test_a_document_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LARGEST_DOCUMENT", 2**20)
    instance = Instance({f"{HOME}/spec": httpx.Response(200, content=b" " * 2**21)})
    with pytest.raises(DriftError, match="larger than 1 MiB"):
        fetch_document(instance.client(), "/spec")


def test_neither_place_has_one() -> None:
    with pytest.raises(DriftError, match=r"/v1/api/docs answers with 404: .* Give the URL of the document itself\."):
        fetch_document(Instance({}).client())


@pytest.mark.parametrize("url", ["ftp://example.com/a", "mailto:a", "http://a:b/c", "file:///etc/passwd"])
def test_what_is_no_url_is_said(url: str) -> None:
    with pytest.raises(DriftError, match="is no URL"):
        fetch_document(Instance({}).client(), url)
    with pytest.raises(DriftError, match="is no URL"):
        fetch_document(None, url)


def test_without_a_client_it_takes_a_url() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(DriftError, match="takes the URL"):
        fetch_document(None)
    with pytest.raises(DriftError, match="cannot be fetched"):
        fetch_document(None, f"http://127.0.0.1:{port}/spec")


def test_an_error_is_one_of_the_packages() -> None:
    assert issubclass(DriftError, WallarooError)
    assert json.dumps(str(DriftError("a", advice="b"))) == '"a b"'
