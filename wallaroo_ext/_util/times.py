"""Times and seconds that users give, times in UTC, and the time between looks at an instance."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

Time = date | str
"""A time: a `datetime`, which is UTC where it has no time zone, a `date`, at its beginning, or a text such as
`2023-01-31` or RFC 3339's form.
"""

BEGINNING, END = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Times before and after all that an instance has, for requests that need both ends of a span."""


_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.05, 5.0, 1.5

UNKNOWN_SECONDS = 10.0
"""How long an instance may take to know what it has just been given."""


def growing_pauses() -> Iterator[float]:
    """Yield the pauses between looks at what an instance works on, in seconds: shorter than most work, then longer."""
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


def in_utc(time: datetime) -> datetime:
    """Return a time in UTC, which it is in where it has no time zone."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def read_time(name: str, value: object) -> datetime | None:
    """Return a time that a user gave, in UTC; None for none.

    Args:
        name: The name of the argument, for the message.
        value: What was given.

    Raises:
        InvalidDataError: It is no time.
    """
    if value is None:
        return None
    try:
        return in_utc(_as_datetime(value))
    except (ValueError, TypeError, OverflowError):
        raise InvalidDataError(
            f"`{name}` is a datetime, or a text such as 2023-01-31T12:00:00Z, not {value!r}."
        ) from None


def read_span(start: object, end: object) -> tuple[datetime | None, datetime | None]:
    """Return the two ends of a span of time that a user gave, in UTC; None for an end that is open.

    Raises:
        InvalidDataError: One is no time, or the end is before the start.
    """
    begin, until = read_time("start", start), read_time("end", end)
    if begin is not None and until is not None and until < begin:
        raise InvalidDataError(f"`end`, {until.isoformat()}, is before `start`, {begin.isoformat()}.")
    return begin, until


def _as_datetime(value: object) -> datetime:
    """Return a datetime, a date at its beginning, or what a text means; raise ValueError or TypeError for others."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, datetime):
        if value != value:  # noqa: PLR0124 - pandas' NaT, which is no time
            raise ValueError
        return value
    return datetime.fromisoformat(value)  # pyright: ignore[reportArgumentType] - TypeError is caught


def check_seconds(name: str, value: object) -> None:
    """Check how long to wait, as a user gave it.

    Args:
        name: The name of the argument, for the message.
        value: What was given.

    Raises:
        InvalidDataError: It is no number of seconds.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_long(value):
        raise InvalidDataError(f"`{name}` is a number of seconds from 0 on, not {value!r}.")


def _is_long(seconds: float) -> bool:
    try:
        return float(seconds) >= 0
    except OverflowError:  # an integer that no clock can be set to
        return False
