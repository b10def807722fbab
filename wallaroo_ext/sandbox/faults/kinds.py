"""The kinds of faults, with the options of each."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, PlainTextResponse, Response

from wallaroo_ext.sandbox.http.problems import expired_token, problem_response, refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from wallaroo_ext.sandbox.faults.exchange import Exchange

_DAY = 86_400
_TICK_SECONDS = 0.002  # the precision of the event loop's clock
_SECONDS = {"type": "number", "minimum": 0, "maximum": _DAY}
_RETRY = {
    "retry_after": {"type": "integer", "minimum": 0, "maximum": _DAY},
    "form": {"enum": ["seconds", "date"]},
}
_RESET = {"reset": {"type": "boolean"}}
_UNKNOWN_STATUS = 520
_BAD_GATEWAY_PAGE = """<!DOCTYPE html>
<html>
<head><title>502 Bad Gateway</title></head>
<body>
<h1>502 Bad Gateway</h1>
<p>The gateway got no valid response from the server behind it.</p>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        apply: Makes a request fail in this way.
        handled: Whether the operation is performed, unless the rule says otherwise.
        always_handled: Whether the operation is performed whatever the rule says.
        options: The fields that a rule of this kind may have, beside those of all rules, as JSON Schema properties.
        required: The options that a rule must have.
        dependent_required: The options that an option requires.
    """

    apply: Callable[[Exchange], Awaitable[None]]
    handled: bool
    always_handled: bool = False
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    required: tuple[str, ...] = ()
    dependent_required: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])


async def _delay(exchange: Exchange) -> None:
    """Perform the operation after `seconds`."""
    await asyncio.sleep(exchange.options["seconds"])
    await exchange.pass_on()


async def _drop_before_answer(exchange: Exchange) -> None:
    """End the connection without an answer.

    Options: `reset` for a TCP reset instead of a close. With `handled: false`, the connection ends after `after_bytes`
    of the request's body.
    """
    if exchange.handled:
        await exchange.handle()
    else:
        await exchange.read(exchange.options.get("after_bytes", 0))
    await exchange.drop(reset=exchange.options.get("reset", False))


async def _drop_during_answer(exchange: Exchange) -> None:
    """Send the headers and half of the body, then end the connection.

    Options: `reset` for a TCP reset instead of a close.
    """
    answer = await exchange.handle()
    await exchange.begin(answer)
    await exchange.send(answer.body[: len(answer.body) // 2], last=False)
    await exchange.drop(reset=exchange.options.get("reset", False))


async def _slow_answer(exchange: Exchange) -> None:
    """Send the headers, then the body byte by byte, in `seconds` in total or at `seconds_per_byte`.

    If that is faster than the event loop's clock, several bytes are sent at a time.
    """
    answer = await exchange.handle()
    size = len(answer.body)
    pace: float = exchange.options.get("seconds_per_byte", exchange.options.get("seconds", 0) / max(size, 1))
    await exchange.begin(answer)
    started, sent = time.monotonic(), 0
    while sent < size and await exchange.pause(max(pace, _TICK_SECONDS)):
        due = max(sent + 1, _bytes_due(time.monotonic() - started, pace, size))
        await exchange.send(answer.body[sent:due], last=False)
        sent = due
    await exchange.send(b"", last=True)


def _bytes_due(elapsed: float, pace: float, size: int) -> int:
    """Return how many bytes of a body are due; 0 if they are sent one at a time, slower than the clock."""
    if pace >= _TICK_SECONDS:
        return 0
    return size if pace * size <= elapsed else int(elapsed / pace)


async def _truncated_answer(exchange: Exchange) -> None:
    """Send half of the body as if it were the whole, with its length: only who reads the content notices."""
    answer = await exchange.handle()
    half = answer.cut(len(answer.body) // 2)
    await exchange.begin(half)
    await exchange.send(half.body, last=True)


async def _empty_answer(exchange: Exchange) -> None:
    """Answer 200 without a body."""
    await exchange.answer(Response())


async def _too_many_requests(exchange: Exchange) -> None:
    """Answer 429; with `retry_after`, in seconds, the header Retry-After in the `form` of seconds or of a date."""
    message = "Too many requests; wait before the next one."
    problem = refusal(HTTPStatus.TOO_MANY_REQUESTS, message, _retry_headers(exchange.options))
    await exchange.answer(problem_response(problem))


async def _service_unavailable(exchange: Exchange) -> None:
    """Answer 503 in plain text, as a gateway does; `retry_after` and `form` as above."""
    status, headers = HTTPStatus.SERVICE_UNAVAILABLE, _retry_headers(exchange.options)
    await exchange.answer(PlainTextResponse("no healthy upstream", status, headers))


def _retry_headers(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the header Retry-After; a date has whole seconds, so that it is a little later rather than too early."""
    if "retry_after" not in options:
        return {}
    seconds: int = options["retry_after"]
    if options.get("form") == "date":
        return {"Retry-After": formatdate(math.ceil(time.time() + seconds), usegmt=True)}
    return {"Retry-After": str(seconds)}


async def _bad_gateway(exchange: Exchange) -> None:
    """Answer 502 with a gateway's page, in HTML."""
    await exchange.answer(HTMLResponse(_BAD_GATEWAY_PAGE, HTTPStatus.BAD_GATEWAY))


async def _unknown_status(exchange: Exchange) -> None:
    """Answer 520, which is in no standard."""
    await exchange.answer(PlainTextResponse(f"error code: {_UNKNOWN_STATUS}", _UNKNOWN_STATUS))


async def _expired_token(exchange: Exchange) -> None:
    """Answer 401, as the API does when the request's bearer token has expired."""
    await exchange.answer(problem_response(expired_token()))


async def _redirect(exchange: Exchange) -> None:
    """Answer with the `status` 302 or 307 (the default), and `location`, a whole URL."""
    status = exchange.options.get("status", HTTPStatus.TEMPORARY_REDIRECT)
    await exchange.answer(Response(status_code=status, headers={"Location": exchange.options["location"]}))


EXPIRED_TOKEN = "expired-token"  # noqa: S105 - a kind of fault
KINDS: Mapping[str, Kind] = {
    "delay": Kind(_delay, handled=True, always_handled=True, options={"seconds": _SECONDS}, required=("seconds",)),
    "drop-before-answer": Kind(
        _drop_before_answer, handled=True, options=_RESET | {"after_bytes": {"type": "integer", "minimum": 0}}
    ),
    "drop-during-answer": Kind(_drop_during_answer, handled=True, always_handled=True, options=_RESET),
    "slow-answer": Kind(
        _slow_answer, handled=True, always_handled=True, options={"seconds": _SECONDS, "seconds_per_byte": _SECONDS}
    ),
    "truncated-answer": Kind(_truncated_answer, handled=True, always_handled=True),
    "empty-answer": Kind(_empty_answer, handled=True),
    "too-many-requests": Kind(
        _too_many_requests, handled=False, options=_RETRY, dependent_required={"form": ["retry_after"]}
    ),
    "service-unavailable": Kind(
        _service_unavailable, handled=False, options=_RETRY, dependent_required={"form": ["retry_after"]}
    ),
    "bad-gateway": Kind(_bad_gateway, handled=False),
    "unknown-status": Kind(_unknown_status, handled=False),
    EXPIRED_TOKEN: Kind(_expired_token, handled=False),
    "redirect": Kind(
        _redirect,
        handled=False,
        options={
            "location": {"type": "string", "maxLength": 2048},
            "status": {"enum": [HTTPStatus.FOUND.value, HTTPStatus.TEMPORARY_REDIRECT.value]},
        },
        required=("location",),
    ),
}
