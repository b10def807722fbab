"""What the instance's tests run on: a sandbox of their own, recordings, or the instance that the environment names."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest

from wallaroo_ext import connect
from wallaroo_ext.conformance.recordings import wiring
from wallaroo_ext.conformance.recordings.normalised import PREFIX

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from wallaroo_mlops_client import Client

    from wallaroo_ext.conformance.recordings.wiring import Instance


@dataclass(frozen=True)
class ConformanceInstance:
    """What a run is on.

    Attributes:
        kind: `sandbox`, `recorded` or `live`.
        environment: The variables that `connect` reads.
        prefix: What the names of everything that the run makes begin with.
        allows_user_changes: Whether users may be invited, activated and deactivated.
    """

    kind: Instance
    environment: Mapping[str, str]
    prefix: str
    allows_user_changes: bool


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("wallaroo conformance")
    group.addoption("--instance", choices=["sandbox", "recorded", "live"], default="sandbox")
    group.addoption("--allow-user-changes", action="store_true")
    wiring.add_options(group)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "touches(*operations): the operations that a test is about")
    wiring.configure(config, kind(config))


def kind(config: pytest.Config) -> Instance:
    return cast("Instance", config.getoption("instance", "sandbox"))


@pytest.fixture(scope="session")
def conformance_instance(request: pytest.FixtureRequest) -> ConformanceInstance:
    chosen = kind(request.config)
    if chosen == "recorded":
        return ConformanceInstance(chosen, wiring.recorded_environment(), PREFIX, allows_user_changes=True)
    prefix = f"conformance-{secrets.token_hex(4)}"
    if chosen == "sandbox":
        environment = request.getfixturevalue("sandbox")
        return ConformanceInstance(chosen, environment, prefix, allows_user_changes=True)
    allowed = bool(request.config.getoption("allow_user_changes"))
    return ConformanceInstance(chosen, os.environ, prefix, allows_user_changes=allowed)


@pytest.fixture(scope="session")
def conformance_client(conformance_instance: ConformanceInstance) -> Generator[Client]:
    with connect(environment=conformance_instance.environment) as client:
        yield client
