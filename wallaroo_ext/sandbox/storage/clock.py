"""The sandbox's clock: real time plus an offset that can be set."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_SETTING = "clock_offset_ns"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_NS = (1 << 63) - 1  # in the year 2262; Arrow and numpy count nanoseconds in 64 bits too


class ClockOutOfRangeError(ValueError):
    """The clock cannot be set to a time before 1970, or to one whose nanoseconds since 1970 need more than 64 bits."""


class Settings(Protocol):
    """Named values that outlast the process."""

    def setting(self, name: str, make: Callable[[], str]) -> str:
        """Return a setting; the first time, make and store it."""
        ...

    def change_setting(self, name: str, value: str) -> None:
        """Store a setting, replacing its earlier value."""
        ...


class Clock:
    """The time that the sandbox writes and computes with. It runs at the pace of real time.

    Creation times, the times of inferences and the schedule of assays follow this clock. Tokens do not: they expire in
    real time, because clients compute their expiry on clocks of their own. The offset is kept in the data directory.

    Args:
        settings: Where the offset is stored.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._offset_ns = int(settings.setting(_SETTING, lambda: "0"))

    @property
    def offset_ns(self) -> int:
        """How far this clock is ahead of real time, in nanoseconds."""
        return self._offset_ns

    def now_ns(self) -> int:
        """Return the time in nanoseconds since 1970."""
        return time.time_ns() + self._offset_ns

    def now_text(self) -> str:
        """Return the time as the API writes it, to the microsecond."""
        return to_text(self.now_ns())

    def set_to(self, time_ns: int) -> None:
        """Set the clock to a time in nanoseconds since 1970; it may be in the past.

        Raises:
            ClockOutOfRangeError: The time is outside the range of the clock.
        """
        with self._lock:
            self._set_offset(time_ns, time_ns - time.time_ns())

    def advance(self, nanoseconds: int) -> None:
        """Move the clock forward, or back for a negative number of nanoseconds.

        Raises:
            ClockOutOfRangeError: The time is outside the range of the clock.
        """
        with self._lock:
            self._set_offset(self.now_ns() + nanoseconds, self._offset_ns + nanoseconds)

    def reset(self) -> None:
        """Set the clock to real time."""
        with self._lock:
            self._set_offset(0, 0)

    def _set_offset(self, time_ns: int, offset_ns: int) -> None:
        if not 0 <= time_ns <= _LATEST_NS:
            raise ClockOutOfRangeError("The clock can be set to times from 1970 to 2262-04-11.")
        self._settings.change_setting(_SETTING, str(offset_ns))
        self._offset_ns = offset_ns


def to_text(time_ns: int) -> str:
    """Return a time in nanoseconds since 1970 as the API writes it, to the microsecond."""
    return (_EPOCH + timedelta(microseconds=time_ns // 1000)).isoformat(timespec="microseconds")
