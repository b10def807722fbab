"""Why a sandbox of a release answers otherwise than real servers did that were recorded."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

NO_REASON = "no reason"


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason for differences.

    Attributes:
        operation: The operation, as a pattern of `fnmatch`.
        path: The path of the field, as a pattern.
        how: How it differs, as a pattern.
        text: The reason.
        releases: The releases; empty for all.
    """

    operation: str
    path: str
    how: str
    text: str
    releases: tuple[str, ...] = ()


REASONS: tuple[Reason, ...] = ()


def reason_of(release: str, operation: str, path: str, how: str) -> str:
    """Return why a sandbox differs; `NO_REASON` where nobody knows."""
    for each in REASONS:
        patterns = ((operation, each.operation), (path, each.path), (how, each.how))
        if (not each.releases or release in each.releases) and all(_fits(*pair) for pair in patterns):
            return each.text
    return NO_REASON


def _fits(text: str, pattern: str) -> bool:
    return fnmatchcase(text.replace("[]", "()"), pattern.replace("[]", "()"))
