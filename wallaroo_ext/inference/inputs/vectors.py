"""Joining columns of numbers into one vector a row, for models with a single input."""

from __future__ import annotations

import math
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.column_names import ONLY_INPUT
from wallaroo_ext.inference.inputs.missing_numbers import is_list_of_numbers, is_number
from wallaroo_ext.inference.inputs.plain_types import plain_type
from wallaroo_ext.inference.row_errors import NumberRangeError

if TYPE_CHECKING:
    from pyarrow import Table

pa: Any = import_module("pyarrow")


_MAX_SHOWN = 40


class VectorError(InvalidDataError):
    """A column cannot be in a vector.

    Attributes:
        column: The name of the column.
    """

    def __init__(self, message: str, *, column: str, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.column = column


def check_numeric(name: str, kind: Any, found: object = None) -> None:
    """Raise VectorError unless a column can be part of a vector.

    Args:
        name: The name of the column.
        kind: The type of the column.
        found: The place of a value that is no number, for the message; None if it is not known.

    Raises:
        VectorError: The column has other values than numbers and booleans.
    """
    plain = plain_type(kind)
    if not (is_number(plain) or pa.types.is_boolean(plain)):
        where = "" if found is None else f": {found}"
        raise VectorError(
            f"A vector is made of columns of numbers, and {name!r} is of type {kind}{where}.",
            column=name,
            advice=_ALREADY if is_list_of_numbers(plain) else "Leave it out, or convert it.",
        )


_ALREADY = "If it is the vector, it is sent as it is without vector=True (--vector)."


def number_columns(table: Table) -> Table:
    """Return the columns of a vector as numbers: True is 1, and False is 0.

    Raises:
        VectorError: A column has other values than numbers and booleans.
    """
    numbers: dict[str, Any] = {}
    for name, column in zip(table.column_names, cast("list[Any]", table.columns), strict=True):
        check_numeric(name, column.type, _first_text(column))
        numbers[name] = column.cast(pa.uint8()) if pa.types.is_boolean(column.type) else column
    return pa.table(numbers)


def _first_text(column: Any) -> str | None:
    """Return the place of the first text of a column that is no number; None if there is none."""
    if not pa.types.is_string(column.type):
        return None
    for row, value in enumerate(column):
        text = value.as_py()
        if text is not None and not _is_written_number(text):
            return f"row {row}, {text[:_MAX_SHOWN]!r}"
    return None


def _is_written_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def vector_of(table: Table, first: int = 0) -> Table:
    """Return a table with one column: for each row, a vector of 32-bit floats in the order of the columns.

    Args:
        table: The numbers, none of which is missing.
        first: The number of the first row, for messages.

    Raises:
        NumberRangeError: A number is beyond 32-bit floats.
    """
    import numpy as np

    with np.errstate(over="ignore"):
        matrix = np.column_stack([np.asarray(table.column(name), np.float32) for name in table.column_names])
    if any(pa.types.is_float64(kind) for kind in table.schema.types) and np.isinf(matrix).any():
        _check_range(table, matrix, first)
    return pa.table({ONLY_INPUT: pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), matrix.shape[1])})


def _check_range(table: Table, matrix: Any, first: int) -> None:
    """Raise NumberRangeError for the first row of a vector in which a number has become an infinity."""
    import numpy as np

    for row, column in np.argwhere(np.isinf(matrix)).tolist():
        number = table.column(column)[row].as_py()
        if math.isfinite(number):
            raise NumberRangeError(table.column_names[column], first + row, number)
