"""Settings of an instance and its caller, from arguments, the environment and a credentials file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.files.user_paths import user_path, user_text
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.redaction.tracebacks import hide_arguments

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

DEFAULT_CLIENT_ID = "api-client"
_PATHS = ("/v1/api", "/auth/realms", "/realms")
"""How the paths of requests begin, which people copy with the URL."""

_URLS = ("WALLAROO_API_URL", "WALLAROO_AUTH_URL")
_PARTS = ("WALLAROO_PREFIX", "WALLAROO_SUFFIX")
_SIGNING_IN = ("username", "password", "client_id", "client_secret", "refresh_token", "grant", "scope")
"""The arguments that say how to get a token, and so that a token which is there already is not meant."""
_REPLACED: dict[str, tuple[str, ...]] = {
    "api_url": _PARTS,  # and not WALLAROO_AUTH_URL: the same Keycloak may serve an API that is reached another way
    "suffix": _URLS,
    "prefix": _URLS,
    **dict.fromkeys(_SIGNING_IN, ("WALLAROO_TOKEN",)),
}
"""The variables that an argument replaces beside its own one, by the argument's name."""

_OF_PARTS = "made of WALLAROO_PREFIX and WALLAROO_SUFFIX"
_IN_FILE = ("username", "password", "confidentialClient", "confidentialPassword")
"""The fields of a credentials file that are read."""
_SHOWN = 100
_LINE_BREAKS = "\r\n"
"""What the files of secrets and variables have at the end of values, and no value itself."""
_AROUND_A_URL = " \t\r\n\ufeff"
"""What a URL may have around it that was read from a file: blanks, line breaks and a byte order mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The address of an instance and the credentials of a caller. Secrets are left out of its repr.

    Source: mlops-api-tutorial, "Retrieve Credentials" and "Connect to Wallaroo".

    Attributes:
        api_url: The API's URL, such as `https://api.wallaroo.example.com`, with what a gateway has before `/v1`.
        auth_url: Keycloak's URL, likewise with what comes before `/auth`. Newer releases have it on the API's host.
        client_id: The Keycloak client.
        client_secret: The client's secret; None for a public client.
        username: The user's name, usually an e-mail address; None for a token without a user.
        password: The user's password.
        token: A bearer token that was obtained elsewhere.
        ca_bundle: A PEM file of certificates to trust, for an instance whose certificate has no public authority.
    """

    api_url: str
    auth_url: str
    client_id: str = DEFAULT_CLIENT_ID
    client_secret: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None

    @staticmethod
    @hide_arguments
    def resolve(environment: Mapping[str, str] | None = None, **explicit: str | None) -> Settings:
        """Return the settings from arguments, the environment and the credentials file, in this order of precedence.

        Args:
            environment: The environment variables; those of the process by default.
            **explicit: Values for the fields of this class, and `prefix` and `suffix` instead of the two URLs. The
                arguments of `connect` that a token is asked for with, `refresh_token`, `grant` and `scope`, say that
                `WALLAROO_TOKEN` is not meant.

        Raises:
            ConfigurationError: A setting is missing, contradicts another one, or the credentials file is unreadable.
        """
        given = {name: value for name, value in explicit.items() if value is not None}
        variables = without_replaced(os.environ if environment is None else environment, given)

        def setting(name: str, variable: str) -> str | None:
            value = given[name] if name in given else (variables.get(variable) or "").strip(_LINE_BREAKS)
            return value or None

        token, ca_bundle = setting("token", "WALLAROO_TOKEN"), setting("ca_bundle", "WALLAROO_CA_BUNDLE")
        credentials = _read_credentials((variables.get("WALLAROO_SDK_CREDENTIALS") or "").strip(_LINE_BREAKS))
        settings = Settings(
            **_urls(setting),
            client_id=setting("client_id", "WALLAROO_CLIENT_ID")
            or credentials.get("confidentialClient")
            or DEFAULT_CLIENT_ID,
            client_secret=setting("client_secret", "WALLAROO_CLIENT_SECRET") or credentials.get("confidentialPassword"),
            username=setting("username", "WALLAROO_USER") or credentials.get("username"),
            password=setting("password", "WALLAROO_PASSWORD") or credentials.get("password"),
            token=token,
            ca_bundle=None if ca_bundle is None else user_text(ca_bundle),
        )
        settings.check(has_refresh_token="refresh_token" in given)
        return settings

    def check(self, *, has_refresh_token: bool = False) -> None:
        """Raise ConfigurationError if there is nothing to sign in with, or the CA bundle is missing.

        Args:
            has_refresh_token: Whether there is a refresh token beside these settings.
        """
        if self.ca_bundle is not None:
            _check_bundle(self.ca_bundle)
        if self.token is not None:
            return
        if self.username is not None and self.password is None:
            raise ConfigurationError(f"There is no password for {self.username}: set WALLAROO_PASSWORD.")
        if self.username is None and self.client_secret is None and not has_refresh_token:
            raise ConfigurationError(
                "There is nothing to sign in with: set WALLAROO_USER and WALLAROO_PASSWORD, or WALLAROO_CLIENT_SECRET "
                "for a token that may only infer, or WALLAROO_TOKEN, or name a credentials file in "
                "WALLAROO_SDK_CREDENTIALS."
            )


def without_replaced(variables: Mapping[str, str], given: Collection[str]) -> dict[str, str]:
    """Return environment variables without those that arguments replace, so that no variable wins over an argument.

    Args:
        variables: The environment variables.
        given: The names of the arguments that were given, as `connect` calls them.
    """
    replaced = {variable for name in given for variable in _REPLACED.get(name, ())}
    return {name: value for name, value in variables.items() if name not in replaced}


def _check_bundle(path: str) -> None:
    """Raise ConfigurationError if certificates to trust are no file; whether they can be used shows with TLS."""
    try:
        is_file = Path(path).is_file()
    except OSError as error:
        raise ConfigurationError(
            f"{path}, which WALLAROO_CA_BUNDLE names, cannot be read: {error.strerror or error}.",
            advice="Name a PEM file of certificates to trust, or unset it.",
        ) from None
    if not is_file:
        raise ConfigurationError(f"There is no file {path} of certificates to trust: WALLAROO_CA_BUNDLE names it.")


def _urls(setting: Any) -> dict[str, str]:
    """Return the API's and Keycloak's URLs, from whole URLs or from prefix and suffix."""
    api_url = setting("api_url", "WALLAROO_API_URL")
    auth_url = setting("auth_url", "WALLAROO_AUTH_URL")
    api_name = "The API's URL, WALLAROO_API_URL,"
    auth_name = "Keycloak's URL, WALLAROO_AUTH_URL,"
    suffix = setting("suffix", "WALLAROO_SUFFIX")
    prefix = setting("prefix", "WALLAROO_PREFIX") or ""
    if suffix is not None:
        suffix = _name(suffix, "WALLAROO_SUFFIX")
        prefix = _name(prefix, "WALLAROO_PREFIX")
        if prefix and not prefix.endswith("."):
            prefix += "."  # the oldest documents write the prefix without its dot
        if not api_url:
            api_url, api_name = f"https://{prefix}api.{suffix}", f"The API's URL, {_OF_PARTS},"
        if not auth_url:
            auth_url, auth_name = f"https://{prefix}keycloak.{suffix}", f"Keycloak's URL, {_OF_PARTS},"
    if api_url is None and prefix:
        raise ConfigurationError(
            f"The prefix {prefix[:_SHOWN]!r} names no instance by itself: set WALLAROO_SUFFIX, too."
        )
    if api_url is None:
        raise ConfigurationError(
            "The instance is not named: set WALLAROO_API_URL, or WALLAROO_SUFFIX and WALLAROO_PREFIX, if there is one.",
            advice="`wallaroo-ext sandbox` runs one on this machine, and prints the lines that name it.",
        )
    checked = _checked(api_url, api_name)
    return {
        "api_url": checked,
        "auth_url": checked if auth_url is None else _checked(auth_url, auth_name),
    }


def _name(text: str, variable: str) -> str:
    """Return a part of a host's name, without what a file has around it.

    Raises:
        ConfigurationError: It is a URL, or has something else that no name has.
    """
    name = text.strip(_AROUND_A_URL)
    if not set(name).isdisjoint("/?#@\\[] "):
        raise ConfigurationError(
            f"{variable} is no part of a host's name, such as example.com: {text[:_SHOWN]!r}.",
            advice="Write URLs into WALLAROO_API_URL and WALLAROO_AUTH_URL instead.",
        )
    return name


def _checked(url: str, name: str) -> str:
    from wallaroo_ext._util.urls import parse_http_url, with_plain_zone

    text = with_plain_zone(url.strip(_AROUND_A_URL))
    parse_http_url(text, name)
    if "?" in text or "#" in text:
        raise ConfigurationError(f"{name} has a query or a fragment, after a ? or a #. Write it as https://host.")
    part = next((part for part in _PATHS if f"{part}/" in f"{text}/"), None)
    if part is not None:
        before = text[: f"{text}/".index(f"{part}/")]
        raise ConfigurationError(f"{name} has {part} in it, which requests add by themselves. Write {before}.")
    return text.rstrip("/")


def _read_credentials(path: str) -> dict[str, str]:
    """Return the fields of the credentials file; both documented shapes are flat objects of strings."""
    if not path:
        return {}
    try:
        content: Any = json.loads(user_path(path).read_bytes())  # with or without a byte order mark, in UTF-8 or UTF-16
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    except (ValueError, RecursionError):
        problem = "is no JSON"
    else:
        given = {name: value for name, value in object_of(content).items() if name in _IN_FILE and value}
        wrong = next((name for name, value in given.items() if not isinstance(value, str)), None)
        if given and wrong is None:
            return {name: value.strip(_LINE_BREAKS) for name, value in given.items()}
        problem = f"has none of {', '.join(_IN_FILE)}" if wrong is None else f"has a {wrong} that is no text in quotes"
    # Raised outside the handlers, because the error that is handled there holds the file's text.
    raise ConfigurationError(
        f"The credentials file {path} {problem}.", advice="WALLAROO_SDK_CREDENTIALS names it: correct or unset it."
    )
