"""Which pages of a browser may call the sandbox: those that this machine serves itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware.cors import CORSMiddleware

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_LOOPBACK_ORIGIN = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?"


class LoopbackCors(CORSMiddleware):
    """Lets pages of loopback origins call an application; a call without an origin, or of another, passes by.

    Browsers add no cookies and no passwords of their own to such calls: a page sends the token that it was given.

    Args:
        app: What is called.
    """

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            app,
            allow_origin_regex=_LOOPBACK_ORIGIN,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=("*",),
            expose_headers=("Retry-After", "WWW-Authenticate", "Location"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call."""
        if self._is_of_this_machine(scope):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _is_of_this_machine(self, scope: Scope) -> bool:
        origin = next((value for name, value in scope.get("headers", ()) if name == b"origin"), None)
        return origin is not None and self.is_allowed_origin(origin.decode("latin-1"))
