"""`connect`: the generated client, ready to use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from wallaroo_ext import contract
from wallaroo_ext.auth import BearerToken, KeycloakAuth
from wallaroo_ext.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallaroo_mlops_client import Client

DEFAULT_TIMEOUT = httpx.Timeout(connect=10.0, read=300.0, write=300.0, pool=60.0)
DEFAULT_LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=20, keepalive_expiry=30.0)


def connect(
    api_url: str | None = None,
    *,
    auth_url: str | None = None,
    prefix: str | None = None,
    suffix: str | None = None,
    client_id: str | None = None,
    client_secret: str | None = None,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
    timeout: httpx.Timeout | float = DEFAULT_TIMEOUT,
    limits: httpx.Limits = DEFAULT_LIMITS,
    environment: Mapping[str, str] | None = None,
) -> Client:
    """A client that signs in by itself, for every generated operation and every function of this package.

    Nothing is sent before the first call. What is not given as an argument comes from the environment:
    `WALLAROO_API_URL` and `WALLAROO_AUTH_URL`, or `WALLAROO_PREFIX` and `WALLAROO_SUFFIX`; `WALLAROO_CLIENT_ID`,
    `WALLAROO_CLIENT_SECRET`, `WALLAROO_USER`, `WALLAROO_PASSWORD`, or a file named by `WALLAROO_SDK_CREDENTIALS`, or
    `WALLAROO_TOKEN`.

    Source: mlops-api-tutorial, "Retrieve Credentials" and "Connect to Wallaroo".

    Args:
        api_url: The API's URL without a path.
        auth_url: Keycloak's URL without a path; the API's where it is not given.
        prefix: The instance's own prefix, with or without its dot, in place of the URLs.
        suffix: The instance's domain, in place of the URLs.
        client_id: The Keycloak client, `api-client` by default.
        client_secret: The client's secret.
        username: The user's name.
        password: The user's password.
        token: A bearer token that was obtained elsewhere, in place of a user and a secret.
        timeout: In seconds: to connect, to read and to write a part, and to wait for a free connection.
        limits: How many connections are open at a time, and for how long an idle one stays open.
        environment: The environment variables; those of the process by default.

    Raises:
        ConfigurationError: A setting is missing, or contradicts another one.
    """
    from wallaroo_mlops_client import Client

    settings = Settings.resolve(
        environment,
        api_url=api_url,
        auth_url=auth_url,
        prefix=prefix,
        suffix=suffix,
        client_id=client_id,
        client_secret=client_secret,
        username=username,
        password=password,
        token=token,
    )
    return Client(
        base_url=settings.api_url,
        timeout=timeout if isinstance(timeout, httpx.Timeout) else httpx.Timeout(timeout),
        httpx_args={"auth": authentication(settings), "limits": limits},
    )


def authentication(settings: Settings) -> httpx.Auth:
    """How requests of these settings are signed in."""
    if settings.token is not None:
        return BearerToken(settings.token, api_url=settings.api_url)
    return KeycloakAuth(
        settings.auth_url + contract.operation("request_token").path,
        api_url=settings.api_url,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        username=settings.username,
        password=settings.password,
    )
