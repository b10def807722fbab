"""Does `wallaroo-ext drift` compare with the contract of the release that is named?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.command_line import Done, in_process
from wallaroo_ext._util.files.yaml_files import parse_yaml
from wallaroo_ext.cli.commands.checking.drift import drift
from wallaroo_ext.cli.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LISTED: dict[str, Any] = {
    "path": "/v1/api/models/list",
    "status": 200,
    "request": {"workspace_id": 1},
    "response": {
        "models": [
            {"id": 1, "name": "m", "owner_id": "x", "created_at": "2023-01-01T00:00:00Z"}
            | {"updated_at": "2023-01-01T00:00:00Z"}
        ]
    },
}


def compared(directory: Path, capsys: pytest.CaptureFixture[str], **options: Any) -> tuple[int, dict[str, Any]]:
    """Compare a recorded list of models. Returns the exit code and what was printed."""
    (directory / "list.json").write_text(json.dumps(LISTED), encoding="utf-8")
    code: Any = 0
    try:
        drift(recorded=directory, options=Options(json=True), **options)
    except SystemExit as end:
        code = end.code
    return code, json.loads(capsys.readouterr().out)


def test_recordings_are_compared_with_a_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compared(tmp_path, capsys)[0] == 0, "the contract of all releases has both forms"
    assert compared(tmp_path, capsys, release="2023.2")[0] == 0
    code, found = compared(tmp_path, capsys, release="2025.2")
    assert (code, found["breaking"] > 0) == (1, True)
    assert {change["operation"] for change in found["changes"]} == {"list_models"}


def test_the_overlay_is_applied_to_a_contract_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("openapi: 3.1.0\npaths: {}\n", encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        drift(recorded=tmp_path, contract=own, release="2024.2", options=Options())
    assert end.value.code == 2
    assert "matches nothing" in capsys.readouterr().err


OLD = "openapi: 3.1.0\npaths: {/a: {get: {operationId: a, responses: {200: {description: It.}}}}}\n"
NEW = OLD.replace("get:", "post:")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    (tmp_path / "old.yaml").write_text(OLD, encoding="utf-8")
    return tmp_path / "old.yaml"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    return in_process({}, monkeypatch, capsys)


@pytest.mark.parametrize("own", [False, True], ids=["the contract", "a contract of one's own"])
def test_what_is_no_url_is_no_difference(*, own: bool, old: Path, run: Callable[..., Done]) -> None:
    done = run("drift", "file://[x", *(["--contract", str(old)] if own else []))
    assert (done.code, done.sentence.startswith("file://[x is no URL of a file: ")) == (2, True)


@pytest.mark.parametrize("own", [False, True], ids=["the contract", "a contract of one's own"])
def test_what_breaks_in_the_comparison_is_no_difference_and_no_fault_of_the_contract(
    *,
    own: bool,
    old: Path,
    run: Callable[..., Done],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("too many")

    monkeypatch.setattr("wallaroo_ext.conformance.drift.sources.drift_of", fail)
    done = run("drift", str(old), *(["--contract", str(old)] if own else []))
    assert (done.code, done.sentence) == (2, "This is a defect of wallaroo-ext, report it: ValueError: too many")


def test_a_contract_that_cannot_be_read_is_named(old: Path, run: Callable[..., Done]) -> None:
    none = old.with_name("none.yaml")
    none.write_text("a: [", encoding="utf-8")
    done = run("drift", str(old), "--contract", str(none))
    assert (done.code, done.sentence.startswith(f"{none} cannot be read as a contract: ")) == (2, True)


@pytest.mark.parametrize("names", [(), ("--url",), ("--drift-url",)], ids=["alone", "--url", "--drift-url"])
@pytest.mark.parametrize("form", ["YAML", "JSON"])
def test_two_files_are_compared_without_an_instance(
    names: tuple[str, ...], form: str, old: Path, run: Callable[..., Done]
) -> None:
    new = old.with_name("new.yaml")
    content = NEW if form == "YAML" else json.dumps(parse_yaml(NEW.encode()))
    new.write_text(content, encoding="utf-8")
    done = run("drift", *names, str(new), "--contract", str(old), "--json")
    found = json.loads(done.out)
    assert (done.code, found["against"], found["breaking"]) == (1, str(new), 1)
    assert [change["other"] for change in found["changes"]] == [None, "POST /a"]


def test_a_file_that_says_the_same_is_no_difference(old: Path, run: Callable[..., Done]) -> None:
    done = run("drift", old.as_uri(), "--contract", str(old))
    assert done.code == 0
    assert "say the same" in done.out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        ("a: [", "it is no YAML, line 2"),
        ("a: 1", "it has no `paths`"),
        ("paths: {}", "`openapi`"),
    ],
)
def test_a_file_that_is_no_document_is_a_sentence(
    content: str | None, says: str, old: Path, run: Callable[..., Done]
) -> None:
    new = old.with_name("new.yaml")
    if content is not None:
        new.write_text(content, encoding="utf-8")
    done = run("drift", str(new), "--contract", str(old))
    assert done.code == 2
    assert says in done.sentence
    assert str(new) in done.sentence
