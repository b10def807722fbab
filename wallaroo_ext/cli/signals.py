"""Ctrl-C and the signals that end a command, so that it cleans up and reports what it leaves behind."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_SIGNALS = ("SIGTERM", "SIGHUP")


class Terminated(KeyboardInterrupt):
    """A signal ended the program; code that cleans up after Ctrl-C cleans up after it, too."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def exit_code_of(interrupt: KeyboardInterrupt) -> int:
    """Return the exit code of a program that was ended by this signal."""
    return 128 + (interrupt.number if isinstance(interrupt, Terminated) else signal.SIGINT)


@contextmanager
def raise_on_signals() -> Generator[None]:
    """Raise `Terminated` in a block on SIGTERM and SIGHUP, which otherwise end the program at once."""
    with ExitStack() as after:
        for name in _SIGNALS if threading.current_thread() is threading.main_thread() else ():
            number = getattr(signal, name, None)  # some systems lack one
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                after.callback(signal.signal, number, signal.signal(number, _raise))
        yield


def _raise(number: int, _: Any) -> None:
    raise Terminated(number)


@contextmanager
def note_on_interrupt(describe: Callable[[], str]) -> Generator[None]:
    """Add a note to an interrupt of the block, which says what is left behind."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(describe())
        raise
