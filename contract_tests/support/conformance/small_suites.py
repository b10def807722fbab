"""Runs a few tests as if they were the contract suite, without an instance."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from wallaroo_ext.conformance import command
from wallaroo_ext.conformance.options import SuiteOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from wallaroo_ext.conformance.results import Run

_NUMBERS = count()


def run_as_suite(
    text: str,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> Run:
    """Run tests, given as text, as if they were the suite, and return the results.

    Args:
        text: A module of tests.
        directory: Where to write it.
        monkeypatch: Undoes what this changes.
        progress: As of `run_suite`, which also tells it what it announces.
    """

    def tests(_: str) -> Path:
        return directory

    folder = directory / "instance"
    folder.mkdir(exist_ok=True)
    for earlier in folder.glob("test_*.py"):
        earlier.unlink()
    name = f"test_few_{next(_NUMBERS)}.py"  # pytest imports a module of a name once
    (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(command, "repository_file", tests)
    return command.run_suite(SuiteOptions(instance="recorded"), progress, lambda _: progress(0, 0))
