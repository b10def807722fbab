"""Keeps the results of a long run as they come, until a file that they depend on changes."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[3]


class KeptResults:
    """Results that a file keeps, one a line, so that a run that was stopped goes on from there.

    Args:
        file: The file; its directory is made if it is missing.

    Attributes:
        results: The results, in the order in which they came.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(exist_ok=True)
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        whole = text[: text.rfind("\n") + 1]  # the run may have been stopped while it wrote a line
        if whole != text:
            file.write_text(whole, encoding="utf-8")
        self.results: list[dict[str, Any]] = [json.loads(line) for line in whole.splitlines()]

    def add(self, result: dict[str, Any]) -> None:
        """Keep a result."""
        self.results.append(result)
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(result) + "\n")


def digest(texts: Iterable[str], *paths: str) -> str:
    """Return a digest of texts and of the files below some paths that git tracks or would add, as they are now."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = hashlib.sha256("\n".join(texts).encode())
    for name in filter(None, listed.split("\0")):
        found.update(name.encode())
        if (ROOT / name).is_file():
            found.update(hashlib.sha256((ROOT / name).read_bytes()).digest())
    return found.hexdigest()[:16]
