"""What the sandbox says on stderr: lines that stop nobody, and failures without secrets."""

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

_KEPT_LINES = 20_000
_PAUSE_SECONDS = 0.02  # what comes within it is written at once
_END_SECONDS = 1.0
_REMOVED = "[removed]"
_RECORDS_A_MINUTE = 10
_MINUTE_SECONDS = 60.0
_LEFT_OUT = "(further records of this kind are left out for a minute)"


LOGGERS = ("", "wallaroo_ext", "uvicorn")
"""The loggers whose records `log_failures` writes: the root has those of asyncio and of the other libraries."""


class LogWriter:
    """Writes lines from any thread, in a thread of its own: a stream that nobody reads stops no request.

    Args:
        stream: Where the lines go.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lines = deque[str]()
        self._dropped = self._told = 0
        self._wake = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Write a line soon; where too many wait already, it is counted and dropped."""
        if len(self._lines) >= _KEPT_LINES:
            self._dropped += 1
            return
        self._lines.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def close(self) -> None:
        """Write what waits, unless the stream does not take it for a second."""
        self._ending = True
        self._wake.set()
        self._thread.join(_END_SECONDS)

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
                return  # nobody will read it: the terminal is gone, or the stream is closed

    def _write_waiting(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        missing = self._dropped - self._told
        if missing:
            lines.append(f"({missing} lines are missing here: they came faster than they were read)")
            self._told += missing
        if lines:
            self._stream.write("\n".join(lines) + "\n")
            self._stream.flush()


class _Failures(logging.Handler):
    """Hands what the sandbox and its server complain of to a writer.

    It is a few records a minute from each place in the code, so that what a client can cause at will fills no disk and
    hides nothing else.
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
        self._writer.write(text.replace("\n", "\n  "))  # so that no second line of a record looks like a record

    def _number_in_its_minute(self, record: logging.LogRecord) -> int:
        """Return how many records the place in the code has made this minute, with this one."""
        place = record.pathname, record.lineno
        began, number = self._minutes.get(place, (record.created, 0))
        if not 0 <= record.created - began < _MINUTE_SECONDS:
            began, number = record.created, 0
        self._minutes[place] = began, number + 1
        return number + 1


def log_failures(writer: LogWriter, secrets: Iterable[str], *, as_json: bool) -> None:
    """Write warnings and errors of the sandbox and its libraries, with their tracebacks, and with no secret in them.

    Args:
        writer: Where to.
        secrets: What must not be seen, beside everything that looks like a secret.
        as_json: Whether a record is a JSON object in a line of its own.
    """
    handler = _Failures(writer, secrets, as_json=as_json)
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False


def shows_colours(stream: IO[str]) -> bool:
    """Return whether a stream is a terminal whose owner wants colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
