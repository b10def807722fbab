"""Shared by all tests of the suite. The other fixtures are those of `wallaroo_ext.conformance.plugin`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wallaroo_ext.conformance.testing.assays.scenes import Scene, make_scene
from wallaroo_ext.conformance.testing.people import Person

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api
    from wallaroo_ext.conformance.testing.assays.scenes import Kept


@pytest.fixture(autouse=True)
def _fail_on_findings(fail_on_findings: None) -> None:
    """Fail every test of the suite for the findings that come while it runs."""


@pytest.fixture(scope="session")
def stranger(api: Api, conformance_suite: Suite) -> Person:
    """Return a second person, who is a member of no workspace of the run."""
    return Person(api, conformance_suite)


@pytest.fixture(scope="session")
def workspaces() -> list[int]:
    """Return the place where the first test that needs a workspace of its own keeps it for the others."""
    return []


@pytest.fixture
def separate_workspace(api: Api, fixtures: Fixtures, workspaces: list[int]) -> int:  # noqa: ARG001 - the run's is made first
    """Return the id of a workspace for tests that may run beside those of the run's workspace."""
    if not workspaces:
        workspaces.append(api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"])
    return workspaces[0]


@pytest.fixture(scope="session")
def scenes() -> list[Scene]:
    """Return the place where the first test about assays keeps what it scored for the others."""
    return []


@pytest.fixture
def scene(api: Api, fixtures: Fixtures, conformance_suite: Suite, scenes: list[Scene]) -> Scene:
    """Return rows that were scored, once their seconds are over."""
    if not scenes:
        scenes.append(make_scene(api, fixtures, conformance_suite))
    return scenes[0]


@pytest.fixture(scope="session")
def kept() -> Kept:
    """Return what was read of stored results, by operation, with how it is read again and when it was read."""
    return []
