"""The time that retries go by, passed in so that tests can move it."""

from __future__ import annotations

import time


class Clock:
    """The machine's clock; a subclass may tell another time, and let it pass at once."""

    def now(self) -> float:
        """Seconds on a clock that never goes back, from any beginning."""
        return time.monotonic()

    def date(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Wait, while other tasks run."""
        import asyncio

        await asyncio.sleep(seconds)


SYSTEM_CLOCK = Clock()
