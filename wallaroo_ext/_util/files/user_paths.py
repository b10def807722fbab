"""Paths as people write them: `~` and `~name` at the beginning of a path are home directories, as in shells.

A shell does not expand them within quotes, after `=`, or in environment files. To name a file that begins with `~`,
write `./~`. If there is no such home, the text is left as it is.
"""

from __future__ import annotations

import os
import unicodedata
from difflib import get_close_matches
from pathlib import Path


def user_path(path: str | os.PathLike[str]) -> Path:
    """Return a path with `~` at its beginning expanded."""
    return Path(user_text(path))


def user_text(path: str | os.PathLike[str]) -> str:
    """Return a path or a pattern with `~` at its beginning expanded; anything else, such as a URL, unchanged."""
    return os.path.expanduser(os.fspath(path))  # noqa: PTH111 - pathlib raises where there is no such home


def names_directory(path: str | os.PathLike[str]) -> bool:
    """Return whether a path can only name a directory, because it ends with a separator."""
    return os.fspath(path).endswith(tuple(filter(None, (os.sep, os.altsep))))


def near_file_name(path: Path) -> str | None:
    """Return the name in the directory of a file that is most like its own; None if none is like it."""
    try:
        names = {unicodedata.normalize("NFC", name): name for name in os.listdir(path.parent)}  # noqa: PTH208 - names
    except OSError:
        return None
    found = get_close_matches(unicodedata.normalize("NFC", path.name), names, n=1)
    return names[found[0]] if found else None
