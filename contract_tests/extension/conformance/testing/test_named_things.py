"""Is it known which things of the run a request names, and can others be named in their place?"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from wallaroo_ext import contract
from wallaroo_ext.conformance.guard.effects import effects_of
from wallaroo_ext.conformance.resources.fixtures import Fixtures
from wallaroo_ext.conformance.rules import Rules
from wallaroo_ext.conformance.testing.named_things import (
    json_of,
    named_in,
    names_what_is_in_a_workspace,
    naming,
    other_ways_to_name,
    places_of,
    replaced,
    value_at,
)

if TYPE_CHECKING:
    from wallaroo_ext.conformance.suite import Suite

DOCUMENT = contract.load()
STEPS = {"definition": {"steps": [{"ModelInference": {"models": [{"name": "m", "version": "v"}, {"name": "n"}]}}]}}
NAMES = ("definition", "steps", "*", "ModelInference", "models", "*", "name")


@pytest.fixture(scope="module")
def suite() -> Suite:
    """Return as much of a run as tells what requests name."""
    return cast("Suite", SimpleNamespace(rules=Rules(DOCUMENT), guard=SimpleNamespace(effects=effects_of(DOCUMENT))))


@pytest.mark.parametrize(
    ("operation", "expected"),
    [("list_features", False), ("query_users", False), ("get_model", True), ("add_workspace_user", True)],
)
def test_users_are_in_no_workspace(operation: str, expected: bool, suite: Suite) -> None:  # noqa: FBT001 - a parameter of the test
    assert names_what_is_in_a_workspace(suite, operation) is expected


@pytest.mark.parametrize(
    ("body", "expected"), [({"pipeline_id": 3}, True), ({"pipeline_id": None}, False), ({}, False)]
)
def test_a_request_may_name_nothing(body: dict[str, Any], expected: bool, suite: Suite) -> None:  # noqa: FBT001 - a parameter of the test
    request = httpx.Request("POST", "https://wallaroo.example/v1/api/assays/list", json=body)
    assert names_what_is_in_a_workspace(suite, "list_assays", request) is expected


def test_what_is_sent_is_named_by_its_place(suite: Suite) -> None:
    body = {"workspace_id": 3, "user_id": "u", "email": None}
    assert named_in(suite, "add_workspace_user", body) == {("workspace_id",): "workspace id"}
    assert named_in(suite, "create_pipeline", STEPS)[NAMES] == "model name"


def test_values_are_found_and_replaced_at_any_key() -> None:
    assert value_at(STEPS, NAMES) == "m"
    assert value_at(STEPS, ("definition", "steps", "*", "nothing")) is None
    changed = replaced(STEPS, NAMES, "other")
    [step] = changed["definition"]["steps"]
    assert step == {"ModelInference": {"models": [{"name": "other", "version": "v"}, {"name": "other"}]}}
    assert replaced(STEPS, ("nothing", "name"), "other") == STEPS
    assert replaced({"name": None}, ("name",), "other") == {"name": None}, "what is null names nothing"
    assert replaced({"a": {"id": 1}, "b": {"id": 2}}, ("*", "id"), 3) == {"a": {"id": 3}, "b": {"id": 3}}


def test_one_field_of_several_is_named(suite: Suite) -> None:
    fixtures = Fixtures(workspace_id=3, workspace_name="w", pipeline_id=5)
    good = {"content": json.dumps({"pipeline_id": 5, "workspace_id": None})}
    by_id, by_name = {"pipeline_id": 5, "workspace_id": 3}, {"pipeline_id": 5, "workspace_name": "w"}
    assert other_ways_to_name(suite, fixtures, "list_assays", good) == [by_id, by_name]
    assert other_ways_to_name(suite, fixtures, "list_assays", {"content": json.dumps(by_id)}) == [by_name]
    assert other_ways_to_name(suite, fixtures, "list_assays", {"content": b"no JSON"}) == []
    assert naming(suite, fixtures, "list_assays", good) is good, "it names something already"
    named = naming(suite, fixtures, "list_assays", {"content": "{}", "path": {}})
    assert named == {"content": '{"workspace_id": 3}', "path": {}}


@pytest.mark.parametrize("request_", [{}, {"content": b"\xff"}, {"content": "["}, {"content": None}])
def test_other_bodies_are_no_json(request_: dict[str, Any]) -> None:
    assert json_of(request_) is None


def test_assays_are_listed_by_each_place_that_is_known() -> None:
    fixtures = Fixtures(workspace_id=3, name="p", pipeline_id=5, assay_uuid="a")
    assert places_of(fixtures, "list_assays") == [{"pipeline_id": 5}, {"workspace_id": 3}]
    assert places_of(fixtures, "get_assay_v2") == [{"pipeline_name": "p"}, {"workspace_id": 3}, {"id": "a"}]
