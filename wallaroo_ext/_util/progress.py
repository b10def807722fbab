"""Showing how far something is: what `progress=` may be everywhere, and a line on the terminal."""

from __future__ import annotations

from contextlib import contextmanager
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext.errors import ConfigurationError, InvalidDataError
from wallaroo_ext.redaction.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


def check_progress(progress: object) -> None:
    """Refuse what can show nothing.

    Raises:
        InvalidDataError: It is neither a function nor True, or one whose result would have to be awaited.
        ConfigurationError: There is no library for a line on the terminal.
    """
    if progress is True:
        _rich()
    elif progress is not None and progress is not False and not callable(progress):
        raise InvalidDataError(f"`progress` is a function, or True for a line on the terminal, not {progress!r}.")
    elif iscoroutinefunction(progress) or iscoroutinefunction(getattr(type(progress), "__call__", None)):  # noqa: B004 - asks how it is called
        raise InvalidDataError("`progress` is called, not awaited, also in asyncio: give a function without `async`.")


@contextmanager
def progress_line(text: str) -> Generator[Callable[[str], None] | None]:
    """Show a line with the time that has gone by, on standard error, until the block ends.

    Gives the function that writes another text there; None where standard error is no terminal or notebook.
    """
    console, rich = _rich()
    if not (console.is_terminal or console.is_jupyter):
        yield None
        return
    from rich.table import Column

    columns = (
        rich.SpinnerColumn(),
        rich.TextColumn(
            "{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")
        ),
        rich.TimeElapsedColumn(),
    )
    with rich.Progress(*columns, console=console, transient=True, expand=True) as bar:
        task = bar.add_task(printable(text), total=None)
        yield lambda now: bar.update(task, description=printable(now))


def _rich() -> tuple[Any, Any]:
    """Return a console on standard error, and rich's module of bars."""
    try:
        from rich import progress
        from rich.console import Console
    except ImportError:
        raise ConfigurationError("progress=True needs: pip install 'wallaroo-ext[cli]'.") from None
    return Console(stderr=True), cast("Any", progress)
