"""How many retries a client may spend."""

from __future__ import annotations

import threading

from wallaroo_ext._util.after_fork import PerProcess


class Budget:
    """Tokens that retries are paid with, for all threads and tasks of a client; a forked process has a copy.

    While an instance fails, they run out, and requests are sent once; while it answers, they come back.

    Args:
        size: How many there are at first, and at most.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._left = size
        self._lock = PerProcess(threading.Lock)

    @property
    def left(self) -> int:
        """How many there are."""
        return self._left

    def take(self, tokens: int) -> bool:
        """Pay; False where there are too few, and nothing is taken."""
        with self._lock.get():
            if tokens > self._left:
                return False
            self._left -= tokens
            return True

    def give_back(self, tokens: int) -> None:
        """A request succeeded: what its retries cost comes back, and a token where it had none."""
        if self._left < self._size:
            with self._lock.get():
                self._left = min(self._size, self._left + max(tokens, 1))
