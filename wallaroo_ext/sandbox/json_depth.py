"""How deeply JSON is nested: what is nested too deeply can be read, and then neither written nor worked with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONTAINERS = {dict, list}


def is_deeper(value: Any, levels: int) -> bool:
    """Whether a value has lists and objects in each other, more than so many levels deep."""
    level: list[Any] = [value] if type(value) in _CONTAINERS else []
    for _ in range(levels):
        if not level:
            return False
        level = [inner for outer in level for inner in _parts(outer) if type(inner) in _CONTAINERS]
    return bool(level)


def _parts(value: Any) -> Iterable[Any]:
    return object_of(value).values() or list_of(value)
