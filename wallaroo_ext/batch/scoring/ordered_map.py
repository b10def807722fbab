"""Work on many things at a time, a bounded number of them, with the results in order."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

from wallaroo_ext._util.after_fork import this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

T = TypeVar("T")
R = TypeVar("R")

_WAITING = 2
"""How many times the number in flight are begun or wait for a thread: so that none ever waits for the source."""

_HELD = 4
"""How many times that number are held in all, with the results that wait for an earlier one."""


_WHAT = "The scoring of these rows"


def in_order(
    things: Iterable[T], work: Callable[[T], R], in_flight: int, stopped: threading.Event | None = None
) -> Generator[R]:
    """Yield what `work` gives for each thing, in the order of the things.

    So many threads work at a time. Things are read as they are needed: at most twice that number wait or are worked on,
    and at most four times that number are held with the results that wait for an earlier one. So a consumer that takes
    no results stops the reading, a source that gives nothing stops the work, and one thing that takes long does not
    stop the others at once. The end of the generator, by its last result, an error, or `close`, ends the threads: what
    has not begun is dropped, and what is under way is waited for. A process that is forked meanwhile does not have the
    threads: for it, the next result is a ForkedError.

    Args:
        things: What to work on; read in the thread that takes the results.
        work: Called in one of the threads.
        in_flight: How many threads there are.
        stopped: Is set when the generator ends before its last result, so that `work` can end early.
    """
    process = this_process()
    stopped = stopped or threading.Event()
    pool = ThreadPoolExecutor(in_flight, thread_name_prefix="wallaroo-batch")
    begun: deque[Future[R]] = deque()
    source = iter(things)

    def submit(thing: T) -> Future[R]:
        process.check(_WHAT)
        return pool.submit(work, thing)

    try:
        while _fill(source, begun, submit, in_flight):
            if begun[0].done():
                yield begun.popleft().result()
                process.check(_WHAT)
            else:
                wait(_unfinished(begun), return_when=FIRST_COMPLETED)
    except BaseException:
        if process.is_this:
            stopped.set()
        raise
    finally:
        if process.is_this:
            pool.shutdown(wait=True, cancel_futures=True)


def _fill(source: Iterator[T], begun: deque[Future[R]], submit: Callable[[T], Future[R]], in_flight: int) -> bool:
    """Begin with as many things as fit; whether there is any."""
    while len(begun) < in_flight * _HELD and len(_unfinished(begun)) < in_flight * _WAITING:
        try:
            thing = next(source)
        except StopIteration:
            break
        begun.append(submit(thing))
    return bool(begun)


def _unfinished(begun: Iterable[Future[R]]) -> list[Future[R]]:
    return [each for each in begun if not each.done()]
