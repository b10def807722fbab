"""Calls functions when time limits pass, with one thread for any number of limits."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class Deadlines:
    """Time limits for `with` blocks.

    A block that ends in time costs little: the thread is not woken for it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[object, tuple[float, Callable[[], None]]] = {}
        self._wakes_at = float("inf")
        self._thread: threading.Thread | None = None

    @contextmanager
    def after(self, seconds: float, action: Callable[[], None]) -> Generator[None]:
        """Call a function once, in another thread, if the `with` block takes longer than a number of seconds."""
        key, at = object(), time.monotonic() + seconds
        with self._changed:
            if self._thread is None:
                thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                thread.start()  # if the system refuses, the next caller tries again
                self._thread = thread
            elif at < self._wakes_at:
                self._changed.notify()
            self._due[key] = at, action
        try:
            yield
        finally:
            with self._changed:
                self._due.pop(key, None)

    def _watch(self) -> None:
        with self._changed:
            while True:
                self._wakes_at = min((at for at, _ in self._due.values()), default=float("inf"))
                self._changed.wait(None if self._wakes_at == float("inf") else self._wakes_at - time.monotonic())
                self._run_due_actions()

    def _run_due_actions(self) -> None:
        due = [key for key, (at, _) in self._due.items() if at <= time.monotonic()]
        for key in due:
            _, action = self._due.pop(key)
            action()
