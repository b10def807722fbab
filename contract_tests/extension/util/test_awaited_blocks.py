"""Is a coroutine whose result is a context manager awaited and entered as both are, once, and by whatever runs it?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import anyio
import pytest

from wallaroo_ext._util.awaited_blocks import AwaitedBlock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType


@dataclass
class Door:
    """A context manager that says what it went through."""

    passed: list[str] = field(default_factory=list[str])

    async def __aenter__(self) -> Self:
        self.passed.append("entered")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.passed.append("left" if kind is None else kind.__name__)


def opening(door: Door) -> AwaitedBlock[Door]:
    async def open_it() -> Door:
        await asyncio.sleep(0)
        return door

    return AwaitedBlock(open_it())


async def entered(block: AwaitedBlock[Door]) -> Door:
    async with block as door:
        return door


async def entered_after_await(block: AwaitedBlock[Door]) -> Door:
    async with await block as door:
        return door


@pytest.mark.parametrize("enter", [entered, entered_after_await])
def test_a_block_is_entered_and_left(enter: Callable[[AwaitedBlock[Door]], Awaitable[Door]]) -> None:
    door = Door()

    async def run() -> None:
        assert await enter(opening(door)) is door

    asyncio.run(run())
    assert door.passed == ["entered", "left"]


def test_the_end_of_a_block_gets_its_error() -> None:
    door = Door()

    async def run() -> None:
        async with opening(door):
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(run())
    assert door.passed == ["entered", "KeyError"]


def test_what_fails_before_the_block_enters_none() -> None:
    async def fail() -> Door:
        raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(entered(AwaitedBlock(fail())))


def test_it_is_run_by_whatever_runs_coroutines() -> None:
    async def all_ways() -> None:
        door = Door()
        assert await asyncio.create_task(opening(door)) is door
        assert await asyncio.wait_for(opening(door), 10) is door
        assert await asyncio.gather(opening(door), opening(door)) == [door, door]
        async with asyncio.TaskGroup() as group:
            made = group.create_task(opening(door))
        assert made.result() is door
        assert door.passed == []

    asyncio.run(all_ways())
    door = Door()
    assert asyncio.run(opening(door)) is door
    assert anyio.run(opening, door) is door


def test_a_cancellation_reaches_what_it_runs() -> None:
    reached: list[str] = []

    async def wait() -> Door:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            reached.append("cancelled")
            raise
        return Door()

    async def run() -> None:
        task = asyncio.create_task(entered(AwaitedBlock(wait())))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert reached == ["cancelled"]


def test_it_runs_once() -> None:
    async def run() -> None:
        block = opening(Door())
        await block
        with pytest.raises(RuntimeError, match="already awaited"):
            await entered(block)

    asyncio.run(run())


def test_one_that_nobody_awaits_is_warned_of() -> None:
    block = [opening(Door())]
    with pytest.warns(RuntimeWarning, match=r"open_it.* was never awaited"):
        block.clear()
