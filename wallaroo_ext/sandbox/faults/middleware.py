"""The fault rules of a sandbox, and the ASGI middleware that applies them."""

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
    """The ordered fault rules of a sandbox; thread-safe.

    Attributes:
        active: Whether any rule may still apply.
    """

    def __init__(self) -> None:
        self.active = False
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, rules: Sequence[Any]) -> None:
        """Append rules: all of them, or none if one is wrong.

        Args:
            rules: Objects with `operation` (an `operationId`, or `*` for all of them), `kind`, and the fields that
                `wallaroo_ext.sandbox.faults.rule_parser` describes.

        Raises:
            Problem: 400; the message names the first wrong rule and its field.
        """
        added = [parse_rule(number, rule) for number, rule in enumerate(rules, start=1)]
        with self._lock:
            self._rules += added
            self._update_active()

    def clear(self) -> None:
        """Remove all rules; faults that have begun go on."""
        with self._lock:
            self._rules = []
            self._update_active()

    def list(self) -> list[dict[str, Any]]:
        """Return the rules with their defaults, and in `applied` how often each was applied."""
        with self._lock:
            return [rule.to_json() for rule in self._rules]

    def take(self, operation_id: str) -> Rule | None:
        """Return the first rule that makes a request to an operation fail, and count it as applied; else None."""
        with self._lock:
            rule = next((rule for rule in self._rules if rule.matches(operation_id) and rule.applies_now()), None)
            self._update_active()
            return rule

    def _update_active(self) -> None:
        self.active = any(not rule.is_exhausted for rule in self._rules)


class FaultMiddleware:
    """Makes the requests to one operation fail as the rules say.

    Args:
        app: The application that answers otherwise.
        faults: The fault rules.
        operation_id: The operation.
    """

    def __init__(self, app: ASGIApp, faults: Faults, operation_id: str) -> None:
        self._app = app
        self._faults = faults
        self._operation_id = operation_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or apply a fault to it."""
        rule = self._faults.take(self._operation_id) if self._faults.active else None
        if rule is None:
            await self._app(scope, receive, send)
            return
        await rule.kind.apply(Exchange(self._app, scope, receive, send, rule.fields, handled=rule.handled))
