"""Does the size of an upload not matter to memory, on either side?"""

from __future__ import annotations

import pytest

from scripts.lib.bench.uploads.memory import MIB, WAYS, measure


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_an_upload_of_300_mib_adds_less_than_32_to_any_peak(way: str) -> None:
    figures = measure(way, 300 * MIB)
    assert figures["client"] < 32
    assert figures["sandbox"] < 32
