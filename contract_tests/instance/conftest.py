"""What the suite's tests share; the fixtures of the instance are those of `wallaroo_ext.conformance.plugin`."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _judged(fail_on_findings: None) -> None:
    """Every test of the suite fails for what the observer finds while it runs."""
