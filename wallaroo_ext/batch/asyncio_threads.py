"""Scoring batches for asyncio: the same core, in a thread that the event loop waits for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from wallaroo_ext.batch.retries import StoppedError
from wallaroo_ext.operations import to_its_end

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator
    from concurrent.futures import Future

T = TypeVar("T")


class FromLoop(Generic[T]):
    """An iterator, for a thread, over an asynchronous iterator of an event loop, which goes on meanwhile.

    Args:
        source: The iterator.
        loop: The event loop that it lives in.
    """

    def __init__(self, source: AsyncIterable[T], loop: asyncio.AbstractEventLoop) -> None:
        self._source = aiter(source)
        self._loop = loop
        self._waiting: Future[T] | None = None
        self._ended = False

    def __iter__(self) -> Iterator[T]:
        while not self._ended:
            self._waiting = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
            if self._ended:  # since it was looked at, so that nobody cancels this one
                self._waiting.cancel()
            try:
                yield self._waiting.result()
            except StopAsyncIteration:
                return
            except CancelledError:
                raise StoppedError from None

    async def _next(self) -> T:
        """Return the next element; called in the event loop, which a generator and many iterators have to know."""
        return await anext(self._source)

    def end(self) -> None:
        """End the iterator, also while it waits for an element."""
        self._ended = True
        if self._waiting is not None:
            self._waiting.cancel()


async def elements(make: Callable[[Iterable[T], threading.Event], Generator[Any]], source: Any) -> AsyncGenerator[Any]:
    """Yield the elements of a generator that runs in a thread of its own, and ends with this one.

    Args:
        make: Returns the generator for an iterable, and for the event that ends its pauses.
        source: The iterable, which may be asynchronous.

    Raises:
        CancelledError: The source was cancelled, or the task that takes the elements.
    """
    loop, stopped = asyncio.get_running_loop(), threading.Event()
    reading: Any = FromLoop(cast("Any", source), loop) if isinstance(source, AsyncIterable) else source
    generator = make(reading, stopped)
    nothing = object()
    with ThreadPoolExecutor(1, thread_name_prefix="wallaroo-batches") as thread:
        try:
            while (element := await loop.run_in_executor(thread, next, generator, nothing)) is not nothing:
                yield element
        except StoppedError:  # nobody has stopped this one: the source was cancelled, by something that it waits for
            raise asyncio.CancelledError from None
        finally:
            stopped.set()
            if isinstance(reading, FromLoop):
                reading.end()
            await to_its_end(loop.run_in_executor(thread, generator.close))
