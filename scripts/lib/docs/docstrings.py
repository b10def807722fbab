"""Makes of the Markdown in docstrings what Sphinx reads: links to names, code, and tables."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sphinx.application import Sphinx

_CODE = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")  # which may go on in the next line
_NAME = re.compile(r"[A-Za-z_][\w.]*")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the extension with Sphinx."""
    app.connect("autodoc-process-docstring", _process, priority=100)  # before napoleon reads the sections
    return {"version": "1", "parallel_read_safe": True}


def _process(_app: Sphinx, _kind: str, _name: str, _subject: object, _options: object, lines: list[str]) -> None:
    lines[:] = _with_tables(_CODE.sub(_marked, "\n".join(lines)).split("\n"))


def _marked(match: re.Match[str]) -> str:
    return f":py:obj:`{match[1]}`" if _NAME.fullmatch(match[1]) else f"``{match[1]}``"


def _with_tables(lines: Iterable[str]) -> Iterator[str]:
    for is_table, found in groupby(lines, lambda line: line.startswith("| ")):
        group = list(found)
        yield from _table(group) if is_table else group


def _table(lines: list[str]) -> Iterator[str]:
    """Return a table of Markdown, whose second line is a rule, as one of reStructuredText."""
    yield from (".. list-table::", "   :header-rows: 1", "")
    for line in [lines[0], *lines[2:]]:
        cells = [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")]
        yield from (f"   {'*' if number == 0 else ' '} - {cell}" for number, cell in enumerate(cells))
