"""Draws entries of the contract's evidence and shows what the source says, for a person to compare with the claim."""

from __future__ import annotations

import json
import os
import random
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.lib.evidence.recordings import inference_files, recordings
from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[3]
HEADINGS = _ROOT / "contract_tests/documents/headings.json"
_DEFAULT = _ROOT.parent / "shared/documents"
_BESIDE = ("field-notes", "vendor-sdk")
"""The sources that lie in the directory above that of the five documents."""
_MOST = 3000
"""The longest excerpt that is shown, in characters."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry of `x-evidence`, and what it stands beside.

    Attributes:
        place: The JSON pointer to what has the entry.
        content: What stands there, without what is below the names of other things.
        document: The source.
        section: The section of the source; of recordings, the path that was called.
        kind: How the source knows it.
    """

    place: str
    content: dict[str, Any]
    document: str
    section: str
    kind: str


def claims(document: dict[str, Any]) -> list[Claim]:
    """Return all entries of a contract's evidence, in its order."""
    return list(_claims(document, ""))


def _claims(value: Any, place: str) -> Iterator[Claim]:
    for entry in list_of(object_of(value).get("x-evidence")):
        content = {
            key: inner for key, inner in object_of(value).items() if key not in {"x-evidence", "x-names", "links"}
        }
        yield Claim(place, content, entry["document"], entry["section"], entry["kind"])
    for key, inner in object_of(value).items():
        if key != "x-evidence":
            yield from _claims(inner, f"{place}/{key.replace('~', '~0').replace('/', '~1')}")
    for index, inner in enumerate(list_of(value)):
        yield from _claims(inner, f"{place}/{index}")


def documents_directory() -> Path | None:
    """Return the directory of the five documents; None if they are not here."""
    directory = Path(os.environ.get("DOCUMENTS") or _DEFAULT)
    return directory if directory.is_dir() else None


def section_of(document: str, section: str) -> str | None:
    """Return the text of a section, up to the next heading; None if its source is not here."""
    if document == "recordings":
        return _recorded(section)
    directory = documents_directory()
    folder = directory.parent if directory and document in _BESIDE else directory
    files = sorted(folder.glob(f"{document}.*")) if folder else []
    if not files:
        return None
    found = [text for heading, text in _sections(document, files[0]) if heading == section]
    return max(found, key=len, default=None)  # a table of contents may have its heading, too


@cache
def _sections(document: str, file: Path) -> list[tuple[str, str]]:
    """Return the headings of a document, each with the text below it; code has lines that look like headings."""
    known = json.loads(HEADINGS.read_text(encoding="utf-8"))
    headings = set(known["documents"].get(document) or known.get(document, ()))
    sections: list[tuple[str, list[str]]] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.lstrip("#").strip() in headings and (file.suffix == ".txt" or line.startswith("#")):
            sections.append((line.lstrip("#").strip(), []))
        elif sections:
            sections[-1][1].append(line)
    return [(heading, "\n".join(lines).strip()) for heading, lines in sections]


def _recorded(path: str) -> str | None:
    """Return the newest answer of a path, or the names of the recorded inferences; None if there are none here."""
    if path == "inference":
        return "\n".join(file.name for file in inference_files("")) or None
    found = [each for each in recordings() if each.path == path]
    newest = max(found, key=lambda each: each.name, default=None)
    return newest and f"{newest.name}, {newest.status}:\n{json.dumps(newest.response, indent=1)}"


def sample(count: int, seed: int) -> str:
    """Return a page with some entries of the contract's evidence, each with the section that it names.

    Args:
        count: The number of entries.
        seed: The seed of the choice: the same seed gives the same entries of the same contract.
    """
    found = claims(contract.load())
    chosen = random.Random(seed).sample(found, min(count, len(found)))  # noqa: S311 - no secret depends on it
    return "\n".join(_shown(claim) for claim in chosen)


def _shown(claim: Claim) -> str:
    source = section_of(claim.document, claim.section)
    content = textwrap.shorten(json.dumps(claim.content, ensure_ascii=False), 900, placeholder=" …")
    excerpt = "(This source is not here.)" if source is None else source[:_MOST]
    title = f"{claim.document}, {claim.section!r}, {claim.kind}"
    body = textwrap.indent(excerpt, "    | ", lambda _: True)
    return f"{claim.place}\n  {content}\n  {title}\n{body}\n"
