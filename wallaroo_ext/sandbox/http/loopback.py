"""This machine's loopback names and addresses, and CORS for the web pages that are served from them."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from starlette.middleware.cors import CORSMiddleware

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_LOCAL_NAME = "localhost"
_LOOPBACK_ORIGIN = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?"


def is_local_name(host: str) -> bool:
    """Return whether a host, in lower case, is this machine for certain, without asking DNS."""
    return host == _LOCAL_NAME or host.endswith(f".{_LOCAL_NAME}") or is_loopback(host)


def is_loopback(host: str) -> bool:
    """Return whether a host is an IP address of this machine's loopback interface."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


class LoopbackCors(CORSMiddleware):
    """Allows web pages from loopback origins to call an application; other requests get no CORS headers.

    Browsers add neither cookies nor stored passwords to such calls: the page has to send a token.

    Args:
        app: The application.
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
        """Handle a request, with CORS headers if it comes from a loopback origin."""
        if self._has_loopback_origin(scope):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _has_loopback_origin(self, scope: Scope) -> bool:
        origin = next((value for name, value in scope.get("headers", ()) if name == b"origin"), None)
        return origin is not None and self.is_allowed_origin(origin.decode("latin-1"))
