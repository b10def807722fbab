"""Serializing any value as strict JSON, and measuring how deeply JSON is nested."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import orjson

from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterable


def to_json(value: Any) -> bytes:
    """Return a value as JSON.

    NaN and infinities become null, and bytes become base64. Other values without a JSON form, such as decimals and
    durations, become their Python text.
    """
    return orjson.dumps(value, default=_text, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)


def _text(value: Any) -> str:
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else str(value)


_CONTAINERS = {dict, list}


def is_deeper(value: Any, levels: int) -> bool:
    """Return whether lists and objects are nested in a value more than this many levels deep."""
    level: list[Any] = [value] if type(value) in _CONTAINERS else []
    for _ in range(levels):
        if not level:
            return False
        level = [inner for outer in level for inner in _parts(outer) if type(inner) in _CONTAINERS]
    return bool(level)


def _parts(value: Any) -> Iterable[Any]:
    return object_of(value).values() or list_of(value)
