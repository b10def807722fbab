"""The access log: one line for each request, with its time, operation, status, duration, sizes and caller.

It contains no query, no body and no header, and of a token only the name of its user or client.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LogFormat = Literal["text", "json", "off"]

CALLER = "wallaroo.caller"
"""The key of the request's scope under which the application stores the caller's name once the token is verified."""

NOBODY = "-"

_MAX_NAME_LENGTH = 80
_KILO = 1000
_LARGER_UNITS = ("kB", "MB", "GB", "TB")
_PLAIN, _DIM, _RED, _YELLOW, _GREEN = "\x1b[0m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[32m"
_STATUS_COLOURS = {2: _GREEN, 3: _GREEN, 4: _YELLOW}


@dataclass(slots=True)
class Entry:
    """A log entry for one request.

    Attributes:
        time: When the request arrived, in seconds since 1970.
        method: GET, POST and so on.
        operation: The `operationId`, or the path if the contract has no such operation.
        status: The status of the answer; 0 if there was none.
        milliseconds: The duration up to the last byte of the answer.
        received: How many bytes of the request's body were read.
        sent: How many bytes of the answer's body were sent.
        caller: The name of the user, or of a client without a user; `-` if the request had no valid token.
    """

    time: float
    method: str
    operation: str = ""
    status: int = 0
    milliseconds: float = 0.0
    received: int = 0
    sent: int = 0
    caller: str = NOBODY


class AccessLog:
    """ASGI middleware that logs each request.

    Args:
        app: The application.
        operations: The ids of the contract's operations; other routes are logged by their paths.
        write: Writes a line; it adds the line break.
        format_entry: Formats an entry as a line.
    """

    def __init__(
        self,
        app: ASGIApp,
        operations: Container[str],
        write: Callable[[str], None],
        format_entry: Callable[[Entry], str],
    ) -> None:
        self._app = app
        self._operations = operations
        self._write = write
        self._format_entry = format_entry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        entry = Entry(time.time(), scope["method"])
        began = time.perf_counter()

        async def counted_receive() -> Message:
            message = await receive()
            entry.received += len(message.get("body", b""))
            return message

        async def counted_send(message: Message) -> None:
            entry.status = message.get("status", entry.status)
            entry.sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, counted_receive, counted_send)
        finally:
            entry.milliseconds = (time.perf_counter() - began) * _KILO
            entry.operation = self._operation(scope)
            entry.caller = _printable(scope.get(CALLER, NOBODY))
            self._write(self._format_entry(entry))

    def _operation(self, scope: Scope) -> str:
        route = scope.get("route")
        name: str = getattr(route, "name", "")
        return name if name in self._operations else _printable(getattr(route, "path", scope["path"]))


def _printable(text: str) -> str:
    """Return a text from a client, shortened and without line breaks and terminal control sequences."""
    if len(text) > _MAX_NAME_LENGTH:
        text = f"{text[:_MAX_NAME_LENGTH]}…"
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def json_line(entry: Entry) -> str:
    """Return an entry as a JSON object."""
    return orjson.dumps(
        {
            "time": f"{_utc_time(int(entry.time))}.{int(entry.time % 1 * _KILO):03}Z",
            "method": entry.method,
            "operation": entry.operation,
            "status": entry.status or None,
            "milliseconds": round(entry.milliseconds, 3),
            "bytes_received": entry.received,
            "bytes_sent": entry.sent,
            "caller": None if entry.caller == NOBODY else entry.caller,
        }
    ).decode()


def text_line(entry: Entry) -> str:
    """Return an entry in columns, without colours."""
    return _columns(entry, f"{entry.status or NOBODY:>3}", _local_time(int(entry.time)))


def coloured_line(entry: Entry) -> str:
    """Return an entry in columns for a terminal, with a coloured status and a dimmed time."""
    colour = _STATUS_COLOURS.get(entry.status // 100, _RED)
    return _columns(
        entry, f"{colour}{entry.status or NOBODY:>3}{_PLAIN}", f"{_DIM}{_local_time(int(entry.time))}{_PLAIN}"
    )


def _columns(entry: Entry, status: str, local_time: str) -> str:
    """Return the columns of an entry: 80 characters, then the caller."""
    received, sent = _size(entry.received), _size(entry.sent)
    return (
        f"{local_time}  {status}  {entry.method:<4} {entry.operation:<25} {entry.milliseconds:>8.1f} ms"
        f" {received:>7} in {sent:>7} out  {entry.caller}"
    )


@lru_cache(maxsize=2)
def _utc_time(seconds: int) -> str:
    """Return a time in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


@lru_cache(maxsize=2)
def _local_time(seconds: int) -> str:
    """Return the local time of day."""
    return time.strftime("%H:%M:%S", time.localtime(seconds))


def _size(count: int) -> str:
    """Return a number of bytes, to about three digits."""
    amount, unit = float(count), "B"
    for larger in _LARGER_UNITS:
        if _rounded(amount) < _KILO:  # what would be shown as 1000 kB is 1 MB
            break
        amount, unit = amount / _KILO, larger
    return f"{_rounded(amount):g} {unit}"


def _rounded(amount: float) -> float:
    return float(f"{amount:.3g}")
