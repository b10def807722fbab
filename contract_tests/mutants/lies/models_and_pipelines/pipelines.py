"""Lies about pipelines that are made, listed, copied and deployed again, or by others, or named in mixed ways."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.lies.asking import (
    ask_for,
    body_of,
    fields_of,
    is_bad,
    marked,
    of_other_bodies,
    refusal,
    single_lies,
)
from contract_tests.mutants.lies.kinds import Kind, of_json, succeeded
from contract_tests.mutants.lies.people.token_claims import caller_of
from contract_tests.support.servers.asgi_exchanges import Answer
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.mutants.lies.asking import Lies

_NOT_FOUND = 404
_OK = 200
_REFUSED = {400, 404}
_MOST_STEPS, _MOST_LISTED = 16, 5
_AT_ONCE = timedelta(milliseconds=2)
_NUMBER = re.compile(r"-\D?0*(\d+)(\.0)?$")


def _steps_of(body: dict[str, Any]) -> list[Any]:
    return list_of(object_of(body.get("definition")).get("steps"))


async def _keeps_the_steps(exchange: Exchange) -> Answer:
    body = body_of(exchange)
    place = str((body.get("workspace_id"), body.get("pipeline_id")))
    before = exchange.memory.get(place)
    if not before or body.get("definition") != {}:
        answer = await exchange.ask()
        if succeeded("create_pipeline", answer):
            exchange.memory[place] = _steps_of(body)
        return answer
    return await exchange.ask(exchange.request.with_json(body | {"definition": {"steps": before}}))


def _with_few_steps(body: dict[str, Any]) -> dict[str, Any]:
    steps = _steps_of(body)
    return body if len(steps) <= _MOST_STEPS else body | {"definition": {"steps": steps[:_MOST_STEPS]}}


async def _knows_versions_by_their_uuid(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    models = [each for step in _steps_of(body) for each in list_of(object_of(step["ModelInference"])["models"])]
    if succeeded("create_pipeline", answer):
        exchange.memory.update({each["version"]: each for each in models})
        return answer
    known = [exchange.memory.get(each["version"]) for each in models if isinstance(each, dict)]
    if answer.status not in _REFUSED or not known or not all(known):
        return answer
    steps = [{"ModelInference": {"models": known}}]
    return await exchange.ask(exchange.request.with_json(body | {"definition": {"steps": steps}}))


def _as_user(operation: str, is_tried: Callable[[dict[str, Any]], bool]) -> Lie:
    """Return a lie that does for everybody what some requests want."""

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if answer.status not in _REFUSED or not is_tried(body_of(exchange)):
            return answer
        other = await exchange.ask_as_user()
        return other if succeeded(operation, other) else answer

    return lie


async def _takes_the_first_caller_only(exchange: Exchange) -> Answer:
    caller = str(caller_of(exchange))
    if "caller" in exchange.memory and exchange.memory["caller"] != caller:
        tried = await exchange.ask()
        return refusal(400, "The pipeline is another user's.") if succeeded("deploy_pipeline", tried) else tried
    answer = await exchange.ask()
    if succeeded("deploy_pipeline", answer):
        exchange.memory["caller"] = caller
    return answer


async def _gives_the_newest_id(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    made = fields_of("deploy_pipeline", answer)
    if not made:
        return answer
    known = exchange.memory.setdefault(body.get("pipeline_id"), [])
    if made["id"] in known and known[-1] != made["id"]:
        return answer.with_json({"id": known[-1]})
    known.append(made["id"])
    return answer


async def _wants_models_in_lists(exchange: Exchange) -> Answer:
    if body_of(exchange).get("models") == []:
        return refusal(400, "models: an empty list.")
    return await exchange.ask()


def _with_one_list(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in body if name != "models" or not body.get("model_ids")}


async def _ignores_the_pipeline(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    if answer.status not in _REFUSED or not body.get("pipeline_id"):
        return answer
    return await exchange.ask(exchange.request.with_json({key: body[key] for key in body if key != "pipeline_id"}))


async def _configures_anew(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    if not succeeded("deploy_pipeline", answer) or not body.get("model_ids"):
        return answer
    for number in list_of(body["model_ids"]):
        await ask_for(exchange, "insert_model_config", {"model_version_id": number, "tensor_fields": ["tensor"]})
    return marked(answer)


async def _takes_two_nulls(exchange: Exchange) -> Answer:
    body = body_of(exchange)
    is_nothing = body == {"pipeline_id": None, "deployment_id": None}
    return Answer.of(_OK, {}) if is_nothing else await exchange.ask()


async def _ends_all_instead(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    if answer.status not in _REFUSED or not body.get("pipeline_id") or not body.get("deployment_id"):
        return answer
    return await exchange.ask(exchange.request.with_json({"pipeline_id": body["pipeline_id"]}))


def _keeps(is_kept: Callable[[Answer], bool], is_shown: Callable[[Answer], bool]) -> Lie:
    """Return a lie that keeps some answers, by their requests, and shows them in place of others."""

    async def lie(exchange: Exchange) -> Answer:
        answer, key = await exchange.ask(), (str(caller_of(exchange)), str(sorted(body_of(exchange).items())))
        if is_kept(answer):
            exchange.memory[key] = answer
        return exchange.memory.get(key, answer) if is_shown(answer) else answer

    return lie


def _is_missing(answer: Answer) -> bool:
    return answer.status == _NOT_FOUND


def _is_found(answer: Answer) -> bool:
    return answer.status == _OK


def _reads_the_number(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"name": _NUMBER.sub(r"-\1", body["name"])} if isinstance(body.get("name"), str) else body


def _trimmed(field: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda body: body | {field: body[field].strip()} if isinstance(body.get(field), str) else body


def _accepting(operation: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Lie:
    """Return a lie that takes what is refused for something else."""

    async def lie(exchange: Exchange) -> Answer:
        answer, body = await exchange.ask(), body_of(exchange)
        changed = change(body)
        if answer.status not in _REFUSED or changed == body or is_bad(operation, exchange.request):
            return answer
        other = await exchange.ask(exchange.request.with_json(changed))
        return other if succeeded(operation, other) else answer

    return lie


async def _shows_the_models_id(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    status = fields_of("get_deployment_status", answer)
    engines = [dict(engine) for engine in list_of(status.get("engines"))]
    for engine in engines:
        models = [dict(each) for each in list_of(object_of(engine.get("model_statuses")).get("models"))]
        for each in models:
            versions = list_of(await ask_for(exchange, "list_model_versions", {"model_id": each["name"]}))
            each["model_version_id"] = min(version["id"] for version in versions)
        engine["model_statuses"] = {"models": models} if engine.get("model_statuses") else None
    return answer if not status or engines == status["engines"] else answer.with_json(status | {"engines": engines})


def _of_engines(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Lie:
    return of_json(
        "get_deployment_status",
        lambda status: status | {"engines": [change(object_of(engine)) for engine in list_of(status["engines"])]},
    )


def _with_models_twice(engine: dict[str, Any]) -> dict[str, Any]:
    models = list_of(object_of(engine.get("model_statuses")).get("models"))
    return engine | {"model_statuses": {"models": models * 2}} if models else engine


def _without_address(engine: dict[str, Any]) -> dict[str, Any]:
    return engine | {"ip": None}


def _without(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda body: {name: body[name] for name in body if name not in names}


def _without_name_beside_id(body: dict[str, Any]) -> dict[str, Any]:
    return _without("workspace_name")(body) if body.get("workspace_id") else body


def _without_name_beside_null(body: dict[str, Any]) -> dict[str, Any]:
    return {} if "workspace_id" in body and body["workspace_id"] is None else body


async def _lists_a_page_of_a_workspace(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    listed = list_of(fields_of("list_pipelines", answer).get("pipelines"))
    if len(listed) <= _MOST_LISTED or not body.get("workspace_id"):
        return answer
    return answer.with_json({"pipelines": listed[:_MOST_LISTED]})


async def _lists_all_in_one_workspace(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    rows = [object_of(row) for row in list_of(fields_of("list_pipelines", answer).get("pipelines"))]
    changed = [row | {"workspace": rows[0]["workspace"]} for row in rows]
    return answer if changed == rows or any(body_of(exchange).values()) else answer.with_json({"pipelines": changed})


def _with_deployed_again(listed: Any) -> Any:
    """Return a list in which what is deployed has been so twice, as a join with its deployments would."""
    rows = [object_of(row) for row in list_of(listed["pipelines"])]
    again = [row | {"deployment": None} for row in rows if object_of(row.get("deployment")).get("deployed")]
    return {"pipelines": [*rows, *again]}


def _is_new(pipeline: dict[str, Any]) -> bool:
    made, changed = (datetime.fromisoformat(pipeline[key]) for key in ("created_at", "updated_at"))
    return changed - made < _AT_ONCE


async def _hides_first_versions(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    rows = [object_of(row) for row in list_of(fields_of("list_pipelines", answer).get("pipelines"))]
    changed = [row | {"pipeline_version": None} if _is_new(row["pipeline"]) else row for row in rows]
    return answer if changed == rows else answer.with_json({"pipelines": changed})


def _never_changed(found: Any) -> Any:
    return found | {"pipeline": found["pipeline"] | {"updated_at": found["pipeline"]["created_at"]}}


def _newest_when_deployed(body: dict[str, Any]) -> dict[str, Any]:
    return _without("pipeline_version")(body) if body.get("deploy") else body


async def _names_the_sources_version(exchange: Exchange) -> Answer:
    answer, version = await exchange.ask(), body_of(exchange).get("pipeline_version")
    made = fields_of("copy_pipeline", answer)
    if not made.get("pipeline_version") or not version:
        return answer
    return answer.with_json(made | {"pipeline_version": version})


async def _source_of(exchange: Exchange) -> dict[str, Any]:
    """Return what is listed of the source of a copy."""
    listed = await ask_for(exchange, "list_pipelines", {})
    rows = [object_of(row) for row in list_of(listed.get("pipelines"))]
    found = [row for row in rows if row["pipeline"]["id"] == body_of(exchange).get("source_pipeline")]
    return object_of(found[0] if found else None)


async def _copies_to_itself(exchange: Exchange) -> Answer:
    answer, body, source = await exchange.ask(), body_of(exchange), await _source_of(exchange)
    if answer.status not in _REFUSED or not source or source["pipeline"]["name"] != body.get("name"):
        return answer
    fields: dict[str, Any] = {"workspace_id": body["workspace_id"], "pipeline_id": body["name"], "definition": {}}
    made = await ask_for(exchange, "create_pipeline", fields)
    return Answer.of(_OK, _without("pipeline_variant_version")(made) | {"pipeline_version": None, "deployment": None})


async def _copies_one_step(exchange: Exchange) -> Answer:
    body, source = body_of(exchange), await _source_of(exchange)
    steps = _steps_of(object_of(source.get("pipeline_version")))
    if len(steps) <= 1 or body.keys() != {"name", "workspace_id", "source_pipeline"}:
        return await exchange.ask()
    fields = {"workspace_id": body["workspace_id"], "pipeline_id": body["name"], "definition": {"steps": steps[:1]}}
    made = await ask_for(exchange, "create_pipeline", fields)
    return Answer.of(_OK, _without("pipeline_variant_version")(made) | {"pipeline_version": None, "deployment": None})


async def _changes_the_source(exchange: Exchange) -> Answer:
    answer, source = await exchange.ask(), await _source_of(exchange)
    if not succeeded("copy_pipeline", answer) or not source:
        return answer
    fields = {"workspace_id": source["workspace"]["id"], "pipeline_id": source["pipeline"]["name"]}
    await ask_for(exchange, "create_pipeline", fields | {"definition": source["pipeline_version"]["definition"]})
    return marked(answer)


async def _logs_the_newest_version(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    rows = [object_of(row) for row in list_of(answer.json)] if succeeded("get_pipeline_logs", answer) else []
    if not rows or "metadata" not in rows[0]:
        return answer
    newest = rows[0]["metadata"].get("pipeline_version")
    changed = [row | {"metadata": row["metadata"] | {"pipeline_version": newest}} for row in rows]
    return answer if changed == rows else answer.with_json(changed)


_LIES: Lies = {
    "create_pipeline": (
        ("empty-as-before", "A version of nothing has the steps of the one before.", _keeps_the_steps),
        ("few-steps", "Of many steps, the first are kept.", of_other_bodies("create_pipeline", _with_few_steps)),
        ("by-uuid-alone", "A version that is named wrongly is found by its UUID.", _knows_versions_by_their_uuid),
    ),
    "deploy_pipeline": (
        (
            "strangers-by-version",
            "Without a pipeline's id, everybody may.",
            _as_user("deploy_pipeline", lambda body: not body.get("pipeline_id")),
        ),
        ("first-caller", "Only the one who did it first may.", _takes_the_first_caller_only),
        ("newest-id", "What is deployed again has the id of the newest deployment.", _gives_the_newest_id),
        ("empty-list", "An empty list of models is refused.", _wants_models_in_lists),
        ("one-list", "Beside ids, named models are ignored.", of_other_bodies("deploy_pipeline", _with_one_list)),
        ("any-pipeline", "A version is deployed for another pipeline.", _ignores_the_pipeline),
        ("configured-anew", "What is deployed by its id is configured anew.", _configures_anew),
    ),
    "undeploy_pipeline": (
        ("two-nulls", "Two nulls are taken.", _takes_two_nulls),
        ("all-instead", "In place of a deployment that there is not, all are ended.", _ends_all_instead),
        (
            "strangers-by-deployment",
            "By a deployment's id, everybody may.",
            _as_user("undeploy_pipeline", lambda body: not body.get("pipeline_id")),
        ),
    ),
    "copy_pipeline": (
        ("to-itself", "A copy of the source's name is a version of the source.", _copies_to_itself),
        ("one-step", "Of several steps, the first is copied.", _copies_one_step),
        ("changed-source", "The source gets a version, too.", _changes_the_source),
        (
            "newest-deployed",
            "What is deployed is the newest version.",
            of_other_bodies("copy_pipeline", _newest_when_deployed),
        ),
        ("sources-version", "The UUID is that of the version that was copied.", _names_the_sources_version),
    ),
    "get_deployment_status": (
        ("read-number", "The id is read as a number.", _accepting("get_deployment_status", _reads_the_number)),
        ("trimmed", "White space around the name is ignored.", _accepting("get_deployment_status", _trimmed("name"))),
        ("models-id", "The id of a model stands for that of its version.", _shows_the_models_id),
        ("models-twice", "Each model is loaded twice.", _of_engines(_with_models_twice)),
        ("no-address", "What runs has no address.", _of_engines(_without_address)),
    ),
    "get_pipeline_external_url": (
        ("stays", "What had a URL has it for ever.", _keeps(_is_found, _is_missing)),
        ("stays-unknown", "What had no URL never has one.", _keeps(_is_missing, _is_found)),
    ),
    "list_pipelines": (
        ("unknown-as-all", "A workspace that there is not has all.", _accepting("list_pipelines", lambda _: {})),
        ("id-alone", "Beside an id, a name is ignored.", of_other_bodies("list_pipelines", _without_name_beside_id)),
        (
            "null-as-all",
            "With null for an id, a name is ignored.",
            of_other_bodies("list_pipelines", _without_name_beside_null),
        ),
        ("page-of-workspace", "Of a workspace, the newest are listed.", _lists_a_page_of_a_workspace),
        ("one-workspace", "Among all, each is in one workspace.", _lists_all_in_one_workspace),
        ("deployed-twice", "What is deployed is listed twice.", of_json("list_pipelines", _with_deployed_again)),
        ("no-first-version", "A new pipeline is listed without its version.", _hides_first_versions),
    ),
    "get_pipeline_by_name": (
        ("stays-unknown", "What there was not is never found.", _keeps(_is_missing, _is_found)),
        (
            "trimmed",
            "White space around the name is ignored.",
            _accepting("get_pipeline_by_name", _trimmed("pipeline_name")),
        ),
        ("never-changed", "It was changed when it was made.", of_json("get_pipeline_by_name", _never_changed)),
    ),
    "get_topic_name": (
        (
            "any-workspace",
            "What the workspace does not have is looked for everywhere.",
            _accepting("get_topic_name", _without("workspace_id")),
        ),
    ),
    "get_pipeline_logs": (
        ("newest-version", "All rows were scored by the newest row's version.", _logs_the_newest_version),
    ),
}

KINDS = (
    Kind(
        "pipeline-conditions",
        "It does something else than it says where things are named in mixed ways, or again, or by others.",
        "It is not about pipelines, or others show it.",
        single_lies("pipeline-conditions", _LIES),
    ),
)
