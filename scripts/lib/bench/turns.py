"""Measuring several ways of doing one thing in turns, so that what else the machine does falls on all of them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from rich.console import Console

Way = Callable[[], float]
"""Does the thing once, and gives the seconds that it took."""


def timed(run: Callable[[], object]) -> Way:
    """Return a way from a function."""

    def measured() -> float:
        began = time.perf_counter()
        run()
        return time.perf_counter() - began

    return measured


def in_turns(
    ways: Mapping[str, Way], turns: int, *, warm: int = 1, tell: Callable[[], object] = lambda: None
) -> dict[str, list[float]]:
    """Return the seconds of each way in each turn.

    Each turn begins with another way, so that none is always the one after the same neighbour.

    Args:
        ways: The ways, by their names.
        turns: How many turns count.
        warm: How many turns there are before them that do not count.
        tell: Called after each turn.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    order = deque(ways.items())
    for turn in range(-warm, turns):
        for name, way in order:
            took = way()
            if turn >= 0:
                seconds[name].append(took)
        order.rotate(-1)
        tell()
    return seconds


@contextmanager
def shown(console: Console, what: str, steps: int) -> Generator[Callable[[], None]]:
    """Yield a bar for the time of a `with` block; the function that says that a step is done."""
    bar = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*bar, console=console, transient=True) as progress:
        task = progress.add_task("", total=steps)
        yield lambda: progress.advance(task)


def figures(title: str, *columns: str, note: str | None = None) -> Table:
    """Return a table whose first column is text, and whose others are figures; a note stands below it."""
    table = Table(title=title, title_justify="left", caption=note, caption_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table
