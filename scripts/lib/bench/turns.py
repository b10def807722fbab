"""Measures several ways to do one thing in turns, so that other load on the machine affects all of them alike."""

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
"""Does the thing once, and returns the seconds that it took."""


def timed(run: Callable[[], object]) -> Way:
    """Return a function as a way, timed."""

    def measured() -> float:
        began = time.perf_counter()
        run()
        return time.perf_counter() - began

    return measured


def in_turns(
    ways: Mapping[str, Way], turns: int, *, warm: int = 1, on_turn: Callable[[], object] = lambda: None
) -> dict[str, list[float]]:
    """Return the seconds of each way in each turn.

    Each turn begins with another way, so that no way always follows the same one.

    Args:
        ways: The ways, by their names.
        turns: How many turns count.
        warm: How many turns come before them to warm up.
        on_turn: Called after each turn.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    order = deque(ways.items())
    for turn in range(-warm, turns):
        for name, way in order:
            took = way()
            if turn >= 0:
                seconds[name].append(took)
        order.rotate(-1)
        on_turn()
    return seconds


@contextmanager
def progress_bar(console: Console, label: str, steps: int) -> Generator[Callable[[], None]]:
    """Show a progress bar while a `with` block runs. Yields the function to call after each step."""
    bar = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*bar, console=console, transient=True) as progress:
        task = progress.add_task("", total=steps)
        yield lambda: progress.advance(task)


def result_table(title: str, *columns: str, note: str | None = None) -> Table:
    """Return a table whose first column is text and whose other columns are figures, with a note below it."""
    table = Table(title=title, title_justify="left", caption=note, caption_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table
