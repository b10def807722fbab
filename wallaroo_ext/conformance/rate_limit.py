"""How often a run may ask an instance that others use, too."""

from __future__ import annotations

import threading
import time


class RateLimit:
    """Lets no more than so many requests a second go.

    Args:
        per_second: How many; None for any number.
    """

    def __init__(self, per_second: float | None) -> None:
        self._pause = 0.0 if per_second is None else 1 / per_second
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait until the next request may go."""
        if not self._pause:
            return
        with self._lock:
            now = time.monotonic()
            begin = max(now, self._next)
            self._next = begin + self._pause
        time.sleep(begin - now)
