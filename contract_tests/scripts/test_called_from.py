"""Are the paths on a script's command line relative to where one stands?"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.lib.called_from import ROOT, VARIABLE, called_path

if TYPE_CHECKING:
    import pytest

SCRIPT = f'. "$(dirname -- "$0")/lib/environment.sh"; printf "%s %s" "${VARIABLE}" "$PWD"'


def test_a_script_keeps_where_it_was_called_from(tmp_path: Path) -> None:
    command = ["sh", "-c", SCRIPT, str(ROOT / "scripts/any")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"{tmp_path} {ROOT}"


def test_a_path_is_relative_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.chdir(ROOT)
    assert called_path("a/b.yaml") == tmp_path / "a/b.yaml"
    assert called_path("/a/b.yaml") == Path("/a/b.yaml")


def test_a_program_that_no_script_started_takes_paths_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert called_path("a.yaml") == Path("a.yaml")
    monkeypatch.setenv(VARIABLE, "/elsewhere")
    monkeypatch.chdir(tmp_path)
    assert called_path("a.yaml") == Path("a.yaml")


def test_what_an_option_takes_is_no_path_even_if_there_is_one() -> None:
    """As there is contract_tests/sandbox beside `--instance sandbox`."""
    command = [
        str(ROOT / "scripts/test"),
        "--instance",
        "sandbox",
        "client/test_generated.py",
        "--collect-only",
        "-q",
        "-n0",
    ]
    done = subprocess.run(command, cwd=ROOT / "contract_tests", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "contract_tests/client/test_generated.py::" in done.stdout


def test_the_tests_are_chosen_by_paths_from_where_one_stands() -> None:
    chosen = "test_called_from.py::test_a_path_is_relative_to_it"
    command = [str(ROOT / "scripts/test"), chosen, "-k", "path", "--collect-only", "-q", "-n0"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "contract_tests/scripts/test_called_from.py::test_a_path_is_relative_to_it" in done.stdout
