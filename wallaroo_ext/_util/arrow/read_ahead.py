"""Files of Python that pyarrow reads ahead, in threads of its own.

Arrow goes on reading where nobody wants the rest any more, and a thread that is in Python while the interpreter ends
aborts the process. So reading ahead ends with the iteration over what was read, or at the exit at the latest.
"""

from __future__ import annotations

import atexit
import math
import sys
import threading
import time
from io import RawIOBase
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from weakref import WeakSet, finalize

from wallaroo_ext._util.after_fork import this_process

if TYPE_CHECKING:

    class _Readable(Protocol):
        def read(self, size: int = -1, /) -> bytes: ...


_PATIENCE = 1.0
"""How long Arrow may take to let a file go that nobody reads, in seconds; it is a matter of microseconds."""

_PAUSE = 0.001
_GRACE = 0.25
"""How long after the last reading ahead the interpreter ends, in seconds: Arrow's thread takes Python's lock once more
to let go of what was read, and nothing shows when it has done so."""


class ReadAhead:
    """A file that pyarrow reads ahead, until it is told that this is over.

    Args:
        file: The file; one thread reads it at a time.

    Attributes:
        ended_at: When reading ahead last ended, in seconds on the monotonic clock.
        reader: What pyarrow made of it, which nothing else may hold; None before, and once reading is over.
    """

    ended_at: ClassVar = -math.inf

    def __init__(self, file: _Readable) -> None:
        self.reader: Any = None
        self._file = file
        self._lock = threading.Lock()
        self._process = this_process()
        self._is_over = False
        self._let_go = threading.Event()
        self._threads: set[int] = set()
        _open.add(self)

    def opened(self) -> RawIOBase:
        """Return the file for `pyarrow.PythonFile`, which alone may hold it."""
        made = _Opened(self)
        finalize(made, self._note_let_go).atexit = False
        return made

    def next(self) -> Any:
        """Return what the reader has next; None at the end.

        Raises:
            RuntimeError: The program is at its exit.
        """
        if self._is_over:
            raise RuntimeError("The file is not read on: the program is at its exit.")
        return next(self.reader, None)

    def _note_let_go(self) -> None:
        self._threads.add(threading.get_ident())
        self._let_go.set()

    def read(self, size: int) -> bytes:
        """Return the next bytes; empty at the end, and once reading is over."""
        self._threads.add(threading.get_ident())
        with self._lock:
            if not self._is_over:
                return self._file.read(size)
        return b""

    def end(self) -> None:
        """Drop the reader, and wait until Arrow's threads are done with the file and out of Python."""
        if self._stop():
            self.reader = None
            self._let_go.wait(_PATIENCE)
            self._wait_for_threads()
            ReadAhead.ended_at = time.monotonic()

    def _wait_for_threads(self) -> None:
        """Wait until Arrow's threads are out of Python, where one may still be that has said what was waited for."""
        until = time.monotonic() + _PATIENCE
        others = self._threads - {threading.get_ident()}
        while others & sys._current_frames().keys() and time.monotonic() < until:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - it is documented
            time.sleep(_PAUSE)

    def _stop(self) -> bool:
        """Wait for a read that is under way, and let all later ones be at the end. Return False in a forked child."""
        if not self._process.is_this:
            return False  # it has no thread of Arrow, and may have a lock that nobody releases
        with self._lock:
            self._is_over = True
        return True


class _Opened(RawIOBase):
    def __init__(self, source: ReadAhead) -> None:
        super().__init__()
        self._source = source

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._source.read(size)


_open: WeakSet[ReadAhead] = WeakSet()


@atexit.register
def _end_all() -> None:
    for each in list(_open):
        each.end()
    time.sleep(max(0.0, ReadAhead.ended_at + _GRACE - time.monotonic()))
