"""Does what `scripts/installs` tried agree with what the package says of itself, and does it notice what fails?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from scripts.lib.installs import run as installs

if TYPE_CHECKING:
    from pathlib import Path

head, _, *rows = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in installs.PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("|")
]
classified = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (installs.ROOT / "pyproject.toml").read_text())


def test_the_classifiers_are_what_was_tried() -> None:
    assert head == ["extra", *classified, f"{classified[0]}, lowest"]


def test_each_extra_was_tried_and_works_everywhere() -> None:
    assert [row[0] for row in rows] == [*installs.extras(), "none, from the sdist"]
    assert {cell for row in rows[:-1] for cell in row[1:]} == {"works"}
    assert set(rows[-1][1:-1]) == {"works"}


def test_each_extra_has_a_program_that_uses_it() -> None:
    assert {path.stem for path in installs.USES.glob("*.py")} == set(installs.extras())


def test_what_an_extra_brings_is_direct() -> None:
    names = {Requirement(text).name for text in installs.requirements("charts")}
    assert names == {"attrs", "httpx", "numpy", "pyarrow", "matplotlib"}
    assert {Requirement(text).name for text in installs.requirements("none")} == {"attrs", "httpx"}


def test_the_page_says_what_fails() -> None:
    page = installs.page({"arrow": {"3.11": "", "3.12": "No module named 'numpy'"}}, ["3.11", "3.12", "3.13"])
    assert page.endswith("| arrow | works | fails |  |\n")


def test_the_end_of_an_output_is_what_went_wrong(tmp_path: Path) -> None:
    python = installs.sys.executable
    assert installs.run_program([python, "-c", "pass"], tmp_path) == ""
    assert installs.run_program([python, "-c", "raise ValueError('lost')"], tmp_path).endswith("ValueError: lost")
    assert installs.run_program([python, "-c", "raise SystemExit(3)"], tmp_path) == "exit code 3"


@pytest.mark.parametrize("name", ["WALLAROO_USER", "PYTHONPATH", "VIRTUAL_ENV"])
def test_nothing_of_this_environment_is_passed_on(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "/nowhere")
    program = f"import os; raise SystemExit({name!r} in os.environ)"
    assert installs.run_program([installs.sys.executable, "-c", program], tmp_path) == ""
