"""Lies about writes under a condition: two at a time, an older version, one field of several; and about times."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import rules
from contract_tests.mutants.lies.kinds import Kind, is_turn, of_json, succeeded
from contract_tests.support.servers.asgi_exchanges import Answer
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.owned_resources import NOBODYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.mutants.layer import Exchange

_EVERY = 5
_AT_A_TIME = (
    "create_workspace",
    "create_pipeline",
    "upload_and_convert_model",
    "upload_model",
    "upload_model_stream",
    "invite_user",
    "add_workspace_user",
)
"""The operations that clients send several of at a time."""
_SWITCHES, _ACTIVE = ("set_assay_active", "set_assay_v2_active"), "active"
"""The operations that switch something on or off, and the field that says which."""
_TIMED = (
    "list_workspaces",
    "list_models",
    "get_model",
    "get_model_by_id",
    "get_model_version_by_id",
    "list_pipelines",
    "get_pipeline_by_name",
)
"""The operations that tell when things were made that the run has just made."""


def _toggled(operation: str) -> Iterator[Mutant]:
    if operation not in _SWITCHES:
        return

    async def lie(exchange: Exchange) -> Answer:
        asked = object_of(exchange.request.json)
        key = json.dumps({name: value for name, value in asked.items() if name != _ACTIVE})
        if not isinstance(asked.get(_ACTIVE), bool):
            return await exchange.ask()
        if exchange.memory.get(key) is not asked[_ACTIVE]:
            exchange.memory[key] = asked[_ACTIVE]
            return await exchange.ask()
        exchange.memory[key] = not asked[_ACTIVE]
        answer = await exchange.ask(exchange.request.with_json(asked | {_ACTIVE: not asked[_ACTIVE]}))
        shown = object_of(answer.json)
        return answer.with_json(shown | {_ACTIVE: asked[_ACTIVE]}) if _ACTIVE in shown else answer

    yield Mutant(operation, "toggles", "", "What is so already becomes the opposite, and is said to be as asked.", lie)


def _lost_at_a_time(operation: str) -> Iterator[Mutant]:
    if operation not in _AT_A_TIME:
        return

    async def lie(exchange: Exchange) -> Answer:
        memory = exchange.memory
        last: Answer | None = memory.get("answer")
        if memory.get("running", 0) and last is not None:
            return last
        memory["running"] = memory.get("running", 0) + 1
        try:
            answer = await exchange.ask()
        finally:
            memory["running"] -= 1
        if succeeded(operation, answer):
            memory["answer"] = answer
        return answer

    text = "While a request is carried out, others are answered as the last one was, and forgotten."
    yield Mutant(operation, "loses-the-second-at-a-time", "", text, lie)


def _newest(operation: str) -> Iterator[Mutant]:
    if operation not in {"deploy_pipeline", "copy_pipeline"}:
        return

    async def newest_of_deployed(exchange: Exchange) -> Answer:
        body = object_of(exchange.request.json)
        version = body.get("pipeline_version_pk_id")
        if isinstance(version, int) and body.get("pipeline_id") is not None and _is_good(operation, body):
            answer = await exchange.ask(exchange.request.with_json(body | {"pipeline_version_pk_id": version + 1}))
            if succeeded(operation, answer):
                return answer
        return await exchange.ask()

    async def newest_of_copied(exchange: Exchange) -> Answer:
        body = {name: value for name, value in object_of(exchange.request.json).items() if name != "pipeline_version"}
        is_meant = _is_good(operation, exchange.request.json) and body != exchange.request.json
        return await (exchange.ask(exchange.request.with_json(body)) if is_meant else exchange.ask())

    lie = newest_of_deployed if operation == "deploy_pipeline" else newest_of_copied
    yield Mutant(operation, "takes-the-newest", "", "A newer version is taken in place of the one asked for.", lie)


def _forgotten_ids(operation: str) -> Iterator[Mutant]:
    if operation != "undeploy_pipeline":
        return

    async def lie(exchange: Exchange) -> Answer:
        body = object_of(exchange.request.json)
        is_alone = body.get("pipeline_id", NOBODYS) != NOBODYS and "deployment_id" not in body
        if is_alone and "answer" in exchange.memory and _is_good(operation, body):
            return exchange.memory["answer"]
        answer = await exchange.ask()
        if succeeded(operation, answer):
            exchange.memory["answer"] = answer
        return answer

    yield Mutant(operation, "forgets-the-pipeline", "", "A pipeline's id alone undeploys nothing.", lie)


_FORGOTTEN: dict[str, dict[str, Any]] = {
    "invite_user": {"password": None},
    "add_workspace_user": {"user_type": None},
    "insert_model_config": {"tensor_fields": None, "filter_threshold": None},
    "create_pipeline": {"definition": {}},
    "copy_pipeline": {"pipeline_version": None},
    "deploy_pipeline": {"models": None, "model_ids": None},
    "create_assay": {"active": True},
}
"""The fields that are seen afterwards, with the values that are as good as forgotten."""


def _partly_forgotten(operation: str) -> Iterator[Mutant]:
    for field, value in _FORGOTTEN.get(operation, {}).items():

        async def lie(exchange: Exchange, field: str = field, value: Any = value) -> Answer:
            body = object_of(exchange.request.json)
            if field not in body or not _is_good(operation, body):
                return await exchange.ask()
            return await exchange.ask(exchange.request.with_json(body | {field: value}))

        yield Mutant(operation, "forgets-a-field", field, f"What is sent as `{field}` is forgotten.", lie)


def _is_good(operation: str, body: Any) -> bool:
    """Return whether a body is one that the contract allows."""
    return not rules().problems(rules().request_content(operation)["application/json"]["schema"], body)


def _refuses_later(operation: str) -> Iterator[Mutant]:
    if rules().request_content(operation) and rules().takes_token(operation) and is_turn(operation, _EVERY):

        async def lie(exchange: Exchange) -> Answer:
            answer = await exchange.ask()
            if not exchange.memory.get("has refused"):
                exchange.memory["has refused"] = answer.status in {400, 415}
                return answer
            return Answer.of(400, {"code": 400, "msg": "no"}) if succeeded(operation, answer) else answer

        text = "After it has refused a request, it refuses all, good ones too."
        yield Mutant(operation, "refuses-everything-afterwards", "", text, lie)


def _at_offset(moment: str) -> str:
    digits = moment[:-1] if moment.endswith("Z") else moment[:-6]
    return f"{digits}-05:00"


_SHIFTS: dict[str, tuple[str, Callable[[str], str]]] = {
    "wrong-offset": ("Times are labelled with another offset from UTC.", _at_offset),
    "zero": ("Times are the beginning of 1970.", lambda _: "1970-01-01T00:00:00+00:00"),
    "hours-later": (
        "Times are local ones that are called UTC.",
        lambda moment: (datetime.fromisoformat(moment) + timedelta(hours=2)).isoformat(timespec="microseconds"),
    ),
}


def _wrong_times(operation: str) -> Iterator[Mutant]:
    if operation not in _TIMED:
        return
    number = _TIMED.index(operation)
    for about in (list(_SHIFTS)[number % len(_SHIFTS)], list(_SHIFTS)[(number + 1) % len(_SHIFTS)]):
        text, shift = _SHIFTS[about]
        lie = of_json(operation, lambda body, shift=shift: _shifted(body, shift))
        yield Mutant(operation, "wrong-times", about, text, lie)


def _shifted(value: Any, shift: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_shifted(inner, shift) for inner in list_of(value)]
    if not isinstance(value, dict):
        return value
    return {
        name: shift(inner)
        if name in {"created_at", "updated_at"} and isinstance(inner, str)
        else _shifted(inner, shift)
        for name, inner in object_of(value).items()
    }


KINDS = (
    Kind("toggles", "A state that is set again becomes the opposite.", "It sets no state by a boolean.", _toggled),
    Kind("loses-the-second-at-a-time", "One of two writes at a time is lost.", "Few send it so.", _lost_at_a_time),
    Kind("takes-the-newest", "The newest version is taken.", "It takes no version of several.", _newest),
    Kind("forgets-the-pipeline", "A pipeline is not undeployed.", "It undeploys nothing.", _forgotten_ids),
    Kind("forgets-a-field", "A field is forgotten.", "No such field is seen afterwards.", _partly_forgotten),
    Kind(
        "refuses-everything-afterwards",
        "Good requests are refused.",
        "Others show it: every fifth has one.",
        _refuses_later,
    ),
    Kind("wrong-times", "Times are wrong.", "It does not say when something was made.", _wrong_times),
)
