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
    ColumnBlocks,
    NotInBlocksError,
    RecordBlocks,
    values_by_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

_MOST_LISTS = 8
"""How deep the lists are that are read here; a model's tensors are less deep."""


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
        self._blocks = RecordBlocks(parse=orjson.loads)
        self._columns = ColumnBlocks()
        self._size = 0
        self._parse_ns = 0
        self._are_alike = True

    def feed(self, part: bytes | memoryview) -> None:
        """Take the next part of the body, and read the blocks that are complete with it."""
        self._size += len(part)
        if self._are_alike:
            self._add_all(self._blocks.feed(part))

    def rows(self) -> ReadRows | None:
        """Return the rows, once the body has come; None for a short list, and for other records."""
        if self._size <= BLOCK_SIZE:
            return None
        if self._are_alike:
            self._add_all(self._blocks.end())
        if not self._are_alike:
            return None
        pa: Any = import_module("pyarrow")
        return ReadRows(pa.table(self._columns.chunked_columns()).combine_chunks(), self._parse_ns)

    def _add_all(self, blocks: Iterable[list[dict[str, Any]]]) -> None:
        pa: Any = import_module("pyarrow")
        started = time.perf_counter_ns()
        try:
            self._are_alike = all(map(self._add, blocks))
        except (NotInBlocksError, _OtherValuesError, pa.ArrowException, OverflowError, TypeError):
            self._are_alike = False
        self._parse_ns += time.perf_counter_ns() - started

    def _add(self, records: list[dict[str, Any]]) -> bool:
        columns = values_by_name(records)
        return columns is not None and self._columns.add({name: _column(values) for name, values in columns.items()})


class _OtherValuesError(Exception):
    """The values of a field are of other types, or of several."""


def _column(values: Sequence[Any]) -> Any:
    """Return the values of a field as a column.

    Raises:
        _OtherValuesError: They are null, objects, or of several types, such as whole numbers beside others.
    """
    pa: Any = import_module("pyarrow")
    kinds: dict[type, Any] = {float: pa.float64(), int: pa.int64(), bool: pa.bool_(), str: pa.string()}
    leaf, lists = _innermost(values[0])
    kind = kinds.get(leaf)
    for _ in range(lists):
        kind = pa.list_(kind)
    if leaf is float:
        column: Any = pa.array(values, kind)
        if _are_fractions(column):
            return column
    inner: Any = values
    for _ in range(lists):
        inner = chain.from_iterable(inner)
    if leaf not in kinds or set(map(type, inner)) != {leaf}:
        raise _OtherValuesError
    return pa.array(values, kind)


def _innermost(value: Any) -> tuple[Any, int]:
    """Return the type of the first value in nested lists, and how deep they are nested."""
    depth = 0
    while isinstance(value, list):
        inner = cast("list[Any]", value)
        if not inner or depth == _MOST_LISTS:
            raise _OtherValuesError
        value, depth = inner[0], depth + 1
    return cast("Any", type(value)), depth


def _are_fractions(column: Any) -> bool:
    """Return whether a column has neither nulls nor whole numbers, so that all its values were sent as floats."""
    import numpy as np

    while not column.null_count and hasattr(column, "flatten") and hasattr(column.type, "value_type"):
        column = column.flatten()
    if column.null_count:
        return False
    numbers = np.asarray(column)
    return not bool(np.any(numbers == np.floor(numbers)))
