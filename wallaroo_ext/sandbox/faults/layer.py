"""The ASGI layer around an operation, which makes its requests fail as the rules say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallaroo_ext.sandbox.faults.exchange import Exchange

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from wallaroo_ext.sandbox.faults.register import Faults


class FaultLayer:
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
