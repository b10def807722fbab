"""Groups findings that are alike into failures: by operation, check, rule and the shape of the message."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from wallaroo_ext.conformance import rules
from wallaroo_ext.conformance.report.body_view import header
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

_SERVER_ERROR = 500
_OF_CONTENT = {rules.CONTENT_TYPE, rules.SCHEMA, rules.ALWAYS, TEST}
_OF_SCHEMATHESIS = "Response violates schema. "
"""How a message of schemathesis begins about an answer whose faults the suite's own messages name by their places."""
_ORDER = {rules.STATUS: 0, rules.CONTENT_TYPE: 0, TEST: 2}

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
    found_by_tests = _findings_of_tests(run)
    faults = _Faults([*run.findings, *found_by_tests], run.subject.prefix)
    order = {row.id: number for number, row in enumerate(run.operations)}
    found = [_failure(shape(group[0].message, run.subject.prefix), group) for group in faults.groups()]
    return sorted(found, key=lambda failure: (order.get(failure.operation, len(order)), failure.check))


def causes(found: Iterable[Failure]) -> list[list[Failure]]:
    """Return failures grouped by their cause, the most frequent cause first."""
    groups: dict[tuple[str, str, str], list[Failure]] = {}
    for failure in found:
        groups.setdefault(failure.cause, []).append(failure)
    return sorted(groups.values(), key=lambda group: -sum(failure.count for failure in group))


@lru_cache(maxsize=4096)
def shape(message: str, prefix: str) -> str:
    """Return a message without what differs between findings: values, numbers, identifiers and the run's names.

    Each part of a report asks for the same ones.
    """
    place, value, text = value_in(message)
    text = place + ("…" if value else "") + text
    if prefix:
        text = re.sub(re.escape(prefix) + r"[\w-]*", "…", text)
    return _NUMBER.sub("…", _UUID.sub("…", text))


class _Faults:
    """Findings by the fault that they are about: one fault is one, whatever noticed it.

    An answer of the server's own errors, of a status that the contract does not have, and none at all, is one fault of
    its operation, as is a wrong media type: whoever looks at such an answer finds something else wrong with it. Other
    findings are alike if their check, rule and message are, and the status of the answer.

    Args:
        findings: All findings of a run.
        prefix: The beginning of the run's names.
    """

    def __init__(self, findings: list[Finding], prefix: str) -> None:
        self._findings = findings
        self._prefix = prefix
        self._statuses = {
            (each.exchange.operation, each.exchange.status)
            for each in findings
            if each.exchange and (each.check in {rules.STATUS, rules.ANSWERED} or each.exchange.status >= _SERVER_ERROR)
        }
        self._types = {
            (each.exchange.operation, each.exchange.status, header(each.exchange.answer_headers, "Content-Type"))
            for each in findings
            if each.exchange and each.check == rules.CONTENT_TYPE
        }
        self._shapes: dict[tuple[str, str, str, int], str] = {}
        for each in findings:
            if not each.message.startswith(_OF_SCHEMATHESIS):
                self._shapes.setdefault(_rule_key(each), shape(each.message, prefix))

    def groups(self) -> list[list[Finding]]:
        """Return the findings of each fault, that of a check before that of a test, which says less."""
        found: dict[tuple[object, ...], list[Finding]] = {}
        for finding in self._findings:
            found.setdefault(self._key(finding), []).append(finding)
        return [sorted(group, key=lambda each: _ORDER.get(each.check, 1)) for group in found.values()]

    def _key(self, finding: Finding) -> tuple[object, ...]:
        sent = finding.exchange
        if sent is not None:
            if (sent.operation, sent.status) in self._statuses:
                return sent.operation, sent.status
            answered = sent.operation, sent.status, header(sent.answer_headers, "Content-Type")
            if answered in self._types and finding.check in _OF_CONTENT:
                return answered
        key = _rule_key(finding)
        of_message = shape(finding.message, self._prefix)
        is_repeated = finding.message.startswith(_OF_SCHEMATHESIS) and finding.rule is not None
        return *key, self._shapes.get(key, of_message) if is_repeated else of_message


def _rule_key(finding: Finding) -> tuple[str, str, str, int]:
    """Return what findings have in common that differ in their messages alone."""
    pointer = finding.rule.pointer if finding.rule else ""
    return finding.operation, finding.check, pointer, finding.exchange.status if finding.exchange else 0


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
    """Return a finding for each test that failed without one, with the request that it failed with."""
    explained = _Explained(run)
    found: list[Finding] = []
    for test in run.tests:
        if test.outcome in BAD_OUTCOMES and not explained.has(test):
            sent = None if test.request is None else run.exchanges[test.request]
            found.append(Finding(sent.operation if sent else "", TEST, _message(test), exchange=sent, test=test.test))
    return found


class _Explained:
    """The failed tests that findings explain: those that came before the test failed, and not in its clean-up."""

    def __init__(self, run: Run) -> None:
        numbers = {id(exchange): number for number, exchange in enumerate(run.exchanges)}
        self._first: dict[str, int] = {}
        for finding in run.findings:
            number = numbers.get(id(finding.exchange), -1)
            self._first[finding.test] = min(number, self._first.get(finding.test, number))

    def has(self, test: TestOutcome) -> bool:
        """Return whether a finding explains why a test failed."""
        return test.test in self._first and (test.request is None or self._first[test.test] <= test.request)


def _message(test: TestOutcome) -> str:
    """Return a message about a failed test: its name as words, why it failed, and pytest's whole text."""
    words = test.test.rpartition("::")[2].removeprefix("test_").replace("_", " ").replace("[", " [", 1)
    return f"{words[:1].upper()}{words[1:]}: {test.message or f'it {test.outcome} and said nothing.'}"


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
    rules.DRIFT: "Do clients of the contract work with what the instance says of itself, or what was recorded?",
    rules.ANSWERED: "Does an answer come at all?",
    rules.FIXTURES: "Can a workspace, a model, a deployment and an assay be made, which all else needs?",
    TEST: "A test of the suite failed: what several requests tell does not go together.",
    # The names are schemathesis's.
    "not_a_server_error": "Does the instance answer without an error of its own?",
    "response_headers_conformance": "Are the answer's headers what the contract says?",
    "negative_data_rejection": "Is a request refused that the contract does not allow?",
    "positive_data_acceptance": "Is a request accepted that the contract allows?",
    "missing_required_header": "Is a request refused that lacks a required header?",
    "unsupported_method": "Is a method refused that the contract does not have?",
    "allow_header_conformance": "Does `Allow` in an answer to OPTIONS list the contract's methods?",
    "use_after_free": "Is what was deleted gone?",
    "ensure_resource_availability": "Is what was made there?",
    "ignored_auth": "Is a request refused that has no good token?",
    "object_level_authorization": "Is a second person refused what somebody else made?",
    "max_response_time": "Does the answer come in time?",
}


def meaning(check: str) -> str:
    """Return the question that a check answers; empty for an unknown check."""
    return _MEANINGS.get(check, "")
