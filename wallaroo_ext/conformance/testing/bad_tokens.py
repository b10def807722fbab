"""Makes tokens that no instance may accept: missing, malformed, foreign and expired ones."""

from __future__ import annotations

import base64
import json
import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_ext.conformance.suite import Suite

EXPIRED_TOKEN = "WALLAROO_EXPIRED_TOKEN"  # noqa: S105 - a variable's name
"""The environment variable with an expired token of a live instance, whose tokens may live for hours."""
_LONGEST_WAIT_SECONDS = 90.0
_LEEWAY_SECONDS = 6.0
"""The difference between clocks that issuers and instances may allow."""


class NoSuchTokenError(Exception):
    """There is no token of this kind; the message says why."""


class BadTokens:
    """Headers `Authorization` with bad tokens of each kind.

    Args:
        suite: The run.
    """

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        auth: Any = suite.client.get_httpx_client().auth
        token = auth.token()
        self._first: str = token.access
        self._first_expires: float = token.expires_at
        self._kinds: dict[str, Callable[[], str | None]] = {
            "missing": lambda: None,
            "empty": lambda: "Bearer",
            "malformed": lambda: "Bearer not-a-token",
            "of another scheme": lambda: f"Token {self._good()}",
            "without a signature": lambda: f"Bearer {self._good().rpartition('.')[0]}.",
            "signed with nothing": lambda: f"Bearer {self._unsigned()}",
            "changed": lambda: f"Bearer {self._changed()}",
            "foreign": lambda: f"Bearer {self._foreign()}",
            "expired": lambda: f"Bearer {self._expired()}",
        }

    @property
    def kinds(self) -> list[str]:
        """The kinds of bad tokens."""
        return list(self._kinds)

    def header(self, kind: str) -> str | None:
        """Return the header with a token of a kind; None for no header at all.

        Raises:
            NoSuchTokenError: There is none.
        """
        return self._kinds[kind]()

    def _good(self) -> str:
        auth: Any = self._suite.client.get_httpx_client().auth
        return auth.token().access

    def _claims(self) -> dict[str, Any]:
        """Return the claims of a good token; empty where tokens are no JSON web tokens."""
        try:
            return jwt.decode(self._good(), options={"verify_signature": False})
        except jwt.InvalidTokenError:
            return {}

    def _unsigned(self) -> str:
        head, claims = ({"alg": "none", "typ": "JWT"}, self._claims())
        return ".".join(_encoded(part) for part in (head, claims)) + "."

    def _changed(self) -> str:
        """Return a good token with claims that were changed after it was signed."""
        head, _, signature = [*self._good().split("."), "", ""][:3]
        return f"{head}.{_encoded(self._claims() | {'sub': 'somebody-else'})}.{signature}"

    def _foreign(self) -> str:
        """Return a token with the claims of a good one, signed with a key that the issuer does not have."""
        return jwt.encode(self._claims(), _foreign_key(), algorithm="RS256", headers={"kid": "foreign"})

    def _expired(self) -> str:
        """Return the run's first token, once it has expired, or the one that the environment names."""
        named = os.environ.get(EXPIRED_TOKEN)
        if named and self._suite.instance.kind == "live":
            return named
        left = self._first_expires + _LEEWAY_SECONDS - time.monotonic()
        if left > _LONGEST_WAIT_SECONDS:
            raise NoSuchTokenError(
                f"Tokens of this instance are good for {left:.0f} s more: name an expired one in {EXPIRED_TOKEN}."
            )
        time.sleep(max(0.0, left))
        return self._first


@cache
def _foreign_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
