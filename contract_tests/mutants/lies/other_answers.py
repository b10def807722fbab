"""Lies with true answers: to another request, of another operation, or of an earlier time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import NEVER_CHANGING, named_fields, rules, writes
from contract_tests.mutants.lies.kinds import Kind, of_success, succeeded
from contract_tests.support.servers.asgi_exchanges import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.mutants.layer import Exchange

_JSON = "application/json"


def _of_another_operation(operation: str) -> Iterator[Mutant]:
    schema = rules().answer_schema(operation)
    names = list(rules().operations)
    number = names.index(operation)
    for name in names[number + 1 :] + names[:number]:
        for example in _examples(name):
            if rules().problems(schema, example):
                answer = Answer.of(rules().success(operation), example)
                text = f"It answers with the contract's example of {name}."
                yield Mutant(operation, "answer-of-another", name, text, of_success(operation, lambda _, a=answer: a))
                return


def _examples(operation: str) -> list[Any]:
    answer = rules().schemas.resolve(rules().operations[operation]["responses"][str(rules().success(operation))])
    return [example["value"] for example in answer["content"].get(_JSON, {}).get("examples", {}).values()][:1]


def _stale(operation: str) -> Iterator[Mutant]:
    if writes(operation) or not rules().takes_token(operation) or operation in NEVER_CHANGING:
        return

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if not succeeded(operation, answer):
            return answer
        request = exchange.request
        return exchange.memory.setdefault((request.path, request.query, request.header("accept"), request.body), answer)

    yield Mutant(operation, "stale", "", "The same request is always answered as it was the first time.", lie)


def _of_another_thing(operation: str) -> Iterator[Mutant]:
    if writes(operation) or not rules().takes_token(operation) or not named_fields(operation):
        return

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if not succeeded(operation, answer):
            return answer
        first = exchange.memory.setdefault("request", exchange.request)
        return await exchange.ask(
            exchange.request.with_body(first.body).with_header("content-type", first.header("content-type"))
        )

    text = "Whatever is asked for, the answer is about what was asked for first."
    yield Mutant(operation, "answer-of-another-thing", "", text, lie)


KINDS = (
    Kind(
        "answer-of-another", "It answers as another operation does.", "No answer is wrong there.", _of_another_operation
    ),
    Kind(
        "stale",
        "An answer is repeated when it is no longer true.",
        "It writes, gives tokens, or tells what never changes.",
        _stale,
    ),
    Kind(
        "answer-of-another-thing",
        "It answers about another thing than was asked for.",
        "It writes, or its request names nothing.",
        _of_another_thing,
    ),
)
