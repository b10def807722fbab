"""Lists that are not whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mutants.fields import EACH, changed, rules
from mutants.kinds import Kind, of_json
from mutants.layer import Mutant

from wallaroo_ext.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_EMPTY_ANYWAY = {"sidekicks", "details", "engine_lbs"}
"""Lists in the status of a deployment that have no items, or of which nothing is said."""


def _lists(operation: str) -> Iterator[tuple[str, ...]]:
    """Where an operation's answer has a list of objects."""
    schema = rules().schemas.resolve(rules().answer_schema(operation))
    if schema.get("type") == "array":
        yield ()
    parts = [schema, *map(rules().schemas.resolve, schema.get("allOf", ()))]
    for part in parts:
        for name, inner in object_of(part.get("properties")).items():
            resolved = rules().schemas.resolve(inner)
            if resolved.get("type") == "array" and "items" in resolved and name not in _EMPTY_ANYWAY:
                yield (name,)
            others = resolved.get("additionalProperties")
            if isinstance(others, dict):
                yield (name,)


def _truncated(operation: str) -> Iterator[Mutant]:
    for way in _lists(operation):
        where = ".".join(way) or EACH
        for kind, text, change in (
            ("truncated-list", f"The last of `{where}` is missing.", lambda items: _first(items, -1)),
            ("empty-list", f"`{where}` is empty.", lambda items: _first(items, 0)),
        ):
            lie = of_json(operation, lambda body, way=way, change=change: changed(body, way, change))
            yield Mutant(operation, kind, "" if where == EACH else where, text, lie)


def _first(items: Any, end: int) -> Any:
    """The first items of a list, or of an object with free names."""
    if isinstance(items, dict):
        return dict(list(object_of(items).items())[:end])
    return list_of(items)[:end]


KINDS = (Kind("truncated-list", "Items of a list are missing: the last one, or all.", "Its answer has no list.", _truncated),)
