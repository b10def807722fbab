"""Do scripts that write tables refuse arguments that they do not know, before they write or ask anything?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.sandbox import fault_matrix
from contract_tests.vendor import table
from scripts.lib import data_directory
from scripts.lib.congruence import answers, tokens
from scripts.lib.evidence import known_operations
from scripts.lib.written_tables import write_or_check

if TYPE_CHECKING:
    from pathlib import Path

WRITERS: dict[str, Any] = {
    "scripts/congruence": answers,
    "scripts/evidence": known_operations,
    "scripts/fault-matrix": fault_matrix,
    "scripts/make-data-directory": data_directory,
    "scripts/token-congruence": tokens,
    "scripts/vendor-day": table,
}


@pytest.mark.parametrize("script", WRITERS)
@pytest.mark.parametrize(("option", "code"), [("--chek", 2), ("--help", 0)])
def test_an_option_that_is_not_there_is_refused(
    script: str, option: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [script, option])
    with pytest.raises(SystemExit) as raised:
        WRITERS[script].main()
    assert raised.value.code == code
    printed = capsys.readouterr()
    assert f"usage: {script} " in printed.out + printed.err


def test_a_table_is_only_compared_where_that_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "table.md"
    assert write_or_check(file, "new\n", [], script="it", check=True) == 1
    assert not file.exists()
    assert write_or_check(file, "new\n", [], script="it", check=False) == 0
    assert write_or_check(file, "new\n", [], script="it", check=True) == 0
    assert write_or_check(file, "newer\n", [], script="it", check=True) == 1
    assert file.read_text() == "new\n"
    assert write_or_check(file, "new\n", ["a difference"], script="it", check=True) == 1
