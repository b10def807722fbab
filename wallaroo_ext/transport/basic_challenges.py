"""Tells a gateway that wants a user and a password by HTTP Basic from an API that wants a token."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ADVICE = (
    "A gateway in front wants a user and a password of its own by HTTP Basic. They cannot be sent beside a token, for "
    "which there is one header: have the gateway let this API through, or use an address behind it."
)
"""What to do about it; user and password in the address are refused, because they would take the token's place."""

_JSON = "json"
_SCHEME = re.compile(r"""(?:^|,)\s*([A-Za-z][\w-]*)(?=\s+[\w-]+\s*=|\s*(?:,|$))""")


def wants_basic(status: int, headers: Iterable[tuple[str, str]]) -> bool:
    """Return whether an answer is that of a gateway which wants HTTP Basic, and which no token will satisfy.

    The API and Keycloak answer in JSON; Keycloak may ask for the client's secret by HTTP Basic, too.

    Args:
        status: Its status.
        headers: Its headers.
    """
    if status != HTTPStatus.UNAUTHORIZED:
        return False
    all_headers = [(name.lower(), value) for name, value in headers]
    if any(name == "content-type" and _JSON in value.lower() for name, value in all_headers):
        return False
    challenges = ", ".join(value for name, value in all_headers if name == "www-authenticate")
    schemes = {scheme.lower() for scheme in _SCHEME.findall(challenges)}
    return "basic" in schemes and "bearer" not in schemes
