"""A call that runs once, in a thread of its own, for any number of threads and event loops that wait for its result.

No lock is used here: a signal handler may interrupt a waiting thread and wait for the same call, which would never end
if the interrupted thread held a lock that the call needs. Steps that must happen once are single operations on lists,
which are atomic.
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
"""How long a thread waits at a time, so that a signal that came just before the wait is noticed soon."""


class SingleFlight(Generic[T]):
    """A call that continues even if those who wait for it are cancelled or interrupted.

    A forked child does not have the thread of the call, so waiting ends there at once.

    Args:
        work: The function to call. It runs with the context variables of the thread that makes this object.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._context = contextvars.copy_context()
        self._began_at = time.monotonic()
        self._process = this_process()
        self._started = False
        self._tickets = [True]  # whoever takes the ticket does the work
        self._thread_id: int | None = None
        self._waiting: list[Callable[[], object]] = []
        self._result: list[T] = []
        self._error: BaseException | None = None
        self._ended = False

    def start(self) -> None:
        """Start the call in a daemon thread, unless it is started.

        If no thread can be started (at interpreter shutdown), run it in this one. Everybody who waits calls this
        method, so that nobody waits in vain if one of them is interrupted in here.
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
            self._tickets.pop()
        except IndexError:
            return
        self._thread_id = threading.get_ident()
        try:
            self._result.append(self._context.run(self._work))
        except BaseException as error:  # noqa: BLE001 - `result` raises it
            self._error = error
        self._ended = True
        while self._waiting:
            self._waiting.pop()()

    @property
    def runs_in_this_thread(self) -> bool:
        """Whether this thread runs the call, so that waiting for it would never end."""
        return self._thread_id == threading.get_ident()

    @property
    def age(self) -> float:
        """The seconds since this object was made."""
        return time.monotonic() - self._began_at

    @property
    def ended(self) -> bool:
        """Whether there is a result or an error."""
        return self._ended

    def wait(self, seconds: float | None = None) -> None:
        """Wait in a thread until the call ends, at most the given seconds."""
        signal = threading.Lock()
        signal.acquire()
        self._waiting.append(signal.release)
        until = math.inf if seconds is None else time.monotonic() + seconds
        while not self._ended and self._process.is_this:  # whoever registers too late to be notified sees `_ended`
            left = until - time.monotonic()
            if left <= 0 or signal.acquire(timeout=min(left, _NAP_SECONDS)):
                return
            self.start()

    async def wait_async(self, seconds: float | None = None) -> None:
        """Wait in an event loop of asyncio until the call ends, at most the given seconds."""
        import asyncio

        loop, finished = asyncio.get_running_loop(), asyncio.Event()

        def notify() -> None:
            with suppress(RuntimeError):  # the loop was closed before the call ended
                loop.call_soon_threadsafe(finished.set)

        self._waiting.append(notify)
        if not self._ended:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await finished.wait()

    def result(self) -> T:
        """Return the result of the call, or raise its error, once it has ended.

        An error of this package is copied, so that each caller raises one with a traceback of its own.
        """
        if self._error is None:
            return self._result[0]
        raise copy.copy(self._error) if isinstance(self._error, WallarooError) else self._error
