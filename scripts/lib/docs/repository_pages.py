"""Shows pages of the repository, such as tables that scripts write, on the documentation site.

A page of `docs/` that is nothing but an `{include}` of a Markdown file gets that file's text. Its links lead to the
pages of the site, where they show what the link names, and are text elsewhere, with the path in the repository.
"""

from __future__ import annotations

import os.path
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.errors import ExtensionError

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
_INCLUDE = re.compile(r"\s*```\{include\} (?P<path>\S+)\n```\s*")
_CODE_OR_LINK = re.compile(r"```.*?```|`[^`\n]*`|(?<!!)\[(?P<text>[^\]\n]*)\]\((?P<target>[^)\s]+)\)", re.DOTALL)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the extension with Sphinx."""
    app.connect("source-read", _include)
    return {"version": "1", "parallel_read_safe": True}


def shown_files() -> dict[Path, Path]:
    """Return the pages of the site that show a file of the repository, by that file."""
    pages = {page: _INCLUDE.fullmatch(page.read_text(encoding="utf-8")) for page in sorted(DOCS.rglob("*.md"))}
    shown = {(page.parent / found["path"]).resolve(): page for page, found in pages.items() if found}
    return shown | {ROOT / "README.md": DOCS / "index.md"}


def _include(app: Sphinx, name: str, source: list[str]) -> None:
    page = Path(app.env.doc2path(name))
    found = _INCLUDE.fullmatch(source[0])
    if found:
        source[0] = included((page.parent / found["path"]).resolve(), page)


def included(file: Path, page: Path) -> str:
    """Return the text of a file as a page of the site shows it.

    Raises:
        ExtensionError: A link leads nowhere.
    """
    shown = shown_files()

    def link(match: re.Match[str]) -> str:
        target, _, anchor = (match["target"] or "").partition("#")
        if ":" in target or not target:
            return match[0]
        path = Path(os.path.normpath(file.parent / target))
        if path in shown:
            return f"[{match['text']}]({os.path.relpath(shown[path], page.parent)}{anchor and f'#{anchor}'})"
        if DOCS in path.parents and path.exists():
            return f"[{match['text']}]({os.path.relpath(path, page.parent)}{anchor and f'#{anchor}'})"
        if not path.exists():
            raise ExtensionError(f"{file} has a link to {match['target']}, which is not there.")
        return _text(match["text"], path)

    return _CODE_OR_LINK.sub(link, file.read_text(encoding="utf-8"))


def _text(text: str, path: Path) -> str:
    """Return what stands for a link to a file that the site does not show."""
    name = path.relative_to(ROOT).as_posix()
    return f"`{name}`" if text.strip("`") in {name, path.name} else f"{text} (`{name}`)"
