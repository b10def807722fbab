"""Reading the rows of a long JSON body while it comes, a block at a time: its objects are never all in memory."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import orjson

from wallaroo_ext.inference.scored_rows.json_records import (
    BLOCK_SIZE,
    ArrivingColumns,
    NotInBlocksError,
    values_by_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

_MOST_LISTS = 8
"""How deep the lists are that are read here; a model's tensors are less deep."""

_OTHER_VALUES = "a field has values of other types, or of several"


@dataclass(frozen=True, slots=True)
class ReadRows:
    """Rows that were read from records.

    Attributes:
        table: The rows; written as JSON, they have the digits that were sent.
        parse_ns: How long reading them took.
    """

    table: pa.Table
    parse_ns: int


class ArrivingRecords:
    """The rows of a long list of records, which are read while it comes.

    All records have the same fields, each with numbers with a fraction, whole numbers of 64 bits, booleans or texts, or
    with lists of one of them. Short lists and all others are read in one piece elsewhere.
    """

    def __init__(self) -> None:
        self._columns = ArrivingColumns(_columns, orjson.loads)
        self._parse_ns = 0

    def feed(self, part: bytes | memoryview) -> None:
        """Take the next part of the body, and read the blocks that are complete with it."""
        started = time.perf_counter_ns()
        self._columns.feed(part)
        self._parse_ns += time.perf_counter_ns() - started

    def rows(self) -> ReadRows | None:
        """Return the rows, once the body has come; None for a short list, and for other records."""
        if self._columns.size <= BLOCK_SIZE:
            return None
        started = time.perf_counter_ns()
        columns = self._columns.end()
        if columns is None:
            return None
        pa: Any = import_module("pyarrow")
        table = pa.table(columns).combine_chunks()
        return ReadRows(table, self._parse_ns + time.perf_counter_ns() - started)


def _columns(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    columns = values_by_name(records)
    if columns is None:
        raise NotInBlocksError("the records have other fields")
    return {name: _column(values) for name, values in columns.items()}


def _column(values: Sequence[Any]) -> Any:
    """Return the values of a field as a column.

    Raises:
        NotInBlocksError: They are null, objects, or of several types, such as whole numbers beside others.
    """
    pa: Any = import_module("pyarrow")
    kinds: dict[type, Any] = {float: pa.float64(), int: pa.int64(), bool: pa.bool_(), str: pa.string()}
    leaf, lists = _innermost(values[0])
    if leaf not in kinds:
        raise NotInBlocksError(_OTHER_VALUES)
    kind, leaves = kinds[leaf], cast("Any", values)
    for _ in range(lists):
        kind, leaves = pa.list_(kind), _items(leaves)
    if leaf is float:
        column: Any = pa.array(values, kind)
        if _are_fractions(column):  # a tenth of the time in which to look at the type of each
            return column
    if set(map(type, leaves)) != {leaf}:
        raise NotInBlocksError(_OTHER_VALUES)
    return pa.array(values, kind)


def _innermost(value: Any) -> tuple[Any, int]:
    """Return the type of the first value in nested lists, and how deep they are nested.

    Raises:
        NotInBlocksError: A list is empty, or they are nested too deeply.
    """
    depth = 0
    while isinstance(value, list):
        inner = cast("list[Any]", value)
        if not inner or depth == _MOST_LISTS:
            raise NotInBlocksError("a field has empty lists, or too many in each other")
        value, depth = inner[0], depth + 1
    return cast("Any", type(value)), depth


def _items(values: Iterable[Any]) -> Iterable[Any]:
    """Return the items of all values, which have to be lists: pyarrow takes a text for the list of its characters.

    Raises:
        NotInBlocksError: A value is no list.
    """
    lists = list(values)
    if set(map(type, lists)) != {list}:
        raise NotInBlocksError(_OTHER_VALUES)
    return chain.from_iterable(lists)


def _are_fractions(column: Any) -> bool:
    """Return whether a column has neither nulls nor whole numbers, so that all its values were sent as floats."""
    import numpy as np

    while not column.null_count and hasattr(column, "flatten") and hasattr(column.type, "value_type"):
        column = column.flatten()
    if column.null_count:
        return False
    numbers = np.asarray(column)
    return not bool(np.any(numbers == np.floor(numbers)))
