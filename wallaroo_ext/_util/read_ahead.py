"""Files of Python that pyarrow reads ahead, in threads of its own.

Arrow goes on reading where nobody wants the rest any more, and a thread that is in Python while the interpreter ends
aborts the process. So reading ahead ends with the iteration over what was read, or at the exit at the latest.
"""

from __future__ import annotations

import atexit
import threading
from io import RawIOBase
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet, finalize

from wallaroo_ext._util.after_fork import this_process

if TYPE_CHECKING:

    class _Readable(Protocol):
        def read(self, size: int = -1, /) -> bytes: ...


_PATIENCE = 1.0
"""How long Arrow may take to let a file go that nobody reads, in seconds; it is a matter of microseconds."""

_PATIENCE_AT_EXIT = 0.1
"""The same for a file that is still held: Arrow's thread may be waiting, and then never asks for the end."""


class ReadAhead:
    """A file that pyarrow reads ahead, until it is told that this is over.

    Args:
        file: The file; one thread reads it at a time.
    """

    def __init__(self, file: _Readable) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._process = this_process()
        self._is_over = False
        self._at_end = threading.Event()
        self._let_go = threading.Event()
        _open.add(self)

    def opened(self) -> RawIOBase:
        """Return the file for `pyarrow.PythonFile`, which alone may hold it."""
        made = _Opened(self)
        finalize(made, self._let_go.set).atexit = False
        return made

    def read(self, size: int) -> bytes:
        """Return the next bytes; empty at the end, and once reading is over."""
        with self._lock:
            if not self._is_over:
                return self._file.read(size)
        self._at_end.set()
        return b""

    def end(self) -> None:
        """End the reading; Arrow's thread is not in Python afterwards. Call it when the reader is gone."""
        if self._stop():
            self._let_go.wait(_PATIENCE)

    def end_at_exit(self) -> None:
        """End the reading by a reader that somebody still holds."""
        if self._stop() and not self._let_go.is_set():
            self._at_end.wait(_PATIENCE_AT_EXIT)

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
        each.end_at_exit()
