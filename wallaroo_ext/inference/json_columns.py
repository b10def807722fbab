"""Values of a JSON answer as columns: of the type that the field has in every answer, or of the type that they have."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

pa: Any = import_module("pyarrow")


def column_of(name: str, values: Sequence[Any]) -> Any:
    """The values of a field; a null stands for no value.

    Raises:
        ValueError: They have no type in common that holds them exactly.
    """
    kind = _known_type(name)
    if kind is not None:
        try:
            return pa.array(_with_texts(values) if kind == pa.list_(pa.string()) else values, kind)
        except (pa.ArrowException, TypeError, OverflowError):
            pass  # a release that the contract does not know
    try:
        return _inferred(values)
    except (pa.ArrowException, TypeError, OverflowError) as error:
        raise ValueError(f"the field {name!r} has values without a type in common, {error}") from error


def _known_type(name: str) -> Any:
    if name == "time":
        return pa.timestamp("ms")
    if name == "anomaly.count":
        return pa.uint32()
    if name in {"check_failures", "metadata.dropped"}:
        return pa.list_(pa.string())
    if name == "metadata.elapsed":
        return pa.list_(pa.int64())
    return pa.string() if name in {"metadata.last_model", "metadata.pipeline_version", "metadata.partition"} else None


def _with_texts(values: Sequence[Any]) -> list[Any]:
    """Lists whose elements are texts; of another kind, their JSON."""
    return [value if not isinstance(value, list) else [_text(item) for item in cast("Any", value)] for value in values]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str | None) else json.dumps(value)


def _inferred(values: Sequence[Any]) -> Any:
    try:
        return pa.array(values)
    except OverflowError:  # integers above those with a sign, which pyarrow does not expect
        kind = pa.uint64()
        for _ in range(_depth(values) - 1):
            kind = pa.list_(kind)
        return pa.array(values, kind)


def _depth(value: Any) -> int:
    """How deep lists are nested."""
    if not isinstance(value, list):
        return 0
    return 1 + max((_depth(item) for item in cast("list[Any]", value)), default=0)
