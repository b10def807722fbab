"""Tracebacks without secrets: libraries print the local variables of each frame that an error has passed.

The lines stay, and what the variables held is dropped, in this package's frames and in those of what it sends requests
with. There, variables hold headers, forms and tokens that no `repr` can hide.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

P = ParamSpec("P")
T = TypeVar("T")

_CLEARED = {"wallaroo_ext", "wallaroo_mlops_client", "httpx", "httpcore", "h11", "h2", "socksio", "httpx_aiohttp",
            "aiohttp", "aiohappyeyeballs", "multidict", "anyio", "asyncio", "ssl", "socket", "http", "email", "json",
            "base64", "collections", "encodings", "idna", "urllib", "opentelemetry"}  # fmt: skip


def clear_frames(error: BaseException) -> None:
    """Drop the local variables of the frames that an error, and what it comes from, has passed and that have ended."""
    for each in _chain(error):
        trace = each.__traceback__
        while trace is not None:
            _clear(trace)
            trace = trace.tb_next


def hides_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function that leaves neither its arguments nor its variables in the tracebacks of its errors."""

    @wraps(function)
    def hiding(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return function(*arguments, **named)
        except BaseException as error:
            clear_frames(error)
            del arguments, named
            raise

    return hiding


def _clear(trace: TracebackType) -> None:
    name = str(trace.tb_frame.f_globals.get("__name__", ""))
    if name.partition(".")[0] in _CLEARED:
        try:
            trace.tb_frame.clear()
        except RuntimeError:  # it is still running: it is the one that asks, or a caller of it
            return


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it comes from, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += (each.__cause__, each.__context__)
        if isinstance(each, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", each).exceptions
