"""What the batch layer sends again beyond what the client's transport does, and what it does not.

The transport repeats what may pass by itself: transient statuses, timeouts, broken connections. An answer that came and
cannot be read is an error there, because for one request a person should see it. In a run of thousands of requests it
is one of the ways in which a gateway fails, and scoring may be repeated by the contract. So a run repeats

- what the transport gave up: no connection, a lost one, a timeout, 429, 502, 503, 504,
- any other status of the instance from 500 on, 520 among them,
- an answer that breaks the contract: truncated, empty, an HTML page, a redirect, another number of rows,
- a token that was refused although the client had renewed it.

It does not repeat what the engine says about the rows, nor any other 4xx. What fails every time is raised as it is,
with how often it was tried; a repeated request is counted and logged, and the instance may log its rows twice.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from wallaroo_ext.errors import (
    AnswerError,
    AuthenticationError,
    ConnectionFailedError,
    ContractViolationError,
    EngineError,
    RateLimitedError,
    ServerError,
    WallarooError,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

R = TypeVar("R")
logger = logging.getLogger("wallaroo_ext")

_PASSING = (ConnectionFailedError, ContractViolationError, RateLimitedError, ServerError)


class StoppedError(Exception):
    """The run ended while a request waited for its next attempt."""


@dataclass(frozen=True, kw_only=True)
class BatchRetries:
    """How often a run sends a request again that the client's transport gave up or could not judge.

    Attributes:
        attempts: How often at most, the first time included.
        sign_ins: How often where the instance refuses the token.
        first_pause: The longest pause before the second attempt, in seconds; it doubles with each one, and a pause is
            any part of it, at random.
        longest_pause: What it doubles up to, in seconds.
        longest_retry_after: The longest `Retry-After` that is obeyed, in seconds.
    """

    attempts: int = 6
    sign_ins: int = 3
    first_pause: float = 0.5
    longest_pause: float = 15.0
    longest_retry_after: float = 60.0

    def pause(self, error: Exception, attempt: int) -> float | None:
        """Return the seconds before the next attempt; None where there is none.

        Args:
            error: What became of the attempt.
            attempt: Which one it was, from 1.
        """
        if attempt >= self._most(error):
            return None
        asked = (error.retry_after or 0.0) if isinstance(error, AnswerError) else 0.0
        if asked > self.longest_retry_after:
            return None
        longest = min(self.first_pause * 2 ** (attempt - 1), self.longest_pause)
        return max(asked, random.uniform(0.0, longest))  # noqa: S311 - it keeps no secret

    def _most(self, error: Exception) -> int:
        """Return how many attempts an error leaves."""
        if isinstance(error, AuthenticationError):
            return self.sign_ins
        if isinstance(error, EngineError):
            return self.attempts if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else 1
        return self.attempts if isinstance(error, _PASSING) else 1


def repeated(send: Callable[[], R], retries: BatchRetries, stopped: threading.Event) -> tuple[R, int]:
    """Return what `send` gives in the end, and how many attempts it took.

    Raises:
        StoppedError: The run ended meanwhile.
        WallarooError: The last attempt ended in this.
    """
    attempt = 1
    while True:
        try:
            return send(), attempt
        except WallarooError as error:
            pause = retries.pause(error, attempt)
            if pause is None:
                _say_how_often(error, attempt)
                raise
            logger.info("batch: attempt %d: %s, again in %.2f s", attempt, type(error).__name__, pause)
        if stopped.wait(pause):
            raise StoppedError
        attempt += 1


def _say_how_often(error: WallarooError, attempts: int) -> None:
    if attempts > 1:
        error.add_note(f"The run had sent this request {attempts} times.")
