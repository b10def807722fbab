"""Choosing columns by the names that a person writes."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from wallaroo_ext.cli.printing.output import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 10


def find_columns(known: Sequence[str], texts: list[str], option: str, owner: str) -> list[str]:
    """Return the columns that an option names.

    Args:
        known: The names of all columns.
        texts: The values of the option: each is a name, or names with commas between.
        option: The option, for the message.
        owner: What has the columns, for the message.

    Raises:
        UsageError: There is no such column.
    """
    names = [name for text in texts for name in ([text] if text in known else text.split(","))]
    for name in names:
        if name not in known:
            raise UsageError(f"{option}: there is no column {name!r} in {owner}, but {_suggestions(known, name)}.")
    return names


def drop_columns(known: Sequence[str], wanted: Sequence[str], drop: list[str], owner: str) -> list[str]:
    """Return the wanted columns without those that the option `--drop` names.

    Raises:
        UsageError: There is no such column, or none is left.
    """
    dropped = set(find_columns(known, drop, "--drop", owner))
    names = [name for name in wanted if name not in dropped]
    if not names:
        raise UsageError("No column is left to be sent.")
    return names


def _suggestions(known: Sequence[str], name: str) -> str:
    """Return the columns with similar names, or the first ones if there are none."""
    more = ["…"] if len(known) > _SHOWN else []
    return ", ".join(get_close_matches(name, known, n=3, cutoff=0.5) or [*known[:_SHOWN], *more])
