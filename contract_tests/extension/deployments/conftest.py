"""Fixtures for the tests of deployments: a sandbox that is new for each test, its control, a client, and a model."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import Clock, connect, upload_model
from wallaroo_ext.sandbox.control_client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import ModelVersion

HASTE = 20
"""How many times shorter pauses are here: a sandbox on this machine does in milliseconds what is waited for."""


@pytest.fixture(scope="session")
def sandbox() -> Generator[dict[str, str]]:
    """Yield a sandbox of their own, which they reset."""
    with running() as environment:
        yield environment


@pytest.fixture(scope="session")
def _steering(sandbox: dict[str, str]) -> Generator[Sandbox]:
    with Sandbox(sandbox) as steering:
        yield steering


@pytest.fixture(autouse=True)
def control(_steering: Sandbox) -> Generator[Sandbox]:
    """Yield what steers the sandbox, which is new."""
    _steering.reset()
    _steering.clear_faults()
    yield _steering
    _steering.clear_faults()


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the machine's clock make short pauses, as often and in the same proportion; deadlines stay."""

    def sleep(_: Clock, seconds: float) -> None:
        time.sleep(seconds / HASTE)

    async def sleep_async(_: Clock, seconds: float) -> None:
        await asyncio.sleep(seconds / HASTE)

    monkeypatch.setattr(Clock, "sleep", sleep)
    monkeypatch.setattr(Clock, "sleep_async", sleep_async)


@pytest.fixture
def client(sandbox: dict[str, str], control: Sandbox) -> Generator[Client]:
    """Yield a client of the sandbox, which is new."""
    _ = control
    with connect(environment=sandbox) as connected:
        yield connected


@pytest.fixture
def model(client: Client, model_file: Path) -> ModelVersion:
    """Return a version of the small model, in the default user's workspace."""
    return upload_model(client, model_file, name="model", workspace=1)
