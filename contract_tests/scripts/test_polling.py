"""Does waiting end with what was waited for, or with an error when its time is over, and not ask without a pause?"""

from __future__ import annotations

import itertools
import time

import pytest

from scripts.lib.polling import polled


def test_the_first_answer_that_is_awaited_is_returned() -> None:
    answers = iter([1, 2, 3, 4])
    assert polled(lambda: next(answers), lambda answer: answer >= 3, seconds=60) == 3
    assert next(answers) == 4


def test_when_the_time_is_over_the_last_answer_is_in_the_error() -> None:
    count = itertools.count()
    started = time.monotonic()
    with pytest.raises(TimeoutError, match=r"within 0\.2 s, but \d\.$"):
        polled(lambda: next(count), lambda _: False, seconds=0.2)
    assert time.monotonic() - started >= 0.2
    assert next(count) <= 6, "it pauses"
