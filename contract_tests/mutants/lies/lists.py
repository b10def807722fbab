"""Lies about lists: the last item is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import EACH, changed, rules
from contract_tests.mutants.lies.kinds import Kind, of_json
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_EMPTY_ANYWAY = {"sidekicks", "details", "engine_lbs"}
"""Lists in the status of a deployment that are always empty, or of which no source says anything."""


def _lists(operation: str) -> Iterator[tuple[str, ...]]:
    """Yield the paths of lists in an operation's answer."""
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
    for path in _lists(operation):
        where = ".".join(path) or EACH
        lie = of_json(operation, lambda body, path=path: changed(body, path, _without_the_last))
        about = "" if where == EACH else where
        yield Mutant(operation, "truncated-list", about, f"The last of `{where}` is missing.", lie)


def _without_the_last(items: Any) -> Any:
    """Return a list, or an object with free names, without its last item."""
    if isinstance(items, dict):
        return dict(list(object_of(items).items())[:-1])
    return list_of(items)[:-1]


KINDS = (Kind("truncated-list", "The last item of a list is missing.", "Its answer has no list.", _truncated),)
