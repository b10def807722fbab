"""Tells what may be wrong with rows that an engine rejected: engines name a field and a type at most."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.inference.files.csv_types import NULLS
from wallaroo_ext.inference.files.forms.log_exports import is_log

if TYPE_CHECKING:
    from pyarrow import Table

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")

_OF_LOGS = (
    "These are scored rows: send their inputs, in.…, under their own names, or save the rows in a file and send that."
)
_OF_VECTORS = (
    "Where the columns are the numbers of one input, send them as one: vector=True (--vector on the command line)."
)
_NUMBER = r"^\s*[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?\s*$"
_NUMBER_IN_JSON = r"^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?$"
_MOST_SHOWN = 40


def advice_on_rejected(table: Table) -> str:
    """Return what to do with rows that an engine rejected; empty if no likely cause is found."""
    if is_log(table.column_names, nested=False):
        return _OF_LOGS
    for name, column in zip(table.column_names, table.columns, strict=True):
        try:
            advice = _advice_on_texts(name, column)
        except (
            pa.ArrowInvalid
        ):  # they are no UTF-8, or more than Arrow's functions take: the engine's error is to be seen
            continue
        if advice:
            return advice
    return _OF_VECTORS if table.num_columns > 1 else ""


def _advice_on_texts(name: str, column: Any) -> str:
    """Return what to do with a column of texts of which at least half are numbers; empty for any other."""
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        return ""
    texts = column.cast(pa.string())
    numbers = _fits(texts, _NUMBER)
    others = int((~numbers).sum())
    count = len(numbers) - others - texts.null_count
    if not count or count < others:
        return ""
    if others:
        # Of CSV, the usual words for no value are texts only because another text is beside them.
        other = _first_of(~numbers & ~_is_null_word(texts), ~numbers)
        change = f"{_in_row(texts, other)} is not a number: change it or make it null"
        return f"The column {name!r} has texts, most of them numbers. {change}, if the column has to have numbers."
    example = _first_of(~_fits(texts, _NUMBER_IN_JSON), texts.is_valid().to_numpy())
    return (
        f"The texts of the column {name!r} are numbers, {_in_row(texts, example)} for one: convert them, if the column "
        "has to have numbers."
    )


def _in_row(texts: Any, mask: Any) -> str:
    """Return the first text that a mask has, with its row."""
    row = int(mask.argmax())
    return f"{texts[row].as_py()[:_MOST_SHOWN]!r} in row {row}"


def _fits(texts: Any, pattern: str) -> Any:
    """Return a mask of the texts that fit a pattern, and of nulls."""
    return pc.fill_null(pc.match_substring_regex(texts, pattern), True).to_numpy()


def _is_null_word(texts: Any) -> Any:
    """Return a mask of the texts that CSV files have in place of missing values."""
    return pc.is_in(pc.utf8_trim_whitespace(texts), NULLS).to_numpy()


def _first_of(*masks: Any) -> Any:
    """Return the first mask that has anything."""
    return next(mask for mask in masks if mask.any())
