"""Fixtures for the tests of projects that use this one: a sandbox, and a client of it.

pytest loads this module wherever the package is installed. So it imports nothing but pytest, and a fixture that nobody
asks for costs nothing.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from wallaroo_mlops_client import Client

    from wallaroo_ext.sandbox.control_client import Sandbox

_OPTIONS = {
    "wallaroo_release": "the release of Wallaroo that the sandbox answers as, such as 2025.2",
    "wallaroo_instance": "what wallaroo_client is a client of: sandbox, or environment for the instance that the "
    "WALLAROO_ variables name",
}
_INSTANCES = ("sandbox", "environment")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, for the command line and for pytest's configuration file."""
    group = parser.getgroup("wallaroo")
    for name, text in _OPTIONS.items():
        group.addoption(f"--{name.replace('_', '-')}", dest=name, help=text)
        parser.addini(name, text)


@pytest.fixture(scope="session")
def _wallaroo_process(  # pyright: ignore[reportUnusedFunction] - pytest finds it
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Sandbox]:
    """Yield a sandbox that lives as long as the session."""
    log = tmp_path_factory.mktemp("wallaroo") / "log"
    with _running(_option(pytestconfig, "wallaroo_release"), log) as sandbox:
        yield sandbox


@pytest.fixture
def wallaroo_sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Return a sandbox of the Wallaroo API, new for each test: its `environment`, its `url`, and what steers it.

    One process serves the whole session. Where the tests run on another instance (`--wallaroo-instance environment`),
    a test that asks for it is skipped: nobody else's instance is steered.
    """
    if not _is_sandbox(request.config):
        pytest.skip("wallaroo_sandbox is for tests that run on a sandbox; this run is on the instance of WALLAROO_*.")
    sandbox: Sandbox = request.getfixturevalue("_wallaroo_process")
    sandbox.reset()
    return sandbox


@pytest.fixture
def wallaroo_client(request: pytest.FixtureRequest) -> Generator[Client]:
    """Yield a client that is signed in: of `wallaroo_sandbox`, or of the instance that the environment names."""
    from wallaroo_ext import connect

    environment = None
    if _is_sandbox(request.config):
        sandbox: Sandbox = request.getfixturevalue("wallaroo_sandbox")
        environment = sandbox.environment
    with connect(environment=environment) as client:
        yield client


def _option(config: pytest.Config, name: str) -> str | None:
    """Return an option of the command line, or else of the configuration file."""
    return config.getoption(name) or config.getini(name) or None


def _is_sandbox(config: pytest.Config) -> bool:
    """Return whether the tests run on a sandbox."""
    named = _option(config, "wallaroo_instance") or _INSTANCES[0]
    if named not in _INSTANCES:
        raise pytest.UsageError(f"wallaroo_instance is {named!r}; it can be {' or '.join(_INSTANCES)}.")
    return named == _INSTANCES[0]


@contextmanager
def _running(release: str | None, log: Path) -> Generator[Sandbox]:
    """Yield a sandbox, or one sentence that fails the test."""
    from wallaroo_ext.errors import ConfigurationError
    from wallaroo_ext.sandbox.process import SandboxFailedError, sandbox

    with ExitStack() as stack:
        try:
            instance = stack.enter_context(sandbox(release=release, log=log))
        except (ConfigurationError, SandboxFailedError) as error:
            pytest.fail(str(error), pytrace=False)
        yield instance
