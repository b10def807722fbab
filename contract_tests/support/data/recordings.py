"""The recordings of real servers, for tests that need a file of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts.lib.evidence.recordings import recordings_directory

if TYPE_CHECKING:
    from pathlib import Path


def recording(name: str) -> Path:
    """Return the path of a recording; skip the test where there are none."""
    directory = recordings_directory()
    if directory is None:
        pytest.skip("There are no recordings of real servers here: name their directory by RECORDINGS.")
    return directory / name
