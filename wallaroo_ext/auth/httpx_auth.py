"""The `httpx.Auth` that puts a token on requests, and gets another one if it is refused."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NoReturn

import httpx

from wallaroo_ext.redaction.known_secrets import KnownSecrets

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from wallaroo_ext.auth.origins import Origins
    from wallaroo_ext.auth.token_manager import TokenManager
    from wallaroo_ext.auth.tokens import Token


class TokenAuth(httpx.Auth):
    """Sends requests with a token that is renewed in time.

    A request that is refused with 401 is sent once more with a new token, unless its body is a stream, which cannot be
    sent twice: then the 401 is returned, and the next request has a new token. After a redirect to another origin the
    token is never sent, and a 401 from there does not renew it.

    Args:
        origins: The origins that the token may be sent to.
        manager: Provides the token.
        renews: Whether the manager can get another token than the first.
    """

    def __init__(self, origins: Origins, manager: TokenManager, *, renews: bool = True) -> None:
        self._origins = origins
        self._manager = manager
        self._renews = renews
        self._secrets = KnownSecrets()

    def access_token(self) -> str:
        """Return a valid token, for a program that sends requests by itself.

        Raises:
            AuthenticationError: The credentials were refused.
            ConnectionFailedError: Keycloak could not be reached.
        """
        return self.token().access

    def token(self) -> Token:
        """Return a valid token with its lifetime; see `access_token`."""
        return self._noted(self._manager.get())

    def young_token(self) -> Token:
        """Return a token in the first half of its life; see `access_token`."""
        return self._noted(self._manager.get_young())

    def has_signed(self, authorization: str) -> bool:
        """Return whether a header `Authorization` has the token that requests are sent with now."""
        token = self._manager.fresh_token()
        return token is not None and authorization == _header(token)

    def _noted(self, token: Token) -> Token:
        """Return a token that no message shows from now on."""
        self._secrets.add(token.access, token.refresh)
        return token

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with a token, and once more with a new one where it is refused."""
        token = self._manager.fresh_token()
        if token is None:
            self._origins.check(request.url)
            token = self._manager.get()
        response = yield self._authorize(request, token)
        refused = self._refused_request(response, token)
        if refused is not None:
            yield self._authorize(refused, self._manager.get(refused=token))

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a token, and once more with a new one where it is refused."""
        token = self._manager.fresh_token()
        if token is None:
            self._origins.check(request.url)
            token = await self._manager.get_async()
        response = yield self._authorize(request, token)
        refused = self._refused_request(response, token)
        if refused is not None:
            yield self._authorize(refused, await self._manager.get_async(refused=token))

    def _authorize(self, request: httpx.Request, token: Token) -> httpx.Request:
        self._origins.check(request.url)
        request.headers["Authorization"] = _header(self._noted(token))
        return request

    def _refused_request(self, response: httpx.Response, token: Token) -> httpx.Request | None:
        """Return the request to send again if it was refused because of the token, otherwise None.

        After redirects it is the last request, because the instance has already processed the first one.
        """
        if response.status_code != HTTPStatus.UNAUTHORIZED or not self._renews:
            return None
        request = response.request
        if request.headers.get("Authorization") != _header(token):
            return None
        if isinstance(request.stream, httpx.ByteStream):
            return request
        self._manager.invalidate(token)
        return None

    def __getstate__(self) -> NoReturn:
        raise TypeError(
            f"A {type(self).__name__} holds secrets and is neither pickled nor copied: make one, by its class or by "
            "connect(), in the process that needs it."
        )


def _header(token: Token) -> str:
    return f"Bearer {token.access}"
