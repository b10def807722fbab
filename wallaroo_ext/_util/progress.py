"""Showing progress: checking the argument `progress=`, and bars on the terminal."""

from __future__ import annotations

from contextlib import contextmanager
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext.errors import ConfigurationError, InvalidDataError
from wallaroo_ext.redaction.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence


def check_progress(progress: object) -> None:
    """Check the argument `progress=`.

    Raises:
        InvalidDataError: It is neither a function nor True, or an `async` function.
        ConfigurationError: It is True, and the library for bars on the terminal is not installed.
    """
    if progress is True:
        _rich()
    elif progress is not None and progress is not False and not callable(progress):
        raise InvalidDataError(f"`progress` is a function, or True for a line on the terminal, not {progress!r}.")
    elif iscoroutinefunction(progress) or iscoroutinefunction(getattr(type(progress), "__call__", None)):  # noqa: B004 - the check is for async
        raise InvalidDataError("`progress` is called, not awaited, also in asyncio: give a function without `async`.")


@contextmanager
def progress_bar(columns: Callable[[Any], Sequence[Any]], **options: Any) -> Generator[Any | None]:
    """Show a bar of rich on standard error, until the block ends.

    Args:
        columns: Returns the columns of the bar, given rich's module `rich.progress`.
        options: Further options of `rich.progress.Progress`.

    Yields:
        The `rich.progress.Progress`; None if standard error is neither a terminal nor a notebook.

    Raises:
        ConfigurationError: rich is not installed.
    """
    console, rich = _rich()
    if not (console.is_terminal or console.is_jupyter):
        yield None
        return
    with rich.Progress(*columns(rich), console=console, **options) as bar:
        yield bar


@contextmanager
def progress_line(text: str) -> Generator[Callable[[str], None] | None]:
    """Show a line with a spinner and the elapsed time on standard error, until the block ends.

    Yields:
        A function that replaces the text; None if standard error is neither a terminal nor a notebook.
    """
    with progress_bar(_line_columns, transient=True, expand=True) as bar:
        if bar is None:
            yield None
            return
        task = bar.add_task(printable(text), total=None)
        yield lambda now: bar.update(task, description=printable(now))


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
    return Console(stderr=True), cast("Any", progress)
