"""Names that are near a wrong one, for messages."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 10
_TYPED = 0.8
"""How similar a name has to be to count as one that was mistyped."""


def near_names(name: str, known: Sequence[str]) -> list[str]:
    """Return the known names of which one may be a mistyped form."""
    return get_close_matches(name, known, n=3, cutoff=_TYPED)


def near_or_first(name: str, known: Sequence[str]) -> str:
    """Return the known names that are near one, with commas between, or the first ones if none is near."""
    more = ["…"] if len(known) > _SHOWN else []
    return ", ".join(get_close_matches(name, known, n=3, cutoff=0.5) or [*known[:_SHOWN], *more])
