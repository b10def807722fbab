"""Sends a request until the instance has answered it, as often as the contract allows and patience lasts."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from wallaroo_ext.conformance.guard.effects import INFERENCE_LOG
from wallaroo_ext.conformance.guard.gateways import NoAnswerError, may_be_sent_again

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_ext.conformance.exchanges import Exchange
    from wallaroo_ext.conformance.guard.gateways import Gap
    from wallaroo_ext.conformance.results import Run
    from wallaroo_ext.conformance.rules import Rules
    from wallaroo_ext.transport.retry.clock import Clock

T = TypeVar("T")

MOST_ATTEMPTS = 10
"""How often a request is sent. A gateway that fails for one of five fails for all ten once in ten million times."""
_MOST_PROBES = 5
_UNLIKELY = 1e-6
"""How likely trouble may be by chance that is put down to the instance."""
_LONGEST_PATIENCE = 120.0
_REFRESH = b"refresh_token"


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T]):
    """What became of a request that was sent once.

    Attributes:
        answer: The answer in the form of the library that sent it; None where none came.
        exchange: The request and its answer.
        gap: What came in place of an answer of the instance; None where the instance answered.
        error: The error in place of an answer; None where some answer came.
    """

    answer: T | None
    exchange: Exchange
    gap: Gap | None = None
    error: Exception | None = None


class Attempts:
    """Sends requests as often as it takes.

    Args:
        run: The results, in which gaps are counted.
        rules: The rules of the contract.
        clock: The clock.

    Attributes:
        sends_rows_once: Whether rows that may have been scored are not sent again: they would be logged twice.
    """

    def __init__(self, run: Run, rules: Rules, clock: Clock) -> None:
        self._run = run
        self._rules = rules
        self._clock = clock
        self.sends_rows_once = False
        self._lock = threading.Lock()
        self._given_up: set[str] = set()
        self._reading: dict[str, Callable[[], Attempt[Any]]] = {}
        self._has_answered = False

    def make(
        self,
        operation: str,
        content: bytes,
        attempt: Callable[[], Attempt[T]],
        *,
        is_declared: bool,
        is_sign_in: bool = False,
    ) -> T:
        """Send a request until the instance has answered, and return the answer.

        Before the first answer of all, whatever comes is returned or raised: the instance may not be there.

        Args:
            operation: The contract's `operationId`; empty where the request belongs to no operation.
            content: The body of the request.
            attempt: Sends it once.
            is_declared: Whether the contract has an operation of its method at its path.
            is_sign_in: Whether it is the client's own request for a token, which is followed by another one, with the
                password, where a refresh token is refused because it was used already.

        Raises:
            NoAnswerError: The instance did not answer.
        """
        started, number = self._clock.now(), 0
        while True:
            number += 1
            last = attempt()
            if last.gap is None:
                self._note_answer(operation, attempt, is_declared=is_declared)
                assert last.answer is not None, "what is no gap is an answer"  # noqa: S101 - see `Attempt`
                return last.answer
            with self._lock:
                self._run.gaps[operation, last.gap.what] += 1
            pause = last.gap.pause(number)
            is_over = self._clock.now() + pause - started > _LONGEST_PATIENCE
            is_last = last.gap.is_final or number >= MOST_ATTEMPTS or is_over
            may_be_repeated = is_sign_in or self._may_be_sent_again(
                operation, content, last.gap, is_declared=is_declared
            )
            if not self._has_answered and (is_last or last.error is not None or not may_be_repeated):
                return _as_it_came(last)
            if is_last or not may_be_repeated or operation in self._given_up:
                raise self._no_answer(operation, last.gap, number, may_be_repeated=may_be_repeated)
            self._clock.sleep(pause)

    def _no_answer(self, operation: str, gap: Gap, number: int, *, may_be_repeated: bool) -> NoAnswerError:
        reason = f"{gap.what}, {number} times" if number > 1 else gap.what
        was_patient = may_be_repeated and not gap.is_final and operation not in self._given_up
        is_lasting = was_patient and not gap.is_limit and self.is_lasting(operation, number)
        if was_patient:
            self._given_up.add(operation)
        return NoAnswerError(
            operation,
            reason,
            may_be_repeated=not gap.is_final and operation not in self._given_up,
            is_lasting=is_lasting,
            is_limit=gap.is_limit,
        )

    def _may_be_sent_again(self, operation: str, content: bytes, gap: Gap, *, is_declared: bool) -> bool:
        if _REFRESH in content:  # such a token can often be used only once
            return not gap.was_carried_out
        described = self._rules.operations.get(operation) if is_declared else None
        if self.sends_rows_once and described is not None and INFERENCE_LOG in described.get("x-writes", ()):
            return not gap.was_carried_out
        return may_be_sent_again(gap, described)

    def _note_answer(self, operation: str, attempt: Callable[[], Attempt[Any]], *, is_declared: bool) -> None:
        described = self._rules.operations.get(operation, {}) if is_declared else {}
        with self._lock:
            self._has_answered = True
            self._given_up.discard(operation)
            if described.get("x-writes") == [] and described.get("x-idempotent") is True:
                self._reading[operation] = attempt

    def is_lasting(self, operation: str, times: int) -> bool:
        """Return whether an instance is to blame for an operation that stayed without an answer.

        It is not where other operations are not answered either, or so rarely that this was to be expected: where one
        request of three gets no answer, six in a row have none in one test of a thousand.

        Args:
            operation: The contract's `operationId`.
            times: How often in a row no answer came.
        """
        with self._lock:
            of_others = sum(number for (name, _), number in self._run.gaps.items() if name != operation)
        sent = sum(exchange.operation != operation for exchange in self._run.exchanges)
        is_likely = bool(sent) and (of_others / sent) ** times > _UNLIKELY
        return not is_likely and self._others_are_answered(operation)

    def _others_are_answered(self, operation: str) -> bool:
        """Return whether the instance answers a request of another operation, which was answered before."""
        with self._lock:
            others = [attempt for name, attempt in self._reading.items() if name != operation]
        return any(others[-1 - number % len(others)]().gap is None for number in range(_MOST_PROBES if others else 0))

    def give_up(self, operation: str) -> None:
        """Be less patient with an operation until it is answered."""
        self._given_up.add(operation)


def _as_it_came(last: Attempt[T]) -> T:
    if last.error is not None:
        raise last.error
    assert last.answer is not None, "what is no error is an answer"  # noqa: S101 - see `Attempt`
    return last.answer
