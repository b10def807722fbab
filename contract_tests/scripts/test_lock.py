"""Does `scripts/lock --upgrade` take the newest versions into each of the locks?"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from contract_tests.support.documentation import ROOT

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = 'use_environment() { cd "$(dirname -- "$0")/.."; }\n'
UV = '#!/bin/sh\necho "$*" >>"$CALLS"\n'
"""In place of `environment.sh` and of uv, so that nothing is installed and asked for."""


def test_an_upgrade_is_of_all_locks(tmp_path: Path) -> None:
    (tmp_path / "scripts/lib").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "scripts/lib/environment.sh").write_text(ENVIRONMENT)
    (tmp_path / "bin/uv").write_text(UV)
    (tmp_path / "bin/uv").chmod(0o755)
    shutil.copy(ROOT / "scripts/lock", tmp_path / "scripts/lock")
    variables = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}/usr/bin:/bin", "CALLS": str(tmp_path / "calls")}
    for arguments in ([], ["--upgrade"]):
        subprocess.run([tmp_path / "scripts/lock", *arguments], env=variables, check=True)
    calls = (tmp_path / "calls").read_text().splitlines()
    locks = {file.name for file in (ROOT / "scripts/requirements").glob("*.txt")}
    assert {word.rpartition("/")[2] for call in calls for word in call.split() if word.endswith(".txt")} == locks
    assert len(calls) == 2 * len(locks)
    assert not any("--upgrade" in call for call in calls[: len(locks)])
    assert all("--upgrade" in call for call in calls[len(locks) :])
