"""The log on stderr: lines that never block a request, and warnings and errors without secrets."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

from wallaroo_ext.redaction.patterns import redact
from wallaroo_ext.redaction.terminal_text import printable_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

_QUEUE_LIMIT = 20_000
_PAUSE_SECONDS = 0.02  # lines that arrive in the meantime are written together
_CLOSE_SECONDS = 1.0
_REMOVED = "[removed]"
_RECORDS_A_MINUTE = 10
_MINUTE_SECONDS = 60.0
_LEFT_OUT = "(further records of this kind are left out for a minute)"


LOGGERS = ("", "wallaroo_ext", "uvicorn")
"""The loggers whose records `log_failures` writes; the root logger gets those of asyncio and other libraries."""


class LogWriter:
    """Writes lines in a thread of its own, so that a stream that nobody reads blocks no request.

    The standard library does not do that: QueueHandler prints an error on stderr for each record that its full queue
    drops, and QueueListener.stop blocks or fails while nobody reads the stream.

    Args:
        stream: The stream to write to.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lines = deque[str]()
        self._dropped = self._reported = 0
        self._wake = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Queue a line; drop and count it if too many lines are waiting."""
        if len(self._lines) >= _QUEUE_LIMIT:
            self._dropped += 1
            return
        self._lines.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def close(self) -> None:
        """Write the waiting lines, but give up after a second if the stream blocks."""
        self._ending = True
        self._wake.set()
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        is_last = False
        while not is_last:
            self._wake.wait()
            is_last = self._ending
            if not is_last:
                time.sleep(_PAUSE_SECONDS)
            self._wake.clear()
            try:
                self._write_waiting()
            except (OSError, ValueError):
                return  # the terminal is gone, or the stream is closed

    def _write_waiting(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        missing = self._dropped - self._reported
        if missing:
            lines.append(f"({missing} lines are missing here: they came faster than they were read)")
            self._reported += missing
        if lines:
            self._stream.write("\n".join(lines) + "\n")
            self._stream.flush()


class _FailureHandler(logging.Handler):
    """Passes warnings and errors to a writer.

    It passes on only a few records a minute from each place in the code, so that clients cannot fill the disk, or hide
    other records, by causing the same one again and again.
    """

    def __init__(self, writer: LogWriter, secrets: Iterable[str], *, as_json: bool) -> None:
        super().__init__(logging.WARNING)
        self._writer = writer
        self._as_json = as_json
        self._secrets = re.compile("|".join(map(re.escape, secrets)) or "(?!)")
        self._minutes: dict[tuple[str, int], tuple[float, int]] = {}
        self.setFormatter(logging.Formatter("%(message)s" if as_json else "%(asctime)s  %(levelname)s  %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        number = self._number_in_its_minute(record)
        if number > _RECORDS_A_MINUTE:
            return
        text = redact(printable_lines(self._secrets.sub(_REMOVED, self.format(record))))
        if number == _RECORDS_A_MINUTE:
            text = f"{text}\n{_LEFT_OUT}"
        if self._as_json:
            when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
            text = json.dumps({"time": when, "level": record.levelname, "message": text})
        self._writer.write(text.replace("\n", "\n  "))  # so that no other line of a record looks like a record

    def _number_in_its_minute(self, record: logging.LogRecord) -> int:
        """Return the number of records from the same place in the code in the last minute, including this one."""
        place = record.pathname, record.lineno
        began, number = self._minutes.get(place, (record.created, 0))
        if not 0 <= record.created - began < _MINUTE_SECONDS:
            began, number = record.created, 0
        self._minutes[place] = began, number + 1
        return number + 1


def log_failures(writer: LogWriter, secrets: Iterable[str], *, as_json: bool) -> None:
    """Write warnings and errors of the sandbox and its libraries, with tracebacks and without secrets.

    Args:
        writer: Writes the records.
        secrets: The secrets to remove, beside everything that looks like a secret.
        as_json: Whether each record is written as a JSON object on one line.
    """
    handler = _FailureHandler(writer, secrets, as_json=as_json)
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False


def shows_colours(stream: IO[str]) -> bool:
    """Return whether a stream is a terminal that supports colours, and the user has not turned them off."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
