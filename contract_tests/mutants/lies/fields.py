"""The fields of operations' answers by the contract, with their paths and types."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.effects import effects_of
from wallaroo_ext.conformance.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wallaroo_ext.conformance.guard.effects import Effects, RequestName

EACH = "[]"
"""The key, in a field's path, for an item of a list."""
ANY = "{}"
"""The key, in a field's path, for a value of an object with free names."""

NEVER_CHANGING = {
    *("get_model_config_by_id", "get_model_version_by_id", "get_pipeline_version", "get_pipeline_external_url"),
    *("get_topic_name", "list_features", "summarize_assay_baseline", "preview_assay_baseline_v2"),
}
"""The operations whose answer to a request never changes, so that an older one is true."""

_DEEPEST = 6
_FIELD = 2
"""The length of the location of a field of the outermost object."""


@cache
def rules() -> Rules:
    """Return the contract."""
    return Rules(contract.load())


@cache
def _effects() -> dict[str, Effects]:
    return effects_of(rules().document)


def writes(operation: str) -> bool:
    """Return whether an operation changes something, by the contract's `x-writes`."""
    return bool(_effects()[operation].writes)


def named_fields(operation: str) -> list[RequestName]:
    """Return the fields of the outermost object of a request that name what is there, by the contract's `x-names`."""
    names = _effects()[operation].names
    return [
        name
        for name in names
        if name.origin == "existing" and name.location[0] == "body" and len(name.location) == _FIELD
    ]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an answer, at any depth.

    Attributes:
        path: The keys that lead to it; `[]` is an item of a list, and `{}` a value of an object with free names.
        types: Its types by the contract; empty where it may be anything.
        is_required: Whether it is `required`.
        is_always: Whether it is in `x-always`.
    """

    path: tuple[str, ...]
    types: tuple[str, ...]
    is_required: bool
    is_always: bool

    def __str__(self) -> str:
        """Return the field as a person writes it, such as `models[].id`."""
        return ".".join(self.path).replace(".[]", "[]").replace(".{}", "{}") or "$"

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path[-1]


def fields(operation: str) -> list[Field]:
    """Return the fields of an operation's success that every object has to which they belong."""
    return list(_fields(rules().answer_schema(operation), ()))


def whole(operation: str) -> Field:
    """Return an operation's whole answer, as if it were a field."""
    return Field((), _types(rules().answer_schema(operation)), is_required=True, is_always=False)


def _fields(schema: dict[str, Any], path: tuple[str, ...]) -> Iterator[Field]:
    schema = rules().schemas.resolve(schema)
    if len(path) > _DEEPEST:
        return
    for inner in (*schema.get("allOf", ()), *_alternative(schema)):
        yield from _fields(inner, path)
    if "items" in schema:
        yield from _fields(schema["items"], (*path, EACH))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _fields(schema["additionalProperties"], (*path, ANY))
    required, always = schema.get("required", ()), schema.get("x-always", ())
    for name, inner in object_of(schema.get("properties")).items():
        if name in required or name in always:
            here = (*path, name)
            yield Field(here, _types(inner), name in required, name in always)
            yield from _fields(inner, here)


def _alternative(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the alternative that is taken of several: a list, as the sandbox answers, or else the first one."""
    alternatives = schema.get("anyOf", [])
    return [inner for inner in alternatives if "items" in rules().schemas.resolve(inner)][:1] or alternatives[:1]


def _types(schema: dict[str, Any]) -> tuple[str, ...]:
    """Return the types that a schema allows; empty for any."""
    resolved = rules().schemas.resolve(schema)
    if "anyOf" in resolved:
        return tuple(kind for inner in resolved["anyOf"] for kind in _types(inner))
    kinds = resolved.get("type", ())
    return (kinds,) if isinstance(kinds, str) else tuple(kinds)


_REMOVED = object()


def changed(value: Any, path: tuple[str, ...], change: Callable[[Any], Any]) -> Any:
    """Return a copy of a value with a change at a path.

    In a list, the last item is changed, and in an object with free names the last value. If the value does not have the
    path, nothing is changed.
    """
    copied = {"": copy.deepcopy(value)}
    _change(copied, ("", *path), change)
    return copied[""]


def _change(value: Any, path: tuple[str, ...], change: Callable[[Any], Any]) -> None:
    key = _key(value, path[0])
    if key is None:
        return
    if len(path) > 1:
        _change(value[key], path[1:], change)
        return
    changed_value = change(value[key])
    if changed_value is _REMOVED:
        del value[key]
    else:
        value[key] = changed_value


def _key(value: Any, name: str) -> Any:
    """Return the key of a value that a key of a path stands for; None where the value does not have it."""
    if name == EACH:
        return len(list_of(value)) - 1 if list_of(value) else None
    found = object_of(value)
    if name == ANY:
        return next(reversed(found), None) if found else None
    return name if name in found else None


def without(value: Any, path: tuple[str, ...]) -> Any:
    """Return a copy of a value without the field at a path."""
    return changed(value, path, lambda _: _REMOVED)
