"""Do rows go to where the instance says that it takes them, and all other requests to the API?"""

from __future__ import annotations

import pytest

from wallaroo_ext import contract
from wallaroo_ext.conformance.guard.inference_urls import InferenceUrls

API = "https://api.example.com"
PATHS = contract.load()["paths"]
ROWS = "/v1/api/pipelines/infer/p-1/p"


def inference_urls(url: object, *, is_allowed: bool = True) -> InferenceUrls:
    """Return what is known after an instance has answered with an inference URL."""
    urls = InferenceUrls(PATHS)
    urls.home = API
    urls.learn(url, lambda _: is_allowed)
    return urls


@pytest.mark.parametrize(
    "base", ["https://rows.example.com", "http://rows.example.com:8080", f"{API}/behind/a/gateway"]
)
def test_rows_go_to_where_the_instance_takes_them_and_nothing_else_does(base: str) -> None:
    urls = inference_urls(base + ROWS)
    assert urls.destination(API + ROWS) == base + ROWS
    assert urls.destination(f"{API}/v1/api/workspaces/list") == f"{API}/v1/api/workspaces/list"


@pytest.mark.parametrize(
    "url", [f"ftp://rows.example.com{ROWS}", ROWS, "https://rows.example.com/elsewhere", "", None, 1]
)
def test_what_is_no_inference_url_leads_nowhere(url: object) -> None:
    assert inference_urls(url).destination(API + ROWS) == API + ROWS


def test_where_no_request_may_go_no_rows_go() -> None:
    assert inference_urls(f"https://rows.example.com{ROWS}", is_allowed=False).destination(API + ROWS) == API + ROWS
