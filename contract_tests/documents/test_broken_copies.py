"""Is a recorded exchange that was broken in one location noticed? For each kind of rule, wherever it applies."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.recorded import (
    NOTHING,
    SPEC,
    answer_schema,
    exchanges,
    problems,
    recorded_answer,
    request_schema,
    sent_body,
)
from contract_tests.support.wrong_types import VALUE_OF_ANOTHER_TYPE
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Breakage:
    """A way to break a value: by another value at a path, or by dropping the field at the path."""

    kind: str
    path: tuple[str | int, ...]
    value: Any = None
    drop: bool = False

    def apply(self, body: Any) -> Any:
        broken = {"body": copy.deepcopy(body)}
        *way, last = ("body", *self.path)
        target: Any = broken
        for key in way:
            target = target[key]
        if self.drop:
            del target[last]
        else:
            target[last] = self.value
        return broken["body"]


def breakages(schema: dict[str, Any], value: Any, path: tuple[str | int, ...] = ()) -> Iterator[Breakage]:
    """Yield all ways to break a value that its schema has a rule against."""
    schema = SPEC.resolve(schema)
    for inner in schema.get("allOf", ()):
        yield from breakages(inner, value, path)
    kinds = schema.get("type", "")
    location = "type in an array" if path and isinstance(path[-1], int) else "nested type" if len(path) > 1 else "type"
    if isinstance(kinds, str) and kinds:
        yield Breakage(location, path, VALUE_OF_ANOTHER_TYPE[kinds])
        yield Breakage("null", path, None)
    if "enum" in schema:
        yield Breakage("enum", path, "nonsense")
    for name in schema.get("required", ()):
        yield Breakage("required", (*path, name), drop=True)
    for name in schema.get("x-always", ()):
        yield Breakage("x-always", (*path, name), drop=True)
    for name, inner in schema.get("properties", {}).items():
        if name in object_of(value):
            yield from breakages(inner, value[name], (*path, name))
    for number, item in enumerate(list_of(value)):
        yield from breakages(schema.get("items", {}), item, (*path, number))


def cases() -> Iterator[tuple[str, dict[str, Any], Any, Breakage]]:
    """Yield every recorded request and answer, with every way to break it."""
    for exchange in exchanges():
        if (body := recorded_answer(exchange)) is not NOTHING:
            schema = answer_schema(exchange["operation"])
            yield from ((f"answer of {exchange['id']}", schema, body, found) for found in breakages(schema, body))
        if (body := sent_body(exchange)) is not NOTHING:
            schema = request_schema(exchange)
            yield from ((f"request of {exchange['id']}", schema, body, found) for found in breakages(schema, body))


@pytest.mark.parametrize(
    ("kind", "at_least"),
    [
        ("type", 200),
        ("nested type", 500),
        ("type in an array", 250),
        ("null", 1000),
        ("required", 300),
        ("x-always", 500),
        ("enum", 10),
    ],
)
def test_a_broken_copy_is_noticed(kind: str, at_least: int) -> None:
    count = 0
    for where, schema, body, breakage in cases():
        if breakage.kind == kind:
            count += 1
            assert problems(schema, breakage.apply(body)), f"{where}: {breakage}"
    assert count >= at_least
