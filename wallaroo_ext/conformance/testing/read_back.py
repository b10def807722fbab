"""Compares what was accepted with what is shown of it afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOVING = {"status", "image_path", "task_id", "error_summary", "deployed"}
"""The fields of a version of a model that change while it is converted and deployed."""


def changed_fields(given: Any, shown: Any, path: str = "$", *, is_whole: bool = False) -> Iterator[str]:
    """Yield what is shown otherwise than it was given, for a person: each with its path.

    What is not shown says nothing, null was as good as absent, and what is shown besides is of no matter, as objects
    are open. Numbers of any type are compared as numbers, and times as moments.

    Args:
        given: What was accepted.
        shown: What is shown of it.
        path: The JSON path of both.
        is_whole: Whether all that was given has to be shown.
    """
    if given is None or given == shown or _is_same_moment(given, shown):
        return
    if isinstance(given, dict) and isinstance(shown, dict):
        fields = object_of(shown)
        for name, value in object_of(given).items():
            if name in fields:
                yield from changed_fields(value, fields[name], f"{path}.{name}", is_whole=is_whole)
            elif is_whole and value is not None:
                yield f"{path}.{name} is missing"
        return
    items, others = list_of(given), list_of(shown)
    if isinstance(given, list) and isinstance(shown, list) and len(items) == len(others):
        for number, (value, other) in enumerate(zip(items, others, strict=True)):
            yield from changed_fields(value, other, f"{path}[{number}]", is_whole=is_whole)
        return
    yield f"{path} is {shown!r} in place of {given!r}"


def differences(one: Any, other: Any, path: str = "$") -> Iterator[str]:
    """Yield what two answers about one thing say otherwise, for a person: each with its path.

    What only one of them says is of no matter. Numbers of any type are compared as numbers, and times as moments.

    Args:
        one: What one answer says.
        other: What the other answer says.
        path: The JSON path of both.
    """
    if one == other or _is_same_moment(one, other):
        return
    if isinstance(one, dict) and isinstance(other, dict):
        fields = object_of(other)
        for name, value in object_of(one).items():
            if name in fields:
                yield from differences(value, fields[name], f"{path}.{name}")
        return
    items, others = list_of(one), list_of(other)
    if isinstance(one, list) and isinstance(other, list) and len(items) == len(others):
        for number, pair in enumerate(zip(items, others, strict=True)):
            yield from differences(*pair, f"{path}[{number}]")
        return
    yield f"{path} is {one!r} and {other!r}"


def kept_of(version: dict[str, Any]) -> dict[str, Any]:
    """Return what a version of a model keeps from its upload on: all but its conversion's progress and deployments."""
    return {name: value for name, value in version.items() if name not in _MOVING}


def twice_in(value: Any) -> list[Any]:
    """Return the things in an answer that are more than once in one list of it."""
    items = list_of(value)
    named = [each for each in items if "id" in {*object_of(each), *(key for part in _parts_of(each) for key in part)}]
    twice = [each for number, each in enumerate(named) if each in named[:number]]
    return [*twice, *(found for inner in (*items, *object_of(value).values()) for found in twice_in(inner))]


def _parts_of(item: Any) -> list[dict[str, Any]]:
    """Return the objects in an object: some lists have each thing below the name of its kind."""
    return [object_of(inner) for inner in object_of(item).values()]


def _is_same_moment(given: Any, shown: Any) -> bool:
    if not (isinstance(given, str) and isinstance(shown, str)):
        return False
    try:
        return datetime.fromisoformat(given) == datetime.fromisoformat(shown)
    except (ValueError, TypeError):  # no times, or one of them without an offset
        return False
