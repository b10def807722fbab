"""Signing in at Keycloak."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from wallaroo_ext.auth.grants import Credentials, GrantName
from wallaroo_ext.auth.httpx_auth import TokenAuth
from wallaroo_ext.auth.origins import Origins
from wallaroo_ext.auth.sign_in import SignIn
from wallaroo_ext.auth.token_endpoint import DEFAULT_TIMEOUT, TokenEndpoint
from wallaroo_ext.auth.token_manager import TokenManager
from wallaroo_ext.redaction.tracebacks import hide_arguments

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Callable, Iterable

    import httpx

    from wallaroo_ext.auth.token_cache import TokenCache


class KeycloakAuth(TokenAuth):
    """Signs in at Keycloak's token endpoint and renews the token before it expires.

    The grants: `password` and `offline_access` for a user, the second with a refresh token that outlives the session;
    `client_credentials` for the client alone, whose token may only infer; `refresh_token` for a refresh token that was
    obtained elsewhere. A renewal tries the newest refresh token first and falls back to the grant if that is refused,
    because a refresh token can expire before its access token. A token is renewed before the end of `expires_in`, by a
    tenth of the lifetime and 60 s at most, on a monotonic clock; a token that is still valid stays in use while
    Keycloak does not answer. A request that is refused with 401 is sent once more with a new token, unless its body is
    a stream.

    One object can be used by any number of threads and event loops. They share its token and each renewal, which runs
    in a thread of its own: neither a cancelled task nor an interrupted thread stops or repeats it. A forked process
    renews by itself; if refresh tokens rotate, give it a `cache`, or let it sign in again.

    Source: mlops-api-tutorial, "Token Types".

    Args:
        token_url: The token endpoint.
        api_url: The API's URL; a token is only sent to its origin, to Keycloak's and to the inference hosts.
        client_id: The Keycloak client.
        client_secret: Its secret; None for a public client.
        username: The user's name; None for a token without a user.
        password: The user's password.
        refresh_token: A refresh token that was obtained elsewhere. With a user, it is tried before the password.
        grant: The grant; by default the one that fits the credentials.
        scope: Further scopes to ask for, separated by spaces.
        inference_hosts: Further hosts of the instance, as `host`, `host:port` or a URL.
        cache: Whether to keep tokens in files for the next program: True for a directory of the user's cache, or a
            directory that only this user may open. Whoever can read this user's files gets the tokens.
        transport: The transport for token requests; it is not closed. None for connections of its own.
        verify: How Keycloak's certificate is checked, as httpx takes it.
        timeout: The timeouts of a token request, in seconds.
        clock: Seconds on a monotonic clock.

    Raises:
        ConfigurationError: Something is missing for the grant, or a URL or host is invalid.
    """

    @hide_arguments
    def __init__(
        self,
        token_url: str,
        *,
        api_url: str,
        client_id: str,
        client_secret: str | None = None,
        username: str | None = None,
        password: str | None = None,
        refresh_token: str | None = None,
        grant: GrantName | None = None,
        scope: str | None = None,
        inference_hosts: Iterable[str] | None = None,
        cache: bool | str | os.PathLike[str] = False,
        transport: httpx.BaseTransport | None = None,
        verify: ssl.SSLContext | bool = True,
        timeout: httpx.Timeout | float = DEFAULT_TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._credentials = Credentials(client_id, client_secret, username, password, refresh_token)
        self._grant: GrantName = grant or self._credentials.default_grant()
        self._credentials.check(self._grant)
        endpoint = TokenEndpoint(token_url, self._credentials, transport=transport, verify=verify, timeout=timeout)
        self._token_url = endpoint.url
        sign_in = SignIn(endpoint, self._credentials.forms(self._grant, scope), clock)
        self._cache = None if cache is False else self._open_cache(None if cache is True else cache, scope, clock)
        renew = sign_in.renew if self._cache is None else self._cache.wrap(sign_in.renew)
        super().__init__(Origins(api_url, token_url, inference_hosts), TokenManager(renew, clock=clock))

    def forget(self) -> None:
        """Drop the token and the cached one; the next request signs in again.

        If a renewal is running, wait for it first.
        """
        self._manager.forget()
        if self._cache is not None:
            self._cache.forget()

    def _open_cache(
        self, directory: str | os.PathLike[str] | None, scope: str | None, clock: Callable[[], float]
    ) -> TokenCache:
        from wallaroo_ext.auth.token_cache import TokenCache, default_directory

        where = default_directory() if directory is None else directory
        return TokenCache(
            where, url=self._token_url, credentials=self._credentials, grant=self._grant, scope=scope, clock=clock
        )

    def __repr__(self) -> str:
        credentials = self._credentials
        return (
            f"KeycloakAuth({self._token_url!r}, client_id={credentials.client_id!r}, "
            f"username={credentials.username!r}, grant={self._grant!r})"
        )
