"""Sums up a run on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallaroo_ext._util.quantities import format_count
from wallaroo_ext.conformance.coverage import not_exercised, too_few
from wallaroo_ext.conformance.report.failures import causes, failures
from wallaroo_ext.conformance.report.summary import counts_text, duration, left_in_short, sentence, too_few_text
from wallaroo_ext.conformance.report.texts import headline, one_line, shortened
from wallaroo_ext.conformance.results import Verdict, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallaroo_ext.conformance.report.failures import Failure
    from wallaroo_ext.conformance.report.report_files import ReportFiles
    from wallaroo_ext.conformance.results import LeftBehind, Run

_SHOWN = 10
_NAMES = 3
_COLOURS = {Verdict.CONFORMS: "32", Verdict.DOES_NOT_CONFORM: "31", Verdict.COULD_NOT_RUN: "33"}


def summary(run: Run, *, files: ReportFiles | None = None, colours: bool = False, width: int = 100) -> list[str]:
    """Return the lines that sum up a run, without control characters.

    Args:
        run: The results.
        files: The files of the report, where one was written.
        colours: Whether the verdict is coloured.
        width: The width of the terminal, to which long messages are cut.
    """
    return [
        _verdict(run, colours=colours),
        one_line(sentence(run)),
        *([f"Counts: {one_line(counts_text(run))}."] if run.exchanges or run.tests else []),
        *_failures(run, width),
        *_remarks(run),
        *([f"Report: {one_line(str(files.page))}"] if files else []),
        *_left_behind(run),
        *_left_out(run),
        *_not_exercised(run),
    ]


def _verdict(run: Run, *, colours: bool) -> str:
    found = verdict(run)
    text = found.text.upper()
    shown = f"\033[1;{_COLOURS[found]}m{text}\033[0m" if colours else text
    subject = run.subject
    instance = f"{subject.instance} {subject.url}".strip()
    return f"{shown}  {one_line(instance)}  {one_line(subject.held_to)}  {duration(run.seconds)}, seed {subject.seed}"


def _failures(run: Run, width: int) -> Iterator[str]:
    """Yield two lines for each cause, the most frequent cause first."""
    found = causes(failures(run))
    for cause in found[:_SHOWN]:
        first = cause[0]
        yield f"  ✗ {headline(first.message, max(width - 4, 20))}"
        details = f"{_where(cause)}, {one_line(first.check)}, {_times(cause)}{_source(first)}"
        yield f"      {shortened(details, max(2 * width, 40))}"
    if len(found) > _SHOWN:
        yield f"  … and {len(found) - _SHOWN:,} more, in the report"


def _where(cause: list[Failure]) -> str:
    return _some([failure.operation or "no operation" for failure in cause])


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return one_line(", ".join(names[:_NAMES])) + more


def _times(cause: list[Failure]) -> str:
    return format_count(sum(failure.count for failure in cause), "time")


def _source(failure: Failure) -> str:
    if failure.rule is None or not failure.rule.sources:
        return ""
    source = failure.rule.sources[0]
    section = f", “{source.section}” ({source.kind})" if source.section else ""
    return one_line(f"; by {source.document}{section}")


def _remarks(run: Run) -> Iterator[str]:
    """Yield the lines about what does not change the verdict."""
    few = [each.operation.id for each in too_few(run)] if run.exchanges else []
    if few:
        yield f"Operations {too_few_text(run)}: {_some(few)}."
    yield from _not_looked_at(run)
    missing = [row.id for row in run.operations if not row.is_in_release]
    if missing:
        yield f"Not in release {one_line(run.subject.release)}, and not tested: {_some(missing)}."
    if run.withheld:
        withheld = format_count(run.withheld.total(), "request")
        yield f"Withheld: {withheld} that could touch what the run did not make, or change what it still needs."
    if run.notices:
        yield f"Worth knowing: {format_count(len(run.notices), 'notice')}."
        yield from (one_line(notice.text) for notice in run.notices if not notice.operation)
    if run.drift is not None:
        breaking = sum(change.breaks for change in run.drift.changes)
        changes = format_count(len(run.drift.changes), "change")
        yield f"Drift from {one_line(run.drift.against)}: {changes}, {breaking} of which break a client."


def _left_behind(run: Run) -> Iterator[str]:
    """Yield a line for each kind of things that are left, with all ids, and one for each thing that still runs.

    A sandbox has ended with the run, so that nobody needs the ids of its things.
    """
    if not run.left_behind:
        return
    if run.subject.instance == "sandbox":
        yield f"Left behind on the sandbox, which has ended: {one_line(left_in_short(run))}."
        return
    yield f"Left behind: {one_line(left_in_short(run))}."
    by_kind: dict[str, list[str]] = {}
    for thing in run.left_behind:
        by_kind.setdefault(thing.kind, []).append(_identity(thing))
    for kind, things in by_kind.items():
        yield "  " + one_line(f"{kind}: {', '.join(things)}")
    for thing in run.left_behind:
        if thing.is_active:
            yield "  ! " + one_line(f"{thing.kind} {_identity(thing)}: {thing.state}")


def _identity(thing: LeftBehind) -> str:
    """Return the id of a thing, with its name where that is something else; its name where no answer told its id."""
    if thing.id is None:
        return thing.name or "without an id"
    return f"{thing.id}" if thing.name in {None, thing.id} else f"{thing.id} ({thing.name})"


def _left_out(run: Run) -> Iterator[str]:
    """Yield the line that says what a quick run did not try."""
    if run.left_out:
        tests = format_count(run.left_out.total(), "test")
        yield one_line(f"Left out by --quick: {tests}: {'; '.join(run.left_out)}.")


def _not_exercised(run: Run) -> Iterator[str]:
    """Yield the last line, which nobody may miss: the operations that the run was to look at, and could not."""
    gaps = not_exercised(run) if run.exchanges else {}
    if gaps:
        yield one_line(f"Not exercised: {format_count(len(gaps), 'operation')}: {', '.join(gaps)}.")


def _not_looked_at(run: Run) -> Iterator[str]:
    """Yield a line for each operation that the contract does not describe in full, with the reason."""
    found = [row for row in run.operations if not row.is_described]
    for row in found[:_SHOWN]:
        yield one_line(f"Not looked at: {row.id}. {row.not_exercised}")
    if len(found) > _SHOWN:
        yield f"Not looked at: {len(found) - _SHOWN:,} more operations, each with its reason in the report."
