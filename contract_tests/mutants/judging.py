"""Runs the suite on an instance that may lie: does it notice, and by which check?"""

from __future__ import annotations

import io
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.mutants.lies.ignored_tokens import ABOUT_TOKENS
from contract_tests.support.conformance.healthy_instances import healthy_instance
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.plugin import use_suite
from wallaroo_ext.conformance.suite import Suite
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS

if TYPE_CHECKING:
    from contract_tests.mutants.layer import Mutant
    from contract_tests.mutants.serving import LyingInstance

RELEASE = DEFAULT_OPTIONS.release
"""The release that a lying sandbox imitates, and is held to."""

TESTS = "contract_tests/instance"
NOT_WAITING = ("-k", "not expired")
"""Leaves out the tests that wait until a token has expired."""

_ARGUMENTS = (TESTS, "-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
_TESTS_FAILED, _TESTS_PASSED = 1, 0
_FINDINGS = {"AssertionError", "Failed"}
"""The errors of a fixture that finds something; any other error is a fault of the suite."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of the suite on an instance.

    Attributes:
        lies: How often the instance lied.
        noticed: Whether a test failed.
        check: The first check that found something; the test's name where the test itself did.
        message: The message of that check or test.
        crash: The exception that ended a fixture, in place of a finding; empty where there was none.
        seconds: How long the run took.
    """

    lies: int
    noticed: bool
    check: str
    message: str
    crash: str
    seconds: float

    @property
    def is_kill(self) -> bool:
        """Whether the suite noticed a lie, and did not crash."""
        return self.noticed and bool(self.lies) and not self.crash


@dataclass(slots=True)
class _FirstFailure:
    """A plugin of pytest that makes it run a suite, and notes the first failure.

    Attributes:
        suite: The suite.
        test: The first test that failed.
        message: The message of its error.
        crash: The error, where it was a fault of the suite.
    """

    suite: Suite
    test: str = ""
    message: str = ""
    crash: str = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        use_suite(config, self.suite)

    def pytest_exception_interact(self, node: Any, call: pytest.CallInfo[Any], report: Any) -> None:
        if self.test or call.excinfo is None or not report.failed:
            return  # a request that was not sent, or not answered, is no failure
        self.test = node.nodeid.removeprefix(f"{TESTS}/")
        self.message = str(call.excinfo.value)
        is_finding = call.excinfo.typename in _FINDINGS or report.when == "call"
        self.crash = "" if is_finding else f"{call.excinfo.typename}: {self.message}"


def judge_healthy(surroundings: str, *, cases: int, seed: int) -> Verdict:
    """Run the whole suite on a healthy instance.

    Args:
        surroundings: The name of what it is and has been through, one of `healthy_instances.SURROUNDINGS`.
        cases: The number of random requests of each operation and kind.
        seed: The seed of random data.
    """
    with healthy_instance(surroundings, cases=cases, seed=seed) as options:
        return Verdict(0, *run(options, NOT_WAITING if options.operations else ()))


def judge(instance: LyingInstance, mutant: Mutant, *, cases: int, seed: int) -> Verdict:
    """Run the suite on a mutant, until the first test fails.

    Args:
        instance: The instance that lies.
        mutant: The mutant.
        cases: The number of random requests of each operation and kind.
        seed: The seed of random data.
    """
    instance.become(mutant)
    options = SuiteOptions(
        running=instance.environment, release=RELEASE, cases=cases, seed=seed, operations=(mutant.operation,)
    )
    verdict = run(options, () if mutant.kind in ABOUT_TOKENS else NOT_WAITING)
    return Verdict(instance.lies, *verdict)


def run(options: SuiteOptions, more: tuple[str, ...]) -> tuple[bool, str, str, str, float]:
    """Run the suite until the first test fails, and return all fields of a `Verdict` but `lies`.

    Args:
        options: The options of the suite.
        more: Further arguments of pytest.
    """
    suite = Suite(options)
    failure = _FirstFailure(suite)
    started = time.perf_counter()
    with redirect_stdout(io.StringIO()) as output, redirect_stderr(output):
        code = pytest.main([*_ARGUMENTS, *_operation_arguments(options), *more], plugins=[failure])
    seconds = time.perf_counter() - started
    is_complete = code in {_TESTS_FAILED, _TESTS_PASSED}
    crash = failure.crash if is_complete else f"pytest ended with {code}: {output.getvalue()[-2000:]}"
    if suite.run.findings:
        first = suite.run.findings[0]
        return code == _TESTS_FAILED, first.check, f"{first.operation}: {first.message}", "", seconds
    return code == _TESTS_FAILED, failure.test, failure.message, crash, seconds


def _operation_arguments(options: SuiteOptions) -> list[str]:
    """Return the arguments by which pytest selects the tests of these operations."""
    return [f"--operation={name}" for name in options.operations]
