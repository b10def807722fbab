"""Are times judged by the clocks of the instance, by that of this machine, and by that of a gateway in front?"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from contract_tests.extension.conformance.healthy.conftest import suite_of
from contract_tests.mutants.serving import lying_instance
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.testing.api_calls import Api
from wallaroo_ext.conformance.testing.clocks import clock_of_rows, clock_of_things, clocks_of

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


def test_a_slow_answer_may_have_any_time_since_its_request() -> None:
    ended = time.time()
    clocks = clocks_of(httpx.Response(200), began=ended - 600, leeway=30)
    assert ended - 620 in clocks
    assert ended - 300 in clocks
    assert ended - 640 not in clocks
    assert ended + 40 not in clocks


def test_another_clock_of_the_instance_bears_a_time_out() -> None:
    clocks, hour = clocks_of(httpx.Response(200)), HOUR.total_seconds()
    moments = [time.time() - hour, time.time() - hour + 1]
    assert clocks.have(moments, [lambda: None, lambda: -hour])
    assert not clocks.have(moments, [lambda: None, lambda: hour])
    assert not clocks.have([*moments, time.time()], [lambda: -hour]), "one clock shows all of them"
    assert clocks.have([time.time()], [pytest.fail]), "no other clock is asked where it is not needed"


def test_the_clocks_of_rows_and_of_things_are_those_of_the_instance() -> None:
    with lying_instance() as instance:
        instance.advance_clock(-HOUR.total_seconds())
        with suite_of(SuiteOptions(running=instance.environment, operations=("create_workspace",))) as suite:
            for witness in (clock_of_rows(suite), clock_of_things(Api(suite))):
                assert witness() == pytest.approx(-HOUR.total_seconds(), abs=20)
