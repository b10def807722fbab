"""Whether an instance keeps the contract, from what a run found."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wallaroo_ext.conformance.run import Run

BAD_OUTCOMES = frozenset({"failed", "error"})
"""The outcomes of a test that show something wrong."""


class Verdict(Enum):
    """What a run says of its instance. The value is the exit code."""

    CONFORMS = 0
    DOES_NOT_CONFORM = 1
    COULD_NOT_RUN = 2

    @property
    def text(self) -> str:
        """The verdict for a person: `conforms`, `does not conform` or `could not run`."""
        return self.name.lower().replace("_", " ")


def verdict(run: Run) -> Verdict:
    """The verdict of a run: one finding, or one test that failed, is enough against an instance."""
    if run.could_not_run:
        return Verdict.COULD_NOT_RUN
    if run.findings or any(test.outcome in BAD_OUTCOMES for test in run.tests):
        return Verdict.DOES_NOT_CONFORM
    return Verdict.CONFORMS
