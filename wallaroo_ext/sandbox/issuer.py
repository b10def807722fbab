"""Whose token is it? Reading bearer tokens, and trusting another issuer's, such as a real Keycloak's."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from time import sleep
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from wallaroo_ext.sandbox.problems import Problem, expired_token, refusal, unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable

ALGORITHM = "RS256"
AUDIENCE = "account"
"""Whom Keycloak's access tokens are for, unless a client is set up in another way: its pages about the account."""
SERVICE_ACCOUNT = "service-account-"
"""What Keycloak calls a client's own user: this, and the client's id in lower case."""
WHOLE_SECOND = 1
"""Keycloak compares whole seconds, so that a token whose lifetime began within a second is good for all of it."""
_LEEWAY_SECONDS = 5
_TIMEOUT_SECONDS = 5
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
    """Whom a token names, once its signature and its claims are checked.

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
    if claims.get("typ") != "Bearer":
        raise unauthorized("The token is no access token.")  # Keycloak signs its id tokens with the same key
    return _identity(claims, leeway, key_id)


def _key_id(token: str, issuer: str | None) -> str:
    """The key that a token says it is signed with, unless it is plain already that the token is no good.

    Raises:
        jwt.InvalidTokenError: It is no token, or one of another algorithm or another issuer.
    """
    unverified = jwt.decode_complete(token, options={"verify_signature": False})
    if unverified["header"].get("alg") != ALGORITHM:
        raise jwt.InvalidAlgorithmError
    if issuer is not None and unverified["payload"].get("iss") != issuer:
        raise jwt.InvalidIssuerError
    return str(unverified["header"].get("kid"))


def _is_for_another_audience(error: jwt.InvalidTokenError) -> bool:
    missing = isinstance(error, jwt.MissingRequiredClaimError) and error.claim == "aud"
    return missing or isinstance(error, jwt.InvalidAudienceError)


def _identity(claims: dict[str, Any], leeway: int, key_id: str) -> Identity:
    username = str(claims.get("preferred_username") or claims["sub"])
    return Identity(
        subject=claims["sub"],
        username=username,
        email=str(claims.get("email") or username),
        is_client=username == service_account(str(claims.get("azp"))),
        good_until=int(claims["exp"]) + leeway,
        key_id=key_id,
    )


def service_account(client_id: str) -> str:
    """The name of a client's own user."""
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
        """Whom a token names, unless it is unknown or has expired."""
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
        self._source = jwt.PyJWKClient(self._issuer + keys, cache_jwk_set=False, timeout=_TIMEOUT_SECONDS)
        self._lock = threading.Lock()
        self._keys: dict[str, rsa.RSAPublicKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._failure: str | None = None

    def identify(self, token: str) -> Identity:
        """Whom a token of this issuer names.

        Raises:
            Problem: 401, with what is wrong with it; 503 where the issuer's keys cannot be fetched.
        """
        return read_token(token, self._key, leeway=_LEEWAY_SECONDS, issuer=self._issuer, audience=self._audience)

    def check_key(self, key_id: str) -> None:
        """See that the key of a token that was good before is still the issuer's.

        Raises:
            Problem: 401, where it is not; 503 where the keys cannot be fetched.
        """
        self._key(key_id)

    def _key(self, key_id: str) -> rsa.RSAPublicKey:
        asked_at = time.monotonic()
        if key_id not in self._keys or asked_at - self._fetched_at > _FRESH_SECONDS:
            with self._lock:
                self._look_for(key_id, asked_at)
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
            fetched = self._source.get_signing_keys()
        except (jwt.PyJWTError, OSError, ValueError) as error:
            self._failure = str(error)
        else:
            self._failure = None
            self._keys = {str(key.key_id): key.key for key in fetched if isinstance(key.key, rsa.RSAPublicKey)}
            self._fetched_at = time.monotonic()
        self._tried_at = time.monotonic()  # once it ended, so that the pause is one also after a long wait
