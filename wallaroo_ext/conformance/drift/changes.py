"""The differences between the contract and another description of the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from wallaroo_ext.errors import WallarooError


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        operation: The contract's `operationId`; the path where the contract does not have the operation.
        where: The location in the operation, such as `request.workspace_id` or `answer 200 $.users.*.email`.
        kind: `added`, `removed` or `changed`, seen from the contract.
        contract: A short form of what the contract says there, as JSON; None where it says nothing.
        other: The same of the other side.
        breaks: Whether a client that keeps the contract can fail because of it.
        reason: Why it can, or cannot, in a sentence.
        count: The number of recorded exchanges that have it; 0 where no recordings were compared.
        example: The file of the first of them; empty where no recordings were compared.
    """

    operation: str
    where: str
    kind: Literal["added", "removed", "changed"]
    contract: Any
    other: Any
    breaks: bool
    reason: str
    count: int = 0
    example: str = ""


@dataclass(frozen=True, slots=True)
class Drift:
    """All differences between the contract and one other side.

    Attributes:
        against: The other side: a URL, or a directory of recordings.
        changes: The differences, by operation in the contract's order.
    """

    against: str
    changes: tuple[Change, ...]

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The differences because of which a client that keeps the contract can fail."""
        return tuple(change for change in self.changes if change.breaks)


class DriftError(WallarooError):
    """The other side cannot be read: it is missing, no JSON, of another shape, or too large. The message names it."""
