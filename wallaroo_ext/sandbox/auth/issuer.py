"""Verifying bearer tokens: the sandbox's own, and those of another issuer, such as a real Keycloak."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from time import sleep
from typing import TYPE_CHECKING, Any

import jwt

from wallaroo_ext.sandbox.auth.issuer_keys import ALGORITHM, KeysUnavailableError, fetch_keys
from wallaroo_ext.sandbox.http.problems import Problem, expired_token, refusal, unauthorized
from wallaroo_ext.sandbox.http.threads import ThreadPool
from wallaroo_ext.sandbox.options import AUDIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric import rsa

SERVICE_ACCOUNT = "service-account-"
"""Keycloak's prefix for the name of a client's own user; the client's id in lower case follows."""
OWN_TOKEN_LEEWAY = 1
"""Seconds. Keycloak compares whole seconds, so a token is valid until the second in which it expires is over."""
TOKEN_ERRORS = (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError)
"""Everything that decoding a hostile token may raise: huge numbers, deep nesting and broken encodings included."""
_LONGEST_CLAIM = 255
_FOREIGN_TOKEN_LEEWAY = 5
_PAUSE_SECONDS = 3
_FRESH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Identity:
    """The user or client that a valid token names.

    Attributes:
        subject: The issuer's id of the user.
        username: The name with which the user signs in.
        email: The user's e-mail address, or the username if the token has no address.
        is_client: Whether the token is for a client alone, without a user.
        valid_until: When the token expires, in seconds since 1970.
        key_id: The id of the key that signed the token.
    """

    subject: str
    username: str
    email: str
    is_client: bool
    valid_until: int
    key_id: str = ""


def read_token(
    token: str,
    find_key: Callable[[str], rsa.RSAPublicKey],
    *,
    leeway: int,
    issuer: str | None = None,
    audience: str | None = None,
) -> Identity:
    """Verify the signature and the claims of a token, and return whom it names.

    Args:
        token: The token; nothing about it is trusted.
        find_key: Returns the public key of a key id, or raises a Problem.
        leeway: For how many seconds a token stays valid after it expires.
        issuer: The required issuer; None if the key alone proves it.
        audience: The required audience; None for any.

    Raises:
        Problem: 401 with the reason, or whatever `find_key` raises.
    """
    try:
        key_id = _key_id(token, issuer)
        claims = jwt.decode(
            token,
            find_key(key_id),
            [ALGORITHM],
            options={"require": ["exp", "sub"], "verify_aud": audience is not None},
            audience=audience,
            issuer=None if issuer is None else [issuer],
            leeway=leeway,
        )
    except jwt.ExpiredSignatureError:
        raise expired_token() from None
    except jwt.ImmatureSignatureError:
        message = "The token is not valid yet: the clock of this machine may be behind its issuer's."
        raise unauthorized(message) from None
    except jwt.InvalidTokenError as error:
        if _is_for_another_audience(error):
            raise unauthorized(f"The token is not for {audience!r}: its `aud` does not name it.") from None
        raise _wrong_issuer(issuer) from None
    except TOKEN_ERRORS:
        raise _wrong_issuer(issuer) from None
    if claims.get("typ") != "Bearer":
        raise unauthorized("The token is not an access token.")  # id tokens are signed with the same key
    return _identity(claims, leeway, key_id)


def _key_id(token: str, issuer: str | None) -> str:
    """Return the id of the key that a token claims to be signed with, without verifying the signature.

    Raises:
        jwt.InvalidTokenError: The text is no token, has another algorithm or issuer, or requires an extension that is
            not supported.
    """
    unverified = jwt.decode_complete(token, options={"verify_signature": False})
    header = unverified["header"]
    key_id = header.get("kid", "")
    if header.get("alg") != ALGORITHM:
        raise jwt.InvalidAlgorithmError
    if not isinstance(key_id, str) or "crit" in header or header.get("b64", True) is not True:
        raise jwt.InvalidTokenError
    if issuer is not None and unverified["payload"].get("iss") != issuer:
        raise jwt.InvalidIssuerError
    return key_id


def _is_for_another_audience(error: jwt.InvalidTokenError) -> bool:
    missing = isinstance(error, jwt.MissingRequiredClaimError) and error.claim == "aud"
    return missing or isinstance(error, jwt.InvalidAudienceError)


def _identity(claims: dict[str, Any], leeway: int, key_id: str) -> Identity:
    expires_at = claims["exp"]
    if type(expires_at) not in {int, float} or not math.isfinite(expires_at):
        raise unauthorized("The token's `exp` is not a time.")
    subject = _text(claims, "sub")
    if not subject:
        raise unauthorized("The token's `sub` names nobody.")
    username = _text(claims, "preferred_username") or subject
    return Identity(
        subject=subject,
        username=username,
        email=_text(claims, "email") or username,
        is_client=username == service_account(_text(claims, "azp")),
        valid_until=int(expires_at) + leeway,
        key_id=key_id,
    )


def _text(claims: dict[str, Any], name: str) -> str:
    """Return a text claim that is safe to store and to display; empty if the claim is missing.

    Raises:
        Problem: 401, if the claim is anything else.
    """
    value = claims.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST_CLAIM or not value.isprintable():
        raise unauthorized(f"The token's `{name}` is not a printable text of at most {_LONGEST_CLAIM} characters.")
    return value


def service_account(client_id: str) -> str:
    """Return the name of a client's service account."""
    return SERVICE_ACCOUNT + client_id.lower()


def _wrong_issuer(issuer: str | None) -> Problem:
    return unauthorized(f"The token is not one of {issuer or 'this instance'}.")


class IdentityCache:
    """Remembers the identities of verified tokens, so that the signature of a repeated token is verified once.

    Args:
        limit: How many tokens are remembered; the least recently used one is forgotten first.
    """

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._identities: OrderedDict[str, Identity] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, token: str) -> Identity | None:
        """Return the identity of a token, or None if the token is unknown or has expired."""
        with self._lock:
            identity = self._identities.get(token)
            if identity is None:
                return None
            if identity.valid_until <= time.time():
                del self._identities[token]
                return None
            self._identities.move_to_end(token)
            return identity

    def add(self, token: str, identity: Identity) -> None:
        """Remember the identity of a verified token."""
        with self._lock:
            self._identities[token] = identity
            if len(self._identities) > self._limit:
                self._identities.popitem(last=False)


class ForeignIssuer:
    """Another issuer whose tokens the sandbox accepts, verified with the keys that it publishes.

    The keys are fetched when they are first needed, then once a minute, and when a token names an unknown key, but
    never more often than every few seconds. While the issuer does not answer, the last keys stay valid. Otherwise, a
    key is valid for as long as it is published.

    Args:
        url: The issuer's URL, without the realm's path.
        realm: The realm's path.
        keys: The path of the keys, relative to the realm's.
        audience: The required audience of its tokens.
    """

    def __init__(self, url: str, realm: str, keys: str, audience: str = AUDIENCE) -> None:
        self.url = url.rstrip("/")
        self._issuer = self.url + realm
        self._audience = audience
        self._keys_url = self._issuer + keys
        self._lock = threading.Lock()
        self._fetching = asyncio.Lock()
        self._thread = ThreadPool(1)
        self._keys: dict[str, rsa.RSAPublicKey] = {}
        self._fetched_at = self._attempted_at = float("-inf")
        self._failure: str | None = None

    def identify(self, token: str, received_at: float | None = None) -> Identity:
        """Verify a token of this issuer, and return whom it names.

        Args:
            token: The token; nothing about it is trusted.
            received_at: When the token arrived, by the monotonic clock: keys that were fetched later are fresh enough.
                None means now.

        Raises:
            Problem: 401 with the reason; 503 if the issuer's keys cannot be fetched.
        """
        return read_token(
            token,
            lambda key_id: self._key(key_id, received_at),
            leeway=_FOREIGN_TOKEN_LEEWAY,
            issuer=self._issuer,
            audience=self._audience,
        )

    def check_key(self, key_id: str, received_at: float | None = None) -> None:
        """Check that the key of a token that was verified before is still published.

        Raises:
            Problem: 401 if it is not; 503 if the keys cannot be fetched.
        """
        self._key(key_id, received_at)

    async def prefetch_keys(self, token: str, received_at: float) -> None:
        """Fetch the keys if a token needs that, so that `identify` with the same `received_at` does not block.

        Any number of requests may wait here without occupying a thread. A request whose key is known does not wait for
        a fetch that another request started.

        Args:
            token: The token; nothing about it is trusted.
            received_at: When the token arrived, by the monotonic clock.
        """
        try:
            key_id = _key_id(token, self._issuer)
        except TOKEN_ERRORS:
            return  # `identify` reports it
        if not self._must_fetch(key_id, received_at) or (key_id in self._keys and self._fetching.locked()):
            return
        async with self._fetching:
            if self._must_fetch(key_id, received_at):
                await self._thread.run(lambda: self._fetch_once(key_id, received_at))

    def _must_fetch(self, key_id: str, received_at: float) -> bool:
        """Return whether the keys have to be fetched before a token can be verified."""
        is_old = key_id not in self._keys or received_at - self._fetched_at > _FRESH_SECONDS
        return is_old and self._attempted_at < received_at

    def _key(self, key_id: str, received_at: float | None) -> rsa.RSAPublicKey:
        came_at = time.monotonic() if received_at is None else received_at
        if self._must_fetch(key_id, came_at) and not (key_id in self._keys and self._lock.locked()):
            self._fetch_once(key_id, came_at)
        key, failure = self._keys.get(key_id), self._failure
        if key is not None:
            return key
        if failure is None:
            raise _wrong_issuer(self._issuer)
        message = f"The token cannot be checked, because {self._issuer} gives no keys: {failure}"
        raise refusal(HTTPStatus.SERVICE_UNAVAILABLE, message, {"Retry-After": str(_PAUSE_SECONDS)})

    def _fetch_once(self, key_id: str, received_at: float) -> None:
        """Fetch the keys, unless another thread has fetched them since the token arrived.

        Soon after the last fetch, an unknown key may be a new one: it is fetched after a pause.
        """
        with self._lock:
            if self._attempted_at >= received_at:
                return
            pause = self._attempted_at + _PAUSE_SECONDS - time.monotonic()
            if pause > 0:
                if key_id in self._keys or self._failure is not None:
                    return
                sleep(pause)
            self._fetch()

    def _fetch(self) -> None:
        """Replace the known keys with the issuer's; keep them if it does not answer properly."""
        try:
            self._keys = fetch_keys(self._keys_url)
        except KeysUnavailableError as error:
            self._failure = str(error)
        else:
            self._failure = None
            self._fetched_at = time.monotonic()
        self._attempted_at = time.monotonic()  # at the end, so that the next pause is a full one
