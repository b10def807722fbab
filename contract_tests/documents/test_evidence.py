"""Is the table up to date that says how each operation is known on each release?"""

from __future__ import annotations

import pytest

from scripts.lib.evidence import NOT_THERE, TABLE, operations_of, page, source
from scripts.lib.recordings import VARIABLE, recordings_directory
from wallaroo_ext import contract


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
