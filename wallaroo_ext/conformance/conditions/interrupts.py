"""The signals that end a run: each is an interrupt, after which the run is torn down and its report is written."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_ENDING = ("SIGTERM", "SIGHUP")
"""CI systems end a job by the first; a terminal that is closed ends its programs by the second."""


@contextmanager
def as_interrupts() -> Generator[None]:
    """Raise KeyboardInterrupt in the block on SIGTERM and SIGHUP, as on Ctrl-C. What is ignored stays ignored."""
    with _handling(_ENDING, _interrupt):
        yield


@contextmanager
def held_back() -> Generator[None]:
    """Finish the block, which takes a moment, whatever signal comes; it is raised afterwards."""
    came: list[int] = []
    try:
        with _handling(("SIGINT", *_ENDING), lambda number, _: came.append(number)):
            yield
    finally:
        for number in came[:1]:
            signal.raise_signal(number)


def _interrupt(_: int, __: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def _handling(names: tuple[str, ...], handler: Callable[[int, object], object]) -> Generator[None]:
    """Handle signals in the block, those that are not ignored; only the main thread can."""
    with ExitStack() as after:
        for name in names if threading.current_thread() is threading.main_thread() else ():
            number = getattr(signal, name, None)  # some systems lack one
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                after.callback(signal.signal, number, signal.signal(number, handler))
        yield
