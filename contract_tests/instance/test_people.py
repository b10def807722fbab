"""Does an instance keep people apart? Who is not a member of a workspace sees, scores and writes nothing in it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.effects import split_thing
from wallaroo_ext.conformance.guard.owned_resources import DOMAIN
from wallaroo_ext.conformance.guard.request_fields import fields_of
from wallaroo_ext.conformance.resources.fixtures import PASSWORD
from wallaroo_ext.conformance.resources.samples import model_file
from wallaroo_ext.conformance.testing.answer_forms import is_empty
from wallaroo_ext.conformance.testing.api_calls import UPLOADS
from wallaroo_ext.conformance.testing.bad_tokens import claims_of
from wallaroo_ext.conformance.testing.clocks import clock_of_rows, clock_of_things, clocks_of
from wallaroo_ext.conformance.testing.people import NOT_THE_RUNS, Person
from wallaroo_ext.conformance.testing.read_back import twice_in
from wallaroo_ext.conformance.testing.waiting import failed_version

if TYPE_CHECKING:
    import httpx

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = pytest.mark.thorough("what a second person sees")

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
    good = conformance_suite.cases.unused_request(operation_id)
    if not effects.writes:  # so that a cache has the answer
        api.control(operation_id, good)
    answer = stranger.send(operation_id, **good)
    if not names_what_is_in_a_workspace(conformance_suite, operation_id, answer.request):
        pytest.skip("Its request names nothing of the run.")
    shown = f"{answer.status_code} {answer.text[:300]}"
    if answer.is_success:
        assert not effects.writes, f"a stranger wrote: {shown}"
        assert is_empty(answer), f"a stranger sees: {shown}"
    else:
        assert answer.status_code in (NOT_THERE | {500} if operation_id in UPLOADS else NOT_THERE), shown
    api.control(operation_id, good)


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
    good = conformance_suite.cases.good_request(operation_id)
    api.call("add_workspace_user", member)
    try:
        before, seen, after = (send(operation_id, **good) for send in (api.send, stranger.send, api.send))
    finally:
        api.call("remove_workspace_user", member)
    if not names_what_is_in_a_workspace(conformance_suite, operation_id, seen.request):
        pytest.skip("Its request names nothing of the run, so that each sees what is theirs.")
    assert seen.status_code == before.status_code, f"{seen.status_code} {seen.text[:300]}"
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
    member = {"workspace_id": fixtures.workspace_id, "email": stranger.email}
    api.call("add_workspace_user", member)
    try:
        answers = [[send(operation_id, body) for send in (api.send, stranger.send, api.send)] for body in bodies]
    finally:
        api.call("remove_workspace_user", member)
    for body, (before, seen, after) in zip(bodies, answers, strict=True):
        if before.content == after.content:  # else what it lists changes by itself
            assert listed_assays(seen) == listed_assays(before), f"a member is not listed by {body} what the owner is"


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
        before = roles(api, workspace_id)
        assert stranger.id not in before
        assert stranger.send("list_models", where).status_code in REFUSED
        assert workspace_id not in workspaces_of(stranger)
        api.call("add_workspace_user", where | whom | given)
        assert roles(api, workspace_id) == before | {stranger.id: expected}
        assert workspace_id in workspaces_of(stranger)
        assert stranger.send("list_models", where).status_code == 200
        assert api.call("remove_workspace_user", where | whom)["affected_rows"] == 1
        assert roles(api, workspace_id) == before
        assert workspace_id not in workspaces_of(stranger)
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
    for number in (one, other):
        api.call("add_workspace_user", {"workspace_id": number, "user_id": stranger.id})
    assert {one, other} <= ids_of(api.call("list_workspaces", {"user_id": stranger.id})["workspaces"])
    api.call("remove_workspace_user", {"workspace_id": one, "user_id": stranger.id})
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
    api.call("add_workspace_user", member)
    try:
        before, seen, after = (listed(send(operation_id, {})) for send in (api.send, stranger.send, api.send))
    finally:
        api.call("remove_workspace_user", member)
    assert seen or not before, "a member is not listed what the workspace has"
    if before != after:
        pytest.skip("What it lists changes by itself.")
    assert seen == before


@pytest.mark.touches(
    "add_workspace_user",
    "remove_workspace_user",
    "create_pipeline",
    "list_models",
    if_there=(*UPLOADS, *READS_OF_MODELS),
)
def test_a_collaborator_writes_in_its_own_name(stranger: Person, api: Api) -> None:
    place = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
    member, name = {"workspace_id": place, "user_id": stranger.id}, api.unused_name("m")
    fields = {"name": name, "visibility": "private", "workspace_id": place}
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
    [listed] = [each for each in api.call("list_workspaces", {})["workspaces"] if each["id"] == place]
    assert listed["pipelines"] == [made.json()["pipeline_pk_id"]], "what a member makes is the workspace's"
    assert set(listed["models"]) == ids_of(api.list_models(place))
    reads = {operation: body for operation, body in reads_of(api, name).items() if api.has(operation)}
    seen = {operation: stranger.send(operation, body).status_code for operation, body in reads.items()}
    assert seen == dict.fromkeys(reads, 200), "a member sees no private model"
    api.call("remove_workspace_user", member)
    seen = {operation: stranger.send(operation, body) for operation, body in reads.items()}
    assert {operation for operation, answer in seen.items() if answer.is_success and not is_empty(answer)} == set()
    for upload in api.uploads[:1]:
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
    for operation in ("infer_pipeline", "infer_deployment"):
        good = conformance_suite.cases.good_request(operation)
        api.call("add_workspace_user", member)
        try:
            scored = stranger.send(operation, **good)
        finally:
            api.call("remove_workspace_user", member)
        assert scored.status_code == 200, f"a member scores nothing: {scored.status_code} {scored.text[:300]}"
        assert stranger.send(operation, **good).status_code in REFUSED


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
    for operation in sorted({"infer_pipeline", "infer_deployment"} & set(tried)):  # what scores may not ask each time
        assert person.send(operation, token=access, **cases.good_request(operation)).status_code == 200

    local, _, domain = person.email.partition("@")
    like = f"{local[:-1]}_@{domain}"
    for operation in ("deactivate_user", "activate_user"):
        assert not api.send(operation, {"email": like}).is_success, f"nobody has the address {like}"
    assert person.sign_in().status_code == 200, f"who has another address than {like} is deactivated"

    api.call("deactivate_user", {"email": person.email})
    assert person.sign_in().status_code in {400, 401}, "who is deactivated gets a token"
    if refresh:
        assert person.renew(refresh).status_code in {400, 401}, "who is deactivated renews a token"
    answered = {
        operation: person.send(operation, token=access, **cases.good_request(operation)).status_code
        for operation in tried
    }
    assert {operation: status for operation, status in answered.items() if status != 401} == {}, "an old token is good"
    assert not is_enabled(api, person)
    assert api.call("query_users", {})["users"][person.id]["enabled"] is False, "all users are found, these too"
    assert not api.send("invite_user", {"email": person.email}).is_success, "the address is still in use"

    api.call("activate_user", {"email": person.email})
    assert api.call("query_users", {"user_ids": [person.id]})["users"][person.id]["enabled"] is True
    again = person.sign_in()
    assert again.status_code == 200
    assert person.send("list_workspaces", {}, token=again.json()["access_token"]).status_code == 200
    assert roles(api, where["workspace_id"]) == members, "who is activated again is a member as before"
    api.call("remove_workspace_user", {"workspace_id": fixtures.workspace_id, "email": person.email})
    api.call("deactivate_user", {"email": person.email})


@pytest.mark.touches("invite_user", "deactivate_user", "activate_user", "request_token")
def test_all_sessions_of_who_is_deactivated_end(api: Api, conformance_suite: Suite) -> None:
    person = Person(api, conformance_suite)
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
        api.call("activate_user", {"email": person.email})
    api.call("deactivate_user", {"email": person.email})


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


@pytest.mark.touches("invite_user", "query_users")
def test_without_a_password_there_is_a_temporary_one(api: Api) -> None:
    for more in ({}, {"password": None}):
        invited = api.call("invite_user", {"email": f"{api.unused_name('u')}{DOMAIN}"} | more)
        found = api.call("query_users", {"user_ids": [invited["id"]]})["users"][invited["id"]]
        assert found.get("requiredActions") != [], "the temporary password need not be changed"
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
        assert is_enabled(api, switched) is (operation == "activate_user")
        assert is_enabled(api, other) is before, f"{operation} of {switched.email} is one of {other.email}, too"
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
    made = answer.json()["users"][person.id].get("createdTimestamp", began * 1000) / 1000
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
