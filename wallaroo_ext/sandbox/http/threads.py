"""Threads of their own for work that must not wait for other requests, and for which no other request should wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread

if TYPE_CHECKING:
    from collections.abc import Callable

_Answer = TypeVar("_Answer")


class OwnThreads:
    """Runs functions in threads that nothing else uses.

    Args:
        limit: How many of them run at a time; further ones wait, and hold no thread.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._limiter: anyio.CapacityLimiter | None = None

    async def run(self, work: Callable[[], _Answer]) -> _Answer:
        """Return what a function returns."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._limit)  # it belongs to the loop that runs now
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)
