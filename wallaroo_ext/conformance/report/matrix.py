"""Operations by checks: how often each check passed and failed for each operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wallaroo_ext.conformance import rules

if TYPE_CHECKING:
    from wallaroo_ext.conformance.run import Run

_FIRST = (rules.STATUS, rules.CONTENT_TYPE, rules.SCHEMA, rules.ALWAYS)


@dataclass(frozen=True, slots=True)
class Cell:
    """A check of an operation.

    Attributes:
        passed: How often it passed.
        failed: How often it failed.
    """

    passed: int
    failed: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """The checks, and a row of cells an operation.

    Attributes:
        checks: The names of the checks: those of every answer first.
        rows: The operations that were checked, in the contract's order, with a cell a check.
    """

    checks: list[str]
    rows: dict[str, list[Cell]]


def matrix(run: Run) -> Matrix:
    """The checks that a run made, by operation."""
    made = dict.fromkeys([*run.passed, *run.failed])
    named = {check for _, check in made}
    checks = [check for check in _FIRST if check in named] + sorted(named.difference(_FIRST))
    checked = dict.fromkeys(operation for operation, _ in made)
    known = [row.id for row in run.operations if row.id in checked]
    operations = known + [operation for operation in checked if operation not in known]
    return Matrix(checks, {operation: [_cell(run, operation, check) for check in checks] for operation in operations})


def _cell(run: Run, operation: str, check: str) -> Cell:
    return Cell(run.passed[operation, check], run.failed[operation, check])
