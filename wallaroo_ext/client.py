"""`connect`: the generated client, ready to use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import httpx

from wallaroo_ext import contract
from wallaroo_ext.auth import BearerToken, KeycloakAuth
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.redaction.tracebacks import hide_arguments
from wallaroo_ext.settings import Settings
from wallaroo_ext.transport.retry.policy import RetryPolicy
from wallaroo_ext.transport.timeouts import Timeouts, to_httpx_timeout
from wallaroo_ext.transport.tls import new_tls_context

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Iterable, Mapping

    from opentelemetry.trace import TracerProvider
    from wallaroo_mlops_client import Client

    from wallaroo_ext.auth.grants import GrantName
    from wallaroo_ext.transport.connections import Backend
    from wallaroo_ext.transport.retry.clock import Clock
    from wallaroo_ext.transport.retry.transport import RetryTransport

DEFAULT_LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=20, keepalive_expiry=30.0)
_SETTINGS = (
    "auth_url",
    "prefix",
    "suffix",
    "client_id",
    "client_secret",
    "username",
    "password",
    "token",
    "ca_bundle",
)
_SIGN_IN = ("refresh_token", "grant", "scope", "inference_hosts", "cache")


class ConnectOptions(TypedDict, total=False):
    """What `connect` is told by name; see there."""

    auth_url: str | None
    prefix: str | None
    suffix: str | None
    client_id: str | None
    client_secret: str | None
    username: str | None
    password: str | None
    token: str | None
    refresh_token: str | None
    grant: GrantName | None
    scope: str | None
    inference_hosts: Iterable[str] | None
    cache: bool | str | os.PathLike[str]
    timeout: Timeouts | httpx.Timeout | float
    limits: httpx.Limits
    answer_limit: int | None
    retries: RetryPolicy
    user_agent: str
    ca_bundle: str | None
    verify: ssl.SSLContext | bool
    transport: httpx.BaseTransport | httpx.AsyncBaseTransport | Backend
    telemetry: bool | TracerProvider
    clock: Clock | None
    environment: Mapping[str, str] | None


@hide_arguments
def connect(api_url: str | None = None, **options: Unpack[ConnectOptions]) -> Client:
    """Return a client that signs in by itself, for every generated operation and every function of this package.

    Nothing is sent before the first call. What is not given as an argument comes from the environment:
    `WALLAROO_API_URL` and `WALLAROO_AUTH_URL`, or `WALLAROO_PREFIX` and `WALLAROO_SUFFIX`; `WALLAROO_CLIENT_ID`,
    `WALLAROO_CLIENT_SECRET`, `WALLAROO_USER`, `WALLAROO_PASSWORD`, or a file named by `WALLAROO_SDK_CREDENTIALS`, or
    `WALLAROO_TOKEN`; `WALLAROO_CA_BUNDLE`. Proxies come from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.

    Redirects are not followed: an answer that redirects becomes a ContractViolationError.

    Source: mlops-api-tutorial, "Retrieve Credentials" and "Connect to Wallaroo".

    Args:
        api_url: The API's URL without a path.
        **options: By name:
            `auth_url`: Keycloak's URL without a path; the API's where it is not given.
            `prefix`: the instance's own prefix, with or without its dot, in place of the URLs.
            `suffix`: the instance's domain, in place of the URLs.
            `client_id`: the Keycloak client, `api-client` by default.
            `client_secret`: the client's secret.
            `username`, `password`: the user.
            `token`: a bearer token that was obtained elsewhere, in place of a user and a secret.
            `refresh_token`, `grant`, `scope`, `cache`: see `KeycloakAuth`.
            `inference_hosts`: further hosts that a token may be sent to; by default the API's own.
            `timeout`: how long to wait, in seconds: `Timeouts` for each thing by itself, a number for all of them, or
            httpx's own object.
            `limits`: how many connections are open at a time, 20 by default, and for how long an idle one stays open,
            30 s by default.
            `answer_limit`: how large an answer may be once it is decompressed, in bytes; by default 512 MiB in Arrow
            and 64 MiB otherwise. A larger one becomes an AnswerTooLargeError, and is not read to its end.
            `retries`: what is sent again, and when; see `RetryPolicy`.
            `user_agent`: what a program calls itself, such as `my-program/1.2`, to be added to the header `User-Agent`.
            `ca_bundle`: a PEM file of certificates to trust beside the known authorities'.
            `verify`: False to trust every certificate, or an object with the TLS settings, in place of `ca_bundle`.
            `transport`: what sends requests: `aiohttp` is faster for many tasks at a time in asyncio, and needs the
            extra of this name; an object of httpx, such as `MockTransport`, has its own connections, TLS and proxies.
            `telemetry`: True to write a span of OpenTelemetry for each time that a request is sent, with the global
            tracer provider, or a provider; needs the extra `telemetry`.
            `clock`: the time that tokens, pauses and deadlines go by, for tests.
            `environment`: the environment variables; those of the process by default.

    Raises:
        ConfigurationError: A setting is missing, contradicts another one, or needs an extra that is not installed.
    """
    from wallaroo_ext.redaction.logs import redact_logs
    from wallaroo_ext.transport.connected_client import ConnectedClient
    from wallaroo_ext.transport.response_limits import ACCEPTED_ENCODINGS

    _check_names(options)
    given: dict[str, Any] = {name: options.get(name) for name in _SETTINGS}
    settings = Settings.resolve(options.get("environment"), api_url=api_url, **given)
    redact_logs()
    verify = _verification(settings, options)
    transport = _transport(options, verify=verify)
    return ConnectedClient(
        base_url=settings.api_url,
        timeout=to_httpx_timeout(options.get("timeout", Timeouts())),
        headers={
            "User-Agent": _user_agent(options.get("user_agent")),
            "Accept-Encoding": ACCEPTED_ENCODINGS,
        },
        httpx_args={"auth": authentication(settings, options, transport, verify=verify), "transport": transport},
    )


def authentication(
    settings: Settings, options: ConnectOptions, transport: RetryTransport, *, verify: ssl.SSLContext | bool
) -> httpx.Auth:
    """Return how requests of these settings are signed in."""
    if settings.token is not None:
        return BearerToken(settings.token, api_url=settings.api_url, inference_hosts=options.get("inference_hosts"))
    own: dict[str, Any] = {name: value for name, value in options.items() if name in _SIGN_IN}
    if "timeout" in options:
        own["timeout"] = to_httpx_timeout(options["timeout"])
    if (clock := options.get("clock")) is not None:
        own["clock"] = clock.now
    return KeycloakAuth(
        settings.auth_url + contract.operation("request_token").path,
        api_url=settings.api_url,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        username=settings.username,
        password=settings.password,
        transport=None if _is_asynchronous(options.get("transport")) else transport,
        verify=verify,
        **own,
    )


def _is_asynchronous(transport: object) -> bool:
    """Return whether an object serves asyncio only; tokens are asked for in a thread."""
    return isinstance(transport, httpx.AsyncBaseTransport) and not isinstance(transport, httpx.BaseTransport)


def _check_names(options: ConnectOptions) -> None:
    """An option that is misspelt would do nothing."""
    unknown = set(options) - set(ConnectOptions.__annotations__)
    if unknown:
        raise TypeError(f"connect() has no option {min(unknown)!r}.")


def _verification(settings: Settings, options: ConnectOptions) -> ssl.SSLContext | bool:
    """Return the TLS settings; True for those that httpx makes when they are first needed."""
    verify = options.get("verify", True)
    if verify is not True:
        if options.get("ca_bundle") is not None:
            raise ConfigurationError("`verify` says how certificates are checked already: leave `ca_bundle` out.")
        return verify
    if settings.ca_bundle is None:
        return True
    context = new_tls_context()
    try:
        context.load_verify_locations(settings.ca_bundle)
    except OSError as error:  # ssl's own error is one, too
        raise ConfigurationError(
            f"{settings.ca_bundle} holds no certificates in PEM form that can be read: {error.strerror or error}."
        ) from None
    return context


def _transport(options: ConnectOptions, *, verify: ssl.SSLContext | bool) -> RetryTransport:
    """Return what sends requests, again where that is safe, and tells OpenTelemetry where that is wanted."""
    from wallaroo_ext.transport.connections import PooledTransport
    from wallaroo_ext.transport.response_limits import LimitedTransport
    from wallaroo_ext.transport.retry.transport import RetryTransport

    wanted = options.get("transport", "httpx")
    if isinstance(wanted, str):
        once: Any = PooledTransport(verify=verify, limits=options.get("limits", DEFAULT_LIMITS), backend=wanted)
    else:
        _check_free_of("transport", options, "limits", "verify", "ca_bundle")
        once = wanted
    telemetry = options.get("telemetry", False)
    if telemetry is not False:
        from wallaroo_ext.transport.telemetry import trace_transport

        once = trace_transport(once, None if telemetry is True else telemetry)
    bounded = LimitedTransport(once, options.get("answer_limit"))
    return RetryTransport(bounded, options.get("retries", RetryPolicy()), options.get("clock"))


def _check_free_of(name: str, options: ConnectOptions, *others: str) -> None:
    for other in others:
        if other in options:
            raise ConfigurationError(f"An object as `{name}` has its own connections: leave `{other}` out.")


def _user_agent(program: str | None) -> str:
    """Return what the client calls itself."""
    import platform
    from importlib.metadata import version

    names = [f"wallaroo-ext/{version('wallaroo-ext')}"]
    names += [f"python/{platform.python_version()}", f"httpx/{httpx.__version__}"]
    if program is not None:
        if not program.strip() or not (program.isascii() and program.isprintable()):
            raise ConfigurationError(f"{program!r} cannot stand in the header User-Agent: it takes one line of ASCII.")
        names.append(program.strip())
    return " ".join(names)
