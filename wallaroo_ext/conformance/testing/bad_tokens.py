"""Makes tokens that no instance may accept: missing, malformed, forged and expired ones, and those for other uses."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from wallaroo_ext._util.json_values import object_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

FORGED: dict[str, dict[str, Any]] = {
    "signed by a key of one's own": {},
    "for another audience": {"aud": "another-api"},
    "of another issuer": {"iss": "https://keycloak.example.com/auth/realms/master"},
    "of another realm": {"iss": "{issuer}-of-others"},
    "not yet valid": {"nbf": "{later}", "iat": "{later}"},
    "good for years": {"exp": "{later}"},
    "without a subject": {"sub": None},
    "without an expiry": {"exp": None},
}
"""The claims of forged tokens that differ from those of a good one, by what the token is; None for none at all."""
_YEARS_SECONDS = 100_000_000

EXPIRED_TOKEN = "WALLAROO_EXPIRED_TOKEN"  # noqa: S105 - a variable's name
"""The environment variable with an expired token of a live instance, whose tokens may live for hours."""
_LONGEST_WAIT_SECONDS = 90.0
_MARGIN_SECONDS = 1.5
"""How long before it expires a token is replaced: an expired one would be refused whatever else it is."""
_LEEWAY_SECONDS = 6.0
"""The difference between clocks that issuers and instances may allow."""


class NoSuchTokenError(Exception):
    """There is no token of this kind; the message says why."""


class BadTokens:
    """Headers `Authorization` with bad tokens of each kind.

    Args:
        suite: The run.
        api: The operations of the instance.
    """

    def __init__(self, suite: Suite, api: Api) -> None:
        self._suite = suite
        self._api = api
        self._forged_from = ""
        self._forged: dict[str, str] = {}
        self._public_keys: list[bytes] | None = None
        self._others: dict[str, str] = {}
        self._others_good_until = 0.0
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

    def forged(self) -> dict[str, str]:
        """Return headers with tokens that look like good ones, by what they are; none where tokens are no JWTs."""
        token = self._good()
        if self._forged_from != token:
            self._forged_from, self._forged = token, self._forge(token)
        return self._forged

    def _forge(self, token: str) -> dict[str, str]:
        claims = claims_of(token)
        if not claims:
            return {}
        head, signature = jwt.get_unverified_header(token), token.rpartition(".")[2]
        found: dict[str, str] = {}
        for name, changes in FORGED.items():
            changed = _changed_claims(claims, changes)
            found[name] = jwt.encode(changed, _foreign_key(), algorithm="RS256", headers={"kid": head.get("kid", "")})
            if changes:
                found[f"{name}, with the signature of another"] = f"{_encoded(head)}.{_encoded(changed)}.{signature}"
        if self._public_keys is None:
            self._public_keys = self._find_public_keys(str(head.get("kid", "")), str(claims.get("iss", "")))
        for number, key in enumerate(self._public_keys):
            signed = f"{_encoded(head | {'alg': 'HS256'})}.{_encoded(claims)}"
            mac = hmac.digest(key, signed.encode(), hashlib.sha256)
            found[f"signed with the public key ({number})"] = f"{signed}.{_in_base64(mac)}"
        return {name: f"Bearer {forged}" for name, forged in found.items()}

    def for_other_uses(self) -> dict[str, str]:
        """Return headers with tokens that the instance's issuer gave for other uses: refresh tokens and id tokens."""
        if time.monotonic() > self._others_good_until:
            self._others, self._others_good_until = self._request_others()
        return self._others

    def _request_others(self) -> tuple[dict[str, str], float]:
        settings = self._suite.instance.settings
        if settings.username is None:
            return {}, math.inf
        asked_at = time.monotonic()
        form = {
            "grant_type": "password",
            "username": settings.username,
            "password": settings.password or "",
            "scope": "openid",
        }
        headers = {"Authorization": self._suite.authorization("request_token")}
        answer = self._api.send("request_token", data=form, headers=headers, auth=None)
        given = object_of(answer.json()) if answer.is_success else {}
        found = {name: f"Bearer {given[name]}" for name in ("refresh_token", "id_token") if name in given}
        return found, asked_at + given.get("expires_in", 0) - _MARGIN_SECONDS

    def _find_public_keys(self, key_id: str, issuer: str) -> list[bytes]:
        """Return the public key of an id in the forms in which it could be taken for a secret; none if it is secret."""
        path = issuer.removeprefix(self._suite.instance.settings.auth_url.rstrip("/"))
        if path == issuer:
            return []
        keys = self._api.keys(path)
        key = next((key for key in keys if key.get("kid") == key_id and key.get("kty") == "RSA"), None)
        if key is None:
            return []
        public: Any = RSAAlgorithm.from_jwk(json.dumps(key))
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return [pem, pem.strip(), public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)]

    def _good(self) -> str:
        auth: Any = self._suite.client.get_httpx_client().auth
        return auth.token().access

    def _claims(self) -> dict[str, Any]:
        return claims_of(self._good())

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
        first = self._suite.first_token
        left = first.expires_at + _LEEWAY_SECONDS - time.monotonic()
        if left > _LONGEST_WAIT_SECONDS:
            raise NoSuchTokenError(
                f"Tokens of this instance are good for {left:.0f} s more: name an expired one in {EXPIRED_TOKEN}."
            )
        time.sleep(max(0.0, left))
        return first.access


def _changed_claims(claims: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return claims with changes, of which texts in braces stand for a time far off or the issuer."""
    later = int(time.time()) + _YEARS_SECONDS
    changed = dict(claims)
    for name, value in changes.items():
        if value is None:
            changed.pop(name, None)
        else:
            changed[name] = later if value == "{later}" else value.replace("{issuer}", str(claims.get("iss", "")))
    return changed


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a token, whoever signed it; empty where tokens are no JSON web tokens."""
    try:
        return jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}


@cache
def _foreign_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _encoded(part: dict[str, Any]) -> str:
    return _in_base64(json.dumps(part).encode())


def _in_base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
