"""Counts how often each operation was tried, with which statuses, and whether it succeeded often enough."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wallaroo_ext.conformance.results import BAD_OUTCOMES

if TYPE_CHECKING:
    from wallaroo_ext.conformance.results import OperationRow, Run

_NO_REASON = "No request was sent."
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Exercise:
    """The requests that were sent of an operation.

    Attributes:
        operation: The operation.
        statuses: How often each status came, in ascending order; 0 stands for no answer.
        least_successes: How often it has to succeed.
    """

    operation: OperationRow
    statuses: dict[int, int]
    least_successes: int

    @property
    def requests(self) -> int:
        """The number of requests."""
        return sum(self.statuses.values())

    @property
    def successes(self) -> int:
        """The number of answers with a status of success."""
        return sum(count for status, count in self.statuses.items() if 200 <= status < 300)  # noqa: PLR2004 - HTTP's

    @property
    def is_enough(self) -> bool:
        """Whether it succeeded often enough."""
        return self.successes >= self.least_successes


def exercises(run: Run) -> list[Exercise]:
    """Return the exercise of every operation of a run, in the contract's order."""
    counts = Counter((exchange.operation, exchange.status) for exchange in run.exchanges if exchange.is_declared)
    found: dict[str, dict[int, int]] = {row.id: {} for row in run.operations}
    for (operation, status), count in sorted(counts.items()):
        if operation in found:
            found[operation][status] = count
    return [Exercise(row, found[row.id], run.least_successes) for row in run.operations]


def not_exercised(run: Run) -> dict[str, str]:
    """Return why operations were not tried that the run was to look at, by operation; the release has all of them."""
    return {
        each.operation.id: each.operation.not_exercised or _NO_REASON
        for each in exercises(run)
        if each.operation.is_asked_for
        and each.operation.is_in_release
        and (each.operation.not_exercised or not each.requests)
    }


def not_looked_at(run: Run) -> str:
    """Return why a run cannot say that an instance conforms: it looked at nothing. Otherwise, return an empty text."""
    if run.findings or any(test.outcome in BAD_OUTCOMES for test in run.tests):
        return ""
    asked_for = {row.id for row in run.operations if row.is_asked_for}
    sent = {exchange.operation for exchange in run.exchanges if exchange.test and exchange.is_declared}
    if sent & asked_for and any(test.outcome == "passed" for test in run.tests):
        return ""
    reasons = [f"{name}: {reason}" for name, reason in not_exercised(run).items()]
    more = f" ({len(reasons) - _SHOWN} more)" if len(reasons) > _SHOWN else ""
    return " ".join(["No operation was looked at, so that nothing is known of the instance.", *reasons[:_SHOWN]]) + more


def too_few(run: Run) -> list[Exercise]:
    """Return the operations that the run could try, and that did not succeed often enough."""
    return [each for each in exercises(run) if not each.operation.not_exercised and not each.is_enough]
