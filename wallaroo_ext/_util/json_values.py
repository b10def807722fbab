"""JSON whose shape nobody promises: what is there of the shape that is hoped for, else nothing."""

from __future__ import annotations

from typing import Any, cast


def object_of(value: Any) -> dict[str, Any]:
    """Return the value as an object; an empty one where it is something else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """Return the value as a list; an empty one where it is something else."""
    return cast("list[Any]", value) if isinstance(value, list) else []
