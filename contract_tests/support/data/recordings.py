"""The recordings of real servers, which are no part of this repository and are read where they lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).parents[3].parent / "shared" / "recordings"


def recording(name: str) -> Path:
    """Return the path of a recording; skip the test where there are none."""
    directory = Path(os.environ.get("RECORDINGS") or _DEFAULT)
    if not directory.is_dir():
        pytest.skip("There are no recordings of real servers here: name their directory by RECORDINGS.")
    return directory / name
