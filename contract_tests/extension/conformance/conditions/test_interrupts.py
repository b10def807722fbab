"""Does a run that is ended from outside, or breaks by itself, still say what it found, and nothing that it did not?"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from contract_tests.support.conformance.small_suites import run_as_suite
from wallaroo_ext.conformance.conditions.interrupts import as_interrupts, held_back
from wallaroo_ext.conformance.results import INTERRUPTED

if TYPE_CHECKING:
    from pathlib import Path

    from contract_tests.extension.conformance.conditions.conftest import RunTests

ENDING = [signal.SIGTERM, signal.SIGHUP]
INTERRUPTED_TEST = """
import os
import pytest

@pytest.fixture
def cleans_up():
    yield
    {end}

def test_before():
    pass

def test_ended(cleans_up):
    os.kill(os.getpid(), {number})
    pytest.fail("nobody ended it")

def test_after():
    pass
"""


def send(number: int) -> None:
    os.kill(os.getpid(), number)


class TestSignals:
    @pytest.mark.parametrize("number", ENDING)
    def test_each_that_ends_a_program_is_an_interrupt(self, number: int) -> None:
        before = signal.getsignal(number)
        with pytest.raises(KeyboardInterrupt), as_interrupts():
            send(number)
        assert signal.getsignal(number) is before

    def test_it_is_one_where_ctrl_c_is_ignored_too_as_in_the_background(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert monkeypatch is not None
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            with pytest.raises(KeyboardInterrupt), as_interrupts():
                send(signal.SIGTERM)
        finally:
            signal.signal(signal.SIGINT, before)

    def test_what_is_ignored_stays_so_as_after_nohup(self) -> None:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            with as_interrupts(), held_back():
                send(signal.SIGHUP)
        finally:
            signal.signal(signal.SIGHUP, before)

    @pytest.mark.parametrize("number", [signal.SIGINT, *ENDING])
    def test_what_takes_a_moment_is_finished_first(self, number: int) -> None:
        done: list[str] = []

        def take_a_moment() -> None:
            with as_interrupts(), held_back():
                send(number)
                send(number)
                done.append("it")

        with pytest.raises(KeyboardInterrupt):
            take_a_moment()
        assert done == ["it"]

    @pytest.mark.parametrize("number", [signal.SIGINT, *ENDING])
    def test_what_fails_in_that_moment_is_interrupted_too(self, number: int) -> None:
        def fail() -> None:
            with as_interrupts(), held_back():
                send(number)
                raise OSError("no space")

        with pytest.raises(KeyboardInterrupt):
            fail()

    def test_another_thread_runs_without_them(self) -> None:
        done: list[str] = []

        def run() -> None:
            with as_interrupts(), held_back():
                done.append("it")

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        assert done == ["it"]


@pytest.mark.parametrize("end", ["pass", "pytest.fail('a finding')", "raise ValueError", "raise KeyboardInterrupt"])
@pytest.mark.parametrize("number", [signal.SIGINT, *ENDING])
def test_an_interrupt_ends_a_run_and_is_no_failure(run_tests: RunTests, number: int, end: str) -> None:
    found = run_tests(INTERRUPTED_TEST.format(number=int(number), end=end))
    assert found.could_not_run == INTERRUPTED
    assert [(test.test.rpartition("::")[2], test.outcome) for test in found.tests] == [("test_before", "passed")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_module", ".py could not be loaded"),
        ("def test_odd(no_such_fixture): pass\n", ""),
        ("def test_broken(:", ".py could not be loaded"),
    ],
    ids=["import", "fixture", "syntax"],
)
def test_a_suite_that_is_broken_is_no_interruption(run_tests: RunTests, text: str, message: str) -> None:
    found = run_tests(text)
    assert found.could_not_run != INTERRUPTED
    if message:
        assert found.could_not_run.startswith("This is a defect of wallaroo-ext: ")
        assert message in found.could_not_run
    else:
        assert [test.outcome for test in found.tests] == ["error"]


def test_an_error_of_a_hook_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(done: int, _: int) -> None:
        if done:
            raise ValueError("odd")

    found = run_as_suite("def test_good(): pass\n", tmp_path, monkeypatch, broken)
    assert found.could_not_run.startswith("This is a defect of wallaroo-ext: ValueError: odd (")
    assert "Traceback" not in capfd.readouterr().err


def test_progress_that_nobody_reads_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_: int, __: int) -> None:
        raise BrokenPipeError

    found = run_as_suite("def test_good(): pass\n", tmp_path, monkeypatch, closed)
    assert [test.outcome for test in found.tests] == ["passed"]
