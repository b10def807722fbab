"""Lies about logged rows: pages that lose or repeat rows, filters that let others pass, values that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import rules
from contract_tests.mutants.lies.inference.rows import in_part, of_numbers, of_rows, scores_rows
from contract_tests.mutants.lies.kinds import Kind
from wallaroo_ext._util.json_values import object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.mutants.lies.inference.rows import Rows
    from contract_tests.support.servers.asgi_exchanges import Answer, Request

_FILTERS = ("start_time", "end_time", "start", "end", "time.start", "time.end", "model_name", "order")
_PARTS = {"dataset[]", "dataset.exclude[]"}
_HOUR = 3_600_000


def has_logged_rows(operation: str) -> bool:
    """Return whether an operation answers with logged rows, by its schema: as `time`, `in` and `out`, or as texts."""
    schema = rules().schemas.resolve(rules().answer_schema(operation))
    row = rules().schemas.resolve(object_of(schema.get("items")))
    has_rows = "time" in object_of(row.get("properties")) or "records" in object_of(schema.get("properties"))
    return has_rows and not scores_rows(operation)


def parameters(operation: str) -> set[str]:
    """Return the names of the fields of an operation's body and of the parameters of its query."""
    content = rules().request_content(operation).get("application/json", {})
    found = set(object_of(rules().schemas.resolve(content.get("schema", {})).get("properties")))
    _, path, method = rules().locations[operation]
    place = rules().document["paths"][path]
    declared = [
        rules().schemas.resolve(each) for each in (*place.get("parameters", ()), *place[method].get("parameters", ()))
    ]
    return found | {each["name"] for each in declared}


def _without(request: Request, name: str) -> Request:
    """Return a request without a field of its body or a parameter of its query."""
    from dataclasses import replace

    query = [(key, value) for key, value in parse_qsl(request.query.decode()) if key != name]
    changed = replace(request, query=urlencode(query).encode())
    body = request.json
    if isinstance(body, dict) and name in body:
        # A span of time has both ends, or none.
        left = {key: value for key, value in object_of(body).items() if key != name}
        return changed.with_json(_with_far_end(left, name))
    return changed


def _with_far_end(body: dict[str, Any], name: str) -> dict[str, Any]:
    far = {"start_time": "1970-01-02T00:00:00Z", "end_time": "2100-01-01T00:00:00Z"}
    return body | {name: far[name]} if name in far else body


def _filters(operation: str) -> Iterator[Mutant]:
    if not has_logged_rows(operation):
        return
    for name in _FILTERS:
        if name in parameters(operation):

            async def lie(exchange: Exchange, name: str = name) -> Answer:
                changed = _without(exchange.request, name)
                return await exchange.ask(exchange.request if changed == exchange.request else changed)

            yield Mutant(operation, "filter-ignored", name, f"`{name}` is ignored.", lie)


def _pages(operation: str) -> Iterator[Mutant]:
    if not has_logged_rows(operation):
        return
    found: dict[str, tuple[str, Lie]] = {
        "capped-at-100": ("No page has more than 100 rows.", _rows(operation, lambda rows: rows[:100], 100)),
        "capped-at-1000": ("No page has more than 1,000 rows.", _rows(operation, lambda rows: rows[:1000], 1000)),
        "short-by-one": ("Of more than 500 rows, one is missing.", _rows(operation, lambda rows: rows[:-1], 500)),
        "a-row-twice": (
            "Of more than 200 rows, one comes twice in place of the next.",
            _rows(operation, lambda rows: [*rows[:99], rows[98], *rows[100:]], 200),
        ),
        "request-cut": (
            "Of a request, 100 rows are logged.",
            _rows(operation, lambda rows: rows[:103] + rows[-7:], 800),
        ),
    }
    if "order" in parameters(operation):
        found["backwards"] = (
            "Of more than 600 rows, the order is the opposite one.",
            _rows(operation, lambda rows: rows[::-1], 600),
        )
        found["first-again"] = ("Pages after the first begin with the first row.", _first_again(operation))
    if parameters(operation) >= _PARTS:
        found["all-parts-later"] = ("Pages after the first have all parts of a row.", _all_parts_later)
    for about, (text, lie) in found.items():
        yield Mutant(operation, "pages-of-logs", about, text, lie)


async def _all_parts_later(exchange: Exchange) -> Answer:
    request = exchange.request
    chosen = _PARTS.intersection(dict(parse_qsl(request.query.decode()))) if request.json else ()
    for name in chosen:
        request = _without(request, name)
    return await exchange.ask(request)


def _rows(operation: str, change: Callable[[Rows], Rows], above: int) -> Lie:
    return of_rows(operation, change, above=above)


def _first_again(operation: str) -> Lie:
    def is_later(request: Request, _: Answer) -> bool:
        body = object_of(request.json)
        return bool(body) and ("cursor" in body or "workspace_id" not in body)

    return of_rows(operation, lambda rows: [rows[0], *rows[:-1]], above=20, where=is_later)


def _values(operation: str) -> Iterator[Mutant]:
    if not has_logged_rows(operation):
        return

    def late(rows: Rows) -> Rows:
        return [row | {"time": row["time"] + _HOUR} if "time" in row else row for row in rows]

    found: dict[str, Callable[[Rows], Rows]] = {
        "rounded": in_part("out", of_numbers(lambda value: round(value, 5))),
        "input-rounded": in_part("in", of_numbers(lambda value: round(value, 5))),
        "late": late,
        "outputs-swapped": _outputs_swapped,
    }
    for about, change in found.items():
        text = f"Of more than 60 logged rows: {about.replace('-', ' ')}."
        yield Mutant(operation, "logged-otherwise", about, text, of_rows(operation, change, above=60))


def _outputs_swapped(rows: Rows) -> Rows:
    """Return rows of which the first two in the middle have each other's outputs."""
    middle = len(rows) // 2
    first, second = rows[middle], rows[middle + 1]
    outputs = [{name: row[name] for name in row if name.split(".")[0] == "out"} for row in (first, second)]
    return [*rows[:middle], first | outputs[1], second | outputs[0], *rows[middle + 2 :]]


_NO_LOGS = "It answers with no logged rows."
KINDS = (
    Kind("filter-ignored", "A filter of logged rows is ignored.", _NO_LOGS + " Or it has no filter.", _filters),
    Kind("pages-of-logs", "Pages of logged rows lose or repeat some.", _NO_LOGS, _pages),
    Kind("logged-otherwise", "Rows are logged otherwise than they were answered.", _NO_LOGS, _values),
)
