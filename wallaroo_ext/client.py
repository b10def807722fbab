"""`connect`: the generated client, ready to use."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import httpx

from wallaroo_ext import contract
from wallaroo_ext.auth import BearerToken, KeycloakAuth
from wallaroo_ext.auth.token_endpoint import DEFAULT_TIMEOUT
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.redaction.tracebacks import hide_arguments
from wallaroo_ext.settings import Settings
from wallaroo_ext.transport.connections.tls import new_tls_context
from wallaroo_ext.transport.retry.policy import RetryPolicy
from wallaroo_ext.transport.timeouts import Timeouts, to_httpx_timeout

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping

    from opentelemetry.trace import TracerProvider
    from wallaroo_mlops_client import Client

    from wallaroo_ext.auth.grants import GrantName
    from wallaroo_ext.transport.connections.pooled_connections import Backend
    from wallaroo_ext.transport.retry.clock import Clock


def limits_for(connections: int) -> httpx.Limits:
    """Return limits with so many connections at a time, none of which is opened anew while it is used."""
    return httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30.0)


DEFAULT_LIMITS = limits_for(20)
TIMEOUTS, RETRIES = Timeouts(), RetryPolicy()


@hide_arguments
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
    refresh_token: str | None = None,
    grant: GrantName | None = None,
    scope: str | None = None,
    inference_hosts: Iterable[str] | None = None,
    cache: bool | str | os.PathLike[str] = False,
    timeout: Timeouts | httpx.Timeout | float = TIMEOUTS,
    limits: httpx.Limits = DEFAULT_LIMITS,
    answer_limit: int | None = None,
    retries: RetryPolicy = RETRIES,
    user_agent: str | None = None,
    ca_bundle: str | os.PathLike[str] | None = None,
    verify: ssl.SSLContext | bool | None = None,
    transport: httpx.BaseTransport | httpx.AsyncBaseTransport | Backend = "httpx",
    telemetry: bool | TracerProvider = False,
    clock: Clock | None = None,
    environment: Mapping[str, str] | None = None,
) -> Client:
    """Return a client that signs in by itself, for every generated operation and every function of this package.

    Nothing is sent before the first call. What is not given as an argument comes from the environment:
    `WALLAROO_API_URL` and `WALLAROO_AUTH_URL`, or `WALLAROO_PREFIX` and `WALLAROO_SUFFIX`; `WALLAROO_CLIENT_ID`,
    `WALLAROO_CLIENT_SECRET`, `WALLAROO_USER`, `WALLAROO_PASSWORD`, or a file named by `WALLAROO_SDK_CREDENTIALS`, or
    `WALLAROO_TOKEN`; `WALLAROO_CA_BUNDLE`. Proxies come from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`,
    and the known authorities from `SSL_CERT_FILE`, `SSL_CERT_DIR` and `REQUESTS_CA_BUNDLE`, of the process in any case.
    An argument also replaces the variables that say the same otherwise: `api_url` the prefix and the suffix, those two
    both URLs, and what signs in the variable `WALLAROO_TOKEN`.

    Redirects are not followed: an answer that redirects becomes a ContractViolationError.

    Source: mlops-api-tutorial, "Retrieve Credentials" and "Connect to Wallaroo".

    Args:
        api_url: The API's URL, without a path or with the one that a gateway has before `/v1`.
        auth_url: Keycloak's URL, likewise with what comes before `/auth`; by default the API's.
        prefix: The instance's own prefix, with or without its dot, in place of the URLs.
        suffix: The instance's domain, in place of the URLs.
        client_id: The Keycloak client. Where nothing names one, it is `api-client`.
        client_secret: The client's secret.
        username: The user's name.
        password: The user's password.
        token: A bearer token that was obtained elsewhere, in place of a user and a secret.
        refresh_token: A refresh token that was obtained elsewhere; see `KeycloakAuth`.
        grant: The grant; see `KeycloakAuth`.
        scope: Further scopes to ask for; see `KeycloakAuth`.
        inference_hosts: Further hosts that a token may be sent to; by default only the API's own.
        cache: Whether, or in which directory, to keep tokens in files; see `KeycloakAuth`.
        timeout: How long to wait, in seconds: `Timeouts` for each thing by itself, a number for all of them, or httpx's
            own object. Where it is left out, token requests have the shorter times of `KeycloakAuth`.
        limits: How many connections are open at a time, 20 by default, and how long an idle one stays open, 30 s by
            default.
        answer_limit: How large an answer may be once it is decompressed, in bytes; without it, 512 MiB in Arrow and
            64 MiB otherwise. A larger one becomes an AnswerTooLargeError, and is not read to its end.
        retries: What is sent again, and when; see `RetryPolicy`.
        user_agent: What a program calls itself, such as `my-program/1.2`, to be added to the header `User-Agent`.
        ca_bundle: A PEM file of certificates to trust beside the known authorities'.
        verify: False to trust every certificate, or an object with the TLS settings, in place of `ca_bundle`.
        transport: What sends requests: `httpx`; `aiohttp`, which is faster for many tasks at a time in asyncio, and
            needs the extra of this name; or an object of httpx, such as `MockTransport`, which has its own connections,
            TLS and proxies.
        telemetry: True to write a span of OpenTelemetry for each time that a request is sent, with the global tracer
            provider, or a provider; needs the extra `telemetry`.
        clock: The clock for tokens, pauses and deadlines, for tests.
        environment: The environment variables; by default those of the process.

    Raises:
        ConfigurationError: A setting is missing, contradicts another one, or needs an extra that is not installed.
    """
    from wallaroo_ext.redaction.logs import redact_logs
    from wallaroo_ext.transport.connected_client import ConnectedClient
    from wallaroo_ext.transport.connections.pooled_connections import PooledTransport
    from wallaroo_ext.transport.option_kinds import check_kinds, check_telemetry
    from wallaroo_ext.transport.response_limits import ACCEPTED_ENCODINGS, LimitedTransport
    from wallaroo_ext.transport.retry.transport import RetryTransport

    check_kinds(
        api_url=api_url,
        auth_url=auth_url,
        prefix=prefix,
        suffix=suffix,
        client_id=client_id,
        client_secret=client_secret,
        username=username,
        password=password,
        refresh_token=refresh_token,
        scope=scope,
        inference_hosts=inference_hosts,
        cache=cache,
        limits=limits,
        retries=retries,
        user_agent=user_agent,
        ca_bundle=ca_bundle,
        verify=verify,
        transport=transport,
        clock=clock,
        environment=environment,
    )
    check_telemetry(telemetry)
    if ca_bundle is not None:
        ca_bundle = os.fspath(ca_bundle)
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
        refresh_token=refresh_token,
        grant=grant,
        scope=scope,
        ca_bundle=ca_bundle,
    )
    redact_logs()
    verification = _verification(settings, verify=verify, ca_bundle=ca_bundle)
    if not isinstance(transport, str):
        _check_unused(limits=limits is not DEFAULT_LIMITS, verify=verify is not None, ca_bundle=ca_bundle is not None)
    once = (
        PooledTransport(verify=verification, limits=limits, backend=transport)
        if isinstance(transport, str)
        else transport
    )
    retrying = RetryTransport(LimitedTransport(_traced(once, telemetry=telemetry), answer_limit), retries, clock)
    if settings.token is not None:
        auth: httpx.Auth = BearerToken(settings.token, api_url=settings.api_url, inference_hosts=inference_hosts)
    else:
        auth = KeycloakAuth(
            settings.auth_url + contract.operation("request_token").path,
            api_url=settings.api_url,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            username=settings.username,
            password=settings.password,
            refresh_token=refresh_token,
            grant=grant,
            scope=scope,
            inference_hosts=inference_hosts,
            cache=cache,
            transport=None if _is_asynchronous(transport) else retrying,
            verify=verification,
            timeout=DEFAULT_TIMEOUT if timeout is TIMEOUTS else to_httpx_timeout(timeout),
            clock=time.monotonic if clock is None else clock.now,
        )
    return ConnectedClient(
        base_url=settings.api_url,
        timeout=to_httpx_timeout(timeout),
        headers={"User-Agent": _user_agent(user_agent), "Accept-Encoding": ACCEPTED_ENCODINGS},
        httpx_args={"auth": auth, "transport": retrying},
    )


def _is_asynchronous(transport: object) -> bool:
    """Return whether an object serves asyncio only; tokens are asked for in a thread."""
    return isinstance(transport, httpx.AsyncBaseTransport) and not isinstance(transport, httpx.BaseTransport)


def _verification(
    settings: Settings, *, verify: ssl.SSLContext | bool | None, ca_bundle: str | None
) -> ssl.SSLContext | bool:
    """Return the TLS settings; True for those that httpx makes when they are first needed."""
    if verify is not None and verify is not True:
        if ca_bundle is not None:
            raise ConfigurationError("`verify` says how certificates are checked already: leave `ca_bundle` out.")
        return verify
    return True if settings.ca_bundle is None else new_tls_context(settings.ca_bundle)


def _check_unused(**others: bool) -> None:
    """Refuse options that an object as transport has no use for; each says whether it was given."""
    for name, is_given in others.items():
        if is_given:
            raise ConfigurationError(f"An object as `transport` has its own connections: leave `{name}` out.")


def _traced(transport: Any, *, telemetry: bool | TracerProvider) -> Any:
    """Return a transport that writes a span for each request, where that is wanted."""
    if telemetry is False:
        return transport
    from wallaroo_ext.transport.telemetry import trace_transport

    return trace_transport(transport, None if telemetry is True else telemetry)


def _user_agent(program: str | None) -> str:
    """Return the header `User-Agent`."""
    import platform
    from importlib.metadata import version

    names = [f"wallaroo-ext/{version('wallaroo-ext')}"]
    names += [f"python/{platform.python_version()}", f"httpx/{httpx.__version__}"]
    if program is not None:
        if not program.strip() or not (program.isascii() and program.isprintable()):
            raise ConfigurationError(f"{program!r} cannot stand in the header User-Agent: it takes one line of ASCII.")
        names.append(program.strip())
    return " ".join(names)
