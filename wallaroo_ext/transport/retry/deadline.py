"""The end of the time for a request, kept at every step: names, connections, encryption, each read and write.

httpx knows the time for one read, so that an answer that comes in drops never ends. In asyncio a deadline stops the
task that waits. A thread cannot be stopped, so its connections ask how much time is left before each step
(`time_left`, `wallaroo_ext.transport.timed_connections`).
"""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Generator

    from wallaroo_ext.transport.retry.clock import Clock

PASSED = "the deadline passed before the whole answer had come"
_SHORTEST = 0.001
"""What is left at the least, in seconds: zero would mean not to wait at all, and is no time-out in sockets."""


class Deadline:
    """The end of the time for a request. It may begin later than the request: when a long body was sent.

    Args:
        clock: The time that it goes by.
        until: When it ends, on the clock; None for no end so far.
    """

    __slots__ = ("_clock", "_task_limit", "until")

    def __init__(self, clock: Clock, until: float | None) -> None:
        self._clock = clock
        self._task_limit: asyncio.Timeout | None = None
        self.until = until

    def begin(self, seconds: float) -> None:
        """Let it end in some seconds, unless it ends already."""
        if self.until is not None:
            return
        self.until = self._clock.now() + seconds
        if self._task_limit is not None and not self._task_limit.expired():
            self._task_limit.reschedule(_loop_time() + seconds)

    def left(self) -> float | None:
        """Return how many seconds are left, 0 where there are none; None where there is no end."""
        return None if self.until is None else max(0.0, self.until - self._clock.now())

    @contextmanager
    def in_thread(self) -> Generator[None]:
        """Keep it in a `with` block, for the connections that this thread uses."""
        reset = _current.set(self)
        try:
            yield
        finally:
            _current.reset(reset)

    @asynccontextmanager
    async def in_task(self) -> AsyncGenerator[None]:
        """Keep it in an `async with` block.

        Raises:
            httpx.ReadTimeout: The time is over.
        """
        import asyncio

        limit = self._task_limit = asyncio.timeout(self.left())
        try:
            async with limit:
                yield
        except TimeoutError:
            if not limit.expired():
                raise
        else:
            return
        finally:
            self._task_limit = None
        raise httpx.ReadTimeout(PASSED)


_current: ContextVar[Deadline | None] = ContextVar("_current", default=None)


def time_left(timeout: float | None) -> float | None:
    """Return a time-out in seconds, cut to what this thread's deadline leaves; None for no end.

    Raises:
        TimeoutError: Nothing is left.
    """
    deadline = _current.get()
    left = None if deadline is None else deadline.left()
    if left is None:
        return timeout
    if left <= 0:
        raise TimeoutError(PASSED)
    return max(_SHORTEST, left if timeout is None else min(timeout, left))


def _loop_time() -> float:
    import asyncio

    return asyncio.get_running_loop().time()
