"""Requests that work side by side, and now and then something that has to be alone."""

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


class Gate:
    """Lets any number of requests work at a time, and a reset when none does.

    A request remembers the era in which it came. A reset begins a new one, and what came before it is turned away: who
    was still sending a body, for one, was signed in to an instance that is no more.

    Attributes:
        era: The number of resets.
        is_closed: Whether somebody is alone, or waits to be.
    """

    def __init__(self) -> None:
        self.era = 0
        self._condition = threading.Condition()
        self._inside = 0
        self.is_closed = False

    def run(self, era: int, work: Callable[[_Argument], _Answer], argument: _Argument) -> _Answer:
        """Do the work of a request, once no reset is under way.

        Args:
            era: The era in which the request came.
            work: What is to be done.
            argument: What it is done with.

        Raises:
            Problem: 503, when there was a reset since.
        """
        self._enter(era)
        try:
            return work(argument)
        finally:
            self._leave()

    def _enter(self, era: int) -> None:
        with self._condition:
            self._condition.wait_for(lambda: not self.is_closed)
            if era != self.era:
                message = "The sandbox was reset while this request was under way; send it again."
                raise refusal(HTTPStatus.SERVICE_UNAVAILABLE, message, {"Retry-After": "0"})
            self._inside += 1

    def _leave(self) -> None:
        with self._condition:
            self._inside -= 1
            self._condition.notify_all()

    @contextmanager
    def alone(self, interrupt: Callable[[], None] = lambda: None) -> Generator[None]:
        """Wait until no request works, and let none begin meanwhile; afterwards there is a new era.

        Args:
            interrupt: Ends what requests wait for; called every few seconds while they do.
        """
        with self._condition:
            self._condition.wait_for(lambda: not self.is_closed)
            self.is_closed = True
            is_quiet = self._condition.wait_for(lambda: not self._inside, _PATIENCE_SECONDS)
        try:
            while not is_quiet:
                interrupt()
                with self._condition:
                    is_quiet = self._condition.wait_for(lambda: not self._inside, _PATIENCE_SECONDS)
            yield
        finally:
            with self._condition:
                self.era += 1
                self.is_closed = False
                self._condition.notify_all()
