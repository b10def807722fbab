"""Does a run that looked at nothing say so, in place of saying that an instance conforms?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from contract_tests.support.conformance import runs
from contract_tests.support.conformance.runs import exchange, finding
from contract_tests.support.conformance.small_suites import run_as_suite
from wallaroo_ext.conformance.coverage import exercises, not_exercised, not_looked_at
from wallaroo_ext.conformance.results import Run, TestOutcome, Verdict, verdict

if TYPE_CHECKING:
    from pathlib import Path

PASSED = TestOutcome("test_a.py::test_b", "passed", 0.1)


def looking_at(*operations: str, **parts: object) -> Run:
    """Return a run that was to look at these operations."""
    made = runs.run(**parts)
    made.operations = [replace(row, is_asked_for=row.id in operations) for row in made.operations]
    return made


@pytest.mark.parametrize(
    "made",
    [
        looking_at("list_models"),
        looking_at("list_models", tests=[PASSED]),
        looking_at("list_models", tests=[PASSED], exchanges=[exchange("list_features")]),
        looking_at("list_models", tests=[PASSED], exchanges=[exchange(test="")]),
        looking_at("list_models", tests=[PASSED], exchanges=[exchange(method="OPTIONS", is_declared=False)]),
        looking_at("list_models", tests=[replace(PASSED, outcome="skipped")], exchanges=[exchange()]),
    ],
    ids=["nothing", "no request", "another operation", "signing in alone", "another method", "skipped"],
)
def test_nothing_is_known_of_an_instance_that_nobody_looked_at(made: Run) -> None:
    reason = not_looked_at(made)
    assert reason.startswith("No operation was looked at, so that nothing is known of the instance.")
    assert verdict(replace(made, could_not_run=reason)) is Verdict.COULD_NOT_RUN


@pytest.mark.parametrize(
    "made",
    [
        looking_at("list_models", tests=[PASSED], exchanges=[exchange()]),
        looking_at("list_models", findings=[finding()]),
        looking_at("list_models", tests=[replace(PASSED, outcome="failed")]),
    ],
    ids=["a request", "a finding", "a failure"],
)
def test_one_look_is_enough(made: Run) -> None:
    assert not not_looked_at(made)


def test_the_reasons_are_those_of_the_operations() -> None:
    reason = not_looked_at(looking_at("invite_user", "deactivate_user"))
    assert reason.endswith("invite_user: A licence limits how many users there may be. deactivate_user: --read-only")


def test_an_operation_that_was_not_to_be_looked_at_is_no_gap() -> None:
    made = looking_at("list_models", "get_model", exchanges=[exchange()])
    assert not_exercised(made) == {"get_model": "No request was sent."}
    made.operations = [replace(row, is_in_release=False) for row in made.operations]
    assert not_exercised(made) == {}


def test_answers_to_another_method_are_no_successes_of_the_operation() -> None:
    made = looking_at("list_models", exchanges=[exchange(), exchange(method="OPTIONS", is_declared=False)])
    [found] = [each for each in exercises(made) if each.operation.id == "list_models"]
    assert found.statuses == {200: 1}


def test_a_run_whose_tests_look_at_nothing_does_not_conform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_as_suite("def test_good(): pass\n", tmp_path, monkeypatch)
    assert [test.outcome for test in run.tests] == ["passed"]
    assert verdict(run) is Verdict.COULD_NOT_RUN
