"""The instance that a run checks: a sandbox that it starts, or the instance that the environment names."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from wallaroo_mlops_client import Client

from wallaroo_ext import connect
from wallaroo_ext.client import DEFAULT_LIMITS
from wallaroo_ext.conformance.guard.interceptor import InterceptedSession, InterceptedTransport
from wallaroo_ext.settings import Settings
from wallaroo_ext.transport.connections.pooled_connections import PooledTransport
from wallaroo_ext.transport.retry import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from wallaroo_ext.conformance.guard.interceptor import Interceptor

Kind = Literal["sandbox", "recorded", "live"]

SANDBOX_TOKEN_SECONDS = 5
"""The lifetime of tokens in the suite's own sandbox, so that one expires before the run is over."""


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance, and how to reach it.

    Attributes:
        kind: `sandbox`, `recorded` or `live`.
        environment: The variables that `connect` reads.
        prefix: The beginning of all names that the run gives.
        allows_user_changes: Whether users may be invited, activated and deactivated.
        read_only: Whether it may only be read.
        inference_hosts: Further hosts that tokens may be sent to.
    """

    kind: Kind
    environment: Mapping[str, str] = field(repr=False)
    prefix: str
    allows_user_changes: bool
    read_only: bool = False
    inference_hosts: tuple[str, ...] = ()

    @property
    def settings(self) -> Settings:
        """The settings: its URLs, and who signs in.

        Raises:
            ConfigurationError: The environment lacks a setting, or contradicts itself.
        """
        return Settings.resolve(self.environment)

    def connect(self, interceptor: Interceptor) -> Client:
        """Return a client whose exchanges go through an interceptor; it does not retry, so that failures are seen.

        Raises:
            ConfigurationError: The environment lacks a setting, or contradicts itself.
        """
        return connect(
            environment=self.environment,
            transport=self._transport(interceptor),
            retries=RetryPolicy(attempts=1),
            inference_hosts=self.inference_hosts,
        )

    def connect_to_issuer(self, interceptor: Interceptor) -> Client:
        """Return a client of the server that issues tokens, without credentials, whose exchanges go the same way.

        Raises:
            ConfigurationError: The environment lacks a setting, or contradicts itself.
        """
        return Client(base_url=self.settings.auth_url, httpx_args={"transport": self._transport(interceptor)})

    def _transport(self, interceptor: Interceptor) -> InterceptedTransport:
        wire = PooledTransport(verify=_verification(self.settings.ca_bundle), limits=DEFAULT_LIMITS, backend="httpx")
        return InterceptedTransport(wire, interceptor)

    def session(self, interceptor: Interceptor) -> InterceptedSession:
        """Return the session that schemathesis sends its cases with."""
        session = InterceptedSession(interceptor)
        session.auth = _unchanged  # without it, requests would take credentials from a .netrc file
        session.verify = self.settings.ca_bundle or True
        return session


def _unchanged(request: Any) -> Any:
    return request


def _verification(ca_bundle: str | None) -> ssl.SSLContext | bool:
    return True if ca_bundle is None else ssl.create_default_context(cafile=ca_bundle)


@contextmanager
def sandbox(release: str) -> Generator[dict[str, str]]:
    """Start a sandbox of a release for the time of a `with` block, and yield its environment."""
    from wallaroo_ext.sandbox.process import running

    with running(None, "--token-lifetime", str(SANDBOX_TOKEN_SECONDS), "--release", release) as environment:
        yield environment
