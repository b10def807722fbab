"""A rule: which requests fail, how often, and how."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.faults.kinds import EXPIRED_TOKEN

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.faults.kinds import Kind

EVERY_OPERATION = "*"
TOKEN_OPERATION = "request_token"  # noqa: S105 - an operationId


@dataclass(slots=True)
class Rule:
    """One rule; whoever has the lock of its register may ask it.

    Attributes:
        given: The rule as it was written.
        kind: How requests fail.
        handled: Whether the operation is carried out.
        applied: How many requests have failed.
    """

    given: dict[str, Any]
    kind: Kind
    handled: bool
    applied: int = 0
    _left_to_skip: int = field(init=False)
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._left_to_skip = self.given.get("skip", 0)
        self._random = random.Random(self.given.get("seed"))  # noqa: S311 - it chooses which requests fail

    @property
    def used_up(self) -> bool:
        """Whether no more requests fail by it."""
        return "count" in self.given and self.applied >= self.given["count"]

    def fits(self, operation_id: str) -> bool:
        """Whether it is about an operation, and may still fail; a request for a token has none that could expire."""
        if self.given["operation"] == EVERY_OPERATION:
            concerns = self.given["kind"] != EXPIRED_TOKEN or operation_id != TOKEN_OPERATION
        else:
            concerns = self.given["operation"] == operation_id
        return concerns and not self.used_up

    def strikes(self) -> bool:
        """Return whether the next request that it fits fails, which is counted."""
        if self._left_to_skip:
            self._left_to_skip -= 1
            return False
        if self._random.random() >= self.given.get("probability", 1):
            return False
        self.applied += 1
        return True

    def to_json(self) -> dict[str, Any]:
        """Return the rule with what was left out, and how often it was applied."""
        return {"skip": 0} | self.given | {"handled": self.handled, "applied": self.applied}
