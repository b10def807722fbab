"""Is what was accepted done, the whole of it, and what was asked for? Each accepted write is read back."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.resources.fixtures import PASSWORD, assay_request, second_assay_request
from wallaroo_ext.conformance.resources.samples import INPUT, model_file, schema_of
from wallaroo_ext.conformance.testing.answer_forms import RECORDS, inputs_of
from wallaroo_ext.conformance.testing.api_calls import UPLOADS
from wallaroo_ext.conformance.testing.clocks import clock_of_rows, clocks_of
from wallaroo_ext.conformance.testing.inference.deploying import (
    ROWS,
    deployed,
    is_gone,
    new_pipeline,
    runs,
    scores_with,
    status_of,
    version_of,
)
from wallaroo_ext.conformance.testing.people import NOT_THE_RUNS, Person
from wallaroo_ext.conformance.testing.read_back import changed_fields, differences, kept_of, twice_in
from wallaroo_ext.conformance.testing.waiting import soon
from wallaroo_ext.resources.models import listed_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = pytest.mark.thorough("writes that are read back, or made at a time")

WIDE = 20_000
"""The width of a model whose file is larger than 64 KiB."""
WIDEST = 300_000
"""The width of a model whose file is larger than 1 MiB."""
AT_A_TIME = 4


@dataclass(frozen=True, slots=True)
class World:
    """What a write is tried with.

    Attributes:
        api: The operations.
        suite: The run.
        fixtures: What the run made first.
    """

    api: Api
    suite: Suite
    fixtures: Fixtures


def new_workspace(api: Api) -> int:
    return api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]


class TestVersions:
    """The version that was asked for is deployed and scores, also where a newer one is there."""

    @pytest.mark.touches(
        "create_pipeline",
        "deploy_pipeline",
        "undeploy_pipeline",
        "copy_pipeline",
        "infer_pipeline",
        "get_deployment_status",
    )
    def test_an_older_version_of_a_pipeline(self, api: Api, fixtures: Fixtures) -> None:
        model = f"{api.unused_name('m')}-Model"
        (_, older), (_, newer) = (version_of(api, fixtures, model, seed) for seed in (101, 102))
        name = f"{api.unused_name('p')}-Older"
        first = new_pipeline(api, fixtures, name=name, models=[older])
        second = new_pipeline(api, fixtures, name=name, models=[newer])
        number, deployment = deployed(api, first)
        status = runs(api, deployment, older)
        assert {each["id"] for each in status["engines"][0]["pipeline_statuses"]["pipelines"]} == {name}
        scores_with(api, deployment, name, older, 101)
        assert deployed(api, first)[0] == number, "deploying again gives the same id"
        where = {"workspace_id": fixtures.workspace_id, "pipeline_name": name}
        assert f"/{deployment}" in api.call("get_pipeline_external_url", where)["url"]

        copy = f"{api.unused_name('p')}-Copy"
        body = {"name": copy, "workspace_id": fixtures.workspace_id, "source_pipeline": first["pipeline_pk_id"]}
        if "pipeline_variant_version" in first:
            body["pipeline_version"] = first["pipeline_variant_version"]
            made = api.call("copy_pipeline", body)
            ids = {"pipeline_pk_id", "pipeline_variant_pk_id"}
            copied = {key: made[key] for key in ids} | {"name": copy}
            assert copied["pipeline_pk_id"] != first["pipeline_pk_id"]
            assert copied["pipeline_variant_pk_id"] not in {each["pipeline_variant_pk_id"] for each in (first, second)}
            _, of_copy = deployed(api, copied)
            runs(api, of_copy, older)
            scores_with(api, of_copy, copy, older, 101)
            api.call("undeploy_pipeline", {"pipeline_id": copied["pipeline_pk_id"]})
            self.ended(api, of_copy, copy)
            runs(api, deployment, older)
        api.call("undeploy_pipeline", {"pipeline_id": first["pipeline_pk_id"]})
        self.ended(api, deployment, name)

    @pytest.mark.touches(
        "deploy_pipeline",
        "undeploy_pipeline",
        "infer_pipeline",
        "get_deployment_status",
        if_there=("get_model_version_by_id",),
    )
    def test_an_older_version_of_a_model(self, api: Api, fixtures: Fixtures) -> None:
        model = api.unused_name("m")
        (number, older), (_, newer) = (version_of(api, fixtures, model, seed) for seed in (103, 104))
        pipeline = new_pipeline(api, fixtures)
        _, deployment = deployed(api, pipeline, model_ids=[number])
        runs(api, deployment, older)
        scores_with(api, deployment, pipeline["name"], older, 103)
        for version, seed in ((newer, 104), (older, 103)):
            deployed(api, pipeline, models=[version])
            runs(api, deployment, version)
            scores_with(api, deployment, pipeline["name"], version, seed)
        api.call("undeploy_pipeline", {"pipeline_id": pipeline["pipeline_pk_id"]})
        self.ended(api, deployment, pipeline["name"])
        if api.has("get_model_version_by_id"):
            soon(lambda: not self.is_deployed(api, number), lambda: "the version stays deployed")

    @staticmethod
    def is_deployed(api: Api, number: int) -> bool:
        """Return whether a version of a model is shown as deployed."""
        shown = api.call("get_model_version_by_id", {"model_version_id": number})["model_version"]
        return bool(shown["model_version"].get("deployed"))

    @staticmethod
    def ended(api: Api, deployment: str, pipeline: str) -> None:
        """Check that a deployment ends, and answers no more."""
        soon(lambda: is_gone(api, deployment), lambda: "what was undeployed by its pipeline's id alone is still there")
        path, headers = {"deployment": deployment, "pipeline": pipeline}, {"Content-Type": RECORDS}
        answer = api.send("infer_pipeline", [{INPUT: ROWS[0]}], path=path, headers=headers)
        assert not answer.is_success, "what was undeployed still answers"


@pytest.mark.touches("list_model_versions", if_there=(*UPLOADS, "get_model_version_by_id"))
@pytest.mark.parametrize("upload", UPLOADS)
def test_a_large_file_is_stored_whole(upload: str, api: Api, fixtures: Fixtures) -> None:
    if not api.has(upload):
        pytest.skip("The release does not have it.")
    name = api.unused_name("m")
    fields = {"name": name, "visibility": "private", "workspace_id": fixtures.workspace_id}
    expected: dict[int, tuple[str, int]] = {}
    for width, is_chunked in ((WIDEST, False), (WIDE, True)):
        content = model_file(width=width)
        request = api.upload_of(upload, fields, "large.onnx", content)
        answer = api.call(upload, **(without_length(request) if is_chunked else request))
        number = api.version_in(answer)
        expected[number] = (hashlib.sha256(content).hexdigest(), len(content))
    listed = api.call("list_model_versions", {"model_id": name})
    assert {each["id"]: each["sha"] for each in listed} == {number: sha for number, (sha, _) in expected.items()}
    for number in expected if api.has("get_model_version_by_id") else ():
        shown = api.call("get_model_version_by_id", {"model_version_id": number})["model_version"]
        info = shown["model_version"]["file_info"]
        assert (info["sha"], info.get("size", expected[number][1])) == expected[number]


def without_length(request: dict[str, Any]) -> dict[str, Any]:
    """Return a request whose body is sent in chunks, without its length."""
    built = httpx.Request("POST", "http://instance", **{key: request[key] for key in request if key != "params"})
    content, kind = built.read(), built.headers["Content-Type"]
    return {"params": request.get("params"), "content": iter([content]), "headers": {"Content-Type": kind}}


def test_an_accepted_write_is_read_back(
    operation_id: str, api: Api, conformance_suite: Suite, fixtures: Fixtures
) -> None:
    if not conformance_suite.guard.effects[operation_id].writes:
        pytest.skip("It only reads.")
    if operation_id not in READ_BACK:
        pytest.skip("No operation is known by which its effect is seen.")
    READ_BACK[operation_id][1](World(api, conformance_suite, fixtures), operation_id)


def invited(world: World, _: str) -> None:
    person = Person(world.api, world.suite)
    found = world.api.call("query_users", {"user_ids": [person.id]})["users"][person.id]
    assert (found["id"], found["enabled"]) == (person.id, True)
    assert person.email in (found["username"], found.get("email"))
    assert person.sign_in().status_code == 200, "the password is the one that was given"


def switched(world: World, operation: str) -> None:
    email = f"{world.api.unused_name('u')}@example.com"
    number = world.api.call("invite_user", {"email": email, "password": PASSWORD})["id"]
    for each in ("deactivate_user", "activate_user", "deactivate_user"):
        world.api.call(each, {"email": email})
        is_enabled = world.api.call("query_users", {"user_ids": [number]})["users"][number]["enabled"]
        assert is_enabled is (each == "activate_user"), f"{operation}: {each} is forgotten"


def workspace_made(world: World, _: str) -> None:
    name = world.api.unused_name("w")
    number = world.api.call("create_workspace", {"workspace_name": name})["workspace_id"]
    [found] = [each for each in world.api.call("list_workspaces", {})["workspaces"] if each["id"] == number]
    assert found["name"] == name


def member_changed(world: World, _: str) -> None:
    where = {"workspace_id": new_workspace(world.api)}
    for role in ("OWNER", "COLLABORATOR"):
        world.api.call("add_workspace_user", where | {"email": world.fixtures.email, "user_type": role})
        users = world.api.call("list_workspace_users", where)["users"]
        assert [each["user_type"] for each in users if each["user_id"] == world.fixtures.user_id] == [role]
        world.api.call("remove_workspace_user", where | {"email": world.fixtures.email})
        users = world.api.call("list_workspace_users", where)["users"]
        assert world.fixtures.user_id not in {each["user_id"] for each in users}


def uploaded(world: World, operation: str) -> None:
    api, where = world.api, new_workspace(world.api)
    for visibility in ("public", "private"):
        name, content = api.unused_name("m"), model_file(seed=len(visibility))
        fields = {"name": name, "visibility": visibility, "workspace_id": where}
        answer = api.call(operation, **api.upload_of(operation, fields, f"{visibility}.onnx", content))
        number = api.version_in(answer)
        [listed] = api.call("list_model_versions", {"model_id": name})
        assert (listed["id"], listed["file_name"]) == (number, f"{visibility}.onnx")
        assert listed["sha"] == hashlib.sha256(content).hexdigest()
        rows = api.call("list_models", {"workspace_id": where})["models"]
        assert name in {listed_model(row)["name"] for row in rows}
        if api.has("get_model_version_by_id"):
            shown = api.call("get_model_version_by_id", {"model_version_id": number})["model_version"]["model_version"]
            kept = {field: shown.get(field, value) for field, value in fields.items()}
            assert kept == fields
            versions = [each["model_version"] for row in rows for each in row.get("model_versions", [])]
            for each in versions:
                assert each["id"] != number or list(differences(kept_of(each), kept_of(shown))) == []
    if api.has("get_model_version_by_id") and operation != "upload_model_stream":
        converted(world, operation, where)


def converted(world: World, operation: str, workspace_id: int) -> None:
    """Check that what a version needs to run is shown as it was sent; a conversion may fail, and says so."""
    api, name = world.api, world.api.unused_name("m")
    needs = {"framework": "onnx", "python_version": "3.10", "requirements": ["two==2.0", "one==1.0"], "arch": "arm"}
    for more in ({}, {"accel": "cuda", "framework_config": {"threads": 2}}):
        conversion = needs | more
        metadata = {"name": name, "visibility": "private", "workspace_id": workspace_id, "conversion": conversion}
        file = ("converted.onnx", model_file(seed=7), "application/octet-stream")
        files = [("metadata", (None, json.dumps(metadata), "application/json")), ("file", file)]
        answer = api.send(operation, files=files)
        if not answer.is_success:
            continue  # it converts no such model
        number = api.version_in(answer.json())
        shown = api.call("get_model_version_by_id", {"model_version_id": number})["model_version"]["model_version"]
        assert list(changed_fields(conversion, shown.get("conversion") or {})) == []


def configured(world: World, _: str) -> None:
    api, number = world.api, world.fixtures.expendable.get("model version id", world.fixtures.version_id)
    fields: list[dict[str, Any]] = [
        {"tensor_fields": ["second", "First", "Größe 模 🔑"], "filter_threshold": 0.375, "batch_config": "single"},
        {"tensor_fields": ["Größe 模 🔑", "x"], "filter_threshold": 0.25},
        {"tensor_fields": [f"field-{number}" for number in range(150, 0, -1)], "filter_threshold": 0.1},
        {"tensor_fields": [INPUT], "filter_threshold": 0.0},
        {"tensor_fields": [INPUT], "filter_threshold": -0.625},
        {"input_schema": schema_of("first"), "output_schema": schema_of("second")},
        {"dynamic_batching_config": {"max_batch_delay_ms": 7, "batch_size_target": 3, "batch_size_limit": 9}},
        {"continuous_batching_config": {"max_concurrent_batch_size": 100}},
        {"openai_config": {"enabled": True, "chat_completion_config": {"temperature": 0.5}}},
    ]
    for turn, given in enumerate(fields):
        body = json.dumps({"model_version_id": number} | given, ensure_ascii=turn % 2 == 0)  # in escapes, or not
        answer = api.send("insert_model_config", content=body.encode(), headers={"Content-Type": "application/json"})
        if not answer.is_success and not {"tensor_fields", "filter_threshold"} & given.keys():
            continue  # it has no such way to run this model
        assert answer.status_code == 200, f"{given}: {answer.status_code} {answer.text[:300]}"
        made = answer.json()["model_config"]
        version = api.call("get_model_version_by_id", {"model_version_id": number})["model_version"]
        by_id = api.call("get_model_config_by_id", {"model_id": number})["model_config"]
        for found in (made, version["config"], by_id):
            shown = {_SHOWN_AS.get(name, name): value for name, value in given.items()}
            assert list(changed_fields(shown, found)) == []
            assert found["id"] == made["id"]
            assert list(differences(made, found)) == []


_SHOWN_AS = {"openai_config": "openai"}
"""The names under which fields of a configuration are shown, where they differ."""


def pipeline_made(world: World, _: str) -> None:
    api, fixtures = world.api, world.fixtures
    made = new_pipeline(api, fixtures, models=[fixtures.model])
    if api.has("get_pipeline_version"):
        body: dict[str, Any] = {"pipeline_id": made["name"], "workspace_id": fixtures.workspace_id}
        found = {made["pipeline_variant_version"]}
        definitions: list[dict[str, Any] | None] = [{}, {}, None, None]
        for nothing in definitions:
            if nothing is None:  # behind a version with steps, as the first was
                new_pipeline(api, fixtures, name=made["name"], models=[fixtures.model])
            empty = api.call("create_pipeline", body | {"definition": nothing})["pipeline_variant_version"]
            assert empty not in found, "two versions are one"
            found.add(empty)
            definition = object_of(api.call("get_pipeline_version", {"version": empty}).get("definition"))
            assert not definition.get("steps"), "a version without steps has those of the version before"
    workspaces = {each["id"]: each for each in api.call("list_workspaces", {})["workspaces"]}
    assert made["pipeline_pk_id"] in workspaces[fixtures.workspace_id]["pipelines"]
    if api.has("get_pipeline_version"):
        shown = api.call("get_pipeline_version", {"version": made["pipeline_variant_version"]})
        [step] = shown["definition"]["steps"]
        assert not list(changed_fields([fixtures.model], step["ModelInference"]["models"], is_whole=True))


def pipeline_copied(world: World, _: str) -> None:
    api, fixtures = world.api, world.fixtures
    source, name = new_pipeline(api, fixtures), api.unused_name("p")
    steps = {"steps": [{"ModelInference": {"models": [fixtures.model]}}] * 2}
    where = {"workspace_id": fixtures.workspace_id}
    api.call("create_pipeline", where | {"pipeline_id": source["name"], "definition": steps})
    body = {"name": name, "workspace_id": fixtures.workspace_id, "source_pipeline": source["pipeline_pk_id"]}
    made = api.call("copy_pipeline", body)
    new_pipeline(api, fixtures, name=source["name"])
    again = api.send("copy_pipeline", body)
    assert not again.is_success or again.json()["pipeline_pk_id"] != made["pipeline_pk_id"], "a copy is a new pipeline"
    workspaces = {each["id"]: each for each in api.call("list_workspaces", {})["workspaces"]}
    both = {source["pipeline_pk_id"], made["pipeline_pk_id"]}
    assert len(both) == 2
    assert both <= set(workspaces[fixtures.workspace_id]["pipelines"])
    if api.has("list_pipelines"):
        listed = api.call("list_pipelines", {"workspace_id": fixtures.workspace_id})["pipelines"]
        assert {name: made["pipeline_pk_id"]}.items() <= {
            each["pipeline"]["name"]: each["pipeline"]["id"] for each in listed
        }.items()
        shown = {each["pipeline"]["id"]: each.get("pipeline_version") for each in listed}[made["pipeline_pk_id"]]
        copied = object_of(shown).get("definition", steps)
        assert not list(changed_fields(steps, copied, is_whole=True)), "it is no copy of the newest version"
        topics = [api.call("get_topic_name", {"pipeline_pk_id": number})["topic_name"] for number in both]
        assert len(set(topics)) == len(both), "a copy logs to the topic of its source"


def deployment_changed(world: World, _: str) -> None:
    api = world.api
    pipeline = new_pipeline(api, world.fixtures)
    number, name = deployed(api, pipeline)  # without models it stays in its start
    status_of(api, name)
    other = new_pipeline(api, world.fixtures)
    stays = deployed(api, other)[1]
    for ids in ({"deployment_id": number}, {"pipeline_id": other["pipeline_pk_id"]}):
        api.call("undeploy_pipeline", ids)
        gone, left = (name, stays) if "deployment_id" in ids else (stays, None)
        soon(partial(is_gone, api, gone), partial("{} was undeployed by {}, and is there".format, gone, ids))
        if left:
            status_of(api, left)


def row_logged(world: World, operation: str) -> None:
    api, fixtures = world.api, world.fixtures
    assert fixtures.deployment is not None
    row = [float(np.float32(value)) for value in np.random.default_rng(len(operation)).normal(size=len(ROWS[0]))]
    path = {"deployment": fixtures.deployment.name, "pipeline": fixtures.deployment.pipeline}
    api.call(operation, [{INPUT: row}], path=path, headers={"Content-Type": RECORDS})
    where = {"workspace_id": fixtures.workspace_id, "pipeline_name": fixtures.name}
    soon(
        lambda: row in [inputs_of(each) for each in api.call("get_assay_baseline", where)],
        lambda: "a row was scored and never logged",
    )


def assay_made(world: World, _: str) -> None:
    api, fixtures = world.api, world.fixtures
    request = assay_request(fixtures, name=f"{api.unused_name('a')}-Assay", alert_threshold=0.625)
    name = f"{api.unused_name('a')}-{'long-' * 60}"
    answer = api.send("create_assay", assay_request(fixtures, name=name, active=False))
    if answer.is_success:
        listed = api.call("list_assays", {"pipeline_id": fixtures.pipeline_id})
        shown = [each for each in listed if each["id"] == answer.json()["assay_id"]]
        if api.has("get_assay_by_id"):
            shown.append(api.call("get_assay_by_id", {"id": answer.json()["assay_id"]}))
        assert {each["name"] for each in shown} == {name}
    baseline: dict[str, Any] = (
        {} if fixtures.forms.fixed_baselines else api.call("run_interactive_assay_baseline", request)
    )
    static: list[dict[str, Any]] = [{"baseline": {"static": baseline["baseline_summary"]}}] if baseline else []
    for other in [*other_assays(fixtures), *static]:
        body = assay_request(fixtures, name=api.unused_name("a"), active=False) | other
        answer = api.send("create_assay", body)
        if not answer.is_success:
            continue  # it has no such assays
        [shown] = [
            each
            for each in api.call("list_assays", {"pipeline_id": fixtures.pipeline_id})
            if each["id"] == answer.json()["assay_id"]
        ]
        assert list(changed_fields({name: body[name] for name in body.keys() - {"status"}}, shown)) == []
    idle = api.call("create_assay", assay_request(fixtures, name=api.unused_name("a"), active=False))["assay_id"]
    listed = {each["id"]: each["active"] for each in api.call("list_assays", {"pipeline_id": fixtures.pipeline_id})}
    assert listed[idle] is False, "it was to be made inactive"
    number = api.call("create_assay", request)["assay_id"]
    for active in (None, False, True, False):
        if active is not None:
            api.call("set_assay_active", {"id": number, "active": active})
        everything = api.call("list_assays", {"pipeline_id": fixtures.pipeline_id})
        [found] = [each for each in everything if each["name"] == request["name"]]
        assert found["id"] == number
        assert (found["name"], found["alert_threshold"]) == (request["name"], 0.625)
        assert found["active"] is (active is not False)


def other_assays(fixtures: Fixtures) -> list[dict[str, Any]]:
    """Return fields of assays, among which are all that an assay need not have."""
    found = assay_request(fixtures)
    way: dict[str, Any] = found["summarizer"]
    equal = {"num_bins": 4, "bin_mode": "Equal", "metric": "SumDiff", "bin_weights": [0.5, 1.0, 2.0, 3.0, 4.0, 5.0]}
    provided = {"num_bins": 3, "bin_mode": "Provided", "provided_edges": [-1.0, 0.0, 2.0], "aggregation": "Cumulative"}
    window = found["window"] | {"interval": "3 seconds", "width": "2 seconds", "start": later(fixtures, 5)}
    others: list[dict[str, Any]] = [
        {"warning_threshold": 0.125, "window": window, "summarizer": way | equal},
        {"run_until": None, "summarizer": way | provided},
    ]
    if fixtures.forms.fixed_baselines:
        return others
    baseline = found["window"] | {"interval": "4 seconds", "locations": ["here"]}
    return [
        *others,
        {"window": found["window"] | {"locations": ["here", "there"]}},
        {"baseline": {"calculated": {"vector": [0.25, 0.5, 0.75, 1.0]}}},
        {"baseline": {"calculated": {"sliding_window": {"window": baseline, "offset": "10 seconds"}}}},
        {"baseline": {"calculated": {"fixed_window": baseline | {"start": later(fixtures, 5)}}}},
    ]


def second_assay_made(world: World, _: str) -> None:
    api, name = world.api, world.api.unused_name("a")
    number = api.call("schedule_assay_v2", second_assay_request(world.fixtures) | {"name": name})
    for active in (None, False, True, False):
        if active is not None:
            api.call("set_assay_v2_active", {"assay_id": number, "active": active})
        found = api.call("get_assay_v2_by_id", {"id": number})
        assert (found["name"], found["active"]) == (name, active is not False)
        assert list(changed_fields(second_assay_request(world.fixtures), found)) == []
    listed = api.call("list_assays", {"pipeline_id": world.fixtures.pipeline_id})
    assert [each["name"] for each in listed].count(name) == 1
    for request in other_second_assays(world.fixtures):
        request |= {"name": f"{api.unused_name('a')}-{'long-' * 60}"}
        answer = api.send("schedule_assay_v2", request)
        if not answer.is_success:
            continue  # it has no such assays
        found = api.call("get_assay_v2_by_id", {"id": answer.json()})
        api.call("set_assay_v2_active", {"assay_id": answer.json(), "active": False})
        assert list(changed_fields(request, found)) == []


def other_second_assays(fixtures: Fixtures) -> list[dict[str, Any]]:
    """Return requests of assays of the second version, among which are all fields that one need not have."""
    found = second_assay_request(fixtures)
    way: dict[str, Any] = found["summarizer"]["UnivariateContinuous"]
    targeting: dict[str, Any] = found["targeting"]
    origin = targeting["data_origin"] | {"locations": ["here"]}
    watched = targeting["iopath"][0] | {"thresholds": {"warning": 0.125, "alert": 0.5}}
    frequency = {"SimpleRunFrequency": {"quantity": 3, "unit": "Hour"}}
    scheduling = {"first_run": later(fixtures, 5), "end": later(fixtures, 50), "run_frequency": frequency}
    weights_of_bins = [0.5, 1.0, 2.0, 3.0, 4.0]
    ways = (
        way | {"bin_mode": {"Equal": 3}, "metric": "SumDiff", "bin_weights": weights_of_bins},
        way | {"bin_mode": {"Provided": [-1.0, 0.0, 2.0]}, "aggregation": "Cumulative"},
    )
    return [
        *(found | {"summarizer": {"UnivariateContinuous": each}} for each in ways),
        found | {"targeting": targeting | {"data_origin": origin, "iopath": [watched]}},
        found | {"scheduling": scheduling, "window": {"width": {"seconds": 7}}},
        found | {"baseline": {"Vector": [0.25, 0.5, 0.75, 1.0]}},
    ]


def later(fixtures: Fixtures, minutes: int) -> str:
    """Return a time so many minutes after the run's first rows."""
    assert fixtures.scored_at is not None
    return (fixtures.scored_at + timedelta(minutes=minutes)).isoformat(timespec="milliseconds")


READ_BACK: dict[str, tuple[tuple[str, ...], Callable[[World, str], None]]] = {
    "invite_user": (("query_users", "request_token"), invited),
    "deactivate_user": (("query_users",), switched),
    "activate_user": (("query_users",), switched),
    "create_workspace": (("list_workspaces",), workspace_made),
    "add_workspace_user": (("list_workspace_users",), member_changed),
    "remove_workspace_user": (("list_workspace_users",), member_changed),
    "upload_and_convert_model": (("list_model_versions", "list_models"), uploaded),
    "upload_model": (("list_model_versions", "list_models"), uploaded),
    "upload_model_stream": (("list_model_versions", "list_models"), uploaded),
    "insert_model_config": (("get_model_version_by_id", "get_model_config_by_id"), configured),
    "create_pipeline": (("list_workspaces", "get_pipeline_version"), pipeline_made),
    "copy_pipeline": (("list_workspaces", "list_pipelines", "get_topic_name"), pipeline_copied),
    "deploy_pipeline": (("get_deployment_status",), deployment_changed),
    "undeploy_pipeline": (("get_deployment_status",), deployment_changed),
    "infer_deployment": (("get_assay_baseline",), row_logged),
    "infer_pipeline": (("get_assay_baseline",), row_logged),
    "create_assay": (("list_assays",), assay_made),
    "set_assay_active": (("list_assays",), assay_made),
    "schedule_assay_v2": (("get_assay_v2_by_id",), second_assay_made),
    "set_assay_v2_active": (("get_assay_v2_by_id",), second_assay_made),
}
"""By which operations the effect of each writing operation is seen, and the test that it is."""


def at_a_time(*actions: Callable[[], Any]) -> list[Any]:
    """Return the results of actions that begin at the same time."""
    barrier = threading.Barrier(len(actions))

    def act(action: Callable[[], Any]) -> Any:
        barrier.wait(60)
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


class TestAtATime:
    """Requests at a time are all carried out, or it is said which are not."""

    @pytest.mark.touches("create_workspace", "list_workspaces")
    def test_workspaces_of_different_names(self, api: Api) -> None:
        names = [api.unused_name("w") for _ in range(AT_A_TIME)]
        made = at_a_time(*(lambda name=name: api.call("create_workspace", {"workspace_name": name}) for name in names))
        expected = {each["workspace_id"]: name for each, name in zip(made, names, strict=True)}
        listed = {each["id"]: each["name"] for each in api.call("list_workspaces", {})["workspaces"]}
        assert len(expected) == AT_A_TIME
        assert {number: listed.get(number) for number in expected} == expected

    @pytest.mark.touches("create_workspace", "list_workspaces")
    def test_workspaces_of_one_name(self, api: Api) -> None:
        name = api.unused_name("w")
        answers = at_a_time(*[lambda: api.send("create_workspace", {"workspace_name": name})] * AT_A_TIME)
        made = [answer.json()["workspace_id"] for answer in answers if answer.is_success]
        assert {answer.status_code for answer in answers} <= {200, 400, 409, 500}
        listed = [each["id"] for each in api.call("list_workspaces", {})["workspaces"] if each["name"] == name]
        assert listed == made
        assert len(made) <= 1, "one name has one workspace"

    @pytest.mark.touches("create_assay", "list_assays", "set_assay_active")
    def test_assays(self, api: Api, fixtures: Fixtures) -> None:
        requests: list[dict[str, Any]] = [
            assay_request(fixtures, name=api.unused_name("a"), active=False, alert_threshold=0.5 + number)
            for number in range(AT_A_TIME)
        ]
        made = at_a_time(*(partial(api.call, "create_assay", request) for request in requests))
        numbers = [each["assay_id"] for each in made]
        assert len(set(numbers)) == AT_A_TIME, "two assays have one id"
        switched = {number: turn % 2 == 0 for turn, number in enumerate(numbers)}
        at_a_time(
            *(
                lambda number=number, active=active: api.call("set_assay_active", {"id": number, "active": active})
                for number, active in switched.items()
            )
        )
        listed = {each["id"]: each for each in api.call("list_assays", {"pipeline_id": fixtures.pipeline_id})}
        for number, request in zip(numbers, requests, strict=True):
            for field in ("name", "alert_threshold"):
                assert listed[number][field] == request[field], "it is another's"
            assert listed[number]["active"] is switched[number]
        for number in numbers:
            api.call("set_assay_active", {"id": number, "active": False})

    @pytest.mark.touches("schedule_assay_v2", "get_assay_v2_by_id", "set_assay_v2_active")
    def test_assays_of_the_second_version(self, api: Api, fixtures: Fixtures) -> None:
        if not api.has("schedule_assay_v2"):
            pytest.skip("The release does not have it.")
        names = [api.unused_name("a") for _ in range(AT_A_TIME)]
        usual = second_assay_request(fixtures)
        made = at_a_time(*(lambda name=name: api.call("schedule_assay_v2", usual | {"name": name}) for name in names))
        assert len(set(made)) == AT_A_TIME, "two assays have one id"
        at_a_time(
            *(
                lambda number=number: api.call("set_assay_v2_active", {"assay_id": number, "active": False})
                for number in made
            )
        )
        shown = [api.call("get_assay_v2_by_id", {"id": number}) for number in made]
        assert [(each["name"], each["active"]) for each in shown] == [(name, False) for name in names]

    @pytest.mark.touches("create_pipeline", "list_workspaces", if_there=("get_pipeline_version",))
    def test_pipelines(self, api: Api, fixtures: Fixtures) -> None:
        made = at_a_time(*[lambda: new_pipeline(api, fixtures)] * AT_A_TIME)
        numbers = {each["pipeline_pk_id"] for each in made}
        assert len(numbers) == AT_A_TIME
        [workspace] = [
            each for each in api.call("list_workspaces", {})["workspaces"] if each["id"] == fixtures.workspace_id
        ]
        assert numbers <= set(workspace["pipelines"])
        for each in made if api.has("get_pipeline_version") else ():
            shown = api.call("get_pipeline_version", {"version": each["pipeline_variant_version"]})
            assert shown["pipeline_id"] == each["name"]

    @pytest.mark.touches("create_pipeline", "deploy_pipeline", "list_workspaces", "get_deployment_status")
    def test_versions_and_deployments_of_one_pipeline(self, api: Api, fixtures: Fixtures) -> None:
        name = api.unused_name("p")
        body: dict[str, Any] = {"pipeline_id": name, "workspace_id": fixtures.workspace_id, "definition": {}}
        answers = at_a_time(*[lambda: api.send("create_pipeline", body)] * AT_A_TIME)
        made = [answer.json() for answer in answers if answer.is_success]
        assert made, "of several requests at a time none succeeds"
        assert {answer.status_code for answer in answers} <= {200, 400, 409, 500}
        assert len({each["pipeline_pk_id"] for each in made}) == 1, "one name has several pipelines"
        assert len({each["pipeline_variant_pk_id"] for each in made}) == len(made), "two versions are one"
        listed = api.call("list_workspaces", {})["workspaces"]
        [pipelines] = [each["pipelines"] for each in listed if each["id"] == fixtures.workspace_id]
        assert pipelines.count(made[0]["pipeline_pk_id"]) == 1
        numbers = {each[0] for each in at_a_time(*[lambda: deployed(api, made[0] | {"name": name})] * AT_A_TIME)}
        assert len(numbers) == 1, "one name has several deployments"
        status_of(api, f"{name}-{numbers.pop()}")
        api.call("undeploy_pipeline", {"pipeline_id": made[0]["pipeline_pk_id"]})

    @pytest.mark.touches("list_model_versions", if_there=(*UPLOADS, "get_model_version_by_id"))
    @pytest.mark.parametrize("upload", UPLOADS)
    def test_versions_of_one_model(self, upload: str, api: Api, fixtures: Fixtures) -> None:
        if not api.has(upload):
            pytest.skip("The release does not have it.")
        assert fixtures.workspace_id is not None
        name, where = api.unused_name("m"), fixtures.workspace_id
        files = [model_file(seed=200 + number) for number in range(AT_A_TIME)]
        numbers = at_a_time(*(lambda file=file: api.upload(upload, name, file, where) for file in files))
        expected = {number: hashlib.sha256(file).hexdigest() for number, file in zip(numbers, files, strict=True)}
        listed = api.call("list_model_versions", {"model_id": name})
        assert {each["id"]: each["sha"] for each in listed} == expected
        assert len({each["models_pk_id"] for each in listed}) == 1, "one name has one model"

    @pytest.mark.touches("invite_user", "query_users", "add_workspace_user", "list_workspace_users")
    def test_people_and_members(self, api: Api) -> None:
        emails = [f"{api.unused_name('u')}@example.com" for _ in range(AT_A_TIME)]
        body = {"password": PASSWORD}
        made = at_a_time(*(lambda email=email: api.call("invite_user", body | {"email": email}) for email in emails))
        numbers = [each["id"] for each in made]
        found = api.call("query_users", {"user_ids": numbers})["users"]
        assert all(
            email in {found[number]["username"], found[number].get("email")}
            for number, email in zip(numbers, emails, strict=True)
        )
        where = {"workspace_id": new_workspace(api)}
        at_a_time(
            *(lambda number=number: api.call("add_workspace_user", where | {"user_id": number}) for number in numbers)
        )
        users = {each["user_id"] for each in api.call("list_workspace_users", where)["users"]}
        assert set(numbers) <= users


@pytest.mark.touches(
    "list_workspaces",
    "list_models",
    "get_model",
    "get_model_by_id",
    if_there=("list_pipelines", "get_pipeline_by_name", "get_model_version_by_id"),
)
def test_what_was_just_made_says_when(api: Api, conformance_suite: Suite) -> None:
    began, where = time.time(), new_workspace(api)
    name = api.unused_name("m")
    number = api.upload(api.uploads[-1], name, model_file(), where)
    pipeline = api.call("create_pipeline", {"pipeline_id": name, "workspace_id": where, "definition": {}})
    answers = [api.send("list_workspaces", {}), api.send("list_models", {"workspace_id": where})]
    clocks, others = clocks_of(answers[-1], began=began), [clock_of_rows(conformance_suite)]
    [workspace] = [each for each in answers[0].json()["workspaces"] if each["id"] == where]
    [model] = api.list_models(where)
    values: list[Any] = [workspace, model, answers[1].json()]
    values += [api.call(operation, {"id": model["id"]}) for operation in ("get_model", "get_model_by_id")]
    if api.has("get_model_version_by_id"):
        values.append(api.call("get_model_version_by_id", {"model_version_id": number}))
    if api.has("list_pipelines"):
        values.append(api.call("list_pipelines", {"workspace_id": where}))
        values.append(api.call("get_pipeline_by_name", {"workspace_id": where, "pipeline_name": name}))
    assert pipeline["pipeline_pk_id"]
    found = [each for value in values for each in times_of(value)]
    assert found, "nothing says when it was made"
    for each in found:
        assert clocks.have(each.values(), others), f"{each} is not when it was made: {clocks}"
        if {"created_at", "updated_at"} <= each.keys():
            made, changed = (datetime.fromisoformat(each[key]) for key in ("created_at", "updated_at"))
            assert changed >= made, f"it was changed before it was made: {each}"


def times_of(value: Any) -> list[dict[str, str]]:
    """Return the times at which things in a value were made and changed, a dictionary a thing."""
    fields = object_of(value)
    own: dict[str, str] = {key: fields[key] for key in ("created_at", "updated_at") if isinstance(fields.get(key), str)}
    return [
        *([own] if own else []),
        *(found for inner in (*fields.values(), *list_of(value)) for found in times_of(inner)),
    ]


@pytest.fixture(scope="module")
def seconds() -> dict[str, Any]:
    """Return a dictionary for the second things that the first test makes."""
    return {}


@pytest.fixture
def second_things(api: Api, fixtures: Fixtures, seconds: dict[str, Any]) -> dict[str, Any]:
    """Return second things of the run, by kind and key as `x-names` has them."""
    if not seconds:
        workspace, model = api.unused_name("w"), api.unused_name("m")
        number = api.call("create_workspace", {"workspace_name": workspace})["workspace_id"]
        version = api.upload(api.uploads[0], model, model_file(seed=77), number)
        [listed] = api.list_models(number)
        seconds.update({"workspace id": number, "workspace name": workspace, "model id": listed["id"]})
        seconds.update({"model name": model, "model version id": version})
    found = fixtures.expendable | seconds
    if fixtures.spare is not None:
        spare = fixtures.spare
        found |= {"pipeline id": spare.pipeline_id, "pipeline name": spare.pipeline, "deployment name": spare.name}
    return found


def about_another(suite: Suite, things: dict[str, Any], operation: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return a good request beside each of some about other things: with all names others, or one."""
    good = suite.cases.good_request(operation)
    try:
        body = object_of(json.loads(good["content"]))
    except ValueError:
        return []
    others, added = dict[str, Any](), list[dict[str, Any]]()
    for name in suite.guard.effects[operation].names:
        part, *keys = name.location
        if part == "body" and len(keys) == 1 and name.thing in things:
            if body.get(keys[0]) is None:
                added.append({keys[0]: things[name.thing]})
            else:
                others[keys[0]] = things[name.thing]
    if "alert_threshold" in body:
        others = {"alert_threshold": 0.6875}
    of_others = [others, dict(list(others.items())[:1]), dict(list(others.items())[-1:]), *added]
    return [(good, good | {"content": json.dumps(body | each)}) for each in of_others if body | each != body]


def lasting(answer: httpx.Response) -> Any:
    """Return what an answer tells, without what is another each time."""
    return _without_times(answer.json() if answer.content else None)


def _without_times(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_times(inner) for inner in list_of(value)]
    if not isinstance(value, dict):
        return value
    return {
        name: _without_times(inner)
        for name, inner in object_of(value).items()
        if name not in {"elapsed_millis", "analyzed_at"}
    }


def test_what_is_read_at_a_time_is_not_mixed_up(
    operation_id: str, api: Api, conformance_suite: Suite, second_things: dict[str, Any]
) -> None:
    if conformance_suite.guard.effects[operation_id].writes or not conformance_suite.rules.takes_token(operation_id):
        pytest.skip("It writes, or gives tokens.")
    for requests in about_another(conformance_suite, second_things, operation_id):
        one, other = (api.send(operation_id, **request) for request in requests)
        if one.is_success and other.is_success and lasting(one) != lasting(other):
            break
    else:
        pytest.skip("The run has no second thing of the kind that is told from the first.")
    answers = at_a_time(*(partial(api.send, operation_id, **request) for request in requests * AT_A_TIME))
    for number, answer in enumerate(answers):
        assert answer.is_success, answer.text[:300]
        wrong = lasting(other if number % 2 == 0 else one)
        assert lasting(answer) != wrong, "it is the answer to another request"


AGAIN = 5
"""How often the same is asked for again."""


def ids_in(value: Any, path: str = "$") -> set[tuple[str, Any]]:
    """Return the ids of the things in the lists of an answer, with the paths of the lists."""
    found: set[tuple[str, Any]] = set()
    for name, inner in object_of(value).items():
        found |= ids_in(inner, f"{path}.{name}")
    for item in list_of(value):
        fields = object_of(item)
        number = next((fields[key] for key in ("id", "window_start", "window_end") if fields.get(key)), None)
        found |= ids_in(item, f"{path}[]") | ({(path, number)} if isinstance(number, int | str) else set())
    return found


@pytest.mark.last
@pytest.mark.touches("list_workspaces", "list_pipelines", "query_users")
def test_all_that_the_run_made_is_listed(operation_id: str, api: Api, conformance_suite: Suite) -> None:
    if not api.has(operation_id):
        pytest.skip("The release does not have it.")
    key, kind = {
        "list_workspaces": ("workspaces", ""),
        "list_pipelines": ("pipelines", "pipeline"),
        "query_users": ("users", ""),
    }[operation_id]
    answer = api.call(operation_id, {})[key]
    listed = set(answer) if key == "users" else {object_of(each.get(kind, each))["id"] for each in answer}
    thing = key.removesuffix("s")
    made = set(conformance_suite.owned.values_of(f"{thing} id"))
    made -= {each.id for each in conformance_suite.owned.resources(thing) if f"{each.name}".endswith(NOT_THE_RUNS)}
    assert made <= listed, f"{len(made - listed)} of {len(made)} {key} are not listed"


@pytest.mark.last
@pytest.mark.touches("list_pipelines", "list_workspaces")
def test_all_pipelines_of_the_runs_workspace_are_listed(api: Api, fixtures: Fixtures) -> None:
    if not api.has("list_pipelines"):
        pytest.skip("The release does not have it.")
    [workspace] = [
        each for each in api.call("list_workspaces", {})["workspaces"] if each["id"] == fixtures.workspace_id
    ]
    listed = api.call("list_pipelines", {"workspace_id": fixtures.workspace_id})["pipelines"]
    assert {each["workspace"]["id"] for each in listed} <= {fixtures.workspace_id}
    assert sorted(each["pipeline"]["id"] for each in listed) == sorted(workspace["pipelines"]), "each once"


@pytest.mark.last
@pytest.mark.touches("list_models", "list_workspaces")
def test_all_models_of_the_runs_workspace_are_listed(api: Api, fixtures: Fixtures) -> None:
    [workspace] = [
        each for each in api.call("list_workspaces", {})["workspaces"] if each["id"] == fixtures.workspace_id
    ]
    models = [each["id"] for each in api.list_models(fixtures.workspace_id)]
    assert sorted(models) == sorted(workspace["models"])


def windowed(fixtures: Fixtures, operation: str) -> dict[str, Any]:
    """Return the body of a request for windows that have rows, as an argument of `Api.send`; nothing for others."""
    if operation == "preview_assay_v2":
        body = second_assay_request(fixtures)
        start, end = body["baseline"]["Static"]
        return {"content": json.dumps(body | {"preview_start": start, "preview_end": end})}
    if operation != "run_interactive_assay":
        return {}
    body = assay_request(fixtures)
    fixed = body["baseline"].get("Fixed", {})
    start = fixed.get("start_at") or body["baseline"]["calculated"]["fixed_window"]["start"]
    return {"content": json.dumps(body | {"window": body["window"] | {"start": start}})}


def test_what_was_listed_is_listed_again(
    operation_id: str, api: Api, conformance_suite: Suite, fixtures: Fixtures
) -> None:
    effects = conformance_suite.guard.effects[operation_id]
    if effects.writes or not conformance_suite.rules.takes_token(operation_id):
        pytest.skip("It writes, or gives tokens.")
    good = conformance_suite.cases.good_request(operation_id) | windowed(fixtures, operation_id)
    first = api.send(operation_id, **good)
    twice = twice_in(first.json()) if first.is_success and first.content else []
    assert not twice, f"{twice[0]} is listed twice"
    listed = ids_in(first.json()) if first.is_success and first.content else set[tuple[str, Any]]()
    if not any(name.origin == "existing" for name in effects.names):  # others may remove what is theirs
        own = [conformance_suite.owned.values_of(f"{kind} id") for kind in ("workspace", "pipeline", "model", "user")]
        listed = {(path, number) for path, number in listed if any(number in each for each in own)}
    if not listed:
        pytest.skip("It lists nothing of the run.")
    for _ in range(AGAIN):
        gone = listed - ids_in(api.send(operation_id, **good).json())
        assert not gone, f"it was listed, and is gone: {sorted(map(str, gone))[:3]}"
