"""Names that are near a wrong one, for messages."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SHOWN = 10
SIMILAR = 0.6
"""How similar a name has to be to count as near one, where all of a name is 1."""
MISTYPED = 0.8
"""How similar it has to be where the wrong name is refused only if it may be a mistyped form of another."""
_REMOTE = 0.5


def near_names(name: str, known: Iterable[str], *, least: float = SIMILAR) -> list[str]:
    """Return the known names that are similar to one, in capitals or not, the most similar first."""
    by_folded: dict[str, list[str]] = {}
    for each in known:
        by_folded.setdefault(each.casefold(), []).append(each)
    near = get_close_matches(name.casefold(), by_folded, n=3, cutoff=least)
    return [each for folded in near for each in by_folded[folded]]


def near_or_first(name: str, known: Sequence[str]) -> str:
    """Return the known names that are near one, with commas between, or the first ones if none is near."""
    more = ["…"] if len(known) > _SHOWN else []
    return ", ".join(near_names(name, known, least=_REMOTE) or [*known[:_SHOWN], *more])
