"""Whose token is it? Reading bearer tokens, and trusting another issuer's, such as a real Keycloak's."""

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

from wallaroo_ext.sandbox.auth.issuer_keys import ALGORITHM, NoKeysError, fetch_keys
from wallaroo_ext.sandbox.http.problems import Problem, expired_token, refusal, unauthorized
from wallaroo_ext.sandbox.http.threads import OwnThreads
from wallaroo_ext.sandbox.options import AUDIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric import rsa

SERVICE_ACCOUNT = "service-account-"
"""What Keycloak calls a client's own user: this, and the client's id in lower case."""
WHOLE_SECOND = 1
"""Keycloak compares whole seconds, so that a token whose lifetime began within a second is good for all of it."""
UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError)
"""What reading a token may raise, whatever it is made of: numbers and depth without end, texts that are none."""
_LONGEST_CLAIM = 255
_LEEWAY_SECONDS = 5
_PAUSE_SECONDS = 3
_FRESH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a valid token names.

    Attributes:
        subject: The issuer's id of the user.
        username: The name that the user signs in with.
        email: The user's address; the name where the token has none.
        is_client: Whether it is a client alone, without a user.
        good_until: When the token expires, in seconds since 1970.
        key_id: The key that it is signed with.
    """

    subject: str
    username: str
    email: str
    is_client: bool
    good_until: int
    key_id: str = ""


def read_token(
    token: str,
    find_key: Callable[[str], rsa.RSAPublicKey],
    *,
    leeway: int,
    issuer: str | None = None,
    audience: str | None = None,
) -> Identity:
    """Return whom a token names, once its signature and its claims are checked.

    Args:
        token: The token, from anywhere.
        find_key: Gives the key of an id, or raises a Problem.
        leeway: For how many seconds a token is still good after its expiry.
        issuer: Who has to have issued it; None where the key alone says so.
        audience: Whom it has to be for; None for anybody.

    Raises:
        Problem: 401, with what is wrong with it, or what `find_key` raises.
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
    except jwt.InvalidTokenError as error:
        if _is_for_another_audience(error):
            raise unauthorized(f"The token is not for {audience!r}: its `aud` does not name it.") from None
        raise _not_of(issuer) from None
    except UNREADABLE:
        raise _not_of(issuer) from None
    if claims.get("typ") != "Bearer":
        raise unauthorized("The token is no access token.")  # Keycloak signs its id tokens with the same key
    return _identity(claims, leeway, key_id)


def _key_id(token: str, issuer: str | None) -> str:
    """Return the key that a token says it is signed with, unless it is plain already that the token is no good.

    Raises:
        jwt.InvalidTokenError: It is no token, or one of another algorithm or another issuer, or one that has to be read
            in a way that is not known here.
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
        raise unauthorized("The token's `exp` is no time.")
    subject = _text(claims, "sub")
    if not subject:
        raise unauthorized("The token's `sub` names nobody.")
    username = _text(claims, "preferred_username") or subject
    return Identity(
        subject=subject,
        username=username,
        email=_text(claims, "email") or username,
        is_client=username == service_account(_text(claims, "azp")),
        good_until=int(expires_at) + leeway,
        key_id=key_id,
    )


def _text(claims: dict[str, Any], name: str) -> str:
    """Return a claim that is a text, which can be stored and shown; an empty one where there is none.

    Raises:
        Problem: 401, for what is no such text.
    """
    value = claims.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST_CLAIM or not value.isprintable():
        raise unauthorized(f"The token's `{name}` is no text of up to {_LONGEST_CLAIM} characters that can be shown.")
    return value


def service_account(client_id: str) -> str:
    """Return the name of a client's own user."""
    return SERVICE_ACCOUNT + client_id.lower()


def _not_of(issuer: str | None) -> Problem:
    return unauthorized(f"The token is not one of {issuer or 'this instance'}.")


class RecentIdentities:
    """Whom tokens named that were checked before, so that a repeated token is cheap: its signature is checked once.

    Args:
        limit: How many tokens are remembered; the one that was not used for longest is forgotten first.
    """

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._identities: OrderedDict[str, Identity] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, token: str) -> Identity | None:
        """Return whom a token names, unless it is unknown or has expired."""
        with self._lock:
            identity = self._identities.get(token)
            if identity is None:
                return None
            if identity.good_until <= time.time():
                del self._identities[token]
                return None
            self._identities.move_to_end(token)
            return identity

    def add(self, token: str, identity: Identity) -> None:
        """Remember a token that was checked."""
        with self._lock:
            self._identities[token] = identity
            if len(self._identities) > self._limit:
                self._identities.popitem(last=False)


class ForeignIssuer:
    """Another issuer whose tokens are good here, known by the keys that it publishes.

    The keys are fetched when they are first needed, once a minute, and when a token names one that is not known, but
    never more often than every few seconds. Keys that were fetched stay good while the issuer does not answer, and no
    longer than it publishes them otherwise.

    Args:
        url: The issuer's URL without the realm's path.
        realm: The realm's path.
        keys: The path of the keys below the realm's.
        audience: Whom its tokens have to be for.
    """

    def __init__(self, url: str, realm: str, keys: str, audience: str = AUDIENCE) -> None:
        self.url = url.rstrip("/")
        self._issuer = self.url + realm
        self._audience = audience
        self._keys_url = self._issuer + keys
        self._lock = threading.Lock()
        self._waiting = asyncio.Lock()
        self._thread = OwnThreads(1)
        self._keys: dict[str, rsa.RSAPublicKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._failure: str | None = None

    def identify(self, token: str, asked_at: float | None = None) -> Identity:
        """Return whom a token of this issuer names.

        Args:
            token: The token, from anywhere.
            asked_at: When it came, by the monotonic clock; keys that were fetched since will do. None for now.

        Raises:
            Problem: 401, with what is wrong with it; 503 where the issuer's keys cannot be fetched.
        """
        return read_token(
            token,
            lambda key_id: self._key(key_id, asked_at),
            leeway=_LEEWAY_SECONDS,
            issuer=self._issuer,
            audience=self._audience,
        )

    def check_key(self, key_id: str, asked_at: float | None = None) -> None:
        """See that the key of a token that was good before is still the issuer's.

        Raises:
            Problem: 401, where it is not; 503 where the keys cannot be fetched.
        """
        self._key(key_id, asked_at)

    async def fetch_for(self, token: str, asked_at: float) -> None:
        """Fetch the keys if a token needs it, so that `identify` does not wait if it is given the same time.

        Any number of requests may wait here, and they keep no thread from other requests. Who has a key that is known
        does not wait for what somebody else fetches.

        Args:
            token: The token, from anywhere.
            asked_at: When it came, by the monotonic clock.
        """
        try:
            key_id = _key_id(token, self._issuer)
        except UNREADABLE:
            return  # `identify` says so
        if not self._is_wanted(key_id, asked_at) or (key_id in self._keys and self._waiting.locked()):
            return
        async with self._waiting:
            if self._is_wanted(key_id, asked_at):
                await self._thread.run(lambda: self._look_for(key_id, asked_at))

    def _is_wanted(self, key_id: str, asked_at: float) -> bool:
        """Return whether the keys have to be fetched before a token can be checked that came at a time."""
        is_old = key_id not in self._keys or asked_at - self._fetched_at > _FRESH_SECONDS
        return is_old and self._tried_at < asked_at

    def _key(self, key_id: str, asked_at: float | None) -> rsa.RSAPublicKey:
        came_at = time.monotonic() if asked_at is None else asked_at
        if self._is_wanted(key_id, came_at) and not (key_id in self._keys and self._lock.locked()):
            self._look_for(key_id, came_at)
        key, failure = self._keys.get(key_id), self._failure
        if key is not None:
            return key
        if failure is None:
            raise _not_of(self._issuer)
        message = f"The token cannot be checked, because {self._issuer} gives no keys: {failure}"
        raise refusal(HTTPStatus.SERVICE_UNAVAILABLE, message, {"Retry-After": str(_PAUSE_SECONDS)})

    def _look_for(self, key_id: str, asked_at: float) -> None:
        """Fetch the keys, unless somebody has since they were asked for.

        So soon after the last time, a key that is not known is waited for: it may be a new one.
        """
        with self._lock:
            if self._tried_at >= asked_at:
                return
            pause = self._tried_at + _PAUSE_SECONDS - time.monotonic()
            if pause > 0:
                if key_id in self._keys or self._failure is not None:
                    return
                sleep(pause)
            self._fetch()

    def _fetch(self) -> None:
        """Take over the issuer's keys; where it does not answer as it should, the known ones are kept."""
        try:
            self._keys = fetch_keys(self._keys_url)
        except NoKeysError as error:
            self._failure = str(error)
        else:
            self._failure = None
            self._fetched_at = time.monotonic()
        self._tried_at = time.monotonic()  # once it ended, so that the pause is one also after a long wait
