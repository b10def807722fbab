"""Showing the progress of a command: a bar or a spinner on a terminal, otherwise a line now and then.

All of it goes to standard error, so that a program can read the answer on standard output. The progress of
`batch --json` is part of its answer, and does not come from here.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.progress import progress_bar, progress_line, progress_text
from wallaroo_ext._util.standard_error import STANDARD_ERROR
from wallaroo_ext.cli.printing import output
from wallaroo_ext.uploads.progress import show_progress as show_upload_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_ext.uploads.progress import OnProgress


@contextmanager
def show_waiting(text: str, *, quiet: bool) -> Generator[Callable[[str], None]]:
    """Show what the command waits for, and yield a function that replaces the text.

    Args:
        text: The first text.
        quiet: Whether to print nothing without a terminal.
    """
    with nullcontext(_show_nothing) if _is_silent(quiet=quiet) else progress_line(text) as show:
        yield show


@contextmanager
def show_upload(name: str, *, quiet: bool) -> Generator[OnProgress]:
    """Show how much of an upload was sent, and then that the command waits for its conversion.

    Args:
        name: The name of the model.
        quiet: Whether to print nothing without a terminal.
    """
    with ExitStack() as after, ExitStack() as bar:
        shown = nullcontext(_show_nothing) if _is_silent(quiet=quiet) else show_upload_progress(name, True)
        show_sent = bar.enter_context(shown) or _show_nothing

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
    if is_terminal():
        with progress_line("Reading the log.") as show_line:
            yield lambda done: show_line(f"{done:,} rows are read.")
    elif quiet:
        yield _show_nothing
    else:
        with progress_text(shows_last=False) as show_text:
            yield lambda done: show_text(f"{done:,} rows are read.")


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


def _is_silent(*, quiet: bool) -> bool:
    """Return whether nothing is shown: what is printed for programs gets a bar on a terminal, but no lines."""
    return quiet and not is_terminal()


def is_terminal() -> bool:
    """Return whether standard error is a terminal, which shows a bar."""
    return STANDARD_ERROR.isatty()


def _show_nothing(*_: object) -> None:
    """Print nothing."""


def _print_tenths(done: int, total: int) -> None:
    """Print how many tests are done, after each tenth of all."""
    if done * 10 // total > (done - 1) * 10 // total:
        output.print_note(f"{done} of {total} tests are done.")
