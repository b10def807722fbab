"""The options that all commands share: which instance, who signs in, and how the command answers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter
from cyclopts.validators import Number

from wallaroo_ext.cli.parameters import PATH
from wallaroo_ext.cli.printing import output
from wallaroo_ext.settings import without_replaced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from wallaroo_mlops_client import Client

_INSTANCE = Group(
    "Instance",
    help="What is not given here comes from the environment. Passwords, client secrets and tokens come from the "
    "environment or the credentials file only, because everybody on the machine can see arguments.",
)
_ANSWER = Group("Answer")

_USER_VARIABLES = (
    "WALLAROO_USER",
    "WALLAROO_PASSWORD",
    "WALLAROO_CLIENT_ID",
    "WALLAROO_CLIENT_SECRET",
    "WALLAROO_TOKEN",
)
"""What a credentials file replaces."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Options:
    """Which instance, who signs in, and how the command answers."""

    api_url: Annotated[
        str | None, Parameter(group=_INSTANCE, help="The API's URL, such as https://api.example.com: WALLAROO_API_URL.")
    ] = None
    auth_url: Annotated[
        str | None, Parameter(group=_INSTANCE, help="Keycloak's URL; the API's by default: WALLAROO_AUTH_URL.")
    ] = None
    suffix: Annotated[
        str | None, Parameter(group=_INSTANCE, help="The instance's domain, instead of the URLs: WALLAROO_SUFFIX.")
    ] = None
    prefix: Annotated[
        str | None, Parameter(group=_INSTANCE, help="What comes before `api.` and the domain: WALLAROO_PREFIX.")
    ] = None
    user: Annotated[str | None, Parameter(group=_INSTANCE, help="The user's name: WALLAROO_USER.")] = None
    client_id: Annotated[str | None, Parameter(group=_INSTANCE, help="The Keycloak client: WALLAROO_CLIENT_ID.")] = None
    credentials: Annotated[
        Path | None,
        Parameter(
            group=_INSTANCE,
            help="A creds.json with the user and the client, which overrides the environment: "
            "WALLAROO_SDK_CREDENTIALS.",
        ),
        PATH,
    ] = None
    ca_bundle: Annotated[
        Path | None,
        Parameter(group=_INSTANCE, help="A PEM file of certificates to trust: WALLAROO_CA_BUNDLE."),
        PATH,
    ] = None
    timeout: Annotated[
        float | None,
        Parameter(group=_INSTANCE, validator=Number(gt=0), help="How long to wait for the instance, in seconds."),
    ] = None
    json: Annotated[
        bool,
        Parameter(
            group=_ANSWER, negative=(), show_default=False, help="Answer for programs: JSON in one line, errors too."
        ),
    ] = False
    verbose: Annotated[
        bool,
        Parameter(
            group=_ANSWER, negative=(), show_default=False, help="Show what is logged, and where an error came from."
        ),
    ] = False

    def environment(self) -> dict[str, str]:
        """Return the environment with the options in it, and without the variables that an option replaces."""
        given = {name: (variable, value) for name, variable, value in self._settings() if value is not None}
        replaced = () if self.credentials is None else _USER_VARIABLES
        variables = {name: value for name, value in without_replaced(os.environ, given).items() if name not in replaced}
        return variables | {variable: str(value) for variable, value in given.values()}

    def _settings(self) -> Iterator[tuple[str, str, str | Path | None]]:
        """Yield the names that `connect` has for the options, their variables, and what was given."""
        yield "api_url", "WALLAROO_API_URL", self.api_url
        yield "auth_url", "WALLAROO_AUTH_URL", self.auth_url
        yield "suffix", "WALLAROO_SUFFIX", self.suffix
        yield "prefix", "WALLAROO_PREFIX", self.prefix
        yield "username", "WALLAROO_USER", self.user
        yield "client_id", "WALLAROO_CLIENT_ID", self.client_id
        yield "credentials", "WALLAROO_SDK_CREDENTIALS", self.credentials
        yield "ca_bundle", "WALLAROO_CA_BUNDLE", self.ca_bundle

    def connect(self, *, connections: int = 0) -> Client:
        """Return a client of the instance.

        Args:
            connections: How many connections there are at least, for requests at the same time.

        Raises:
            ConfigurationError: A setting is missing, or contradicts another one.
        """
        from wallaroo_ext.client import DEFAULT_LIMITS, connect, limits_for

        settings: dict[str, Any] = {} if self.timeout is None else {"timeout": self.timeout}
        if connections > (DEFAULT_LIMITS.max_connections or 0):
            settings["limits"] = limits_for(connections)
        return connect(environment=self.environment(), **settings)

    def report_errors(self) -> AbstractContextManager[None]:
        """Return a context in which errors end the command with a message and an exit code."""
        return output.report_errors(machine=self.json, verbose=self.verbose)


DEFAULT_OPTIONS = Options()
