"""Reporting the progress of an upload: to a function, or by a bar."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from wallaroo_ext._util.progress import progress_bar, progress_text
from wallaroo_ext._util.quantities import format_size
from wallaroo_ext.redaction.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Generator

OnProgress = Callable[[int, int | None], None]
"""A function that takes the number of bytes sent and the number of all bytes, None where that is unknown."""

_INTERVAL = 0.1


class Reporter:
    """Calls a function with the progress of an upload: at its beginning and end, and up to ten times a second between.

    Args:
        tell: The function; None for none.
        total: The size of the file, in bytes.
        clock: Seconds on a monotonic clock.
    """

    def __init__(self, tell: OnProgress | None, total: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._total = total
        self._clock = clock
        self._due = float("-inf")
        self._reported: int | None = None

    def at(self, sent: int, *, last: bool = False) -> None:
        """Report that so many bytes were sent."""
        if self._tell is None or sent == self._reported or not (last or self._clock() >= self._due):
            return
        self._reported = sent
        self._tell(sent, self._total)
        self._due = self._clock() + _INTERVAL


@contextmanager
def show_progress(name: str, progress: OnProgress | Literal[True] | None) -> Generator[OnProgress | None]:
    """Yield the function to call with the progress, for the time of a `with` block; None for none.

    Args:
        name: The name of the model.
        progress: The function itself, True for a bar or lines, or None.

    Raises:
        ConfigurationError: The extra `cli` is not installed, which a bar needs.
    """
    if progress is None:
        yield None
    elif progress is True:
        with _bar(name) as tell:
            yield tell
    else:
        yield progress


@contextmanager
def _bar(name: str) -> Generator[OnProgress]:
    """Yield the function that updates a bar, or a text where no bar can be shown."""
    with progress_bar(_columns, auto_refresh=False) as bar:  # without a thread of its own
        if bar is None:
            with progress_text() as show:
                yield lambda sent, total: show(_format_sent(name, sent, total), kept=not sent)
            return
        task = bar.add_task(printable(name), total=None)
        yield lambda sent, total: bar.update(task, completed=sent, total=total, refresh=True)


def _format_sent(name: str, sent: int, total: int | None) -> str:
    of_all = "" if total is None else f" of {format_size(total)}"
    return f"{format_size(sent)}{of_all} sent." if sent else f"Sending {name}{of_all}."


def _columns(rich: Any) -> tuple[Any, ...]:
    return (
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        rich.DownloadColumn(binary_units=True),
        rich.TransferSpeedColumn(),
        rich.TimeRemainingColumn(),
    )
