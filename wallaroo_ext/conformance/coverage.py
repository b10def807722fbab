"""Counts how often each operation was tried, with which statuses, and whether it succeeded often enough."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wallaroo_ext.conformance.results import OperationRow, Run

LEAST_SUCCESSES = 5
"""The number of successes that an operation needs in a run, so that not only refusals are checked."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """The requests that were sent of an operation.

    Attributes:
        operation: The operation.
        statuses: How often each status came, in ascending order; 0 stands for no answer.
    """

    operation: OperationRow
    statuses: dict[int, int]

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
        return self.successes >= LEAST_SUCCESSES


def exercises(run: Run) -> list[Exercise]:
    """Return the exercise of every operation of a run, in the contract's order."""
    counts = Counter((exchange.operation, exchange.status) for exchange in run.exchanges)
    found: dict[str, dict[int, int]] = {row.id: {} for row in run.operations}
    for (operation, status), count in sorted(counts.items()):
        if operation in found:
            found[operation][status] = count
    return [Exercise(row, found[row.id]) for row in run.operations]


def too_few(run: Run) -> list[Exercise]:
    """Return the operations that the run could try, and that did not succeed often enough."""
    return [each for each in exercises(run) if not each.operation.not_exercised and not each.is_enough]
