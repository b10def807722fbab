"""Asks again and again until an answer is what is waited for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_PAUSE_SECONDS = 0.05


def polled(ask: Callable[[], T], is_awaited: Callable[[T], bool], *, seconds: float) -> T:
    """Return the first answer that is what is waited for.

    Args:
        ask: Returns an answer.
        is_awaited: Returns whether an answer is what is waited for.
        seconds: How long to wait for one.

    Raises:
        TimeoutError: None came in this time; the message has the last answer.
    """
    deadline = time.monotonic() + seconds
    while not is_awaited(answer := ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"What was waited for did not come within {seconds:g} s, but {answer!r}.")
        time.sleep(_PAUSE_SECONDS)
    return answer
