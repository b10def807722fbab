"""Keeping requests and resets apart: many requests run at a time, a reset only when none does."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from wallaroo_ext.sandbox.http.problems import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_PATIENCE_SECONDS = 5.0
_Argument = TypeVar("_Argument")
_Answer = TypeVar("_Answer")


class ResetGate:
    """Lets any number of requests run at a time, or one reset.

    A request remembers the epoch in which it arrived. A reset begins a new epoch, and requests of an earlier one are
    refused: one that was still sending its body, for instance, was signed in to the state before the reset.

    Attributes:
        epoch: The number of resets.
        is_closed: Whether a reset runs, or waits to run.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self._condition = threading.Condition()
        self._running = 0
        self.is_closed = False

    def run(self, epoch: int, work: Callable[[_Argument], _Answer], argument: _Argument) -> _Answer:
        """Run the work of a request once no reset is running, and return its result.

        Args:
            epoch: The epoch in which the request arrived.
            work: The function to call.
            argument: The argument to call it with.

        Raises:
            Problem: 503, if there was a reset in the meantime.
        """
        self._enter(epoch)
        try:
            return work(argument)
        finally:
            self._leave()

    def _enter(self, epoch: int) -> None:
        with self._condition:
            self._condition.wait_for(lambda: not self.is_closed)
            if epoch != self.epoch:
                message = "The sandbox was reset while this request was under way; send it again."
                raise refusal(HTTPStatus.SERVICE_UNAVAILABLE, message, {"Retry-After": "0"})
            self._running += 1

    def _leave(self) -> None:
        with self._condition:
            self._running -= 1
            self._condition.notify_all()

    @contextmanager
    def exclusive(self, interrupt: Callable[[], None] = lambda: None) -> Generator[None]:
        """Hold back new requests, wait until none is running, and begin a new epoch after the block.

        Args:
            interrupt: Ends the work of running requests; called every few seconds while there are any.
        """
        with self._condition:
            self._condition.wait_for(lambda: not self.is_closed)
            self.is_closed = True
            is_quiet = self._condition.wait_for(lambda: not self._running, _PATIENCE_SECONDS)
        try:
            while not is_quiet:
                interrupt()
                with self._condition:
                    is_quiet = self._condition.wait_for(lambda: not self._running, _PATIENCE_SECONDS)
            yield
        finally:
            with self._condition:
                self.epoch += 1
                self.is_closed = False
                self._condition.notify_all()
