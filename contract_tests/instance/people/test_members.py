"""Is a member of a workspace one until it is removed, with its role, and does it see and do what the owner does?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext.conformance.guard.owned_resources import DOMAIN
from wallaroo_ext.conformance.resources.samples import arrow_file, distinct_rows, model_file
from wallaroo_ext.conformance.testing.answer_forms import ARROW, ids_of, inputs_of, is_empty, listed_assays
from wallaroo_ext.conformance.testing.api_calls import UPLOADS
from wallaroo_ext.conformance.testing.inference.scoring import OPERATIONS
from wallaroo_ext.conformance.testing.named_things import names_what_is_in_a_workspace, naming, places_of
from wallaroo_ext.conformance.testing.people import (
    NOT_THE_RUNS,
    NOT_THERE,
    REFUSED,
    Person,
    is_refused_to_strangers,
    membership,
    roles,
    rows_of,
    workspaces_of,
)
from wallaroo_ext.conformance.testing.read_back import twice_in
from wallaroo_ext.conformance.testing.waiting import soon

if TYPE_CHECKING:
    import httpx

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = pytest.mark.thorough("what a second person sees")

READS_OF_MODELS = (
    "list_model_versions",
    "get_model",
    "get_model_by_id",
    "get_model_version_by_id",
    "get_model_config_by_id",
    "get_model_upload_logs",
)
ROLES: list[tuple[dict[str, str | None], str]] = [
    ({}, "COLLABORATOR"),
    ({"user_type": None}, "COLLABORATOR"),
    ({"user_type": "COLLABORATOR"}, "COLLABORATOR"),
    ({"user_type": "OWNER"}, "OWNER"),
]
"""What is sent of a role, and the role that it means."""


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


@pytest.mark.touches(*OPERATIONS, "add_workspace_user", "remove_workspace_user")
def test_a_member_scores_until_it_is_removed(
    stranger: Person, conformance_suite: Suite, api: Api, fixtures: Fixtures
) -> None:
    member = {"workspace_id": fixtures.workspace_id, "email": stranger.email}
    rows, media_types = distinct_rows(4, seed=89), {"Content-Type": ARROW, "Accept": ARROW}
    for number, operation in enumerate(OPERATIONS):
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
