"""The times of an assay: parsing and formatting them, its windows, and which of these have inferences.

All times are whole microseconds since 1970, so that arithmetic is exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from wallaroo_ext.sandbox.http.problems import bad_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallaroo_ext.sandbox.engine.tensors import Array

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""The latest time that can be formatted."""
_UNITS = {
    "millisecond": timedelta(milliseconds=1) // _MICROSECOND,
    "second": timedelta(seconds=1) // _MICROSECOND,
    "minute": timedelta(minutes=1) // _MICROSECOND,
    "hour": timedelta(hours=1) // _MICROSECOND,
    "day": timedelta(days=1) // _MICROSECOND,
    "week": timedelta(weeks=1) // _MICROSECOND,
}
_SHORT_UNIT = "ms"  # as the vendor's SDK writes it
_WIDTH = re.compile(rf"([0-9]{{1,12}}) +(?:({'|'.join(_UNITS)})s?|{_SHORT_UNIT})")
_LONGEST = 36_500 * _UNITS["day"]


def parse_width(text: str) -> int:
    """Return a length of time in microseconds, from a whole number and a unit, such as `24 hours` or `1 day`.

    The recordings have hours only, and the vendor's SDK sends `ms`; the other units are those that a person would try.

    Raises:
        Problem: 400, if the text has another form, or the length is zero or more than a hundred years.
    """
    found = _WIDTH.fullmatch(text.strip().lower())
    width = int(found[1]) * _UNITS[found[2] or "millisecond"] if found else 0
    if not 0 < width <= _LONGEST:
        units = ", ".join(f"{unit}s" for unit in _UNITS)
        raise bad_request(f"{text!r} is no length of time: send a whole number of {units}, at most 36500 days.")
    return width


def parse_time(text: str) -> int:
    """Return a time in microseconds since 1970, from a text as in RFC 3339; further digits are dropped.

    Raises:
        Problem: 400, if the text has another form, or names a day or an hour that does not exist.
    """
    try:
        return (datetime.fromisoformat(text).astimezone(UTC) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as error:
        raise bad_request(f"{text!r} is no point in time: {error}.") from None


def check_time(time: int, what: str) -> int:
    """Return a time in microseconds since 1970 as it is.

    Args:
        time: The time.
        what: What it is the time of, for the message: `the end of the window`.

    Raises:
        Problem: 400, if it is before the year 1 or after the year 9999, and so can be shown nowhere.
    """
    if not _EARLIEST <= time <= LATEST:
        raise bad_request(f"Send other times: {what} would not be in the years 1 to 9999.")
    return time


def format_time(time: int) -> str:
    """Return a time as results write it, in UTC with a Z: `2023-01-01T05:00:00Z`."""
    return (_EPOCH + timedelta(microseconds=time)).isoformat().replace("+00:00", "Z")


def format_with_offset(time: int) -> str:
    """Return a time as lists of assays write it, in UTC with its offset: `2023-01-01T05:00:00+00:00`."""
    return format_time(time).removesuffix("Z") + "+00:00"


def format_nanoseconds(time_ns: int) -> str:
    """Return a time in nanoseconds since 1970 with nine digits of a second: `2023-05-19T17:26:59.664583293Z`."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    return f"{(_EPOCH + timedelta(seconds=seconds)).strftime('%Y-%m-%dT%H:%M:%S')}.{nanoseconds:09d}Z"


def to_milliseconds(time: int) -> int:
    """Return a time in milliseconds since 1970, rounded up."""
    return -(-time // 1000)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Windows of one width at one interval, numbered from 0.

    A window includes its start and excludes its end, and counts once it is complete: the vendor's pages say so, and
    their numbers of results confirm it.

    Attributes:
        start: When the first window begins.
        width: The length of each window.
        interval: The time from one window's start to the next; smaller than the width if windows overlap.
        until: When the last window must have ended.
    """

    start: int
    width: int
    interval: int
    until: int

    @property
    def complete(self) -> int:
        """The number of windows that have ended."""
        return max((self.until - self.start - self.width) // self.interval + 1, 0)

    def begin(self, number: int) -> int:
        """Return when a window begins."""
        return self.start + number * self.interval

    def end(self, number: int) -> int:
        """Return when a window ends."""
        return self.begin(number) + self.width

    def occupied(self, times: Array, first: int = 0) -> Iterator[int]:
        """Yield the numbers of the complete windows that contain one of some times, in ascending order.

        The work grows with the number of times, not of windows, so narrow windows that begin years ago are no trouble.

        Args:
            times: The times, in ascending order.
            first: The first window to consider.
        """
        lowest: Array = np.maximum((times - self.start - self.width) // self.interval + 1, first)
        highest: Array = np.minimum((times - self.start) // self.interval, self.complete - 1)
        ranges: Any = np.unique(np.stack([lowest, highest], axis=1), axis=0)
        number = first
        for low, high in ranges.tolist():
            yield from range(max(number, low), high + 1)
            number = max(number, high + 1)
