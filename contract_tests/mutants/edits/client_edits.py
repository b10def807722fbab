"""Edits of the generated client, as by somebody who does not know that it is generated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract_tests.mutants.lies.kinds import spread

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_OF_EACH_KIND = 4
_QUOTED = re.compile(r'"(\w+)"')
_KINDS: dict[str, tuple[str, Callable[[str], str]]] = {
    "line-dropped": ("*.py", lambda text: text[: text.rindex("\n", 0, -1) + 1]),
    "name-changed": ("models/*.py", lambda text: _QUOTED.sub(r'"\1_"', text, count=1)),
    "comment-added": ("api/*/*.py", lambda text: text + "# by hand\n"),
    "type-changed": ("models/*.py", lambda text: text.replace(": str", ": int", 1).replace(": int\n", ": bool\n", 1)),
}


@dataclass(frozen=True, slots=True)
class ClientEdit:
    """An edit of a generated file.

    Attributes:
        kind: Its kind, such as `line-dropped`.
        file: The file, from the directory that was generated.
        change: Returns the edited text; None where the file is removed.
    """

    kind: str
    file: str
    change: Callable[[str], str] | None

    @property
    def name(self) -> str:
        """Its name, such as `line-dropped models/user.py`."""
        return f"{self.kind} {self.file}"

    def make(self, directory: Path) -> None:
        """Make the edit in a generated directory."""
        path = directory / self.file
        if self.change is None:
            path.unlink()
        else:
            path.write_text(self.change(path.read_text(encoding="utf-8")), encoding="utf-8")


def client_edits(directory: Path) -> list[ClientEdit]:
    """Return twenty edits of a generated directory, the same each time."""
    found: list[ClientEdit] = []
    for kind, (pattern, change) in _KINDS.items():
        files = sorted(directory.rglob(pattern))
        changed = [path for path in files if _changes(path, change)]
        found += [ClientEdit(kind, str(path.relative_to(directory)), change) for path in spread(changed, _OF_EACH_KIND)]
    removed = spread(sorted(directory.rglob("*.py")), 2)
    found += [ClientEdit("file-removed", str(path.relative_to(directory)), None) for path in removed]
    others = [path for path in sorted(directory.rglob("*")) if path.suffix in {".json", ".md"}]
    return found + [
        ClientEdit("space-added", str(path.relative_to(directory)), lambda text: text + " ") for path in others[:2]
    ]


def _changes(path: Path, change: Callable[[str], str]) -> bool:
    text = path.read_text(encoding="utf-8")
    return text.count("\n") > 1 and change(text) != text
