"""Removing secrets from tracebacks: some libraries print the local variables of each frame of an error.

The lines of the traceback stay. The variables are dropped, in the frames of this package and of the libraries that it
sends requests with, where they hold headers, forms and tokens that no `repr` can hide.
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
    """Drop the local variables of an error's finished frames, and of the errors that caused it."""
    for each in _chain(error):
        trace = each.__traceback__
        while trace is not None:
            _clear(trace)
            trace = trace.tb_next


def hide_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """Wrap a function so that the tracebacks of its errors hold neither its arguments nor its variables."""

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
        except RuntimeError:  # the frame is still running
            return


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that caused it, each once."""
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
