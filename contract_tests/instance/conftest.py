"""Shared by all tests of the suite. The other fixtures are those of `wallaroo_ext.conformance.plugin`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wallaroo_ext.conformance.testing.people import Person

if TYPE_CHECKING:
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api


@pytest.fixture(autouse=True)
def _fail_on_findings(fail_on_findings: None) -> None:
    """Fail every test of the suite for the findings that come while it runs."""


@pytest.fixture(scope="session")
def stranger(api: Api, conformance_suite: Suite) -> Person:
    """Return a second person, who is a member of no workspace of the run."""
    return Person(api, conformance_suite)
