"""Kinds of lies, and helpers to make lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.lies.fields import rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contract_tests.mutants.layer import Exchange, Lie, Mutant
    from contract_tests.support.servers.asgi_exchanges import Answer


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of lie.

    Attributes:
        name: Its name, such as `wrong-type`.
        text: A sentence about such instances, for a person.
        left_out: Why an operation may have no such mutant.
        make: Returns the mutants of an operation.
    """

    name: str
    text: str
    left_out: str
    make: Callable[[str], Iterable[Mutant]]


def of_success(operation: str, change: Callable[[Answer], Answer]) -> Lie:
    """Return a lie that changes every success."""

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        return change(answer) if succeeded(operation, answer) else answer

    return lie


def of_json(operation: str, change: Callable[[Any], Any]) -> Lie:
    """Return a lie that changes the JSON of every success, and no Arrow answer."""

    def changed(answer: Answer) -> Answer:
        body = answer.json
        changed_body = change(body)
        return answer if changed_body == body else answer.with_json(changed_body)

    return of_success(operation, changed)


def succeeded(operation: str, answer: Answer) -> bool:
    """Return whether an answer is a success."""
    return answer.status == rules().success(operation)


def in_turn(found: list[Any], operation: str, *, most: int = 1) -> list[Any]:
    """Return so many items of a list, other ones for each operation, so that together the operations have all."""
    number = list(rules().operations).index(operation)
    return [found[(number + turn) % len(found)] for turn in range(min(most, len(found)))]


def is_turn(operation: str, every: int, offset: int = 0) -> bool:
    """Return whether an operation has a mutant of a kind, of which only every so manieth operation has one."""
    return list(rules().operations).index(operation) % every == offset


def spread(found: list[Any], most: int) -> list[Any]:
    """Return so many items of a list, evenly spread, with the first and the last."""
    if len(found) <= most:
        return found
    if most == 1:
        return found[:1]
    return [found[round(number * (len(found) - 1) / (most - 1))] for number in range(most)]
