"""Lies about versions of models and pipelines: one of several is shown, made or configured in place of another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.conditions.asking import (
    ask_for,
    body_of,
    fields_of,
    of_other_bodies,
    single_lies,
)
from contract_tests.mutants.lies.conditions.names_and_files import with_texts
from contract_tests.mutants.lies.fields import fields
from contract_tests.mutants.lies.kinds import Kind, of_json
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.mutants.layer import Exchange
    from contract_tests.mutants.lies.conditions.asking import Lies
    from contract_tests.support.servers.asgi_exchanges import Answer

_PYTHON = "python_version"
_ENDS_WITH_0 = re.compile(r"\d+\.\d+0")


def _as_number(version: str) -> str:
    return str(float(version)) if _ENDS_WITH_0.fullmatch(version) else version


def _numbered(operation: str) -> Iterator[Mutant]:
    if any(field.name == _PYTHON for field in fields(operation)):
        lie = of_json(operation, lambda body: with_texts(body, (_PYTHON,), _as_number))
        yield Mutant(operation, "version-as-number", "", "The version 3.10 of Python is shown as 3.1.", lie)


def _with_newest_versions(listed: Any) -> Any:
    return {"models": [_with_newest_version(object_of(model)) for model in list_of(listed["models"])]}


def _with_newest_version(model: dict[str, Any]) -> dict[str, Any]:
    versions = sorted(list_of(model.get("model_versions")), key=lambda version: version["model_version"]["id"])
    return model | {"model_versions": versions[-1:]} if versions else model


async def _shows_the_first_configuration(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    shown = object_of(fields_of("get_model_version_by_id", answer).get("model_version"))
    if not shown.get("config"):
        return answer
    first = exchange.memory.setdefault(body_of(exchange)["model_version_id"], shown["config"])
    return answer if first == shown["config"] else answer.with_json({"model_version": shown | {"config": first}})


async def _keeps_the_first_configuration(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    shown = fields_of("get_model_config_by_id", answer)
    first = exchange.memory.setdefault(body_of(exchange)["model_id"], shown) if shown else shown
    return answer if first == shown else answer.with_json(first)


def _without_zero(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"filter_threshold": None} if body.get("filter_threshold") == 0 else body


async def _shows_the_oldest_lines(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    shown = fields_of("get_model_upload_logs", answer)
    if not shown or not body.get("lines"):
        return answer
    whole = await ask_for(exchange, "get_model_upload_logs", {"model_version_id": body["model_version_id"]})
    oldest = list_of(whole["logs"])[: body["lines"]]
    return answer if oldest == shown["logs"] else answer.with_json(shown | {"logs": oldest})


async def _takes_a_name_for_all_workspaces(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    made = fields_of("create_pipeline", answer)
    if not made:
        return answer
    pipeline = made["pipeline_pk_id"]
    workspace, first = exchange.memory.setdefault(body["pipeline_id"], (body["workspace_id"], pipeline))
    return answer if workspace == body["workspace_id"] else answer.with_json(made | {"pipeline_pk_id": first})


async def _shows_the_newest_steps(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    shown = fields_of("get_pipeline_version", answer)
    if not shown:
        return answer
    listed = await ask_for(exchange, "list_pipelines", {})
    for row in map(object_of, list_of(listed.get("pipelines"))):
        newest = object_of(row["pipeline_version"])
        if row["pipeline"]["name"] == shown["pipeline_id"] and newest["definition"] != shown["definition"]:
            return answer.with_json(shown | {"definition": newest["definition"]})
    return answer


_LIES: Lies = {
    "list_models": (
        ("newest-alone", "Of several versions, the newest is listed.", of_json("list_models", _with_newest_versions)),
    ),
    "get_model_version_by_id": (
        ("first-configuration", "The configuration that was shown first is shown.", _shows_the_first_configuration),
    ),
    "get_model_config_by_id": (
        ("first-configuration", "The configuration that was shown first is shown.", _keeps_the_first_configuration),
    ),
    "insert_model_config": (
        ("threshold-0", "A threshold of 0 is none.", of_other_bodies("insert_model_config", _without_zero)),
    ),
    "get_model_upload_logs": (("oldest-lines", "Who asks for some lines gets the oldest.", _shows_the_oldest_lines),),
    "create_pipeline": (
        ("name-of-all", "A name of another workspace's pipeline is that pipeline.", _takes_a_name_for_all_workspaces),
    ),
    "get_pipeline_version": (("newest-steps", "Older versions have the newest one's steps.", _shows_the_newest_steps),),
}

KINDS = (
    Kind("version-as-number", "A version of Python is read as a number.", "It shows no such version.", _numbered),
    Kind(
        "other-version",
        "One version, or one configuration, is taken for another.",
        "It shows and makes no versions, or others show it.",
        single_lies("other-version", _LIES),
    ),
)
