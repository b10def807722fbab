"""Writes a report as JSON for programs. The bodies of requests and answers are in the HAR file."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from wallaroo_ext.conformance.coverage import Exercise, exercises, not_exercised
from wallaroo_ext.conformance.report.curl import curl_command
from wallaroo_ext.conformance.report.failures import failures
from wallaroo_ext.conformance.report.summary import counts_of, outcomes_of
from wallaroo_ext.conformance.report.texts import as_json
from wallaroo_ext.conformance.results import verdict

if TYPE_CHECKING:
    from wallaroo_ext.conformance.exchanges import Exchange
    from wallaroo_ext.conformance.report.failures import Failure
    from wallaroo_ext.conformance.results import Finding, Run

FORMAT = 2
"""The version of the format of `report.json`; it changes when the meaning of a field does."""


def report_json(run: Run) -> str:
    """Return the report of a run as JSON."""
    return as_json(_report(run), indent=1) + "\n"


def _report(run: Run) -> dict[str, Any]:
    found = verdict(run)
    return {
        "format": FORMAT,
        "verdict": found.text,
        "exit_code": found.value,
        "could_not_run": run.could_not_run,
        "subject": asdict(run.subject),
        "started": run.started,
        "seconds": run.seconds,
        "counts": asdict(counts_of(run)),
        "requests": len(run.exchanges),
        "tests": dict(Counter(test.outcome for test in outcomes_of(run))),
        "least_successes": run.least_successes,
        "operations": [_operation(run, each) for each in exercises(run)],
        "checks": _checks(run),
        "failures": [_failure(each) for each in failures(run)],
        "findings": [_finding(each) for each in run.findings],
        "notices": [asdict(notice) for notice in run.notices],
        "narrowed": [asdict(exclusion) for exclusion in run.exclusions],
        "not_exercised": not_exercised(run)
        | {row.id: row.not_exercised for row in run.operations if row.not_exercised},
        "left_out": dict(run.left_out),
        "withheld": dict(run.withheld),
        "withheld_because": run.withheld_because,
        "drift": asdict(run.drift) if run.drift else None,
        "left_behind": [asdict(thing) for thing in run.left_behind],
        "test_outcomes": [asdict(test) for test in outcomes_of(run)],
    }


def _operation(run: Run, exercise: Exercise) -> dict[str, Any]:
    return asdict(exercise.operation) | {
        "statuses": exercise.statuses,
        "successes": exercise.successes,
        "enough": exercise.is_enough,
        "withheld": run.withheld[exercise.operation.id],
    }


def _checks(run: Run) -> list[dict[str, Any]]:
    cells = dict.fromkeys([*run.passed, *run.failed])
    return [
        {"operation": cell[0], "check": cell[1], "passed": run.passed[cell], "failed": run.failed[cell]}
        for cell in cells
    ]


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "operation": failure.operation,
        "check": failure.check,
        "message": failure.message,
        "count": failure.count,
        "rule": asdict(failure.rule) if failure.rule else None,
        "tests": failure.tests,
        "curl": next((curl_command(each.exchange).command for each in failure.examples if each.exchange), None),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "operation": finding.operation,
        "check": finding.check,
        "message": finding.message,
        "rule": finding.rule.pointer if finding.rule else None,
        "exchange": _exchange(finding.exchange) if finding.exchange else None,
        "test": finding.test,
    }


def _exchange(exchange: Exchange) -> dict[str, Any]:
    """Return an exchange without headers and bodies."""
    return {
        "method": exchange.method,
        "url": exchange.url,
        "status": exchange.status,
        "request_bytes": exchange.request.size,
        "answer_bytes": exchange.answer.size,
        "started": exchange.started,
        "seconds": exchange.seconds,
        "error": exchange.error,
    }
