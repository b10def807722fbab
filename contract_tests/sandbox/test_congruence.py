"""Does the sandbox answer as the instances did that were recorded?"""

from __future__ import annotations

import pytest

from scripts.lib.congruence.answers import REASONS, TABLE, compare_all, page


@pytest.mark.slow
def test_every_difference_from_a_recording_has_a_reason_and_stands_in_the_table() -> None:
    rows = compare_all()
    assert [row for row in rows if not row.is_explained] == []
    assert TABLE.read_text(encoding="utf-8") == page(rows)
    given = {reason for row in rows for reason in row.reasons}
    assert set(REASONS.values()) <= given, "a reason that explains nothing any more"
