"""Runs the suite on an instance that may lie: does it notice, and by which check?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract_tests.mutants.lies.people.ignored_tokens import ABOUT_TOKENS
from contract_tests.mutants.proving.healthy_instances import SURROUNDINGS, healthy_instance
from contract_tests.mutants.proving.suite_runs import NOT_WAITING, run
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS

if TYPE_CHECKING:
    from contract_tests.mutants.layer import Mutant
    from contract_tests.mutants.serving import LyingInstance

RELEASE = DEFAULT_OPTIONS.release
"""The release that a lying sandbox imitates, and is held to."""


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


def judge_healthy(surroundings: str, *, cases: int, seed: int) -> Verdict:
    """Run the suite on a healthy instance, whole where its surroundings do not name some tests.

    Args:
        surroundings: The name of what it is and has been through, one of `healthy_instances.SURROUNDINGS`.
        cases: The number of random requests of each operation and kind.
        seed: The seed of random data.
    """
    tests = SURROUNDINGS[surroundings].tests
    with healthy_instance(surroundings, cases=cases, seed=seed) as options:
        return Verdict(0, *run(options, ("-k", tests) if tests else ()))


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
