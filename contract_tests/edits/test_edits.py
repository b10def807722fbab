"""Does each edit of the contract become right code, or a sentence that names the place?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from jinja2 import Environment

from contract_tests.edits import corpus
from contract_tests.edits.base import base
from contract_tests.edits.corpus import Edit, edits
from contract_tests.edits.judging import verdicts
from scripts.lib.generator import running
from scripts.lib.regenerate.run import main
from wallaroo_ext import contract

if TYPE_CHECKING:
    from pathlib import Path

EDITS = edits()
REFUSED = [edit for edit in EDITS if edit.says]
MADE = [edit for edit in EDITS if not edit.says]


def _nothing(command: list[str], directory: Path) -> None:
    """Do nothing."""


def regenerated(edit: Edit, directory: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Make a client of an edited contract in a directory. Returns the exit code."""
    file = directory / "edited.yaml"
    file.write_bytes(edit.content)
    command = ["regenerate", "--contract", str(file), "--output", str(directory / "client")]
    monkeypatch.setattr("sys.argv", command)
    return main()


@pytest.mark.parametrize("edit", REFUSED, ids=lambda edit: edit.name)
def test_what_cannot_be_made_is_refused_with_its_place(
    edit: Edit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert regenerated(edit, tmp_path, monkeypatch) == 2
    message = capsys.readouterr().err
    assert edit.says in message
    assert "\n" not in message.strip()
    assert re.search(r"line \d+, #/|it is no (YAML|JSON)|it is too large", message), message
    assert not (tmp_path / "client").exists()


@pytest.mark.parametrize("edit", MADE, ids=lambda edit: edit.name)
def test_what_can_be_made_is_made(edit: Edit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_run", _nothing)  # ruff and the import: the test below has them, for all
    file = tmp_path / "edited.yaml"
    file.write_bytes(edit.content)
    running.run_generator(contract.load(file=file), tmp_path / "client")
    for module in (tmp_path / "client").rglob("*.py"):
        compile(module.read_text(encoding="utf-8"), str(module), "exec")


def test_templates_are_compiled_once_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_run", _nothing)
    running.run_generator(base(), tmp_path / "first")

    def fail(_: Environment, source: str, *__: Any, **___: Any) -> None:
        raise AssertionError(f"it is compiled again: {source[:80]}")

    monkeypatch.setattr(Environment, "compile", fail)
    running.run_generator(base(), tmp_path / "second")
    modules = sorted((tmp_path / "first").rglob("*.py"))
    assert len(modules) >= 20
    for module in modules:
        second = tmp_path / "second" / module.relative_to(tmp_path / "first")
        assert second.read_bytes() == module.read_bytes()


def test_there_are_edits_of_each_kind() -> None:
    assert len({edit.name for edit in EDITS}) == len(EDITS)
    assert min(len(REFUSED), len(MADE)) > 40


def test_the_files_of_edits_are_made_for_who_reads_them_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(document: dict[str, Any]) -> str:
        raise AssertionError(f"{len(document)} keys are written")

    monkeypatch.setattr(corpus, "text_of", fail)
    assert len(edits()) == len(EDITS)  # as collecting the tests does it in each of their processes


@pytest.mark.slow
def test_edits_are_right_in_all_that_reads_a_contract() -> None:
    """One of fifteen is tried here; `python -m contract_tests.edits.judging` tries all, which takes ten minutes."""
    found = verdicts(every=15)
    assert len(found) > 5
    assert [verdict for verdict in found if verdict.fault] == []
