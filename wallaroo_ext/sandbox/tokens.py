"""Bearer tokens that the sandbox signs and verifies itself, in the form of Keycloak's."""

from __future__ import annotations

import secrets
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from wallaroo_ext.sandbox.problems import unauthorized
from wallaroo_ext.sandbox.users import User, find_user

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.store import Store

_ALGORITHM = "RS256"
ACCESS_LIFETIME = 3600
REFRESH_LIFETIME = 1800


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request: a user, or, with a token without a user, a client alone."""

    user: User | None


class Tokens:
    """Signs and verifies tokens with a key that is kept in the data directory.

    Args:
        store: Where the key and the refresh tokens are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key_id = store.setting("token_key_id", lambda: secrets.token_urlsafe(32))
        pem = store.setting("token_key", _new_key)
        key = serialization.load_pem_private_key(pem.encode(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("the signing key is no RSA key")
        self._private_key = key
        self._public_key = key.public_key()

    def issue(self, client_id: str, user: User | None, issuer: str) -> dict[str, Any]:
        """The token endpoint's answer; without a user there is no refresh token."""
        session = str(uuid.uuid4())
        issued_at = int(time.time())
        claims = {
            "iss": issuer,
            "sub": user.id if user else f"service-account-{client_id}",
            "azp": client_id,
            "typ": "Bearer",
            "preferred_username": user.username if user else f"service-account-{client_id}",
            "user": user is not None,
            "sid": session,
            "jti": str(uuid.uuid4()),
            "iat": issued_at,
            "exp": issued_at + ACCESS_LIFETIME,
        }
        answer: dict[str, Any] = {
            "access_token": jwt.encode(claims, self._private_key, _ALGORITHM, headers={"kid": self._key_id}),
            "expires_in": ACCESS_LIFETIME,
            "refresh_expires_in": REFRESH_LIFETIME if user else 0,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": "profile email",
        }
        if user is not None:
            answer |= {"refresh_token": self._new_refresh_token(client_id, user), "session_state": session}
        return answer

    def _new_refresh_token(self, client_id: str, user: User) -> str:
        token = secrets.token_urlsafe(48)
        with self._store.transaction() as db:
            db.execute("DELETE FROM refresh_tokens WHERE expires_at < ?", (int(time.time()),))
            expires_at = int(time.time()) + REFRESH_LIFETIME
            db.execute("INSERT INTO refresh_tokens VALUES (?, ?, ?, ?)", (token, user.id, client_id, expires_at))
        return token

    def redeem(self, client_id: str, refresh_token: str) -> User | None:
        """The user of a refresh token, which is used up by it."""
        with self._store.transaction() as db:
            row = db.execute(
                "DELETE FROM refresh_tokens WHERE id = ? AND client_id = ? AND expires_at >= ? RETURNING user_id",
                (refresh_token, client_id, int(time.time())),
            ).fetchone()
            return None if row is None else find_user(db, row["user_id"])

    def verify(self, authorization: str | None) -> Caller:
        """Who sends a request with this Authorization header.

        Raises:
            Problem: 401, with what is wrong with the header or the token.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthorized("The request has no bearer token.")
        try:
            claims = jwt.decode(
                token.strip(), self._public_key, [_ALGORITHM], options={"require": ["exp", "sub"], "verify_aud": False}
            )
        except jwt.ExpiredSignatureError:
            raise unauthorized("The token has expired.") from None
        except jwt.InvalidTokenError:
            raise unauthorized("The token is not one of this instance.") from None
        if not claims.get("user"):
            return Caller(None)
        with self._store.transaction() as db:
            user = find_user(db, claims["sub"])
        if user is None or not user.enabled:
            raise unauthorized("The token's user is unknown or disabled.")
        return Caller(user)


def _new_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
