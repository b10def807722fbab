"""Writing tables as JSON, a block of rows at a time, with all the digits of 64-bit numbers."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from wallaroo_ext._util.arrow.list_types import is_list
from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from pyarrow import Table

    Array = np.ndarray[Any, np.dtype[Any]]

try:
    import orjson
except ImportError:
    orjson = None

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")

Column: TypeAlias = Any
"""An array, chunked or not. Its stubs ask for the type of the elements, which is known at run time only."""

BLOCK_SIZE = 1 << 16
"""Bytes of a block in Arrow; as JSON it takes several times as much."""

_VECTORS = 2
"""The dimensions of an array whose rows are vectors."""


def to_records(table: Table) -> list[bytes]:
    """Return a table as a list of records, in pieces.

    Raises:
        InvalidDataError: JSON cannot hold the values of a column.
    """
    _check_columns(table)
    names = table.column_names
    pieces = [b"["]
    for batch in _blocks(table):
        pieces += [_records([_values(column) for column in batch.columns], names), b","]
    pieces[max(1, len(pieces) - 1) :] = [b"]"]
    return pieces


def _records(columns: list[Any], names: list[str]) -> bytes:
    """Return rows as records with commas between them."""
    first = columns[0]
    if len(columns) == 1 and isinstance(first, np.ndarray) and first.ndim == _VECTORS:
        return _records_of_vectors(names[0], cast("Array", first))
    return _dumps([dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)])[1:-1]


def _records_of_vectors(name: str, rows: Array) -> bytes:
    """Return rows of one field, vectors of one length, as records with commas between them.

    The array is written as a whole, which takes less time than to write each of its rows. Brackets stand around rows
    only: the elements are numbers.
    """
    beginning = b"{%b:[" % _dumps(name)
    return _dumps(rows)[1:-1].replace(b"]", b"]}").replace(b"[", beginning)


def to_columns(table: Table) -> list[bytes]:
    """Return a table as an object of columns, in pieces.

    Raises:
        InvalidDataError: JSON cannot hold the values of a column.
    """
    _check_columns(table)
    pieces = [b"{"]
    for number, name in enumerate(table.column_names):
        pieces += [b"," * (number > 0), _dumps(name), b":["]
        for count, batch in enumerate(_blocks(table.select([number]))):
            pieces += [b"," * (count > 0), _dumps(_values(batch.column(0)))[1:-1]]
        pieces.append(b"]")
    return [*pieces, b"}"]


def _blocks(table: Any) -> list[Any]:
    """Return the rows of a table in batches of a block's size."""
    rows = BLOCK_SIZE * table.num_rows // max(1, table.nbytes)
    return [batch for batch in table.to_batches(max_chunksize=max(1, rows)) if batch.num_rows]


def _dumps(content: Any) -> bytes:
    if orjson is None:
        return json.dumps(content, separators=(",", ":")).encode()
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)  # ten times as fast, with the same values


def _values(array: Column) -> Any:
    """Return the rows of an array: for orjson an array of numpy, if they are tensors of one shape; otherwise a list."""
    tensor = None if orjson is None else _tensor(array)
    if tensor is None:
        return array.to_pylist()
    return tensor if tensor.ndim > 1 else tensor.tolist()


def _tensor(array: Column) -> Array | None:
    """Return rows of numbers as an array; None if they are others, or have nulls or several shapes."""
    shape = [len(array)]
    while pa.types.is_list(array.type) or pa.types.is_fixed_size_list(array.type):
        size = _common_size(array)
        if size is None:
            return None
        shape.append(size)
        array = array.flatten()
    kind = array.type
    if array.null_count or not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        return None
    values = array.to_numpy(zero_copy_only=False).reshape(shape)
    return values.astype(np.float64, copy=False) if pa.types.is_floating(kind) else values


def _common_size(lists: Column) -> int | None:
    """Return the size of all lists; None if they have several sizes, some are null, or all are empty."""
    if lists.null_count:
        return None
    sizes: dict[str, int] = pc.min_max(pc.list_value_length(lists)).as_py()
    return sizes["min"] if sizes["min"] == sizes["max"] and sizes["min"] else None


def _check_columns(table: Table) -> None:
    """Raise InvalidDataError if JSON cannot hold the values of a column."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        _check_column(name, column)


def _check_column(name: str, column: Column) -> None:
    if not _has_json_form(column.type):
        raise InvalidDataError(
            f"JSON has no form for the column {name!r} of type {column.type}.", advice="Send it as Arrow."
        )
    if not _is_finite(column):
        raise InvalidDataError(
            f"JSON has no NaN and no infinity, which the column {name!r} has.",
            advice="Send it as Arrow.",
        )


def _has_json_form(kind: Any) -> bool:
    types = pa.types
    if is_list(kind):
        return _has_json_form(kind.value_type)
    if types.is_struct(kind):
        return all(_has_json_form(field.type) for field in kind.fields)
    checks = (types.is_boolean, types.is_integer, types.is_floating, types.is_string, types.is_large_string)
    return any(check(kind) for check in (*checks, types.is_null))


def _is_finite(column: Column) -> bool:
    """Return whether a column has neither NaN nor infinity."""
    kind = column.type
    if pa.types.is_struct(kind):
        return all(_is_finite(field) for field in column.flatten())
    if pa.types.is_nested(kind):
        return _is_finite(pc.list_flatten(column))
    return not pa.types.is_floating(kind) or pc.all(pc.is_finite(column.cast(pa.float64()))).as_py() is not False
