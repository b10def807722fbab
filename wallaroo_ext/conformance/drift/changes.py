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
        where: The place in the operation, such as `request.workspace_id` or `answer 200 $.users.*.email`.
        kind: What the other side did: `added`, `removed` or `changed`.
        contract: What the contract says there, short, as JSON has it; None where it says nothing.
        other: What the other side says there.
        breaks: Whether a client that keeps the contract can fail because of it.
        reason: Why it does, or does not, in a sentence.
        count: In how many recorded exchanges it was seen; 0 where no recordings were compared.
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
    """All differences from one other side.

    Attributes:
        against: What was compared with the contract: a URL, or a directory of recordings.
        changes: The differences, by operation in the contract's order.
    """

    against: str
    changes: tuple[Change, ...]

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The differences that a client that keeps the contract can fail because of."""
        return tuple(change for change in self.changes if change.breaks)


class DriftError(WallarooError):
    """The other side cannot be read: it is missing, no JSON, of another shape, or too large. The message names it."""
