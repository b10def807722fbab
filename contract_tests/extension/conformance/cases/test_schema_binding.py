"""Is generated data about the run's own things, in the form of each release?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from wallaroo_ext import contract
from wallaroo_ext.conformance.cases.schema_binding import bound, bound_names
from wallaroo_ext.conformance.guard.effects import effects_of
from wallaroo_ext.conformance.guard.owned_resources import NOBODYS
from wallaroo_ext.conformance.resources.fixtures import Fixtures, Forms, assay_request
from wallaroo_ext.conformance.rules import Rules

PREFIX = "conformance"


def fixtures_of(document: dict[str, Any]) -> Fixtures:
    return Fixtures(
        workspace_id=7,
        name=f"{PREFIX}-p",
        pipeline_id=8,
        model={"name": f"{PREFIX}-m", "version": "v", "sha": "a" * 64},
        scored_at=datetime.now(UTC),
        forms=Forms.of(document),
    )


@pytest.mark.parametrize("release", [None, *contract.RELEASES])
def test_an_assay_has_the_form_of_the_release(release: str | None) -> None:
    document = contract.load(release)
    request = assay_request(fixtures_of(document))
    is_old = release is not None and release < "2023.4"
    assert ("Fixed" in request["baseline"], "iopath" in request) == (is_old, is_old)
    schema = {"$ref": "#/components/schemas/AssayRequest"}
    assert Rules(document).problems(schema, request) == []


@pytest.mark.parametrize("release", [None, *contract.RELEASES])
def test_what_is_good_by_the_bound_contract_is_good_by_that_of_the_release(release: str | None) -> None:
    document = contract.load(release)
    good = bound(document, effects_of(document), fixtures_of(document), PREFIX)
    for name in ("baseline", "window", "summarizer"):
        whole = document["components"]["schemas"]["AssayRequest"]["properties"][name]
        values = good["components"]["schemas"]["AssayRequest"]["properties"][name]["enum"]
        assert values, name
        for value in values:
            assert Rules(document).problems(whole, value) == [], name


@pytest.mark.parametrize(("release", "converts"), [("2022.4", False), ("2023.2", True), (None, True)])
def test_models_are_converted_where_the_release_converts_them(release: str | None, *, converts: bool) -> None:
    assert Forms.of(contract.load(release)).converts is converts


TIMES_OF_ASSAYS = (
    "GetAssayBaselineRequest",
    "GetAssayResultsRequest",
    "GetAssayResultsBetweenRequest",
    "GetAssayResultsV2Request",
)


@pytest.mark.parametrize("name", TIMES_OF_ASSAYS)
def test_the_times_of_an_assay_are_around_the_runs_rows(name: str) -> None:
    document = contract.load()
    good = bound(document, effects_of(document), fixtures_of(document), PREFIX)
    fields = good["components"]["schemas"][name]["properties"]
    times = [fields[field] for field in ("baseline_start", "baseline_end", "start", "end") if field in fields]
    assert times, fields
    assert all("enum" in time for time in times), times


def test_null_is_no_bad_data_where_the_contract_admits_it() -> None:
    document = contract.load()
    bad = bound_names(document, effects_of(document), fixtures_of(document), PREFIX)
    body = bad["paths"]["/v1/api/pipelines/undeploy"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["pipeline_id"]["enum"] == [NOBODYS, None]
    body = bad["paths"]["/v1/api/models/get_by_id"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["id"]["enum"] == [NOBODYS]


def test_results_of_an_assay_are_asked_for_with_times() -> None:
    """Servers since 2023.4 answer 500 without, as recorded."""
    document = contract.load()
    good = bound(document, effects_of(document), fixtures_of(document), PREFIX)
    assert {"start", "end"} <= set(good["components"]["schemas"]["GetAssayResultsRequest"]["required"])


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        ("/v1/api/assays/create", ["iopath", "id"]),
        ("/v1/api/pipelines/get_logs", ["start_time", "end_time", "cursor"]),
        ("/v1/api/pipelines/copy", ["pipeline_version"]),
    ],
)
def test_what_good_data_leave_out_is_no_unknown_field_either(path: str, left_out: list[str]) -> None:
    """Hypothesis takes names of unknown fields from the modules that are loaded: these are among them."""
    document = contract.load()
    good = bound(document, effects_of(document), fixtures_of(document), PREFIX)
    body = good["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema = {"type": "object", **{key: body.get(key, {}) for key in ("propertyNames", "additionalProperties")}}
    for name in left_out:
        assert Rules(good).problems(schema, {name: f"{PREFIX}-1"}), name
    assert Rules(good).problems(schema, {"unknown": f"{PREFIX}-1"}) == []


def with_example(**schema: Any) -> dict[str, Any]:
    """Return a contract with an example that lacks a required field."""
    whole = {"type": "object", "required": ["ratio"], "properties": {"label": {"type": "string"}}} | schema
    media = {"schema": whole, "examples": {"one": {"value": {"label": "a"}}}, "example": {"label": "b"}}
    operation: dict[str, Any] = {
        "operationId": "find",
        "x-writes": [],
        "x-names": {"$request.body#/**": "nothing", "$request.query.filter": "nothing"},
        "parameters": [{"name": "filter", "in": "query", "content": {"application/json": {"schema": {}}}}],
        "requestBody": {"content": {"application/json": media}},
        "responses": {"200": {}},
    }
    return {"openapi": "3.1.0", "paths": {"/find": {"post": operation}}}


@pytest.mark.parametrize(
    ("properties", "completed"),
    [
        ({}, None),
        ({"ratio": {"type": "number"}}, None),
        ({"ratio": {"enum": [7, 8]}}, {"ratio": 7, "label": "a"}),
    ],
    ids=["not described", "no value is known", "a value is listed"],
)
def test_an_example_that_cannot_be_completed_is_left_out(properties: dict[str, Any], completed: Any) -> None:
    document = with_example(properties={"label": {"type": "string"}} | properties)
    good = bound(document, effects_of(document), fixtures_of(contract.load()), PREFIX)
    operation = good["paths"]["/find"]["post"]
    media = operation["requestBody"]["content"]["application/json"]
    assert media["examples"] == ({} if completed is None else {"one": {"value": completed}})
    assert ("example" in media) is (completed is not None)
    assert "schema" not in operation["parameters"][0], "it has a media type"


def test_every_example_of_the_contract_can_be_completed() -> None:
    document = contract.load()
    good = bound(document, effects_of(document), fixtures_of(document), PREFIX)
    for (path, method, before), (_, _, after) in zip(
        contract.operations(document), contract.operations(good), strict=True
    ):
        for kind, media in after.get("requestBody", {}).get("content", {}).items():
            declared = contract.resolve(document, before["requestBody"])["content"][kind]
            assert media.get("examples", {}).keys() == declared.get("examples", {}).keys(), f"{method} {path} {kind}"
