"""Are times judged by the clock of the instance and by that of this machine?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from wallaroo_ext.conformance.testing.clocks import clocks_of

HOUR = timedelta(hours=1)


def test_an_instance_may_have_another_clock() -> None:
    now = datetime.now(UTC)
    clocks = clocks_of(httpx.Response(200, headers={"Date": format_datetime(now + HOUR, usegmt=True)}))
    assert now.isoformat() in clocks
    assert (now + HOUR).isoformat() in clocks
    assert (now + HOUR).timestamp() in clocks
    assert (now + 2 * HOUR).isoformat() not in clocks
    assert (now - HOUR / 2).isoformat().replace("+00:00", "123Z") not in clocks


@pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}], ids=["none", "no date"])
def test_without_a_date_there_is_this_machines(headers: dict[str, str]) -> None:
    now = datetime.now(UTC)
    clocks = clocks_of(httpx.Response(200, headers=headers))
    assert now.isoformat() in clocks
    assert (now + HOUR).isoformat() not in clocks
