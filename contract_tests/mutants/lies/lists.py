"""Lies about lists: the last item is missing, or comes twice, or there are never more than a few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import EACH, changed, rules, writes
from contract_tests.mutants.lies.kinds import Kind, of_json
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_FEW_TWICE, _CAP = 1, 5
_OF_EVERYTHING = {"list_workspaces": "workspaces", "list_pipelines": "pipelines"}
"""The operations that list everything that the user may see, with the key of the list."""
_PREVIEWS = "preview_"
"""The beginning of the names of operations that show what is not stored."""
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


def _repeated(operation: str) -> Iterator[Mutant]:
    for path in _lists_of_things(operation):
        where = ".".join(path) or EACH
        lie = of_json(operation, lambda body, path=path: changed(body, path, _with_the_last_twice))
        text = f"Of more than {_FEW_TWICE}, the last of `{where}` comes twice."
        yield Mutant(operation, "last-item-twice", "" if where == EACH else where, text, lie)


def _with_the_last_twice(items: Any) -> Any:
    found = list_of(items)
    return [*found, *found[-1:]] if len(found) > _FEW_TWICE else items


def _capped(operation: str) -> Iterator[Mutant]:
    key = _OF_EVERYTHING.get(operation)
    if key is not None:
        lie = of_json(operation, lambda body: changed(body, (key,), lambda items: list_of(items)[:_CAP]))
        yield Mutant(operation, "capped-list", key, f"There are never more than {_CAP} `{key}`.", lie)


def _lists_of_things(operation: str) -> Iterator[tuple[str, ...]]:
    """Yield the paths of those lists whose items have an id, or an object below the name of their kind that has one."""
    if writes(operation) or operation.startswith(_PREVIEWS):
        return
    schema = rules().answer_schema(operation)
    for path in _lists(operation):
        found = rules().schemas.resolve(schema)
        for name in path:
            found = rules().schemas.resolve(object_of(found.get("properties")).get(name, {}))
        item = rules().schemas.resolve(object_of(found.get("items")))
        forms = [item, *(rules().schemas.resolve(object_of(form)) for form in list_of(item.get("anyOf")))]
        inner = [rules().schemas.resolve(each) for form in forms for each in object_of(form.get("properties")).values()]
        if any("id" in object_of(each.get("properties")) for each in (*forms, *inner)):
            yield path


KINDS = (
    Kind("truncated-list", "The last item of a list is missing.", "Its answer has no list.", _truncated),
    Kind(
        "last-item-twice", "The last item of a list comes twice.", "It lists nothing stored that has an id.", _repeated
    ),
    Kind("capped-list", "A list ends after a few items.", "Its list is of one workspace or thing.", _capped),
)
