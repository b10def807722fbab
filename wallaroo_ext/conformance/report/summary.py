"""Sums up a run in a sentence and a few figures, for the top of the page and for the terminal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from wallaroo_ext._util.quantities import format_count
from wallaroo_ext.conformance.coverage import LEAST_SUCCESSES, exercises, too_few
from wallaroo_ext.conformance.report.failures import failures
from wallaroo_ext.conformance.results import Verdict, verdict

if TYPE_CHECKING:
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


def sentence(run: Run) -> str:
    """Return a sentence that says what a run found."""
    found = verdict(run)
    if found is Verdict.COULD_NOT_RUN:
        return run.could_not_run
    checks = run.passed.total() + run.failed.total()
    effort = f"{format_count(checks, 'check')} of the answers to {format_count(len(run.exchanges), 'request')}"
    if found is Verdict.CONFORMS:
        return f"Nothing is wrong by {effort} and {format_count(len(run.tests), 'test')}."
    kinds = failures(run)
    times = sum(kind.count for kind in kinds)
    operations = len({kind.operation for kind in kinds if kind.operation})
    where = f" in {format_count(operations, 'operation')}" if operations else ""
    how_often = f", found {times:,} times" if times > len(kinds) else ""
    return f"{format_count(len(kinds), 'kind')} of failure{where}{how_often}, by {effort}."


def figures(run: Run) -> list[Figure]:
    """Return the figures of a run, the most important first."""
    kinds, few = failures(run), len(too_few(run))
    tried = [each for each in exercises(run) if each.requests and each.operation.is_in_release]
    in_release = sum(row.is_in_release for row in run.operations)
    outcomes = Counter(test.outcome for test in run.tests)
    broken = outcomes["failed"] + outcomes["error"]
    checks = run.passed.total() + run.failed.total()
    found = [
        Figure(f"{len(kinds):,}", "kinds of failure", _state(len(kinds), checks + len(run.tests)), "failures"),
        Figure(f"{run.failed.total():,} of {checks:,}", "checks failed", _state(run.failed.total(), checks), "matrix"),
        Figure(f"{broken:,} of {len(run.tests):,}", "tests failed", _state(broken, len(run.tests)), "tests"),
        Figure(f"{len(tried)} of {in_release}", "operations exercised", "plain", "exercised"),
        Figure(f"{len(run.exchanges):,}", "requests", "plain", "exercised"),
    ]
    if few and run.exchanges:
        found.append(Figure(f"{few}", f"with fewer than {LEAST_SUCCESSES} successes", "open", "exercised"))
    undescribed = sum(not row.is_described for row in run.operations)
    if undescribed:
        found.append(Figure(f"{undescribed}", "not looked at", "open", "not-exercised"))
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
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} min {rest} s"
