"""Telling how far a run is: a function that is called now and then, or a bar with rows a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from wallaroo_ext._util.progress import check_progress, progress_bar

if TYPE_CHECKING:
    from collections.abc import Generator

_INTERVAL = 0.1
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a run is.

    Attributes:
        rows: How many rows of the input are done, those of earlier runs among them.
        of: How many there are; None where only reading them all would tell.
        rejected: How many of them were rejected.
        rows_per_second: How many this run did in a second.
        seconds: How long this run takes already.
        stage: `checking`, where the rows of CSV files are looked at before the first one is sent, then `scoring`.
    """

    rows: int
    of: int | None
    rejected: int
    rows_per_second: float
    seconds: float
    stage: Literal["checking", "scoring"] = "scoring"


Tell = Callable[[BatchProgress], object]
Wanted = Tell | bool | None


class Reporter:
    """Tells a function how far a run is: at the beginning, at the end, and at most ten times a second between.

    Args:
        tell: The function; None for nobody.
        rows: How many rows were done before this run.
        of: How many there are.
        clock: Seconds on a monotonic clock.
    """

    def __init__(
        self, tell: Tell | None, rows: int, of: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._before = rows
        self._of = of
        self._clock = clock
        self._began = clock()
        self._due = float("-inf")

    @property
    def seconds(self) -> float:
        """How long this run takes already."""
        return self._clock() - self._began

    def at(self, rows: int, rejected: int, *, last: bool = False) -> None:
        """So many rows are done, and so many of them were rejected."""
        if self._tell is None or not (last or self._clock() >= self._due):
            return
        seconds = self.seconds
        rate = (rows - self._before) / seconds if seconds > 0 else 0.0
        self._tell(BatchProgress(rows, self._of, rejected, rate, seconds))
        self._due = self._clock() + _INTERVAL


class Checking:
    """Tells a function how many rows were looked at, where that takes more than two seconds.

    Args:
        tell: The function; None for nobody.
        clock: Seconds on a monotonic clock.
    """

    def __init__(self, tell: Tell | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._began = clock()
        self._due = self._began + _PATIENCE

    def __call__(self, rows: int) -> None:
        """So many rows were looked at."""
        if self._tell is not None and self._clock() >= self._due:
            seconds = self._clock() - self._began
            self._tell(BatchProgress(rows, None, 0, rows / seconds, seconds, "checking"))
            self._due = self._clock() + _INTERVAL


@contextmanager
def shown(progress: Wanted) -> Generator[Tell | None]:
    """Yield the function that a caller wants to be told by, for the time of a `with` block.

    Args:
        progress: The function itself, True for a bar on the terminal, or None.

    Raises:
        ConfigurationError: There is no library for a bar.
    """
    check_progress(progress)
    if progress is not True:
        yield progress or None
        return
    with progress_bar(_columns, auto_refresh=False) as bar:  # without a thread of its own
        if bar is None:
            yield None
            return
        task = bar.add_task("", total=None)

        def tell(now: BatchProgress) -> None:
            bar.update(task, completed=now.rows, total=now.of, description=figures(now), refresh=True)

        yield tell


def _columns(rich: Any) -> tuple[Any, ...]:
    return (
        rich.SpinnerColumn(),
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
    )


def figures(now: BatchProgress) -> str:
    """Return how far a run is, for a person."""
    of_all = "" if now.of is None else f" of {now.of:,}"
    rejected = f", {now.rejected:,} rejected" if now.rejected else ""
    checked = " checked" if now.stage == "checking" else ""
    return f"{now.rows:,}{of_all} rows{checked}, {now.rows_per_second:,.0f} a second{rejected}"
