"""The SHA-256 of an upload, computed while it is sent."""

from __future__ import annotations

import hashlib
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self

from wallaroo_ext._util.after_fork import this_process

if TYPE_CHECKING:
    from types import TracebackType

_AHEAD = 8
"""How many pieces may wait to be hashed; `feed` waits for room, so that memory stays constant."""


class BackgroundDigest:
    """A SHA-256 that a thread of its own computes, so that hashing and sending overlap.

    hashlib releases the interpreter's lock. The thread begins with the first piece and ends with the `with` block. A
    forked process does not have the thread: there `feed` is an error, and `close` waits for nothing.
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        # Ctrl-C in the middle of a `Queue.put` can leave the queue such that nothing that is put later is ever taken.
        self._waiting: SimpleQueue[bytes | None] = SimpleQueue()
        self._room = threading.Semaphore(_AHEAD)
        self._thread: threading.Thread | None = None
        self._closed = False
        self._process = this_process()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def feed(self, piece: bytes) -> None:
        """Take the next piece; wait where too many are waiting already.

        Raises:
            ForkedError: The process was forked meanwhile, and this is the child.
        """
        self._process.check("This upload")
        if self._closed:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="wallaroo-ext-sha256", daemon=True)
            self._thread.start()
        self._room.acquire()
        self._waiting.put(piece)

    def _work(self) -> None:
        while (piece := self._waiting.get()) is not None:
            self._digest.update(piece)
            self._room.release()

    def close(self) -> None:
        """Take no more pieces, and wait until the rest is hashed."""
        if not self._closed and self._thread is not None and self._process.is_this:
            self._waiting.put(None)
            self._thread.join()
        self._closed = True

    def hexdigest(self) -> str:
        """Return the digest of all pieces, in hexadecimal; no more can follow."""
        self.close()
        return self._digest.hexdigest()
