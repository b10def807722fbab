"""How often each operation was tried, with which status, and whether it succeeded often enough."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wallaroo_ext.conformance.results import OperationRow, Run

LEAST_SUCCESSES = 5
"""How often an operation has to succeed in a run, so that its checks are more than checks of refusals."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """How an operation was tried.

    Attributes:
        operation: The operation.
        statuses: How often which status came, in ascending order; 0 where no answer came.
    """

    operation: OperationRow
    statuses: dict[int, int]

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return sum(self.statuses.values())

    @property
    def successes(self) -> int:
        """How many answers had a status of success."""
        return sum(count for status, count in self.statuses.items() if 200 <= status < 300)  # noqa: PLR2004 - HTTP's

    @property
    def is_enough(self) -> bool:
        """Whether it succeeded often enough."""
        return self.successes >= LEAST_SUCCESSES


def exercises(run: Run) -> list[Exercise]:
    """Return every operation of a run, with how it was tried, in the contract's order."""
    seen = Counter((exchange.operation, exchange.status) for exchange in run.exchanges)
    found: dict[str, dict[int, int]] = {row.id: {} for row in run.operations}
    for (operation, status), count in sorted(seen.items()):
        if operation in found:
            found[operation][status] = count
    return [Exercise(row, found[row.id]) for row in run.operations]


def too_few(run: Run) -> list[Exercise]:
    """Return the operations that the run could try, and that did not succeed often enough."""
    return [each for each in exercises(run) if not each.operation.not_exercised and not each.is_enough]
