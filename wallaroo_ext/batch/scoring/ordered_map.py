"""Calling a function for many items in parallel, a bounded number at a time, with the results in order."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Generic, TypeVar

from wallaroo_ext._util.after_fork import this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

T = TypeVar("T")
R = TypeVar("R")

_HELD = 2
"""How many times as many items as may be begun are held in all, with results that wait for an earlier one."""

_WORK = "The scoring of these rows"
"""The subject of the error in a forked process."""


def map_in_order(
    items: Iterable[T],
    function: Callable[[T], R],
    in_flight: int,
    stopped: threading.Event | None = None,
    *,
    begun: Callable[[], int] | None = None,
) -> Generator[R]:
    """Yield the result of a function for each item, in the order of the items.

    Items are read as they are needed: at most `in_flight` are in work, no more than `begun` says are in work or wait
    for a thread, and at most twice as many are held, with results that wait for an earlier one. So a consumer that
    takes no results stops the reading, a source without a next item stops the work, and one slow item does not stop the
    others at once.

    The threads end with the generator, by its last result, an error, or `close`: items that have not begun are
    dropped, and those in work are waited for. An error of the source is raised after the results of the items before
    it, unless `stopped` is set by then. A process that is forked meanwhile does not have the threads; there, the next
    result is a ForkedError.

    Args:
        items: The items, read in the thread that takes the results.
        function: The function, called in one of the threads.
        in_flight: The number of threads.
        stopped: Set when the generator ends before its last result, so that the function can end early.
        begun: Returns how many items may be in work or wait for a thread, so that no thread waits for the source; by
            default, twice as many as threads.
    """
    process = this_process()
    stopped = stopped or threading.Event()
    pool = ThreadPoolExecutor(in_flight, thread_name_prefix="wallaroo-batch")
    held: deque[Future[R]] = deque()
    source = _Source(items, stopped)
    most = begun or (lambda: 2 * in_flight)

    def submit(item: T) -> Future[R]:
        process.check(_WORK)
        return pool.submit(function, item)

    try:
        while _submit_items(source, held, submit, most):
            if held[0].done():
                yield held.popleft().result()
                process.check(_WORK)
            else:
                wait(_unfinished(held), return_when=FIRST_COMPLETED)
        source.raise_error()
    except BaseException:
        if process.is_this:
            stopped.set()
        raise
    finally:
        if process.is_this:
            pool.shutdown(wait=True, cancel_futures=True)


class _Source(Generic[T]):
    """An iterator that ends where its items raise an error, and keeps the error, unless the work is stopped."""

    def __init__(self, items: Iterable[T], stopped: threading.Event) -> None:
        self._items = iter(items)
        self._stopped = stopped
        self._error: Exception | None = None

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._error is not None:
            raise StopIteration
        try:
            return next(self._items)
        except StopIteration:
            raise
        except Exception as error:
            if self._stopped.is_set():
                raise
            self._error = error
            raise StopIteration from None

    def raise_error(self) -> None:
        """Raise the error that was kept, if there is one."""
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
        finally:
            del error  # it would refer to this frame, and the frame to it


def _submit_items(
    source: Iterator[T], held: deque[Future[R]], submit: Callable[[T], Future[R]], most: Callable[[], int]
) -> bool:
    """Submit as many items as may be held; return whether any result is left to take."""
    while len(held) < _HELD * most() and len(_unfinished(held)) < most():
        try:
            item = next(source)
        except StopIteration:
            break
        held.append(submit(item))
    return bool(held)


def _unfinished(held: Iterable[Future[R]]) -> list[Future[R]]:
    return [each for each in held if not each.done()]
