"""Lies about scored rows that depend on what came before: the same rows, refused ones, another version that ran."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.asking import marked
from contract_tests.mutants.lies.inference.rows import json_rows, scores_rows, with_rows
from contract_tests.mutants.lies.kinds import Kind, succeeded
from contract_tests.support.servers.asgi_exchanges import JSON
from wallaroo_ext._util.json_values import object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.support.servers.asgi_exchanges import Answer, Request

    ChangeRow = Callable[[Exchange, dict[str, Any]], dict[str, Any]]

_BAD_REQUEST, _NOT_FOUND = 400, 404


def _deployment(request: Request) -> str:
    """Return the name and the number of the deployment in the URL of an inference."""
    return request.path.partition("/infer/")[2].partition("/")[0]


def _ignores_the_query(operation: str) -> Lie:
    async def lie(exchange: Exchange) -> Answer:
        request = exchange.request
        key = (request.path, request.body, request.header("accept"), request.header("content-type"))
        answer = await exchange.ask()
        if not succeeded(operation, answer):
            return answer
        query, kept = exchange.memory.setdefault(key, (request.query, answer))
        return answer if query == request.query else kept

    return lie


def _repeats_the_last(operation: str) -> Lie:
    async def lie(exchange: Exchange) -> Answer:
        request = exchange.request
        key = (request.path, request.query, request.body, request.header("accept"), request.header("authorization"))
        last = exchange.memory.get("last")
        if last is not None and last[0] == key:
            return marked(last[1])
        answer = await exchange.ask()
        exchange.memory["last"] = (key, answer) if succeeded(operation, answer) else None
        return answer

    return lie


def _repeats_a_refusal(operation: str) -> Lie:
    async def lie(exchange: Exchange) -> Answer:
        path = exchange.request.path
        refusal: Answer | None = exchange.memory.pop(path, None)
        answer = await exchange.ask()
        if answer.status == _BAD_REQUEST:
            exchange.memory[path] = answer
        return refusal if refusal is not None and succeeded(operation, answer) else answer

    return lie


def _answers_after_the_end(operation: str) -> Lie:
    async def lie(exchange: Exchange) -> Answer:
        key = (exchange.request.path, exchange.request.header("accept"))
        answer = await exchange.ask()
        if succeeded(operation, answer):
            exchange.memory[key] = answer
        return exchange.memory.get(key, answer) if answer.status == _NOT_FOUND else answer

    return lie


def _of_each_row(operation: str, change: ChangeRow) -> Lie:
    """Return a lie that changes each row of a success in JSON."""

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if not succeeded(operation, answer) or answer.media_type != JSON:
            return answer
        rows = json_rows(answer)
        changed = [change(exchange, row) for row in rows]
        return answer if changed == rows else with_rows(answer, changed)

    return lie


def _with_the_first_version(exchange: Exchange, row: dict[str, Any]) -> dict[str, Any]:
    metadata = object_of(row.get("metadata"))
    if "pipeline_version" not in metadata:
        return row
    first = exchange.memory.setdefault(_deployment(exchange.request), metadata["pipeline_version"])
    return row | {"metadata": metadata | {"pipeline_version": first}}


def _with_the_first_outputs(exchange: Exchange, row: dict[str, Any]) -> dict[str, Any]:
    if "in" not in row or "out" not in row:
        return row
    key = (_deployment(exchange.request), json.dumps(row["in"], sort_keys=True))
    return row | {"out": exchange.memory.setdefault(key, row["out"])}


_LIES: dict[str, tuple[str, Callable[[str], Lie]]] = {
    "whatever-the-query": ("The same rows are answered as at first, whatever the query asks for.", _ignores_the_query),
    "same-request": ("A request like the one before is answered again, and its rows not logged.", _repeats_the_last),
    "after-a-refusal": ("After rows that were refused, the next ones are refused, too.", _repeats_a_refusal),
    "after-undeploying": ("A deployment that was ended still gives its last answer.", _answers_after_the_end),
}
_OF_VERSIONS: dict[str, tuple[str, ChangeRow]] = {
    "other-version-named": (
        "The version that a row names is the first that ran in a deployment.",
        _with_the_first_version,
    ),
    "other-version-scored": (
        "A row that was scored before has the same outputs, after another version was deployed, too.",
        _with_the_first_outputs,
    ),
}
"""Lies about versions of one deployment, to which the suite sends rows by one of the operations."""


def _scored_before(operation: str) -> Iterator[Mutant]:
    if scores_rows(operation):
        for about, (text, make) in _LIES.items():
            yield Mutant(operation, "scored-before", about, text, make(operation))
    if operation == "infer_pipeline":
        for about, (text, change) in _OF_VERSIONS.items():
            yield Mutant(operation, "scored-before", about, text, _of_each_row(operation, change))


KINDS = (Kind("scored-before", "Rows are scored by what came before.", "It takes no rows.", _scored_before),)
