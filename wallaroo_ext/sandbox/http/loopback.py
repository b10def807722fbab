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
    """Return whether a host, in lower case, can only be this machine, whatever a name server says."""
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
