"""Does the index of recordings say where each cassette comes from, and since when?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from wallaroo_ext.conformance.recordings.index import Index, Origin

if TYPE_CHECKING:
    from pathlib import Path

OLD = Origin("live", "2025.1", "1.0.0", "0" * 64, "2026-01-01")
LATER = replace(OLD, date="2026-02-01")


def recorded(directory: Path, origin: Origin, *, is_new: bool) -> str:
    """Record a test, and return the date that a later reader finds."""
    index = Index(directory)
    index.add_cassette("test_a", origin, is_new=is_new)
    index.save()
    return Index(directory).cassettes["test_a"]["date"]


@pytest.mark.parametrize(
    ("again", "is_new", "date"),
    [
        (LATER, False, OLD.date),
        (LATER, True, LATER.date),
        (replace(LATER, release="2025.2"), False, LATER.date),
        (replace(LATER, contract_sha256="1" * 64), False, LATER.date),
    ],
    ids=["the same", "another cassette", "another release", "another contract"],
)
def test_a_cassette_that_stays_the_same_keeps_its_date(
    tmp_path: Path, again: Origin, date: str, *, is_new: bool
) -> None:
    assert recorded(tmp_path, OLD, is_new=True) == OLD.date
    assert recorded(tmp_path, again, is_new=is_new) == date


def test_a_recorded_test_is_among_those_without_a_cassette_no_more(tmp_path: Path) -> None:
    index = Index(tmp_path)
    index.add_skipped("test_a", "It needs another release.")
    index.save()
    assert Index(tmp_path).not_recorded == {"test_a": "It needs another release."}
    recorded(tmp_path, OLD, is_new=True)
    assert Index(tmp_path).not_recorded == {}
