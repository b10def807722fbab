"""Lies about fields: they are of another type, missing, or null."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import Field, changed, fields, whole, without
from contract_tests.mutants.lies.kinds import Kind, in_turn, of_json
from contract_tests.support.wrong_types import VALUE_OF_ANOTHER_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IN_EMPTY_LISTS = ("sidekicks[]", "details[]")
"""Fields that no answer has, because the lists that they would be in are empty on every instance of the suite."""


def _present(operation: str) -> list[Field]:
    return [found for found in fields(operation) if not str(found).startswith(IN_EMPTY_LISTS)]


def _mutant(operation: str, kind: str, field: Field, text: str, change: Callable[[Any], Any]) -> Mutant:
    return Mutant(operation, kind, str(field), text, of_json(operation, change))


def _wrong_types(operation: str) -> Iterator[Mutant]:
    typed = [found for found in _present(operation) if found.types] or [whole(operation)]
    for field in in_turn(typed, operation):
        other = _other(field)
        text = f"`{field}` is `{other!r}` in the last of its kind."
        yield _mutant(
            operation, "wrong-type", field, text, lambda body, f=field, o=other: changed(body, f.path, lambda _: o)
        )


def _other(field: Field) -> Any:
    """Return a value of a type that a field does not have."""
    return next(VALUE_OF_ANOTHER_TYPE[kind] for kind in field.types if kind != "null")


def _missing(operation: str) -> Iterator[Mutant]:
    present = _present(operation)
    for field in in_turn(present, operation):
        rule = "`required`" if field.is_required else "in `x-always`"
        text = f"`{field}`, which is {rule}, is missing in the last of its kind."
        yield _mutant(operation, "missing", field, text, lambda body, f=field: without(body, f.path))


def _nulls(operation: str) -> Iterator[Mutant]:
    never_null = [found for found in _present(operation) if found.types and "null" not in found.types]
    for field in in_turn(never_null[::-1], operation):
        text = f"`{field}` is null in the last of its kind."
        yield _mutant(operation, "null", field, text, lambda body, f=field: changed(body, f.path, lambda _: None))


_NO_FIELDS = "The contract says of no field of its answer that it is always there."

KINDS = (
    Kind("wrong-type", "A field of the answer is of another type.", _NO_FIELDS, _wrong_types),
    Kind("missing", "A field of the answer that has to be there is missing.", _NO_FIELDS, _missing),
    Kind("null", "A field of the answer is null where the contract allows none.", _NO_FIELDS, _nulls),
)
