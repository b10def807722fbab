"""Runs tests in this process, with the changes in every module of the extension, and ends it."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from scripts.lib.proof.mutate.processes import end_with_parent
from scripts.lib.proof.mutate.reports import Chosen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scripts.lib.proof.mutate.reports import Reporter

OPTIONS = ["-q", "-m", "not slow", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
_PLUGINS = ("wallaroo_ext.conformance.plugin", "wallaroo_ext.pytest_plugin")


def import_plugins() -> None:
    """Import the plugins before pytest does it, which would do it without the switches."""
    for plugin in _PLUGINS:
        import_module(plugin)


def run_tests(files: Sequence[str], plugin: Reporter) -> NoReturn:
    """Run the tests of files that a plugin chooses, which reports them, and end this process."""
    code = 1
    end_with_parent()
    with Path(os.devnull).open("r+b") as nothing:
        for number in range(3):
            os.dup2(nothing.fileno(), number)
    try:
        first = ["-x"] if isinstance(plugin, Chosen) else []
        code = int(pytest.main([*OPTIONS, *first, *files], [plugin]))
    finally:
        plugin.report(ended=code)
        os._exit(code)


def files_of(tests: Iterable[str]) -> list[str]:
    """Return the files of some tests, in their order."""
    return list(dict.fromkeys(test.partition("::")[0] for test in tests))
