"""The rules of a sandbox, in their order, and which of them a request meets."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.faults.exchange import Exchange
from wallaroo_ext.sandbox.faults.rule_parser import parse_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from wallaroo_ext.sandbox.faults.rules import Rule


class Faults:
    """The rules by which a sandbox fails; any thread may change them.

    Attributes:
        active: Whether any rule may still apply.
    """

    def __init__(self) -> None:
        self.active = False
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, rules: Sequence[Any]) -> None:
        """Add rules behind those that are there; all of them, or, where one is wrong, none.

        Args:
            rules: Objects with `operation` (an `operationId`, or `*` for all of them), `kind`, and the fields that
                `wallaroo_ext.sandbox.faults.rule_parser` describes.

        Raises:
            Problem: 400; it names the first rule that is wrong, and its field.
        """
        added = [parse_rule(number, rule) for number, rule in enumerate(rules, start=1)]
        with self._lock:
            self._rules += added
            self._note_activity()

    def clear(self) -> None:
        """Remove all rules; a fault that has begun goes on."""
        with self._lock:
            self._rules = []
            self._note_activity()

    def list(self) -> list[dict[str, Any]]:
        """Return the rules with their defaults filled in, and in `applied` how often each was."""
        with self._lock:
            return [rule.to_json() for rule in self._rules]

    def take(self, operation_id: str) -> Rule | None:
        """The rule that a request to an operation meets: the first that fits, is not used up, and does not let it pass.

        It counts as applied.
        """
        with self._lock:
            rule = next((rule for rule in self._rules if rule.fits(operation_id) and rule.strikes()), None)
            self._note_activity()
            return rule

    def _note_activity(self) -> None:
        self.active = any(not rule.used_up for rule in self._rules)


class FaultMiddleware:
    """Asks for each request to one operation whether it is to fail.

    Args:
        app: What answers otherwise.
        faults: The rules.
        operation_id: The operation.
    """

    def __init__(self, app: ASGIApp, faults: Faults, operation_id: str) -> None:
        self._app = app
        self._faults = faults
        self._operation_id = operation_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or fail."""
        rule = self._faults.take(self._operation_id) if self._faults.active else None
        if rule is None:
            await self._app(scope, receive, send)
            return
        await rule.kind.apply(Exchange(self._app, scope, receive, send, rule.given, handled=rule.handled))
