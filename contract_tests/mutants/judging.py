"""The suite, run on an instance that may lie: does it notice, and by which check?"""

from __future__ import annotations

import io
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.mutants.lies.ignored_tokens import ABOUT_TOKENS
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.plugin import use_suite
from wallaroo_ext.conformance.suite import Suite

if TYPE_CHECKING:
    from contract_tests.mutants.layer import Mutant
    from contract_tests.mutants.serving import LyingInstance

TESTS = "contract_tests/instance"
NOT_WAITING = ("-k", "not expired")
"""Leaves out the tests that wait until a token has expired."""

_ARGUMENTS = (TESTS, "-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
_NOTICED, _QUIET = 1, 0
_OWN_FAILURES = {"AssertionError", "Failed"}
"""What a fixture fails with when it finds something; anything else is the suite's own failure."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the suite said of an instance.

    Attributes:
        lies: How often it lied.
        noticed: Whether a test failed.
        check: The first check that found something; the test's name where none did, and it was the test itself.
        message: What it said.
        crash: The exception that ended a fixture which should have said what is wrong; empty where there was none.
        seconds: How long it took.
    """

    lies: int
    noticed: bool
    check: str
    message: str
    crash: str
    seconds: float

    @property
    def is_kill(self) -> bool:
        """Whether the suite noticed a lie, and said so properly."""
        return self.noticed and bool(self.lies) and not self.crash


@dataclass(slots=True)
class _Witness:
    """A plugin of pytest that has it run a suite, and sees how the first test fails.

    Attributes:
        suite: The suite.
        failed: The first test that failed.
        said: What it failed with.
        crash: That, where it was the suite's own failure.
    """

    suite: Suite
    failed: str = ""
    said: str = ""
    crash: str = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        use_suite(config, self.suite)

    def pytest_exception_interact(self, node: Any, call: pytest.CallInfo[Any], report: Any) -> None:
        if self.failed or call.excinfo is None:
            return
        self.failed = node.nodeid.removeprefix(f"{TESTS}/")
        self.said = str(call.excinfo.value)
        is_own = call.excinfo.typename in _OWN_FAILURES or report.when == "call"
        self.crash = "" if is_own else f"{call.excinfo.typename}: {self.said}"


def judge(instance: LyingInstance, mutant: Mutant | None, *, cases: int, seed: int) -> Verdict:
    """Run the suite on a mutant, until the first test fails.

    Args:
        instance: What is to lie.
        mutant: The lie; None for the whole suite on the honest instance.
        cases: How many random requests are sent of each operation and kind.
        seed: What they are made from.
    """
    instance.become(mutant)
    operations = () if mutant is None else (mutant.operation,)
    waits = mutant is None or mutant.kind in ABOUT_TOKENS
    options = SuiteOptions(running=instance.environment, cases=cases, seed=seed, operations=operations)
    verdict = run(options, () if waits else NOT_WAITING)
    return Verdict(instance.lies, *verdict)


def run(options: SuiteOptions, more: tuple[str, ...]) -> tuple[bool, str, str, str, float]:
    """Return whether the suite noticed something, by what, what that said, what crashed, and how long it took.

    Args:
        options: What the suite is told.
        more: Further arguments of pytest.
    """
    suite = Suite(options)
    witness = _Witness(suite)
    started = time.perf_counter()
    with redirect_stdout(io.StringIO()) as said, redirect_stderr(said):
        code = pytest.main([*_ARGUMENTS, *_told(options), *more], plugins=[witness])
    seconds = time.perf_counter() - started
    crash = witness.crash if code in {_NOTICED, _QUIET} else f"pytest ended with {code}: {said.getvalue()[-2000:]}"
    if suite.run.findings:
        first = suite.run.findings[0]
        return code == _NOTICED, first.check, f"{first.operation}: {first.message}", "", seconds
    return code == _NOTICED, witness.failed, witness.said, crash, seconds


def _told(options: SuiteOptions) -> list[str]:
    """Return what pytest has to be told, too: it chooses the tests by it."""
    return [f"--operation={name}" for name in options.operations]
