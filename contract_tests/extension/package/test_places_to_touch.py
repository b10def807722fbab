"""Is an operation, a helper, a command, a fault or a release that was added at one place missing at another one?

CONTRIBUTING.md lists the places. Other places of an operation and of a release are looked at in `documents`.
"""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, get_args, get_type_hints

import wallaroo_ext
from contract_tests.support.documentation import ROOT, guide
from contract_tests.support.sandbox.fault_matrix import TABLE
from scripts.lib.evidence.recordings import release_of
from wallaroo_ext import aio, contract
from wallaroo_ext.cli.commands.sandbox import sandbox
from wallaroo_ext.cli.main import COMMANDS
from wallaroo_ext.contract import RELEASES
from wallaroo_ext.sandbox.faults.kinds import KINDS
from wallaroo_ext.sandbox.handlers import HANDLERS

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = ROOT / "wallaroo_ext"
COMMAND_MODULES = SOURCE / "cli" / "commands"
ANSWER_TESTS = ROOT / "contract_tests" / "sandbox" / "inference" / "test_answers.py"
EXTENSION_TESTS = ROOT / "contract_tests" / "extension"
SANDBOX_TESTS = ROOT / "contract_tests" / "sandbox"


def test_an_operation_has_a_handler_in_the_sandbox() -> None:
    operations = [operation["operationId"] for _, _, operation in contract.operations(contract.load())]
    assert [name for name in operations if name not in HANDLERS] == []


def test_a_command_stands_in_a_module_of_its_name() -> None:
    assert sorted(path.stem for path in COMMAND_MODULES.rglob("[a-z]*.py")) == list(COMMANDS)
    for name, module in COMMANDS.items():
        assert callable(getattr(import_module(module), name))


def test_a_command_has_a_test() -> None:
    for name, module in COMMANDS.items():
        used = rf'\b(wallaroo|process|on_terminal|forked)\(\s*"{name}"|{re.escape(module)} import'
        assert re.search(used, package_tests()), f"No test runs the command {name}."


def test_a_fault_stands_in_the_matrix() -> None:
    rows = [line.split("|")[1] for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert [name for name in KINDS if not any(row.strip().partition(",")[0] == name for row in rows)] == []


def test_a_release_stands_on_the_command_line_in_the_guide_and_in_the_tests_of_answers() -> None:
    assert get_args(get_type_hints(sandbox)["release"]) == RELEASES
    assert "--release " + r"\|".join(RELEASES) in guide("sandbox").read_text(encoding="utf-8")
    tried = {node.value for node in ast.walk(_parsed(ANSWER_TESTS)) if isinstance(node, ast.Constant)}
    assert [release for release in RELEASES if release not in tried] == []


def test_a_release_has_months_of_recordings() -> None:
    months = (f"{year}-{month:02}" for year in range(2022, 2100) for month in range(1, 13))
    assert tuple(dict.fromkeys(release_of(month) for month in months)) == RELEASES


def test_a_helper_is_public() -> None:
    helpers = [name for file in SOURCE.rglob("*.py") for name in _functions_of_steps(file)]
    assert len(helpers) >= 10
    assert set(helpers) - set(wallaroo_ext.__all__) == set()


def test_a_helper_stands_in_both_modules() -> None:
    helpers = {name for name in wallaroo_ext.__all__ if inspect.isfunction(getattr(wallaroo_ext, name))}
    takes_client = {name for name in helpers if "client" in inspect.signature(getattr(wallaroo_ext, name)).parameters}
    assert takes_client - set(aio.__all__) == set()


def test_a_helper_has_a_test() -> None:
    helpers = [name for name in aio.__all__ if name != "run"]
    assert [name for name in helpers if not re.search(rf"(?<![.\w])(wallaroo_ext\.)?{name}\(", package_tests())] == []
    assert [name for name in helpers if not re.search(rf"\baio\.{name}\b", package_tests())] == []


@cache
def package_tests() -> str:
    """Return the text of the tests of the extension and of the sandbox, except this file."""
    found = [file for directory in (EXTENSION_TESTS, SANDBOX_TESTS) for file in directory.rglob("*.py")]
    files = (file for file in found if file != Path(__file__))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def _functions_of_steps(file: Path) -> Iterator[str]:
    """Yield the names of the public functions that `synchronous` makes from steps in a file."""
    text = file.read_text(encoding="utf-8")
    if "@synchronous" in text:
        for found in ast.parse(text).body:
            if isinstance(found, ast.FunctionDef) and "synchronous" in map(ast.unparse, found.decorator_list):
                yield found.name


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
