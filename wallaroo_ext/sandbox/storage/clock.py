"""The sandbox's clock: the real time, and how far it was set from it."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.storage.store import Store

_SETTING = "clock_offset_ns"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_NS = (1 << 63) - 1  # in the year 2262; Arrow and numpy count nanoseconds in 64 bits too


class ClockOutOfRangeError(ValueError):
    """A clock cannot be set to a time before 1970, nor to one whose nanoseconds since then need more than 64 bits."""


class Clock:
    """The time that the sandbox writes and computes with. It goes on at the pace of the real one.

    It decides about when things were made, about the time of inferences, and about assays. It does not decide about
    tokens, which expire in real time: their lifetimes are told to clients, and a client has a clock of its own. How far
    it was set is kept in the data directory.

    Args:
        store: Where that is kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._offset_ns = int(store.setting(_SETTING, lambda: "0"))

    @property
    def offset_ns(self) -> int:
        """How far it is ahead of the real time, in nanoseconds."""
        return self._offset_ns

    def now_ns(self) -> int:
        """Return the time in nanoseconds since 1970."""
        return time.time_ns() + self._offset_ns

    def now_text(self) -> str:
        """Return the time as the API writes it, to the microsecond."""
        return to_text(self.now_ns())

    def set_to(self, time_ns: int) -> None:
        """Set it to a time in nanoseconds since 1970, which may be an earlier one.

        Raises:
            ClockOutOfRangeError: No clock can show that time.
        """
        with self._lock:
            self._set_offset(time_ns, time_ns - time.time_ns())

    def advance(self, nanoseconds: int) -> None:
        """Set it forward, or back where they are negative.

        Raises:
            ClockOutOfRangeError: No clock can show that time.
        """
        with self._lock:
            self._set_offset(self.now_ns() + nanoseconds, self._offset_ns + nanoseconds)

    def reset(self) -> None:
        """Set it to the real time."""
        with self._lock:
            self._set_offset(0, 0)

    def _set_offset(self, time_ns: int, offset_ns: int) -> None:
        if not 0 <= time_ns <= _LATEST_NS:
            raise ClockOutOfRangeError("The clock can be set to times from 1970 to 2262-04-11.")
        self._store.change_setting(_SETTING, str(offset_ns))
        self._offset_ns = offset_ns


def to_text(time_ns: int) -> str:
    """Return a time in nanoseconds since 1970 as the API writes it, to the microsecond."""
    return (_EPOCH + timedelta(microseconds=time_ns // 1000)).isoformat(timespec="microseconds")
