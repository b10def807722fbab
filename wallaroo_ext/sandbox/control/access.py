"""Access to the control routes: for programs on the same machine, and for whoever has the control secret."""

from __future__ import annotations

import hmac
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from wallaroo_ext.sandbox.http.loopback import is_local_name, is_loopback
from wallaroo_ext.sandbox.http.problems import refusal

if TYPE_CHECKING:
    from starlette.requests import Request

_HOST = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[0-9a-z.-]+))(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)
_SAME_SITE = {None, "same-origin", "none"}  # not a browser, a page of the sandbox, or an address that the user typed


def check_access(request: Request, secret: str | None) -> None:
    """Raise a Problem unless a request may use the control routes.

    A web page of another site can make a browser on this machine send requests. Therefore, requests with a foreign
    `Origin`, or that the browser marks as cross-site, are refused. So are requests that reach loopback by another
    host name, which may be DNS rebinding. The client's address is that of the connection; headers are not trusted.

    Args:
        request: The request.
        secret: The control secret of the sandbox; None if it has none.

    Raises:
        Problem: 403 with the reason.
    """
    origin, host = request.headers.get("Origin"), request.headers.get("Host", "")
    is_foreign = origin is not None and origin != f"{request.scope['scheme']}://{host}"
    if is_foreign or request.headers.get("Sec-Fetch-Site") not in _SAME_SITE:
        raise refusal(HTTPStatus.FORBIDDEN, "A web page of another origin may not steer this sandbox.")
    if secret is not None and _has_secret(request, secret):
        return
    if not is_loopback(request.client.host if request.client else ""):
        message = f"Only programs on its own machine may steer this sandbox. {_alternative(secret)}"
        raise refusal(HTTPStatus.FORBIDDEN, message)
    if not is_local_name(_without_port(host)):
        message = f"Steer this sandbox by the host localhost or 127.0.0.1, not {host!r}. {_alternative(secret)}"
        raise refusal(HTTPStatus.FORBIDDEN, message)


def _alternative(secret: str | None) -> str:
    """Return the last sentence of an error message, which says how to get access."""
    if secret is None:
        return "Start it with --control-secret-file to allow others."
    return "To steer it from elsewhere, send `Authorization: Bearer <control secret>`."


def _has_secret(request: Request, secret: str) -> bool:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(value.strip().encode(), secret.encode())


def _without_port(host: str) -> str:
    """Return the name or the address in a Host header in lower case, or an empty text if the header is malformed."""
    match = _HOST.fullmatch(host)
    return "" if match is None else (match["address"] or match["name"]).lower()
