"""Shared by the tests of what surrounds a run: a suite of a few tests, which needs no instance."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

import pytest

from wallaroo_ext.conformance import command
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.results import Run

if TYPE_CHECKING:
    from pathlib import Path

_NUMBERS = count()

RunTests = Callable[[str], Run]
"""Runs tests that are given as text as if they were the suite."""


@pytest.fixture
def run_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunTests:
    """Return a function that runs tests, given as text, as if they were the suite, and returns the results."""
    folder = tmp_path / "suite" / "instance"
    folder.mkdir(parents=True)
    monkeypatch.setattr(command, "repository_file", lambda _: folder.parent)

    def run(text: str) -> Run:
        name = f"test_few_{next(_NUMBERS)}.py"  # pytest imports a module of a name once
        (folder / name).write_text(text, encoding="utf-8")
        return command.run_suite(SuiteOptions(instance="recorded"), lambda _, __: None)

    return run
