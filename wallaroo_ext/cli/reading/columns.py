"""Choosing columns by the names that a person writes."""

from __future__ import annotations

import re
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.near_names import near_or_first
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.errors import WallarooError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import pyarrow as pa

_MOST_SURPLUS = 3
_LABELS = {"class", "expected", "label", "labels", "outcome", "target", "y"}
_IDS = {"id", "index", "key", "no", "number", "row", "unnamed: 0", "uuid"}


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
            raise UsageError(f"{option}: there is no column {name!r} in {owner}, but {near_or_first(name, known)}.")
    return names


def find_each_once(known: Sequence[str], texts: list[str], option: str, owner: str) -> list[str]:
    """Return the columns that an option names, as `find_columns` does, for one that takes no column twice.

    Raises:
        UsageError: There is no such column, or one is named twice.
    """
    names = find_columns(known, texts, option, owner)
    for place, name in enumerate(names):
        if name in names[:place]:
            raise UsageError(f"{option}: the column {name!r} is named twice.")
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


def without_values(names: Sequence[str]) -> pa.Table:
    """Return columns of which nothing but the names is known."""
    arrow: Any = import_module("pyarrow")
    return arrow.table({name: arrow.array([], arrow.float64()) for name in names})


@contextmanager
def surplus_said(rows: pa.Table, *, vector: bool) -> Generator[None]:
    """Add to a refusal of vectors for their width, in a block, which columns are likely too many.

    Args:
        rows: The columns that are sent, as they were read.
        vector: Whether they are sent as vectors.
    """
    try:
        yield
    except WallarooError as error:
        surplus = surplus_columns(rows, str(error)) if vector else []
        if surplus:
            error.add_note(f"Likely no inputs of the model: --drop {','.join(surplus)} leaves them out.")
        raise


def surplus_columns(rows: pa.Table, refusal: str) -> list[str]:
    """Return the columns that a model most likely does not take, where it refused vectors for their width.

    Args:
        rows: The columns of the vectors, as they were read.
        refusal: The model's sentence, which has the width that was sent and the one that it takes.
    """
    numbers = {int(found) for found in re.findall(r"\d{1,9}", refusal)}
    sent = rows.num_columns
    taken = [number for number in numbers if 0 < sent - number <= _MOST_SURPLUS]
    if sent not in numbers or not taken:
        return []
    return likely_no_inputs(rows)[: sent - max(taken)]


def likely_no_inputs(rows: pa.Table) -> list[str]:
    """Return the columns that look like labels, ids or an index and not like the inputs of a model, likely ones first.

    They are named so, or have other values where nearly all columns have fractions; of those, the first and the last
    column are the likeliest.
    """
    names = rows.column_names
    scores = {name: _likelihood(rows, place, name) for place, name in enumerate(names)}
    return sorted((name for name in names if scores[name]), key=lambda name: -scores[name])


def _likelihood(rows: pa.Table, place: int, name: str) -> int:
    words = set(re.split(r"[^a-z0-9]+", name.casefold()))
    is_named = bool(words & (_LABELS | _IDS)) or name.casefold() in _LABELS | _IDS
    is_at_the_edge = place in {0, rows.num_columns - 1}
    return 4 * is_named + (2 + is_at_the_edge if _is_whole_among_fractions(rows, name) else 0)


def _is_whole_among_fractions(rows: pa.Table, name: str) -> bool:
    """Return whether a column is the only one, or nearly, that is no column of fractions."""
    types: Any = import_module("pyarrow").types
    schema: Any = rows.schema
    whole = [each.name for each in schema if not types.is_floating(each.type)]
    return name in whole and len(whole) <= max(_MOST_SURPLUS, len(rows.schema.names) // 10)
