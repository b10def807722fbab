"""Does an instance keep people apart? Who is not a member of a workspace sees, scores and writes nothing in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.conformance.guard.effects import split_thing
from wallaroo_ext.conformance.guard.owned_resources import NOBODYS, NOBODYS_UUID
from wallaroo_ext.conformance.resources.samples import model_file
from wallaroo_ext.conformance.testing.answer_forms import ids_of, is_empty, listed_assays
from wallaroo_ext.conformance.testing.api_calls import UPLOADS
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
from wallaroo_ext.conformance.testing.people import (
    NOT_THE_RUNS,
    NOT_THERE,
    REFUSED,
    Person,
    is_refused_to_strangers,
    membership,
    roles,
    workspaces_of,
)
from wallaroo_ext.conformance.testing.waiting import failed_version

if TYPE_CHECKING:
    from collections.abc import Collection

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = pytest.mark.thorough("what a second person sees")


def test_nothing_of_a_workspace_is_a_strangers(
    operation_id: str, stranger: Person, conformance_suite: Suite, api: Api, fixtures: Fixtures
) -> None:
    assert fixtures.workspace_id is not None
    effects = conformance_suite.guard.effects[operation_id]
    if operation_id == "request_token" or not names_what_is_in_a_workspace(conformance_suite, operation_id):
        pytest.skip("Its request names nothing that is in a workspace.")
    good = naming(conformance_suite, fixtures, operation_id, conformance_suite.cases.unused_request(operation_id))
    if not effects.writes:  # so that a cache has the answer
        api.control(operation_id, good)
    before = contents_of(api, fixtures, effects.writes)
    answer = stranger.send(operation_id, **good)
    if not names_what_is_in_a_workspace(conformance_suite, operation_id, answer.request):
        pytest.skip("Its request names nothing of the run.")
    is_refused_to_strangers(conformance_suite, operation_id, answer)
    body = object_of(json_of(good))
    flipped = {name: not value for name, value in body.items() if isinstance(value, bool)}
    others = other_ways_to_name(conformance_suite, fixtures, operation_id, good)
    for other in [*others, *([body | flipped] if flipped and effects.writes else [])]:
        is_refused_to_strangers(conformance_suite, operation_id, stranger.send(operation_id, other))
    named = {} if effects.writes else named_in(conformance_suite, operation_id, body)
    if named:
        for location, thing in named.items():
            body = replaced(body, location, nobodys(api, thing))
        nothing = stranger.send(operation_id, body)
        shown = f"{nothing.status_code} {nothing.text[:200]}, and {answer.status_code} {answer.text[:200]}"
        assert nothing.status_code == answer.status_code, f"a stranger can tell what is there from what is not: {shown}"
    assert contents_of(api, fixtures, effects.writes) == before, "what was refused to a stranger was done"
    if not effects.writes:
        api.control(operation_id, good)
        return
    role = "OWNER" if "member" in effects.writes else "COLLABORATOR"
    with membership(api, {"workspace_id": fixtures.workspace_id, "user_id": stranger.id}, role):
        written = stranger.send(operation_id, **good)
    if not conformance_suite.rules.is_success(operation_id, written.status_code):
        api.control(operation_id, good)
        pytest.fail(f"a member may not do what another may: {written.status_code} {written.text[:300]}")


def nobodys(api: Api, thing: str) -> Any:
    """Return the id or the name of a thing that there is not, by its kind and key as `x-names` has them."""
    kind, key = split_thing(thing)
    if key == "id":
        return NOBODYS
    name = api.unused_name("n")
    return NOBODYS_UUID if key == "uuid" else f"{name}-{NOBODYS}" if kind == "deployment" else name


def contents_of(api: Api, fixtures: Fixtures, kinds: Collection[str]) -> dict[str, Any]:
    """Return what the run's workspace has of some kinds of things, as far as it does not change by itself."""
    where, found = {"workspace_id": fixtures.workspace_id}, dict[str, Any]()
    if {"model", "model version", "pipeline", "pipeline version"}.intersection(kinds):
        rows = api.call("list_workspaces", {})["workspaces"]
        found["workspace"] = [each for each in rows if each["id"] == fixtures.workspace_id]
        found["models"] = [(each["id"], each.get("updated_at")) for each in api.list_models(fixtures.workspace_id)]
        if api.has("list_pipelines"):
            listed = [
                object_of(each.get("pipeline_version")) for each in api.call("list_pipelines", where)["pipelines"]
            ]
            found["pipelines"] = [(each.get("id"), each.get("version")) for each in listed]
    if "member" in kinds:
        found["members"] = roles(api, where["workspace_id"] or 0)
    if "assay" in kinds:
        listed = api.call("list_assays", {"pipeline_id": fixtures.pipeline_id})
        found["assays"] = {each["id"]: (each["name"], each["active"]) for each in listed}
    return found


@pytest.fixture(scope="module")
def strangers_things() -> dict[str, Any]:
    """Return the place where the first test that needs things of the stranger keeps them for the others."""
    return {}


def things_of(stranger: Person, api: Api, found: dict[str, Any]) -> dict[str, Any]:
    """Return what a stranger has of its own, by kind and key as `x-names` has them; make it first where need be."""
    if found:
        return found
    workspace, name = (f"{api.unused_name(kind)}{NOT_THE_RUNS}" for kind in ("w", "p"))
    where = {"workspace_id": stranger.send("create_workspace", {"workspace_name": workspace}).json()["workspace_id"]}
    fields = where | {"name": name, "visibility": "private"}
    uploaded = stranger.send(api.uploads[0], **api.upload_of(api.uploads[0], fields, "model.onnx", model_file(seed=83)))
    number = api.version_in(uploaded.json())
    [version] = stranger.send("list_model_versions", {"model_id": name}).json()
    model = {"name": name, "version": version["model_version"], "sha": version["sha"]}
    steps = [{"ModelInference": {"models": [model]}}]
    body = where | {"pipeline_id": name, "definition": {"steps": steps}}
    made = stranger.send("create_pipeline", body).json()
    found |= {f"{kind} name": name for kind in ("model", "pipeline")}
    found |= {"workspace id": where["workspace_id"], "workspace name": workspace, "model id": version["models_pk_id"]}
    found |= {"model version id": number, "model version uuid": model["version"], "model version sha": model["sha"]}
    found |= {"pipeline id": made["pipeline_pk_id"], "pipeline version id": made["pipeline_variant_pk_id"]}
    if made.get("pipeline_variant_version"):
        found["pipeline version uuid"] = made["pipeline_variant_version"]
    return found


def test_what_is_named_beside_ones_own_is_not_a_strangers(
    operation_id: str,
    stranger: Person,
    strangers_things: dict[str, Any],
    conformance_suite: Suite,
    api: Api,
    fixtures: Fixtures,  # noqa: ARG001 - requests need them
) -> None:
    effects = conformance_suite.guard.effects[operation_id]
    body = object_of(json_of(conformance_suite.cases.unused_request(operation_id)))
    named = named_in(conformance_suite, operation_id, body)
    if len(named) < 2:
        pytest.skip("Its request names no two things.")
    own = things_of(stranger, api, strangers_things)
    all_own = body
    for location, thing in named.items():
        all_own = replaced(all_own, location, own.get(thing))
    for location, thing in named.items():
        if thing not in own:
            continue
        mixed = [replaced(body, location, own[thing]), replaced(all_own, location, value_at(body, location))]
        if effects.writes:  # what is about one's own pipeline may be done, if the rest is of no matter
            mixed = mixed[: thing != "pipeline id" or operation_id == "copy_pipeline"]
        for each in mixed:
            answer = stranger.send(operation_id, each)
            is_refused_to_strangers(conformance_suite, operation_id, answer)


@pytest.mark.touches("create_pipeline", "deploy_pipeline", "undeploy_pipeline", "get_deployment_status")
def test_a_strangers_own_pipeline_runs_and_ends_nothing_of_others(
    stranger: Person, strangers_things: dict[str, Any], api: Api, fixtures: Fixtures
) -> None:
    own, model = things_of(stranger, api, strangers_things), fixtures.model
    ids = {"pipeline_id": own["pipeline id"], "pipeline_version_pk_id": own["pipeline version id"]}
    for more in ({"model_ids": [fixtures.version_id]}, {"models": [model]}):
        deployed = stranger.send("deploy_pipeline", ids | more | {"deploy_id": api.unused_name("d")})
        assert deployed.status_code in NOT_THERE, f"a stranger deploys another's model: {deployed.text[:300]}"
    steps = [{"ModelInference": {"models": [model]}}]
    body = {"pipeline_id": own["pipeline name"], "workspace_id": own["workspace id"], "definition": {"steps": steps}}
    made = stranger.send("create_pipeline", body)
    if made.is_success:  # models may be looked for when a pipeline is deployed
        ids = {"pipeline_id": made.json()["pipeline_pk_id"]}
        ids |= {"pipeline_version_pk_id": made.json()["pipeline_variant_pk_id"]}
        deployed = stranger.send("deploy_pipeline", ids | {"deploy_id": api.unused_name("d")})
        assert deployed.status_code in NOT_THERE, f"a stranger deploys another's model: {deployed.text[:300]}"
    name, where = api.unused_name("p"), {"workspace_id": fixtures.workspace_id}
    made = api.call("create_pipeline", where | {"pipeline_id": name, "definition": {}})
    others = {"pipeline_id": made["pipeline_pk_id"], "pipeline_version_pk_id": made["pipeline_variant_pk_id"]}
    number = api.call("deploy_pipeline", others | {"deploy_id": name})["id"]
    stranger.send("undeploy_pipeline", {"pipeline_id": own["pipeline id"], "deployment_id": number})
    stranger.send("undeploy_pipeline", {"deployment_id": number})
    api.call("get_deployment_status", {"name": f"{name}-{number}"})  # nobody has ended it
    api.call("undeploy_pipeline", {"deployment_id": number})


@pytest.mark.touches("get_model_upload_logs", "upload_and_convert_model")
def test_what_a_conversion_logged_is_not_a_strangers(stranger: Person, api: Api, fixtures: Fixtures) -> None:
    version = failed_version(api, fixtures.workspace_id)
    if version is None or not api.has("get_model_upload_logs"):
        pytest.skip("This instance logs no conversion of a file that is no model.")
    which = {"model_version_id": version["id"]}
    logged = api.call("get_model_upload_logs", which)["logs"]
    if not logged:
        pytest.skip("The conversion logged nothing.")
    answer = stranger.send("get_model_upload_logs", which)
    assert answer.status_code in REFUSED or is_empty(answer), f"a stranger sees: {answer.text[:300]}"


@pytest.mark.touches("list_assays", "get_assay_v2")
def test_lists_of_all_assays_have_nothing_of_others(
    operation_id: str, stranger: Person, api: Api, conformance_suite: Suite, fixtures: Fixtures
) -> None:
    content = conformance_suite.rules.request_content(operation_id)["application/json"] if api.has(operation_id) else {}
    schema = conformance_suite.rules.schemas.resolve(content["schema"]) if content else {"required": ["it"]}
    if schema.get("required"):
        pytest.skip("The release does not have it, or lists the assays of one pipeline only.")
    is_first = operation_id == "list_assays"
    api.call(operation_id, {"workspace_id": fixtures.workspace_id})  # so that a cache has the answer
    nothing = dict.fromkeys(("workspace_id", "workspace_name") if is_first else schema["properties"])
    for body in ({}, nothing, *([] if is_first else [{"active": "All"}]), *places_of(fixtures, operation_id)):
        answer = stranger.send(operation_id, body)
        assert answer.is_success or answer.status_code in REFUSED
        key = fixtures.assay_id if is_first else fixtures.assay_uuid
        found = listed_assays(answer)
        assert key not in {each["id"] for each in found}, f"a stranger sees an assay of the run by {body}"


@pytest.mark.touches("list_workspaces", "list_workspace_users")
def test_two_people_that_ask_at_a_time_get_their_own(stranger: Person, api: Api, fixtures: Fixtures) -> None:
    where, askers = {"workspace_id": fixtures.workspace_id}, (api.send, stranger.send)
    for operation, body in (("list_workspaces", {}), ("list_workspace_users", where)):
        alone = [send(operation, body) for send in askers]
        with ThreadPoolExecutor(len(askers) * 2) as pool:
            sent = [pool.submit(send, operation, body) for send in askers * 4]
        answers = [each.result() for each in sent]
        for number, answer in enumerate(answers):
            expected = alone[number % len(askers)]
            assert answer.status_code == expected.status_code, "one is answered as the other"
            seen = object_of(answer.json()).get("workspaces", [])
            assert ids_of(seen) == ids_of(object_of(expected.json()).get("workspaces", [])), (
                "one sees what the other does"
            )


@pytest.mark.touches("list_features")
def test_the_instance_is_the_same_for_everybody(stranger: Person, api: Api) -> None:
    assert stranger.send("list_features", {}).json() == api.call("list_features", {})


@pytest.mark.touches("list_workspaces", "list_pipelines")
def test_lists_of_everything_have_nothing_of_others(
    operation_id: str, conformance_suite: Suite, api: Api, fixtures: Fixtures
) -> None:
    if not api.has(operation_id):
        pytest.skip("The release does not have it.")
    newcomer = Person(api, conformance_suite)  # of whom no test can have left a membership
    key = {"list_workspaces": "workspaces", "list_pipelines": "pipelines"}[operation_id]
    control = api.call(operation_id, {})
    answer = newcomer.send(operation_id, {})
    if not answer.is_success:
        assert answer.status_code in REFUSED
        return
    of_stranger, of_run = (ids_of(found[key]) for found in (answer.json(), control))
    assert {"list_workspaces": fixtures.workspace_id, "list_pipelines": fixtures.pipeline_id}[operation_id] in of_run
    assert not of_stranger & of_run, f"a stranger sees {of_stranger & of_run}"


@pytest.mark.touches("list_workspaces", "list_workspace_users")
def test_workspaces_of_a_user_are_only_those_that_the_caller_may_see(
    stranger: Person, api: Api, fixtures: Fixtures
) -> None:
    assert fixtures.workspace_id is not None
    of_all = workspaces_of(stranger)
    for user_id in (*roles(api, fixtures.workspace_id), stranger.id, None):
        answer = stranger.send("list_workspaces", {"user_id": user_id})
        if answer.is_success or user_id in {stranger.id, None}:
            found = ids_of(answer.json()["workspaces"])
            assert found <= of_all, "a stranger sees what is another's"
            assert found == of_all or user_id not in {stranger.id, None}, "of one's own, some are not listed"
    of_nobody = api.send("list_workspaces", {"user_id": NOBODYS_UUID})
    assert not of_nobody.is_success or of_nobody.json()["workspaces"] == [], "nobody has workspaces"


@pytest.mark.touches("create_workspace")
def test_a_name_that_another_user_has_given_is_taken(stranger: Person, api: Api) -> None:
    name = api.unused_name("w")
    api.call("create_workspace", {"workspace_name": name})
    assert stranger.send("create_workspace", {"workspace_name": name}).status_code in REFUSED


@pytest.mark.touches(if_there=UPLOADS)
@pytest.mark.parametrize("upload", UPLOADS)
def test_a_stranger_uploads_nothing_however_it_is_written(
    upload: str, stranger: Person, api: Api, fixtures: Fixtures
) -> None:
    if not api.has(upload):
        pytest.skip("The release does not have it.")
    fields = {"name": api.unused_name("m"), "visibility": "public", "workspace_id": fixtures.workspace_id}
    ways = [upload, *(["upload_and_convert_model"] if upload == "upload_model" else [])]  # by the part `metadata`, too
    for way in ways:
        answer = stranger.send(upload, **api.upload_of(way, fields, "model.onnx", model_file()))
        assert answer.status_code in NOT_THERE | {500}, f"{answer.status_code} {answer.text[:300]}"
    assert fields["name"] not in {each["name"] for each in api.list_models(fixtures.workspace_id)}
