"""Bearer tokens for requests: from Keycloak, renewed before they expire, or given."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import httpx

from wallaroo_ext.errors import AuthenticationError, ConfigurationError, excerpt, redacted
from wallaroo_ext.json_values import object_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

T = TypeVar("T")

_LONGEST_MARGIN = 60.0
_DEFAULT_LIFETIME = 60.0


@dataclass(frozen=True, slots=True)
class _Token:
    """A bearer token, and until when it is used, on the clock of its KeycloakAuth."""

    access: str = field(repr=False)
    use_until: float
    refresh: str | None = field(repr=False)
    refresh_until: float


class _Turn(Enum):
    """Only one caller at a time asks for a token: the others wait for its turn to end, and find the token."""

    BEGINS = auto()
    ENDS = auto()


_Flow = Generator[httpx.Request | _Turn, Any, T]


class BearerToken(httpx.Auth):
    """A token that was obtained elsewhere, sent as it is.

    Args:
        token: The token.
        api_url: The API's URL; the token goes to no other origin.
    """

    def __init__(self, token: str, *, api_url: str) -> None:
        self._token = token
        self._home = httpx.URL(api_url)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with the token."""
        _check_origin(request, self._home)
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request

    def __repr__(self) -> str:
        return "BearerToken(...)"


class KeycloakAuth(httpx.Auth):
    """Signs in at Keycloak's token endpoint and renews the token before it expires.

    With a user's name and password it uses the grant `password`, without them `client_credentials`, whose token may
    infer and nothing else. A renewal tries the refresh token first and falls back on the grant, because a refresh token
    can expire before its access token. Expiry follows `expires_in` and a monotonic clock, ahead by a tenth of the
    lifetime and 60 s at most. A request that is refused with 401 is sent once more with a new token, unless its body is
    a stream, which cannot be sent twice.

    One object serves any number of threads and event loops, and they share its token.

    Source: mlops-api-tutorial, "Token Types".

    Args:
        token_url: The token endpoint.
        api_url: The API's URL; a token goes to no other origin.
        client_id: The Keycloak client.
        client_secret: Its secret; None for a public client.
        username: The user's name; None for a token without a user.
        password: The user's password.
        clock: Seconds on a monotonic clock.
    """

    def __init__(
        self,
        token_url: str,
        *,
        api_url: str,
        client_id: str,
        client_secret: str | None = None,
        username: str | None = None,
        password: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token_url = token_url
        self._home = httpx.URL(api_url)
        self._client_id = client_id
        self._client_secret = client_secret
        self._username = username
        self._password = password
        self._clock = clock
        self._token: _Token | None = None
        self._thread_lock = threading.Lock()
        self._task_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"KeycloakAuth({self._token_url!r}, client_id={self._client_id!r}, username={self._username!r})"

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with a token, and once more with a new one where it is refused."""
        flow = self._flow(request)
        held = False
        try:
            step = next(flow)
            while True:
                if step is _Turn.BEGINS:
                    held = self._thread_lock.acquire()
                    step = next(flow)
                elif step is _Turn.ENDS:
                    held = False
                    self._thread_lock.release()
                    step = next(flow)
                else:
                    response = yield step
                    if step is not request:
                        response.read()
                    step = flow.send(response)
        except StopIteration:
            return
        finally:
            if held:
                self._thread_lock.release()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a token, and once more with a new one where it is refused."""
        lock = self._task_locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        flow = self._flow(request)
        held = False
        try:
            step = next(flow)
            while True:
                if step is _Turn.BEGINS:
                    held = await lock.acquire()
                    step = next(flow)
                elif step is _Turn.ENDS:
                    held = False
                    lock.release()
                    step = next(flow)
                else:
                    response = yield step
                    if step is not request:
                        await response.aread()
                    step = flow.send(response)
        except StopIteration:
            return
        finally:
            if held:
                lock.release()

    def _flow(self, request: httpx.Request) -> _Flow[None]:
        """What to send, in order, and when to take turns with other callers."""
        _check_origin(request, self._home)
        can_be_sent_again = isinstance(request.stream, httpx.ByteStream)
        token = self._current() or (yield from self._renewed(request, refused=None))
        response = yield _with_token(request, token)
        if response.status_code == HTTPStatus.UNAUTHORIZED and can_be_sent_again:
            yield _with_token(request, (yield from self._renewed(request, refused=token)))

    def _current(self) -> _Token | None:
        token = self._token
        return token if token is not None and self._clock() < token.use_until else None

    def _renewed(self, request: httpx.Request, *, refused: _Token | None) -> _Flow[_Token]:
        """A token other than the refused one: what another caller has got meanwhile, or a new one."""
        yield _Turn.BEGINS
        token = self._current()
        if token is None or token is refused:
            token = yield from self._renewal(request)
        yield _Turn.ENDS
        return token

    def _renewal(self, request: httpx.Request) -> _Flow[_Token]:
        """A new token for a request, by the refresh token where there is a fresh one, else by the grant."""
        old = self._token
        if old is not None and old.refresh is not None and self._clock() < old.refresh_until:
            asked_at = self._clock()
            response = yield self._request({"grant_type": "refresh_token", "refresh_token": old.refresh}, request)
            if response.is_success:
                return self._accept(response, asked_at)
        asked_at = self._clock()
        response = yield self._request(self._grant(), request)
        return self._accept(response, asked_at)

    def _grant(self) -> dict[str, str]:
        if self._username is None or self._password is None:
            return {"grant_type": "client_credentials"}
        return {"grant_type": "password", "username": self._username, "password": self._password}

    def _request(self, form: dict[str, str], wanted_for: httpx.Request) -> httpx.Request:
        """A token request, with the timeouts of the request that the token is for."""
        if self._client_secret is None:
            form = form | {"client_id": self._client_id}
        request = httpx.Request("POST", self._token_url, data=form, extensions=dict(wanted_for.extensions))
        if self._client_secret is None:
            return request
        return next(httpx.BasicAuth(self._client_id, self._client_secret).auth_flow(request))

    def _accept(self, response: httpx.Response, asked_at: float) -> _Token:
        content = _json_object(response)
        access = content.get("access_token")
        if not response.is_success or not isinstance(access, str):
            raise _refusal(response, content, self._token_url)
        lifetime = _seconds(content.get("expires_in"), _DEFAULT_LIFETIME)
        refresh = content.get("refresh_token")
        refresh_lifetime = _seconds(content.get("refresh_expires_in"), 0.0) or float("inf")
        self._token = _Token(
            access=access,
            use_until=asked_at + lifetime - min(lifetime / 10, _LONGEST_MARGIN),
            refresh=refresh if isinstance(refresh, str) else None,
            refresh_until=asked_at + refresh_lifetime,
        )
        return self._token


def _check_origin(request: httpx.Request, home: httpx.URL) -> None:
    url = request.url
    if (url.scheme, url.host, url.port) != (home.scheme, home.host, home.port):
        raise ConfigurationError(
            f"The token of {home.host} is not sent to {url.scheme}://{url.netloc.decode()}, which is another origin. "
            f"Take inference URLs from get_pipeline_external_url."
        )


def _with_token(request: httpx.Request, token: _Token) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token.access}"
    return request


def _seconds(value: Any, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default


def _json_object(response: httpx.Response) -> dict[str, Any]:
    try:
        return object_of(response.json())
    except ValueError:
        return {}


def _refusal(response: httpx.Response, content: dict[str, Any], token_url: str) -> AuthenticationError:
    """Why there is no token, and what to do about it."""
    said = content.get("error_description") or content.get("error")
    reason = redacted(str(said)) if said else excerpt(response.content) or "no reason given"
    if response.is_success:
        advice = "Is this Keycloak's address?"
    elif content.get("error") in {"invalid_client", "unauthorized_client"}:
        advice = "Check the client's id and secret."
    elif content.get("error") == "invalid_grant":
        advice = "Check the user's name and password, and that the user is enabled."
    else:
        advice = "Check the address and the credentials."
    return AuthenticationError(
        f"{token_url} gave no token: {response.status_code}, {reason}. {advice}", status=response.status_code
    )
