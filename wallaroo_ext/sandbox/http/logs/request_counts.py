"""Counting the requests to each operation by the status of the answer."""

from __future__ import annotations

import threading
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNANSWERED = "unanswered"
"""Counts requests whose answer has not begun, or never will because the connection was dropped."""


class RequestCounts:
    """The number of requests since the last reset, by operation and status; thread-safe."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}
        self._lock = threading.Lock()

    def add(self, operation_id: str) -> Counter[str]:
        """Count a new request, and return the counter to pass to `answer`."""
        with self._lock:
            counter = self._counts.setdefault(operation_id, Counter())
            counter[UNANSWERED] += 1
            return counter

    def answer(self, counter: Counter[str], status: int) -> None:
        """Count the answer to a request. After a reset its counter is no longer listed."""
        with self._lock:
            counter[UNANSWERED] -= 1
            counter[f"{status:d}"] += 1

    def clear(self) -> None:
        """Forget all counts."""
        with self._lock:
            self._counts = {}

    def list(self) -> dict[str, dict[str, int]]:
        """Return the counts by `operationId`, and then by status or `unanswered`."""
        with self._lock:
            return {
                operation_id: {status: number for status, number in sorted(counter.items()) if number}
                for operation_id, counter in sorted(self._counts.items())
            }


class CountingMiddleware:
    """ASGI middleware that counts the requests to one operation.

    Args:
        app: The application.
        counts: The counts to update.
        operation_id: The operation.
    """

    def __init__(self, app: ASGIApp, counts: RequestCounts, operation_id: str) -> None:
        self._app = app
        self._counts = counts
        self._operation_id = operation_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and count its answer as soon as that begins."""
        counter = self._counts.add(self._operation_id)
        answered = False

        async def counted_send(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                self._counts.answer(counter, message["status"])
                answered = True
            await send(message)

        try:
            await self._app(scope, receive, counted_send)
        except Exception:
            if not answered:
                self._counts.answer(counter, HTTPStatus.INTERNAL_SERVER_ERROR)  # Starlette answers it in an outer layer
            raise
