"""What do the objects of this package show of themselves, on a line and in a notebook?"""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import pytest
from wallaroo_mlops_client.models import ModelVersion

import wallaroo_ext
from wallaroo_ext import (
    Attempt,
    BatchProgress,
    BatchRetries,
    BearerToken,
    Clock,
    DatasetScored,
    Deployment,
    KeycloakAuth,
    ModelInfo,
    PartSize,
    PipelineInfo,
    Rejection,
    RetryPolicy,
    Settings,
    Timeouts,
    WallarooError,
    connect,
)
from wallaroo_ext.sandbox.control_client import Sandbox

URL = "http://127.0.0.1:1"
SECRET = "s3cr3t-51f0c9d2"
ENVIRONMENT = {"WALLAROO_API_URL": URL, "WALLAROO_CLIENT_SECRET": SECRET, "WALLAROO_PASSWORD": SECRET}
DEPLOYED = Deployment(name="p-1", id=1, url=f"{URL}/infer/p-1/p", pipeline="p", workspace_id=2, status="Running")
VERSION = ModelVersion(id=1, models_pk_id=1, model_version="v", sha="ab" * 32)
SCORED = DatasetScored(
    target="scored", rows=3, rejected=0, parts=1, errors=None, rows_before=0, requests=1, repeated=0, seconds=0.5
)
OBJECTS: list[Any] = [
    Attempt("503", 0.1, 0.5),
    BatchProgress(1, 2, 0, 1.0, 2.0),
    BatchRetries(),
    BearerToken(SECRET, api_url=URL),
    Clock(),
    SCORED,
    DEPLOYED,
    KeycloakAuth(URL, api_url=URL, client_id="c", username="u", password=SECRET, client_secret=SECRET),
    ModelInfo(id=1, name="m", workspace_id=2, workspace="w", versions=(VERSION,)),
    PartSize(),
    PipelineInfo(id=1, name="p", workspace_id=2, workspace="w"),
    Rejection(1, "too long"),
    RetryPolicy(),
    Sandbox(ENVIRONMENT, control_secret=SECRET),
    Settings(api_url=URL, auth_url=URL, client_secret=SECRET, username="u", password=SECRET, token=SECRET),
    Timeouts(),
    connect(URL, token=SECRET, environment={}),
]
TABLES = [DEPLOYED, SCORED, connect(URL, token=SECRET, environment={})]
ERRORS = [
    found
    for name in wallaroo_ext.__all__
    if inspect.isclass(found := getattr(wallaroo_ext, name)) and issubclass(found, WallarooError)
]


def shown_by(value: Any) -> list[str]:
    """Return what a terminal and a notebook show."""
    in_notebook = [value._repr_html_()] if hasattr(value, "_repr_html_") else []
    return [repr(value), str(value), *in_notebook]


@pytest.mark.parametrize("value", OBJECTS, ids=lambda value: type(value).__name__)
def test_an_object_says_on_a_line_what_it_is(value: Any) -> None:
    assert repr(value).startswith(f"{type(value).__name__}(")
    for text in shown_by(value):
        assert not [each for each in ("object at 0x", "UNSET", "<HTTPStatus", SECRET, "\n") if each in text]


@pytest.mark.parametrize(
    "value",
    [each for each in OBJECTS if getattr(each, "__dataclass_params__", None) and each.__dataclass_params__.frozen],
)
def test_what_never_changes_may_be_in_a_set(value: Any) -> None:
    assert {value, replace(value)} == {value}


def test_every_public_class_is_among_them() -> None:
    public = {getattr(wallaroo_ext, name) for name in wallaroo_ext.__all__}
    classes = {each for each in public if inspect.isclass(each)} - set(ERRORS)
    assert classes <= {type(value) for value in OBJECTS}


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_says_what_happened(kind: type[WallarooError]) -> None:
    wanted = inspect.signature(kind).parameters.values()
    missing: dict[str, Any] = {
        each.name: ["one"] if str(each.annotation).startswith("list") else 1
        for each in wanted
        if each.kind is each.KEYWORD_ONLY and each.default is each.empty
    }
    error = kind("It failed.", **missing)
    assert repr(error).startswith(f"{kind.__name__}('It failed.'")
    assert str(error).startswith("It failed.")


@pytest.mark.parametrize("value", TABLES, ids=lambda value: type(value).__name__)
def test_a_notebook_shows_a_table(value: Any) -> None:
    assert value._repr_html_().startswith("<table")
    assert type(value).__name__ in value._repr_html_()


def test_a_table_is_text_whatever_the_instance_says() -> None:
    changed: Any = replace(DEPLOYED, status="<img src=x onerror=alert(1)>")
    html = changed._repr_html_()
    assert "<img" not in html
    assert "&lt;img" in html
    assert "pipeline_id" not in html  # it is None
