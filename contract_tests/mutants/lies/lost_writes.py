"""Lies about writes: they are acknowledged and never made, or files are stored changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import changed, fields, rules, writes
from contract_tests.mutants.lies.kinds import Kind, succeeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.mutants.layer import Exchange
    from contract_tests.support.servers.asgi_exchanges import Answer

_SCORING = {"infer_deployment", "infer_pipeline"}
_GRAPH, _OTHER_GRAPH = b"weighted-sum", b"weighted-sun"
"""The name of the graph in the suite's models, and one of the same length: the file stays a model."""


def _lost(operation: str) -> Iterator[Mutant]:
    if not writes(operation) or operation in _SCORING:
        return
    ids = [field for field in fields(operation) if field.is_required and "integer" in field.types]

    async def lie(exchange: Exchange) -> Answer:
        first: Answer | None = exchange.memory.get("answer")
        if first is None:
            answer = await exchange.ask()
            if succeeded(operation, answer):
                exchange.memory["answer"] = answer
            return answer
        body: Any = first.json
        for field in ids:
            body = changed(body, field.path, lambda value: value + 1)
        exchange.memory["answer"] = first.with_json(body)
        return exchange.memory["answer"]

    text = "The first request is carried out; all later ones, good or bad, are acknowledged and forgotten."
    yield Mutant(operation, "lost-write", "", text, lie)


def _corrupted(operation: str) -> Iterator[Mutant]:
    kinds = rules().request_content(operation)
    if not any(kind in {"multipart/form-data", "application/octet-stream"} for kind in kinds):
        return

    async def lie(exchange: Exchange) -> Answer:
        request = exchange.request
        return await exchange.ask(request.with_body(request.body.replace(_GRAPH, _OTHER_GRAPH)))

    yield Mutant(operation, "corrupts-file", "", "A byte of each file is another one before it is stored.", lie)


KINDS = (
    Kind(
        "lost-write",
        "A write is acknowledged and not made.",
        "It writes nothing, or only what it scored, and that is missing in `get_assay_baseline.truncated-list`.",
        _lost,
    ),
    Kind("corrupts-file", "A file is stored with another byte.", "It takes no file.", _corrupted),
)
