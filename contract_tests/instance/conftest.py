"""Shared by all tests of the suite. The other fixtures are those of `wallaroo_ext.conformance.plugin`."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _fail_on_findings(fail_on_findings: None) -> None:
    """Fail every test of the suite for the findings that come while it runs."""
