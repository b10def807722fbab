"""Runs a test again that got no answer to a request which may not be sent twice: it makes new things then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallaroo_ext.conformance.guard.gateways import MOST_RUNS, NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_ext.conformance.guard.interceptor import Interceptor

Place = tuple[str, int]
"""Where a test got no answer: the operation, and how many of its requests were answered before."""


class Losses:
    """The requests without an answer in which the blocks of a test ended that it goes on after."""

    def __init__(self) -> None:
        self._found: list[NoAnswerError] = []

    def add(self, error: NoAnswerError) -> None:
        """Note a request without an answer."""
        self._found.append(error)

    def take(self) -> NoAnswerError | None:
        """Return the first one since the last call; None where there was none."""
        found, self._found = self._found, []
        return found[0] if found else None


def repeated(test: Callable[..., object], interceptor: Interceptor, losses: Losses) -> Callable[..., None]:
    """Return a test that is run until all of its requests are answered, or it seems that they never are.

    Args:
        test: The test.
        interceptor: What it sends its requests through.
        losses: The requests without an answer in its subtests.

    Returns:
        The test. It ends with `NoAnswerError` where an answer did not come; that is a finding already if the instance
        is to blame.
    """

    def run(**arguments: object) -> None:
        places: list[Place] = []
        while True:
            before = len(interceptor.run.exchanges)
            losses.take()
            error = _error_of(test, arguments) or losses.take()
            if error is None:
                return
            places.append(_place(interceptor, error, before))
            if not error.may_be_repeated or len(places) == MOST_RUNS:
                same = len(places) == MOST_RUNS and len(set(places)) == 1
                interceptor.give_up(error, is_lasting=same or error.is_lasting)
                raise error

    return run


def _error_of(test: Callable[..., object], arguments: dict[str, object]) -> NoAnswerError | None:
    try:
        test(**arguments)
    except NoAnswerError as error:
        return error
    return None


def _place(interceptor: Interceptor, error: NoAnswerError, before: int) -> Place:
    sent = interceptor.run.exchanges[before:]
    return error.operation, sum(each.operation == error.operation and each.status > 0 for each in sent)
