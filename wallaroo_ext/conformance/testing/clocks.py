"""Judges the times in answers by the clocks that the run knows: the instance's own, and that of this machine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

_LEEWAY_SECONDS = 90.0
"""How far times may lie outside; a wrong offset from UTC is half an hour at least."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """What several clocks showed when an answer came; whoever stands before an instance may have another clock.

    Attributes:
        shown: What each clock showed, in seconds since 1970.
    """

    shown: tuple[float, ...]

    def __contains__(self, moment: Any) -> bool:
        """Return whether a time, in seconds since 1970 or as RFC 3339 writes it, is about what one of them showed."""
        told = datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else float(moment)
        return any(abs(told - shown) <= _LEEWAY_SECONDS for shown in self.shown)


def clocks_of(answer: httpx.Response) -> Clocks:
    """Return what the clocks show at a new answer: that of its header `Date`, and this machine's."""
    try:
        date = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return Clocks((time.time(),))
    return Clocks((time.time(), (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()))
