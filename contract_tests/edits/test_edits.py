"""Does each edit of the contract become right code, or a sentence that names the place?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from contract_tests.edits.corpus import Edit, edits
from scripts.lib.regenerate import main

if TYPE_CHECKING:
    from pathlib import Path

EDITS = edits()
REFUSED = [edit for edit in EDITS if edit.says]
MADE = [edit for edit in EDITS if not edit.says]


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
    said = capsys.readouterr().err
    assert edit.says in said
    assert "\n" not in said.strip()
    assert re.search(r"line \d+, #/|it is no (YAML|JSON)|it is too large", said), said
    assert not (tmp_path / "client").exists()


@pytest.mark.parametrize("edit", MADE, ids=lambda edit: edit.name)
def test_what_can_be_made_is_made(
    edit: Edit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert regenerated(edit, tmp_path, monkeypatch) == 0, capsys.readouterr().err
