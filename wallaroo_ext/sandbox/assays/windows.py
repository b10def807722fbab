"""The times of an assay: how long its windows are, and which of them have inferences.

All times are whole microseconds since 1970, so that they can be reckoned with exactly.
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

    from wallaroo_ext.sandbox.assays.binning import Array

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""The last point in time that can be written."""
_UNITS = {
    "millisecond": timedelta(milliseconds=1) // _MICROSECOND,
    "second": timedelta(seconds=1) // _MICROSECOND,
    "minute": timedelta(minutes=1) // _MICROSECOND,
    "hour": timedelta(hours=1) // _MICROSECOND,
    "day": timedelta(days=1) // _MICROSECOND,
    "week": timedelta(weeks=1) // _MICROSECOND,
}
_WIDTH = re.compile(rf"([0-9]{{1,12}}) +({'|'.join(_UNITS)})s?")
_LONGEST = 36_500 * _UNITS["day"]


def parse_width(text: str) -> int:
    """Return how long a window is: a whole number and a unit, such as `24 hours`, `1 day` or `500 milliseconds`.

    The recordings have hours only; the other units are those that a person would try.

    Raises:
        Problem: 400, for anything else, for nothing, and for more than a hundred years.
    """
    found = _WIDTH.fullmatch(text.strip().lower())
    width = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < width <= _LONGEST:
        units = ", ".join(f"{unit}s" for unit in _UNITS)
        raise bad_request(f"{text!r} is no length of time: it is a whole number of {units}, and at most 36500 days.")
    return width


def parse_time(text: str) -> int:
    """Return a point in time as RFC 3339 writes it; digits after the microsecond are dropped.

    Raises:
        Problem: 400, for a day or an hour that does not exist.
    """
    try:
        return (datetime.fromisoformat(text).astimezone(UTC) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as error:
        raise bad_request(f"{text!r} is no point in time: {error}.") from None


def format_time(time: int) -> str:
    """Return a point in time as results have it, in UTC with a Z: `2023-01-01T05:00:00Z`."""
    return (_EPOCH + timedelta(microseconds=time)).isoformat().replace("+00:00", "Z")


def format_nanoseconds(time_ns: int) -> str:
    """A point in time, in nanoseconds since 1970, with nine digits of a second: `2023-05-19T17:26:59.664583293Z`."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    return f"{(_EPOCH + timedelta(seconds=seconds)).strftime('%Y-%m-%dT%H:%M:%S')}.{nanoseconds:09d}Z"


def to_milliseconds(time: int) -> int:
    """Return the first whole millisecond since 1970 that is not before a point in time."""
    return -(-time // 1000)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Windows of one width, one after the other at one interval, numbered from 0.

    A window has what happened from its start on and before its end, and counts once it is complete: the vendor's pages
    say so, and show it by their numbers of results.

    Attributes:
        start: When the first one begins.
        width: How long each is.
        interval: How far apart they begin; smaller than the width where they overlap.
        until: When the last one has ended at the latest.
    """

    start: int
    width: int
    interval: int
    until: int

    @property
    def complete(self) -> int:
        """How many windows have ended."""
        return max((self.until - self.start - self.width) // self.interval + 1, 0)

    def begin(self, number: int) -> int:
        """Return when a window begins."""
        return self.start + number * self.interval

    def end(self, number: int) -> int:
        """Return when a window ends."""
        return self.begin(number) + self.width

    def occupied(self, times: Array, first: int = 0) -> Iterator[int]:
        """Yield the complete windows in which something happened, in their order.

        It goes by what happened, not by the windows: a window of a second and a start years ago are no trouble.

        Args:
            times: When something happened, in ascending order.
            first: The first window that counts.
        """
        lowest: Array = np.maximum((times - self.start - self.width) // self.interval + 1, first)
        highest: Array = np.minimum((times - self.start) // self.interval, self.complete - 1)
        ranges: Any = np.unique(np.stack([lowest, highest], axis=1), axis=0)
        number = first
        for low, high in ranges.tolist():
            yield from range(max(number, low), high + 1)
            number = max(number, high + 1)
