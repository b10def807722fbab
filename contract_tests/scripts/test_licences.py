"""Is the licence listed of everything that an extra installs?"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from scripts.lib import licences

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, str, str]]:
    """Return the rows of the page: extra, package, licence."""
    cells = [line.strip("| ").split(" | ") for line in licences.page().splitlines() if line.startswith("| ")]
    return [(extra, package, licence) for extra, package, licence in cells[2:]]


def test_each_package_is_listed_once_with_a_licence(rows: list[tuple[str, str, str]]) -> None:
    packages = [package for _, package, _ in rows]
    assert len(packages) == len(set(packages)) > 50
    assert {"httpx", "attrs", "certifi", "pyarrow", "onnxruntime", "cyclopts"} <= set(packages)
    assert [row for row in rows if not row[2] or row[2] == "not stated"] == []


def test_every_extra_is_there_or_said_to_be_elsewhere(rows: list[tuple[str, str, str]]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"])
    with_packages = {extra for extra, _, _ in rows} - {"none"}
    assert with_packages <= extras
    assert {"arrow", "cli", "sandbox", "conformance", "charts"} <= with_packages
    assert set(licences.ELSEWHERE) <= extras


def test_what_no_extra_brings_is_what_the_project_requires(rows: list[tuple[str, str, str]]) -> None:
    plain = {package for extra, package, _ in rows if extra == "none"}
    assert {"attrs", "httpx"} <= plain
    assert "cyclopts" not in plain
