"""Does `wallaroo-ext drift` compare with the contract of the release that is named?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext.cli.commands.checking.drift import drift
from wallaroo_ext.cli.options import Options

if TYPE_CHECKING:
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
