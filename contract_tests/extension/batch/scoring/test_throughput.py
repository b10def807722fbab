"""Is the throughput of requests measured in the time in which they are under way, whatever became of those before?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallaroo_ext.batch.scoring.throughput import ThroughputMeter

if TYPE_CHECKING:
    from wallaroo_ext.batch.scoring.throughput import Throughput


def measured(meter: ThroughputMeter, start: float) -> list[Throughput | None]:
    """Return what is measured of requests that take a second each, with nine seconds in between."""
    found: list[Throughput | None] = []
    for number in range(8):
        now = start + 10 * number
        meter.begin(now)
        found.append(meter.answer(now + 1, 5, 1.0, counts=True, rounds=1.0))
    return found


def test_a_request_that_failed_is_under_way_no_more() -> None:
    fresh, failed = ThroughputMeter(), ThroughputMeter()
    fresh.in_flight = failed.in_flight = 2
    for number in range(3):
        failed.begin(float(number))
        failed.fail(number + 0.5)
    fresh.restart()
    expected = measured(fresh, 100.0)
    assert any(expected)
    assert measured(failed, 100.0) == expected
