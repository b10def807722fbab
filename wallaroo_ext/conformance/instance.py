"""The instance that a run is about: a sandbox that it starts, or the one that the environment names."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from wallaroo_ext import connect
from wallaroo_ext.client import DEFAULT_LIMITS
from wallaroo_ext.conformance.guard.interceptor import InterceptedSession, InterceptedTransport
from wallaroo_ext.settings import Settings
from wallaroo_ext.transport.connections import PooledTransport
from wallaroo_ext.transport.retry import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from wallaroo_mlops_client import Client

    from wallaroo_ext.conformance.guard.interceptor import Interceptor

Kind = Literal["sandbox", "recorded", "live"]

SANDBOX_TOKEN_SECONDS = 5
"""How long tokens of the suite's own sandbox live, so that there is an expired one before the run is over."""


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance, and how to reach it.

    Attributes:
        kind: `sandbox`, `recorded` or `live`.
        environment: The variables that `connect` reads.
        prefix: What the names of everything that the run makes begin with.
        allows_user_changes: Whether users may be invited, activated and deactivated.
        read_only: Whether it may only be read.
    """

    kind: Kind
    environment: Mapping[str, str] = field(repr=False)
    prefix: str
    allows_user_changes: bool
    read_only: bool = False

    @property
    def settings(self) -> Settings:
        """Where it is, and who signs in.

        Raises:
            ConfigurationError: The environment does not say, or contradicts itself.
        """
        return Settings.resolve(self.environment)

    def connect(self, interceptor: Interceptor) -> Client:
        """Return a client whose exchanges an interceptor sees; what fails is not tried again, so that it is seen.

        Raises:
            ConfigurationError: The environment does not say where it is, or who signs in.
        """
        wire = PooledTransport(verify=_trusted(self.settings.ca_bundle), limits=DEFAULT_LIMITS, backend="httpx")
        retries = RetryPolicy(attempts=1)
        return connect(environment=self.environment, transport=InterceptedTransport(wire, interceptor), retries=retries)

    def session(self, interceptor: Interceptor) -> InterceptedSession:
        """Return what schemathesis sends its cases with."""
        session = InterceptedSession(interceptor)
        session.auth = _as_it_is  # a file of passwords for other programs would change the header otherwise
        session.verify = self.settings.ca_bundle or True
        return session


def _as_it_is(request: Any) -> Any:
    return request


def _trusted(ca_bundle: str | None) -> ssl.SSLContext | bool:
    return True if ca_bundle is None else ssl.create_default_context(cafile=ca_bundle)


@contextmanager
def sandbox() -> Generator[dict[str, str]]:
    """Yield the environment of a sandbox for the time of a `with` block."""
    from wallaroo_ext.sandbox.process import running

    with running(None, "--token-lifetime", str(SANDBOX_TOKEN_SECONDS)) as environment:
        yield environment
