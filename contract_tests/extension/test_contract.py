"""Is the contract read as its file says, and that of a release with its overlay?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from wallaroo_ext import contract
from wallaroo_ext._util.files.yaml_files import read_yaml
from wallaroo_ext.contract_overlays import OverlayError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_contract_is_what_its_file_says() -> None:
    assert contract.load() == read_yaml(contract.path())


def test_it_is_read_from_the_clients_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(contract, "read_contract")
    assert contract.load()["openapi"] == "3.1.0"


def test_a_contract_that_was_edited_since_the_copy_was_made_is_read_from_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = tmp_path / "contract.yaml"
    text = contract.path().read_text(encoding="utf-8")
    edited.write_text(text.replace("title: Wallaroo MLOps API", "title: Edited", 1), encoding="utf-8")
    monkeypatch.setattr(contract, "path", lambda: edited)
    assert contract.load()["info"]["title"] == "Edited"


def test_the_contract_without_a_release_reads_no_overlay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("wallaroo_ext.contract_overlays.read_overlay")
    assert "x-release" not in contract.load()["info"]


def test_a_release_changes_nothing_for_the_next_reader() -> None:
    before = contract.load()
    assert contract.load("2022.4") != before
    assert contract.load() == before


def test_a_release_without_an_overlay_is_an_error_that_names_those_with_one() -> None:
    with pytest.raises(ValueError, match=r"'2021\.1' has no overlay: choose one of 2022\.4, .*2025\.2"):
        contract.load("2021.1")


def test_an_overlay_is_applied_to_another_contract(tmp_path: Path) -> None:
    file = tmp_path / "contract.yaml"
    file.write_text(json.dumps({"openapi": "3.1.0", "info": {}, "paths": {}}), encoding="utf-8")
    with pytest.raises(OverlayError, match=r"action 2 \(.*\): .* matches nothing"):
        contract.load("2025.2", file=file)
