"""The clock of retries, passed in so that tests can control it."""

from __future__ import annotations

import time


class Clock:
    """The machine's clock. A subclass may return another time, and make waiting instant."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def now(self) -> float:
        """Return seconds on a monotonic clock."""
        return time.monotonic()

    def date(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Wait while other tasks run."""
        import asyncio

        await asyncio.sleep(seconds)


SYSTEM_CLOCK = Clock()
