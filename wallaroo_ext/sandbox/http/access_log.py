"""One line a request: when, what, how it ended, how long it took, how much was sent, and who asked.

No value of a query, no body and no header is in it, and of the token only whom it names.
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
"""Where the application leaves, in the scope of a request, the name of who sent it, once the token is checked."""

NOBODY = "-"

_LONGEST_NAME = 80
_KILO = 1000
_PLAIN, _DIM, _RED, _YELLOW, _GREEN = "\x1b[0m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[32m"
_COLOURS = {2: _GREEN, 3: _GREEN, 4: _YELLOW}


@dataclass(slots=True)
class Entry:
    """One request.

    Attributes:
        time: When it came, in seconds since 1970.
        method: GET, POST and so on.
        operation: The `operationId`; the path where it is no operation of the contract.
        status: The answer's status; 0 where there was none.
        milliseconds: How long it took, up to the last byte of the answer.
        received: How many bytes of the body were read.
        sent: How many bytes the answer's body had.
        caller: The name of the user, or of the client alone; `-` where nobody was asked for, or nobody was known.
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
    """Hands a line for each request of an application to a function.

    Args:
        app: The application.
        operations: The ids of the contract's operations; other routes are called by their paths.
        write: Takes a line, without its end.
        form: Makes an entry a line.
    """

    def __init__(
        self, app: ASGIApp, operations: Container[str], write: Callable[[str], None], form: Callable[[Entry], str]
    ) -> None:
        self._app = app
        self._operations = operations
        self._write = write
        self._form = form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
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
            entry.caller = _visible(scope.get(CALLER, NOBODY))
            self._write(self._form(entry))

    def _operation(self, scope: Scope) -> str:
        route = scope.get("route")
        name: str = getattr(route, "name", "")
        return name if name in self._operations else _visible(getattr(route, "path", scope["path"]))


def _visible(text: str) -> str:
    """Return a text from outside, with nothing in it that would end the line or speak to the terminal."""
    if len(text) > _LONGEST_NAME:
        text = f"{text[:_LONGEST_NAME]}…"
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def json_line(entry: Entry) -> str:
    """Return an entry as a JSON object."""
    return orjson.dumps(
        {
            "time": f"{_second(int(entry.time))}.{int(entry.time % 1 * _KILO):03}Z",
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
    """Return an entry for people, without colours."""
    return _columns(entry, f"{entry.status or NOBODY:>3}", _clock(int(entry.time)))


def coloured_line(entry: Entry) -> str:
    """Return an entry for people at a terminal: the status stands out, and the time stands back."""
    colour = _COLOURS.get(entry.status // 100, _RED)
    return _columns(entry, f"{colour}{entry.status or NOBODY:>3}{_PLAIN}", f"{_DIM}{_clock(int(entry.time))}{_PLAIN}")


def _columns(entry: Entry, status: str, clock: str) -> str:
    """Return what fits into 80 columns, and then who asked."""
    received, sent = _size(entry.received), _size(entry.sent)
    return (
        f"{clock}  {status}  {entry.method:<4} {entry.operation:<25} {entry.milliseconds:>8.1f} ms"
        f" {received:>7} in {sent:>7} out  {entry.caller}"
    )


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    """Return a time in UTC, without what is below a second."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


@lru_cache(maxsize=2)
def _clock(seconds: int) -> str:
    """Return the time of day here."""
    return time.strftime("%H:%M:%S", time.localtime(seconds))


def _size(count: int) -> str:
    """Return a number of bytes, to about three digits."""
    if count < _KILO:
        return f"{count} B"
    return f"{count / _KILO:.3g} kB" if count < _KILO * _KILO else f"{count / _KILO / _KILO:.3g} MB"
