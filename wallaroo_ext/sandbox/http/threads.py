"""Separate threads for work that must neither wait for other requests nor make them wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread

if TYPE_CHECKING:
    from collections.abc import Callable

_Answer = TypeVar("_Answer")


class ThreadPool:
    """Runs functions in threads that nothing else uses.

    Args:
        limit: How many functions run at a time; further ones wait without occupying a thread.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._limiter: anyio.CapacityLimiter | None = None

    async def run(self, work: Callable[[], _Answer]) -> _Answer:
        """Run a function in a thread, and return its result."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._limit)  # it belongs to the running event loop
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)
