"""Is a command, a fault, a release or a helper that was added at one place missing at another one?

CONTRIBUTING.md lists the places. Those of an operation are looked at in `documents` and `sandbox/server`.
"""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from typing import TYPE_CHECKING, get_args, get_type_hints

import wallaroo_ext
from contract_tests.support.readme import ROOT
from contract_tests.support.readme import text as readme
from contract_tests.support.sandbox.fault_matrix import TABLE
from wallaroo_ext import aio
from wallaroo_ext.cli.commands.sandbox import sandbox
from wallaroo_ext.cli.main import COMMANDS
from wallaroo_ext.contract import RELEASES
from wallaroo_ext.sandbox.faults.kinds import KINDS

if TYPE_CHECKING:
    from pathlib import Path

COMMAND_MODULES = ROOT / "wallaroo_ext" / "cli" / "commands"
ANSWER_TESTS = ROOT / "contract_tests" / "sandbox" / "inference" / "test_answers.py"


def test_a_command_stands_in_a_module_of_its_name() -> None:
    assert sorted(path.stem for path in COMMAND_MODULES.rglob("[a-z]*.py")) == list(COMMANDS)
    for name, module in COMMANDS.items():
        assert callable(getattr(import_module(module), name))


def test_a_fault_stands_in_the_matrix() -> None:
    rows = [line.split("|")[1] for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert [name for name in KINDS if not any(row.strip().partition(",")[0] == name for row in rows)] == []


def test_a_release_stands_on_the_command_line_in_the_readme_and_in_the_tests_of_answers() -> None:
    assert get_args(get_type_hints(sandbox)["release"]) == RELEASES
    assert "--release " + r"\|".join(RELEASES) in readme()
    tried = {node.value for node in ast.walk(_parsed(ANSWER_TESTS)) if isinstance(node, ast.Constant)}
    assert [release for release in RELEASES if release not in tried] == []


def test_a_helper_stands_in_both_modules() -> None:
    helpers = {name for name in wallaroo_ext.__all__ if inspect.isfunction(getattr(wallaroo_ext, name))}
    takes_client = {name for name in helpers if "client" in inspect.signature(getattr(wallaroo_ext, name)).parameters}
    assert takes_client - set(aio.__all__) == set()


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
