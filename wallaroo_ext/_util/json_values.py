"""Reading JSON whose shape is not guaranteed: a value of another type becomes an empty one."""

from __future__ import annotations

from typing import Any, cast


def object_of(value: Any) -> dict[str, Any]:
    """Return the value if it is a JSON object, otherwise an empty object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """Return the value if it is a list, otherwise an empty list."""
    return cast("list[Any]", value) if isinstance(value, list) else []
