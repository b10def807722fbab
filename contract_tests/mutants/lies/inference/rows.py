"""Reads and changes the rows of an answer, whichever form and format it has."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.lies.fields import rules
from contract_tests.mutants.lies.kinds import succeeded
from wallaroo_ext._util.arrow.files import MEDIA_TYPE as ARROW
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.support.servers.asgi_exchanges import Answer, Request

    Rows = list[dict[str, Any]]


def scores_rows(operation: str) -> bool:
    """Return whether an operation takes rows to score, by the media types of its body."""
    return ARROW in rules().request_content(operation)


def json_rows(answer: Answer) -> Rows:
    """Return the rows of an answer in JSON; none where it has none."""
    body = answer.json
    if isinstance(body, dict):
        return [json.loads(record) for record in list_of(object_of(body).get("records"))]
    return [object_of(row) for row in list_of(body)]


def with_rows(answer: Answer, rows: Rows) -> Answer:
    """Return an answer in JSON with other rows."""
    body = answer.json
    if isinstance(body, dict):
        return answer.with_json(object_of(body) | {"records": [json.dumps(row) for row in rows]})
    return answer.with_json(rows)


def table_of(content: bytes) -> pa.Table:
    """Return the table of an Arrow file."""
    import pyarrow as pa

    return pa.ipc.open_file(content).read_all()


def file_of(table: pa.Table) -> bytes:
    """Return a table as an Arrow file."""
    from wallaroo_ext._util.arrow.files import to_file

    return to_file(table).to_pybytes()


def with_table(answer: Answer, table: pa.Table) -> Answer:
    """Return an answer in Arrow with another table."""
    body = file_of(table)
    headers = tuple((name, value) for name, value in answer.headers if name.lower() != b"content-length")
    return replace(answer, headers=(*headers, (b"content-length", str(len(body)).encode())), body=body)


def through_double(value: Any) -> Any:
    """Return a whole number as a 64-bit float has it; another value as it is."""
    return int(float(value)) if isinstance(value, int) and not isinstance(value, bool) else value


def as_ascii(value: Any) -> Any:
    """Return a text with question marks for what is not ASCII; another value as it is."""
    return value.encode("ascii", "replace").decode() if isinstance(value, str) else value


def of_rows(
    operation: str,
    change: Callable[[Rows], Rows],
    *,
    above: int = 0,
    where: Callable[[Request, Answer], bool] = lambda _request, _answer: True,
) -> Lie:
    """Return a lie that changes the rows of successes in JSON.

    Args:
        operation: The operation.
        change: Returns other rows; it gets copies.
        above: Only answers with more rows are changed.
        where: Says which other exchanges are left alone.
    """

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if not succeeded(operation, answer) or not where(exchange.request, answer):
            return answer
        rows, again = json_rows(answer), json_rows(answer)
        changed = change(again) if len(rows) > above else rows
        return answer if json.dumps(changed) == json.dumps(rows) else with_rows(answer, changed)

    return lie


def of_table(operation: str, change: Callable[[pa.Table], pa.Table], *, above: int = 0) -> Lie:
    """Return a lie that changes the table of successes in Arrow with more rows than `above`."""

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if not succeeded(operation, answer) or answer.media_type != ARROW:
            return answer
        table = table_of(answer.body)
        changed = change(table) if table.num_rows > above else table
        return answer if changed.equals(table) else with_table(answer, changed)

    return lie


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a value with a change of everything in it that is no object and no list."""
    if isinstance(value, dict):
        return {name: mapped(inner, change) for name, inner in object_of(value).items()}
    if isinstance(value, list):
        return [mapped(inner, change) for inner in list_of(value)]
    return change(value)


def in_part(part: str, change: Callable[[Any], Any]) -> Callable[[Rows], Rows]:
    """Return a change of every value in a part of each row, nested or flat."""

    def changed(rows: Rows) -> Rows:
        return [
            {name: mapped(value, change) if name.split(".")[0] == part else value for name, value in row.items()}
            for row in rows
        ]

    return changed


def of_numbers(change: Callable[[float], float]) -> Callable[[Any], Any]:
    """Return a change of numbers that are no integers."""
    return lambda value: change(value) if isinstance(value, float) else value
