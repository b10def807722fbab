"""Acting when time is over, for any number of things that run at once, with one thread for all of them."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class Deadlines:
    """Calls a function each time that something takes too long.

    What ends in time costs little: the thread sleeps on until the time at which it would have been too late.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[object, tuple[float, Callable[[], None]]] = {}
        self._wakes_at = float("inf")
        self._thread: threading.Thread | None = None

    @contextmanager
    def after(self, seconds: float, act: Callable[[], None]) -> Generator[None]:
        """Call a function once, in another thread, if the `with` block takes longer than so many seconds."""
        key, at = object(), time.monotonic() + seconds
        with self._changed:
            if self._thread is None:
                thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                thread.start()  # where the system gives none, the next one who comes tries again
                self._thread = thread
            elif at < self._wakes_at:
                self._changed.notify()
            self._due[key] = at, act
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
                self._act_on_what_is_late()

    def _act_on_what_is_late(self) -> None:
        late = [key for key, (at, _) in self._due.items() if at <= time.monotonic()]
        for key in late:
            _, act = self._due.pop(key)
            act()
