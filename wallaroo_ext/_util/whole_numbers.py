"""Whole numbers that users give, such as ids and limits, which may be of numpy where they come from a data frame."""

from __future__ import annotations

import operator
from typing import Any

from wallaroo_ext.errors import InvalidDataError


def whole_number(value: object) -> int | None:
    """Return a whole number as one of Python; None for anything else, a boolean among it."""
    given: Any = value
    try:
        return None if isinstance(value, bool) else operator.index(given)
    except TypeError:
        return None


def read_limit(value: object, what: str) -> int | None:
    """Return how many a user wants at most; None for all.

    Args:
        value: What was given as `limit`.
        what: What it is the number of, for the message.

    Raises:
        InvalidDataError: It is no whole number of 1 or more.
    """
    number = whole_number(value)
    if value is not None and (number is None or number < 1):
        raise InvalidDataError(f"`limit` is the number of {what}, 1 or more, not {value!r}.")
    return number
