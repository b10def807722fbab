"""The retry budget of a client."""

from __future__ import annotations

import threading

from wallaroo_ext._util.after_fork import PerProcess


class Budget:
    """A budget of tokens that retries use up, for all threads and tasks of a client; a forked process has a copy.

    While an instance fails, the tokens run out, and requests are sent only once; while it answers, they come back.

    Args:
        size: The number of tokens at first, which is also the maximum.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._left = size
        self._lock = PerProcess(threading.Lock)

    @property
    def left(self) -> int:
        """The number of tokens."""
        return self._left

    def take(self, tokens: int) -> bool:
        """Take tokens. Return False, and take none, if there are too few."""
        with self._lock.get():
            if tokens > self._left:
                return False
            self._left -= tokens
            return True

    def give_back(self, tokens: int) -> None:
        """Give back the tokens of a successful request's retries, or one token if it had no retries."""
        if self._left < self._size:
            with self._lock.get():
                self._left = min(self._size, self._left + max(tokens, 1))
