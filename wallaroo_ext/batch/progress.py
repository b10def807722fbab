"""Reporting the progress of a run to a function, or as a bar on the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from wallaroo_ext._util.progress import check_progress, progress_bar, progress_text

if TYPE_CHECKING:
    from collections.abc import Generator

_INTERVAL = 0.1
"""The shortest time between two reports, in seconds."""

_CHECK_PATIENCE = 2.0
"""The time before the first report of a check, in seconds."""


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """The progress of a run.

    Attributes:
        rows: How many rows of the input are done, with those of earlier runs.
        of: How many rows the input has; None if that is unknown before all are read.
        rejected: How many of the rows that are done were rejected.
        rows_per_second: The rate of this run.
        seconds: How long this run has taken so far.
        stage: `checking` while the rows of CSV files are read before the first one is sent, then `scoring`.
    """

    rows: int
    of: int | None
    rejected: int
    rows_per_second: float
    seconds: float
    stage: Literal["checking", "scoring"] = "scoring"


ProgressFunction = Callable[[BatchProgress], object]
ProgressOption = ProgressFunction | bool | None


class Reporter:
    """Reports the progress of a run at its beginning, at its end, and at most ten times a second in between.

    Args:
        function: The function to call; None if there is none.
        rows: How many rows were done before this run.
        of: How many rows the input has; None if that is unknown.
        clock: Returns the seconds of a monotonic clock.
    """

    def __init__(
        self, function: ProgressFunction | None, rows: int, of: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._function = function
        self._before = rows
        self._of = of
        self._clock = clock
        self._began = clock()
        self._due = float("-inf")

    @property
    def seconds(self) -> float:
        """How long this run has taken so far."""
        return self._clock() - self._began

    def report(self, rows: int, rejected: int, *, last: bool = False) -> None:
        """Report how many rows are done and how many of these were rejected, if a report is due or is the last."""
        if self._function is None or not (last or self._clock() >= self._due):
            return
        seconds = self.seconds
        rate = (rows - self._before) / seconds if seconds > 0 else 0.0
        self._function(BatchProgress(rows, self._of, rejected, rate, seconds))
        self._due = self._clock() + _INTERVAL


class CheckReporter:
    """Reports how many rows were checked, if that takes more than two seconds.

    Args:
        function: The function to call; None if there is none.
        clock: Returns the seconds of a monotonic clock.
    """

    def __init__(self, function: ProgressFunction | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._function = function
        self._clock = clock
        self._began = clock()
        self._due = self._began + _CHECK_PATIENCE

    def __call__(self, rows: int) -> None:
        """Report the number of rows that were checked, if a report is due."""
        if self._function is not None and self._clock() >= self._due:
            seconds = self._clock() - self._began
            self._function(BatchProgress(rows, None, 0, rows / seconds, seconds, "checking"))
            self._due = self._clock() + _INTERVAL


@contextmanager
def progress_function(progress: ProgressOption, *, shows_last: bool = True) -> Generator[ProgressFunction | None]:
    """Yield the function to call with the progress, while a `with` block runs; None if there is none.

    Args:
        progress: The function itself, True for a bar or lines, or None.
        shows_last: Whether the last line is shown in any case; False where something else says how it ended.

    Raises:
        ConfigurationError: The library for the bar is not installed.
    """
    check_progress(progress, "a BatchProgress")
    if progress is not True:
        yield progress or None
        return
    with progress_bar(_columns, auto_refresh=False) as bar:  # without a thread of its own
        if bar is None:
            with progress_text(shows_last=shows_last) as show:
                yield lambda now: show(format_progress(now))
            return
        task = bar.add_task("", total=None)

        def update(now: BatchProgress) -> None:
            bar.update(task, completed=now.rows, total=now.of, description=format_progress(now), refresh=True)

        yield update


def _columns(rich: Any) -> tuple[Any, ...]:
    return (
        rich.SpinnerColumn(),
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
    )


def format_progress(now: BatchProgress) -> str:
    """Return the progress as a line of text."""
    of_all = "" if now.of is None else f" of {now.of:,}"
    rejected = f", {now.rejected:,} rejected" if now.rejected else ""
    checked = " checked" if now.stage == "checking" else ""
    return f"{now.rows:,}{of_all} rows{checked}, {now.rows_per_second:,.0f} a second{rejected}"
