"""Forking in tests: children that end by themselves, whatever happens in them, and what they do."""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

SECONDS = 30
"""After which a child that hangs is ended by a signal."""


def begun(work: Callable[[], object]) -> int:
    """Fork a child that does some work and nothing else; its process id."""
    child = os.fork()
    if child:
        return child
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)
        work()
    except BaseException:  # noqa: BLE001 - whatever it is, the exit status tells it
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def ended(child: int) -> int:
    """Return a child's exit code; negative for the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def in_child(work: Callable[[], object]) -> int:
    """Do some work in a forked child; its exit code, 0 where it went well."""
    return ended(begun(work))


@contextmanager
def forked_within(expected: type[BaseException]) -> Generator[Callable[[], None]]:
    """What forks once, in the middle of a block; the child goes on with the block, and has to end it by an exception.

    Args:
        expected: The exception.
    """
    parent, codes = os.getpid(), list[int]()

    def fork() -> None:
        if not codes and os.getpid() == parent and (child := os.fork()):
            codes.append(ended(child))

    try:
        yield fork
    except BaseException as error:
        if os.getpid() == parent:
            raise
        traceback.print_exc()
        traceback.clear_frames(error.__traceback__)  # and so finalizes what the child has left
        gc.collect()
        os._exit(0 if isinstance(error, expected) else 3)
    if os.getpid() != parent:
        os._exit(4)
    assert codes == [0]


@contextmanager
def children(work: Callable[[int], object], count: int) -> Generator[None]:
    """Have forked children do some work, each told its number, while a `with` block runs; all of it has to go well."""
    running = [begun(lambda number=number: work(number)) for number in range(count)]
    try:
        yield
    finally:
        codes = [ended(child) for child in running]
    assert codes == [0] * count
