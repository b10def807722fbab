"""The results of a run for GitHub Actions: annotations of the run, and its summary as a page of Markdown.

Source: GitHub's documentation, "Workflow commands for GitHub Actions" and "Adding a job summary".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wallaroo_ext._util.quantities import format_count
from wallaroo_ext.conformance.coverage import not_exercised
from wallaroo_ext.conformance.report.failures import causes, failures
from wallaroo_ext.conformance.report.summary import facts, figures, left_in_short, sentence
from wallaroo_ext.conformance.report.texts import headline, one_line, shortened
from wallaroo_ext.conformance.results import Verdict, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wallaroo_ext.conformance.report.failures import Failure
    from wallaroo_ext.conformance.results import Run

_MOST_ANNOTATIONS = 10
"""As many of one kind as GitHub shows of a step."""
_MOST_ROWS = 50
_MESSAGE_LENGTH = 500
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~<>&@:-])")
_MARKS = {Verdict.CONFORMS: "✅", Verdict.DOES_NOT_CONFORM: "❌", Verdict.COULD_NOT_RUN: "⚠️"}


def workflow_commands(run: Run) -> list[str]:
    """Return the workflow commands that annotate a run: an error for each cause, and one for a run that did not end.

    An operation that could not be looked at is a warning. No text of an instance begins a line.
    """
    found = causes(failures(run))
    if run.could_not_run:
        reason = _command("error", "conformance could not be found out", run.could_not_run)
        return [reason, *_errors(found, _MOST_ANNOTATIONS - 1)]
    lines = _errors(found, _MOST_ANNOTATIONS)
    gaps = not_exercised(run) if run.exchanges else {}
    return [*lines, *(_command("warning", f"{name} not exercised", why) for name, why in [*gaps.items()][:3])]


def _errors(found: list[list[Failure]], most: int) -> list[str]:
    """Return an error for each cause, so many at most: the last one then says how many more there are."""
    lines = [_command("error", f"{_title(cause)}", _message(cause)) for cause in found[:most]]
    if len(found) > most:
        more = format_count(len(found) - most + 1, "more kind")
        lines[-1] = _command("error", "conformance", f"{more} of failure: see the report.")
    return lines


def step_summary(run: Run, page: Path | None = None) -> str:
    """Return the summary of a run as Markdown, in which nothing of an instance is markup.

    Args:
        run: The results.
        page: The page of the report, if one was written.
    """
    found, kinds = verdict(run), causes(failures(run))
    lines = [
        f"## {_MARKS[found]} Conformance: {_plain(found.text)}",
        "",
        _plain(sentence(run)),
        "",
        *_table(("count", "of"), ((figure.number, figure.text) for figure in figures(run))),
        "",
    ]
    if kinds:
        rows = [(_where(cause), cause[0].check, f"{_count(cause):,}", headline(cause[0].message)) for cause in kinds]
        lines += [*_table(("operation", "check", "times", "what is wrong"), rows[:_MOST_ROWS]), ""]
    if len(kinds) > _MOST_ROWS:
        lines += [f"And {format_count(len(kinds) - _MOST_ROWS, 'more kind')} of failure, in the report.", ""]
    gaps = not_exercised(run) if run.exchanges else {}
    if gaps:
        lines += [*_table(("not exercised", "because"), [*gaps.items()][:_MOST_ROWS]), ""]
    if run.left_behind:
        lines += [f"Left behind: {_plain(left_in_short(run))}.", ""]
    lines += ["<details><summary>The run</summary>", "", *_table(("what", ""), facts(run).items()), "", "</details>"]
    if page is not None:
        lines += ["", f"The whole report is in {_plain(str(page))}."]
    return "\n".join(lines) + "\n"


def _title(cause: list[Failure]) -> str:
    return f"{_where(cause)}: {cause[0].check}"


def _where(cause: list[Failure]) -> str:
    names = list(dict.fromkeys(failure.operation or "no operation" for failure in cause))
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return names[0] + more


def _count(cause: list[Failure]) -> int:
    return sum(failure.count for failure in cause)


def _message(cause: list[Failure]) -> str:
    rule = cause[0].rule
    first = rule.sources[0] if rule and rule.sources else None
    source = "" if first is None else f" By {', '.join(filter(None, (first.document, first.section)))}."
    return f"{headline(cause[0].message)} ({format_count(_count(cause), 'time')}).{source}"


def _command(kind: str, title: str, message: str) -> str:
    """Return a workflow command, whose parts are one line each and escaped as GitHub reads them."""
    name = _escaped(shortened(one_line(title), _MESSAGE_LENGTH)).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={name}::{_escaped(shortened(one_line(message), _MESSAGE_LENGTH))}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _plain(text: str) -> str:
    """Return a text as Markdown that shows it: on one line, and without markup, links and mentions."""
    return _MARKDOWN.sub(r"\\\1", shortened(one_line(text), _MESSAGE_LENGTH))


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    head = [f"| {' | '.join(titles)} |", f"|{' --- |' * len(titles)}"]
    return [*head, *(f"| {' | '.join(_plain(cell) for cell in row)} |" for row in rows)]
