"""The decisions of retries, step by step, without input or output, so that both kinds of transport share them."""

from __future__ import annotations

import logging
import random
import threading
from typing import TYPE_CHECKING, Any, Final

import httpx

from wallaroo_ext import contract
from wallaroo_ext.errors import Attempt
from wallaroo_ext.transport.retry import request_options
from wallaroo_ext.transport.retry.attempts import record_attempts
from wallaroo_ext.transport.retry.deadline import Deadline
from wallaroo_ext.transport.retry.request_bodies import WatchedStream, can_be_read_twice
from wallaroo_ext.transport.retry.retry_after import retry_after
from wallaroo_ext.transport.wire_errors import NO_CONNECTION

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from wallaroo_ext.transport.retry.budget import Budget
    from wallaroo_ext.transport.retry.clock import Clock
    from wallaroo_ext.transport.retry.policy import RetryPolicy

logger = logging.getLogger("wallaroo_ext")

_MOST_DOUBLINGS = 64
"""How often a pause doubles at most: no pause is that long, and a power without a bound becomes no float."""
_BROKEN = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)


class Send:
    """Send the request."""


class Read:
    """Read an answer's body, until a time on the clock."""

    __slots__ = ("response", "until")

    def __init__(self, response: httpx.Response, until: float | None) -> None:
        self.response = response
        self.until = until


class Wait:
    """Let some seconds pass."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


Outcome = httpx.Response | httpx.TransportError
_SEND: Final = Send()


class RetryState:
    """A request that is being sent, with its attempts so far."""

    __slots__ = (
        "_attempts",
        "_budget",
        "_clock",
        "_deadline",
        "_idempotent",
        "_in_memory",
        "_known",
        "_name",
        "_paid",
        "_policy",
        "_request",
        "_stream",
        "_timeouts",
        "_until",
        "time",
    )

    def __init__(self, request: httpx.Request, policy: RetryPolicy, budget: Budget, clock: Clock) -> None:
        extensions = request.extensions
        operation = extensions.get(request_options.OPERATION) or contract.operation_at(request.url.path)
        self._request = request
        self._policy = policy
        self._budget = budget
        self._clock = clock
        self._known = operation is not None
        self._name: str = operation or f"{request.method} {request.url.path}"
        self._idempotent = operation is not None and contract.is_idempotent(operation)
        self._in_memory = can_be_read_twice(request.stream)
        self._deadline: float | None = _earlier(
            extensions.get(request_options.DEADLINE, policy.deadline), extensions.get(request_options.MAX_DEADLINE)
        )
        self._timeouts: dict[str, Any] | None = extensions.get("timeout")
        self._stream = request.stream
        self._until: float | None = None
        self._attempts: list[Attempt] = []
        self._paid = 0
        self.time = Deadline(clock, None)

    def steps(self) -> Generator[Send | Read | Wait, Outcome | None, httpx.Response]:
        """Yield the steps in order, and receive the outcome of each `Send` and `Read`. Return the answer.

        Raises:
            httpx.TransportError: The last attempt failed with it.
        """
        record_attempts(self._request, ())
        if self._in_memory and self._deadline is not None:
            self._until = self._clock.now() + self._deadline
        try:
            while True:
                outcome, pause = yield from self._attempt()
                if pause is not None:
                    yield Wait(pause)
                elif isinstance(outcome, httpx.Response):
                    return outcome
                else:
                    raise outcome
        finally:
            self._restore_request()

    def _attempt(self) -> Generator[Send | Read, Outcome | None, tuple[Outcome, float | None]]:
        """Make one attempt. Return its outcome and the pause before the next one, None if it was the last."""
        started = self._clock.now()
        self._prepare(started)
        outcome = yield _SEND
        if isinstance(outcome, httpx.Response) and self._is_read_here(outcome):
            outcome = yield Read(outcome, self._read_until())
        assert outcome is not None, "each Send and Read has an outcome"  # noqa: S101 - the transports guarantee it
        stopped, pause = self._next(outcome)
        self._record(outcome, self._clock.now() - started, pause, stopped)
        return outcome, pause

    def _prepare(self, now: float) -> None:
        """Shorten the timeouts to the remaining time, and watch whether a streamed body is read."""
        self.time = Deadline(self._clock, self._until)
        if not self._in_memory:
            self._request.stream = WatchedStream(self._stream, self._start_deadline)
        if self._until is not None and self._timeouts is not None:
            left = max(self._until - now, 0.001)
            if any(value is None or value > left for value in self._timeouts.values()):
                self._request.extensions["timeout"] = {
                    name: left if value is None else min(value, left) for name, value in self._timeouts.items()
                }

    def _restore_request(self) -> None:
        self._request.stream = self._stream
        if self._timeouts is not None:
            self._request.extensions["timeout"] = self._timeouts

    def _is_read_here(self, response: httpx.Response) -> bool:
        """Return whether to read the answer here, so that the request is sent again if the answer breaks off."""
        if self._request.extensions.get(request_options.STREAM):
            return self._idempotent and response.status_code in self._policy.statuses
        return self._known

    def _read_until(self) -> float | None:
        if not self._in_memory:
            self.time = Deadline(self._clock, None)
            self._start_deadline()
        return self.time.until

    def _start_deadline(self) -> None:
        """Start the deadline of a streamed body, once at its end and again at the beginning of the answer."""
        if self._deadline is not None:
            self.time.start(self._deadline)

    def _next(self, outcome: Outcome) -> tuple[str | None, float | None]:
        """Return why there is no further attempt, or the pause before it; neither after a success."""
        if not self._is_transient(outcome):
            if isinstance(outcome, httpx.Response) and outcome.is_success:
                self._budget.give_back(self._paid)
            return None, None
        asked = retry_after(outcome, self._clock.date()) if isinstance(outcome, httpx.Response) else None
        pause = max(self._backoff(), asked or 0.0)
        stopped = next(self._obstacles(outcome, pause, asked or 0.0), None)
        return (None, pause) if stopped is None else (stopped or None, None)

    def _obstacles(self, outcome: Outcome, pause: float, asked: float) -> Iterator[str]:
        """Yield the reasons against a further attempt; an empty one after the last. If there is none, take its cost."""
        if (reason := self._must_not_be_sent_again(outcome)) is not None:
            yield reason
        if len(self._attempts) + 1 >= self._policy.attempts:
            yield ""
        if asked > self._policy.longest_retry_after:
            yield f"the instance asks to wait {asked:.0f} s"
        if self._until is not None and self._clock.now() + pause >= self._until:
            yield f"its deadline of {self._deadline:g} s leaves no time for another"
        if not self._pay(outcome):
            yield "this client has spent its budget for retries"

    def _is_transient(self, outcome: Outcome) -> bool:
        """Return whether another attempt may have another outcome."""
        if isinstance(outcome, httpx.Response):
            return outcome.status_code in self._policy.statuses
        return isinstance(outcome, _BROKEN) and not _refused_certificate(outcome)

    def _must_not_be_sent_again(self, outcome: Outcome) -> str | None:
        """Return why the request must not be sent again; None if it may."""
        read = isinstance(self._request.stream, WatchedStream) and self._request.stream.was_read
        if not read and isinstance(outcome, NO_CONNECTION):
            return None
        if not self._idempotent:
            return "what has reached the instance is not sent twice"
        return None if self._in_memory else "its body cannot be sent twice"

    def _backoff(self) -> float:
        doubled = min(len(self._attempts), _MOST_DOUBLINGS)
        longest = min(self._policy.first_pause * 2**doubled, self._policy.longest_pause)
        return random.uniform(0.0, longest)  # noqa: S311 - not used for security

    def _pay(self, outcome: Outcome) -> bool:
        cost = self._policy.timeout_cost if isinstance(outcome, httpx.TimeoutException) else self._policy.cost
        if not self._budget.take(cost):
            return False
        self._paid += cost
        return True

    def _record(self, outcome: Outcome, seconds: float, pause: float | None, stopped: str | None) -> None:
        """Keep the attempt with the request, and log it."""
        answered = isinstance(outcome, httpx.Response)
        what = str(outcome.status_code) if answered else type(outcome).__name__
        self._attempts.append(Attempt(what, seconds, pause, stopped))
        record_attempts(self._request, tuple(self._attempts))
        if logger.isEnabledFor(logging.DEBUG):
            number, milliseconds = len(self._attempts), seconds * 1000
            logger.debug(
                "%s: attempt %d: %s after %.1f ms%s",
                self._name,
                number,
                what,
                milliseconds,
                "" if pause is None else f", again in {pause:.2f} s",
                extra={
                    "operation": self._name,
                    "attempt": number,
                    "status": outcome.status_code if answered else None,
                    "milliseconds": milliseconds,
                },
            )


def _earlier(deadline: float | None, longest: float | None) -> float | None:
    """Return the earlier one of two deadlines; None for none, or for one that no thread can wait for, as infinity."""
    given = (each for each in (deadline, longest) if each is not None and each <= threading.TIMEOUT_MAX)
    return min(given, default=None)


def _refused_certificate(error: BaseException) -> bool:
    """Return whether the server's certificate was refused, which another attempt would not change."""
    if not isinstance(error, httpx.ConnectError):
        return False
    import ssl

    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause is not None
