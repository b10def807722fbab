"""Issuing tokens in the form of Keycloak's, and finding out who sends a request."""

from __future__ import annotations

import sqlite3
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt

from wallaroo_ext.sandbox.auth.claims import OPENID, USUAL_SCOPES, Grant, access_claims, id_claims
from wallaroo_ext.sandbox.auth.issuer import OWN_TOKEN_LEEWAY, IdentityCache, read_token
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

SDK_CLIENT = "sdk-client"
"""The public client of the vendor's SDK."""
_SDK_TOKEN_SECONDS = 60
_KEYS_SETTING = "token_keys"


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request: a user, or a client alone if the token has no user.

    Attributes:
        user: The user; None for a client alone.
        name: The name of the caller in the access log, from the token.
    """

    user: User | None
    name: str = field(default="", compare=False)


def bearer_token(authorization: str | None) -> str:
    """Return the token in an Authorization header.

    Raises:
        Problem: 401, if there is none.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthorized("The request has no bearer token.")
    return token.strip()


class Tokens:
    """Issues tokens, signed with a key from the data directory, and verifies the tokens of requests.

    Args:
        store: Holds the keys, the refresh tokens and the users.
        options: Set the lifetimes of tokens.
        issuer: Another issuer, whose tokens are accepted instead of the sandbox's own.
    """

    def __init__(
        self, store: Store, options: SandboxOptions = DEFAULT_OPTIONS, issuer: ForeignIssuer | None = None
    ) -> None:
        self._store = store
        self._options = options
        self._issuer = issuer
        self._identities = IdentityCache()
        self._refresh_tokens = RefreshTokens(store, options.refresh_lifetime)
        self._keys = SigningKeys.from_json(store.setting(_KEYS_SETTING, lambda: SigningKeys.new({}).to_json()))

    def rotate(self) -> None:
        """Sign with a new key from now on; tokens signed with the old keys stay valid."""
        self._replace_keys(SigningKeys.new(self._keys.public))

    def remove_old_keys(self) -> None:
        """Reject from now on the tokens that were not signed with the current key."""
        self._replace_keys(self._keys.without_old_keys())

    def _replace_keys(self, keys: SigningKeys) -> None:
        self._store.change_setting(_KEYS_SETTING, keys.to_json())
        self._keys = keys
        self._identities = IdentityCache()  # verifications under way still fill the old cache, which nobody reads

    def public_keys(self) -> list[dict[str, Any]]:
        """Return the public keys as the entries of a JSON Web Key Set."""
        return self._keys.as_key_set()

    def issue(
        self,
        client_id: str,
        user: User | None,
        issuer: str,
        *,
        scopes: tuple[str, ...] = USUAL_SCOPES,
        continued: Session | None = None,
    ) -> dict[str, Any]:
        """Return the answer of the token endpoint, with a refresh token if there is a user.

        Args:
            client_id: The client that requested the token.
            user: The user who signed in; None for the client alone.
            issuer: The realm's URL.
            scopes: The granted scopes.
            continued: The session to continue, whose refresh token is used up; None for a new session.

        Raises:
            Problem: 400, if the refresh token of the session was used before.
        """
        session = None if user is None else str(uuid.uuid4()) if continued is None else continued.id
        grant = Grant(issuer, client_id, user, scopes, session)
        lifetime = self._lifetime(client_id)
        access_token = self._sign(access_claims(grant), lifetime)
        answer: dict[str, Any] = {
            "access_token": access_token,
            "expires_in": lifetime,
            "refresh_expires_in": 0 if grant.is_offline or user is None else self._options.refresh_lifetime,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": " ".join(scopes),
        }
        if OPENID in scopes:
            answer["id_token"] = self._sign(id_claims(grant, access_token), lifetime)
        if user is not None and session is not None:
            used_token_id = None if continued is None else continued.token_id
            answer["refresh_token"] = self._refresh_tokens.issue(grant, user, session, used_token_id)
            answer["session_state"] = session
        return answer

    def _lifetime(self, client_id: str) -> int:
        """Return the lifetime of a client's access tokens, in seconds."""
        lifetime = self._options.token_lifetime
        return min(lifetime, _SDK_TOKEN_SECONDS) if client_id == SDK_CLIENT else lifetime

    def _sign(self, claims: dict[str, Any], lifetime: int) -> str:
        issued_at = int(time.time())
        times = {"iat": issued_at, "exp": issued_at + lifetime}
        keys = self._keys
        return jwt.encode(claims | times, keys.signing, ALGORITHM, headers={"kid": keys.signing_id})

    def session(self, client_id: str, refresh_token: str) -> Session:
        """Return the session that a refresh token continues; `issue` uses the token up.

        Raises:
            Problem: 400, if the token is not this client's, has expired, or was used before.
        """
        return self._refresh_tokens.session(client_id, refresh_token)

    def verify(self, authorization: str | None, received_at: float | None = None) -> Caller:
        """Verify the Authorization header of a request, and return the sender.

        Args:
            authorization: The header.
            received_at: When the request arrived; see `ForeignIssuer.identify`.

        Raises:
            Problem: 401 with the reason; 503 if another issuer's keys are needed and cannot be fetched.
        """
        identity = self._identify(bearer_token(authorization), received_at)
        return Caller(None if identity.is_client else self._user(identity), identity.username)

    def _identify(self, token: str, received_at: float | None) -> Identity:
        cache = self._identities
        identity = cache.find(token)
        if identity is not None:
            if self._issuer is not None:
                self._issuer.check_key(identity.key_id, received_at)
            return identity
        if self._issuer is not None:
            identity = self._issuer.identify(token, received_at)
        else:
            identity = read_token(token, self._public_key, leeway=OWN_TOKEN_LEEWAY)
        cache.add(token, identity)
        return identity

    def _public_key(self, key_id: str) -> rsa.RSAPublicKey:
        key = self._keys.public.get(key_id)
        if key is None:
            raise unauthorized("The token is signed with a key that this instance does not have.")
        return key

    def _user(self, identity: Identity) -> User:
        """Return the enabled user of a token."""
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
        """Add the user of another issuer, and return it; return None if the sandbox issues its own tokens."""
        if self._issuer is None:
            return None
        return add_foreign_user(db, identity.subject, identity.username, identity.email)
