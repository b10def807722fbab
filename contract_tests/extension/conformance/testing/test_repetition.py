"""Is a test that got no answer run again, and is the instance blamed only where it is the same each time?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from contract_tests.support.conformance.runs import exchange, run
from wallaroo_ext.conformance.guard.gateways import MOST_RUNS, NoAnswerError
from wallaroo_ext.conformance.testing.repetition import Losses, repeated

if TYPE_CHECKING:
    from collections.abc import Callable

CREATE = "create_workspace"


def lost(operation: str = CREATE, *, may_be_repeated: bool = True) -> NoAnswerError:
    return NoAnswerError(operation, "503", may_be_repeated=may_be_repeated)


class Tried:
    """A test that is run by the suite, and what the suite is told of it."""

    def __init__(self) -> None:
        self.run = run()
        self.given_up = Mock()
        self.losses = Losses()
        self.times = 0

    def __call__(self, test: Callable[[int], None]) -> None:
        """Run it; it is given the number of the run."""

        def counted() -> None:
            self.times += 1
            test(self.times)

        interceptor: Any = Mock(run=self.run, give_up=self.given_up)
        repeated(counted, interceptor, self.losses)()


def test_a_test_that_is_answered_the_second_time_passes() -> None:
    tried = Tried()

    def test(number: int) -> None:
        if number == 1:
            raise lost()

    tried(test)
    assert tried.times == 2
    tried.given_up.assert_not_called()


def test_a_loss_in_a_subtest_lets_the_whole_test_run_again() -> None:
    tried = Tried()

    def test(number: int) -> None:
        if number == 1:
            tried.losses.add(lost())

    tried(test)
    assert tried.times == 2


def test_what_is_lost_each_time_at_the_same_place_is_lasting() -> None:
    tried = Tried()

    def test(_: int) -> None:
        tried.run.exchanges += [exchange(CREATE), exchange(CREATE, status=0)]
        raise lost()

    with pytest.raises(NoAnswerError):
        tried(test)
    assert tried.times == MOST_RUNS
    assert tried.given_up.call_args.kwargs == {"is_lasting": True}


def test_what_is_lost_here_and_there_is_not() -> None:
    tried = Tried()

    def test(number: int) -> None:
        tried.run.exchanges += [exchange(CREATE)] * (number % 2)
        raise lost()

    with pytest.raises(NoAnswerError):
        tried(test)
    assert tried.given_up.call_args.kwargs == {"is_lasting": False}


def test_what_was_asked_often_enough_is_not_run_again() -> None:
    tried = Tried()

    def test(_: int) -> None:
        raise lost(may_be_repeated=False)

    with pytest.raises(NoAnswerError):
        tried(test)
    assert tried.times == 1


def test_another_failure_is_the_tests() -> None:
    def test(_: int) -> None:
        raise AssertionError

    with pytest.raises(AssertionError):
        Tried()(test)
