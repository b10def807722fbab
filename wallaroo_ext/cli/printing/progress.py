"""Showing the progress of a command: a bar or a spinner on a terminal, otherwise a line now and then.

All of it goes to standard error, so that a program can read the answer on standard output.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.progress import progress_bar, progress_line
from wallaroo_ext._util.quantities import format_size
from wallaroo_ext.batch.progress import format_progress
from wallaroo_ext.cli.printing import output
from wallaroo_ext.redaction.terminal_text import printable
from wallaroo_ext.uploads.progress import show_progress as show_upload_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_ext.batch import BatchProgress
    from wallaroo_ext.uploads.progress import OnProgress

_LINE_SECONDS = 10.0


@contextmanager
def show_waiting(text: str, *, quiet: bool) -> Generator[Callable[[str], None]]:
    """Show what the command waits for, and yield a function that replaces the text.

    Args:
        text: The first text.
        quiet: Whether to print nothing without a terminal.
    """
    with progress_line(text) if is_terminal() else nullcontext() as show_line:
        if show_line is not None:
            yield show_line
            return
        show = _show_nothing if quiet else _print_changes()
        show(text)
        yield show


@contextmanager
def show_upload(name: str, *, quiet: bool) -> Generator[OnProgress]:
    """Show how much of an upload was sent, and then that the command waits for its conversion.

    Args:
        name: The name of the model.
        quiet: Whether to print nothing without a terminal.
    """
    with ExitStack() as after, ExitStack() as bar:
        show_sent = bar.enter_context(show_upload_progress(name, True)) or (
            _show_nothing if quiet else _print_sizes(name)
        )

        def show(sent: int, total: int | None) -> None:
            show_sent(sent, total)
            if sent == total:
                bar.close()
                after.enter_context(show_waiting(f"Waiting for the instance to make {name} ready.", quiet=quiet))

        yield show


@contextmanager
def show_scoring(total: int) -> Generator[Callable[[int], None]]:
    """Show on a terminal how many of all rows are scored, and yield a function that takes their number."""
    with progress_bar(_row_columns, transient=True) if is_terminal() else nullcontext() as bar:
        if bar is None:
            yield _show_nothing
            return
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)


def _row_columns(rich: Any) -> tuple[Any, ...]:
    return (
        rich.SpinnerColumn(),
        rich.TextColumn("{task.completed:,} of {task.total:,} rows"),
        rich.BarColumn(),
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
    )


@contextmanager
def show_reading(*, quiet: bool) -> Generator[Callable[[int], None]]:
    """Show how many rows were read, and yield a function that takes their number.

    Args:
        quiet: Whether to print nothing without a terminal.
    """
    with progress_line("Reading the log.") if is_terminal() else nullcontext() as show_line:
        if show_line is not None:
            yield lambda done: show_line(f"{done:,} rows are read.")
        else:
            yield _show_nothing if quiet else _print_row_counts()


@contextmanager
def show_tests(*, quiet: bool) -> Generator[Callable[[int, int], None]]:
    """Show how many tests are done, and yield a function that takes that number and the number of all.

    Args:
        quiet: Whether to print nothing.
    """
    with progress_bar(_test_columns, transient=True) if is_terminal() and not quiet else nullcontext() as bar:
        if bar is None:
            yield _show_nothing if quiet else _print_tenths
            return
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _test_columns(rich: Any) -> tuple[Any, ...]:
    return (
        rich.TextColumn("Checking"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("tests"),
        rich.TimeElapsedColumn(),
    )


def is_terminal() -> bool:
    """Return whether standard error is a terminal, which shows a bar."""
    return sys.stderr.isatty()


class Timer:
    """Tells when a given time has passed again and again.

    Args:
        seconds: The time.
        at_once: Whether it has passed for the first time at once.
    """

    def __init__(self, seconds: float, *, at_once: bool = False) -> None:
        self._seconds = seconds
        self._due = time.monotonic() + (0.0 if at_once else seconds)

    def has_passed(self) -> bool:
        """Return whether the time has passed, and start it again if so."""
        if time.monotonic() < self._due:
            return False
        self._due = time.monotonic() + self._seconds
        return True


def print_rows_periodically() -> Callable[[BatchProgress], None]:
    """Return a function that prints the progress of a run over many rows every ten seconds."""
    timer = Timer(_LINE_SECONDS)

    def show(now: BatchProgress) -> None:
        if timer.has_passed():
            output.print_note(format_progress(now))

    return show


def _print_row_counts() -> Callable[[int], None]:
    """Return a function that prints how many rows were read every ten seconds."""
    timer = Timer(_LINE_SECONDS)

    def show(done: int) -> None:
        if timer.has_passed():
            output.print_note(f"{done:,} rows are read.")

    return show


def _show_nothing(*_: object) -> None:
    """Print nothing."""


def _print_tenths(done: int, total: int) -> None:
    """Print how many tests are done, after each tenth of all."""
    if done * 10 // total > (done - 1) * 10 // total:
        output.print_note(f"{done} of {total} tests are done.")


def _print_changes() -> Callable[[str], None]:
    """Return a function that prints each text that differs from the one before."""
    last: list[str] = []

    def show(text: str) -> None:
        if last != [text]:
            last[:] = [text]
            output.print_note(printable(text))

    return show


def _print_sizes(name: str) -> OnProgress:
    """Return a function that prints how much was sent: at the beginning, at the end, and every ten seconds."""
    timer = Timer(_LINE_SECONDS)

    def show(sent: int, total: int | None) -> None:
        of_all = "" if total is None else f" of {format_size(total)}"
        if sent == 0:
            output.print_note(f"Sending {name}{of_all}.")
        elif sent == total or timer.has_passed():
            output.print_note(f"{format_size(sent)}{of_all} sent.")

    return show
