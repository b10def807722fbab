"""Is every edit of the generated client noticed by `scripts/regenerate --check`?"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from contract_tests.mutants.client_edits import client_edits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.mutants.client_edits import ClientEdit

ROOT = Path(__file__).parents[3]
GENERATED = ROOT / "generated"


def noticed() -> Iterator[tuple[ClientEdit, str]]:
    """Yield each edit with what `scripts/regenerate --check` said of it; an empty text where it found no difference."""
    for edit in client_edits(GENERATED):
        with tempfile.TemporaryDirectory() as directory:
            copy = Path(directory) / "generated"
            shutil.copytree(GENERATED, copy, ignore=shutil.ignore_patterns("__pycache__"))
            edit.make(copy)
            command = [str(ROOT / "scripts/regenerate"), "--check", "--output", str(copy)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        yield edit, done.stderr.strip().splitlines()[-1].strip() if done.returncode == 1 else ""
