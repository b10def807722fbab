"""Lies about things that change or fail: versions that were deployed, deployed anew, or could not be converted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.kinds import Kind, of_json, succeeded
from contract_tests.mutants.lies.people.token_claims import claims_of
from contract_tests.support.servers.asgi_exchanges import Answer
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.mutants.layer import Exchange, Lie

_BAD_REQUEST = 400


def _of_version(change: Callable[[Exchange, dict[str, Any]], dict[str, Any]]) -> Lie:
    """Return a lie that changes the version in an answer."""

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if not succeeded("get_model_version_by_id", answer):
            return answer
        shown = object_of(object_of(answer.json)["model_version"])
        version = object_of(shown["model_version"])
        changed = version | change(exchange, version)
        return answer if changed == version else answer.with_json({"model_version": shown | {"model_version": changed}})

    return lie


def _stay_deployed(exchange: Exchange, version: dict[str, Any]) -> dict[str, Any]:
    if version["deployed"]:
        exchange.memory[version["id"]] = True
    return {"deployed": version["id"] in exchange.memory}


def _made_by_the_caller(exchange: Exchange, version: dict[str, Any]) -> dict[str, Any]:
    caller = claims_of(exchange.request.header("authorization").partition(" ")[2]).get("email")
    return {"created_by": caller} if caller and version["created_by"] else {}


async def _keeps_the_old_version(exchange: Exchange) -> Answer:
    body = object_of(exchange.request.json)
    name, version = str(body.get("deploy_id")), body.get("pipeline_version_pk_id")
    known = exchange.memory.get(name)
    if known and known[0] != version and isinstance(version, int):
        return Answer.of(200, {"id": known[1]})
    answer = await exchange.ask()
    if succeeded("deploy_pipeline", answer):
        exchange.memory[name] = (version, object_of(answer.json)["id"])
    return answer


def _with_one_model(status: Any) -> Any:
    return status | {"engines": [_engine_with_one_model(object_of(engine)) for engine in list_of(status["engines"])]}


def _engine_with_one_model(engine: dict[str, Any]) -> dict[str, Any]:
    found = object_of(engine.get("model_statuses"))
    return engine | {"model_statuses": found | {"models": list_of(found["models"])[:1]}} if found else engine


def _without_failed_models(listed: Any) -> Any:
    return {"models": [model for model in list_of(listed["models"]) if not _has_failed(object_of(model))]}


def _has_failed(model: dict[str, Any]) -> bool:
    shown = [object_of(object_of(each).get("model_version")) for each in list_of(model.get("model_versions"))]
    return bool(shown) and all(version.get("status") == "error" for version in shown)


async def _ignores_how_many(exchange: Exchange) -> Answer:
    body = object_of(exchange.request.json)
    return await exchange.ask(exchange.request.with_json({key: body[key] for key in body if key != "lines"}))


async def _shows_logs_to_all(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    if answer.status != _BAD_REQUEST:
        return answer
    return await exchange.ask_as_user()


_OF: dict[str, tuple[tuple[str, str, Lie], ...]] = {
    "get_model_version_by_id": (
        ("stays-deployed", "A version that was deployed is shown so for ever.", _of_version(_stay_deployed)),
        ("made-by-the-caller", "Whoever asks has uploaded the version.", _of_version(_made_by_the_caller)),
    ),
    "deploy_pipeline": (
        ("old-version", "A deployment goes on with its first pipeline version.", _keeps_the_old_version),
    ),
    "get_deployment_status": (
        (
            "one-model",
            "Of several models, a status has the first.",
            of_json("get_deployment_status", _with_one_model),
        ),
    ),
    "list_models": (
        (
            "failed-ones",
            "Models that could not be converted are left out.",
            of_json("list_models", _without_failed_models),
        ),
    ),
    "get_model_upload_logs": (
        ("all-lines", "However many lines are asked for, all come.", _ignores_how_many),
        ("strangers", "Everybody sees what a conversion logged.", _shows_logs_to_all),
    ),
}


def _about_changes(operation: str) -> Iterator[Mutant]:
    for about, text, lie in _OF.get(operation, ()):
        yield Mutant(operation, "changed-things", about, text, lie)


KINDS = (
    Kind(
        "changed-things",
        "What has changed or failed is shown as it was, or not at all.",
        "Others show what it shows of such things.",
        _about_changes,
    ),
)
