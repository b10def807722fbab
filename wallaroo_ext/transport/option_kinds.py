"""The kinds of values that the options of `connect` take: one of another kind is refused before anything is made."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import httpx

from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.transport.retry.clock import Clock
from wallaroo_ext.transport.retry.policy import RetryPolicy


class _Kind(NamedTuple):
    """A kind of value.

    Attributes:
        types: Its types.
        name: How messages name it.
        advice: What else to do.
    """

    types: tuple[type, ...]
    name: str
    advice: str = ""


_TEXT = _Kind((str,), "a text")
_KINDS = {
    **dict.fromkeys(("api_url", "auth_url", "prefix", "suffix", "client_id", "client_secret"), _TEXT),
    **dict.fromkeys(("username", "password", "refresh_token", "scope", "user_agent"), _TEXT),
    "ca_bundle": _Kind((str, os.PathLike), "the path of a PEM file"),
    "inference_hosts": _Kind((str, Iterable), "a list of hosts"),
    "cache": _Kind((bool, str, os.PathLike), "True, False or the path of a directory"),
    "limits": _Kind((httpx.Limits,), "an object of httpx.Limits"),
    "retries": _Kind((RetryPolicy,), "a RetryPolicy", "RetryPolicy(attempts=1) sends each request once."),
    "verify": _Kind((bool, ssl.SSLContext), "True, False or an ssl.SSLContext", "Name a PEM file by `ca_bundle`."),
    "transport": _Kind(
        (str, httpx.BaseTransport, httpx.AsyncBaseTransport), "'httpx', 'aiohttp' or an object of httpx"
    ),
    "clock": _Kind((Clock,), "a Clock"),
    "environment": _Kind((Mapping,), "a mapping of names to texts"),
}
_NEEDED = {"limits", "retries", "transport", "cache"}
"""The options that None leaves nothing for."""


def check_kinds(**options: Any) -> None:
    """Check the options of `connect`. Messages name types and show no values, which may be secrets.

    Raises:
        ConfigurationError: The value of one is of another kind; the message names the option.
    """
    for name, value in options.items():
        kind = _KINDS[name]
        is_missing = value is None and name not in _NEEDED
        if not is_missing and not isinstance(value, kind.types):
            raise ConfigurationError(f"`{name}` is {kind.name}, not {_type_of(value)}.", advice=kind.advice)
    environment: Mapping[Any, Any] = options.get("environment") or {}
    for variable, value in environment.items():
        given = value.__class__
        if value is not None and not issubclass(given, str):
            raise ConfigurationError(f"`environment` has texts only, and {variable} is {given.__name__}.")


def check_telemetry(telemetry: Any) -> None:
    """Raise ConfigurationError unless telemetry is switched on or off, or goes to a provider of tracers."""
    if not isinstance(telemetry, bool) and not hasattr(telemetry, "get_tracer"):
        raise ConfigurationError(f"`telemetry` is True, False or a TracerProvider, not {_type_of(telemetry)}.")


def _type_of(value: object) -> str:
    """Return the name of the type of a value for a message, which shows no values."""
    return "None" if value is None else type(value).__name__
