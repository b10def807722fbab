"""The option `missing`: what becomes of numbers that are missing, null or NaN.

A number is missing where its place has a null or a NaN, whichever of them a library or a file happens to use: pandas
means both by NaN, CSV has an empty field. The option says what becomes of both, in every form of rows.
"""

from __future__ import annotations

from typing import Literal, get_args

from wallaroo_ext.errors import InvalidDataError

Missing = Literal["reject", "nan"]
"""Rows in which a number is missing are refused, or NaN is sent in its place."""


def check_missing(missing: object) -> None:
    """Raise InvalidDataError unless this is a value of the option."""
    if missing not in get_args(Missing):
        raise InvalidDataError(f"`missing` is one of {', '.join(get_args(Missing))}, not {missing!r}.")
