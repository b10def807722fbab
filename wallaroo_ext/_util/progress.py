"""Showing progress, which `progress=True` asks for, wherever people look at it.

On a terminal, and in a notebook with ipywidgets, that is a bar. In a notebook without ipywidgets it is a line that is
replaced, because rich shows nothing there. Elsewhere, as in a file, a pipe or a terminal that moves no cursor, it is a
line now and then. Nothing fails because it cannot be shown: a terminal may be closed while its program goes on.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from importlib import import_module
from inspect import iscoroutinefunction, signature
from typing import TYPE_CHECKING, Any, Protocol, cast

from wallaroo_ext._util.standard_error import STANDARD_ERROR, print_error_line
from wallaroo_ext.errors import ConfigurationError, InvalidDataError
from wallaroo_ext.redaction.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

_LINE_SECONDS = 10.0
"""The shortest time between two lines in a file or a pipe."""


class ShowText(Protocol):
    """Shows a text, in place of the one before or below it. Below it, only those that are `kept` are surely shown."""

    def __call__(self, text: str, *, kept: bool = False) -> None:
        """Show a text."""
        ...


def check_progress(progress: object, *values: str) -> None:
    """Check the argument `progress=`, before anything is sent.

    Args:
        progress: The argument.
        values: What a function is called with, for the message.

    Raises:
        InvalidDataError: It is neither a function nor True, an `async` function, or one that takes something else.
        ConfigurationError: It is True, and the library for bars on the terminal is not installed.
    """
    if progress is None or progress is False:
        return
    if progress is True:
        _rich()
        return
    if not callable(progress):
        raise InvalidDataError(f"`progress` is a function, or True for a bar or lines, not {progress!r}.")
    if iscoroutinefunction(progress) or iscoroutinefunction(getattr(type(progress), "__call__", None)):  # noqa: B004 - the check is for async
        raise InvalidDataError("`progress` is called, not awaited, also in asyncio: give a function without `async`.")
    if not _takes(progress, len(values)):
        raise InvalidDataError(f"`progress` is called with {' and '.join(values)}, which this function does not take.")


def _takes(function: Callable[..., object], count: int) -> bool:
    """Return whether a function can be called with so many values; True where that cannot be known."""
    try:
        called = signature(function)
    except (TypeError, ValueError):
        return True
    try:
        called.bind(*range(count))
    except TypeError:
        return False
    return True


@contextmanager
def progress_bar(columns: Callable[[Any], Sequence[Any]], **options: Any) -> Generator[Any | None]:
    """Show a bar of rich on standard error, until the block ends.

    Args:
        columns: Returns the columns of the bar, given rich's module `rich.progress`.
        options: Further options of `rich.progress.Progress`.

    Yields:
        The `rich.progress.Progress`; None where no bar can be shown.

    Raises:
        ConfigurationError: rich is not installed.
    """
    console, rich = _rich()
    if not _shows_bars(console):
        yield None
        return
    # What others print meanwhile is shown above the bar, unless it goes into a file.
    is_shown = console.is_jupyter or (sys.stdout is not None and sys.stdout.isatty())
    with rich.Progress(*columns(rich), console=console, redirect_stdout=is_shown, **options) as bar:
        yield bar


@contextmanager
def progress_line(text: str) -> Generator[Callable[[str], None]]:
    """Show a line until the block ends, with a spinner and the elapsed time where a bar can be shown.

    Yields:
        A function that replaces the text.
    """
    with progress_bar(_line_columns, transient=True, expand=True) as bar:
        if bar is None:
            with progress_text() as show:
                show(text, kept=True)
                yield lambda now: show(now, kept=True)
            return
        task = bar.add_task(printable(text), total=None)
        yield lambda now: bar.update(task, description=printable(now))


@contextmanager
def progress_text(*, shows_last: bool = True) -> Generator[ShowText]:
    """Yield a function that shows progress as text where no bar can be shown.

    Args:
        shows_last: Whether the last text is shown in any case, because nothing else says how it ended.
    """
    console, _ = _rich()
    show_text = _replaced_text() if console.is_jupyter else _printed_text()
    last: list[str] = []

    def show(text: str, *, kept: bool = False) -> None:
        last[:] = [text]
        show_text(text, kept=kept)

    try:
        yield show
    finally:
        for text in last if shows_last else []:
            show_text(text, kept=True)


def _replaced_text() -> ShowText:
    """Return a function that shows a text in the output of a notebook's cell, in place of the one before."""
    display: Any = import_module("IPython.display").display  # a notebook has it
    outputs: list[Any] = []
    shown: list[str] = []

    def show(text: str, *, kept: bool = False) -> None:  # noqa: ARG001 - all are shown
        if shown == [text]:
            return
        shown[:] = [text]
        content = {"text/plain": printable(text)}
        if outputs:
            outputs[0].update(content, raw=True)
        else:
            outputs.append(display(content, raw=True, display_id=True))

    return show


def _printed_text() -> ShowText:
    """Return a function that prints a text on standard error now and then, if it differs from the one before."""
    printed: list[str] = []
    timer = Timer(_LINE_SECONDS)

    def show(text: str, *, kept: bool = False) -> None:
        if printed != [text] and (kept or timer.has_passed()):
            printed[:] = [text]
            print_error_line(printable(text))

    return show


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


def _shows_bars(console: Any) -> bool:
    """Return whether a bar of rich can be shown.

    A file is no terminal, although FORCE_COLOR makes it one for rich: a log would get ten bars a second.
    """
    if console.is_jupyter:
        return _has_widgets()
    is_terminal = console.is_terminal and not console.is_dumb_terminal and STANDARD_ERROR.isatty()
    return is_terminal and console.encoding.startswith("utf")


def _has_widgets() -> bool:
    """Return whether a notebook has what a bar of rich needs."""
    try:
        import_module("ipywidgets")
    except ImportError:
        return False
    return True


def _line_columns(rich: Any) -> Sequence[Any]:
    from rich.table import Column

    column = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    text = rich.TextColumn("{task.description}", markup=False, table_column=column)
    return rich.SpinnerColumn(), text, rich.TimeElapsedColumn()


def _rich() -> tuple[Any, Any]:
    """Return a console on standard error, and the module `rich.progress`."""
    try:
        from rich import progress
        from rich.console import Console
    except ImportError:
        raise ConfigurationError("progress=True needs: pip install 'wallaroo-ext[cli]'.") from None
    return Console(file=cast("Any", STANDARD_ERROR)), cast("Any", progress)
