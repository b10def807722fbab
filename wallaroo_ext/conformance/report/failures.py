"""Groups findings that are alike into failures: by operation, check, rule and the shape of the message."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wallaroo_ext.conformance import rules
from wallaroo_ext.conformance.report.texts import value_in
from wallaroo_ext.conformance.results import BAD_OUTCOMES, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wallaroo_ext.conformance.results import Run, TestOutcome
    from wallaroo_ext.conformance.rules import Rule


EXAMPLES = 3
"""The number of examples of a failure in a report."""
TEST = "test"
"""Stands in place of a check where a test failed and no check says why."""

_UUID = re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Failure:
    """One kind of failure of an operation.

    Attributes:
        operation: The contract's `operationId`; empty where it belongs to no operation.
        check: The check's name; `test` where a test failed and no check says why.
        shape: The message without the values that differ from one finding to the next.
        message: The message of the first finding.
        rule: The contract's rule.
        count: The number of findings.
        examples: A few findings, of different tests where there are some.
        tests: The tests that found it, and how often each did.
    """

    operation: str
    check: str
    shape: str
    message: str
    rule: Rule | None
    count: int
    examples: tuple[Finding, ...]
    tests: dict[str, int]

    @property
    def cause(self) -> tuple[str, str, str]:
        """A key that failures of several operations share if they have one cause."""
        text = self.shape.removeprefix(value_in(self.shape)[0]).replace(self.operation or "\0", "…")
        return self.check, self.rule.pointer if self.rule else "", text


def failures(run: Run) -> list[Failure]:
    """Return the failures of a run, by operation in the contract's order, then by check; those of no operation last."""
    groups: dict[tuple[str, str, str, str, int], list[Finding]] = {}
    for finding in [*run.findings, *_findings_of_tests(run)]:
        groups.setdefault(_group_key(finding, run.subject.prefix), []).append(finding)
    order = {row.id: number for number, row in enumerate(run.operations)}
    found = [_failure(key[3], group) for key, group in groups.items()]
    return sorted(found, key=lambda failure: (order.get(failure.operation, len(order)), failure.check))


def causes(found: Iterable[Failure]) -> list[list[Failure]]:
    """Return failures grouped by their cause, the most frequent cause first."""
    groups: dict[tuple[str, str, str], list[Failure]] = {}
    for failure in found:
        groups.setdefault(failure.cause, []).append(failure)
    return sorted(groups.values(), key=lambda group: -sum(failure.count for failure in group))


def shape(message: str, prefix: str) -> str:
    """Return a message without what differs between findings: values, numbers, identifiers and the run's names."""
    place, value, text = value_in(message)
    text = place + ("…" if value else "") + text
    if prefix:
        text = re.sub(re.escape(prefix) + r"[\w-]*", "…", text)
    return _NUMBER.sub("…", _UUID.sub("…", text))


def _group_key(finding: Finding, prefix: str) -> tuple[str, str, str, str, int]:
    """Return the key that findings of one failure share; answers of several statuses are several failures."""
    pointer = finding.rule.pointer if finding.rule else ""
    status = finding.exchange.status if finding.exchange else 0
    return finding.operation, finding.check, pointer, shape(finding.message, prefix), status


def _failure(found_shape: str, findings: list[Finding]) -> Failure:
    first = findings[0]
    tests = Counter(finding.test for finding in findings if finding.test)
    return Failure(
        operation=first.operation,
        check=first.check,
        shape=found_shape,
        message=first.message,
        rule=first.rule,
        count=len(findings),
        examples=_examples(findings),
        tests=dict(tests),
    )


def _examples(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return the findings that are shown: the first one of each test, then others."""
    firsts = {finding.test: number for number, finding in reversed(list(enumerate(findings)))}
    chosen = sorted(firsts.values())
    chosen += [number for number in range(len(findings)) if number not in firsts.values()]
    return tuple(findings[number] for number in chosen[:EXAMPLES])


def _findings_of_tests(run: Run) -> list[Finding]:
    """Return a finding for each test that failed without one, with the last request that the test sent."""
    explained = {finding.test for finding in run.findings}
    last = {exchange.test: exchange for exchange in run.exchanges}
    return [
        Finding(
            last[test.test].operation if test.test in last else "",
            TEST,
            _message(test),
            exchange=last.get(test.test),
            test=test.test,
        )
        for test in run.tests
        if test.outcome in BAD_OUTCOMES and test.test not in explained
    ]


def _message(test: TestOutcome) -> str:
    """Return a message about a failed test: its name as words, its first error, and pytest's whole text."""
    words = test.test.rpartition("::")[2].removeprefix("test_").replace("_", " ").replace("[", " [", 1)
    errors = [line.removeprefix("E").strip() for line in test.message.splitlines() if line.startswith("E  ")]
    reason = errors[0].removeprefix("AssertionError: ") if errors else test.message
    first_line = f"{words[:1].upper()}{words[1:]}: {reason or f'it {test.outcome} and said nothing.'}"
    return f"{first_line}\n\n{test.message}" if errors else first_line


def without_failed_test(run: Run) -> list[Failure]:
    """Return the failures that belong to no failed test, and would be missing in a list of failed tests."""
    failed = {test.test for test in failed_tests(run)}
    return [failure for failure in failures(run) if not failed.intersection(failure.tests)]


def failed_tests(run: Run) -> list[TestOutcome]:
    """Return the tests that show something wrong."""
    return [test for test in run.tests if test.outcome in BAD_OUTCOMES]


_MEANINGS = {
    rules.STATUS: "Does the contract have an answer of this status?",
    rules.CONTENT_TYPE: "Does the answer have a media type that the contract has for it?",
    rules.SCHEMA: "Is the answer's body what the contract says?",
    rules.ALWAYS: "Does the answer have every field that every recorded answer has?",
    "drift": "Do clients of the contract work with what the instance says of itself, or what was recorded?",
    "an_answer_comes": "Does an answer come at all?",
    "fixtures_can_be_made": "Can a workspace, a model, a deployment and an assay be made, which all else needs?",
    TEST: "A test of the suite failed: what several requests tell does not go together.",
    # The names are schemathesis's.
    "not_a_server_error": "Does the instance answer without an error of its own?",
    "response_headers_conformance": "Are the answer's headers what the contract says?",
    "negative_data_rejection": "Is a request refused that the contract does not allow?",
    "positive_data_acceptance": "Is a request accepted that the contract allows?",
    "missing_required_header": "Is a request refused that lacks a required header?",
    "unsupported_method": "Is a method refused that the contract does not have?",
    "use_after_free": "Is what was deleted gone?",
    "ensure_resource_availability": "Is what was made there?",
    "ignored_auth": "Is a request refused that has no good token?",
    "max_response_time": "Does the answer come in time?",
}


def meaning(check: str) -> str:
    """Return the question that a check answers; empty for an unknown check."""
    return _MEANINGS.get(check, "")
