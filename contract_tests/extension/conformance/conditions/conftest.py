"""Shared by the tests of what surrounds a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from contract_tests.support.conformance.small_suites import run_as_suite
from wallaroo_ext.conformance.results import Run

if TYPE_CHECKING:
    from pathlib import Path

RunTests = Callable[[str], Run]
"""Runs tests that are given as text as if they were the suite."""


@pytest.fixture
def run_tests(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> RunTests:
    """Return a function that runs tests, given as text, as if they were the suite, and returns the results."""
    directory: Path = tmp_path_factory.mktemp("suite")
    return lambda text: run_as_suite(text, directory, monkeypatch)
