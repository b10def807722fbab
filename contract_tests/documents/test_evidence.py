"""Is the table up to date that says how each operation is known on each release, and is the evidence where it says?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.recorded import NOTHING, files, recorded_answer
from scripts.lib.evidence.known_operations import NOT_THERE, OF_DOCUMENTS, TABLE, operations_of, page, source
from scripts.lib.evidence.recordings import VARIABLE, recordings_directory
from scripts.lib.evidence.sample import Claim, claims, documents_directory, sample, section_of
from wallaroo_ext import contract

if TYPE_CHECKING:
    from pathlib import Path


def rows() -> dict[str, list[str]]:
    """Return the cells of the table, by operation."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name.strip("`"): rest for name, *rest in cells}


def test_every_operation_has_a_row_with_a_cell_a_release() -> None:
    assert list(rows()) == contract.operation_ids()
    assert {len(cells) for cells in rows().values()} == {len(contract.RELEASES)}


def test_what_a_release_does_not_have_is_marked() -> None:
    for operation, cells in rows().items():
        for release, cell in zip(contract.RELEASES, cells, strict=True):
            assert (cell == NOT_THERE) == (operation not in operations_of(release)), (operation, release)


def test_it_is_what_the_script_writes() -> None:
    if recordings_directory() is None:
        pytest.skip(f"There are no recordings of real servers here: name their directory by {VARIABLE}.")
    written = TABLE.read_text(encoding="utf-8")
    if source() not in written:
        pytest.skip("The table was made from other recordings than those that are here.")
    assert written == page()


def answered_sections() -> set[tuple[str, str]]:
    """Return the documents with their sections in which an answer is printed."""
    found: set[tuple[str, str]] = set()
    for document, recording in files().items():
        shown = [each for each in recording["exchanges"] if recorded_answer(each) is not NOTHING]
        found.update((document, each["heading"]) for each in shown)
    return found


def without_answer(found: list[Claim]) -> list[str]:
    """Return the places of entries that are `recorded` in a section of a document without an answer."""
    answered = answered_sections()
    return [
        each.place
        for each in found
        if each.kind == "recorded" and each.document in OF_DOCUMENTS and (each.document, each.section) not in answered
    ]


def test_what_is_recorded_in_a_document_names_the_section_with_the_answer(document: dict[str, Any]) -> None:
    found = claims(document)
    assert without_answer(found) == []
    above = Claim("/here", {}, "pipeline-management-tutorial", "Create Pipeline in a Workspace Returns", "recorded")
    assert without_answer([*found, above]) == ["/here"]


@pytest.fixture(scope="module")
def sources() -> None:
    if documents_directory() is None:
        pytest.skip("The five documents are not here: name their directory by DOCUMENTS.")


CODE = re.compile(r"```|^ {4}\S|requests\.post|get_wallaroo_response|curl ", re.MULTILINE)


@pytest.mark.usefixtures("sources")
def test_what_is_an_example_names_a_section_with_code(document: dict[str, Any]) -> None:
    examples = [each for each in claims(document) if each.kind == "example" and each.document in OF_DOCUMENTS]
    assert len(examples) > 20
    for claim in examples:
        assert CODE.search(section_of(claim.document, claim.section) or ""), claim


@pytest.mark.usefixtures("sources")
def test_every_section_of_a_document_is_found_with_its_text(document: dict[str, Any]) -> None:
    for claim in claims(document):
        if claim.document in OF_DOCUMENTS or claim.document == "field-notes":
            assert section_of(claim.document, claim.section), claim


@pytest.mark.usefixtures("sources")
def test_a_sample_shows_the_section_beside_the_claim(document: dict[str, Any]) -> None:
    """It is for a person to read, by `scripts/evidence --sample`: what the claim says, and what its source does."""
    found = claims(document)
    page = sample(12, 7)
    shown = [each for each in found if f"\n{each.place}\n" in f"\n{page}"]
    assert page.count("    | ") > 24
    assert len(shown) >= 12
    assert sample(12, 7) == page != sample(12, 8)
    everything = sample(len(found), 0)
    claim = next(each for each in found if each.place.endswith("/SetAssayActiveResponse"))
    excerpt = (section_of(claim.document, claim.section) or "").splitlines()[0]
    at = everything.index(f"\n{claim.place}\n")
    assert at < everything.index("Whether it is on.", at) < everything.index(f"    | {excerpt}", at)


def test_a_source_that_is_not_here_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCUMENTS", str(tmp_path / "nothing"))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nothing"))
    assert section_of("mlops-api-tutorial", "Get Users") is None
    assert "(This source is not here.)" in sample(1, 0)
