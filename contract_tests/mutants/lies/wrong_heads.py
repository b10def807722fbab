"""Lies about statuses and media types."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import rules
from contract_tests.mutants.lies.kinds import Kind, is_turn, of_success, succeeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.mutants.layer import Exchange
    from contract_tests.support.servers.asgi_exchanges import Answer

_EVERY = 5
_OK, _CREATED, _BAD_REQUEST, _UNPROCESSABLE = 200, 201, 400, 422


def _successes(operation: str) -> Iterator[Mutant]:
    other = _CREATED if rules().success(operation) == _OK else _OK
    text = f"A success has the status {other}."
    yield Mutant(
        operation, "wrong-status", "", text, of_success(operation, lambda answer: replace(answer, status=other))
    )


def _refusals(operation: str) -> Iterator[Mutant]:
    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        return replace(answer, status=_UNPROCESSABLE) if answer.status == _BAD_REQUEST else answer

    text = f"A refusal has the status {_UNPROCESSABLE}, which the contract does not have."
    if reads_something(operation) and is_turn(operation, 2):
        yield Mutant(operation, "wrong-refusal", "", text, lie)


def _failures(operation: str) -> Iterator[Mutant]:
    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        number = exchange.memory["number"] = exchange.memory.get("number", 0) + 1
        return replace(answer, status=500) if succeeded(operation, answer) and number % 7 == 0 else answer

    if is_turn(operation, _EVERY):
        yield Mutant(
            operation, "now-and-then-500", "", "Every seventh request is answered as a failure of the server.", lie
        )


def _media_types(operation: str) -> Iterator[Mutant]:
    text = "A success says that it is HTML."
    lie = of_success(operation, lambda answer: answer.with_media_type("text/html"))
    yield Mutant(operation, "wrong-media-type", "", text, lie)


def reads_something(operation: str) -> bool:
    """Return whether a request of an operation has anything that can be invalid."""
    found = rules().operations[operation]
    schemas = [rules().schemas.resolve(media["schema"]) for media in rules().request_content(operation).values()]
    return bool(found.get("parameters")) or any(schema.get("properties") or schema.get("items") for schema in schemas)


_EVERYWHERE = "It has one everywhere."

KINDS = (
    Kind("wrong-status", "A success has another status than the contract's.", _EVERYWHERE, _successes),
    Kind(
        "wrong-refusal",
        "A refusal has a status that the contract does not have.",
        "There is little to refuse, or others show it: every second has one.",
        _refusals,
    ),
    Kind(
        "now-and-then-500",
        "Some successes are answered as failures.",
        "Others show it: every fifth has one.",
        _failures,
    ),
    Kind("wrong-media-type", "A success has another media type.", _EVERYWHERE, _media_types),
)
