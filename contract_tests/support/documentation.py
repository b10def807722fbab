"""Reads the code in the documentation and in the README, for the tests that run it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
_FENCE = re.compile(
    r"(?:^<!-- (?P<note>[^\n]*) -->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE
)
_TREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code on a page.

    Attributes:
        page: The page's file.
        line: The line of its first line of code, from 1.
        language: `python`, `sh`, `yaml`, …; `output` is what the block before it prints.
        code: The code.
        note: What the comment before the block says of running it, which no reader sees.
    """

    page: Path
    line: int
    language: str
    code: str
    note: str


def pages() -> list[Path]:
    """Return the pages of the site that are written in Markdown, in the order in which a reader meets them."""
    first = DOCS / "index.md"
    lines = [line for tree in _TREE.findall(first.read_text(encoding="utf-8")) for line in tree.splitlines()]
    names = [line.rpartition("<")[2].rstrip(">") for line in lines if line and not line.startswith(":")]
    found = [DOCS / f"{name}.md" for name in names]
    return [first, *(page for page in found if page.exists())]


def blocks(page: Path, language: str = "") -> list[Block]:
    """Return the blocks of code on a page, in order; with a language, those in it."""
    text = page.read_text(encoding="utf-8")
    found = [
        Block(page, text.count("\n", 0, match.start("code")) + 1, match["language"], match["code"], match["note"] or "")
        for match in _FENCE.finditer(text)
    ]
    return [block for block in found if language in {"", block.language}]


def guide(name: str) -> Path:
    """Return the page of a guide."""
    return DOCS / "guides" / f"{name}.md"
