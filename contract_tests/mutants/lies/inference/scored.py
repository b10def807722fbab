"""Lies about scored rows, most under a condition: only many rows, only one format, only two requests at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.asking import at_a_time
from contract_tests.mutants.lies.inference.rows import (
    ARROW,
    as_ascii,
    file_of,
    in_part,
    json_rows,
    of_numbers,
    of_rows,
    of_table,
    scores_rows,
    table_of,
    through_double,
    with_rows,
)
from contract_tests.mutants.lies.kinds import Kind, succeeded
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.mutants.lies.inference.rows import Rows
    from contract_tests.support.servers.asgi_exchanges import Answer, Request

_KIB, _MIB = 1 << 10, 1 << 20
_HOUR = 3_600_000
_LARGEST_FLOAT = 3.4e38
_BAD_REQUEST, _FEW = 400, 10


def _mutants(operation: str, kind: str, found: dict[str, tuple[str, Lie]]) -> Iterator[Mutant]:
    if scores_rows(operation):
        for about, (text, lie) in found.items():
            yield Mutant(operation, kind, about, text, lie)


def _counts(operation: str) -> Iterator[Mutant]:
    def lie(change: Callable[[Rows], Rows], above: int) -> Lie:
        return of_rows(operation, change, above=above)

    found: dict[str, tuple[int, Callable[[Rows], Rows]]] = {
        f"capped-at-{most}": (most, _first(most)) for most in (4, 8, 100, 256, 500, 1000)
    }
    found |= {
        "last-batch-dropped": (32, lambda rows: rows[: len(rows) - len(rows) % 32]),
        "halves-swapped": (64, lambda rows: rows[len(rows) // 2 :] + rows[: len(rows) // 2]),
        "a-row-twice": (128, lambda rows: [*rows[:77], rows[76], *rows[78:]]),
        "a-row-missing": (16, lambda rows: rows[:9] + rows[10:]),
        "two-swapped": (512, lambda rows: [*rows[:511], rows[512], rows[511], *rows[513:]]),
        "last-output-again": (1024, lambda rows: [*rows[:-1], rows[-1] | {"out": rows[0]["out"]}]),
    }
    texts = {
        about: (f"Of more than {above} rows in JSON: {about.replace('-', ' ')}.", lie(change, above))
        for about, (above, change) in found.items()
    }
    yield from _mutants(operation, "many-rows", texts)


def _first(most: int) -> Callable[[Rows], Rows]:
    """Return a change that keeps so many rows."""
    return lambda rows: rows[:most]


def _tables(operation: str) -> Iterator[Mutant]:
    import pyarrow as pa

    def joined(*tables: pa.Table) -> pa.Table:
        return pa.concat_tables(tables)

    found: dict[str, tuple[int, Callable[[pa.Table], pa.Table]]] = {
        "capped-at-64": (64, lambda table: table.slice(0, 64)),
        "capped-at-10000": (10_000, lambda table: table.slice(0, 10_000)),
        "halves-swapped": (
            128,
            lambda table: joined(table.slice(table.num_rows // 2), table.slice(0, table.num_rows // 2)),
        ),
        "columns-reversed": (4, lambda table: table.select(table.column_names[::-1])),
        "outputs-rounded": (4, lambda table: _with_outputs(table, _rounded)),
        "no-numbers-as-0": (
            4,
            lambda table: _with_outputs(table, _with_zeros),
        ),
        "time-of-another-zone": (4, lambda table: _with_times(table, -_HOUR)),
    }
    texts = {
        about: (
            f"Of more than {above} rows in Arrow: {about.replace('-', ' ')}.",
            of_table(operation, change, above=above),
        )
        for about, (above, change) in found.items()
    }
    yield from _mutants(operation, "many-rows-in-arrow", texts)


def _rounded(numbers: Any) -> Any:
    """Return numbers with four decimals."""
    return cast("Any", np).round(numbers, 4)


def _with_zeros(numbers: Any) -> Any:
    """Return numbers with 0 for NaN."""
    found: Any = np.where(np.isnan(numbers), 0, numbers)
    return found


def _with_outputs(table: pa.Table, change: Callable[[Any], Any]) -> pa.Table:
    """Return a nested table with other outputs, where they are of one floating type."""
    import pyarrow as pa

    if "out" not in table.column_names:
        return table
    struct: Any = table.column("out").combine_chunks()
    arrow: Any = pa
    arrays: list[Any] = []
    for number in range(struct.type.num_fields):
        lists = struct.field(number)
        values = lists.values
        if pa.types.is_floating(values.type):
            changed = arrow.array(change(np.asarray(values)).astype(values.to_numpy().dtype))
            lists = arrow.ListArray.from_arrays(lists.offsets, changed, type=lists.type)
        arrays.append(lists)
    fields = [struct.type.field(number) for number in range(struct.type.num_fields)]
    place = table.column_names.index("out")
    schema: Any = table.schema
    whole = schema.field(place)
    return table.set_column(place, whole, arrow.StructArray.from_arrays(arrays, fields=fields))


def _with_times(table: pa.Table, milliseconds: int) -> pa.Table:
    import pyarrow as pa

    if "time" not in table.column_names:
        return table
    arrow: Any = pa
    schema: Any = table.schema
    field = schema.field("time")
    times = np.asarray(table.column("time").cast(arrow.int64())) + milliseconds
    return table.set_column(0, field, arrow.array(times).cast(field.type))


def _values(operation: str) -> Iterator[Mutant]:
    found: dict[str, tuple[str, str, Callable[[Any], Any], int]] = {
        "rounded-to-4": ("Outputs have four decimals.", "out", of_numbers(lambda value: round(value, 4)), 100),
        "rounded-to-6": ("Outputs have six decimals.", "out", of_numbers(lambda value: round(value, 6)), 0),
        "noise": ("Outputs differ in the seventh digit.", "out", of_numbers(lambda value: value * (1 + 4e-7)), 4),
        "input-rounded": (
            "Inputs come back with three digits.",
            "in",
            of_numbers(lambda value: float(f"{value:.3g}")),
            4,
        ),
        "whole-through-double": ("Integers lose what a double has not.", "out", through_double, 0),
        "texts-in-ascii": ("Texts lose what is not ASCII.", "out", as_ascii, 0),
        "no-number-as-0": ("What is no number is 0.", "out", lambda value: 0.0 if value is None else value, 0),
        "no-number-as-largest": (
            "What is no number is the largest one.",
            "out",
            lambda value: _LARGEST_FLOAT if value is None else value,
            0,
        ),
    }
    yield from _mutants(
        operation,
        "inexact-values",
        {
            about: (text, of_rows(operation, in_part(part, change), above=above))
            for about, (text, part, change, above) in found.items()
        },
    )


def _metadata(operation: str) -> Iterator[Mutant]:
    def moved(milliseconds: Callable[[int], int]) -> Callable[[Rows], Rows]:
        return lambda rows: [row | {"time": milliseconds(row["time"])} if "time" in row else row for row in rows]

    def other_model(rows: Rows) -> Rows:
        model = json.dumps({"model_name": "another", "model_sha": "0" * 64})
        return [_with_metadata(row, "last_model", model) for row in rows[:-1]] + rows[-1:]

    found: dict[str, tuple[str, Callable[[Rows], Rows]]] = {
        "time-of-another-zone": ("Times are two hours late.", moved(lambda time: time + 2 * _HOUR)),
        "time-0": ("Times are 0.", moved(lambda _: 0)),
        "time-in-seconds": ("Times are in seconds.", moved(lambda time: time // 1000)),
        "last-model": ("All rows but the last name another model.", other_model),
        "elapsed": (
            "Scoring took less than no time.",
            lambda rows: [_with_metadata(row, "elapsed", [-1, -1]) for row in rows],
        ),
        "anomalies": (
            "Every row failed a validation, of which there are none.",
            lambda rows: [row | {"anomaly": {"count": 1}} if "anomaly" in row else row for row in rows],
        ),
    }
    yield from _mutants(
        operation,
        "false-metadata",
        {
            about: (f"Of more than 4 rows: {text}", of_rows(operation, change, above=4))
            for about, (text, change) in found.items()
        },
    )


def _with_metadata(row: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    metadata = object_of(row.get("metadata"))
    return row | {"metadata": metadata | {name: value}} if name in metadata else row


def _conditions(operation: str) -> Iterator[Mutant]:
    def of(where: Callable[[Request, Answer], bool], change: Callable[[Rows], Rows]) -> Lie:
        return of_rows(operation, change, where=where)

    def first_again(rows: Rows) -> Rows:
        return [*rows[:-1], rows[0]] if rows else rows

    def is_arrow(request: Request) -> bool:
        return request.header("content-type").startswith(ARROW)

    found = {
        "large-answer": ("of an answer over 64 KiB", of(lambda _, answer: len(answer.body) > 64 * _KIB, first_again)),
        "larger-answer": ("of an answer over 1 MiB", of(lambda _, answer: len(answer.body) > _MIB, first_again)),
        "large-request": ("of a request over 64 KiB", of(lambda sent, _: len(sent.body) > 64 * _KIB, first_again)),
        "json-for-arrow": ("in JSON for rows in Arrow", of(lambda sent, _: is_arrow(sent), first_again)),
        "any-accept": (
            "where any format is accepted",
            of(
                lambda sent, _: sent.header("accept") in {"", "*/*"},
                lambda rows: first_again(rows[:1] + rows)[: len(rows)],
            ),
        ),
        "flat": (
            "of flat rows, if there are more than 100",
            of(
                lambda sent, _: b"separator" in sent.query,
                lambda rows: rows[:-1] + rows[:1] if len(rows) > 100 else rows,
            ),
        ),
    }
    fewer = of_rows(
        operation, lambda rows: [{name: row[name] for name in row if name != "anomaly"} for row in rows], above=200
    )
    texts = {about: (f"The last row {text} is the first one.", lie) for about, (text, lie) in found.items()}
    texts["any-accept"] = (
        "Where any format is accepted, the first row comes twice and the last not.",
        found["any-accept"][1],
    )
    texts["fewer-fields"] = ("Of more than 200 rows, none has `anomaly`.", fewer)
    texts["bad-rows-left-out"] = (
        "Rows that cannot be scored are left out, and the others answered.",
        _without_bad_rows,
    )
    texts["parts-not-left-out"] = ("Of more than 100 rows, no part is left out.", _with_every_part(operation))
    texts["arrow-for-json"] = ("The last row in Arrow for rows in JSON is missing.", _arrow_for_json(operation))
    texts["chunks"] = ("Of a body without a length, the last row is missing.", _cut_chunks())
    yield from _mutants(operation, "under-a-condition", texts)


async def _without_bad_rows(exchange: Exchange) -> Answer:
    answer, rows = await exchange.ask(), list_of(exchange.request.json)
    if answer.status != _BAD_REQUEST or not 1 < len(rows) <= _FEW:
        return answer
    alone = [await exchange.ask(exchange.request.with_json([row])) for row in rows]
    good = [row for row, each in zip(rows, alone, strict=True) if each.status != _BAD_REQUEST]
    return await exchange.ask(exchange.request.with_json(good)) if good else answer


def _with_every_part(operation: str) -> Lie:
    async def lie(exchange: Exchange) -> Answer:
        from dataclasses import replace

        answer = await exchange.ask()
        if (
            not succeeded(operation, answer)
            or b"exclude" not in exchange.request.query
            or len(json_rows(answer)) <= 100
        ):
            return answer
        return await exchange.ask(replace(exchange.request, query=b""))

    return lie


def _arrow_for_json(operation: str) -> Lie:
    honest_type = "application/json"

    async def lie(exchange: Exchange) -> Answer:
        if not exchange.request.header("content-type").startswith(honest_type):
            return await exchange.ask()
        return await of_table(operation, lambda table: table.slice(0, table.num_rows - 1))(exchange)

    return lie


def _cut_chunks() -> Lie:
    async def lie(exchange: Exchange) -> Answer:
        request = exchange.request
        if "chunked" not in request.header("transfer-encoding"):
            return await exchange.ask()
        if request.header("content-type").startswith(ARROW):
            table = table_of(request.body)
            return await exchange.ask(request.with_body(file_of(table.slice(0, table.num_rows - 1))))
        rows = request.json
        return await exchange.ask(request.with_json(rows[:-1]) if isinstance(rows, list) else request)

    return lie


def _batches(operation: str) -> Iterator[Mutant]:
    def lie(change: Callable[[list[Any]], list[Any]]) -> Lie:
        async def lie(exchange: Exchange) -> Answer:
            import pyarrow as pa

            request = exchange.request
            if not request.header("content-type").startswith(ARROW):
                return await exchange.ask()
            try:
                with pa.ipc.open_file(request.body) as reader:
                    batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]
                    schema = reader.schema
            except pa.ArrowInvalid:
                return await exchange.ask()
            changed = change(batches)
            if changed == batches:
                return await exchange.ask()
            return await exchange.ask(request.with_body(file_of(pa.Table.from_batches(changed, schema=schema))))

        return lie

    def until_empty(batches: list[Any]) -> list[Any]:
        empty = next((number for number, batch in enumerate(batches) if not batch.num_rows), len(batches))
        return batches[:empty] if empty else batches

    found = {
        "first-only": ("Only the first record batch is scored.", lie(lambda batches: batches[:1])),
        "swapped": ("Record batches are scored from the last to the first.", lie(lambda batches: batches[::-1])),
        "until-empty": ("Scoring ends at an empty record batch.", lie(until_empty)),
    }
    yield from _mutants(operation, "record-batches", found)


def _several(operation: str) -> Iterator[Mutant]:
    def lie(of_other: Callable[[Answer, Answer], Answer]) -> Lie:
        async def lie(exchange: Exchange) -> Answer:
            memory = exchange.memory
            with at_a_time(exchange) as is_second:
                answer = await exchange.ask()
            other, memory["last"] = memory.get("last"), answer
            if (
                not is_second
                or other is None
                or not succeeded(operation, answer)
                or other.media_type != answer.media_type
            ):
                return answer
            return of_other(answer, other)

        return lie

    def last_row_of_other(answer: Answer, other: Answer) -> Answer:
        rows, others = json_rows(answer), json_rows(other)
        return with_rows(answer, [*rows[:-1], others[-1]]) if rows and others else answer

    found = {
        "anothers-answer": ("Of two requests at a time, one gets the other's answer.", lie(lambda _, other: other)),
        "anothers-row": ("Of two requests at a time, one gets a row of the other.", lie(last_row_of_other)),
    }
    yield from _mutants(operation, "two-at-a-time", found)


def _urls(operation: str) -> Iterator[Mutant]:
    async def lie(exchange: Exchange) -> Answer:
        from dataclasses import replace

        answer = await exchange.ask()
        if succeeded(operation, answer):
            exchange.memory.setdefault("paths", {})[exchange.request.path.split("/")[5].rpartition("-")[2]] = (
                exchange.request.path
            )
            return answer
        number = exchange.request.path.split("/")[5].rpartition("-")[2]
        known = exchange.memory.get("paths", {}).get(number)
        if answer.status in {400, 404} and known is not None and known != exchange.request.path:
            return await exchange.ask(replace(exchange.request, path=known))
        return answer

    found: dict[str, tuple[str, Lie]] = {
        "name": ("The number of a deployment is enough, whatever its name and its pipeline are.", lie)
    }
    yield from _mutants(operation, "names-not-checked", found)


_NO_ROWS = "It takes no rows."
KINDS = (
    Kind("many-rows", "Rows in JSON are missing or out of order, if they are many.", _NO_ROWS, _counts),
    Kind(
        "many-rows-in-arrow", "Rows in Arrow are missing, out of order or inexact, if they are many.", _NO_ROWS, _tables
    ),
    Kind("inexact-values", "Values are rounded, or lose what another type has not.", _NO_ROWS, _values),
    Kind("false-metadata", "Times, the model or the durations are not those of the rows.", _NO_ROWS, _metadata),
    Kind("under-a-condition", "Rows are wrong in some formats or sizes only.", _NO_ROWS, _conditions),
    Kind("record-batches", "Of several record batches, not all are scored in order.", _NO_ROWS, _batches),
    Kind("two-at-a-time", "Of two requests at a time, one gets rows of the other.", _NO_ROWS, _several),
    Kind("names-not-checked", "The name in an inference URL is not looked at.", _NO_ROWS, _urls),
)
