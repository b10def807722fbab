"""Lies about logs under a condition: some pages, orders, formats and spans, another version, what is undeployed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.lies.asking import (
    ask_for,
    ask_instead,
    body_of,
    fields_of,
    header_of,
    of_other_bodies,
    pairs_of,
    single_lies,
    with_pairs,
    without_header,
)
from contract_tests.mutants.lies.inference.rows import ARROW, json_rows, table_of, with_rows, with_table
from contract_tests.mutants.lies.kinds import Kind, succeeded
from contract_tests.support.servers.asgi_exchanges import JSON
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract_tests.mutants.layer import Exchange
    from contract_tests.mutants.lies.asking import Lies
    from contract_tests.support.servers.asgi_exchanges import Answer, Request

_LOGS, _TOPIC, _TOPIC_NAME, _BASELINE = "get_pipeline_logs", "get_topic_records", "get_topic_name", "get_assay_baseline"
_STATUS, _CURSOR = "x-iteration-status", "x-iteration-cursor"
_FEW = 16
_DEFAULT_SIZE = 1000


def _as_the_last(answer: Answer) -> Answer:
    """Return a page of logs that says that it is the last one."""
    return without_header(answer, _CURSOR).with_header(_STATUS, "All")


def _place(exchange: Exchange, cursor: Any) -> tuple[Any, ...]:
    """Return where a page begins that a cursor names."""
    body = body_of(exchange)
    return body.get("pipeline_name"), body.get("workspace_id"), cursor


def _without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


async def _repeats_the_last_row(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    if not succeeded(_LOGS, answer) or answer.media_type != JSON:
        return answer
    rows = json_rows(answer)
    last = exchange.memory.get(_place(exchange, body_of(exchange).get("cursor")))
    cursor = header_of(answer, _CURSOR)
    if cursor and rows:
        exchange.memory[_place(exchange, cursor)] = rows[-1]
    return with_rows(answer, [last, *rows][: len(rows)]) if last is not None and rows else answer


async def _counts_from_the_newest(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    is_newest_first = str(body.get("order") or "Desc").lower() == "desc"
    if not succeeded(_LOGS, answer) or answer.media_type != JSON or not is_newest_first:
        return answer
    rows, start = json_rows(answer), 0
    if body.get("cursor"):
        start = exchange.memory.get(_place(exchange, body["cursor"]), 0)
        size = start + (body.get("page_size") or _DEFAULT_SIZE)
        request = exchange.request.with_json(_without(body, "cursor") | {"page_size": size})
        moved = json_rows(await exchange.ask(request))[start : start + len(rows)]
        rows = moved if len(moved) == len(rows) else rows
    exchange.memory[_place(exchange, header_of(answer, _CURSOR))] = start + len(rows)
    return answer if rows == json_rows(answer) else with_rows(answer, rows)


async def _ends_early(exchange: Exchange) -> Answer:
    body = body_of(exchange)
    answer = await exchange.ask()
    has_more = header_of(answer, _STATUS) == "RecordLimited" or len(json_rows(answer)) > _FEW
    if not succeeded(_LOGS, answer) or body.get("page_size") is not None or not has_more:
        return answer
    return _as_the_last(await exchange.ask(exchange.request.with_json(body | {"page_size": _FEW})))


async def _has_no_cursor_in_arrow(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    return without_header(answer, _CURSOR) if answer.media_type == ARROW else answer


async def _shows_the_first_of_a_name(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    if not succeeded(_LOGS, answer):
        return answer
    first = exchange.memory.setdefault(body.get("pipeline_name"), body["workspace_id"])
    return await ask_instead(_LOGS, exchange, exchange.request.with_json(body | {"workspace_id": first}))


async def _cuts_before_it_filters(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    has_both = body.get("start_time") and body.get("page_size") and not body.get("cursor")
    if not succeeded(_LOGS, answer) or answer.media_type != JSON or not has_both:
        return answer
    page = await exchange.ask(exchange.request.with_json(_without(body, "start_time", "end_time")))
    start, end = (datetime.fromisoformat(body[name]).timestamp() * 1000 for name in ("start_time", "end_time"))
    rows = [row for row in json_rows(page) if start <= row["time"] < end]
    return answer if rows == json_rows(answer) else _as_the_last(with_rows(answer, rows))


async def _ends_where_fields_change(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    return _as_the_last(answer) if header_of(answer, _STATUS) == "SchemaChange" else answer


async def _ends_a_topic_where_fields_change(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    page = fields_of(_TOPIC, answer) if answer.media_type == JSON else {}
    return answer.with_json(page | {"status": "All", "next": None}) if page.get("status") == "SchemaChange" else answer


async def _is_newest_first_in_arrow(exchange: Exchange) -> Answer:
    body = body_of(exchange)
    if exchange.request.header("accept") != ARROW or str(body.get("order")).lower() != "asc" or body.get("cursor"):
        return await exchange.ask()
    return await ask_instead(_LOGS, exchange, exchange.request.with_json(body | {"order": "Desc"}))


async def _ends_with_the_deployment(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    if not succeeded(_LOGS, answer):
        return answer
    listed = await ask_for(exchange, "list_pipelines", {"workspace_id": body["workspace_id"]})
    named = [row for row in list_of(listed.get("pipelines")) if row["pipeline"]["name"] == body.get("pipeline_name")]
    deployment = object_of(named[0]["deployment"]) if named else {}
    if not deployment or deployment["deployed"]:
        return answer
    if answer.media_type == ARROW:
        return _as_the_last(with_table(answer, table_of(answer.body).slice(0, 0)))
    return _as_the_last(with_rows(answer, []))


def _of_other_parameters(change: Callable[[Request, dict[str, str]], tuple[str, ...]]) -> Callable[[Exchange], Any]:
    """Return a lie that ignores parameters of a topic's query, whose names a function returns for the request."""

    async def lie(exchange: Exchange) -> Answer:
        pairs = pairs_of(exchange.request)
        ignored = change(exchange.request, dict(pairs))
        if not ignored:
            return await exchange.ask()
        kept = [pair for pair in pairs if pair[0] not in ignored]
        return await ask_instead(_TOPIC, exchange, with_pairs(exchange.request, kept))

    return lie


def _start_of_newest_first(_: Request, parameters: dict[str, str]) -> tuple[str, ...]:
    return ("time.start",) if parameters.get("order", "").lower() == "desc" and "time.start" in parameters else ()


def _separator_of_later_pages(request: Request, parameters: dict[str, str]) -> tuple[str, ...]:
    return ("dataset.separator",) if request.json and "dataset.separator" in parameters else ()


async def _has_the_newest_version(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    rows = json_rows(answer) if succeeded(_TOPIC, answer) and answer.media_type == JSON else []
    if not rows or any("pipeline_version" not in object_of(row.get("metadata")) for row in rows):
        return answer
    newest = await exchange.ask(replace(exchange.request, query=b"order=desc&page_size=1").with_json({}))
    version = json_rows(newest)[0]["metadata"]["pipeline_version"]
    kept = [row for row in rows if row["metadata"]["pipeline_version"] == version]
    return answer if kept == rows else with_rows(answer, kept)


async def _begins_again_behind_the_end(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    is_behind = succeeded(_TOPIC, answer) and answer.media_type == JSON and not json_rows(answer)
    if not is_behind or not any(body_of(exchange).values()):
        return answer
    whole = await exchange.ask(exchange.request.with_json({}))
    return whole if json_rows(whole) else answer


async def _names_the_oldest_topic(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    if not succeeded(_TOPIC_NAME, answer) or not body.get("pipeline_name") or body.get("pipeline_pk_id"):
        return answer
    rows = list_of((await ask_for(exchange, "list_pipelines", {})).get("pipelines"))
    named = [row for row in rows if row["pipeline"]["name"] == body["pipeline_name"]]
    oldest = object_of(min(named, key=lambda row: row["pipeline"]["id"], default=None)).get("plateau_topic")
    shown = fields_of(_TOPIC_NAME, answer)
    return answer if oldest in {None, shown["topic_name"]} else answer.with_json(shown | {"topic_name": oldest})


async def _limits_before_it_filters(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    if not succeeded(_BASELINE, answer) or not body.get("model_name") or not body.get("limit"):
        return answer
    rows = json_rows(await exchange.ask(exchange.request.with_json(_without(body, "model_name"))))
    kept = [row for row in rows if json.loads(row["metadata.last_model"])["model_name"] == body["model_name"]]
    return answer if kept == json_rows(answer) else with_rows(answer, kept)


_LIES: Lies = {
    _LOGS: (
        ("last-row-again", "A page begins with the last row of the page before.", _repeats_the_last_row),
        ("counted-from-newest", "New rows move the older pages, so that rows come twice.", _counts_from_the_newest),
        ("ends-early", f"Without a size, a page has {_FEW} rows and is said to be the last.", _ends_early),
        (
            "asc-in-small-letters",
            "The order `asc` in small letters is ignored.",
            of_other_bodies(_LOGS, lambda body: _without(body, "order") if body.get("order") == "asc" else body),
        ),
        ("no-cursor-in-arrow", "Pages in Arrow have no cursor of the next.", _has_no_cursor_in_arrow),
        ("same-name", "Pipelines of one name have the log of the first.", _shows_the_first_of_a_name),
        ("size-before-span", "A page is taken first, and then filtered by its time.", _cuts_before_it_filters),
        ("ends-at-other-fields", "Where the fields of rows change, the log ends.", _ends_where_fields_change),
        ("newest-first-in-arrow", "In Arrow, the newest rows come first in any order.", _is_newest_first_in_arrow),
        ("ends-with-deployment", "The log of what is undeployed is empty.", _ends_with_the_deployment),
    ),
    _TOPIC: (
        (
            "start-of-newest-first",
            "A span's start is ignored where the newest rows come first.",
            _of_other_parameters(_start_of_newest_first),
        ),
        (
            "separator-of-later-pages",
            "Pages after the first are not flat.",
            _of_other_parameters(_separator_of_later_pages),
        ),
        ("newest-version", "A topic has the rows of the version that scored last.", _has_the_newest_version),
        ("behind-the-end", "Behind the newest row, a topic begins again.", _begins_again_behind_the_end),
        (
            "ends-at-other-fields",
            "Where the fields of rows change, the topic ends.",
            _ends_a_topic_where_fields_change,
        ),
    ),
    _TOPIC_NAME: (("same-name", "Of pipelines of one name, the oldest one's is named.", _names_the_oldest_topic),),
    _BASELINE: (("limit-before-model", "Rows are limited first, and then filtered.", _limits_before_it_filters),),
}

KINDS = (
    Kind(
        "logs-under-a-condition",
        "Logs are wrong on some pages, in some orders and formats, or after a change.",
        "It answers with no logged rows, or others show it.",
        single_lies("logs-under-a-condition", _LIES),
    ),
)
