"""Lies about what scored rows say beside their values, and about rows of several models or types in the logs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.asking import (
    ask_for,
    at_a_time,
    body_of,
    fields_of,
    marked,
    pairs_of,
    with_pairs,
    without_header,
)
from contract_tests.mutants.lies.inference.rows import (
    ARROW,
    as_ascii,
    in_part,
    json_rows,
    mapped,
    of_rows,
    of_table,
    scores_rows,
    table_of,
    through_double,
    with_rows,
    with_table,
)
from contract_tests.mutants.lies.kinds import Kind, succeeded
from contract_tests.support.servers.asgi_exchanges import JSON, Answer
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.mutants.lies.inference.rows import Rows
    from contract_tests.support.servers.asgi_exchanges import Request

    Found = dict[str, tuple[str, Lie]]

_LOGS, _TOPIC = "get_pipeline_logs", "get_topic_records"
_HOUR = 3_600_000
_BAD_REQUEST, _NOT_FOUND = 400, 404
_LONGEST = 255
_ANOTHER = json.dumps({"model_name": "another", "model_sha": "0" * 64})
_PARTS, _EXCLUDED, _SEPARATOR = "dataset[]", "dataset.exclude[]", "dataset.separator"
_CURSOR, _STATUS = "x-iteration-cursor", "x-iteration-status"


def _is_flat(request: Request, _: Answer) -> bool:
    return b"separator" in request.query


def _is_arrow(request: Request, _: Answer) -> bool:
    return request.header("content-type").startswith(ARROW)


def _is_of_columns(request: Request, _: Answer) -> bool:
    return isinstance(request.json, dict)


def _later(rows: Rows) -> Rows:
    return [row | {"time": row["time"] + _HOUR} if "time" in row else row for row in rows]


def _of_another_model(rows: Rows) -> Rows:
    """Return rows, nested or flat, that another model is said to have scored."""
    found: Rows = []
    for row in rows:
        metadata = object_of(row.get("metadata"))
        changed = {"metadata": metadata | {"last_model": _ANOTHER}} if "last_model" in metadata else {}
        found.append(row | changed | ({"metadata.last_model": _ANOTHER} if "metadata.last_model" in row else {}))
    return found


def _without(*names: str) -> Callable[[Rows], Rows]:
    return lambda rows: [{name: row[name] for name in row if name not in names} for row in rows]


def _with_anomalies(rows: Rows) -> Rows:
    """Return rows of which those have an anomaly that have an output which is no number."""
    found: Rows = []
    for row in rows:
        values: list[Any] = []
        mapped(row.get("out"), values.append)
        is_odd = None in values and "anomaly" in row
        found.append(row | {"anomaly": {"count": 1}} if is_odd else row)
    return found


def _shadows(row: dict[str, Any]) -> list[str]:
    """Return the names of the outputs of models after the first, nested or flat."""
    return sorted(name for name in row if name.startswith("out_"))


def _with_two_models(rows: Rows) -> Rows:
    return [{name: row[name] for name in row if name not in _shadows(row)[1:]} for row in rows]


def _with_the_first_models_outputs(rows: Rows) -> Rows:
    """Return flat rows in which each model has the outputs of the first."""
    return [
        row | {name: row.get(f"out.{name.rpartition('.')[2]}", row[name]) for name in _shadows(row)} for row in rows
    ]


def _later_flat(table: pa.Table) -> pa.Table:
    """Return a flat table with later times."""
    import pyarrow as pa

    arrow: Any = pa
    schema: Any = table.schema
    if "time" not in table.column_names or not arrow.types.is_timestamp(schema.field("time").type):
        return table
    times = np.asarray(table.column("time").cast(arrow.int64())) + _HOUR
    changed = arrow.array(times).cast(schema.field("time").type)
    return table.set_column(table.column_names.index("time"), schema.field("time"), changed)


def _with_flat_shapes(table: pa.Table) -> pa.Table:
    """Return a nested table in which the inputs of a row have one axis."""
    import pyarrow as pa

    arrow: Any = pa
    schema: Any = table.schema
    if "in" not in table.column_names or not arrow.types.is_struct(schema.field("in").type):
        return table
    struct: Any = table.column("in").combine_chunks()
    fields: list[Any] = []
    for field in struct.type:
        metadata: dict[bytes, bytes] = field.metadata or {}
        shape: list[int] = json.loads(metadata.get(b"tensor_type", b"{}")).get("shape", [])
        flat = json.dumps({"shape": [int(np.prod(shape))]})
        fields.append(field.with_metadata({"tensor_type": flat}) if len(shape) > 1 else field)
    contents = [struct.field(number) for number in range(struct.type.num_fields)]
    changed = arrow.StructArray.from_arrays(contents, fields=fields)
    named = arrow.field("in", changed.type, nullable=False)
    is_changed = [each.metadata for each in fields] != [each.metadata for each in struct.type]
    return table.set_column(table.column_names.index("in"), named, changed) if is_changed else table


def _has_flat_shapes(operation: str) -> Lie:
    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if not succeeded(operation, answer) or answer.media_type != ARROW:
            return answer
        table = table_of(answer.body)
        changed = _with_flat_shapes(table)
        return answer if changed is table else with_table(answer, changed)

    return lie


async def _takes_the_only_part_for_all(exchange: Exchange) -> Answer:
    pairs = pairs_of(exchange.request)
    is_alone = [value for name, value in pairs if name == _PARTS] == ["time"]
    kept = [pair for pair in pairs if pair[0] != _PARTS]
    return await exchange.ask(with_pairs(exchange.request, kept) if is_alone else exchange.request)


async def _keeps_shadows(exchange: Exchange) -> Answer:
    pairs = pairs_of(exchange.request)
    kept = [(name, value) for name, value in pairs if name != _EXCLUDED or not value.startswith("out_")]
    return await exchange.ask(exchange.request if kept == pairs else with_pairs(exchange.request, kept))


async def _reads_small_letters_only(exchange: Exchange) -> Answer:
    accepted = exchange.request.header("accept")
    is_plain = accepted == accepted.lower() or not accepted.isupper()
    return await exchange.ask(exchange.request if is_plain else exchange.request.with_header("accept", "*/*"))


async def _refuses_a_charset(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    is_meant = isinstance(exchange.request.json, dict) and "charset" in exchange.request.header("content-type")
    return Answer.of(_BAD_REQUEST, {"code": _BAD_REQUEST, "msg": "These are no records."}) if is_meant else answer


def _of_errors(change: Callable[[dict[str, Any]], dict[str, Any]], where: Callable[[Request, Answer], bool]) -> Lie:
    """Return a lie that changes the engine's errors."""

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        error = object_of(answer.json)
        is_meant = answer.status == _BAD_REQUEST and "error" in error and where(exchange.request, answer)
        return answer.with_json(change(error)) if is_meant else answer

    return lie


async def _takes_any_letters(exchange: Exchange) -> Answer:
    answer, path = await exchange.ask(), exchange.request.path
    if answer.status != _NOT_FOUND or path == path.lower():
        return answer
    return await exchange.ask(replace(exchange.request, path=path.lower()))


async def _logs_what_it_refuses(exchange: Exchange) -> Answer:
    answer, rows = await exchange.ask(), list_of(exchange.request.json)
    if answer.status != _BAD_REQUEST or len(rows) < 2:
        return answer
    await exchange.ask(exchange.request.with_json(rows[:1]))
    return marked(answer)


async def _scores_a_second_one_twice(exchange: Exchange) -> Answer:
    with at_a_time(exchange) as is_second:
        answer = await exchange.ask()
        return marked(await exchange.ask()) if is_second else answer


async def _answers_without_models(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    is_empty = answer.status == _BAD_REQUEST and "has no models" in str(object_of(answer.json).get("error"))
    return Answer.of(200, []) if is_empty else answer


def _of_scoring(operation: str) -> Found:
    def other(where: Callable[[Request, Answer], bool]) -> Lie:
        return of_rows(operation, _of_another_model, where=where)

    found: Found = {
        "later-where-flat": ("The times of flat rows are an hour late.", of_rows(operation, _later, where=_is_flat)),
        "later-where-flat-in-arrow": (
            "The times of flat rows in Arrow are an hour late.",
            of_table(operation, _later_flat),
        ),
        "other-model-where-flat": ("Flat rows name another model.", other(_is_flat)),
        "other-model-for-arrow": ("Rows in Arrow that are answered in JSON name another model.", other(_is_arrow)),
        "no-anomalies": ("No row says how many validations it failed.", of_rows(operation, _without("anomaly"))),
        "no-number-as-anomaly": (
            "Rows with an output that is no number failed a validation.",
            of_rows(operation, _with_anomalies),
        ),
        "only-time": ("Where only the time is asked for, all is answered.", _takes_the_only_part_for_all),
        "shadows-kept": ("The outputs of a model after the first are not left out.", _keeps_shadows),
        "third-model": ("Of three models, the third has no outputs.", of_rows(operation, _with_two_models)),
        "first-models-outputs": (
            "Of several models, each has the outputs of the first in flat rows.",
            of_rows(operation, _with_the_first_models_outputs, where=_is_flat),
        ),
        "flat-shapes": ("In Arrow, the inputs of a row have one axis.", _has_flat_shapes(operation)),
        "accept-in-capitals": ("`Accept` in capital letters is not understood.", _reads_small_letters_only),
        "error-of-no-field": (
            "The engine's error does not say which field of rows in Arrow is wrong.",
            _of_errors(lambda error: error | {"error": "The rows do not fit the model."}, _is_arrow),
        ),
        "error-of-another-status": (
            "The code of the engine's errors is 500.",
            _of_errors(lambda error: error | {"code": 500}, lambda _request, _answer: True),
        ),
        "any-letters": ("The name in a URL may have other letters.", _takes_any_letters),
        "refused-and-logged": ("Of refused rows, those before the bad one are logged.", _logs_what_it_refuses),
        "scored-twice": ("Of two requests at a time, the second is logged twice.", _scores_a_second_one_twice),
        "no-models": ("A pipeline without models answers with no rows.", _answers_without_models),
    }
    if operation == "infer_deployment":
        found |= {
            "later-in-the-oldest-form": (
                "The times of rows in the oldest form are an hour late.",
                of_rows(operation, _later, where=_is_of_columns),
            ),
            "other-model-in-the-oldest-form": ("Rows in the oldest form name another model.", other(_is_of_columns)),
            "charset-of-the-oldest-form": ("The oldest form is refused with a charset.", _refuses_a_charset),
        }
    return found


def _cut(value: Any) -> Any:
    return value[:_LONGEST] if isinstance(value, str) else value


def _as_single(value: Any) -> Any:
    return float(np.float32(value)) if isinstance(value, float) and abs(value) < 1e38 else value


def _renamed(rows: Rows) -> Rows:
    """Return rows in which the only input has the model's name for it."""
    return [
        row | {"in": {"dense_input": row["in"]["tensor"]}} if set(object_of(row.get("in"))) == {"tensor"} else row
        for row in rows
    ]


def _of_one_model(rows: Rows) -> Rows:
    return [{name: row[name] for name in row if name not in _shadows(row)} for row in rows]


def _of_chains(operation: str) -> Lie:
    """Return a lie that names the first of several models behind one another as the last."""

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        rows = json_rows(answer) if succeeded(operation, answer) and answer.media_type == JSON else []
        versions = {object_of(row.get("metadata")).get("pipeline_version") for row in rows}
        if len(versions) != 1 or None in versions:
            return answer
        shown = await ask_for(exchange, "get_pipeline_version", {"version": versions.pop()})
        steps = list_of(object_of(object_of(shown).get("definition")).get("steps"))
        if len(steps) < 2:
            return answer
        model = object_of(steps[0])["ModelInference"]["models"][0]
        first = json.dumps({"model_name": model["name"], "model_sha": model["sha"]})
        return with_rows(answer, [row | {"metadata": row["metadata"] | {"last_model": first}} for row in rows])

    return lie


def _of_logs(operation: str) -> Found:
    def of(part: str, change: Callable[[Any], Any]) -> Lie:
        return of_rows(operation, in_part(part, change))

    return {
        "whole-through-double": ("Logged integers lose what a double has not.", of("out", through_double)),
        "texts-cut": (f"Logged texts have {_LONGEST} letters.", of("in", _cut)),
        "texts-in-ascii": ("Logged texts lose what is not ASCII.", of("out", as_ascii)),
        "no-number-as-0": (
            "What is no number is logged as 0.",
            of("out", lambda value: 0.0 if value is None else value),
        ),
        "flags-as-numbers": (
            "Logged flags are numbers.",
            of("in", lambda value: int(value) + 5 if isinstance(value, bool) else value),
        ),
        "as-single": ("Logged doubles are those of 32 bits.", of("in", _as_single)),
        "renamed": (
            "An input that was sent as `tensor` is logged under the model's name.",
            of_rows(operation, _renamed),
        ),
        "no-anomalies": ("No logged row says how many validations it failed.", of_rows(operation, _without("anomaly"))),
        "one-model": ("Of several models, the outputs of the first are logged.", of_rows(operation, _of_one_model)),
        "first-model": ("Logged rows of models behind one another name the first.", _of_chains(operation)),
    }


async def _is_json_where_empty(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    if answer.media_type != ARROW or table_of(answer.body).num_rows:
        return answer
    empty: Any = {"records": [], "status": "All", "next": None} if exchange.request.path.endswith("/records") else []
    return answer.with_media_type(JSON).with_json(empty)


async def _ignores_a_start_alone(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    if answer.status != _BAD_REQUEST or (body.get("start_time") is None) is (body.get("end_time") is None):
        return answer
    kept = {name: value for name, value in body.items() if name not in {"start_time", "end_time"}}
    return await exchange.ask(exchange.request.with_json(kept))


async def _forgets_cursors(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    if not succeeded(_LOGS, answer) or not body.get("cursor"):
        return answer
    rows = list_of((await ask_for(exchange, "list_pipelines", {"workspace_id": body["workspace_id"]})).get("pipelines"))
    [named] = [row for row in rows if row["pipeline"]["name"] == body.get("pipeline_name")] or [{}]
    deployment = object_of(named.get("deployment"))
    if not deployment or deployment["deployed"]:
        return answer
    return await exchange.ask(exchange.request.with_json(body | {"cursor": None}))


def _with_status(answer: Answer, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Answer:
    """Return a page of a topic that says something else of the rows behind it."""
    if answer.media_type == JSON:
        page = fields_of(_TOPIC, answer)
        return answer if change(page) == page else answer.with_json(change(page))
    table = table_of(answer.body)
    metadata: dict[bytes, bytes] = table.schema.metadata or {}
    page = json.loads(metadata.get(b"status", b"{}"))
    changed = {**metadata, b"status": json.dumps(change(page)).encode()}
    return answer if change(page) == page else with_table(answer, table.replace_schema_metadata(changed))


def _ended(page: dict[str, Any]) -> dict[str, Any]:
    return page | {"status": "All", "next": None} if page.get("status") == "SchemaChange" else page


def _ends_at_other_fields(where: Callable[[Request], bool]) -> Lie:
    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        is_meant = succeeded(_TOPIC, answer) and where(exchange.request)
        return _with_status(answer, _ended) if is_meant else answer

    return lie


def _of_the_first_row(table: pa.Table) -> pa.Table:
    """Return a table whose rows all have the metadata of the first."""
    import pyarrow as pa

    if not table.num_rows or "metadata" not in table.column_names:
        return table
    schema: Any = table.schema
    first = table.column("metadata").take(pa.array([0] * table.num_rows))
    return table.set_column(table.column_names.index("metadata"), schema.field("metadata"), first)


async def _ignores_the_end_of_a_span(exchange: Exchange) -> Answer:
    pairs = pairs_of(exchange.request)
    is_meant = {"time.start", "time.end", "order"} <= dict(pairs).keys()
    kept = [pair for pair in pairs if pair[0] != "time.end"]
    return await exchange.ask(with_pairs(exchange.request, kept) if is_meant else exchange.request)


async def _finds_nothing(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    is_missing = answer.status == _NOT_FOUND
    return Answer.of(200, {"records": [], "status": "All", "next": None}) if is_missing else answer


async def _has_no_status_in_arrow(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    is_empty = answer.media_type == ARROW and not table_of(answer.body).num_rows
    return without_header(answer, _STATUS) if is_empty else answer


_OF_ONE: dict[str, Found] = {
    _LOGS: {
        "json-where-empty": ("Without rows, the answer is JSON.", _is_json_where_empty),
        "no-status-where-empty": ("Without rows, Arrow has no status.", _has_no_status_in_arrow),
        "start-alone": ("A start without an end, or an end without a start, is ignored.", _ignores_a_start_alone),
        "cursors-forgotten": ("Once a pipeline is undeployed, its cursors begin anew.", _forgets_cursors),
    },
    _TOPIC: {
        "json-where-empty": ("Without rows, the answer is JSON.", _is_json_where_empty),
        "ends-at-other-fields-in-arrow": (
            "In Arrow, a topic ends where the fields of rows change.",
            _ends_at_other_fields(lambda request: request.header("accept") == ARROW),
        ),
        "ends-at-other-fields-backwards": (
            "With the newest rows first, a topic ends where the fields of rows change.",
            _ends_at_other_fields(lambda request: b"order=desc" in request.query),
        ),
        "metadata-of-the-first": (
            "In Arrow, all rows have the metadata of the first.",
            of_table(_TOPIC, _of_the_first_row),
        ),
        "end-of-a-span": ("A span's end is ignored beside its start and an order.", _ignores_the_end_of_a_span),
        "nothing-found": ("A topic that there is not has no rows.", _finds_nothing),
    },
}


def _whole_rows(operation: str) -> Iterator[Mutant]:
    found = _of_scoring(operation) if scores_rows(operation) else {}
    found |= _of_logs(operation) if operation in {_LOGS, _TOPIC} else {}
    for about, (text, lie) in (found | _OF_ONE.get(operation, {})).items():
        yield Mutant(operation, "whole-rows", about, text, lie)


KINDS = (
    Kind(
        "whole-rows",
        "Rows are said to be of another time or model, or those of several models, types or axes are wrong.",
        "It takes no rows, and answers with none.",
        _whole_rows,
    ),
)
