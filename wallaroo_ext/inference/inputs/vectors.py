"""Joining columns of numbers into one vector a row, for models with a single input."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.inputs.rows import to_table

if TYPE_CHECKING:
    from pyarrow import Table


class VectorError(InvalidDataError):
    """A column cannot be in a vector.

    Attributes:
        column: The name of the column.
    """

    def __init__(self, message: str, *, column: str, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.column = column


class MissingNumberError(VectorError):
    """A row has a null in a column of the vector."""


def check_numeric(name: str, kind: Any, found: object = None) -> None:
    """Raise VectorError unless a column can be part of a vector.

    Args:
        name: The name of the column.
        kind: The type of the column.
        found: The place of a value that is no number, for the message; None if it is not known.

    Raises:
        VectorError: The column has other values than numbers.
    """
    types: Any = import_module("pyarrow").types
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_null(kind)):
        where = "" if found is None else f": {found}"
        raise VectorError(
            f"A vector is made of columns of numbers, and {name!r} is of type {kind}{where}.", column=name
        )


def vector_of(table: Table) -> Table:
    """Return a table with one column: for each row, a vector of 32-bit floats in the order of the columns.

    Raises:
        MissingNumberError: A column has nulls.
        VectorError: A column has other values than numbers.
    """
    import numpy as np

    from wallaroo_ext.inference.inputs.tables import ONLY_INPUT

    for name, column in zip(table.column_names, cast("list[Any]", table.columns), strict=True):
        check_numeric(name, column.type)
        if column.null_count:
            raise MissingNumberError(
                f"A vector has a number in each place, and the column {name!r} has nulls.", column=name
            )
    columns = [np.asarray(table.column(name), np.float32) for name in table.column_names]
    return to_table({ONLY_INPUT: np.column_stack(columns)})
