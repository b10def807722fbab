"""Reading the rows of a long JSON body a block at a time, so that they are never all in memory as Python objects."""

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
    record_blocks,
    values_by_name,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def read_records(content: bytes | bytearray) -> ReadRows | None:
    """Return the rows of a long list of records.

    All records have the same fields, each with numbers with a fraction, whole numbers of 64 bits, booleans or texts, or
    with lists of one of them. Returns None for a short list and for all others, which are read in one piece.
    """
    pa: Any = import_module("pyarrow")
    started = time.perf_counter_ns()
    if len(content) <= BLOCK_SIZE:
        return None
    blocks = ColumnBlocks()
    try:
        for records in record_blocks(content, parse=orjson.loads):
            columns = values_by_name(records)
            if columns is None:
                return None
            if not blocks.add({name: _column(values) for name, values in columns.items()}):
                return None
    except (NotInBlocksError, _OtherValuesError, pa.ArrowException, OverflowError, TypeError):
        return None
    table = pa.table(blocks.chunked_columns()).combine_chunks()
    return ReadRows(table, time.perf_counter_ns() - started)


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
