"""Is what `scripts/consumers` writes of other tools true: can it fail, and does the guide say what was tried?"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from scripts.lib.consumers import run
from scripts.lib.consumers.scene import ConsumerError, Scene
from scripts.lib.consumers.scene import run as run_program
from scripts.lib.consumers.tools import CLIENTS, HERE, Tool, Workshop
from scripts.lib.regenerate import dist

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GUIDE = dist.DIRECTORY / "README.md"
ROW = {"time": 1_795_860_955_397, "in.tensor": [1.5], "out.malignant": [0.25], "metadata.last_model": "{}"}
FOUND = {"workspaces": ["consumers"], "model": 1, "output": 0.25, "time": 1_795_860_955_397, "baseline": ROW}
SCENE = Scene({"WORKSPACE": "consumers"}, 0.25, "", {})


def succeed(_: Workshop) -> str:
    return "good"


def tool(name: str, needs: tuple[str, ...] = (), try_out: Callable[[Workshop], str] = succeed) -> Tool:
    return Tool(name, "1.2", needs, try_out)


class TestScene:
    def test_what_is_there_is_right(self) -> None:
        SCENE.check(f"a line before\n{json.dumps(FOUND)}\n", upload=False)

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"workspaces": []}, "workspaces"),
            ({"output": 0.2501}, "output"),
            ({"time": 1_795_860_955_397 % 2**31}, "cut"),
            ({"baseline": {"time": ROW["time"]}}, "in.tensor, out.malignant, metadata.last_model"),
            ({"baseline": ROW | {"out.malignant": []}}, "out.malignant"),
            ({"baseline": ROW | {"time": 7}}, "its whole time"),
        ],
    )
    def test_what_a_client_lost_or_changed_is_noticed(self, changed: dict[str, Any], reason: str) -> None:
        with pytest.raises(ConsumerError, match=reason):
            SCENE.check(json.dumps(FOUND | changed), upload=False)

    @pytest.mark.parametrize("printed", ["", "\n", "no JSON"])
    def test_a_client_that_prints_nothing_fails(self, printed: str) -> None:
        with pytest.raises(ConsumerError, match="no JSON"):
            SCENE.check(printed)

    def test_a_program_that_fails_or_is_not_there_is_said_in_a_sentence(self, tmp_path: Path) -> None:
        with pytest.raises(ConsumerError, match="sh failed: oh"):
            run_program("sh", "-c", "echo oh >&2; exit 3", cwd=tmp_path)
        with pytest.raises(ConsumerError, match="no-such-program could not be run"):
            run_program("no-such-program", cwd=tmp_path)


class TestTable:
    @pytest.fixture(autouse=True)
    def directories(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(run, "KEPT", tmp_path)
        monkeypatch.setattr(run, "TABLE", tmp_path / "table.md")

    def test_a_tool_that_fails_has_the_reason_in_its_row(self) -> None:
        def fail(_: Workshop) -> str:
            raise ConsumerError("it said a | b\nand c")

        row = run.row_of(tool("x", try_out=fail), SCENE)
        assert (row.verdict, row.reason) == ("fails", "it said a / b and c")

    def test_so_has_one_whose_trial_breaks(self, capfd: pytest.CaptureFixture[str]) -> None:
        def stumble(_: Workshop) -> str:
            raise ValueError("y | z\nand more")

        row = run.row_of(tool("x", try_out=stumble), SCENE)
        assert (row.verdict, row.reason) == ("fails", "ValueError: y / z and more")
        assert "Traceback" in capfd.readouterr().err

    def test_what_is_not_on_the_machine_is_skipped_with_a_sentence(self) -> None:
        row = run.row_of(tool("x", needs=("sh", "no-such-program")), SCENE)
        assert (row.verdict, row.reason) == ("skipped", "this machine has no no-such-program")

    def test_a_trial_leaves_nothing_in_its_directory(self, tmp_path: Path) -> None:
        def work(workshop: Workshop) -> str:
            (workshop.directory / "x").touch()
            return "good"

        assert run.row_of(tool("x", try_out=work), SCENE).verdict == "works"
        assert list(tmp_path.iterdir()) == []

    def test_what_was_not_tried_keeps_its_row(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(run, "ALL", [tool("a"), tool("b"), tool("c")])
        run.TABLE.write_text(run.table([run.Row(name, "1", "works", "old") for name in "ab"]), encoding="utf-8")
        new = [
            run.Row("a", "2", "works", "new"),
            run.Row("b", "2", "skipped", "no b"),
            run.Row("c", "2", "skipped", "x"),
        ]
        lines = run.table(new).splitlines()[-3:]
        assert lines == ["| a | 2 | works | new |", "| b | 1 | works | old |", "| c | 2 | skipped | x |"]


def rows() -> dict[str, list[str]]:
    """Return the cells of the table, by the tool."""
    lines = (dist.DIRECTORY / "consumers.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")]
    return {name: rest for name, *rest in cells[2:]}


def test_the_table_has_every_tool_with_the_version_that_is_pinned_and_all_work() -> None:
    assert list(rows()) == [each.name for each in run.ALL]
    for each in run.ALL:
        version, verdict, _ = rows()[each.name]
        assert (version, verdict) == (each.version, "works"), each.name


def test_versions_are_exact() -> None:
    packages = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    for version in [*packages.values(), *(each.version for each in run.ALL)]:
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), version


def test_the_guide_names_every_tool_and_its_links_lead_somewhere() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for each in run.ALL:
        assert each.name.removesuffix(" as mock").removesuffix(" as proxy").partition(" for ")[0] in text, each.name
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert len(links) > 4
    for link in links:
        assert (GUIDE.parent / link).exists(), link


def test_the_guides_options_are_those_that_are_tried() -> None:
    """What the guide tells people to set stands in the code that lets the tool work."""
    tried = "".join(file.read_text(encoding="utf-8") for file in [*HERE.glob("*.py"), *CLIENTS.iterdir()])
    text = GUIDE.read_text(encoding="utf-8")
    options = {
        "resolve-type-name-collisions: true",
        "importFileExtension=.js,modelPropertyNaming=original",
        "application/json; format=pandas-records",
        "ignore_operation_servers=True",
        "OperationServers = nil",
        "_content_type",
        "setCustomBaseUrl",
        "pydantic_v2.BaseModel",
        "bodySerializer",
        "get_secret_value()",
        "--errors",
    }
    for option in options:
        assert option in text, option
        assert option in tried, option
