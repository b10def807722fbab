"""Telling how far a command is: on a terminal by a bar or a line that turns, elsewhere by a line now and then.

All of it goes to standard error, so that the answer can be read by a program.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.progress import line
from wallaroo_ext._util.terminal_text import printable
from wallaroo_ext.batch.progress import figures
from wallaroo_ext.cli.printing import output
from wallaroo_ext.uploads.progress import show_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_ext.batch import BatchProgress
    from wallaroo_ext.uploads.progress import OnProgress

_LINE_EVERY = 10.0
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024


@contextmanager
def waiting(text: str, *, quiet: bool) -> Generator[Callable[[str], None]]:
    """Tell what is waited for, by a function that is told it anew.

    Args:
        text: What it is at the beginning.
        quiet: Whether to print nothing where there is no terminal.
    """
    with line(text) if sys.stderr.isatty() else nullcontext() as shown_line:
        if shown_line is not None:
            yield shown_line
            return
        tell = _silence if quiet else _changes()
        tell(text)
        yield tell


@contextmanager
def sending(name: str, *, quiet: bool) -> Generator[OnProgress]:
    """Tell how far an upload is, and then that its conversion is waited for.

    Args:
        name: What is uploaded.
        quiet: Whether to print nothing where there is no terminal.
    """
    with ExitStack() as after, ExitStack() as bar:
        tell = bar.enter_context(show_progress(name, True)) or (_nothing if quiet else _amounts(name))

        def told(sent: int, total: int | None) -> None:
            tell(sent, total)
            if sent == total:
                bar.close()
                after.enter_context(waiting(f"Waiting for the instance to make {name} ready.", quiet=quiet))

        yield told


@contextmanager
def scoring(total: int) -> Generator[Callable[[int], None]]:
    """Tell how many rows of all are scored, on a terminal."""
    if not sys.stderr.isatty():
        yield _nothing
        return
    rich = _rich()
    columns = (
        rich.SpinnerColumn(),
        rich.TextColumn("{task.completed:,} of {task.total:,} rows"),
        rich.BarColumn(),
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=_console(), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)


def is_terminal() -> bool:
    """Return whether a person sees a bar."""
    return sys.stderr.isatty()


def rows_now_and_then() -> Callable[[BatchProgress], None]:
    """Prints how far a run over many rows is, every ten seconds."""
    due = time.monotonic() + _LINE_EVERY

    def tell(now: BatchProgress) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + _LINE_EVERY
            output.remark(figures(now))

    return tell


def _rich() -> Any:
    from rich import progress

    return progress


def _console() -> Any:
    from rich.console import Console

    return Console(stderr=True)


def _silence(_: str) -> None:
    """Print nothing."""


def _nothing(*_: int | None) -> None:
    """Print nothing."""


def _changes() -> Callable[[str], None]:
    """Prints each text that differs from the one before."""
    last: list[str] = []

    def tell(text: str) -> None:
        if last != [text]:
            last[:] = [text]
            output.remark(printable(text))

    return tell


def _amounts(name: str) -> OnProgress:
    """Prints how much was sent: at the beginning, at the end, and every ten seconds."""
    due = time.monotonic() + _LINE_EVERY

    def tell(sent: int, total: int | None) -> None:
        nonlocal due
        of_all = "" if total is None else f" of {size(total)}"
        if sent == 0:
            output.remark(f"Sending {name}{of_all}.")
        elif sent == total or time.monotonic() >= due:
            due = time.monotonic() + _LINE_EVERY
            output.remark(f"{size(sent)}{of_all} sent.")

    return tell


def size(count: int) -> str:
    """Return a number of bytes for a person."""
    amount, unit = float(count), 0
    while amount >= _STEP and unit < len(_UNITS) - 1:
        amount, unit = amount / _STEP, unit + 1
    return f"{count} bytes" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"
