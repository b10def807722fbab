"""Putting a token on requests, and asking for another one where it is refused."""

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
    """Sends requests with a kept token.

    A request that is refused with 401 is sent once more with a new token, unless its body is a stream, which cannot be
    sent twice: then the 401 is the answer, and the next request has a new token. After a redirect to another origin the
    token is not sent, whichever origin it is, and a 401 from there renews nothing.

    Args:
        origins: Where the token may go.
        keeper: Gives the token.
        renews: Whether there can be another token than the first.
    """

    def __init__(self, origins: Origins, keeper: TokenManager, *, renews: bool = True) -> None:
        self._origins = origins
        self._keeper = keeper
        self._renews = renews
        self._secrets = KnownSecrets()

    def access_token(self) -> str:
        """Return a token that is good now, for a program that sends it by itself.

        Raises:
            AuthenticationError: There is none for these credentials.
            ConnectionFailedError: Keycloak could not be reached.
        """
        return self.token().access

    def token(self) -> Token:
        """Return a token that is good now, with its times; see `access_token`."""
        token = self._keeper.fresh() or self._keeper.wait()
        self._secrets.add(token.access, token.refresh)
        return token

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with a token, and once more with a new one where it is refused."""
        token = self._keeper.fresh()
        if token is None:
            self._origins.check(request.url)
            token = self._keeper.wait()
        response = yield self._signed(request, token)
        refused = self._refused_request(response, token)
        if refused is not None:
            yield self._signed(refused, self._keeper.wait(refused=token))

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a token, and once more with a new one where it is refused."""
        token = self._keeper.fresh()
        if token is None:
            self._origins.check(request.url)
            token = await self._keeper.wait_async()
        response = yield self._signed(request, token)
        refused = self._refused_request(response, token)
        if refused is not None:
            yield self._signed(refused, await self._keeper.wait_async(refused=token))

    def _signed(self, request: httpx.Request, token: Token) -> httpx.Request:
        self._origins.check(request.url)
        self._secrets.add(token.access, token.refresh)
        request.headers["Authorization"] = _header(token)
        return request

    def _refused_request(self, response: httpx.Response, token: Token) -> httpx.Request | None:
        """Return the request to send again, where the token was what it was refused for.

        After redirects that is the last one, not the first, which the instance has carried out.
        """
        if response.status_code != HTTPStatus.UNAUTHORIZED or not self._renews:
            return None
        request = response.request
        if request.headers.get("Authorization") != _header(token):
            return None
        if isinstance(request.stream, httpx.ByteStream):
            return request
        self._keeper.distrust(token)
        return None

    def __getstate__(self) -> NoReturn:
        raise TypeError(
            f"A {type(self).__name__} holds secrets and is neither pickled nor copied: make one, by its class or by "
            "connect(), in the process that needs it."
        )


def _header(token: Token) -> str:
    return f"Bearer {token.access}"
