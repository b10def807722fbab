"""Are users invited, shown and deactivated each by its own address, and is who is deactivated shut out?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.conformance.guard.owned_resources import DOMAIN
from wallaroo_ext.conformance.resources.fixtures import PASSWORD
from wallaroo_ext.conformance.testing.bad_tokens import claims_of
from wallaroo_ext.conformance.testing.clocks import clock_of_rows, clock_of_things, clocks_of
from wallaroo_ext.conformance.testing.inference.scoring import OPERATIONS
from wallaroo_ext.conformance.testing.people import Person, roles, rows_of

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = pytest.mark.thorough("what a second person sees")

LONGEST_ADDRESS = 254
LONGEST_LOCAL_PART = 64
"""The most characters before the @ of an address, by RFC 5321."""


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
    person, asked_at = Person(api, conformance_suite), time.monotonic()
    signed_in = person.sign_in().json()
    expires_at = asked_at + signed_in["expires_in"]
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
    for operation in tried:  # so that what keeps the answer to whether a token is good has it
        if operation in OPERATIONS or not conformance_suite.guard.writes(operation):
            answer = person.send(operation, token=access, **cases.good_request(operation))
            if time.monotonic() < expires_at:  # a busy machine takes longer
                assert answer.status_code != 401, f"{operation}: {answer.text[:300]}"
                assert answer.status_code == 200 or operation not in OPERATIONS

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


def is_enabled(api: Api, person: Person) -> bool:
    """Return whether a person is shown as one who may sign in."""
    return api.call("query_users", {"user_ids": [person.id]})["users"][person.id]["enabled"]
