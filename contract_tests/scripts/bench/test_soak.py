"""Does the soak find errors and growing memory, and does the bench refuse unknown sections?"""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from scripts.lib.bench.run import SECTIONS, main
from scripts.lib.bench.soak import Soaked, measured, soak


def soaked(memory: list[float], errors: int = 0) -> Soaked:
    samples = [(float(second), mib) for second, mib in enumerate(memory)]
    return Soaked(took=float(len(memory)), memory=samples, errors=["it failed"] * errors)


def test_flat_memory_without_an_error_is_good() -> None:
    assert soaked([50.0] * 20 + [100.0, 102.0] * 40).is_good


def test_what_a_process_takes_to_get_warm_is_no_growth() -> None:
    assert soaked([float(mib) for mib in range(80, 100)] + [100.0] * 80).slope == pytest.approx(0, abs=1e-9)


def test_growth_after_the_warm_up_is_not_good() -> None:
    growing = soaked([100.0 + second / 2 for second in range(100)])
    assert not growing.is_good
    assert growing.slope == pytest.approx(50)


def test_one_error_is_not_good() -> None:
    assert not soaked([100.0] * 100, errors=1).is_good


class Interrupted:
    """An actor that is interrupted by its first request."""

    def step(self) -> str:
        raise KeyboardInterrupt


class Idle:
    """An actor whose requests end at once."""

    def step(self) -> str:
        return "nothing"


def test_an_interrupt_ends_it_before_its_time() -> None:
    began = time.monotonic()
    actors: list[Any] = [Interrupted(), Idle()]
    seen: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        measured(actors, os.getpid(), lambda done, _: seen.append(done), requests=1200, seconds=60)
    assert time.monotonic() - began < 30


@pytest.mark.slow
def test_a_short_soak_has_no_error_and_counts_every_request() -> None:
    seen: list[int] = []
    short = soak(lambda done, _: seen.append(done), requests=400, seconds=4)
    assert short.errors == []
    assert short.done == 400
    assert seen


def test_a_section_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["soap"])
    assert raised.value.code == 2
    assert f"there is no section 'soap'; there are {', '.join(SECTIONS)}" in capsys.readouterr().err
