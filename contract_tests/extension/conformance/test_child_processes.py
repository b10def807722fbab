"""Are tests that disturb no others run in child processes, and is a report the same as if they were not?"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.conformance.runs import NO_BODY, run
from contract_tests.support.conformance.small_suites import run_as_suite
from contract_tests.support.sandbox.steering import wait_for
from wallaroo_ext.conformance import child_processes, command
from wallaroo_ext.conformance.exchanges import Exchange
from wallaroo_ext.conformance.guard.effects import Effects
from wallaroo_ext.conformance.guard.owned_resources import OwnedResources, Resource
from wallaroo_ext.conformance.guard.request_fields import RequestFields
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.recordings.network import NetworkBlock
from wallaroo_ext.conformance.results import Finding, Notice, Run, TestOutcome, Verdict, verdict
from wallaroo_ext.conformance.suite import Suite

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Elsewhere, one process runs all tests.")

_HEAD = """
import os, pathlib, time
import pytest

HERE = pathlib.Path(__file__).parent

def note(name):
    part = HERE / f"{name}.{os.getpid()}"  # several processes may note the same
    part.write_text(str(os.getpid()))
    part.rename(HERE / name)

def wait_for(name):
    deadline = time.monotonic() + 30
    while not (HERE / name).exists():
        assert time.monotonic() < deadline, "it waits for what runs at the same time"
        time.sleep(0.01)
"""
_SECONDS = 40.0


@pytest.fixture
def beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a run without an instance use child processes, as if it had made its things."""

    def may(_: SuiteOptions) -> bool:
        return True

    def start(_: NetworkBlock) -> None:
        return

    monkeypatch.setattr(command, "may_have_child_processes", may)
    monkeypatch.setattr(Suite, "has_made_fixtures", True)
    # A run on recordings, as these are, allows no socket, and a child of a fork makes one that leads nowhere.
    monkeypatch.setattr(NetworkBlock, "start", start)

    def continue_in_child(suite: Suite, _: str) -> None:
        suite.interceptor.take_news()

    monkeypatch.setattr(Suite, "continue_in_child", continue_in_child)


def process_of(directory: Path, name: str) -> int:
    """Return the process that a test of a small suite ran in."""
    return int((directory / "instance" / name).read_text(encoding="utf-8"))


def passed(found: Run) -> list[str]:
    """Return the names of a run's tests, in the order of the report, once it is checked that each passed."""
    assert {each.outcome for each in found.tests} == {"passed"}
    return [each.test.rpartition("::")[2] for each in found.tests]


@pytest.mark.usefixtures("beside_others")
def test_they_run_in_another_process_and_are_told_before_the_last_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"""{_HEAD}
@pytest.mark.last
def test_the_end():
    note("end")

@pytest.mark.changes_nothing
class TestBeside:
    def test_one(self):
        note("one")

    def test_other(self):
        note("other")

def test_own():
    wait_for("other")
    note("own")
"""
    reports: list[tuple[int, int]] = []
    found = run_as_suite(text, tmp_path, monkeypatch, lambda done, of: reports.append((done, of)))
    assert found.could_not_run.startswith("No operation was looked at")  # there is no instance
    assert passed(found) == ["test_own", "test_one", "test_other", "test_the_end"]
    assert {process_of(tmp_path, name) for name in ("own", "end")} == {os.getpid()}
    assert process_of(tmp_path, "one") == process_of(tmp_path, "other") != os.getpid()
    assert reports[-1] == (4, 4)
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("beside_others")
def test_what_fails_or_is_skipped_there_is_told_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"""{_HEAD}
@pytest.fixture(scope="module")
def thing():
    note("made")
    return "a thing"

def test_own(thing):
    pass

@pytest.mark.changes_nothing
def test_wrong(thing):
    assert thing == "another thing"

@pytest.mark.changes_nothing
def test_left_out():
    pytest.skip("It is left out.")

@pytest.fixture
def ending():
    yield
    pytest.fail("It was found at the end.", pytrace=False)

@pytest.mark.changes_nothing
def test_ended(ending):
    pass

def test_last():
    pass
"""
    found = run_as_suite(text, tmp_path, monkeypatch)
    outcomes = {each.test.rpartition("::")[2]: each for each in found.tests}
    assert {name: each.outcome for name, each in outcomes.items()} == {
        "test_own": "passed",
        "test_wrong": "failed",
        "test_left_out": "skipped",
        "test_ended": "failed",
        "test_last": "passed",
    }
    assert outcomes["test_wrong"].message.startswith("assert 'a thing' == 'another thing'")
    assert "It was found at the end." in outcomes["test_ended"].message
    assert outcomes["test_left_out"].message == "It is left out."
    assert verdict(found) is Verdict.DOES_NOT_CONFORM


@pytest.mark.usefixtures("beside_others")
def test_operations_that_write_are_tried_there_after_they_succeeded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"""{_HEAD}
@pytest.mark.changes_nothing
@pytest.mark.touches("create_workspace")
def test_writing():
    assert (HERE / "created").exists()

@pytest.mark.changes_nothing
@pytest.mark.touches("list_workspaces")
def test_reading():
    note("read")

def test_own():
    wait_for("read")
    time.sleep(0.5)
    note("created")

def test_last():
    pass
"""
    found = run_as_suite(text, tmp_path, monkeypatch)
    assert passed(found) == ["test_own", "test_reading", "test_writing", "test_last"]


@pytest.mark.usefixtures("beside_others")
def test_those_in_a_workspace_of_their_own_do_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"""{_HEAD}
@pytest.mark.changes_nothing
@pytest.mark.touches("create_pipeline")
def test_writing():
    assert (HERE / "separate").exists()

@pytest.mark.separate
@pytest.mark.touches("create_workspace")
def test_separate():
    note("separate")

def test_own():
    wait_for("separate")

def test_last():
    pass
"""
    found = run_as_suite(text, tmp_path, monkeypatch)
    assert passed(found) == ["test_own", "test_separate", "test_writing", "test_last"]
    assert process_of(tmp_path, "separate") != os.getpid()


@pytest.mark.usefixtures("beside_others")
def test_the_first_process_runs_what_a_child_did_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"""{_HEAD}
PARENT = os.getpid()

@pytest.mark.changes_nothing
def test_one():
    note("one")

@pytest.mark.changes_nothing
def test_deadly():
    if os.getpid() != PARENT:
        os._exit(9)
    note("deadly")

@pytest.mark.changes_nothing
def test_other():
    note("other")

def test_last():
    pass
"""
    found = run_as_suite(text, tmp_path, monkeypatch)
    assert passed(found) == ["test_one", "test_deadly", "test_other", "test_last"]
    assert process_of(tmp_path, "one") != os.getpid()
    assert process_of(tmp_path, "deadly") == process_of(tmp_path, "other") == os.getpid()


@pytest.mark.usefixtures("beside_others")
def test_those_that_change_nothing_and_those_with_a_workspace_run_at_one_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"""{_HEAD}
@pytest.mark.changes_nothing
def test_reading():
    note("reading")
    wait_for("separate")

@pytest.mark.separate
def test_separate():
    note("separate")
    wait_for("reading")

def test_own():
    wait_for("separate")
    note("own")

def test_last():
    pass
"""
    found = run_as_suite(text, tmp_path, monkeypatch)
    assert passed(found) == ["test_own", "test_reading", "test_separate", "test_last"]
    assert len({process_of(tmp_path, name) for name in ("own", "reading", "separate")}) == 3
    assert multiprocessing.active_children() == []


_ENDLESS = f"""{_HEAD}
@pytest.mark.changes_nothing
def test_endless():
    note("endless")
    time.sleep(100)

@pytest.mark.separate
def test_separate():
    note("separate")
    time.sleep(100)

def test_own():
    wait_for("endless")
    wait_for("separate")
    END

def test_last():
    pass
"""


@pytest.mark.usefixtures("beside_others")
def test_an_interrupted_run_ends_all_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.monotonic()
    found = run_as_suite(_ENDLESS.replace("END", "raise KeyboardInterrupt"), tmp_path, monkeypatch)
    assert found.could_not_run == command.INTERRUPTED
    assert time.monotonic() - started < _SECONDS
    assert multiprocessing.active_children() == []
    assert all(has_ended(process_of(tmp_path, name)) for name in ("endless", "separate"))


@pytest.mark.usefixtures("beside_others")
def test_each_child_notices_at_once_that_it_is_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(process: BaseProcess) -> None:
        killed.append(process.pid)
        os.kill(process.pid or 0, signal.SIGKILL)

    killed: list[int | None] = []
    monkeypatch.setattr(BaseProcess, "kill", kill)
    monkeypatch.setattr(child_processes, "_GRACE_SECONDS", _SECONDS)
    run_as_suite(_ENDLESS.replace("END", "raise KeyboardInterrupt"), tmp_path, monkeypatch)
    assert killed == []


@pytest.mark.usefixtures("beside_others")
def test_the_children_end_when_the_first_process_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = _ENDLESS.replace("END", 'note("own"); time.sleep(100)')
    context = multiprocessing.get_context("fork")
    first = context.Process(target=run_as_suite, args=(text, tmp_path, monkeypatch), daemon=False)
    first.start()
    try:
        wait_for((tmp_path / "instance" / "own").exists, _SECONDS)
    finally:
        first.kill()
        first.join()
    children = [process_of(tmp_path, name) for name in ("endless", "separate")]
    try:
        wait_for(lambda: all(map(has_ended, children)), _SECONDS)
    finally:
        for each in children:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)


def has_ended(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:  # noqa: PTH123 - it may vanish
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, True),
        ({"quick": True, "cases": 3}, True),
        ({"running": {}}, False),
        ({"rate": 20.0}, False),
        ({"operations": ("list_models",)}, False),
        ({"instance": "live"}, False),
        ({"instance": "recorded"}, False),
    ],
)
def test_only_a_whole_run_on_a_sandbox_has_child_processes(options: dict[str, Any], expected: object) -> None:
    assert child_processes.may_have_child_processes(SuiteOptions(**options)) is expected


def exchange(number: int, test: str) -> Exchange:
    return Exchange("list_models", "POST", f"http://localhost/{number}", (), NO_BODY, 200, (), NO_BODY, 1.0, 0.1, test)


def test_results_of_another_process_are_added_with_the_numbers_of_their_requests() -> None:
    first, second = run(), run()
    first.exchanges += [exchange(number, "own") for number in range(3)]
    first.tests.append(TestOutcome("own", "failed", 1.0, request=2))
    first.withheld_because["list_models"] = ["one", "two"]
    first.add_notice(Notice("list_models", "$", "seen by both"))
    second.add_notice(Notice("list_models", "$", "seen by both"))
    second.exchanges += [exchange(number, "other") for number in range(2)]
    second.add_check("list_models", "schema", [])
    second.add_check("list_models", "schema", [Finding("list_models", "schema", "wrong", exchange=second.exchanges[1])])
    second.tests += [TestOutcome("other", "failed", 1.0, request=1), TestOutcome("none", "passed", 1.0)]
    for reason in ("two", "three", "four"):
        second.add_withheld("list_models", reason)
    second.gaps["list_models", "503"] += 2
    second.unanswered["get_model"] = "503"

    taken = pickle.loads(pickle.dumps(second.take()))  # noqa: S301 - it was made here
    assert (second.exchanges, second.findings, second.tests, second.passed) == ([], [], [], Counter())
    first.add(taken)
    assert [each.test for each in first.exchanges] == ["own"] * 3 + ["other"] * 2
    assert [each.request for each in first.tests] == [2, 4, None]
    assert first.findings[0].exchange is first.exchanges[4]
    assert (first.passed["list_models", "schema"], first.failed["list_models", "schema"]) == (1, 1)
    assert first.notices == [Notice("list_models", "$", "seen by both")]
    assert first.withheld["list_models"] == 3
    assert first.withheld_because["list_models"] == ["one", "two", "three"]
    assert (first.gaps["list_models", "503"], first.unanswered) == (2, {"get_model": "503"})
    assert first.operations


def test_what_another_process_learned_is_known_and_ended_by_the_first() -> None:
    first, second = OwnedResources("conformance"), OwnedResources("conformance")
    for each in (first, second):
        each.add("workspace id", 5)
        each.add_resource(Resource("workspace", 5, "conformance-w"))
    second.take_learned()
    request = RequestFields()
    second.add("workspace id", 6)
    second.add_resource(Resource("workspace", 6, "conformance-beside-1"))
    second.note_request(Effects("create_workspace", ("workspace",)), request)
    learned = pickle.loads(pickle.dumps(second.take_learned()))  # noqa: S301 - it was made here
    assert learned.known == {"workspace id": [6]}
    first.add_learned(learned)
    assert first.values_of("workspace id") == [5, 6]
    assert [each.id for each in first.resources("workspace")] == [5, 6]
    assert [effects.operation for effects, _ in first.unsettled_requests()] == ["create_workspace"]
    assert second.take_learned().known == {"workspace id": []}
    assert second.unsettled_requests() == []
