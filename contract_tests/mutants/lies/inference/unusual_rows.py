"""Lies about rows that are seldom sent or asked for: two formats, single parts, odd values, the oldest form."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.asking import ask_for, pairs_of, with_pairs
from contract_tests.mutants.lies.inference.rows import (
    ARROW,
    in_part,
    json_rows,
    mapped,
    of_rows,
    of_table,
    scores_rows,
    with_rows,
)
from contract_tests.mutants.lies.kinds import Kind, succeeded
from contract_tests.support.servers.asgi_exchanges import JSON
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.mutants.lies.inference.rows import Rows
    from contract_tests.support.servers.asgi_exchanges import Answer, Request

_BAD_REQUEST = 400
_LARGE_BYTES = 1 << 16
_AT_A_TIME = 8
"""The rows that an engine scores at a time, in a mutant."""
_WHOLE_FLOATS = 1 << 24
"""The integer from which on a float of 32 bits has no longer all of them."""
_PARTS, _EXCLUDED = "dataset[]", "dataset.exclude[]"


async def _excludes_one(exchange: Exchange) -> Answer:
    pairs = pairs_of(exchange.request)
    excluded = [pair for pair in pairs if pair[0] == _EXCLUDED]
    kept = [pair for pair in pairs if pair not in excluded[1:]]
    return await exchange.ask(exchange.request if kept == pairs else with_pairs(exchange.request, kept))


async def _excludes_from_all_only(exchange: Exchange) -> Answer:
    pairs = pairs_of(exchange.request)
    kept = [pair for pair in pairs if pair[0] != _EXCLUDED]
    names_parts = any(name == _PARTS and value != "*" for name, value in pairs)
    is_meant = names_parts and kept != pairs
    return await exchange.ask(with_pairs(exchange.request, kept) if is_meant else exchange.request)


async def _takes_the_first_format(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    accepted = [item.partition(";")[0].strip() for item in exchange.request.header("accept").split(",")]
    if set(accepted) != {JSON, ARROW} or answer.media_type == accepted[0]:
        return answer
    return await exchange.ask(exchange.request.with_header("accept", accepted[0]))


def _padded(rows: Rows) -> Rows:
    """Return rows of which the last has the outputs of the one before, where an engine's last rows are too few."""
    if len(rows) <= _AT_A_TIME or len(rows) % _AT_A_TIME == 0:
        return rows
    before = {name: value for name, value in rows[-2].items() if name.split(".")[0] == "out"}
    return [*rows[:-1], rows[-1] | before]


def _short(value: Any) -> Any:
    """Return a number that is written with six decimals where it is small."""
    return float(f"{value:.6f}") if isinstance(value, float) and 0 < abs(value) < 1e-3 else value


def _through_float(value: Any) -> Any:
    is_large = isinstance(value, int) and not isinstance(value, bool) and abs(value) > _WHOLE_FLOATS
    return int(np.float32(value)) if is_large else value


async def _takes_null_for_zero(exchange: Exchange) -> Answer:
    answer, rows = await exchange.ask(), exchange.request.json
    filled = mapped(rows, lambda value: 0.0 if value is None else value)
    if answer.status != _BAD_REQUEST or not isinstance(rows, list) or filled == rows:
        return answer
    return await exchange.ask(exchange.request.with_json(filled))


def _with_the_first_inputs(table: pa.Table) -> pa.Table:
    """Return a flat table in which all rows have the inputs of the first."""
    import pyarrow as pa

    found: Any = table
    first = pa.array([0] * table.num_rows)
    for number, name in enumerate(table.column_names):
        if name.startswith("in."):
            found = found.set_column(number, found.schema.field(number), found.column(number).take(first))
    return found


def _names_the_first_model(operation: str) -> Lie:
    """Return a lie that names the first of several models behind one another as the last."""

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        rows = json_rows(answer) if succeeded(operation, answer) else []
        metadata = [object_of(row.get("metadata")) for row in rows]
        if not rows or not all("last_model" in each and "pipeline_version" in each for each in metadata):
            return answer
        shown = await ask_for(exchange, "get_pipeline_version", {"version": metadata[0]["pipeline_version"]})
        steps = list_of(object_of(shown.get("definition")).get("steps"))
        if len(steps) < 2:
            return answer
        model = object_of(steps[0])["ModelInference"]["models"][0]
        first = json.dumps({"model_name": model["name"], "model_sha": model["sha"]})
        changed = [row | {"metadata": each | {"last_model": first}} for row, each in zip(rows, metadata, strict=True)]
        return with_rows(answer, changed)

    return lie


def _packs_large_answers(operation: str) -> Lie:
    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        accepts = "gzip" in exchange.request.header("accept-encoding")
        is_large = answer.media_type == JSON and len(answer.body) > _LARGE_BYTES
        if not (succeeded(operation, answer) and accepts and is_large):
            return answer
        body = gzip.compress(answer.body)
        return replace(answer, body=body).with_header("content-length", str(len(body)))

    return lie


def _is_of_columns(request: Request, _: Answer) -> bool:
    """Return whether rows were sent in the oldest form: an object with a column a field."""
    return isinstance(request.json, dict)


def _found(operation: str) -> dict[str, tuple[str, Lie]]:
    """Return the sentences and the lies by what they are about."""

    def of_values(part: str, change: Callable[[Any], Any]) -> Lie:
        return of_rows(operation, in_part(part, change))

    found = {
        "one-excluded": ("Of several parts to leave out, the first is left out.", _excludes_one),
        "excluded-of-chosen": ("Of parts that are named, none is left out.", _excludes_from_all_only),
        "first-format": ("The first format of `Accept` is sent, whatever its `q`.", _takes_the_first_format),
        "padded": (
            f"Of rows that are no multiple of {_AT_A_TIME}, the last has the outputs of the one before.",
            of_rows(operation, _padded),
        ),
        "small-outputs": ("Outputs below a thousandth have six decimals.", of_values("out", _short)),
        "large-integers": ("Large integers of inputs come back as floats of 32 bits.", of_values("in", _through_float)),
        "null-as-0": ("A value that is null is scored as 0.", _takes_null_for_zero),
        "bare-nan": (
            "What is no number makes the JSON invalid: `NaN`.",
            of_values("out", lambda value: float("nan") if value is None else value),
        ),
        "first-inputs": (
            "Flat rows in Arrow all have the inputs of the first.",
            of_table(operation, _with_the_first_inputs),
        ),
        "first-model": (
            "Of models behind one another, rows name the first as the last.",
            _names_the_first_model(operation),
        ),
        "gzip-unsaid": ("JSON over 64 KiB is gzip, and does not say so.", _packs_large_answers(operation)),
    }
    if operation == "infer_deployment":
        found["oldest-form"] = (
            "Of rows in the oldest form, the first is answered.",
            of_rows(operation, lambda rows: rows[:1], where=_is_of_columns),
        )
    return found


def _unusual_rows(operation: str) -> Iterator[Mutant]:
    if scores_rows(operation):
        for about, (text, lie) in _found(operation).items():
            yield Mutant(operation, "unusual-rows", about, text, lie)


KINDS = (
    Kind("unusual-rows", "Rows that are seldom sent are read or answered wrong.", "It takes no rows.", _unusual_rows),
)
