"""Lies about how requests and answers are written: null, unknown fields, and letters outside ASCII."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.asking import body_of, refusal
from contract_tests.mutants.lies.fields import fields, rules
from contract_tests.mutants.lies.kinds import Kind, is_turn, succeeded
from contract_tests.support.servers.asgi_exchanges import JSON
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.support.servers.asgi_exchanges import Answer

_BAD_REQUEST = 400


def _properties(operation: str) -> dict[str, dict[str, Any]]:
    """Return the schemas of the fields of an operation's body of JSON by their names; none where it takes another."""
    content = rules().request_content(operation)
    schema = rules().schemas.resolve(object_of(content.get(JSON)).get("schema", {})) if list(content) == [JSON] else {}
    return {name: rules().schemas.resolve(inner) for name, inner in object_of(schema.get("properties")).items()}


def _may_be_null(schema: dict[str, Any]) -> bool:
    kinds = [schema.get("type"), *(object_of(each).get("type") for each in list_of(schema.get("anyOf")))]
    return any(kind == "null" or "null" in list_of(kind) for kind in kinds)


def _refusing(operation: str, is_meant: Callable[[dict[str, Any]], bool]) -> Lie:
    """Return a lie that refuses good requests whose bodies meet a condition."""

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        is_refused = succeeded(operation, answer) and is_meant(body_of(exchange))
        return refusal(_BAD_REQUEST, "The body is not a good one.") if is_refused else answer

    return lie


def _null_refused(operation: str) -> Iterator[Mutant]:
    nullable = [name for name, schema in _properties(operation).items() if _may_be_null(schema)]
    if nullable and is_turn(operation, 2, 1):
        lie = _refusing(operation, lambda body: any(name in body and body[name] is None for name in nullable))
        yield Mutant(operation, "refuses-null", "", "A field that may be null is refused when it is.", lie)


def _unknown_refused(operation: str) -> Iterator[Mutant]:
    known = set(_properties(operation))
    if known and is_turn(operation, 4, 1):
        lie = _refusing(operation, lambda body: not known.issuperset(body))
        yield Mutant(operation, "refuses-unknown-fields", "", "A field that it does not know is refused.", lie)


def _counted_in_characters(operation: str) -> Iterator[Mutant]:
    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        length = len(answer.body.decode())
        if length == len(answer.body):
            return answer
        return replace(answer, body=answer.body[:length]).with_header("content-length", str(length))

    if any(field.name == "file_name" for field in fields(operation)):
        text = "`Content-Length` counts characters, so that answers with letters outside ASCII are cut."
        yield Mutant(operation, "length-in-characters", "", text, lie)


KINDS = (
    Kind("refuses-null", "Null is refused.", "No field of its request may be null, or others show it.", _null_refused),
    Kind(
        "refuses-unknown-fields",
        "Unknown fields are refused.",
        "It takes no JSON, or others show it: every fourth has one.",
        _unknown_refused,
    ),
    Kind(
        "length-in-characters",
        "A length is that of the characters.",
        "Its answer has no name of a file.",
        _counted_in_characters,
    ),
)
