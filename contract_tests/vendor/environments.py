"""The environments with the vendor's SDK, which `scripts/test --vendor` sets up, and programs that run in them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contract_tests.vendor.day.calls import NEW, OLD

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
SANDBOXES = {NEW: "2025.2", OLD: "2023.4"}
"""The release of the sandbox that each release of the SDK works on."""

_DIRECTORIES = {NEW: ROOT / ".venv-vendor", OLD: ROOT / ".venv-vendor-2023"}
_IN_USE = "WALLAROO_EXT_ENVIRONMENTS_IN_USE"


def python(release: str) -> Path:
    """Return the Python of the environment with a release of the SDK; skip the test where no script has set it up."""
    directory = _DIRECTORIES[release]
    if str(directory) not in os.environ.get(_IN_USE, "").split(os.pathsep):
        pytest.skip("It needs the vendor's SDK in an environment of its own: scripts/test --vendor sets that up.")
    return directory / "bin/python"


def run(
    release: str, arguments: list[str], sandbox: Mapping[str, str], directory: Path, *, seconds: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run Python with a release of the SDK, and return how it ended.

    Args:
        release: The SDK's release.
        arguments: What comes after `python`.
        sandbox: What the sandbox has printed.
        directory: Where it runs, and where the SDK keeps its tokens.
        seconds: How long it may take.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WALLAROO_", "PYTHON"))}
    own = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC", "MPLBACKEND": "agg"}
    return subprocess.run(
        [python(release), "-P", *arguments],
        cwd=directory,
        env=kept | own | {"XDG_CACHE_HOME": str(directory / "cache")} | dict(sandbox),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
