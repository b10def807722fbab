"""Writes the outcomes of a run as JUnit XML, in the form of pytest, for CI servers.

A failure that belongs to no failed test is a test case of its own, so that one fails whenever the verdict is bad.

schemathesis's writer (`schemathesis.reporting.junitxml`) is not used: it has no class names, properties or start time,
and only what schemathesis itself checked.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from wallaroo_ext.conformance.report.failures import Failure, without_failed_test
from wallaroo_ext.conformance.report.texts import one_line, shortened
from wallaroo_ext.conformance.results import TestOutcome
from wallaroo_ext.redaction.terminal_text import printable_lines

if TYPE_CHECKING:
    from wallaroo_ext.conformance.results import Run

_SUITE = "wallaroo conformance"
_ELEMENTS = {"failed": "failure", "error": "error", "skipped": "skipped"}
_MESSAGE_LENGTH = 300


def junit_xml(run: Run) -> bytes:
    """Return the outcomes of a run, as XML."""
    outcomes = [*run.tests, *map(_failure_outcome, without_failed_test(run)), *_early_end_outcome(run)]
    counts = Counter(outcome.outcome for outcome in outcomes)
    figures = {
        "name": _SUITE,
        "tests": str(len(outcomes)),
        "failures": str(counts["failed"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
        "time": f"{run.seconds:.3f}",
    }
    root = ET.Element("testsuites", figures)
    started = datetime.fromtimestamp(run.started, UTC).isoformat()
    suite = ET.SubElement(root, "testsuite", figures | {"timestamp": started})
    _add_properties(suite, run)
    for outcome in outcomes:
        _add(suite, outcome)
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _failure_outcome(failure: Failure) -> TestOutcome:
    name = f"findings::{failure.operation or 'no operation'}::{failure.check}"
    times = f"{failure.count} times: " if failure.count > 1 else ""
    pointer = f"\n{failure.rule.pointer}" if failure.rule else ""
    return TestOutcome(name, "failed", 0.0, f"{times}{failure.message}{pointer}")


def _early_end_outcome(run: Run) -> list[TestOutcome]:
    return [TestOutcome("run::could not run", "error", 0.0, run.could_not_run)] if run.could_not_run else []


def _add_properties(suite: ET.Element, run: Run) -> None:
    subject = run.subject
    properties = ET.SubElement(suite, "properties")
    for name in ("instance", "url", "contract", "contract_sha", "release", "prefix", "seed"):
        value = printable_lines(str(getattr(subject, name)))
        ET.SubElement(properties, "property", {"name": name, "value": value})


def _add(suite: ET.Element, outcome: TestOutcome) -> None:
    function, bracket, parameters = outcome.test.partition("[")
    path, _, name = function.rpartition("::")
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": _class_name(path),
            "name": printable_lines(name + bracket + parameters),
            "time": f"{outcome.seconds:.3f}",
        },
    )
    element = _ELEMENTS.get(outcome.outcome)
    if element is not None:
        message = shortened(one_line(outcome.message), _MESSAGE_LENGTH)
        ET.SubElement(case, element, {"message": message}).text = printable_lines(outcome.message)


def _class_name(path: str) -> str:
    """Return the file and the class of a test, with dots, as pytest writes them."""
    return printable_lines(path).replace(".py", "").replace("/", ".").replace("::", ".")
