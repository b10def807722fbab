"""Ctrl-C and the signals that ask a command to end: it may clean up, and says what it leaves."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_SIGNALS = ("SIGTERM", "SIGHUP")


class Terminated(KeyboardInterrupt):
    """A signal asked the program to end; what cleans up after Ctrl-C cleans up after it, too."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def exit_code_of(interrupt: KeyboardInterrupt) -> int:
    """Return what a shell says of a program that was ended by this signal."""
    return 128 + (interrupt.number if isinstance(interrupt, Terminated) else signal.SIGINT)


@contextmanager
def raise_on_signals() -> Generator[None]:
    """Raise SIGTERM and SIGHUP as `Terminated` in a block, where they would end the program at once."""
    with ExitStack() as after:
        for name in _SIGNALS if threading.current_thread() is threading.main_thread() else ():
            number = getattr(signal, name, None)  # not every system has each
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                after.callback(signal.signal, number, signal.signal(number, _raise))
        yield


def _raise(number: int, _: Any) -> None:
    raise Terminated(number)


@contextmanager
def note_on_interrupt(left: Callable[[], str]) -> Generator[None]:
    """Say on what interrupts the block what is left behind."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(left())
        raise
