"""Errors about one row that are found before it is sent; other rows can be sent without it."""

from __future__ import annotations

from wallaroo_ext.errors import InvalidDataError

_SEND_NAN = (
    'Send NaN in place of missing numbers by missing="nan" (--missing nan on the command line), if the model takes it; '
    "or leave out the row or the column."
)


class RowError(InvalidDataError):
    """A row cannot be sent."""


class MissingNumberError(RowError):
    """A row has no number where one is needed.

    Args:
        column: The name of the column.
        row: The number of the row.
    """

    def __init__(self, column: str, row: int) -> None:
        super().__init__(f"The column {column!r} has no number in row {row}, but null or NaN.", advice=_SEND_NAN)


class NumberRangeError(RowError):
    """A row has a number that is beyond the 32-bit floats of a vector.

    Args:
        column: The name of the column.
        row: The number of the row.
        number: The number.
    """

    def __init__(self, column: str, row: int, number: object) -> None:
        super().__init__(
            f"The column {column!r} has {number} in row {row}, which is too large for the 32-bit floats of a vector.",
            advice="Scale the column, or leave out the row.",
        )
