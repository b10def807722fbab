"""Do the cassettes say what they are, and do they hold no secret? In the repository they are the sandbox's."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING

import pytest
import yaml

from contract_tests.support.recorded import FOLDER
from wallaroo_ext import contract
from wallaroo_ext.conformance.recordings.cassette_files import SUFFIX, default_directory
from wallaroo_ext.conformance.recordings.index import FILE
from wallaroo_ext.conformance.recordings.secrets import find_secrets

if TYPE_CHECKING:
    from pathlib import Path

CASSETTES = default_directory()
EXAMPLES = FOLDER.parent / "instance" / "test_examples.py"
ROOM = 2**20


def cassettes() -> list[Path]:
    return sorted(CASSETTES.glob(f"*{SUFFIX}"))


def examples() -> dict[str, set[str]]:
    """Return the example tests, each with the operations that it is marked with."""
    functions = ast.parse(EXAMPLES.read_text(encoding="utf-8")).body
    tests = [found for found in functions if isinstance(found, ast.FunctionDef) and found.name.startswith("test_")]
    return {test.name: _marked(test) for test in tests}


def _marked(test: ast.FunctionDef) -> set[str]:
    calls = [
        found for found in test.decorator_list if isinstance(found, ast.Call) and ast.unparse(found.func) == "touches"
    ]
    return {ast.literal_eval(argument) for call in calls for argument in call.args}


def test_every_operation_has_an_example() -> None:
    assert set().union(*examples().values()) == set(contract.operation_ids())
    assert all(examples().values())


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in cassettes()])
def test_a_cassette_holds_nothing_that_looks_like_a_secret(path: Path) -> None:
    assert find_secrets(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in cassettes()])
def test_a_cassette_has_the_headers_of_the_list_and_no_host_but_the_fixed_one(path: Path) -> None:
    interactions = yaml.safe_load(path.read_text(encoding="utf-8"))["interactions"]
    for side in [found[part] for found in interactions for part in ("request", "response")]:
        assert set(side["headers"]) <= {"accept", "content-type"}
    hosts = set(re.findall(r"://([^/\s\"]+)", path.read_text(encoding="utf-8")))
    assert hosts == {"wallaroo.example.com"}


def test_every_example_has_a_cassette_or_a_reason() -> None:
    index = json.loads((CASSETTES / FILE).read_text(encoding="utf-8"))
    recorded = {path.stem for path in cassettes()}
    assert recorded == set(index["cassettes"])
    assert set(examples()) == recorded | set(index["not_recorded"])
    assert set(index["not_recorded"]) == {"test_request_token"}


def test_the_repositorys_cassettes_are_the_sandboxs() -> None:
    index = json.loads((CASSETTES / FILE).read_text(encoding="utf-8"))
    assert {entry["instance"] for entry in index["cassettes"].values()} == {"sandbox"}


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in CASSETTES.iterdir()) < ROOM
