"""Runs the project's own rules, and the suite, on an edited contract: do they notice the edit?"""

from __future__ import annotations

import io
import multiprocessing
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
import yaml

from contract_tests.mutants.edits.contract_edits import edits
from wallaroo_ext import contract
from wallaroo_ext.conformance.options import SuiteOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.mutants.edits.contract_edits import Edit

RULES = (
    "contract_tests/documents/test_contract.py",
    "contract_tests/documents/test_completeness.py",
    "contract_tests/documents/test_recordings.py",
)


_MOST_OPERATIONS = 3
"""The number of operations that the suite checks, where an edit concerns more."""


class _FirstFailure:
    """A plugin of pytest that notes the name of the first test that failed."""

    def __init__(self) -> None:
        self.test = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.test:
            self.test = report.nodeid.removeprefix("contract_tests/")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.test:
            self.test = report.nodeid.removeprefix("contract_tests/")


def _noticed_by_rules() -> str:
    """Return the test of the project's rules that fails; empty where none does."""
    first = _FirstFailure()
    with redirect_stdout(io.StringIO()) as output, redirect_stderr(output):
        code = pytest.main(
            [*RULES, "-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"],
            plugins=[first],
        )
    return first.test or ("" if code == 0 else f"pytest, which ended with {code!r}")


def _noticed_by_suite(operations: list[str], file: Path) -> str:
    """Return the check of the suite that fails on an honest instance by the edited contract; empty where none does."""
    from contract_tests.mutants.proving.suite_runs import NOT_WAITING, run
    from contract_tests.mutants.serving import lying_instance

    with lying_instance() as honest:
        options = SuiteOptions(running=honest.environment, contract=file, cases=5, operations=tuple(operations))
        noticed, check, _, crash, _ = run(options, NOT_WAITING)
    return f"instance/: {check or crash}" if noticed or crash else ""


def _try_edit(number: int, rules_only: bool, results: multiprocessing.Queue[str]) -> None:  # noqa: FBT001 - a process's arguments have no names
    """Report what notices an edit. Each edit needs a process of its own, because modules read the contract once."""
    document = contract.load()
    edit = edits(document)[number]
    with TemporaryDirectory() as directory:
        file = Path(directory) / "contract.yaml"
        file.write_text(yaml.safe_dump(edit.made(document), sort_keys=False, allow_unicode=True), encoding="utf-8")
        with patch.object(contract, "path", return_value=file):
            found = _noticed_by_rules()
        if not found and not rules_only:
            found = _noticed_by_suite(edit.operations(document)[:_MOST_OPERATIONS], file)
    results.put(found)
    results.close()
    results.join_thread()
    os._exit(0)


def noticed(*, rules_only: bool = False) -> Iterator[tuple[Edit, str]]:
    """Yield each edit with the test or check that noticed it; empty where none did.

    Args:
        rules_only: Whether only the rules of `contract_tests/documents` are tried, and not the suite.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["contract_tests.mutants.proving.preloaded"])
    for number, edit in enumerate(edits(contract.load())):
        results: multiprocessing.Queue[str] = context.Queue()
        process = context.Process(target=_try_edit, args=(number, rules_only, results))
        process.start()
        found = results.get(timeout=300)
        process.join()
        yield edit, found
