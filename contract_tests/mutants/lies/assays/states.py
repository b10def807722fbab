"""Lies about what becomes of an assay: when it was run, when it ends, and whether it is switched on."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.lies.asking import (
    ask_for,
    body_of,
    fields_of,
    marked,
    of_other_bodies,
    single_lies,
)
from contract_tests.mutants.lies.kinds import Kind, of_json, succeeded
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from contract_tests.mutants.layer import Exchange
    from contract_tests.mutants.lies.asking import Lies
    from contract_tests.support.servers.asgi_exchanges import Answer

_OFFSET = re.compile(r"[+-]\d\d:\d\d$")
_MINUTE = timedelta(minutes=1)


def _never_run(assay: Any) -> Any:
    return object_of(assay) | {"status": "created"} if object_of(assay).get("last_run") else assay


def _without_offset(body: dict[str, Any]) -> dict[str, Any]:
    end = body.get("run_until")
    return body | {"run_until": _OFFSET.sub("Z", end)} if isinstance(end, str) else body


async def _switches_the_pipelines(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    if not succeeded("set_assay_active", answer) or body["active"]:
        return answer
    shown = await ask_for(exchange, "get_assay_by_id", {"id": body["id"]})
    listed = await ask_for(exchange, "list_assays", {"pipeline_id": shown["pipeline_id"]})
    others = [assay["id"] for assay in list_of(listed) if assay["active"]]
    for other in others:
        await exchange.ask(exchange.request.with_json({"id": other, "active": False}))
    return marked(answer) if others else answer


async def _stays_off(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    key = body.get("assay_id")
    if not succeeded("set_assay_v2_active", answer):
        return answer
    if not body["active"]:
        exchange.memory[key] = True
    elif key in exchange.memory:
        await exchange.ask(exchange.request.with_json(body | {"active": False}))
        return marked(answer)
    return answer


def _with_crossed_thresholds(assay: Any) -> Any:
    targeting = object_of(assay["targeting"])
    fields = [object_of(field) for field in list_of(targeting["iopath"])]
    crossed = [field | {"thresholds": _crossed(object_of(field.get("thresholds")))} for field in fields]
    return assay | {"targeting": targeting | {"iopath": crossed}}


def _crossed(thresholds: dict[str, Any]) -> dict[str, Any]:
    return thresholds | {"alert": thresholds.get("warning"), "warning": thresholds.get("alert")}


async def _runs_for_ever(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    shown = fields_of("get_next_assay_run_v2", answer)
    if not shown.get("last_run") or shown["next_run"] is not None:
        return answer
    following = datetime.fromisoformat(shown["last_run"]) + _MINUTE
    return answer.with_json(shown | {"next_run": following.isoformat()})


_LIES: Lies = {
    "list_assays": (
        (
            "never-run",
            "An assay that was run has the status of a new one.",
            of_json("list_assays", lambda assays: [_never_run(assay) for assay in list_of(assays)]),
        ),
    ),
    "create_assay": (
        (
            "offset-of-its-end",
            "The end is stored without its offset.",
            of_other_bodies("create_assay", _without_offset),
        ),
    ),
    "set_assay_active": (
        ("all-of-a-pipeline", "With an assay, the others of its pipeline are switched off.", _switches_the_pipelines),
    ),
    "set_assay_v2_active": (("stays-off", "What was switched off stays off.", _stays_off),),
    "get_assay_v2_by_id": (
        (
            "crossed-thresholds",
            "The thresholds are shown crossed.",
            of_json("get_assay_v2_by_id", _with_crossed_thresholds),
        ),
    ),
    "get_assay_v2": (
        (
            "inactive-ones",
            "Who asks for those that are off gets all.",
            of_other_bodies(
                "get_assay_v2", lambda body: body | ({"active": "All"} if body.get("active") == "InactiveOnly" else {})
            ),
        ),
    ),
    "get_next_assay_run_v2": (("runs-for-ever", "What has ended has a next run.", _runs_for_ever),),
}

KINDS = (
    Kind(
        "assay-states",
        "An assay's state is not what became of it.",
        "It shows and changes no state of an assay, or others show it.",
        single_lies("assay-states", _LIES),
    ),
)
