"""Lies to people who are, were or are not members: what a cache, a join or a check by another field lets through."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.asking import (
    ask_for,
    body_of,
    fields_of,
    marked,
    of_other_bodies,
    refusal,
    single_lies,
)
from contract_tests.mutants.lies.fields import rules, writes
from contract_tests.mutants.lies.kinds import Kind, is_turn, succeeded
from contract_tests.mutants.lies.people.token_claims import caller_of, claims_of
from contract_tests.support.servers.asgi_exchanges import Answer
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.effects import effects_of, split_thing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.mutants.lies.asking import Lies

_UNAUTHORIZED, _NOT_FOUND = 401, 404
_NOT_THERE = (400, _NOT_FOUND)
_BETWEEN_SECONDS = 0.02
"""How long a request is on its way in a mutant that mixes up two at a time."""
_LONGEST = 40
"""The most characters of an address that a mutant shows."""
_MADE_BY_MEMBERS = ("copy_pipeline", "deploy_pipeline", "create_assay", "insert_model_config", "set_assay_active")
_DONE = ("create_pipeline", "copy_pipeline", "upload_model", "add_workspace_user", "set_assay_active")
_BY_WORKSPACE = ("get_pipeline_by_name", "get_pipeline_logs", "get_pipeline_external_url", "get_assay_baseline")
_MAY_BE_EMPTY = {"get_model_upload_logs", "get_assay_v2", "get_assay_results", "get_assay_results_between"}
"""Operations whose good request may find nothing, or name nothing, so that all are answered the same."""
_BY_ANOTHER_FIELD = {"list_model_versions": "models_pk_id", "get_topic_name": "pipeline_name"}
_TOLD_APART = ("get_pipeline_by_name", "get_pipeline_version", "get_deployment_status", "get_assay_results")
_NAMED = ("get_model", "list_models", "list_workspace_users", "get_assay_by_id")


def _is_second(exchange: Exchange) -> bool:
    """Return whether the second person sends a request, with a token of its own."""
    first = claims_of(exchange.good_token()).get("sub")
    return caller_of(exchange) not in {None, first}


def _is_in_a_workspace(operation: str) -> bool:
    names = effects_of(rules().document)[operation].names
    return any(name.origin == "existing" and split_thing(name.thing)[0] not in {"user", ""} for name in names)


def _is_read_by_members(operation: str) -> bool:
    is_read = rules().takes_token(operation) and not writes(operation) and operation not in _MAY_BE_EMPTY
    return is_read and _is_in_a_workspace(operation)


def _key(exchange: Exchange) -> tuple[Any, ...]:
    request = exchange.request
    return (caller_of(exchange), request.path, request.query, request.body)


def _remembers_members(operation: str) -> Iterator[Mutant]:
    if not _is_read_by_members(operation) or not is_turn(operation, 4):
        return

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if succeeded(operation, answer):
            exchange.memory[_key(exchange)] = True
        is_former = answer.status in _NOT_THERE and _key(exchange) in exchange.memory
        return await exchange.ask_as_user() if is_former else answer

    yield Mutant(operation, "remembers-members", "", "Who was a member when something was asked for sees it.", lie)


def _remembers_strangers(operation: str) -> Iterator[Mutant]:
    if not _is_read_by_members(operation) or not is_turn(operation, 4, 2):
        return

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if (answer.status in _NOT_THERE or answer.json == []) and _is_second(exchange):
            exchange.memory[_key(exchange)] = answer
        return exchange.memory.get(_key(exchange), answer)

    yield Mutant(operation, "remembers-strangers", "", "Who was refused before becoming a member stays so.", lie)


def _remembers_tokens(operation: str) -> Iterator[Mutant]:
    if not _is_read_by_members(operation) or not is_turn(operation, 6):
        return

    async def lie(exchange: Exchange) -> Answer:
        answer, token = await exchange.ask(), exchange.request.header("authorization")
        if answer.status != _UNAUTHORIZED:
            exchange.memory[token] = True
        is_known = b"disabled" in answer.body and token in exchange.memory
        return await exchange.ask_as_user() if is_known else answer

    yield Mutant(operation, "remembers-tokens", "", "A token that was good here before is good for ever.", lie)


def _takes_the_client(operation: str) -> Iterator[Mutant]:
    if not rules().takes_token(operation) or not is_turn(operation, 9):
        return

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        is_basic = exchange.request.header("authorization").lower().startswith("basic ")
        return await exchange.ask_as_user() if is_basic and answer.status == _UNAUTHORIZED else answer

    yield Mutant(operation, "takes-the-client", "", "The client's own credentials are as good as a token.", lie)


def _refuses_members(operation: str) -> Iterator[Mutant]:
    if operation not in _MADE_BY_MEMBERS:
        return

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        is_members = succeeded(operation, answer) and _is_second(exchange)
        return refusal(400, "Only the owner may do that.") if is_members else answer

    yield Mutant(operation, "refuses-members", "", "Only who has made a workspace writes in it.", lie)


def _does_what_it_refuses(operation: str) -> Iterator[Mutant]:
    if operation not in _DONE:
        return

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if answer.status not in {*_NOT_THERE, 500} or not _is_second(exchange):
            return answer
        done = await exchange.ask_as_user()
        return marked(answer) if succeeded(operation, done) else answer

    yield Mutant(operation, "does-what-it-refuses", "", "What is refused to a stranger is done.", lie)


def _looks_at_one_field(operation: str) -> Iterator[Mutant]:
    """Yield mutants that let in who names a workspace of its own, or who names a thing by one of two fields."""
    if operation in _BY_WORKSPACE:

        async def by_workspace(exchange: Exchange) -> Answer:
            answer, body = await exchange.ask(), body_of(exchange)
            name, memory = str(body.get("pipeline_name")), exchange.memory
            if succeeded(operation, answer):
                memory[name] = body
            if answer.status not in _NOT_THERE or name not in memory or not _is_second(exchange):
                return answer
            listed = list_of((await ask_for(exchange, "list_workspaces", {})).get("workspaces"))
            if body.get("workspace_id") not in [each["id"] for each in listed]:
                return answer
            request = exchange.request.with_json(body | {"workspace_id": memory[name]["workspace_id"]})
            return await exchange.ask(request.with_header("authorization", f"Bearer {exchange.good_token()}"))

        text = "Who names a workspace of its own sees a pipeline of another one."
        yield Mutant(operation, "looks-at-one-field", "workspace", text, by_workspace)
    if operation in _BY_ANOTHER_FIELD:

        async def by_field(exchange: Exchange) -> Answer:
            answer = await exchange.ask()
            is_meant = body_of(exchange).get(_BY_ANOTHER_FIELD[operation]) is not None and _is_second(exchange)
            is_hidden = answer.status in _NOT_THERE or answer.json == []
            return await exchange.ask_as_user() if is_meant and is_hidden else answer

        text = "What is named by this field is anybody's."
        yield Mutant(operation, "looks-at-one-field", _BY_ANOTHER_FIELD[operation], text, by_field)


def _tells_apart(operation: str) -> Iterator[Mutant]:
    if operation not in _TOLD_APART:
        return

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if answer.status not in _NOT_THERE or not _is_second(exchange):
            return answer
        there = await exchange.ask_as_user()
        other = 400 if answer.status == _NOT_FOUND else _NOT_FOUND
        return refusal(other, "You are no member.") if succeeded(operation, there) else answer

    text = "What is another's is refused otherwise than what is not there."
    yield Mutant(operation, "tells-apart", "", text, lie)


def _names_what_is_there(operation: str) -> Iterator[Mutant]:
    if operation not in _NAMED:
        return

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if answer.status not in _NOT_THERE or not _is_second(exchange):
            return answer
        own = exchange.request.with_header("authorization", f"Bearer {exchange.good_token()}")
        listed = list_of((await ask_for(replace(exchange, request=own), "list_workspaces", {})).get("workspaces"))
        name = object_of(listed[-1]).get("name") if listed else ""
        return answer.with_json(object_of(answer.json) | {"msg": f"You are no member of {name}."})

    yield Mutant(operation, "names-what-is-there", "", "A refusal names a workspace to a stranger.", lie)


def _where_second(change: Callable[[Exchange], bool]) -> Lie:
    """Return a lie that lets the second person do some things, in the name of the first."""

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        is_refused = answer.status in {*_NOT_THERE, 500} and _is_second(exchange)
        return await exchange.ask_as_user() if is_refused and change(exchange) else answer

    return lie


def _is_public(exchange: Exchange) -> bool:
    return b"public" in exchange.request.body + exchange.request.query


def _is_by_metadata(exchange: Exchange) -> bool:
    return b'name="metadata"' in exchange.request.body


def _is_arrow(exchange: Exchange) -> bool:
    return "arrow" in exchange.request.header("content-type")


def _has_parameters(exchange: Exchange) -> bool:
    return b"separator" in exchange.request.query


async def _adds_whoever_asks(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    token = claims_of(exchange.request.header("authorization").partition(" ")[2])
    is_itself = body.get("user_id") == token.get("sub") or body.get("email") == token.get("email", "")
    is_refused = answer.status in _NOT_THERE and _is_second(exchange)
    return await exchange.ask_as_user() if is_refused and is_itself else answer


async def _logs_what_it_refuses(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    if answer.status not in _NOT_THERE or not _is_second(exchange):
        return answer
    await exchange.ask_as_user()
    return marked(answer)


async def _keeps_the_maker(exchange: Exchange) -> Answer:
    answer, memory, key = await exchange.ask(), exchange.memory, str(body_of(exchange).get("workspace_id"))
    listed = await ask_for(exchange, "list_workspaces", {})
    if succeeded("list_workspace_users", answer):
        maker = next((each["created_by"] for each in list_of(listed.get("workspaces")) if str(each["id"]) == key), None)
        memory[key, maker] = answer
    return memory.get((key, caller_of(exchange)), answer) if answer.status in _NOT_THERE else answer


async def _removes_members_pipelines(exchange: Exchange) -> Answer:
    answer, memory = await exchange.ask(), exchange.memory
    rows = [object_of(row) for row in list_of(fields_of("list_workspaces", answer).get("workspaces"))]
    changed = list[dict[str, Any]]()
    for row in rows:
        listed = await ask_for(exchange, "list_workspace_users", {"workspace_id": row["id"]})
        number = len(list_of(listed.get("users")))
        was = memory.get(row["id"], 0)
        memory[row["id"]] = max(number, was)
        changed.append(row | {"models": []} if number < was else row)
    return answer if changed == rows else answer.with_json({"workspaces": changed})


async def _empties_with_a_user(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    rows = [object_of(row) for row in list_of(fields_of("list_workspaces", answer).get("workspaces"))]
    changed = [row | {"pipelines": list[int]()} for row in rows]
    is_meant = body_of(exchange).get("user_id") is not None and changed != rows
    return answer.with_json({"workspaces": changed}) if is_meant else answer


async def _lists_all_for_nobody(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    if fields_of("list_workspaces", answer).get("workspaces") != [] or not body_of(exchange).get("user_id"):
        return answer
    users = object_of((await ask_for(exchange, "query_users", {})).get("users"))
    is_known = body_of(exchange)["user_id"] in users
    return answer if is_known else await exchange.ask(exchange.request.with_json({}))


async def _touches_changed_workspaces(exchange: Exchange) -> Answer:
    """Show that a workspace was made when its members were changed last."""
    answer, memory = await exchange.ask(), exchange.memory
    rows = [object_of(row) for row in list_of(fields_of("list_workspaces", answer).get("workspaces"))]
    changed = list[dict[str, Any]]()
    for row in rows:
        seen = (row["models"], row["pipelines"])
        is_other = memory.setdefault(row["id"], seen) != seen
        changed.append(row | {"created_by": None} if is_other and seen[0] and seen[1] else row)
    return answer if changed == rows else answer.with_json({"workspaces": changed})


async def _mixes_up_two(exchange: Exchange) -> Answer:
    """Answer the second of two people who ask at a time as the first."""
    memory = exchange.memory
    memory["running"] = memory.get("running", 0) + 1
    is_second_of_two = memory["running"] > 1
    await asyncio.sleep(_BETWEEN_SECONDS)
    answer = await exchange.ask()
    memory["running"] -= 1
    if is_second_of_two and "last" in memory:
        return memory["last"]
    memory["last"] = answer
    return answer


async def _counts_all_memberships(exchange: Exchange) -> Answer:
    body = body_of(exchange)
    users = object_of((await ask_for(exchange, "query_users", {})).get("users"))
    named = next((key for key, each in users.items() if each and each.get("email") == body.get("email")), None)
    listed = await ask_for(exchange, "list_workspaces", {"user_id": body.get("user_id") or named})
    answer = await exchange.ask()
    number = len(list_of(listed.get("workspaces")))
    is_other = fields_of("remove_workspace_user", answer).get("affected_rows") == 1 and number > 1
    return answer.with_json({"affected_rows": number}) if is_other else answer


async def _adds_to_two(exchange: Exchange) -> Answer:
    answer, body, memory = await exchange.ask(), body_of(exchange), exchange.memory
    before = memory.get("before")
    if succeeded("add_workspace_user", answer):
        memory["before"] = body.get("workspace_id")
        if before not in {None, body.get("workspace_id")}:
            await exchange.ask(exchange.request.with_json(body | {"workspace_id": before}))
            return marked(answer)
    return answer


def _shown(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Lie:
    """Return a lie that shows users in another way."""

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        users = object_of(fields_of("query_users", answer).get("users"))
        changed = {key: user and change(user) for key, user in users.items()}
        return answer if changed == users else answer.with_json({"users": changed})

    return lie


def _newer_while_off(user: dict[str, Any]) -> dict[str, Any]:
    return user if user["enabled"] else user | {"createdTimestamp": user["createdTimestamp"] + 1000}


def _cut(user: dict[str, Any]) -> dict[str, Any]:
    return user | {name: user[name][:_LONGEST] for name in ("email", "username")}


async def _enabled_as_the_first(exchange: Exchange) -> Answer:
    answer, asked = await exchange.ask(), list_of(body_of(exchange).get("user_ids"))
    users = object_of(fields_of("query_users", answer).get("users"))
    first = next((users[key] for key in asked if users.get(key)), None)
    if first is None:
        return answer
    changed = {key: user and user | {"enabled": first["enabled"]} for key, user in users.items()}
    return answer if changed == users else answer.with_json({"users": changed})


def _stripped(body: dict[str, Any]) -> dict[str, Any]:
    password = body.get("password")
    return body | {"password": password.strip()} if isinstance(password, str) else body


async def _clears_what_is_required(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    users = object_of(fields_of("query_users", answer).get("users"))
    memory, changed = exchange.memory, dict[str, Any]()
    for key, user in users.items():
        memory[key] = memory.get(key, 0) + 1
        is_other = user and user["requiredActions"] and memory[key] > 1
        changed[key] = user | {"requiredActions": []} if is_other else user
    return answer if changed == users else answer.with_json({"users": changed})


def _form(exchange: Exchange) -> dict[str, str]:
    return dict(parse_qsl(exchange.request.body.decode("latin-1"), keep_blank_values=True))


async def _blames_the_client(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    if b"disabled" not in answer.body:
        return answer
    return Answer.of(401, {"error": "invalid_client", "error_description": "Account disabled"})


async def _renews_once(exchange: Exchange) -> Answer:
    answer, sent, memory = await exchange.ask(), _form(exchange).get("refresh_token"), exchange.memory
    token = fields_of("request_token", answer)
    if sent is None or not token:
        return answer
    if sent in memory:
        return Answer.of(400, {"error": "invalid_grant", "error_description": "Token is not active"})
    memory[token.get("refresh_token")] = True
    return answer


async def _ends_all_sessions(exchange: Exchange) -> Answer:
    """Renew no token of before somebody was refused as deactivated."""
    answer, sent, memory = await exchange.ask(), _form(exchange).get("refresh_token"), exchange.memory
    memory.setdefault("old", set())
    memory.setdefault("given", set())
    if b"disabled" in answer.body:
        memory["old"] |= memory["given"]
    memory["given"] |= {fields_of("request_token", answer).get("refresh_token")} - {None}
    if sent not in memory["old"] or not succeeded("request_token", answer):
        return answer
    return Answer.of(400, {"error": "invalid_grant", "error_description": "Session not active"})


async def _gives_the_others_token(exchange: Exchange) -> Answer:
    form, memory = _form(exchange), exchange.memory
    if form.get("grant_type") != "password":
        return await exchange.ask()
    memory["running"] = memory.get("running", 0) + 1
    is_one_of_two = memory["running"] > 1
    await asyncio.sleep(_BETWEEN_SECONDS)
    answer = await exchange.ask()
    memory["running"] -= 1
    user, other = memory.get("last", (form.get("username"), answer))
    if succeeded("request_token", answer):
        memory["last"] = (form.get("username"), answer)
    return other if is_one_of_two and user != form.get("username") else answer


_LIES: Lies = {
    "request_token": (
        ("blames-the-client", "Who is deactivated is told of a bad client.", _blames_the_client),
        ("renews-once", "A renewed token is not renewed again.", _renews_once),
        ("ends-all-sessions", "Where somebody is deactivated, all sessions end.", _ends_all_sessions),
        ("the-others", "Of two people who sign in at a time, one gets the other's token.", _gives_the_others_token),
    ),
    "query_users": (
        ("newer-while-off", "Who is deactivated was made later.", _shown(_newer_while_off)),
        ("cut", "Long addresses are cut.", _shown(_cut)),
        ("enabled-as-the-first", "All who are asked for are enabled where the first is.", _enabled_as_the_first),
        ("required-once", "A temporary password need be changed no more, later.", _clears_what_is_required),
    ),
    "invite_user": (("stripped", "Blanks around a password are lost.", of_other_bodies("invite_user", _stripped)),),
    "list_workspaces": (
        ("made-by-members", "What the workspace has goes when a member does.", _removes_members_pipelines),
        ("empty-with-a-user", "Among the workspaces of a user, all are empty.", _empties_with_a_user),
        ("all-for-nobody", "Nobody's workspaces are all.", _lists_all_for_nobody),
        ("nobody-made-it", "What is made in a workspace makes it another's.", _touches_changed_workspaces),
        ("two-at-a-time", "Of two people who ask at a time, one sees what the other does.", _mixes_up_two),
    ),
    "list_workspace_users": (("keeps-the-maker", "Who made a workspace sees it for ever.", _keeps_the_maker),),
    "add_workspace_user": (
        ("itself", "Anybody may become a member.", _adds_whoever_asks),
        ("two", "A member of a workspace is one of that before, too.", _adds_to_two),
    ),
    "remove_workspace_user": (("counts-all", "All memberships of a user are counted.", _counts_all_memberships),),
    "upload_model": (("by-metadata", "Strangers upload with metadata.", _where_second(_is_by_metadata)),),
    "upload_model_stream": (("public", "Strangers upload what is public.", _where_second(_is_public)),),
    "infer_pipeline": (
        ("arrow", "Strangers score rows of Arrow.", _where_second(_is_arrow)),
        ("logs-what-it-refuses", "What is refused to a stranger is logged.", _logs_what_it_refuses),
    ),
    "infer_deployment": (("parameters", "Strangers score with parameters.", _where_second(_has_parameters)),),
}

_NOT_OF_MEMBERS = "Its requests name nothing of a workspace, or others show it: some have one."

KINDS = (
    Kind("remembers-members", "Who was a member sees what was shown before.", _NOT_OF_MEMBERS, _remembers_members),
    Kind("remembers-strangers", "Who was refused once stays refused.", _NOT_OF_MEMBERS, _remembers_strangers),
    Kind("remembers-tokens", "Tokens outlive deactivation where they were good.", _NOT_OF_MEMBERS, _remembers_tokens),
    Kind("takes-the-client", "Clients need no token.", "It takes none, or others show it.", _takes_the_client),
    Kind("refuses-members", "Members may not write.", "It writes nothing, or others show it.", _refuses_members),
    Kind(
        "does-what-it-refuses",
        "Refusals come too late.",
        "It writes nothing, or others show it.",
        _does_what_it_refuses,
    ),
    Kind("looks-at-one-field", "One field of two opens others' things.", _NOT_OF_MEMBERS, _looks_at_one_field),
    Kind("tells-apart", "Strangers find out what is there.", "It has one refusal, or others show it.", _tells_apart),
    Kind("names-what-is-there", "Refusals tell names.", _NOT_OF_MEMBERS, _names_what_is_there),
    Kind(
        "members",
        "People are others than they are, after or beside a request of another's.",
        "It is about no people, or others show it.",
        single_lies("members", _LIES),
    ),
)
