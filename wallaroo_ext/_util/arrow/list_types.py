"""The types of Arrow that are lists, in whichever way they keep their offsets."""

from __future__ import annotations

from importlib import import_module
from typing import Any

types: Any = import_module("pyarrow").types


def is_list(kind: Any) -> bool:
    """Return whether a type is one of lists, large lists or lists of one size."""
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))
