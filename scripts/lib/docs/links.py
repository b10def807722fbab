"""Checks the links of a site on disk, and that its pages load nothing from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_LOADING = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src"), ("video", "src")}
_LINKING = {("a", "href")} | _LOADING
_ELSEWHERE = ("http", "https", "mailto")


@dataclass
class _Page(HTMLParser):
    """What a page is linked to by, and what it links to.

    Attributes:
        ids: The names of its places.
        links: The tag, the attribute and the target of each link.
    """

    ids: set[str] = field(default_factory=set[str])
    links: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the places and links of a tag."""
        self.ids |= {value for name, value in attrs if name in {"id", "name"} and value}
        self.links += [(tag, name, value) for name, value in attrs if (tag, name) in _LINKING and value]


def broken_links(site: Path, *, but: frozenset[str] = frozenset()) -> list[str]:
    """Return a sentence for each link that leads nowhere, and for each thing that a page loads from elsewhere.

    Args:
        site: The directory of the site.
        but: The names of pages that are not looked at.
    """
    parsed = cache(_parsed)
    pages = [page for page in sorted(site.rglob("*.html")) if page.name not in but]
    return [f"{page.relative_to(site)}: {problem}" for page in pages for problem in _problems(page, site, parsed)]


def _parsed(page: Path) -> _Page:
    found = _Page()
    found.feed(page.read_text(encoding="utf-8"))
    return found


def _problems(page: Path, site: Path, parsed: Callable[[Path], _Page]) -> Iterator[str]:
    for tag, name, target in dict.fromkeys(parsed(page).links):
        url = urlsplit(target)
        if url.scheme in _ELSEWHERE or url.netloc:
            if (tag, name) in _LOADING:
                yield f"loads {target} from elsewhere."
            continue
        if url.scheme:
            continue
        path = (page.parent / unquote(url.path)).resolve() if url.path else page
        if path.is_dir():
            path /= "index.html"
        if not path.is_file() or site.resolve() not in path.parents:
            yield f"links to {target}, which is not there."
        elif url.fragment and path.suffix == ".html" and unquote(url.fragment) not in parsed(path).ids:
            yield f"links to {target}, a place that the page does not have."
