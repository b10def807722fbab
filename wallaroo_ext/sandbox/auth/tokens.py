"""Bearer tokens that the sandbox signs and verifies itself, in the form of Keycloak's."""

from __future__ import annotations

import sqlite3
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt

from wallaroo_ext.sandbox.auth.claims import OPENID, USUAL_SCOPES, Grant, access_claims, id_claims
from wallaroo_ext.sandbox.auth.issuer import WHOLE_SECOND, RecentIdentities, read_token
from wallaroo_ext.sandbox.auth.issuer_keys import ALGORITHM
from wallaroo_ext.sandbox.auth.refresh_tokens import RefreshTokens, Session
from wallaroo_ext.sandbox.auth.signing_keys import SigningKeys
from wallaroo_ext.sandbox.auth.users import User, add_foreign_user, find_user
from wallaroo_ext.sandbox.http.problems import unauthorized
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS, SandboxOptions

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

    from wallaroo_ext.sandbox.auth.issuer import ForeignIssuer, Identity
    from wallaroo_ext.sandbox.storage.store import Store

_KEYS_SETTING = "token_keys"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request: a user, or, with a token without a user, a client alone.

    Attributes:
        user: The user; None for a client alone.
        name: What the log calls the caller, as the token has it.
    """

    user: User | None
    name: str = field(default="", compare=False)


def bearer_token(authorization: str | None) -> str:
    """Return the token in an Authorization header.

    Raises:
        Problem: 401, where there is none.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthorized("The request has no bearer token.")
    return token.strip()


class Tokens:
    """Signs tokens with a key that is kept in the data directory, and says who sends a request.

    Args:
        store: Where the keys and the refresh tokens are.
        options: How long tokens live.
        issuer: Whose tokens are good in place of the sandbox's own.
    """

    def __init__(
        self, store: Store, options: SandboxOptions = DEFAULT_OPTIONS, issuer: ForeignIssuer | None = None
    ) -> None:
        self._store = store
        self._options = options
        self._issuer = issuer
        self._recent = RecentIdentities()
        self._refresh_tokens = RefreshTokens(store, options.refresh_lifetime)
        self._keys = SigningKeys.from_json(store.setting(_KEYS_SETTING, lambda: SigningKeys.new({}).to_json()))

    def rotate(self) -> None:
        """Sign with a new key from now on; tokens by the old ones stay good."""
        self._replace_keys(SigningKeys.new(self._keys.public))

    def remove_old_keys(self) -> None:
        """Refuse the tokens by every key but the one that signs now."""
        self._replace_keys(self._keys.alone())

    def _replace_keys(self, keys: SigningKeys) -> None:
        self._store.change_setting(_KEYS_SETTING, keys.to_json())
        self._keys = keys
        self._recent = RecentIdentities()  # a check that began before ends in the old one, which nobody reads

    def public_keys(self) -> list[dict[str, Any]]:
        """Return the keys to verify tokens with, as a JSON Web Key Set has them."""
        return self._keys.published()

    def issue(
        self,
        client_id: str,
        user: User | None,
        issuer: str,
        *,
        scopes: tuple[str, ...] = USUAL_SCOPES,
        continued: Session | None = None,
    ) -> dict[str, Any]:
        """Return the token endpoint's answer; without a user there is no refresh token.

        Args:
            client_id: The client that asked.
            user: Who signed in; None for the client alone.
            issuer: The realm's URL.
            scopes: What is granted.
            continued: The session that goes on, whose refresh token is used up; None for a new session.

        Raises:
            Problem: 400, when the refresh token was used up already.
        """
        session = None if user is None else str(uuid.uuid4()) if continued is None else continued.id
        grant = Grant(issuer, client_id, user, scopes, session)
        access_token = self._sign(access_claims(grant))
        answer: dict[str, Any] = {
            "access_token": access_token,
            "expires_in": self._options.token_lifetime,
            "refresh_expires_in": 0 if grant.is_offline or user is None else self._options.refresh_lifetime,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": " ".join(scopes),
        }
        if OPENID in scopes:
            answer["id_token"] = self._sign(id_claims(grant, access_token))
        if user is not None and session is not None:
            spent = None if continued is None else continued.spent
            answer["refresh_token"] = self._refresh_tokens.issue(grant, user, session, spent)
            answer["session_state"] = session
        return answer

    def _sign(self, claims: dict[str, Any]) -> str:
        issued_at = int(time.time())
        times = {"iat": issued_at, "exp": issued_at + self._options.token_lifetime}
        keys = self._keys
        return jwt.encode(claims | times, keys.signing, ALGORITHM, headers={"kid": keys.signing_id})

    def session(self, client_id: str, refresh_token: str) -> Session:
        """Return what a refresh token continues; `issue` uses it up.

        Raises:
            Problem: 400, when it is none of this client's, or expired, or used up.
        """
        return self._refresh_tokens.session(client_id, refresh_token)

    def verify(self, authorization: str | None, asked_at: float | None = None) -> Caller:
        """Return who sends a request with this Authorization header.

        Args:
            authorization: The header.
            asked_at: When the request came, for another issuer: see `ForeignIssuer.identify`.

        Raises:
            Problem: 401, with what is wrong with the header or the token; 503 where another issuer's keys are needed
                and cannot be fetched.
        """
        identity = self._identify(bearer_token(authorization), asked_at)
        return Caller(None if identity.is_client else self._user(identity), identity.username)

    def _identify(self, token: str, asked_at: float | None) -> Identity:
        recent = self._recent
        identity = recent.find(token)
        if identity is not None:
            if self._issuer is not None:
                self._issuer.check_key(identity.key_id, asked_at)
            return identity
        if self._issuer is not None:
            identity = self._issuer.identify(token, asked_at)
        else:
            identity = read_token(token, self._public_key, leeway=WHOLE_SECOND)
        recent.add(token, identity)
        return identity

    def _public_key(self, key_id: str) -> rsa.RSAPublicKey:
        key = self._keys.public.get(key_id)
        if key is None:
            raise unauthorized("The token is signed with a key that this instance does not have.")
        return key

    def _user(self, identity: Identity) -> User:
        """Return the user of a token."""
        try:
            with self._store.reading() as db:
                user = find_user(db, identity.subject)
            if user is None:
                with self._store.transaction() as db:
                    user = find_user(db, identity.subject) or self._add_foreign(db, identity)
        except sqlite3.IntegrityError:
            raise unauthorized(
                f"Another user of this sandbox has the name or the e-mail address of {identity.username!r}; give a "
                f"sandbox that trusts another issuer a data directory of its own."
            ) from None
        if user is None or not user.enabled:
            raise unauthorized("The token's user is unknown or disabled.")
        return user

    def _add_foreign(self, db: sqlite3.Connection, identity: Identity) -> User | None:
        """The record of a user of another issuer, made at the first token; without such an issuer there is none."""
        if self._issuer is None:
            return None
        return add_foreign_user(db, identity.subject, identity.username, identity.email)
