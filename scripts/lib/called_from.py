"""Paths on the command lines of the scripts, which change into the clone: they are relative to where one stands."""

from __future__ import annotations

import os
from pathlib import Path

from wallaroo_ext._util.files.user_paths import user_path

ROOT = Path(__file__).parents[2]
VARIABLE = "WALLAROO_EXT_CALLED_FROM"
"""The variable in which `environment.sh` keeps the directory that a script was called from."""


def called_path(path: str) -> Path:
    """Return a path of a command line, relative to the directory that the script was called from."""
    found = user_path(path)
    here = os.environ.get(VARIABLE)
    return Path(here) / found if here and Path.cwd() == ROOT else found
