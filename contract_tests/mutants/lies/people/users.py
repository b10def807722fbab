"""Lies about people: who is listed, invited, switched off or a member, after what was asked or done before."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.lies.asking import (
    ask_for,
    body_of,
    fields_of,
    marked,
    of_other_bodies,
    single_lies,
)
from contract_tests.mutants.lies.kinds import Kind, succeeded
from contract_tests.mutants.lies.people.token_claims import caller_of
from contract_tests.support.servers.asgi_exchanges import Answer
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.mutants.lies.asking import Lies

    Users = dict[str, Any]

_BAD_REQUEST = 400
_BETWEEN_SECONDS = 0.1
"""How long a name is looked up before it is taken, in a mutant."""
_BEHIND_PLUS = re.compile(r"(?<=.)\+[^@]*@")


def _of_users(change: Callable[[dict[str, Any], Users], Users]) -> Lie:
    """Return a lie that shows other users, by the request's body and the users that there are."""

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        users = object_of(fields_of("query_users", answer).get("users"))
        changed = change(body_of(exchange), users)
        return answer if changed == users else answer.with_json({"users": changed})

    return lie


def _all_enabled(body: dict[str, Any], users: Users) -> Users:
    """Return all users as if they might sign in; those that are asked for by id as they are."""
    return users if body.get("user_ids") else {key: user | {"enabled": True} for key, user in users.items()}


def _without_disabled(body: dict[str, Any], users: Users) -> Users:
    return users if body.get("user_ids") else {key: user for key, user in users.items() if user["enabled"]}


def _without_unknown(_: dict[str, Any], users: Users) -> Users:
    return {key: user for key, user in users.items() if user is not None} or users


def _none_behind_unknown(body: dict[str, Any], users: Users) -> Users:
    asked = list_of(body.get("user_ids"))
    until = next((number for number, key in enumerate(asked) if users.get(key) is None), len(asked))
    return users | dict.fromkeys(asked[until:])


async def _find_user(exchange: Exchange) -> dict[str, Any]:
    """Return the user whose address a request has, in whatever letters."""
    address = str(body_of(exchange).get("email")).lower()
    users = object_of((await ask_for(exchange, "query_users", {})).get("users"))
    return object_of(next((user for user in users.values() if str(user.get("email")).lower() == address), None))


async def _invites_again(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    user = await _find_user(exchange) if answer.status == _BAD_REQUEST else {}
    return Answer.of(200, {"id": user["id"], "password": body_of(exchange).get("password")}) if user else answer


def _without_plus(body: dict[str, Any]) -> dict[str, Any]:
    address = body.get("email")
    return body | {"email": _BEHIND_PLUS.sub("@", address)} if isinstance(address, str) else body


async def _switches_on_again(exchange: Exchange) -> Answer:
    user = await _find_user(exchange)
    answer = await exchange.ask()
    if user.get("enabled", True) or not succeeded("deactivate_user", answer):
        return answer
    await ask_for(exchange, "activate_user", {"email": user["email"]})
    return marked(answer)


def _without_role_by_id(body: dict[str, Any]) -> dict[str, Any]:
    return body if body.get("email") else {name: value for name, value in body.items() if name != "user_type"}


async def _removes_from_all(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    if not fields_of("remove_workspace_user", answer).get("affected_rows"):
        return answer
    ended = 0
    for workspace in list_of((await ask_for(exchange, "list_workspaces", {})).get("workspaces")):
        other = await exchange.ask(exchange.request.with_json(body | {"workspace_id": workspace["id"]}))
        ended += fields_of("remove_workspace_user", other).get("affected_rows", 0)
    return marked(answer) if ended else answer


async def _lists_the_first_contents(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    rows = [object_of(row) for row in list_of(fields_of("list_workspaces", answer).get("workspaces"))]
    changed = [
        row
        | {
            name: exchange.memory.setdefault((row["id"], name), row[name])
            for name in ("models", "pipelines")
            if row[name]
        }
        for row in rows
    ]
    return answer if changed == rows else answer.with_json({"workspaces": changed})


async def _lists_what_a_user_made(exchange: Exchange) -> Answer:
    answer, user = await exchange.ask(), body_of(exchange).get("user_id")
    rows = list_of(fields_of("list_workspaces", answer).get("workspaces"))
    made = [row for row in rows if user is None or row["created_by"] == user]
    return answer if made == rows else answer.with_json({"workspaces": made})


async def _lists_models_by_version(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    rows = [object_of(row) for row in list_of(fields_of("list_workspaces", answer).get("workspaces"))]
    changed = [row | {"models": await _models_by_version(exchange, row)} for row in rows]
    return answer if changed == rows else answer.with_json({"workspaces": changed})


async def _models_by_version(exchange: Exchange, workspace: dict[str, Any]) -> list[int]:
    """Return the ids of a workspace's models, each as often as it has versions."""
    listed = await ask_for(exchange, "list_models", {"workspace_id": workspace["id"]})
    counts = {row["model"]["id"]: len(row["model_versions"]) for row in list_of(listed.get("models"))}
    return [model for model in workspace["models"] for _ in range(counts.get(model, 1))]


async def _makes_one_of_two(exchange: Exchange) -> Answer:
    """Let two requests at a time for one name both succeed, with one workspace."""
    key = str(body_of(exchange).get("workspace_name"))
    names = exchange.memory
    names[key, "running"] = names.get((key, "running"), 0) + 1
    await asyncio.sleep(_BETWEEN_SECONDS)
    answer = await exchange.ask()
    names[key, "running"] -= 1
    made: Answer | None = names.get((key, "made"))
    if succeeded("create_workspace", answer):
        names[key, "made"] = answer
    elif made is not None and names.get((key, "both")):
        answer = made
    names[key, "both"] = bool(names[key, "running"])
    return answer


async def _shows_former_members(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    person = caller_of(exchange)
    key = (person, str(body_of(exchange).get("workspace_id")))
    if succeeded("list_models", answer):
        exchange.memory[key] = True
    return await exchange.ask_as_user() if answer.status == _BAD_REQUEST and key in exchange.memory else answer


_LIES: Lies = {
    "query_users": (
        ("all-enabled", "Among all users, nobody is deactivated.", _of_users(_all_enabled)),
        ("without-disabled", "Among all users, the deactivated are missing.", _of_users(_without_disabled)),
        ("without-unknown", "Ids that nobody has are left out.", _of_users(_without_unknown)),
        ("none-behind-unknown", "Behind an id that nobody has, there is nobody.", _of_users(_none_behind_unknown)),
    ),
    "invite_user": (
        ("again", "Who is there already can be invited.", _invites_again),
        (
            "behind-plus",
            "What is behind a plus sign in an address is lost.",
            of_other_bodies("invite_user", _without_plus),
        ),
    ),
    "deactivate_user": (("on-again", "Who is deactivated twice is switched on again.", _switches_on_again),),
    "add_workspace_user": (
        (
            "role-by-id",
            "Who is added by id is a collaborator.",
            of_other_bodies("add_workspace_user", _without_role_by_id),
        ),
    ),
    "remove_workspace_user": (("from-all", "Who is removed from a workspace is removed from all.", _removes_from_all),),
    "list_workspaces": (
        ("first-contents", "A workspace has what it had at first.", _lists_the_first_contents),
        ("made-alone", "The workspaces of a user are those that the user made.", _lists_what_a_user_made),
        ("models-by-version", "A model is in its workspace once a version.", _lists_models_by_version),
    ),
    "list_models": (
        ("former-members", "Who was a member when a workspace was last looked at sees it.", _shows_former_members),
    ),
    "create_workspace": (("one-of-two", "Of two of a name at a time, both are made, as one.", _makes_one_of_two),),
}


KINDS = (
    Kind(
        "people",
        "Users, members or their workspaces are others after a request before, or in some lists.",
        "It is about no people, or others show it.",
        single_lies("people", _LIES),
    ),
)
