"""Do the notebooks of the documentation run, and does what they show come out?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from scripts.lib.docs import notebooks

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PATHS = notebooks.paths()


def texts(notebook: Any) -> list[list[dict[str, Any]]]:
    """Return what each cell of code showed, with the names of pictures only: fonts and libraries draw them."""
    return [[_texts_of(output) for output in cell] for cell in notebooks.outputs(notebook)]


def _texts_of(output: dict[str, Any]) -> dict[str, Any]:
    return {kind: shown if kind.startswith(("text/", "std")) else None for kind, shown in output.items()}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_shows_what_comes_out(path: Path) -> None:
    assert texts(notebooks.execute(path)) == texts(notebooks.read(path))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_was_run_from_top_to_bottom_without_a_warning(path: Path) -> None:
    cells = [cell for cell in notebooks.read(path).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
    assert not [output for cell in notebooks.outputs(notebooks.read(path)) for output in cell if "stderr" in output]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_shows_a_chart_and_nothing_of_the_machine_that_ran_it(path: Path) -> None:
    shown = [output for cell in notebooks.outputs(notebooks.read(path)) for output in cell]
    assert any("image/png" in output for output in shown)
    written = "".join(str(content) for output in texts(notebooks.read(path)) for content in output)
    assert not [word for word in ("/home", "/root", "/tmp", "/work", "127.0.0.1", "localhost") if word in written]  # noqa: S108 - what must not be there


def test_there_are_those_that_the_pages_name() -> None:
    assert [path.stem for path in PATHS] == ["from-a-table-to-a-chart", "millions-of-rows"]
