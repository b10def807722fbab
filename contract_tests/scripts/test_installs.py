"""Does what `scripts/installs` tried agree with what the package says of itself, and does it notice what fails?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from scripts.lib.installs import run as installs

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


def test_a_program_that_does_not_end_is_what_went_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installs, "_SECONDS", 0.2)
    program = "import time; time.sleep(60)"
    assert installs.run_program([installs.sys.executable, "-c", program], tmp_path) == "it did not end within 0.2 s"


@pytest.mark.parametrize(
    ("found", "said"),
    [(["3.11", "3.12"], "there is no way 3.9; there are 3.11, 3.12"), ([], "there is no Python 3.11 or 3.12 or")],
)
def test_where_nothing_would_be_tried_that_is_an_error(
    found: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installs, "columns", lambda: [installs.Column(name, Path(name)) for name in found])
    monkeypatch.setattr(installs.sys, "argv", ["installs", *(["--python", "3.12", "--python", "3.9"] if found else [])])
    with pytest.raises(SystemExit) as raised:
        installs.main()
    assert raised.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", ["WALLAROO_USER", "PYTHONPATH", "VIRTUAL_ENV"])
def test_nothing_of_this_environment_is_passed_on(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "/nowhere")
    program = f"import os; raise SystemExit({name!r} in os.environ)"
    assert installs.run_program([installs.sys.executable, "-c", program], tmp_path) == ""
