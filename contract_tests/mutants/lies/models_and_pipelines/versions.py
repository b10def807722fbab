"""Lies about versions of models and pipelines: one of several is shown, made or configured in place of another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.asking import (
    ask_for,
    body_of,
    fields_of,
    of_other_bodies,
    single_lies,
)
from contract_tests.mutants.lies.fields import fields
from contract_tests.mutants.lies.kinds import Kind, of_json, succeeded
from contract_tests.mutants.lies.models_and_pipelines.names_and_files import with_texts
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.mutants.lies.asking import Lies
    from contract_tests.support.servers.asgi_exchanges import Answer

_PYTHON = "python_version"
_PAGE = 10
_BAD_REQUEST = 400
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


def _listed(change: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]) -> Lie:
    """Return a lie that changes the versions in the list of models, given each version and its model."""

    def changed(listed: Any) -> Any:
        return {"models": [of_model(object_of(row)) for row in list_of(listed["models"])]}

    def of_model(row: dict[str, Any]) -> dict[str, Any]:
        versions = [object_of(each) for each in list_of(row["model_versions"])]
        return row | {
            "model_versions": [
                each | {"model_version": each["model_version"] | change(each["model_version"], row["model"])}
                for each in versions
            ]
        }

    return of_json("list_models", changed)


def _with_ten(model: Any) -> Any:
    return model | {"models": list_of(model["models"])[:_PAGE]}


def _with_newest_file(model: Any) -> Any:
    newest = model["models"][-1]["file_name"]
    return model | {"models": [version | {"file_name": newest} for version in list_of(model["models"])]}


async def _keeps_the_models_configuration(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    shown = fields_of("get_model_by_id", answer)
    if not shown.get("model_config"):
        return answer
    first = exchange.memory.setdefault(shown["id"], shown["model_config"])
    return answer if first == shown["model_config"] else answer.with_json(shown | {"model_config": first})


async def _keeps_one_configuration(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    made = object_of(fields_of("insert_model_config", answer).get("model_config"))
    first = exchange.memory.setdefault(body_of(exchange).get("model_version_id"), made.get("id")) if made else None
    return answer if first == made.get("id") else answer.with_json({"model_config": made | {"id": first}})


async def _misreads_pairs(exchange: Exchange) -> Answer:
    body = re.sub(rb"(?i)\\u(d83d|dd11)", rb"\\ufffd", exchange.request.body)
    return await exchange.ask(exchange.request if body == exchange.request.body else exchange.request.with_body(body))


async def _takes_the_first_of_a_name(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    if not (body.get("model_id") and body.get("models_pk_id")) or not succeeded("list_model_versions", answer):
        return answer
    versions = list_of(await ask_for(exchange, "list_model_versions", {"model_id": body["model_id"]}))
    first = [version for version in versions if version["models_pk_id"] == versions[0]["models_pk_id"]]
    return answer if first == answer.json else answer.with_json(first)


async def _shows_ids_to_all(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    is_unseen = answer.status == _BAD_REQUEST and isinstance(body.get("models_pk_id"), int) and "model_id" not in body
    return await exchange.ask_as_user() if is_unseen else answer


_LIES: Lies = {
    "list_models": (
        ("newest-alone", "Of several versions, the newest is listed.", of_json("list_models", _with_newest_versions)),
        ("never-deployed", "No version is listed as deployed.", _listed(lambda _version, _model: {"deployed": False})),
        ("all-ready", "All versions are listed as ready.", _listed(lambda _version, _model: {"status": "ready"})),
        ("all-private", "All are listed as private.", _listed(lambda _version, _model: {"visibility": "private"})),
        (
            "times-of-models",
            "All versions of a model are listed with its time.",
            _listed(lambda _, model: {"created_at": model["created_at"]}),
        ),
    ),
    "list_model_versions": (
        ("ten", "Ten versions are listed.", of_json("list_model_versions", lambda listed: list_of(listed)[:_PAGE])),
        ("first-of-name", "Of two models of a name, the first is found.", _takes_the_first_of_a_name),
        ("ids-for-all", "Who knows a model's id may see it.", _shows_ids_to_all),
    ),
    "get_model": (
        ("ten", "A model is shown with ten versions.", of_json("get_model", _with_ten)),
        ("newest-file", "All have the name of the newest one's file.", of_json("get_model", _with_newest_file)),
    ),
    "get_model_by_id": (
        ("first-configuration", "The configuration that was shown first is shown.", _keeps_the_models_configuration),
    ),
    "get_model_version_by_id": (
        ("first-configuration", "The configuration that was shown first is shown.", _shows_the_first_configuration),
    ),
    "get_model_config_by_id": (
        ("first-configuration", "The configuration that was shown first is shown.", _keeps_the_first_configuration),
    ),
    "insert_model_config": (
        ("threshold-0", "A threshold of 0 is none.", of_other_bodies("insert_model_config", _without_zero)),
        ("one-id", "A version's configurations have one id.", _keeps_one_configuration),
        ("surrogates", "A letter in two escapes is lost.", _misreads_pairs),
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
