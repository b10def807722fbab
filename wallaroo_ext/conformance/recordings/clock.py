"""The time of a recorded instance: pauses are over at once."""

from __future__ import annotations

from wallaroo_ext.retries.clock import Clock


class PassingClock(Clock):
    """A clock on which waiting takes no time, and that goes on by as much as was waited."""

    def __init__(self) -> None:
        self._waited = 0.0

    def now(self) -> float:
        """Seconds, with those that were waited."""
        return super().now() + self._waited

    def date(self) -> float:
        """Seconds since 1970, with those that were waited."""
        return super().date() + self._waited

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self._waited += seconds

    async def sleep_async(self, seconds: float) -> None:
        """Let the time pass at once."""
        self._waited += seconds
