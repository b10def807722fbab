"""The code of the five documents, as a notebook has it: read from where they lie, and repaired where they slip.

The documents are other people's text and no part of this repository: they lie beside the clone, or where the variable
DOCUMENTS says. What is kept of them is the numbers of lines.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from contract_tests.vendor.documents.repairs import REPAIRS, Repair

_DEFAULT = Path(__file__).parents[3].parent / "shared/documents"
_FENCED = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)

LINES = {
    "api-essentials-guide.txt": (
        *((35, 41), (66, 68), (75, 86), (98, 133), (147, 148), (163, 172), (202, 214), (247, 256), (267, 275)),
        *((286, 295), (308, 317), (388, 396), (479, 491), (493, 501), (590, 600), (614, 623), (641, 661)),
        *((678, 695), (697, 698), (713, 731), (743, 752), (763, 764), (783, 792), (821, 831), (840, 843)),
        *((854, 863), (877, 886), (916, 932), (936, 952), (977, 991), (993, 1013), (1025, 1034), (1051, 1060)),
        *((1093, 1106), (1119, 1145), (1160, 1181), (1197, 1210), (1226, 1234), (1292, 1347), (1362, 1382)),
        *((1397, 1418), (1469, 1521), (1539, 1550), (1601, 1647), (1664, 1674)),
    ),
    "pipeline-management-guide.txt": (
        *((56, 71), (83, 146), (214, 230), (272, 282), (342, 366), (368, 384), (386, 402), (425, 437), (475, 487)),
        *((569, 577), (609, 621)),
    ),
}
"""The first and the last lines of code in a document that does not mark its code; its commands of curl are left out."""


class Cell(NamedTuple):
    """A cell of a notebook.

    Attributes:
        line: The number of its first line in the document.
        code: What it runs, repaired.
    """

    line: int
    code: str


def document(name: str) -> str:
    """Return the text of a document; skip the test where it is not there."""
    file = Path(os.environ.get("DOCUMENTS") or _DEFAULT) / name
    if not file.is_file():
        pytest.skip("The five documents are not here: name their directory by DOCUMENTS.")
    return file.read_text(encoding="utf-8")


def cells(name: str) -> list[Cell]:
    """Return the cells of a document, repaired."""
    text = document(name)
    repaired = text.splitlines()
    for repair in REPAIRS.get(name, ()):
        _apply(repair, repaired)
    found = [Cell(first, "\n".join(repaired[first - 1 : last])) for first, last in _places(name, text)]
    return [cell for cell in found if cell.code.strip()]


def _places(name: str, text: str) -> list[tuple[int, int]]:
    """Return the first and the last line of each piece of code."""
    if name in LINES:
        return list(LINES[name])
    blocks = ((text.count("\n", 0, found.start(1)) + 1, found[1].count("\n")) for found in _FENCED.finditer(text))
    return [(first, first + count - 1) for first, count in blocks]


def _apply(repair: Repair, lines: list[str]) -> None:
    """Put a repair in place of its lines; the others keep their numbers."""
    lines[repair.first - 1] = repair.becomes
    for number in range(repair.first, repair.last):
        lines[number] = ""
