"""Numbers as people give them, and as they are shown to people, with their units."""

from __future__ import annotations

import operator
from typing import Any

from wallaroo_ext.errors import InvalidDataError

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024


def check_count(name: str, value: object, *, least: int = 1, otherwise: str = "") -> None:
    """Check a whole number that a user gave.

    Args:
        name: The name of the argument, for the message.
        value: What was given.
        least: The smallest number that it may be.
        otherwise: What else may be given, for the message.

    Raises:
        InvalidDataError: It is no such number.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidDataError(f"`{name}` is a whole number from {least} on{otherwise}, not {value!r}.")


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


def format_count(count: int, noun: str) -> str:
    """Return a count with a noun, such as `2 rows`; the plural of the noun takes an `s`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def format_size(count: int) -> str:
    """Return a number of bytes in a fitting unit, such as `1.5 KiB`."""
    amount, unit = float(count), 0
    while amount >= _STEP and unit < len(_UNITS) - 1:
        amount, unit = amount / _STEP, unit + 1
    return f"{count} bytes" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"
