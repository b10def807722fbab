"""The results of a run of the suite, from which the report is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import Enum
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wallaroo_ext.conformance.drift.changes import Drift
    from wallaroo_ext.conformance.exchanges import Exchange
    from wallaroo_ext.conformance.rules import Rule


LEAST_SUCCESSES = 5
"""The number of successes that an operation needs in a run, so that not only refusals are checked."""
_MOST_REASONS = 3
INTERRUPTED = "It was interrupted."
"""Why a run ended early that somebody ended: that is no failure."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a run: the instance, and the contract that it is checked against.

    Attributes:
        instance: `sandbox`, `recorded` or `live`.
        url: The API's URL; empty for recordings.
        contract: The title and version of the contract.
        contract_sha: The SHA-256 of the contract's file, in hexadecimal.
        prefix: The beginning of all names that the run gave.
        seed: The seed of random data.
        options: The options that differ from the defaults, as a person writes them, such as `--read-only`.
        release: The release whose overlay is applied to the contract; empty where none is.
        release_known_by: How it is known which release the instance is, or why it is not.
    """

    instance: str
    url: str
    contract: str
    contract_sha: str
    prefix: str
    seed: int
    options: tuple[str, ...] = ()
    release: str = ""
    release_known_by: str = ""

    @property
    def held_to(self) -> str:
        """What the instance is held to: the contract, and the release where there is one."""
        return f"{self.contract}, release {self.release}" if self.release else self.contract


@dataclass(frozen=True, slots=True)
class OperationRow:
    """An operation as the report lists it.

    Attributes:
        id: The contract's `operationId`.
        tag: Its group.
        summary: What it does, in a few words.
        path: Its path.
        not_exercised: Why the run could not or may not try it; empty where it did.
        is_described: Whether the contract says what it changes and names. If not, no request of it is sent.
        is_in_release: Whether the release has it. If not, it is not tested.
        is_asked_for: Whether the run was to look at it. If not, it is no gap.
    """

    id: str
    tag: str
    summary: str
    path: str
    not_exercised: str = ""
    is_described: bool = True
    is_in_release: bool = True
    is_asked_for: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which the instance does not keep the contract.

    Attributes:
        operation: The contract's `operationId`; empty where it belongs to no operation.
        check: The name of the check that found it.
        message: What is wrong, for a person.
        rule: The rule of the contract that is broken, and where it comes from.
        exchange: The request and its answer; None where there is none.
        test: The test that found it, as pytest names it.
    """

    operation: str
    check: str
    message: str
    rule: Rule | None = None
    exchange: Exchange | None = None
    test: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that breaks no rule and is worth knowing, such as a value that the contract does not list yet.

    Attributes:
        operation: The contract's `operationId`.
        where: The JSON path in the answer, such as `$.engines[0].status`.
        text: A sentence about it, for a person.
    """

    operation: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A check that is not made everywhere, and why.

    Attributes:
        check: The name of the check.
        operations: The operations of which it is not made, or not in full; `*` stands for all.
        reason: Why, in a sentence.
    """

    check: str
    operations: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A thing that the run made and that is still there when it is over.

    Attributes:
        kind: Its kind, such as `workspace` or `model version`.
        id: Its id; None where no answer had it.
        name: Its name; None where it has none.
        workspace: The id of its workspace; None where it is in none.
        state: Its state, for a person: `inactive`, or why it could not be ended.
        is_active: Whether it is still running, because it could not be ended.
    """

    kind: str
    id: int | str | None
    name: str | None
    workspace: int | str | None
    state: str = ""
    is_active: bool = False


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """The outcome of one test.

    Attributes:
        test: The test, as pytest names it.
        outcome: `passed`, `failed`, `skipped` or `error`.
        seconds: How long it took.
        message: Why it failed or was skipped, that first; empty where it passed.
        request: The number of the request that it failed with, counted from 0 in `Run.exchanges`; None where there is
            none, or it did not fail.
    """

    __test__ = False  # it is no test, although its name begins like one

    test: str
    outcome: str
    seconds: float
    message: str = ""
    request: int | None = None


@dataclass(slots=True)
class Run:
    """The results of a run. They grow while the tests run; the report is written from them at the end.

    Attributes:
        subject: The instance and the contract.
        operations: Every operation of the contract, in its order.
        started: When it began, in seconds since 1970.
        seconds: How long it took.
        exchanges: Every request that was sent, in order.
        passed: How often each check passed, by operation and check.
        failed: How often each check failed, by operation and check.
        findings: The findings, in the order in which they came.
        notices: The notices, each once.
        exclusions: The checks that are not made everywhere.
        withheld: How many requests were not sent, because they could touch what the run did not make, by operation.
        withheld_because: The first few reasons, by operation.
        left_behind: All that the run made and that is still there.
        tests: The outcomes of the tests.
        drift: The differences between the contract and the instance's own description, or recordings; None where
            nothing was compared.
        could_not_run: Why the run ended early; empty where it did not.
        gaps: How often a gateway answered in place of the instance, or nothing came, by operation and what it was.
        least_successes: How often each operation has to succeed.
        left_out: How many tests were left out, by what they are about.
        unanswered: What came in place of an answer, for operations of which something could not be found out.
    """

    subject: Subject
    operations: list[OperationRow]
    started: float
    seconds: float = 0.0
    exchanges: list[Exchange] = field(default_factory=list["Exchange"])
    passed: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    failed: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    findings: list[Finding] = field(default_factory=list[Finding])
    notices: list[Notice] = field(default_factory=list[Notice])
    exclusions: list[Exclusion] = field(default_factory=list[Exclusion])
    withheld: Counter[str] = field(default_factory=Counter[str])
    withheld_because: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    left_behind: list[LeftBehind] = field(default_factory=list["LeftBehind"])
    tests: list[TestOutcome] = field(default_factory=list[TestOutcome])
    drift: Drift | None = None
    could_not_run: str = ""
    gaps: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    least_successes: int = LEAST_SUCCESSES
    left_out: Counter[str] = field(default_factory=Counter[str])
    unanswered: dict[str, str] = field(default_factory=dict[str, str])

    def add_check(self, operation: str, check: str, findings: list[Finding]) -> None:
        """Count a check of an operation, and add its findings."""
        if not findings:
            self.passed[operation, check] += 1
            return
        self.failed[operation, check] += 1
        self.findings += findings

    def add_outcome(self, outcome: TestOutcome) -> None:
        """Add the outcome of a phase of a test: of several, the worst one is the test's, with what all of them say."""
        before = self.tests[-1] if self.tests and self.tests[-1].test == outcome.test else None
        if before is None:
            self.tests.append(outcome)
            return
        worst, other = (
            (outcome, before) if _SEVERITY[outcome.outcome] > _SEVERITY[before.outcome] else (before, outcome)
        )
        message = "\n\n".join(text for text in (worst.message, other.message) if text)
        self.tests[-1] = replace(worst, seconds=before.seconds + outcome.seconds, message=message)

    def add_withheld(self, operation: str, reason: str) -> None:
        """Count a request that was not sent, and add its reason if it is one of the first few."""
        self.withheld[operation] += 1
        self._add_reasons(operation, [reason])

    def _add_reasons(self, operation: str, reasons: list[str]) -> None:
        known = self.withheld_because.setdefault(operation, [])
        known += [reason for reason in reasons if reason not in known][: max(0, _MOST_REASONS - len(known))]

    def take(self) -> Run:
        """Return the results that came since the last call, without what is known of the run, and keep none of them."""
        taken = replace(self, operations=[], exclusions=[], left_behind=[])
        new = Run(self.subject, self.operations, self.started)
        for name in _GROWING:
            setattr(self, name, getattr(new, name))
        return taken

    def add(self, taken: Run) -> None:
        """Add results that `take` returned in another process."""
        sent = len(self.exchanges)
        self.tests += [
            each if each.request is None else replace(each, request=sent + each.request) for each in taken.tests
        ]
        self.exchanges += taken.exchanges
        self.findings += taken.findings
        for notice in taken.notices:
            self.add_notice(notice)
        for operation, reasons in taken.withheld_because.items():
            self._add_reasons(operation, reasons)
        for name in _COUNTED:
            getattr(self, name).update(getattr(taken, name))
        self.unanswered = taken.unanswered | self.unanswered

    def note_gaps(self) -> None:
        """Add a notice for each operation to whose requests a gateway answered in place of the instance, or nobody."""
        for operation in dict.fromkeys(operation for operation, _ in self.gaps):
            what = {what: count for (name, what), count in self.gaps.items() if name == operation}
            listed = ", ".join(f"{count} times {name}" for name, count in what.items())
            text = (
                f"{sum(what.values())} times, a gateway answered in place of the instance, or nothing came: {listed}."
            )
            self.add_notice(Notice(operation, "", text))

    def note_slowness(self) -> None:
        """Add a notice where half of the answers took long: it is no finding, and all waits have grown with it."""
        seconds = [exchange.seconds for exchange in self.exchanges if exchange.status]
        if seconds and (half := median(seconds)) >= _SLOW_SECONDS:
            self.add_notice(Notice("", "", f"The instance is slow: half of its answers took {half:.1f} s or longer."))

    def add_notice(self, notice: Notice) -> None:
        """Add a notice, unless it is there already."""
        if notice not in self.notices:
            self.notices.append(notice)


_SLOW_SECONDS = 1.0
_COUNTED = ("passed", "failed", "withheld", "gaps")
_GROWING = (*_COUNTED, "exchanges", "findings", "notices", "withheld_because", "tests", "unanswered")
"""The results that grow while tests run."""
_SEVERITY = {"passed": 0, "skipped": 1, "error": 2, "failed": 3}

BAD_OUTCOMES = frozenset({"failed", "error"})
"""The outcomes of a test that show something wrong."""


class Verdict(Enum):
    """The verdict of a run on its instance. The value is the exit code."""

    CONFORMS = 0
    DOES_NOT_CONFORM = 1
    COULD_NOT_RUN = 2

    @property
    def text(self) -> str:
        """The verdict for a person: `conforms`, `does not conform` or `could not run`."""
        return self.name.lower().replace("_", " ")


def verdict(run: Run) -> Verdict:
    """Return the verdict of a run: one finding, or one test that failed, is enough against an instance."""
    if run.could_not_run:
        return Verdict.COULD_NOT_RUN
    if run.findings or any(test.outcome in BAD_OUTCOMES for test in run.tests):
        return Verdict.DOES_NOT_CONFORM
    return Verdict.COULD_NOT_RUN if run.unanswered else Verdict.CONFORMS
