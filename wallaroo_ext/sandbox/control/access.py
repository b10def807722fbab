"""Who may steer a sandbox: programs on the same machine, and whoever has its control secret."""

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
_OWN_PAGES = {None, "same-origin", "none"}  # no browser, or one that was given the address by its user


def check_access(request: Request, secret: str | None) -> None:
    """Let a request pass, or say why not.

    A web page of another site may make a browser on this machine send requests. So one with a foreign `Origin` is
    refused, or one that the browser says is for a page of another site, and so is one that reaches loopback by a name
    of elsewhere, which a page's own name server may point here. Where a request comes from is the connection's other
    end: no header says it.

    Args:
        request: The request.
        secret: The control secret of the sandbox; None where it has none.

    Raises:
        Problem: 403, with a sentence.
    """
    origin, host = request.headers.get("Origin"), request.headers.get("Host", "")
    is_foreign = origin is not None and origin != f"{request.scope['scheme']}://{host}"
    if is_foreign or request.headers.get("Sec-Fetch-Site") not in _OWN_PAGES:
        raise refusal(HTTPStatus.FORBIDDEN, "A web page of another origin may not steer this sandbox.")
    if secret is not None and _has_secret(request, secret):
        return
    if not is_loopback(request.client.host if request.client else ""):
        raise refusal(HTTPStatus.FORBIDDEN, f"Only programs on its own machine may steer this sandbox{_or(secret)}.")
    if not is_local_name(_without_port(host)):
        message = f"Steer this sandbox by the host localhost or 127.0.0.1, not {host!r}{_or(secret)}."
        raise refusal(HTTPStatus.FORBIDDEN, message)


def _or(secret: str | None) -> str:
    """Return what else would do."""
    how = "start it with a control secret" if secret is None else "send its control secret"
    return f", or {how} (Authorization: Bearer ...)"


def _has_secret(request: Request, secret: str) -> bool:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(value.strip().encode(), secret.encode())


def _without_port(host: str) -> str:
    """Return the name or the address of a Host header in lower case; empty where it is none."""
    found = _HOST.fullmatch(host)
    return "" if found is None else (found["address"] or found["name"]).lower()
