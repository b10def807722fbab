"""The names of columns: of scored rows, a part of the answer, a dot, and a field of it, such as `out.dense_1`."""

from __future__ import annotations

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
