"""Lies about deployments: which of several is ended or shown, under which name, and when it runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.lies.asking import (
    ask_for,
    body_of,
    marked,
    single_lies,
)
from contract_tests.mutants.lies.kinds import Kind, of_json, succeeded
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from contract_tests.mutants.layer import Exchange
    from contract_tests.mutants.lies.asking import Lies
    from contract_tests.support.servers.asgi_exchanges import Answer

_NOT_FOUND = 404
_NUMBER = re.compile(r"-\d+$")
_URL = re.compile(r"(?P<deployment>.*/infer/(?P<name>.+)-\d+)/(?P<pipeline>[^/]+)")


async def _deployments(exchange: Exchange) -> dict[str, dict[str, Any]]:
    """Return the newest deployment of each pipeline that the caller sees, by the pipeline's id as a text."""
    listed = await ask_for(exchange, "list_pipelines", {})
    rows = [object_of(row) for row in list_of(listed.get("pipelines"))]
    return {str(row["pipeline"]["id"]): object_of(row["deployment"]) for row in rows if row["deployment"]}


async def _ends_the_newest(exchange: Exchange) -> Answer:
    body = body_of(exchange)
    newest = (await _deployments(exchange)).get(str(body.get("pipeline_id")), {})
    if not newest.get("deployed") or body.get("deployment_id") is not None:
        return await exchange.ask()
    return await exchange.ask(exchange.request.with_json({"deployment_id": newest["id"]}))


async def _ends_all_of_a_name(exchange: Exchange) -> Answer:
    body, before = body_of(exchange), await _deployments(exchange)
    answer = await exchange.ask()
    ended = {
        pipeline: deployment["deploy_id"]
        for pipeline, deployment in before.items()
        if pipeline == str(body.get("pipeline_id")) or deployment["id"] == body.get("deployment_id")
    }
    others = [
        deployment["id"]
        for pipeline, deployment in before.items()
        if pipeline not in ended and deployment["deployed"] and deployment["deploy_id"] in ended.values()
    ]
    if not succeeded("undeploy_pipeline", answer) or not others:
        return answer
    for other in others:
        await exchange.ask(exchange.request.with_json({"deployment_id": other}))
    return marked(answer)


async def _ignores_the_number(exchange: Exchange) -> Answer:
    answer, name = await exchange.ask(), str(body_of(exchange).get("name"))
    known = exchange.memory.get(_NUMBER.sub("", name))
    if succeeded("get_deployment_status", answer):
        exchange.memory[_NUMBER.sub("", name)] = name
    elif answer.status == _NOT_FOUND and known not in {None, name}:
        return await exchange.ask(exchange.request.with_json({"name": known}))
    return answer


async def _stays_unknown(exchange: Exchange) -> Answer:
    answer, name = await exchange.ask(), body_of(exchange).get("name")
    if answer.status == _NOT_FOUND:
        exchange.memory[name] = answer
    return exchange.memory.get(name, answer) if succeeded("get_deployment_status", answer) else answer


def _running(status: Any) -> Any:
    return status | {"status": "Running"} if status["status"] == "Starting" else status


def _ending_in_the_deployment(shown: Any) -> Any:
    found = _URL.fullmatch(shown["url"])
    return {"url": f"{found['deployment']}/{found['name']}"} if found else shown


_LIES: Lies = {
    "undeploy_pipeline": (
        ("newest-alone", "Of a pipeline's deployments, the newest is ended.", _ends_the_newest),
        ("all-of-a-name", "With a pipeline's deployment, others' of its name are ended.", _ends_all_of_a_name),
    ),
    "get_deployment_status": (
        ("any-number", "The name without the number is enough.", _ignores_the_number),
        ("stays-unknown", "What was once not deployed is unknown for ever.", _stays_unknown),
        ("running-early", "What is starting runs already.", of_json("get_deployment_status", _running)),
    ),
    "get_pipeline_external_url": (
        (
            "deployment-as-pipeline",
            "A URL ends in the deployment's name in place of the pipeline's.",
            of_json("get_pipeline_external_url", _ending_in_the_deployment),
        ),
    ),
}

KINDS = (
    Kind(
        "other-deployment",
        "One deployment is taken for another, or its state is wrong.",
        "It is not about deployments, or others show it.",
        single_lies("other-deployment", _LIES),
    ),
)
