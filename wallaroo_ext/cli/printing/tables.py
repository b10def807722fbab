"""Printed tables, aligned and no wider than the terminal.

rich's tables would cut numbers, and cut texts at their end, which is what tells the names of pods apart.
"""

from __future__ import annotations

import math
import os
import shutil
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wallaroo_ext.cli.printing import output
from wallaroo_ext.redaction.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

SHOWN_ROWS = 10
"""How many rows of data a terminal gets."""
_GAP = "  "
_NARROWEST = 8
_GOOD, _BAD, _OPEN = "32", "31", "33"
_COLOURS = {"running": _GOOD, "ready": _GOOD, "ok": _GOOD, "error": _BAD, "alert": _BAD, "failed": _BAD}
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: The heading.
        cells: The texts, one for each row.
        right: Whether the texts are aligned to the right, as numbers are. They are never shortened.
        states: Whether the texts are states, which are coloured.
    """

    title: str
    cells: Sequence[str]
    right: bool = False
    states: bool = False


def show_table(columns: Sequence[Column]) -> None:
    """Print a table; texts that are too long for the terminal are shortened in the middle."""
    clean = [Column(each.title, [printable(cell) for cell in each.cells], each.right, each.states) for each in columns]
    available = terminal_width()
    if available is not None:
        clean = _as_many_as_fit(clean, available)
    widths = _widths(clean, available)
    output.print_line(_join([_pad(each, each.title, width) for each, width in zip(clean, widths, strict=True)]))
    for row in range(len(clean[0].cells)):
        cells = [_cell(each, each.cells[row], width) for each, width in zip(clean, widths, strict=True)]
        output.print_unchanged(_join(cells))


def show_facts(facts: Mapping[str, str]) -> None:
    """Print names and values, one pair on each line; values are never shortened, because people copy them."""
    width = max(map(len, facts))
    for name, text in facts.items():
        value = printable(text)
        output.print_unchanged(f"{name:{width}}{_GAP}{colour(value, text) if name == 'status' else value}")


def show_texts(texts: Sequence[str]) -> None:
    """Print texts; those that are too long for the terminal are wrapped."""
    available = terminal_width()
    for text in map(printable, texts):
        lines = [text] if available is None else textwrap.wrap(text, available, subsequent_indent=_GAP)
        for line in lines:
            output.print_line(line)


def shorten(text: str, width: int) -> str:
    """Return a text that is no wider than `width`, with its middle left out if necessary."""
    from rich.cells import cell_len

    if cell_len(text) <= width:
        return text
    kept = width - 1
    while True:
        short = f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"
        if cell_len(short) <= width or kept <= 1:
            return short
        kept -= 1


def format_numbers(values: Sequence[float | None]) -> list[str]:
    """Return numbers with about six digits, with aligned points unless one has an exponent; `-` for None."""
    short = [_number(value, f".{_DIGITS}g") for value in values]
    if any("e" in text for text in short):
        return short
    places = max((len(text.partition(".")[2]) for text in short), default=0)
    return [_number(value, f".{min(places, _DIGITS)}f") for value in values]


def format_times(values: Sequence[datetime | None]) -> list[str]:
    """Return times in UTC, without hours, minutes or seconds if those are zero in all of them."""
    known = [value for value in values if value is not None]
    if all(value.hour == value.minute == value.second == 0 for value in known):
        form = "%Y-%m-%d"
    else:
        form = "%Y-%m-%d %H:%M:%S" if any(value.second for value in known) else "%Y-%m-%d %H:%M"
    return ["-" if value is None else value.strftime(form) for value in values]


def _number(value: Any, form: str) -> str:
    if value is None:
        return "-"
    return f"{value:{form}}" if math.isfinite(value) else str(value)


def terminal_width() -> int | None:
    """Return the width of the terminal, at least 40; None if the output is no terminal, so that nothing is cut."""
    return max(shutil.get_terminal_size().columns, 40) if output.is_terminal() else None


def _as_many_as_fit(columns: list[Column], available: int) -> list[Column]:
    """Return the columns that fit if they are as narrow as possible; a column `…` replaces the others."""
    kept: list[Column] = []
    taken = 0
    for index, column in enumerate(columns):
        taken += _narrowest(column) + (len(_GAP) if kept else 0)
        rest = 0 if index == len(columns) - 1 else len(_GAP) + 1
        if kept and taken + rest > available:
            return [*kept, Column("…", ["…"] * len(column.cells))]
        kept.append(column)
    return kept


def _natural(column: Column) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, (column.title, *column.cells)))


def _narrowest(column: Column) -> int:
    return _natural(column) if column.right else min(_natural(column), max(_NARROWEST, len(column.title)))


def _widths(columns: list[Column], available: int | None) -> list[int]:
    """Return the width of each column: the widest ones are shortened if there is no room for all."""
    widths = [_natural(column) for column in columns]
    if available is None:
        return widths
    least = [_narrowest(column) for column in columns]
    while sum(widths) + len(_GAP) * (len(widths) - 1) > available:
        widest = max(range(len(widths)), key=lambda index: (widths[index] > least[index], widths[index]))
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
    return widths


def _pad(column: Column, text: str, width: int) -> str:
    from rich.cells import cell_len

    short = shorten(text, width)
    space = " " * (width - cell_len(short))
    return space + short if column.right else short + space


def _cell(column: Column, text: str, width: int) -> str:
    padded = _pad(column, text, width)
    return colour(padded, text) if column.states else padded


def colour(text: str, state: str) -> str:
    """Return a text in the colour of a state, if the terminal has colours and the user wants them."""
    if not output.is_terminal() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\033[{_COLOURS.get(state.lower(), _OPEN)}m{text}\033[0m"


def _join(cells: list[str]) -> str:
    return _GAP.join(cells).rstrip()
