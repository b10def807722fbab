"""Fault rules: which requests fail, how often, and in which way."""

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
    """A fault rule. Its user has to hold a lock, because asking it changes it.

    Attributes:
        fields: The fields of the rule in JSON.
        kind: The kind of fault.
        handled: Whether the operation is performed.
        applied: How many requests have failed because of the rule.
    """

    fields: dict[str, Any]
    kind: Kind
    handled: bool
    applied: int = 0
    _left_to_skip: int = field(init=False)
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._left_to_skip = self.fields.get("skip", 0)
        self._random = random.Random(self.fields.get("seed"))  # noqa: S311 - no secret depends on it

    @property
    def is_exhausted(self) -> bool:
        """Whether the rule makes no more requests fail."""
        return "count" in self.fields and self.applied >= self.fields["count"]

    def matches(self, operation_id: str) -> bool:
        """Return whether requests to an operation may fail by the rule; a request for a token has none to expire."""
        if self.fields["operation"] == EVERY_OPERATION:
            concerns = self.fields["kind"] != EXPIRED_TOKEN or operation_id != TOKEN_OPERATION
        else:
            concerns = self.fields["operation"] == operation_id
        return concerns and not self.is_exhausted

    def applies_now(self) -> bool:
        """Return whether the next matching request fails, and count it."""
        if self._left_to_skip:
            self._left_to_skip -= 1
            return False
        if self._random.random() >= self.fields.get("probability", 1):
            return False
        self.applied += 1
        return True

    def to_json(self) -> dict[str, Any]:
        """Return the rule as JSON with its defaults, and how often it was applied."""
        return {"skip": 0} | self.fields | {"handled": self.handled, "applied": self.applied}
