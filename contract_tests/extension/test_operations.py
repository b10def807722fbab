"""Are the steps of a helper carried out to their end, whenever its task is cancelled?"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from wallaroo_ext import connect
from wallaroo_ext.operations import Pause, Work, run_async
from wallaroo_ext.transport.retry.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from wallaroo_mlops_client import Client

    from wallaroo_ext.operations import Steps


@pytest.fixture
def client() -> Client:
    transport = httpx.MockTransport(lambda _: httpx.Response(500))
    return connect("https://api.example.com", token="held", transport=transport, environment={})


async def cancel_while(running: Coroutine[Any, Any, Any], *moments: float) -> None:
    """Cancel a task again and again, each time after some seconds more; it has to end by being cancelled."""
    task = asyncio.ensure_future(running)
    for seconds in moments:
        await asyncio.sleep(seconds)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_the_event_loop_goes_on_while_work_ends_however_often_it_is_cancelled(client: Client) -> None:
    stopped, loop_went_on = threading.Event(), threading.Event()
    ended: list[bool] = []

    def work() -> None:
        stopped.wait(10)
        ended.append(loop_went_on.wait(5))

    def steps() -> Steps[None]:
        yield Work(work, stopped)

    async def use() -> None:
        asyncio.get_running_loop().call_later(0.3, loop_went_on.set)
        await cancel_while(run_async(client, steps()), 0.05, 0.05, 0.05)

    asyncio.run(use())
    assert ended == [True]


def test_work_is_asked_to_end_where_nobody_awaits_it_any_more(client: Client) -> None:
    stopped = threading.Event()
    seen: list[bool] = []

    def steps() -> Steps[None]:
        yield Work(lambda: seen.append(stopped.wait(5)), stopped)

    async def use() -> None:
        running = run_async(client, steps())
        running.send(None)
        running.close()

    asyncio.run(use())
    assert seen == [True]


def test_cleaning_up_that_fails_once_is_not_cancelled_either(client: Client) -> None:
    cleaned: list[str] = []

    class Failing(Clock):
        async def sleep_async(self, seconds: float) -> None:
            raise OSError(f"no {seconds} s")

    def steps() -> Steps[None]:
        try:
            yield Pause(60)
        finally:
            try:
                yield Pause(0, Failing())
            except OSError:
                cleaned.append("it failed")
            yield Pause(0.2)
            cleaned.append("it was tried another way")

    asyncio.run(cancel_while(run_async(client, steps()), 0.05, 0.05, 0.05))
    assert cleaned == ["it failed", "it was tried another way"]
