"""Coroutines whose result is a context manager, and which `async with` takes as they are, without `await`."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType


class Block(Protocol):
    """A value that is a context manager for `async with`."""

    async def __aenter__(self) -> Self:
        """Begin the block."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the block."""
        ...


B = TypeVar("B", bound=Block)


class AwaitedBlock(Coroutine[Any, Any, B]):
    """A coroutine that can be awaited for its result, or entered by `async with`, which awaits it first.

    It is run as every coroutine, by `asyncio.run`, by tasks and by groups of them; once, too.

    Args:
        coroutine: What it runs.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, B]) -> None:
        self._coroutine = coroutine
        self._entered: B | None = None

    def __await__(self) -> Generator[Any, Any, B]:
        return self._coroutine.__await__()

    def send(self, value: Any, /) -> Any:
        """Run it up to its next pause."""
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        """Raise an error in it, where it has paused."""
        return self._coroutine.throw(*error)

    def close(self) -> None:
        """End it where it has paused."""
        self._coroutine.close()

    async def __aenter__(self) -> B:
        self._entered = await self._coroutine
        return await self._entered.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._entered is not None:
            await self._entered.__aexit__(kind, error, trace)
