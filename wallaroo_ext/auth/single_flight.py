"""One piece of work in a thread of its own, whose end any number of threads and event loops wait for.

There is no lock in here: a signal handler may wait for the work that its own thread waits for, in the middle of
anything, and would wait for ever where that thread held a lock that the work needs to end. What has to happen once is
done by single operations of lists, which no thread can come in between.
"""

from __future__ import annotations

import contextvars
import copy
import math
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from wallaroo_ext._util.after_fork import this_process
from wallaroo_ext.errors import WallarooError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_NAP_SECONDS = 0.5
"""How long a thread waits at a stretch, so that a signal that came just before it began to wait is seen soon."""


class SingleFlight(Generic[T]):
    """Work that goes on whatever happens to those who wait for it: a cancelled task, an interrupted thread.

    A process that is forked does not have its thread; who waits for it there, waits no longer.

    Args:
        work: What to do. It runs with the context variables of the thread that makes the flight.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._context = contextvars.copy_context()
        self._began_at = time.monotonic()
        self._process = this_process()
        self._started = False
        self._ticket = [True]  # whoever takes it does the work
        self._thread_id: int | None = None
        self._waiting: list[Callable[[], object]] = []
        self._result: list[T] = []
        self._error: BaseException | None = None
        self._ended = False

    def start(self) -> None:
        """Begin, in a thread that does not keep the process alive, unless it has begun.

        Where there is no thread to be had, while the interpreter ends for one, it is done in this one. Each who waits
        calls it, so that an interruption in here leaves nobody waiting.
        """
        if self._started:
            return
        self._started = True
        try:
            threading.Thread(target=self._run, name="wallaroo-token", daemon=True).start()
        except RuntimeError:
            self._run()
        except BaseException:
            self._started = False
            raise

    def _run(self) -> None:
        try:
            self._ticket.pop()
        except IndexError:
            return
        self._thread_id = threading.get_ident()
        try:
            self._result.append(self._context.run(self._work))
        except BaseException as error:  # noqa: BLE001 - it is raised where the end is waited for
            self._error = error
        self._ended = True
        while self._waiting:
            self._waiting.pop()()

    @property
    def runs_here(self) -> bool:
        """Whether this thread is the one that does the work, so that waiting would never end."""
        return self._thread_id == threading.get_ident()

    @property
    def age(self) -> float:
        """How many seconds ago it began."""
        return time.monotonic() - self._began_at

    @property
    def ended(self) -> bool:
        """Whether there is a result or an error."""
        return self._ended

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the end, in a thread; at most some seconds."""
        latch = threading.Lock()
        latch.acquire()
        self._waiting.append(latch.release)
        until = math.inf if seconds is None else time.monotonic() + seconds
        while not self._ended and self._process.is_this:  # who came too late to be told comes late enough to see it
            left = until - time.monotonic()
            if left <= 0 or latch.acquire(timeout=min(left, _NAP_SECONDS)):
                return
            self.start()

    async def wait_async(self, seconds: float | None = None) -> None:
        """Wait for the end, in an event loop of asyncio; at most some seconds."""
        import asyncio

        loop, landed = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            with suppress(RuntimeError):  # the loop was closed before the work ended
                loop.call_soon_threadsafe(landed.set)

        self._waiting.append(tell)
        if not self._ended:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await landed.wait()

    def result(self) -> T:
        """Return what the work gave, once it has ended; or its error is raised.

        Those who raise it at the same moment each raise their own, with their own traceback, where it can be copied.
        """
        if self._error is None:
            return self._result[0]
        raise copy.copy(self._error) if isinstance(self._error, WallarooError) else self._error
