"""Paths as people write them: where a path is taken, `~` and `~name` at its beginning are homes, as in shells.

A shell leaves them as they are within quotes, behind `=`, and in environment files. A name that begins so and means
itself is written `./~`; where there is no such home, it is not replaced.
"""

from __future__ import annotations

import os
from pathlib import Path


def user_path(path: str | os.PathLike[str]) -> Path:
    """Return a path with the home that it begins with."""
    return Path(user_text(path))


def user_text(path: str | os.PathLike[str]) -> str:
    """Return a path, or a pattern, with the home that it begins with; what is no path, such as a URL, as it is."""
    return os.path.expanduser(os.fspath(path))  # noqa: PTH111 - pathlib raises where there is no such home


def is_directory(path: str | os.PathLike[str]) -> bool:
    """Return whether a path can be that of a directory only, because of what it ends with."""
    return os.fspath(path).endswith(tuple(filter(None, (os.sep, os.altsep))))
