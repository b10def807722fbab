"""Retries of a run over many rows, beyond those of the client's transport.

The transport retries transient failures: statuses, timeouts, broken connections. An answer that cannot be read is an
error there, because for a single request a person should see it. In a run of thousands of requests it is one of the
ways in which a gateway fails, and by the contract scoring may be repeated. So a run retries

- failures that the transport gave up on: no connection, a lost one, a timeout, 429, 502, 503, 504,
- any other status from 500 on, 520 among them,
- an answer that breaks the contract: truncated, empty, an HTML page, a redirect, another number of rows,
- a token that was refused although the client had renewed it.

It does not retry errors of the engine about the rows, nor any other 4xx. An error of the last attempt is raised as it
is, with a note of the number of attempts. Retried requests are counted and logged; the instance may log their rows
twice.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from wallaroo_ext._util.quantities import check_count
from wallaroo_ext._util.times import check_seconds
from wallaroo_ext.errors import (
    AnswerError,
    AuthenticationError,
    ConnectionFailedError,
    ContractViolationError,
    EngineError,
    InvalidDataError,
    RateLimitedError,
    ServerError,
    WallarooError,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

T = TypeVar("T")
logger = logging.getLogger("wallaroo_ext")

_TRANSIENT = (ConnectionFailedError, ContractViolationError, RateLimitedError, ServerError)


class StoppedError(Exception):
    """The run ended while a request waited for its next attempt."""


@dataclass(frozen=True, kw_only=True)
class BatchRetries:
    """How often a run sends a request again after the client's transport gave up on it.

    Attributes:
        attempts: The largest number of attempts, with the first one.
        sign_ins: The largest number of attempts if the instance refuses the token.
        first_pause: The longest pause before the second attempt, in seconds. It doubles with each attempt, and the
            pause is a random part of it.
        longest_pause: The limit of that doubling, in seconds.
        longest_retry_after: The longest `Retry-After` that is obeyed, in seconds.
    """

    attempts: int = 6
    sign_ins: int = 3
    first_pause: float = 0.5
    longest_pause: float = 15.0
    longest_retry_after: float = 60.0

    def __post_init__(self) -> None:
        for name in ("attempts", "sign_ins"):
            check_count(name, getattr(self, name))
        for name in ("first_pause", "longest_pause", "longest_retry_after"):
            check_seconds(name, getattr(self, name))

    def pause(self, error: Exception, attempt: int) -> float | None:
        """Return the seconds to wait before the next attempt; None if there is no further attempt.

        Args:
            error: The error of the last attempt.
            attempt: The number of the last attempt, counted from 1.
        """
        if attempt >= self._max_attempts(error):
            return None
        asked = (error.retry_after or 0.0) if isinstance(error, AnswerError) else 0.0
        if asked > self.longest_retry_after:
            return None
        longest = min(self.first_pause * 2 ** (attempt - 1), self.longest_pause)
        return max(asked, random.uniform(0.0, longest))  # noqa: S311 - not for a secret

    def _max_attempts(self, error: Exception) -> int:
        """Return the number of attempts that an error allows."""
        if isinstance(error, AuthenticationError):
            return self.sign_ins
        if isinstance(error, EngineError):
            return self.attempts if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else 1
        return self.attempts if isinstance(error, _TRANSIENT) else 1


def check_retries(retries: object) -> None:
    """Raise InvalidDataError for the argument `retries` of a run if it is none of them, such as a number."""
    if not isinstance(retries, BatchRetries):
        raise InvalidDataError(f"`retries` is a BatchRetries, such as BatchRetries(attempts=3), not {retries!r}.")


def with_retries(
    send: Callable[[], T],
    retries: BatchRetries,
    stopped: threading.Event,
    ends: Callable[[WallarooError], bool] = lambda _: False,
) -> tuple[T, int]:
    """Return the result of `send` and the number of attempts that it took.

    Args:
        send: Sends the request once.
        retries: How often to send it.
        stopped: Set when the run ends, so that no pause goes on.
        ends: Returns whether an error ends the attempts, although others are left.

    Raises:
        StoppedError: The run ended during a pause.
        WallarooError: The error of the last attempt.
    """
    attempt = 1
    while True:
        try:
            return send(), attempt
        except WallarooError as error:
            pause = None if ends(error) else retries.pause(error, attempt)
            if pause is None:
                _note_attempts(error, attempt)
                raise
            logger.info("batch: attempt %d: %s, again in %.2f s", attempt, type(error).__name__, pause)
        if stopped.wait(pause):
            raise StoppedError
        attempt += 1


def _note_attempts(error: WallarooError, attempts: int) -> None:
    if attempts > 1:
        error.add_note(f"The run had sent this request {attempts} times.")
