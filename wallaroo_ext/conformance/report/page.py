"""Renders the page for people: one file that needs no other file, no network and no script.

Its content security policy allows its own style sheet and script, by their digests, and nothing else. The templates
escape all text from an instance, and invisible characters are written out.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from wallaroo_ext._util.quantities import format_count
from wallaroo_ext.conformance import rules
from wallaroo_ext.conformance.coverage import exercises, not_exercised
from wallaroo_ext.conformance.report import summary
from wallaroo_ext.conformance.report.body_view import view_body
from wallaroo_ext.conformance.report.curl import curl_command
from wallaroo_ext.conformance.report.failures import EXAMPLES, causes, failures, meaning
from wallaroo_ext.conformance.report.texts import as_json, headline, printable_lines, reason, shortened
from wallaroo_ext.conformance.results import BAD_OUTCOMES, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wallaroo_ext.conformance.report.failures import Failure
    from wallaroo_ext.conformance.results import Run, TestOutcome


_TEMPLATES = Path(__file__).parent / "templates"
_MANY_FAILURES = 8
_MANY_CAUSES = 15
_VALUE_LENGTH = 120
_MESSAGE_LENGTH = 10_000
_OUTCOMES = ("error", "failed", "skipped", "passed")
_FIRST_CHECKS = (rules.STATUS, rules.CONTENT_TYPE, rules.SCHEMA, rules.ALWAYS)


def page(run: Run) -> str:
    """Return the report of a run, as HTML."""
    found = failures(run)
    return _environment().get_template("report.html.jinja").render(_context(run, found))


def _context(run: Run, found: list[Failure]) -> dict[str, Any]:
    """Return the variables of the templates."""
    anchors = {id(failure): f"failure-{number}" for number, failure in enumerate(found, 1)}
    return {
        "run": run,
        "verdict": verdict(run),
        "sentence": summary.sentence(run),
        "figures": summary.figures(run),
        "facts": summary.facts(run),
        "left_in_short": summary.left_in_short(run),
        "causes": causes(found),
        "many": _MANY_CAUSES,
        "groups": _by_operation(found),
        "anchors": anchors,
        "cells": _first_anchors(found, anchors),
        "rows": {row.id: row for row in run.operations},
        "shown_tests": EXAMPLES,
        "examples_open": len(found) <= _MANY_FAILURES,
        "matrix": matrix(run),
        "exercises": exercises(run),
        "gaps": not_exercised(run) if run.exchanges else {},
        "least": run.least_successes,
        "tests": _in_order(summary.outcomes_of(run)),
        "bad_outcomes": BAD_OUTCOMES,
    }


def _by_operation(found: Iterable[Failure]) -> dict[str, list[Failure]]:
    groups: dict[str, list[Failure]] = {}
    for failure in found:
        groups.setdefault(failure.operation, []).append(failure)
    return groups


def _first_anchors(found: Iterable[Failure], anchors: dict[int, str]) -> dict[tuple[str, str], str]:
    """Return the anchor of the first failure of each operation and check."""
    firsts: dict[tuple[str, str], str] = {}
    for failure in found:
        firsts.setdefault((failure.operation, failure.check), anchors[id(failure)])
    return firsts


def _in_order(tests: Iterable[TestOutcome]) -> list[TestOutcome]:
    """Return the tests, those that failed first."""
    order = {outcome: number for number, outcome in enumerate(_OUTCOMES)}
    return sorted(tests, key=lambda test: order.get(test.outcome, -1))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    _fill(environment)
    return environment


def _fill(environment: Any) -> None:  # jinja2 leaves the types of both tables open
    """Add the globals and filters of the templates: functions, the style sheet, the script, and their policy."""
    style, script = (_TEMPLATES.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    environment.globals |= {
        "style": Markup(style),  # noqa: S704 - it is ours
        "script": Markup(script),  # noqa: S704 - it is ours
        "policy": _policy(style, script),
        "curl_command": curl_command,
        "view_body": view_body,
        "meaning": meaning,
    }
    environment.filters |= {
        "counted": format_count,
        "moment": summary.moment,
        "duration": summary.duration,
        "identity": id,
        "reason": reason,
        "value": _value,
        "headline": headline,
        "beginning": _beginning,
    }


def _finalize(value: Any) -> Any:
    """Return a value as the page has it: a text with its invisible characters written out."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else printable_lines(value)


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _value(value: Any) -> str:
    """Return a value of a change, shortened; a dash where there is none."""
    return "-" if value is None else shortened(as_json(value), _VALUE_LENGTH)


def _beginning(message: str) -> str:
    """Return the beginning of a message, which may be a whole traceback."""
    return shortened(message, _MESSAGE_LENGTH)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the matrix: one check of one operation.

    Attributes:
        passed: How often it passed.
        failed: How often it failed.
    """

    passed: int
    failed: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """The matrix of operations and checks.

    Attributes:
        checks: The names of the checks: those of every answer first.
        rows: One cell for each check, by operation, in the contract's order.
    """

    checks: list[str]
    rows: dict[str, list[Cell]]


def matrix(run: Run) -> Matrix:
    """Return the matrix of the checks that a run made."""
    made = dict.fromkeys([*run.passed, *run.failed])
    named = {check for _, check in made}
    checks = [check for check in _FIRST_CHECKS if check in named] + sorted(named.difference(_FIRST_CHECKS))
    checked = dict.fromkeys(operation for operation, _ in made)
    known = [row.id for row in run.operations if row.id in checked]
    operations = known + [operation for operation in checked if operation not in known]
    return Matrix(checks, {operation: [_cell(run, operation, check) for check in checks] for operation in operations})


def _cell(run: Run, operation: str, check: str) -> Cell:
    return Cell(run.passed[operation, check], run.failed[operation, check])
