"""Bearer tokens that the sandbox signs and verifies itself, in the form of Keycloak's."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from wallaroo_ext.sandbox.issuer import ALGORITHM, RecentIdentities, read_token, service_account
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS, SandboxOptions
from wallaroo_ext.sandbox.problems import Problem, no_token, unauthorized
from wallaroo_ext.sandbox.users import User, add_foreign_user, find_user

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.issuer import ForeignIssuer, Identity
    from wallaroo_ext.sandbox.store import Store

_KEYS_SETTING = "token_keys"
_SCOPE = "profile email"
_ROLES = ("default-roles-master", "offline_access", "uma_authorization")
OFFLINE = "offline_access"
_NEVER = 2**63 - 1  # when an offline refresh token expires, as the database has it
# Keycloak compares whole seconds, so that a token whose lifetime began within a second is good for all of it.
_WHOLE_SECOND = 1


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request: a user, or, with a token without a user, a client alone.

    Attributes:
        user: The user; None for a client alone.
        name: What the log calls the caller, as the token has it.
    """

    user: User | None
    name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Session:
    """What a refresh token continues.

    Attributes:
        id: The session's id, which its tokens share.
        user: Who signed in.
        offline: Whether it never ends.
    """

    id: str
    user: User
    offline: bool


@dataclass(frozen=True, slots=True)
class _Keys:
    """The key that signs, and all public keys whose tokens are good, by their ids."""

    signing_id: str
    signing: rsa.RSAPrivateKey = field(repr=False)
    public: dict[str, rsa.RSAPublicKey]

    @staticmethod
    def new(old: dict[str, rsa.RSAPublicKey]) -> _Keys:
        """A new key to sign with, beside old ones."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        key_id = secrets.token_urlsafe(32)
        return _Keys(key_id, key, old | {key_id: key.public_key()})

    @staticmethod
    def from_json(text: str) -> _Keys:
        """The keys as `to_json` wrote them."""
        content = json.loads(text)
        signing = serialization.load_pem_private_key(content["signing"].encode(), password=None)
        if not isinstance(signing, rsa.RSAPrivateKey):
            raise TypeError("the signing key is no RSA key")
        public = {key_id: RSAAlgorithm.from_jwk(jwk) for key_id, jwk in content["public"].items()}
        return _Keys(
            content["signing_id"],
            signing,
            {key_id: key for key_id, key in public.items() if isinstance(key, rsa.RSAPublicKey)},
        )

    def to_json(self) -> str:
        """The keys as a text; of the old ones, nothing is kept that could sign."""
        pem = self.signing.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = {key_id: RSAAlgorithm.to_jwk(key, as_dict=True) for key_id, key in self.public.items()}
        return json.dumps({"signing_id": self.signing_id, "signing": pem.decode(), "public": public})


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
        self._keys = _Keys.from_json(store.setting(_KEYS_SETTING, lambda: _Keys.new({}).to_json()))

    def rotate(self) -> None:
        """Sign with a new key from now on; tokens by the old ones stay good."""
        self._replace_keys(_Keys.new(self._keys.public))

    def remove_old_keys(self) -> None:
        """Refuse the tokens by every key but the one that signs now."""
        keys = self._keys
        self._replace_keys(_Keys(keys.signing_id, keys.signing, {keys.signing_id: keys.public[keys.signing_id]}))

    def _replace_keys(self, keys: _Keys) -> None:
        with self._store.transaction() as db:
            db.execute("UPDATE settings SET value = ? WHERE name = ?", (keys.to_json(), _KEYS_SETTING))
        self._keys = keys
        self._recent = RecentIdentities()  # a check that began before ends in the old one, which nobody reads

    def public_keys(self) -> list[dict[str, Any]]:
        """The keys to verify tokens with, as a JSON Web Key Set has them."""
        return [
            {"kid": key_id, "use": "sig", "alg": ALGORITHM}
            | {name: value for name, value in RSAAlgorithm.to_jwk(key, as_dict=True).items() if name != "key_ops"}
            for key_id, key in self._keys.public.items()
        ]

    def issue(
        self, client_id: str, user: User | None, issuer: str, *, offline: bool = False, spent: str | None = None
    ) -> dict[str, Any]:
        """The token endpoint's answer; without a user there is no refresh token.

        Args:
            client_id: The client that asked.
            user: Who signed in; None for the client alone.
            issuer: The realm's URL.
            offline: Whether the refresh token never expires.
            spent: The refresh token that is used up for it, whose session goes on; None for a new session.

        Raises:
            Problem: 400, when the refresh token was used up already.
        """
        session = str(uuid.uuid4()) if spent is None else _session_of(spent)
        scope = f"{_SCOPE} {OFFLINE}" if offline else _SCOPE
        claims = _claims(client_id, user) | {"iss": issuer, "sid": session, "scope": scope}
        answer: dict[str, Any] = {
            "access_token": self._sign(claims),
            "expires_in": self._options.token_lifetime,
            "refresh_expires_in": 0 if offline or user is None else self._options.refresh_lifetime,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": scope,
        }
        if user is not None:
            refresh_token = self._new_refresh_token(client_id, Session(session, user, offline), spent)
            answer |= {"refresh_token": refresh_token, "session_state": session}
        return answer

    def _sign(self, claims: dict[str, Any]) -> str:
        issued_at = int(time.time())
        times = {"iat": issued_at, "exp": issued_at + self._options.token_lifetime}
        keys = self._keys
        return jwt.encode(claims | times, keys.signing, ALGORITHM, headers={"kid": keys.signing_id})

    def _new_refresh_token(self, client_id: str, session: Session, spent: str | None) -> str:
        """A refresh token, stored in place of the one that is used up."""
        token = f"{session.id}.{secrets.token_urlsafe(48)}"
        now = int(time.time())
        expires_at = _NEVER if session.offline else now + self._options.refresh_lifetime
        with self._store.transaction() as db:
            if spent is not None and not db.execute("DELETE FROM refresh_tokens WHERE id = ?", (spent,)).rowcount:
                raise _invalid_refresh_token()
            db.execute("DELETE FROM refresh_tokens WHERE expires_at < ?", (now,))
            db.execute(
                "INSERT INTO refresh_tokens (id, user_id, client_id, expires_at) VALUES (?, ?, ?, ?)",
                (token, session.user.id, client_id, expires_at),
            )
        return token

    def session(self, client_id: str, refresh_token: str) -> Session:
        """What a refresh token continues; `issue` uses it up.

        Raises:
            Problem: 400, when it is none of this client's, or expired, or used up.
        """
        with self._store.reading() as db:
            row = db.execute(
                "SELECT user_id, expires_at FROM refresh_tokens WHERE id = ? AND client_id = ? AND expires_at >= ?",
                (refresh_token, client_id, int(time.time())),
            ).fetchone()
            user = None if row is None else find_user(db, row["user_id"])
        if row is None or user is None:
            raise _invalid_refresh_token()
        return Session(_session_of(refresh_token), user, offline=row["expires_at"] == _NEVER)

    def verify(self, authorization: str | None) -> Caller:
        """Who sends a request with this Authorization header.

        Raises:
            Problem: 401, with what is wrong with the header or the token; 503 where another issuer's keys are needed
                and cannot be fetched.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise unauthorized("The request has no bearer token.")
        identity = self._identify(token.strip())
        return Caller(None if identity.is_client else self._user(identity), identity.username)

    def _identify(self, token: str) -> Identity:
        recent = self._recent
        identity = recent.find(token)
        if identity is None:
            if self._issuer is not None:
                identity = self._issuer.identify(token)
            else:
                identity = read_token(token, self._public_key, leeway=_WHOLE_SECOND)
            recent.add(token, identity)
        return identity

    def _public_key(self, key_id: str) -> rsa.RSAPublicKey:
        key = self._keys.public.get(key_id)
        if key is None:
            raise unauthorized("The token is signed with a key that this instance does not have.")
        return key

    def _user(self, identity: Identity) -> User:
        """The user of a token."""
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


def _invalid_refresh_token() -> Problem:
    """The token endpoint's refusal of a refresh token."""
    return no_token(HTTPStatus.BAD_REQUEST, "invalid_grant", "Invalid refresh token")


def _session_of(refresh_token: str) -> str:
    """The id of the session of a refresh token."""
    return refresh_token.partition(".")[0]


def _claims(client_id: str, user: User | None) -> dict[str, Any]:
    """What a token says of who it is for, and what is the same in every token."""
    claims: dict[str, Any] = {
        "jti": str(uuid.uuid4()),
        "aud": "account",
        "typ": "Bearer",
        "azp": client_id,
        "realm_access": {"roles": list(_ROLES)},
        "email_verified": False,
    }
    if user is not None:
        return claims | {"sub": user.id, "preferred_username": user.username, "email": user.email}
    name = service_account(client_id)
    subject = str(uuid.uuid5(uuid.NAMESPACE_URL, name))  # the same each time, as if there were such a user
    return claims | {"sub": subject, "preferred_username": name, "client_id": client_id}
