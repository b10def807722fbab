"""The suite, run on an instance that may lie: does it notice, and by which check?"""

from __future__ import annotations

import io
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from mutants.ignored_tokens import ABOUT_TOKENS
from wallaroo_ext.conformance.plugin import RUNNING, suite_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mutants.layer import Mutant
    from mutants.serving import LyingInstance

SUITE = "contract_tests/instance"
_NOTICED, _QUIET = 1, 0
_IN_A_RUNNING_PROGRAM = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
_OWN_FAILURES = {"AssertionError", "Failed"}
"""What a fixture fails with when it finds something; anything else is the suite's own failure."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the suite said of an instance.

    Attributes:
        mutant: The mutant's name; empty for the honest instance.
        lies: How often it lied.
        noticed: Whether a test failed.
        check: The first check that found something; the test's name where none did, and it was the test itself.
        message: What it said.
        crash: The exception that ended a fixture which should have said what is wrong; empty where there was none.
        seconds: How long it took.
    """

    mutant: str
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


class _Witness:
    """A plugin of pytest that gives the suite its instance, and sees how the first test fails."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self.failed: str = ""
        self.said: str = ""
        self.crash: str = ""
        self.findings: list[Any] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[RUNNING] = self._environment

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Run what has to wait for a token to expire last."""
        items.sort(key=lambda item: (item.get_closest_marker("last") is not None, "expired" in item.name))

    def pytest_exception_interact(self, node: Any, call: pytest.CallInfo[Any], report: Any) -> None:
        if self.failed:
            return
        self.failed = node.nodeid.partition(SUITE + "/")[2] or node.nodeid
        name = "" if call.excinfo is None else call.excinfo.typename
        self.said = str(report.longrepr).strip().splitlines()[-1] if call.excinfo is None else str(call.excinfo.value)
        is_own = name in _OWN_FAILURES or report.when == "call"
        self.crash = "" if is_own else f"{name}: {self.said}"

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.findings = suite_of(session.config).run.findings


def judge(
    instance: LyingInstance, mutant: Mutant | None, *, cases: int, seed: int, more: Sequence[str] = ()
) -> Verdict:
    """Run the suite on a mutant, until the first test fails.

    Args:
        instance: What is to lie.
        mutant: The lie; None for the whole suite on the honest instance.
        cases: How many random requests are sent of each operation and kind.
        seed: What they are made from.
        more: Further arguments of pytest.
    """
    instance.become(mutant)
    witness = _Witness(instance.environment)
    arguments = [
        SUITE,
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        *_IN_A_RUNNING_PROGRAM,
        "--cases",
        str(cases),
        "--seed",
        str(seed),
        *more,
    ]
    if mutant is not None:
        arguments += ["--operation", mutant.operation]
        if mutant.kind not in ABOUT_TOKENS:
            arguments += ["-k", "not expired"]  # such a test waits until a token has, and sees no other lie
    started = time.perf_counter()
    with redirect_stdout(io.StringIO()) as said, redirect_stderr(said):
        code = pytest.main(arguments, plugins=[witness])
    seconds = time.perf_counter() - started
    crash = witness.crash if code in {_NOTICED, _QUIET} else f"pytest ended with {code}: {said.getvalue()[-2000:]}"
    first = witness.findings[0] if witness.findings else None
    return Verdict(
        mutant="" if mutant is None else mutant.name,
        lies=instance.lies,
        noticed=code == _NOTICED,
        check=witness.failed if first is None else first.check,
        message=witness.said if first is None else f"{first.operation}: {first.message}",
        crash="" if first is not None else crash,
        seconds=seconds,
    )
