"""Runs of the suite on healthy instances in this process, a few operations each: no one may be blamed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from contract_tests.mutants.serving import LyingInstance, lying_instance
from contract_tests.support.conformance.gateway import Gateway
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.suite import Suite
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS
from wallaroo_ext.transport.retry.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from wallaroo_ext.conformance.results import Run


class Switched:
    """A gateway that can be put in front of one sandbox for one test after another."""

    def __init__(self) -> None:
        self.gateway = Gateway()
        self._app: ASGIApp | None = None
        self._behind: ASGIApp | None = None

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return the application behind whatever gateway there is."""
        self._app = app
        self.use(Gateway())

        async def switched(scope: Scope, receive: Receive, send: Send) -> None:
            assert self._behind is not None
            await self._behind(scope, receive, send)

        return switched

    def use(self, gateway: Gateway) -> None:
        """Put a gateway there in place of the one before."""
        assert self._app is not None
        self.gateway = gateway
        self._behind = gateway.around(self._app)


class Look(Protocol):
    """Runs the suite on the sandbox behind a gateway."""

    def __call__(self, gateway: Gateway, *operations: str, **options: Any) -> Run:
        """Return the results.

        Args:
            gateway: The gateway.
            *operations: The operations.
            **options: Further options of the run.
        """
        ...


class _Hasty(Clock):
    def sleep(self, seconds: float) -> None:
        """Go on at once."""


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[LyingInstance, Switched]]:
    """Yield a sandbox, and what is in front of it."""
    switched = Switched()
    with lying_instance(switched.around) as instance:
        yield instance, switched


@pytest.fixture
def look(served: tuple[LyingInstance, Switched]) -> Look:
    """Return a function that sends examples, good data and bad ones of a few operations."""
    instance, switched = served

    def run(gateway: Gateway, *operations: str, **options: Any) -> Run:
        instance.become(None)
        switched.use(gateway)
        environment = {
            name: value + gateway.prefix if name.endswith("_URL") else value
            for name, value in instance.environment.items()
        }
        chosen: dict[str, Any] = {
            "release": DEFAULT_OPTIONS.release,
            "running": environment,
            "operations": operations,
            "cases": 2,
        }
        with suite_of(SuiteOptions(**chosen | options)) as suite:
            look_at(suite, *operations)
        return suite.run

    return run


@contextmanager
def suite_of(options: SuiteOptions) -> Generator[Suite]:
    """Yield a suite whose pauses take no time, and close it."""
    suite = Suite(options, clock=_Hasty())
    try:
        yield suite
    finally:
        suite.close()


def look_at(suite: Suite, *operations: str) -> None:
    """Send examples, good data and bad ones of some operations."""
    for operation in operations:
        suite.cases.examples(operation)
        suite.cases.random(operation, good=True, cases=suite.options.cases)
        suite.cases.random(operation, good=False, cases=suite.options.cases)
        suite.cases.edges(operation, good=False)
