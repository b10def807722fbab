"""The names of columns: of scored rows, a part of the answer, a dot, and a field of it, such as `out.dense_1`."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

ONLY_INPUT = "tensor"
"""The name that every release accepts for the input of a model with a single one."""

SEPARATOR = "."
"""Joins a part and its field in the name of a column."""

OUTPUT = f"out{SEPARATOR}"
"""The beginning of the columns with the outputs of a pipeline; in a shadow step, those of its first model."""

MODEL_SPLIT_FIELD = "_model_split"
"""The output that says which model scored the row, where a step sends each row to one of several: JSON in a text."""

MODEL_SPLIT = f"{OUTPUT}{MODEL_SPLIT_FIELD}"
"""The column of this output."""

_PARTS = {"in", "out", "anomaly", "metadata"}
_SHADOW = "out_"
"""The beginning of a part with the outputs of one more model of a shadow step; the model's name follows."""


def column_list(columns: Sequence[str] | str, argument: str = "columns") -> list[str]:
    """Return the names of columns that a caller gave; a text is one of them, unless it is empty.

    A number names a column that pandas numbered, or one of a wavelength, for example. The columns of a frame and an
    array of names will do, too.

    Args:
        columns: The names.
        argument: The name of the caller's argument, for messages.

    Raises:
        InvalidDataError: They are not in an order, or one of them is no name.
    """
    given: Any = columns
    if isinstance(given, str):
        return [given] if given else []
    kind: type = given.__class__
    if issubclass(kind, set | frozenset | Mapping | bytes) or not hasattr(given, "__iter__"):
        raise InvalidDataError(f"`{argument}` is a list of names in their order, not {kind.__name__}.")
    return [_column_name(name, argument) for name in given]


def _column_name(name: Any, argument: str) -> str:
    is_number = hasattr(name, "__index__") or isinstance(name, numbers.Real)
    if not isinstance(name, str) and (not is_number or isinstance(name, bool) or str(name) == "nan"):
        raise InvalidDataError(f"`{argument}` has {name!r}, which is no name of a column.")
    return str(name)


def is_part(name: str) -> bool:
    """Return whether a name is that of a part with fields."""
    return name in _PARTS or (name.startswith(_SHADOW) and name != _SHADOW)


def is_output(name: str) -> bool:
    """Return whether a column has an output of a model."""
    return name.startswith(OUTPUT) or (name.startswith(_SHADOW) and SEPARATOR in name)


def with_dot(name: str, separator: str) -> str:
    """Return the name of a flat column with a dot after its part in place of a separator."""
    if separator == SEPARATOR:
        return name
    part, found, field = name.partition(separator)
    return f"{part}{SEPARATOR}{field}" if found and is_part(part) else name
