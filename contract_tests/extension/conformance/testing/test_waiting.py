"""Is a slow instance waited for longer than a fast one?"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from contract_tests.support.conformance.runs import exchange, run
from wallaroo_ext.conformance.report.terminal import summary
from wallaroo_ext.conformance.testing import waiting


class Slow:
    """Time that goes by as an instance takes it, and a condition that comes true at a look."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float, true_at: int) -> None:
        self.now = 0.0
        self.looks = 0
        self.seconds = seconds
        self.true_at = true_at
        # Of the module alone: the event loops of servers in other threads go by the time as well.
        monkeypatch.setattr(waiting, "time", SimpleNamespace(monotonic=lambda: self.now, sleep=self.pass_time))

    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> bool:
        self.now += self.seconds
        self.looks += 1
        return self.looks >= self.true_at


def test_a_slow_instance_is_looked_at_as_often_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(monkeypatch, seconds=5.0, true_at=25)
    assert waiting.soon(slow)
    assert slow.now > 2 * waiting.SOON_SECONDS


@pytest.mark.parametrize("seconds", [0.01, 5.0])
def test_what_does_not_come_about_is_given_up(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    never = Slow(monkeypatch, seconds, true_at=10**6)
    with pytest.raises(AssertionError, match="did not come about"):
        waiting.soon(never)
    assert never.now >= waiting.SOON_SECONDS
    assert never.looks >= 30


@pytest.mark.parametrize(("seconds", "is_said"), [((0.1, 0.2, 9.0), False), ((0.1, 2.5, 4.0), True)])
def test_that_an_instance_is_slow_is_said(seconds: tuple[float, ...], is_said: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    found = run(exchanges=[replace(exchange("list_models"), seconds=each) for each in seconds])
    found.note_slowness()
    sentence = "The instance is slow: half of its answers took 2.5 s or longer."
    assert (sentence in [notice.text for notice in found.notices]) is is_said
    assert (sentence in "\n".join(summary(found, files=None, colours=False))) is is_said
