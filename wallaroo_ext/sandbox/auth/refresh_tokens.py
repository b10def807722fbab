"""Refresh tokens that can be used once, as Keycloak's with rotation.

A token's claims name its session, and the database lists the unused tokens. Using a token twice ends its session,
because one of the two users may have stolen it.
"""

from __future__ import annotations

import json
import secrets
import time
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import jwt

from wallaroo_ext.sandbox.auth.claims import OFFLINE, USUAL_SCOPES, Grant
from wallaroo_ext.sandbox.auth.issuer import OWN_TOKEN_LEEWAY, TOKEN_ERRORS
from wallaroo_ext.sandbox.auth.users import User, find_user
from wallaroo_ext.sandbox.http.problems import Problem, token_error

if TYPE_CHECKING:
    import sqlite3

    from wallaroo_ext.sandbox.storage.store import Store

_ALGORITHM = "HS512"
_KEY_SETTING = "refresh_key"
_KEY_BYTES = 64
_NEVER = 2**63 - 1  # the expiry of an offline token in the database


@dataclass(frozen=True, slots=True)
class Session:
    """A session that a refresh token continues.

    Attributes:
        id: The id that all tokens of the session share.
        user: The user who signed in.
        scopes: The granted scopes.
        token_id: The id of the refresh token in the database.
    """

    id: str
    user: User
    scopes: tuple[str, ...]
    token_id: str


class RefreshTokens:
    """Issues refresh tokens, and finds the sessions that they continue.

    Args:
        store: Holds the signing key and the unused tokens.
        lifetime: The lifetime of a token that is not for offline use, in seconds.
    """

    def __init__(self, store: Store, lifetime: int) -> None:
        self._store = store
        self._lifetime = lifetime
        key = json.loads(store.setting(_KEY_SETTING, _new_key))
        self._key_id, self._key = str(key["id"]), bytes.fromhex(key["secret"])

    def issue(self, grant: Grant, user: User, session: str, used_token_id: str | None) -> str:
        """Issue a refresh token in place of a used one.

        Raises:
            Problem: 400, if the used token had been used before.
        """
        now = int(time.time())
        claims = _claims(grant, user, session) | {"iat": now}
        expires_at = _NEVER if grant.is_offline else now + self._lifetime
        if not grant.is_offline:
            claims["exp"] = expires_at
        with self._store.transaction() as db:
            unused = used_token_id is None or _delete(db, used_token_id)
            if unused:
                db.execute("DELETE FROM refresh_tokens WHERE expires_at < ?", (now,))
                db.execute(
                    "INSERT INTO refresh_tokens (id, user_id, client_id, expires_at) VALUES (?, ?, ?, ?)",
                    (_token_id(claims), user.id, grant.client_id, expires_at),
                )
        if not unused:
            raise self._end_reused_session(session)
        return jwt.encode(claims, self._key, _ALGORITHM, headers={"kid": self._key_id})

    def session(self, client_id: str, token: str) -> Session:
        """Return the session that a refresh token continues; `issue` uses the token up.

        Raises:
            Problem: 400, if the token is not this client's, has expired, or was used before.
        """
        claims = self._read(token)
        if claims is not None and claims.get("azp") != client_id:  # it was not used, so its session goes on
            raise _refused("Invalid refresh token. Token client and authorized client don't match")
        token_id = token if claims is None else _token_id(claims)
        with self._store.reading() as db:
            row = db.execute(
                "SELECT user_id, expires_at FROM refresh_tokens WHERE id = ? AND client_id = ? AND expires_at >= ?",
                (token_id, client_id, int(time.time())),
            ).fetchone()
            user = None if row is None else find_user(db, row["user_id"])
        if row is None or user is None:
            raise _refused("Invalid refresh token") if claims is None else self._end_reused_session(str(claims["sid"]))
        if claims is not None:
            return Session(str(claims["sid"]), user, tuple(str(claims["scope"]).split()), token_id)
        scopes = (*USUAL_SCOPES, OFFLINE) if row["expires_at"] == _NEVER else USUAL_SCOPES
        return Session(token_id.partition(".")[0], user, scopes, token_id)

    def _read(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a refresh token, or None for another text, such as a token of the first sandbox."""
        try:
            return jwt.decode(
                token,
                self._key,
                [_ALGORITHM],
                options={"require": ["sid", "jti", "scope"], "verify_aud": False},
                leeway=OWN_TOKEN_LEEWAY,
            )
        except jwt.ExpiredSignatureError:
            raise _refused("Token is not active") from None
        except TOKEN_ERRORS:
            return None

    def _end_reused_session(self, session: str) -> Problem:
        """End the session of a token that was used twice, and return the error to raise; later uses get another."""
        with self._store.transaction() as db:
            ended = _end_session(db, session)
        description = (
            "Maximum allowed refresh token reuse exceeded" if ended else "Session doesn't have required client"
        )
        return _refused(description)


def _delete(db: sqlite3.Connection, token_id: str) -> int:
    """Delete a refresh token, and return 1 if it was unused, else 0."""
    return db.execute("DELETE FROM refresh_tokens WHERE id = ?", (token_id,)).rowcount


def _end_session(db: sqlite3.Connection, session: str) -> int:
    """Delete the refresh tokens of a session, and return how many there were."""
    prefix = f"{session}."
    return db.execute("DELETE FROM refresh_tokens WHERE substr(id, 1, ?) = ?", (len(prefix), prefix)).rowcount


def _claims(grant: Grant, user: User, session: str) -> dict[str, Any]:
    return {
        "jti": str(uuid.uuid4()),
        "iss": grant.issuer,
        "aud": grant.issuer,
        "sub": user.id,
        "typ": "Offline" if grant.is_offline else "Refresh",
        "azp": grant.client_id,
        "sid": session,
        "scope": " ".join(grant.scopes),
    }


def _token_id(claims: dict[str, Any]) -> str:
    """Return the id of a token in the database, which begins with the id of its session."""
    return f"{claims['sid']}.{claims['jti']}"


def _new_key() -> str:
    return json.dumps({"id": str(uuid.uuid4()), "secret": secrets.token_hex(_KEY_BYTES)})


def _refused(description: str) -> Problem:
    """Return the error with which the token endpoint refuses a refresh token."""
    return token_error(HTTPStatus.BAD_REQUEST, "invalid_grant", description)
