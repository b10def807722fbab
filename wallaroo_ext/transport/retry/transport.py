"""The transport that retries requests."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import httpx

from wallaroo_ext.redaction.tracebacks import clear_frames
from wallaroo_ext.transport.process_connections import ForkSafeTransport, fork_safe
from wallaroo_ext.transport.retry import request_options
from wallaroo_ext.transport.retry.budget import Budget
from wallaroo_ext.transport.retry.clock import Clock
from wallaroo_ext.transport.retry.decisions import Outcome, Read, RetryState, Send, Wait
from wallaroo_ext.transport.retry.policy import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from wallaroo_ext.transport.retry.deadline import Deadline

    _Taker: TypeAlias = Callable[[bytes], object]

_DEFAULT_POLICY = RetryPolicy()


class RetryTransport(ForkSafeTransport):
    """Sends requests through another transport, and sends them again if the policy allows it.

    It works for synchronous and asynchronous clients, if the other transport does. It returns the answer, or raises
    httpx's error, of the last attempt; `attempts_of` returns all attempts. The body of a known operation's answer is
    read before the answer is returned, so that a broken-off body counts as a failed attempt.

    Args:
        transport: The transport that sends a request once.
        policy: What is sent again, and when.
        clock: The clock for pauses and deadlines.
    """

    def __init__(
        self,
        transport: httpx.BaseTransport | httpx.AsyncBaseTransport,
        policy: RetryPolicy = _DEFAULT_POLICY,
        clock: Clock | None = None,
    ) -> None:
        self._transport: Any = fork_safe(transport)
        self._policy = policy
        self._clock = clock or Clock()
        self._budget = Budget(policy.budget)

    @property
    def budget(self) -> Budget:
        """The budget for retries."""
        return self._budget

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, again if the policy allows it."""
        state = RetryState(request, self._policy, self._budget, self._clock)
        steps = state.steps()
        outcome: Outcome | None = None
        try:
            while True:
                try:
                    step = steps.send(outcome)
                except StopIteration as end:
                    response: httpx.Response = end.value
                    return response
                try:
                    outcome = self._perform(step, request, state.time)
                except httpx.TransportError as error:
                    clear_frames(error)
                    outcome = error
        except BaseException as error:
            clear_frames(error)
            raise
        finally:
            steps.close()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, again if the policy allows it."""
        state = RetryState(request, self._policy, self._budget, self._clock)
        steps = state.steps()
        outcome: Outcome | None = None
        try:
            while True:
                try:
                    step = steps.send(outcome)
                except StopIteration as end:
                    response: httpx.Response = end.value
                    return response
                try:
                    outcome = await self._perform_async(step, request, state.time)
                except httpx.TransportError as error:
                    clear_frames(error)
                    outcome = error
        except BaseException as error:
            clear_frames(error)
            raise
        finally:
            steps.close()

    def _perform(self, step: Send | Read | Wait, request: httpx.Request, time: Deadline) -> httpx.Response | None:
        if isinstance(step, Wait):
            self._clock.sleep(step.seconds)
            return None
        with time.in_thread():
            return self._transport.handle_request(request) if isinstance(step, Send) else self._whole(step, request)

    async def _perform_async(
        self, step: Send | Read | Wait, request: httpx.Request, time: Deadline
    ) -> httpx.Response | None:
        if isinstance(step, Wait):
            await self._clock.sleep_async(step.seconds)
            return None
        async with time.in_task():
            if isinstance(step, Send):
                return await self._transport.handle_async_request(request)
            return await self._whole_async(step, request)

    def _whole(self, step: Read, request: httpx.Request) -> httpx.Response:
        """Return an answer whose body is in memory, and only once, as it would not be where parts are joined."""
        stream: Any = step.response.stream
        if not isinstance(stream, httpx.ByteStream):
            body, take = BytesIO(), _taker(request)
            try:
                for part in stream:
                    self._check(step.until)
                    take(part)
                    body.write(part)
            finally:
                stream.close()
            step.response.stream = httpx.ByteStream(body.getvalue())
        return step.response

    async def _whole_async(self, step: Read, request: httpx.Request) -> httpx.Response:
        """Return an answer whose body is in memory."""
        stream: Any = step.response.stream
        if not isinstance(stream, httpx.ByteStream):
            body, take = BytesIO(), _taker(request)
            try:
                async for part in stream:
                    self._check(step.until)
                    take(part)
                    body.write(part)
            finally:
                await stream.aclose()
            step.response.stream = httpx.ByteStream(body.getvalue())
        return step.response

    def _check(self, until: float | None) -> None:
        """Raise a timeout after the deadline: an answer that comes slowly, byte by byte, meets every other timeout."""
        if until is not None and self._clock.now() > until:
            raise httpx.ReadTimeout("The answer was still coming at the deadline.")

    def close(self) -> None:
        """Close the other transport."""
        self._transport.close()

    async def aclose(self) -> None:
        """Close the other transport."""
        await self._transport.aclose()


def _taker(request: httpx.Request) -> _Taker:
    """Return what takes each part of the answer that begins to come."""
    begin: Callable[[], _Taker] | None = request.extensions.get(request_options.ON_ANSWER)
    return _ignore if begin is None else begin()


def _ignore(part: bytes) -> None:
    """Take a part that nobody has asked for."""
