"""Forks children in tests, which always end."""

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
"""The time after which a signal ends a child."""


def start_child(work: Callable[[], object]) -> int:
    """Fork a child that runs a function and then ends. Returns its process id."""
    child = os.fork()
    if child:
        return child
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)
        work()
    except BaseException:  # noqa: BLE001 - the exit code reports any error
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def exit_code_of(child: int) -> int:
    """Wait for a child's end. Returns its exit code, or the negative number of the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run_in_child(work: Callable[[], object]) -> int:
    """Run a function in a forked child. Returns its exit code, which is 0 on success."""
    return exit_code_of(start_child(work))


@contextmanager
def forked_within(expected: type[BaseException]) -> Generator[Callable[[], None]]:
    """Yield a function that forks once within a `with` block. The child goes on in the block and has to raise.

    Args:
        expected: The exception that the child has to raise.
    """
    parent, codes = os.getpid(), list[int]()

    def fork() -> None:
        if not codes and os.getpid() == parent and (child := os.fork()):
            codes.append(exit_code_of(child))

    try:
        yield fork
    except BaseException as error:
        if os.getpid() == parent:
            raise
        traceback.print_exc()
        traceback.clear_frames(error.__traceback__)  # this finalizes the objects that the child has left
        gc.collect()
        os._exit(0 if isinstance(error, expected) else 3)
    if os.getpid() != parent:
        os._exit(4)
    assert codes == [0]


@contextmanager
def children(work: Callable[[int], object], count: int) -> Generator[None]:
    """Run a function in children, each with its number, while a `with` block runs. All have to succeed."""
    pids = [start_child(lambda number=number: work(number)) for number in range(count)]
    try:
        yield
    finally:
        codes = [exit_code_of(pid) for pid in pids]
    assert codes == [0] * count
