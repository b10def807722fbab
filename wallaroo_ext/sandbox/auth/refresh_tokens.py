"""Refresh tokens, each good for one use, as Keycloak's are where they rotate.

The token says what it continues, and the database has those that were not used yet. Whoever uses one twice ends its
session, since one of the two may have stolen it.
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
from wallaroo_ext.sandbox.auth.issuer import UNREADABLE, WHOLE_SECOND
from wallaroo_ext.sandbox.auth.users import User, find_user
from wallaroo_ext.sandbox.http.problems import Problem, no_token

if TYPE_CHECKING:
    import sqlite3

    from wallaroo_ext.sandbox.storage.store import Store

_ALGORITHM = "HS512"
_KEY_SETTING = "refresh_key"
_KEY_BYTES = 64
_NEVER = 2**63 - 1  # when an offline refresh token expires, as the database has it


@dataclass(frozen=True, slots=True)
class Session:
    """What a refresh token continues.

    Attributes:
        id: The session's id, which its tokens share.
        user: Who signed in.
        scopes: What was granted.
        spent: The database's name of the refresh token.
    """

    id: str
    user: User
    scopes: tuple[str, ...]
    spent: str


class RefreshTokens:
    """Issues refresh tokens, and says what they continue.

    Args:
        store: Where the key and the unused tokens are.
        lifetime: How long one lives that is not for offline use, in seconds.
    """

    def __init__(self, store: Store, lifetime: int) -> None:
        self._store = store
        self._lifetime = lifetime
        key = json.loads(store.setting(_KEY_SETTING, _new_key))
        self._key_id, self._key = str(key["id"]), bytes.fromhex(key["secret"])

    def issue(self, grant: Grant, user: User, session: str, spent: str | None) -> str:
        """Return a refresh token, stored in place of the one that is used up.

        Raises:
            Problem: 400, when that one was used up already.
        """
        now = int(time.time())
        claims = _claims(grant, user, session) | {"iat": now}
        expires_at = _NEVER if grant.is_offline else now + self._lifetime
        if not grant.is_offline:
            claims["exp"] = expires_at
        with self._store.transaction() as db:
            unused = spent is None or db.execute("DELETE FROM refresh_tokens WHERE id = ?", (spent,)).rowcount
            if unused:
                db.execute("DELETE FROM refresh_tokens WHERE expires_at < ?", (now,))
                db.execute(
                    "INSERT INTO refresh_tokens (id, user_id, client_id, expires_at) VALUES (?, ?, ?, ?)",
                    (_row_id(claims), user.id, grant.client_id, expires_at),
                )
        if not unused:
            raise self._second_use(session)
        return jwt.encode(claims, self._key, _ALGORITHM, headers={"kid": self._key_id})

    def session(self, client_id: str, token: str) -> Session:
        """Return what a refresh token continues; `issue` uses it up.

        Raises:
            Problem: 400, when it is none of this client's, or expired, or used up.
        """
        claims = self._read(token)
        row_id = token if claims is None else _row_id(claims)
        with self._store.reading() as db:
            row = db.execute(
                "SELECT user_id, expires_at FROM refresh_tokens WHERE id = ? AND client_id = ? AND expires_at >= ?",
                (row_id, client_id, int(time.time())),
            ).fetchone()
            user = None if row is None else find_user(db, row["user_id"])
        if row is None or user is None:
            raise _refused("Invalid refresh token") if claims is None else self._second_use(str(claims["sid"]))
        if claims is not None:
            return Session(str(claims["sid"]), user, tuple(str(claims["scope"]).split()), row_id)
        scopes = (*USUAL_SCOPES, OFFLINE) if row["expires_at"] == _NEVER else USUAL_SCOPES
        return Session(row_id.partition(".")[0], user, scopes, row_id)

    def _read(self, token: str) -> dict[str, Any] | None:
        """Return what a refresh token says; None for another text, such as a token of the sandbox's first version."""
        try:
            return jwt.decode(
                token,
                self._key,
                [_ALGORITHM],
                options={"require": ["sid", "jti", "scope"], "verify_aud": False},
                leeway=WHOLE_SECOND,
            )
        except jwt.ExpiredSignatureError:
            raise _refused("Token is not active") from None
        except UNREADABLE:
            return None

    def _second_use(self, session: str) -> Problem:
        """End the session of a token that was used twice; the refusal, which is another one once it has ended."""
        with self._store.transaction() as db:
            ended = _end_session(db, session)
        said = "Maximum allowed refresh token reuse exceeded" if ended else "Session doesn't have required client"
        return _refused(said)


def _end_session(db: sqlite3.Connection, session: str) -> int:
    """Delete a session's refresh tokens; how many there were."""
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


def _row_id(claims: dict[str, Any]) -> str:
    """Return the database's name of a token; all those of a session begin in the same way."""
    return f"{claims['sid']}.{claims['jti']}"


def _new_key() -> str:
    return json.dumps({"id": str(uuid.uuid4()), "secret": secrets.token_hex(_KEY_BYTES)})


def _refused(description: str) -> Problem:
    """Return the token endpoint's refusal of a refresh token."""
    return no_token(HTTPStatus.BAD_REQUEST, "invalid_grant", description)
