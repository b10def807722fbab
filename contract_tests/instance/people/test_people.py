"""Does an instance keep people apart? Who is not a member of a workspace sees, scores and writes nothing in it."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.effects import split_thing
from wallaroo_ext.conformance.guard.gateways import MOST_RUNS, NoAnswerError
from wallaroo_ext.conformance.guard.owned_resources import DOMAIN, NOBODYS, NOBODYS_UUID
from wallaroo_ext.conformance.guard.request_fields import fields_of
from wallaroo_ext.conformance.resources.fixtures import PASSWORD
from wallaroo_ext.conformance.resources.samples import arrow_file, distinct_rows, model_file
from wallaroo_ext.conformance.testing.answer_forms import inputs_of, is_empty
from wallaroo_ext.conformance.testing.api_calls import UPLOADS
from wallaroo_ext.conformance.testing.bad_tokens import claims_of
from wallaroo_ext.conformance.testing.clocks import clock_of_rows, clock_of_things, clocks_of
from wallaroo_ext.conformance.testing.people import NOT_THE_RUNS, Person
from wallaroo_ext.conformance.testing.read_back import twice_in
from wallaroo_ext.conformance.testing.scoring import ARROW
from wallaroo_ext.conformance.testing.waiting import failed_version, soon

if TYPE_CHECKING:
    from collections.abc import Collection, Generator

    import httpx

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = pytest.mark.thorough("what a second person sees")

JSON = "application/json"
REFUSED = {400, 401, 403, 404, 500}
"""The statuses for somebody who is no member; 500 is what uploads to an unknown workspace were answered with."""
NOT_THERE = {400, 404}
"""Those of them that say nothing of whether there is a workspace: it is answered as if it were not there."""
READS_OF_MODELS = (
    "list_model_versions",
    "get_model",
    "get_model_by_id",
    "get_model_version_by_id",
    "get_model_config_by_id",
    "get_model_upload_logs",
)
LONGEST_ADDRESS = 254
LONGEST_LOCAL_PART = 64
"""The most characters before the @ of an address, by RFC 5321."""
ROLES: list[tuple[dict[str, str | None], str]] = [
    ({}, "COLLABORATOR"),
    ({"user_type": None}, "COLLABORATOR"),
    ({"user_type": "COLLABORATOR"}, "COLLABORATOR"),
    ({"user_type": "OWNER"}, "OWNER"),
]
"""What is sent of a role, and the role that it means."""


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


def is_refused_to_strangers(suite: Suite, operation: str, answer: httpx.Response) -> None:
    """Check that an answer to a stranger is a refusal as of what is not there, or has nothing."""
    shown = f"{answer.status_code} {answer.text[:300]}"
    if answer.is_success:
        assert not suite.guard.effects[operation].writes, f"a stranger wrote: {shown}"
        assert is_empty(answer), f"a stranger sees: {shown}"
        return
    assert answer.status_code in (NOT_THERE | {500} if operation in UPLOADS else NOT_THERE), shown
    sent = f"{answer.request.url} {answer.request.read().decode(errors='replace')}"
    names = {name for name in re.findall(rf"{re.escape(suite.owned.prefix)}-[\w-]*\w", answer.text) if name not in sent}
    assert not names, f"a refusal tells a stranger of {names}: {shown}"


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


def other_ways_to_name(suite: Suite, fixtures: Fixtures, operation: str, good: dict[str, Any]) -> list[dict[str, Any]]:
    """Return bodies that name the run's things by one field of several, as far as those of the good request may."""
    body, names = json_of(good), suite.guard.effects[operation].names
    if not isinstance(body, dict):
        return []
    body = object_of(body)
    values = fixtures.things_for(suite.guard.effects[operation])
    fields = {
        name.location[1]: values[name.thing][0]
        for name in names
        if name.origin == "existing" and name.location[0] == "body" and len(name.location) == 2
        if name.thing in values and split_thing(name.thing)[0] != "user"
    }
    schema = suite.rules.schemas.resolve(suite.rules.request_content(operation).get(JSON, {}).get("schema", {}))
    optional = fields.keys() - set(schema.get("required", ()))
    rest = {name: value for name, value in body.items() if name not in optional}
    ways = [rest | {name: fields[name]} for name in sorted(optional)]
    return [way for way in ways if way != {name: value for name, value in body.items() if value is not None}]


def naming(suite: Suite, fixtures: Fixtures, operation: str, good: dict[str, Any]) -> dict[str, Any]:
    """Return a good request that names something of the run, also where one need not."""
    body, ways = object_of(json_of(good)), other_ways_to_name(suite, fixtures, operation, good)
    if not ways or any(value_at(body, location) is not None for location in named_in(suite, operation, body)):
        return good
    return good | {"content": json.dumps(body | ways[0])}


def json_of(request: dict[str, Any]) -> Any:
    """Return the JSON of a request's body; None where it has another one, or none."""
    try:
        return json.loads(request["content"])
    except (KeyError, TypeError, ValueError):
        return None


@contextmanager
def membership(api: Api, member: dict[str, Any], role: str = "COLLABORATOR") -> Generator[None]:
    """Let somebody be a member of a workspace within a block, also where an answer is lost."""
    try:
        api.call("add_workspace_user", member | {"user_type": role})
        yield
    finally:
        end_membership(api, member)


def end_membership(api: Api, member: dict[str, Any]) -> None:
    """Remove a member, and once more where no answer came: who stays one is no stranger to the next test."""
    for _ in range(MOST_RUNS):
        with suppress(NoAnswerError):
            api.call("remove_workspace_user", member)
            return


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


def value_at(value: Any, location: tuple[str, ...]) -> Any:
    """Return the first value of JSON at a location; None where there is none. `*` stands for any key."""
    for key in location:
        items = list_of(value) or [inner for name, inner in object_of(value).items() if key in {name, "*"}]
        value = next(iter(items), None)
    return value


def named_in(suite: Suite, operation: str, body: dict[str, Any]) -> dict[tuple[str, ...], str]:
    """Return what a body of JSON names that is there and belongs to a workspace, by where it does."""
    return {
        name.location[1:]: name.thing
        for name in suite.guard.effects[operation].names
        if name.origin == "existing" and name.location[0] == "body" and split_thing(name.thing)[0] != "user"
        if replaced(body, name.location[1:], NOT_SENT) != body
    }


NOT_SENT = "conformance-not-sent"


def replaced(value: Any, location: tuple[str, ...], new: Any) -> Any:
    """Return a value of JSON with another one at a location, where it has one; `*` stands for any key."""
    if not location:
        return value if value is None else new
    first, *rest = location
    fields, items = object_of(value), list_of(value)
    if items and first == "*":
        return [replaced(inner, tuple(rest), new) for inner in items]
    changed = {key: replaced(inner, tuple(rest), new) for key, inner in fields.items() if first in {key, "*"}}
    return fields | changed if fields else value


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


def test_a_member_sees_what_the_owner_sees(
    operation_id: str, stranger: Person, conformance_suite: Suite, api: Api, fixtures: Fixtures
) -> None:
    if conformance_suite.guard.writes(operation_id) or not names_what_is_in_a_workspace(
        conformance_suite, operation_id
    ):
        pytest.skip("It writes, or its request names nothing that is in a workspace.")
    member = {"workspace_id": fixtures.workspace_id, "email": stranger.email}
    good = naming(conformance_suite, fixtures, operation_id, conformance_suite.cases.good_request(operation_id))
    role = ("OWNER", "COLLABORATOR")[list(conformance_suite.rules.operations).index(operation_id) % 2]
    refused = stranger.send(operation_id, **good)  # which an instance may remember
    with membership(api, member, role):
        before, seen, after = (send(operation_id, **good) for send in (api.send, stranger.send, api.send))
    removed = stranger.send(operation_id, **good)
    if not names_what_is_in_a_workspace(conformance_suite, operation_id, seen.request):
        pytest.skip("Its request names nothing of the run, so that each sees what is theirs.")
    assert seen.status_code == before.status_code, f"{seen.status_code} {seen.text[:300]}"
    for answer in (refused, removed):
        is_refused_to_strangers(conformance_suite, operation_id, answer)
    assert is_empty(seen) is is_empty(before), "a member is shown nothing"
    if before.content != after.content:
        pytest.skip("What it answers changes by itself.")
    assert seen.json() == before.json()
    assert twice_in(before.json()) == [], "it is there once for each member"


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


@pytest.mark.touches("list_assays", "get_assay_v2")
def test_a_member_is_listed_the_assays_that_the_owner_is(
    operation_id: str, stranger: Person, api: Api, fixtures: Fixtures
) -> None:
    if not api.has(operation_id):
        pytest.skip("The release does not have it.")
    bodies = [body for body in places_of(fixtures, operation_id) if api.send(operation_id, body).is_success]
    with membership(api, {"workspace_id": fixtures.workspace_id, "email": stranger.email}):
        answers = [[send(operation_id, body) for send in (api.send, stranger.send)] for body in bodies]
    for body, (before, seen) in zip(bodies, answers, strict=True):
        if listed_assays(seen) != listed_assays(before):
            after = api.send(operation_id, body)
            assert before.content != after.content, f"a member is not listed by {body} what the owner is"


def places_of(fixtures: Fixtures, operation: str) -> list[dict[str, Any]]:
    """Return requests for the assays of the run's places."""
    names = ("pipeline_id", "workspace_id", "workspace_name")
    if operation == "get_assay_v2":
        names = ("pipeline_name", "workspace_id", "id")
    own = {"pipeline_name": fixtures.name, "id": fixtures.assay_uuid}
    bodies = ({name: own[name] if name in own else getattr(fixtures, name)} for name in names)
    return [body for body in bodies if None not in body.values()]


def listed_assays(answer: httpx.Response) -> list[dict[str, Any]]:
    """Return the assays in an answer, which is a list, or one; none where it is a refusal."""
    found: Any = answer.json() if answer.is_success else []
    return [object_of(each) for each in (list_of(found) if isinstance(found, list) else [found])]


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
    operation_id: str, stranger: Person, api: Api, fixtures: Fixtures
) -> None:
    if not api.has(operation_id):
        pytest.skip("The release does not have it.")
    key = {"list_workspaces": "workspaces", "list_pipelines": "pipelines"}[operation_id]
    control = api.call(operation_id, {})
    answer = stranger.send(operation_id, {})
    if not answer.is_success:
        assert answer.status_code in REFUSED
        return
    of_stranger, of_run = (ids_of(found[key]) for found in (answer.json(), control))
    assert {"list_workspaces": fixtures.workspace_id, "list_pipelines": fixtures.pipeline_id}[operation_id] in of_run
    assert not of_stranger & of_run, f"a stranger sees {of_stranger & of_run}"


@pytest.mark.touches(
    "add_workspace_user", "remove_workspace_user", "list_workspace_users", "list_workspaces", "list_models"
)
def test_a_member_has_its_role_until_it_is_removed(stranger: Person, api: Api) -> None:
    for number, (given, expected) in enumerate(ROLES):
        workspace_id = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
        where, whom = {"workspace_id": workspace_id}, {"email": stranger.email}
        if number:
            whom = {"user_id": stranger.id}
        itself = stranger.send("add_workspace_user", where | whom | given)
        assert itself.status_code in REFUSED, "who is no member makes itself one"
        before, others = roles(api, workspace_id), workspaces_of(stranger)
        assert stranger.id not in before
        assert stranger.send("list_models", where).status_code in REFUSED
        assert workspace_id not in others
        api.call("add_workspace_user", where | whom | given)
        assert roles(api, workspace_id) == before | {stranger.id: expected}
        assert workspaces_of(stranger) == others | {workspace_id}, "it is a member of the one workspace more"
        assert stranger.send("list_models", where).status_code == 200
        assert api.call("remove_workspace_user", where | whom)["affected_rows"] == 1
        assert roles(api, workspace_id) == before
        assert workspaces_of(stranger) == others
        assert stranger.send("list_models", where).status_code in REFUSED
        assert api.call("remove_workspace_user", where | whom)["affected_rows"] == 0
        other = "COLLABORATOR" if expected == "OWNER" else "OWNER"
        api.call("add_workspace_user", where | whom | {"user_type": other})
        assert roles(api, workspace_id)[stranger.id] == other, "it has the role of the first time"
        api.call("remove_workspace_user", where | whom)


@pytest.mark.touches("add_workspace_user", "remove_workspace_user", "list_workspace_users", "list_workspaces")
def test_a_member_of_two_workspaces_is_removed_from_one(stranger: Person, api: Api) -> None:
    names = [api.unused_name("w") for _ in range(2)]
    one, other = (api.call("create_workspace", {"workspace_name": name})["workspace_id"] for name in names)
    given = {one: "COLLABORATOR", other: "OWNER"}
    before = rows_of(api, {one, other})
    for number, role in given.items():
        api.call("add_workspace_user", {"workspace_id": number, "user_id": stranger.id, "user_type": role})
    assert {number: roles(api, number)[stranger.id] for number in given} == given, "it has the role of the other one"
    assert {one, other} <= ids_of(api.call("list_workspaces", {"user_id": stranger.id})["workspaces"])
    assert api.call("remove_workspace_user", {"workspace_id": one, "user_id": stranger.id})["affected_rows"] == 1
    assert rows_of(api, {one, other}) == before, "who is a member changes the workspace itself"
    assert stranger.id not in roles(api, one)
    assert {one, other} & ids_of(api.call("list_workspaces", {"user_id": stranger.id})["workspaces"]) == {other}
    assert stranger.id in roles(api, other)
    assert stranger.send("list_models", {"workspace_id": other}).status_code == 200
    api.send("add_workspace_user", {"workspace_id": other, "user_id": stranger.id})  # which may be refused
    listed = api.call("list_workspace_users", {"workspace_id": other})["users"]
    assert [each["user_id"] for each in listed].count(stranger.id) == 1, "who is added again is listed once"
    api.call("remove_workspace_user", {"workspace_id": other, "user_id": stranger.id})


@pytest.mark.touches("add_workspace_user", "remove_workspace_user", "list_workspace_users", "create_workspace")
def test_a_member_is_the_same_by_address_and_by_id(stranger: Person, api: Api, fixtures: Fixtures) -> None:
    place = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
    where, owner = {"workspace_id": place}, roles(api, place)
    ways = ({"email": stranger.email, "user_id": None}, {"email": None, "user_id": stranger.id})
    both = {"email": stranger.email, "user_id": stranger.id}
    others = owner | {fixtures.user_id: "COLLABORATOR"}
    for added, removed in (ways, ways[::-1], (both, both)):
        api.call("add_workspace_user", where | {"email": fixtures.email})
        api.call("add_workspace_user", where | added)
        assert roles(api, place) == others | {stranger.id: "COLLABORATOR"}
        assert api.call("remove_workspace_user", where | removed)["affected_rows"] == 1
        assert roles(api, place) == others, "one is removed, and nobody else"
        assert api.call("remove_workspace_user", where | {"user_id": fixtures.user_id})["affected_rows"] == 1
        assert roles(api, place) == owner


@pytest.mark.touches("add_workspace_user", "remove_workspace_user", "list_workspace_users", "create_workspace")
def test_somebody_whom_there_is_not_is_no_member(api: Api) -> None:
    place = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
    before = roles(api, place)
    nobody = {"workspace_id": place, "email": f"{api.unused_name('u')}{DOMAIN}"}
    for operation in ("add_workspace_user", "remove_workspace_user"):
        assert not api.send(operation, nobody).is_success, f"{operation} takes somebody whom there is not"
        assert roles(api, place) == before


@pytest.mark.touches("create_workspace", "list_workspaces", "list_workspace_users")
def test_a_workspace_is_its_makers(stranger: Person, api: Api) -> None:
    made = stranger.send("create_workspace", {"workspace_name": f"{api.unused_name('w')}{NOT_THE_RUNS}"})
    assert made.status_code == 200, f"a second person makes no workspace: {made.text[:300]}"
    place = made.json()["workspace_id"]
    users = stranger.send("list_workspace_users", {"workspace_id": place}).json()["users"]
    assert [(each["user_id"], each["user_type"]) for each in users] == [(stranger.id, "OWNER")]
    own = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
    [owner] = roles(api, own)
    for by, number, listed in (
        (stranger.id, place, stranger.send("list_workspaces", {}).json()),
        (owner, own, api.call("list_workspaces", {})),
    ):
        [shown] = [each for each in listed["workspaces"] if each["id"] == number]
        assert shown.get("created_by") in {by, None}, "another has made it"


@pytest.mark.touches(
    "create_workspace", "list_workspaces", "list_workspace_users", "add_workspace_user", "remove_workspace_user"
)
def test_a_maker_who_is_removed_is_no_member(stranger: Person, api: Api, conformance_suite: Suite) -> None:
    made = stranger.send("create_workspace", {"workspace_name": f"{api.unused_name('w')}{NOT_THE_RUNS}"})
    where, heir = {"workspace_id": made.json()["workspace_id"]}, Person(api, conformance_suite)
    added = stranger.send("add_workspace_user", where | {"user_id": heir.id, "user_type": "OWNER"})
    assert added.is_success, f"an owner adds nobody: {added.status_code} {added.text[:300]}"

    def row() -> dict[str, Any]:
        [shown] = [
            each for each in heir.send("list_workspaces", {}).json()["workspaces"] if each["id"] in where.values()
        ]
        return shown

    before = row()
    assert before.get("created_by") in {stranger.id, None}, "another has made it"
    removed = heir.send("remove_workspace_user", where | {"user_id": stranger.id})
    if not removed.is_success:
        pytest.skip("This instance does not remove who has made a workspace.")
    assert removed.json()["affected_rows"] == 1
    users = heir.send("list_workspace_users", where).json()["users"]
    assert [(each["user_id"], each["user_type"]) for each in users] == [(heir.id, "OWNER")]
    assert row() == before
    assert where["workspace_id"] not in workspaces_of(stranger)
    for operation in ("list_workspace_users", "list_models"):
        answer = stranger.send(operation, where)
        assert answer.status_code in NOT_THERE, f"who made a workspace sees it for ever: {answer.text[:300]}"


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


@pytest.mark.last
@pytest.mark.touches("add_workspace_user", "list_workspace_users", "create_workspace")
def test_all_members_are_listed(api: Api, conformance_suite: Suite) -> None:
    place = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
    expected = roles(api, place)
    for user_id in conformance_suite.owned.values_of("user id"):
        if api.send("add_workspace_user", {"workspace_id": place, "user_id": user_id}).is_success:
            expected[user_id] = "COLLABORATOR"
    assert roles(api, place) == expected


@pytest.mark.touches("list_workspaces", "list_pipelines")
def test_a_member_is_listed_what_the_owner_is(
    operation_id: str, stranger: Person, api: Api, fixtures: Fixtures
) -> None:
    if not api.has(operation_id):
        pytest.skip("The release does not have it.")
    key, place = {"list_workspaces": ("workspaces", ""), "list_pipelines": ("pipelines", "workspace")}[operation_id]

    def listed(answer: httpx.Response) -> list[dict[str, Any]]:
        """Return what is listed of the run's workspace."""
        return [each for each in answer.json()[key] if each.get(place, each)["id"] == fixtures.workspace_id]

    member = {"workspace_id": fixtures.workspace_id, "email": stranger.email}
    with membership(api, member):
        before, seen, after = (listed(send(operation_id, {})) for send in (api.send, stranger.send, api.send))
        of_member = listed(api.send(operation_id, {"user_id": stranger.id})) if not place else before
    assert seen or not before, "a member is not listed what the workspace has"
    if before != after:
        pytest.skip("What it lists changes by itself.")
    assert seen == before
    assert of_member == before, "among the workspaces of a user, one is shown otherwise"


@pytest.mark.touches(
    "add_workspace_user",
    "remove_workspace_user",
    "create_pipeline",
    "list_models",
    "list_workspaces",
    if_there=(*UPLOADS, *READS_OF_MODELS),
)
def test_a_collaborator_writes_in_its_own_name(stranger: Person, api: Api, conformance_suite: Suite) -> None:
    place = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
    member, name = {"workspace_id": place, "user_id": stranger.id}, api.unused_name("m")
    fields = {"name": name, "visibility": "private", "workspace_id": place}
    [before] = rows_of(api, {place})
    api.call("add_workspace_user", member)
    uploaded = dict[str, list[int]]()
    for upload in api.uploads:
        request = api.upload_of(upload, fields, "model.onnx", model_file())
        for by, answer in (("owner", api.send(upload, **request)), ("member", stranger.send(upload, **request))):
            assert answer.is_success, f"the {by} uploads nothing: {answer.status_code} {answer.text[:300]}"
            number = api.version_in(answer.json())
            uploaded.setdefault(by, []).append(number)
    own = fields | {"name": api.unused_name("m")}  # of which the owner has no version
    for upload in api.uploads[-1:]:
        stranger.send(upload, **api.upload_of(upload, own, "model.onnx", model_file()))
    named = {each["name"]: each["id"] for each in api.list_models(place)}
    assert set(named) == ({name, own["name"]} if api.uploads else set()), "what a member uploads is the workspace's"
    assert {each["name"]: api.call("get_model", {"id": each["id"]})["id"] for each in api.list_models(place)} == named
    made = stranger.send("create_pipeline", {"pipeline_id": name, "workspace_id": place, "definition": {}})
    assert made.is_success, f"a member makes no pipeline: {made.status_code} {made.text[:300]}"
    [listed] = rows_of(api, {place})
    assert listed["pipelines"] == [made.json()["pipeline_pk_id"]], "what a member makes is the workspace's"
    assert set(listed["models"]) == ids_of(api.list_models(place))
    same = before.keys() - {"models", "pipelines", "users"}
    assert {name: listed[name] for name in same} == {name: before[name] for name in same}, "it is another workspace"
    reads = {operation: body for operation, body in reads_of(api, name).items() if api.has(operation)}
    seen = {operation: stranger.send(operation, body).status_code for operation, body in reads.items()}
    assert seen == dict.fromkeys(reads, 200), "a member sees no private model"
    api.call("remove_workspace_user", member)
    if api.has("get_pipeline_by_name"):
        reads["get_pipeline_by_name"] = {"workspace_id": place, "pipeline_name": name}
    for operation, body in reads.items():
        is_refused_to_strangers(conformance_suite, operation, stranger.send(operation, body))
    for upload in api.uploads:
        answer = stranger.send(upload, **api.upload_of(upload, fields, "model.onnx", model_file()))
        assert answer.status_code in REFUSED, "who is a member no more uploads a model"
    assert {each["name"]: each["id"] for each in api.list_models(place)} == named, "what a former member made is gone"
    for numbers in zip(*uploaded.values(), strict=True) if api.has("get_model_version_by_id") else ():
        shown = [api.call("get_model_version_by_id", {"model_version_id": number}) for number in numbers]
        by = [each["model_version"]["model_version"].get("created_by") for each in shown]
        assert None in by or by[0] != by[1], "what a member uploaded is the owner's"


def reads_of(api: Api, name: str) -> dict[str, dict[str, Any]]:
    """Return a request of each operation that shows something of a model; none where there is no model of the name."""
    if not api.uploads:
        return {}
    version: dict[str, Any] = api.call("list_model_versions", {"model_id": name})[0]
    return {
        "list_model_versions": {"models_pk_id": version["models_pk_id"]},
        "get_model": {"id": version["models_pk_id"]},
        "get_model_by_id": {"id": version["models_pk_id"]},
        "get_model_version_by_id": {"model_version_id": version["id"]},
        "get_model_config_by_id": {"model_id": version["id"]},
        "get_model_upload_logs": {"model_version_id": version["id"]},
    }


@pytest.mark.touches("create_workspace")
def test_a_name_that_another_user_has_given_is_taken(stranger: Person, api: Api) -> None:
    name = api.unused_name("w")
    api.call("create_workspace", {"workspace_name": name})
    assert stranger.send("create_workspace", {"workspace_name": name}).status_code in REFUSED


@pytest.mark.touches("infer_pipeline", "infer_deployment", "add_workspace_user", "remove_workspace_user")
def test_a_member_scores_until_it_is_removed(
    stranger: Person, conformance_suite: Suite, api: Api, fixtures: Fixtures
) -> None:
    member = {"workspace_id": fixtures.workspace_id, "email": stranger.email}
    rows, media_types = distinct_rows(4, seed=89), {"Content-Type": ARROW, "Accept": ARROW}
    for number, operation in enumerate(("infer_pipeline", "infer_deployment")):
        good = conformance_suite.cases.good_request(operation)
        with membership(api, member):
            scored = stranger.send(operation, **good)
        assert scored.status_code == 200, f"a member scores nothing: {scored.status_code} {scored.text[:300]}"
        assert stranger.send(operation, **good).status_code in REFUSED
        for params in ({}, {"dataset[]": ["time", "out"], "dataset.separator": "."}):
            more: dict[str, Any] = {"path": good["path"], "params": params, "headers": media_types}
            answer = stranger.send(operation, content=arrow_file(rows[number : number + 1]), **more)
            assert answer.status_code in REFUSED, f"a stranger scores by Arrow and {params}"
        file = arrow_file(rows[number + 2 : number + 3])
        assert api.send(operation, path=good["path"], content=file, headers=media_types).is_success
    where = {"workspace_id": fixtures.workspace_id, "pipeline_name": fixtures.name}
    *refused, first, last = rows.tolist()

    def logged() -> list[Any]:
        return [inputs_of(each) for each in api.call("get_assay_baseline", where)]

    soon(lambda: all(row in logged() for row in (first, last)), lambda: "a row was scored and never logged")
    assert not [row for row in logged() if row in refused], "what was refused to a stranger is logged"


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


def test_who_is_deactivated_is_shut_out_until_activated(
    api: Api,
    conformance_suite: Suite,
    fixtures: Fixtures,
) -> None:
    for operation in ("invite_user", "deactivate_user", "activate_user", "query_users", "request_token"):
        reason = conformance_suite.skip_reason(operation)
        if reason:
            pytest.skip(reason)
    rules, cases = conformance_suite.rules, conformance_suite.cases
    tried = [
        operation
        for operation in conformance_suite.options.operations or rules.operations
        if rules.takes_token(operation) and not conformance_suite.skip_reason(operation)
    ]
    for operation in tried:
        cases.good_request(operation)  # before the token, which does not live long
    person = Person(api, conformance_suite)
    signed_in = person.sign_in().json()
    access, refresh = signed_in["access_token"], signed_in.get("refresh_token")
    assert person.send("list_workspaces", {}, token=access).status_code == 200
    if refresh:
        renewed = person.renew(refresh)
        assert renewed.status_code == 200
        refresh = renewed.json().get("refresh_token", refresh)

    where = {"workspace_id": api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]}
    api.call("add_workspace_user", where | {"user_id": person.id})
    members = roles(api, where["workspace_id"])
    api.call("add_workspace_user", {"workspace_id": fixtures.workspace_id, "user_id": person.id})
    made = person.send("create_pipeline", where | {"pipeline_id": api.unused_name("p"), "definition": {}})
    assert made.is_success, f"a member makes no pipeline: {made.status_code} {made.text[:300]}"
    rows = rows_of(api, {where["workspace_id"]})
    scoring = {"infer_pipeline", "infer_deployment"}
    for operation in tried:  # so that what keeps the answer to whether a token is good has it
        if operation in scoring or not conformance_suite.guard.writes(operation):
            answer = person.send(operation, token=access, **cases.good_request(operation))
            assert answer.status_code != 401, f"{operation}: {answer.text[:300]}"
            assert answer.status_code == 200 or operation not in scoring

    local, _, domain = person.email.partition("@")
    like = f"{local[:-1]}_@{domain}"
    for operation in ("deactivate_user", "activate_user"):
        assert not api.send(operation, {"email": like}).is_success, f"nobody has the address {like}"
    assert person.sign_in().status_code == 200, f"who has another address than {like} is deactivated"

    api.call("deactivate_user", {"email": person.email})
    for refused in [person.sign_in(), *([person.renew(refresh)] if refresh else [])]:
        assert refused.status_code == 400, f"who is deactivated gets a token: {refused.status_code}"
        assert refused.json()["error"] == "invalid_grant"
    answered = {
        operation: person.send(operation, token=access, **cases.good_request(operation)).status_code
        for operation in tried
    }
    assert {operation: status for operation, status in answered.items() if status != 401} == {}, "an old token is good"
    assert not is_enabled(api, person)
    assert api.call("query_users", {})["users"][person.id]["enabled"] is False, "all users are found, these too"
    assert api.call_refused("invite_user", {"email": person.email}) == 400, "the address is still in use"
    assert rows_of(api, {where["workspace_id"]}) == rows, "what a user made is there whether or not it may sign in"

    api.call("activate_user", {"email": person.email})
    assert api.call("query_users", {"user_ids": [person.id]})["users"][person.id]["enabled"] is True
    again = person.sign_in()
    assert again.status_code == 200
    assert person.send("list_workspaces", {}, token=again.json()["access_token"]).status_code == 200
    assert roles(api, where["workspace_id"]) == members, "who is activated again is a member as before"
    api.call("remove_workspace_user", {"workspace_id": fixtures.workspace_id, "email": person.email})
    api.call("deactivate_user", {"email": person.email})


@pytest.mark.touches("invite_user", "query_users", "deactivate_user", "activate_user", "request_token")
def test_all_sessions_of_who_is_deactivated_end(api: Api, stranger: Person, conformance_suite: Suite) -> None:
    person = Person(api, conformance_suite)
    shown, others = user_of(api, person), stranger.sign_in().json()
    for number in range(2):
        answers = [person.sign_in(), person.sign_in(), person.sign_in(scope="offline_access")]
        sessions = [answer.json() for answer in answers if answer.is_success]
        assert len(sessions) >= len(answers) - 1, "who is active gets a token"
        api.call("activate_user", {"email": person.email})
        assert answers_to(person, sessions) == [200] * len(sessions), "activating who is active ends a session"
        for _ in range(number + 1):
            api.call("deactivate_user", {"email": person.email})
        assert answers_to(person, sessions) == [401] * len(sessions), "a token of one of the sessions is good"
        renewed = [person.renew(each["refresh_token"]).status_code for each in sessions if "refresh_token" in each]
        assert set(renewed) <= {400, 401}, "a token of one of the sessions is renewed"
        assert person.sign_in().status_code in {400, 401}
        assert answers_to(stranger, [others]) == [200], "somebody else's session ends"
        assert user_of(api, person) == shown | {"enabled": False}
        api.call("activate_user", {"email": person.email})
        assert user_of(api, person) == shown
    if "refresh_token" in others:
        assert stranger.renew(others["refresh_token"]).status_code == 200, "somebody else's session ends"
    api.call("deactivate_user", {"email": person.email})


def user_of(api: Api, person: Person) -> dict[str, Any]:
    """Return how a person is shown, as far as signing in does not change it."""
    shown = object_of(api.call("query_users", {"user_ids": [person.id]})["users"][person.id])
    names = ("id", "username", "email", "emailVerified", "enabled", "createdTimestamp", "firstName", "lastName")
    return {name: shown[name] for name in (*names, "requiredActions", "realmRoles") if name in shown}


def rows_of(api: Api, workspace_ids: set[int]) -> list[dict[str, Any]]:
    """Return how the list of all workspaces shows some of them."""
    return [each for each in api.call("list_workspaces", {})["workspaces"] if each["id"] in workspace_ids]


def answers_to(person: Person, sessions: list[dict[str, Any]]) -> list[int]:
    """Return the statuses of the answers to requests with the tokens of a person's sessions."""
    return [person.send("list_workspaces", {}, token=session["access_token"]).status_code for session in sessions]


@pytest.mark.touches("query_users", "invite_user")
def test_a_user_is_the_same_among_all_and_by_id(stranger: Person, api: Api) -> None:
    of_all = api.call("query_users", {})["users"]
    by_id = api.call("query_users", {"user_ids": [stranger.id]})["users"][stranger.id]
    assert not [user_id for user_id, found in of_all.items() if "federatedIdentities" in (found or {})]
    fixed = ("id", "username", "email", "enabled", "createdTimestamp", "firstName", "lastName", "requiredActions")
    one, other = ({name: found[name] for name in fixed if name in found} for found in (of_all[stranger.id], by_id))
    assert one == other
    assert by_id.get("email", stranger.email).lower() == stranger.email.lower()
    assert api.call("query_users", {"user_ids": None})["users"].keys() >= {stranger.id}
    assert not by_id.get("requiredActions"), "who signs in has nothing to do first"
    claims = claims_of(stranger.sign_in().json()["access_token"])
    assert by_id.get("notBefore", 0) <= claims.get("iat", time.time()), "tokens that are good are shown as refused"


@pytest.mark.touches("invite_user", "request_token")
def test_who_is_invited_twice_stays_as_before(stranger: Person, api: Api) -> None:
    other = f"{PASSWORD}-2"
    shown = api.call("query_users", {"user_ids": [stranger.id]})["users"][stranger.id]
    for more in ({}, {"password": other}):
        assert api.call_refused("invite_user", {"email": stranger.email} | more) == 400
    assert stranger.sign_in(other).status_code in {400, 401}, "an invitation that was refused changes the password"
    assert stranger.sign_in().status_code == 200
    after = api.call("query_users", {"user_ids": [stranger.id]})["users"][stranger.id]
    names = ("id", "username", "email", "enabled", "createdTimestamp", "requiredActions")
    assert {name: after.get(name) for name in names} == {name: shown.get(name) for name in names}


@pytest.mark.touches("invite_user")
def test_nobody_is_invited_by_too_long_an_address_or_with_no_password(api: Api) -> None:
    name = api.unused_name("u")
    too_long = f"{name}{'x' * (LONGEST_ADDRESS + 1 - len(name + DOMAIN))}{DOMAIN}"
    for wrong in ({"email": too_long}, {"email": f"{name}{DOMAIN}", "password": ""}):
        assert api.call_refused("invite_user", wrong) == 400


@pytest.mark.touches("invite_user", "query_users", "activate_user")
def test_without_a_password_there_is_a_temporary_one(api: Api) -> None:
    for more in ({}, {"password": None}):
        invited = api.call("invite_user", {"email": f"{api.unused_name('u')}{DOMAIN}"} | more)
        found = api.call("query_users", {"user_ids": [invited["id"]]})["users"][invited["id"]]
        assert found.get("requiredActions") != [], "the temporary password need not be changed"
        api.call("activate_user", {"email": found.get("email", found["username"])})
        again = api.call("query_users", {"user_ids": [invited["id"]]})["users"][invited["id"]]
        assert again.get("requiredActions") == found.get("requiredActions"), "who is activated need change it no more"
    given = api.call("invite_user", {"email": f"{api.unused_name('u')}{DOMAIN}", "password": PASSWORD})
    assert given.get("password") in {PASSWORD, None}, "it is not the password that was given"


@pytest.mark.touches("invite_user", "query_users", "deactivate_user", "activate_user")
def test_an_address_that_is_a_part_of_another_is_somebody_elses(api: Api, conformance_suite: Suite) -> None:
    inner = f"{api.unused_name('u')}{DOMAIN}"
    longer = Person(api, conformance_suite, f"{api.unused_name('u')}-{inner}")
    shorter = Person(api, conformance_suite, inner)
    for operation, switched, other in (
        ("deactivate_user", shorter, longer),
        ("deactivate_user", longer, shorter),
        ("activate_user", shorter, longer),
    ):
        before = is_enabled(api, other)
        api.call(operation, {"email": switched.email})
        users = api.call("query_users", {"user_ids": [shorter.id, longer.id]})["users"]
        enabled = {person.id: users[person.id]["enabled"] for person in (switched, other)}
        assert enabled[switched.id] is is_enabled(api, switched) is (operation == "activate_user")
        assert enabled[other.id] is before, f"{operation} of {switched.email} is one of {other.email}, too"
    api.call("deactivate_user", {"email": shorter.email})


@pytest.mark.touches(
    "invite_user",
    "query_users",
    "deactivate_user",
    "activate_user",
    "add_workspace_user",
    "remove_workspace_user",
    "list_workspace_users",
)
def test_an_address_may_be_long_and_have_signs_and_capitals(api: Api, conformance_suite: Suite) -> None:
    began = time.time()
    local = f"{api.unused_name('u')}.Some_Body+more-".ljust(LONGEST_LOCAL_PART, "x")
    person = Person(api, conformance_suite, f"{local}{DOMAIN}")
    answer = api.send("query_users", {"user_ids": [person.id]})
    shown = answer.json()["users"][person.id]
    assert person.email.lower() in {shown["username"].lower(), shown.get("email", "").lower()}, "it is cut"
    made = shown.get("createdTimestamp", began * 1000) / 1000
    clocks = clocks_of(answer, began=began)
    assert clocks.have([made], [clock_of_rows(conformance_suite), clock_of_things(api)]), "it was made when invited"
    where = {"workspace_id": api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]}
    api.call("add_workspace_user", where | {"email": person.email})
    assert person.id in roles(api, where["workspace_id"])
    assert api.call("remove_workspace_user", where | {"email": person.email})["affected_rows"] == 1
    for operation in ("deactivate_user", "deactivate_user", "activate_user", "activate_user", "deactivate_user"):
        api.call(operation, {"email": person.email})
        assert is_enabled(api, person) is (operation == "activate_user"), "doing it twice changes nothing"


def names_what_is_in_a_workspace(suite: Suite, operation: str, request: httpx.Request | None = None) -> bool:
    """Return whether an operation, or a request of it, names something that is there and belongs to a workspace."""
    effects = suite.guard.effects[operation]
    names = [
        name for name in effects.names if name.origin == "existing" and split_thing(name.thing)[0] not in {"user", ""}
    ]
    if request is None:
        return bool(names)
    template, headers = suite.rules.locations[operation][1], request.headers.multi_items()
    fields = fields_of(template, str(request.url), headers, request.content, effects)
    return any(value is not None for name in names for value in fields.at(name.location))


def ids_of(listed: list[dict[str, Any]]) -> set[Any]:
    """Return the ids of listed things, of a pipeline below its name."""
    return {each.get("pipeline", each)["id"] for each in listed}


def is_enabled(api: Api, person: Person) -> bool:
    """Return whether a person is shown as one who may sign in."""
    return api.call("query_users", {"user_ids": [person.id]})["users"][person.id]["enabled"]


def roles(api: Api, workspace_id: int) -> dict[str, str]:
    """Return the roles of the members of a workspace, by their ids."""
    users = api.call("list_workspace_users", {"workspace_id": workspace_id})["users"]
    return {user["user_id"]: user["user_type"] for user in users}


def workspaces_of(person: Person) -> set[int]:
    """Return the ids of the workspaces that a person sees."""
    return {each["id"] for each in person.send("list_workspaces", {}).json()["workspaces"]}
