"""Sums up a run in a sentence and a few figures, for the top of the page and for the terminal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from wallaroo_ext._util.quantities import format_count
from wallaroo_ext.conformance.coverage import exercises, not_exercised, too_few
from wallaroo_ext.conformance.report.failures import failures, without_failed_test
from wallaroo_ext.conformance.results import BAD_OUTCOMES, INTERRUPTED, TestOutcome, Verdict, verdict

if TYPE_CHECKING:
    from wallaroo_ext.conformance.report.failures import Failure
    from wallaroo_ext.conformance.results import Run

State = Literal["good", "bad", "open", "plain"]

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Figure:
    """A number at the top of the page.

    Attributes:
        number: The number, for a person.
        text: The words after it, which say what it counts.
        state: Whether that is good, bad, open (worth a look), or plain.
        section: The id of the section of the page that has more about it.
    """

    number: str
    text: str
    state: State
    section: str


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of a run, which every form of its report has.

    Attributes:
        kinds_of_failure: The number of kinds of failure.
        failures: How often they were found.
        checks: The number of checks.
        checks_failed: Those that failed.
        tests: The number of tests.
        tests_failed: Those that failed, and those that ended in an error.
        tests_skipped: Those that were skipped.
        requests: The number of requests.
        operations_not_exercised: The operations that the run was to look at, and could not.
        notices: The number of notices.
        withheld: The number of requests that were withheld.
        left_behind: The number of things left behind.
    """

    kinds_of_failure: int
    failures: int
    checks: int
    checks_failed: int
    tests: int
    tests_failed: int
    tests_skipped: int
    requests: int
    operations_not_exercised: int
    notices: int
    withheld: int
    left_behind: int


def outcomes_of(run: Run) -> list[TestOutcome]:
    """Return the outcomes of a run, as every form of its report has them.

    A failure that belongs to no failed test, an operation that could not be exercised, and an early end are outcomes,
    too, so that a list of tests says what the verdict does. To interrupt a run is no failure.
    """
    found = [*run.tests, *map(_of_failure, without_failed_test(run))]
    if run.could_not_run:
        outcome = "skipped" if run.could_not_run == INTERRUPTED else "error"
        return [*found, TestOutcome("run::could not run", outcome, 0.0, run.could_not_run)]
    gaps = not_exercised(run) if run.exchanges else {}
    return [*found, *(TestOutcome(f"operations::{name}", "skipped", 0.0, why) for name, why in gaps.items())]


def _of_failure(failure: Failure) -> TestOutcome:
    name = f"findings::{failure.operation or 'no operation'}::{failure.check}"
    times = f"\n\nFound {failure.count} times." if failure.count > 1 else ""
    pointer = f"\n\n{failure.rule.pointer}" if failure.rule else ""
    return TestOutcome(name, "failed", 0.0, f"{failure.message}{times}{pointer}")


def counts_of(run: Run) -> Counts:
    """Return the counts of a run."""
    kinds = failures(run)
    tests = outcomes_of(run)
    outcomes = Counter(test.outcome for test in tests)
    return Counts(
        kinds_of_failure=len(kinds),
        failures=sum(kind.count for kind in kinds),
        checks=run.passed.total() + run.failed.total(),
        checks_failed=run.failed.total(),
        tests=len(tests),
        tests_failed=sum(outcomes[each] for each in BAD_OUTCOMES),
        tests_skipped=outcomes["skipped"],
        requests=len(run.exchanges),
        operations_not_exercised=len(not_exercised(run)),
        notices=len(run.notices),
        withheld=run.withheld.total(),
        left_behind=len(run.left_behind),
    )


def sentence(run: Run) -> str:
    """Return a sentence that says what a run found."""
    found = verdict(run)
    counts = counts_of(run)
    checks = format_count(counts.checks, "check")
    effort = f"{checks} of the answers to {format_count(counts.requests, 'request')}"
    if found is Verdict.CONFORMS:
        return f"Nothing is wrong by {effort} and {format_count(counts.tests, 'test')}."
    if found is Verdict.COULD_NOT_RUN and not counts.requests:
        return run.could_not_run
    what = f"{_kinds(run)}, by {effort} and {format_count(counts.tests, 'test')}."
    return what if found is Verdict.DOES_NOT_CONFORM else f"{run.could_not_run} Until then: {what}"


def _kinds(run: Run) -> str:
    """Return how many kinds of failure there are, in how many operations, and how often they were found."""
    kinds = failures(run)
    times = sum(kind.count for kind in kinds)
    operations = len({kind.operation for kind in kinds if kind.operation})
    where = f" in {format_count(operations, 'operation')}" if operations else ""
    how_often = f", found {times:,} times" if times > len(kinds) else ""
    return f"{format_count(len(kinds), 'kind')} of failure{where}{how_often}"


def too_few_text(run: Run) -> str:
    """Return what operations are that succeeded too seldom, as the end of a sentence about them."""
    return "without a success" if run.least_successes == 1 else f"with fewer than {run.least_successes} successes"


def figures(run: Run) -> list[Figure]:
    """Return the figures of a run, the most important first."""
    counts, few = counts_of(run), len(too_few(run))
    tried = [each for each in exercises(run) if each.requests and each.operation.is_in_release]
    in_release = sum(row.is_in_release for row in run.operations)
    checks, kinds, broken = counts.checks, counts.kinds_of_failure, counts.tests_failed
    found = [
        Figure(f"{kinds:,}", "kinds of failure", _state(kinds, checks + counts.tests), "failures"),
        Figure(
            f"{counts.checks_failed:,} of {checks:,}", "checks failed", _state(counts.checks_failed, checks), "matrix"
        ),
        Figure(f"{broken:,} of {counts.tests:,}", "tests failed", _state(broken, counts.tests), "tests"),
        Figure(f"{len(tried)} of {in_release}", "operations exercised", "plain", "exercised"),
        Figure(f"{len(run.exchanges):,}", "requests", "plain", "exercised"),
    ]
    if few and run.exchanges:
        found.append(Figure(f"{few}", too_few_text(run), "open", "exercised"))
    if counts.operations_not_exercised:
        found.append(Figure(f"{counts.operations_not_exercised}", "not exercised", "open", "not-exercised"))
    if run.notices:
        found.append(Figure(f"{len(run.notices):,}", "notices", "open", "notices"))
    if run.drift:
        breaking = sum(change.breaks for change in run.drift.changes)
        found.append(
            Figure(
                f"{breaking} of {len(run.drift.changes)}",
                "changes break clients",
                "open" if breaking else "good",
                "drift",
            )
        )
    if run.left_behind:
        found.append(Figure(f"{len(run.left_behind):,}", "things left behind", "open", "left-behind"))
    return found


def counts_text(run: Run) -> str:
    """Return the figures of a run on one line, in the words of the page."""
    return ", ".join(f"{figure.number} {figure.text}" for figure in figures(run))


def left_in_short(run: Run) -> str:
    """Return how many things of each kind a run left behind, as a text."""
    counts = Counter(thing.kind for thing in run.left_behind)
    return ", ".join(format_count(count, kind) for kind, count in counts.items())


def _state(bad: int, total: int) -> State:
    """Return the state of a count: bad where some are bad, good where none of them is, plain where there are none."""
    if bad:
        return "bad"
    return "good" if total else "plain"


def facts(run: Run) -> dict[str, str]:
    """Return facts about a run, by name; a fact without a value is left out."""
    subject = run.subject
    found = {
        "Instance": subject.instance,
        "URL": subject.url,
        "Contract": subject.contract,
        "SHA-256": subject.contract_sha,
        "Release": f"{subject.release or 'no overlay of a release'}: {subject.release_known_by}"
        if subject.release_known_by
        else subject.release,
        "Names begin with": subject.prefix,
        "Seed": str(subject.seed),
        "Options": " ".join(subject.options) or "none",
        "Began": moment(run.started),
        "Took": duration(run.seconds),
    }
    return {name: value for name, value in found.items() if value}


def moment(seconds: float) -> str:
    """Return a time, given in seconds since 1970, as a text in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def duration(seconds: float) -> str:
    """Return a duration as a text."""
    if round(seconds, 3) < 1:
        return f"{1000 * seconds:.0f} ms"
    if round(seconds, 1) < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} min {rest} s"
