"""Runs the suite within this process, until the first test fails."""

from __future__ import annotations

import io
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from wallaroo_ext.conformance.plugin import use_suite
from wallaroo_ext.conformance.suite import Suite
from wallaroo_ext.errors import WallarooError

if TYPE_CHECKING:
    from wallaroo_ext.conformance.options import SuiteOptions

TESTS = "contract_tests/instance"
NOT_WAITING = ("-k", "not expired")
"""Leaves out the tests that wait until a token has expired."""

_ARGUMENTS = (TESTS, "-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
_TESTS_FAILED, _TESTS_PASSED = 1, 0
_FINDINGS = (AssertionError, pytest.fail.Exception, WallarooError, httpx.DecodingError)
"""The errors of a fixture that finds something, or cannot read an answer; any other error is a fault of the suite."""


@dataclass(slots=True, eq=False)  # pytest keeps plugins in sets
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
        is_finding = isinstance(call.excinfo.value, _FINDINGS) or report.when == "call"
        self.crash = "" if is_finding else f"{call.excinfo.typename}: {self.message}"


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
