"""The deadline of a request, checked at every step: name look-up, connection, encryption, each read and write.

httpx only limits the time of one read, so an answer that comes slowly, byte by byte, never ends. In asyncio a deadline
cancels the waiting task. A thread cannot be cancelled, so its connections check the remaining time before each step
(`time_left`, `wallaroo_ext.transport.connections.timed_connections`).
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
"""The shortest timeout, in seconds: zero would make a socket non-blocking."""


class Deadline:
    """The deadline of a request. It may be set later than the request: when a long body has been sent.

    Args:
        clock: The clock.
        until: When the time ends, on the clock; None if that is not set yet.
    """

    __slots__ = ("_clock", "_task_limit", "until")

    def __init__(self, clock: Clock, until: float | None) -> None:
        self._clock = clock
        self._task_limit: asyncio.Timeout | None = None
        self.until = until

    def start(self, seconds: float) -> None:
        """Set the deadline to some seconds from now, unless it is set."""
        if self.until is not None:
            return
        self.until = self._clock.now() + seconds
        if self._task_limit is not None and not self._task_limit.expired():
            self._task_limit.reschedule(_loop_time() + seconds)

    def left(self) -> float | None:
        """Return how many seconds are left, at least 0; None if the deadline is not set."""
        return None if self.until is None else max(0.0, self.until - self._clock.now())

    @contextmanager
    def in_thread(self) -> Generator[None]:
        """Apply the deadline to the connections that this thread uses in a `with` block."""
        reset = _current.set(self)
        try:
            yield
        finally:
            _current.reset(reset)

    @asynccontextmanager
    async def in_task(self) -> AsyncGenerator[None]:
        """Apply the deadline to an `async with` block.

        Raises:
            httpx.ReadTimeout: The deadline has passed.
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
    """Return a timeout in seconds, shortened to what this thread's deadline leaves; None for no limit.

    Raises:
        TimeoutError: No time is left.
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
