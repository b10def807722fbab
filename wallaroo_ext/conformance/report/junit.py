"""Writes the outcomes of a run as JUnit XML, in the form of pytest, for CI servers.

A message begins with what was asserted. What else the report counts is in the properties of the suite.

schemathesis's writer (`schemathesis.reporting.junitxml`) is not used: it has no class names, properties or start time,
and only what schemathesis itself checked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from wallaroo_ext.conformance.report.summary import counts_of, counts_text, outcomes_of, sentence
from wallaroo_ext.conformance.report.texts import one_line, shortened
from wallaroo_ext.conformance.results import verdict
from wallaroo_ext.redaction.terminal_text import printable_lines

if TYPE_CHECKING:
    from wallaroo_ext.conformance.results import Run, TestOutcome

_SUITE = "wallaroo conformance"
_ELEMENTS = {"failed": "failure", "error": "error", "skipped": "skipped"}
_MESSAGE_LENGTH = 300


def junit_xml(run: Run) -> bytes:
    """Return the outcomes of a run, as XML."""
    outcomes = outcomes_of(run)
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


def _add_properties(suite: ET.Element, run: Run) -> None:
    subject = run.subject
    properties = ET.SubElement(suite, "properties")
    for name in ("instance", "url", "contract", "contract_sha", "release", "prefix", "seed"):
        value = printable_lines(str(getattr(subject, name)))
        ET.SubElement(properties, "property", {"name": name, "value": value})
    for name, text in (("verdict", verdict(run).text), ("sentence", sentence(run)), ("counts", counts_text(run))):
        ET.SubElement(properties, "property", {"name": name, "value": printable_lines(text)})
    for name, count in asdict(counts_of(run)).items():
        ET.SubElement(properties, "property", {"name": name, "value": str(count)})


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
