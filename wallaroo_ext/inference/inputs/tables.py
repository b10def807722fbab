"""Converting rows of each form to a table of pyarrow."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import numpy as np

from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.reader import read_file
from wallaroo_ext.inference.inputs.python_values import array_of, check_values

if TYPE_CHECKING:
    from pyarrow import Table


pa: Any = import_module("pyarrow")
CONVERSION_ERRORS = (pa.ArrowException, TypeError, ValueError, OverflowError)
"""The errors that pyarrow raises for values that it cannot convert."""

ONLY_INPUT = "tensor"
"""The name that every release accepts for the input of a model with a single one."""

_OBJECT_KIND = "O"
"""The kind of numpy's type for Python objects."""


@runtime_checkable
class ArrowStream(Protocol):
    """Anything that exports the Arrow C stream: tables of pyarrow, pandas, polars, duckdb and others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Export the table."""
        ...


@runtime_checkable
class ArrowArray(Protocol):
    """Anything that exports one Arrow C array: record batches, arrays of structs."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        """Export the array."""
        ...


def table_of(rows: Any) -> Table:
    """Return rows of any form as a table, with their own types.

    Raises:
        InvalidDataError: These are no rows.
        OSError: A file cannot be opened.
    """
    if isinstance(rows, pa.Table):
        return rows
    rows = _as_series(rows)
    if isinstance(rows, Mapping):
        return _from_columns(cast("Mapping[Any, Any]", rows))
    if isinstance(rows, ArrowStream | ArrowArray):
        return _from_arrow_export(rows)
    if isinstance(rows, str | os.PathLike):
        return read_file(cast("Any", rows), table_of)
    if isinstance(rows, np.ndarray) or hasattr(rows, "__array__"):
        return _from_array(np.asanyarray(cast("Any", rows)))
    if isinstance(rows, list | tuple):
        return _from_records(cast("Sequence[Any]", rows))
    raise InvalidDataError(_unsupported_rows(f"not {type(rows).__name__}"))


def _unsupported_rows(instead: str) -> str:
    return (
        "Rows are a table (pyarrow, pandas, polars, duckdb, ...), a list of records, a mapping of columns, a numpy "
        f"array, or the path of a file, {instead}."
    )


def _from_arrow_export(rows: Any) -> Table:
    """Return a table from an object that exports Arrow; an array other than of structs becomes the only input."""
    _check_objects(rows)
    try:
        return pa.table(rows)
    except pa.ArrowInvalid:
        column = _exported_column(rows)
        if column is None:
            raise
        return pa.table({ONLY_INPUT: column})


def _check_objects(rows: Any) -> None:
    """Raise InvalidDataError for Python objects that are neither numbers nor texts, before a library exports them."""
    if _is_instance_of(rows, "pandas", "DataFrame"):
        for position, (name, kind) in enumerate(rows.dtypes.items()):
            if kind.kind == _OBJECT_KIND:
                check_values(str(name), rows.iloc[:, position].tolist())
    elif _is_instance_of(rows, "pandas", "Series") and rows.dtype.kind == _OBJECT_KIND:
        check_values(str(rows.name), rows.tolist())
    elif _is_instance_of(rows, "polars", "DataFrame"):
        for name in rows.columns:
            _check_polars_column(name, rows.get_column(name))
    elif _is_instance_of(rows, "polars", "Series"):
        _check_polars_column(rows.name, rows)


def _as_series(values: Any) -> Any:
    """Return an array or an index of pandas as a series, which keeps its type: numpy would get integers as floats."""
    if _is_instance_of(values, "pandas", "ExtensionArray"):
        pandas: Any = import_module("pandas")
        return pandas.Series(values)
    return values.to_series() if _is_instance_of(values, "pandas", "Index") else values


def _is_instance_of(rows: Any, library: str, name: str) -> bool:
    return any(kind.__name__ == name and kind.__module__.split(".")[0] == library for kind in type(rows).__mro__)


def _check_polars_column(name: str, column: Any) -> None:
    """Raise InvalidDataError for polars' Python objects, because polars exports their addresses in memory."""
    if "Object" in str(column.dtype):
        row = next((row for row, value in enumerate(column) if value is not None), 0)
        raise InvalidDataError(
            f"The column {name!r} of polars' type {column.dtype} has objects of Python, which are no numbers and no "
            f"texts, the first one in row {row}: convert the column, or leave it out."
        )


def _exported_column(rows: Any) -> Any:
    try:
        column = pa.chunked_array(rows)
    except CONVERSION_ERRORS:
        return None
    return None if pa.types.is_struct(column.type) else column


def _from_array(array: np.ndarray[Any, Any]) -> Table:
    """Return a table from one array: its named fields as columns, or the whole array as the only input."""
    names = array.dtype.names
    return _from_columns({ONLY_INPUT: array} if names is None else {name: array[name] for name in names})


def _from_columns(columns: Mapping[Any, Any]) -> Table:
    return pa.table({_column_name(name): _column(name, values) for name, values in columns.items()})


def _column_name(name: Any) -> str:
    if not isinstance(name, str):
        raise InvalidDataError(f"The name of a column is a text, not {name!r}.")
    return name


def _column(name: str, values: Any) -> Any:
    if isinstance(values, np.ndarray):
        return _numpy_column(name, cast("Any", values))
    values = _as_series(values)
    try:
        if isinstance(values, ArrowStream | ArrowArray):
            _check_objects(values)
            return pa.chunked_array(values)
        if hasattr(values, "__array__"):
            return _numpy_column(name, np.asanyarray(values))
        if isinstance(values, Sequence) and not isinstance(values, str | bytes | bytearray):
            return array_of(name, cast("Any", values))
    except CONVERSION_ERRORS as error:
        raise InvalidDataError(f"The column {name!r} cannot be read: {error}.") from error
    raise InvalidDataError(
        f"The column {name!r} is {type(cast('Any', values)).__name__}, not an array or a list with an element a row; "
        f"one record goes into a list: [record]."
    )


def _from_records(records: Sequence[Any]) -> Table:
    if not records:
        raise InvalidDataError("An empty list of records has no fields. There is nothing to score.")
    for number, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise InvalidDataError(_unsupported_rows(f"not a list of {type(record).__name__}"))
        if record.keys() != records[0].keys():
            fields = cast("Mapping[Any, Any]", record)
            raise InvalidDataError(
                f"Record {number} has the fields {list(fields)}, the first one has {list(records[0])}."
            )
    return _from_columns({name: [record[name] for record in records] for name in records[0]})


def check_names(names: list[str]) -> None:
    """Raise InvalidDataError unless there are columns with different names."""
    if not names:
        raise InvalidDataError("These rows have no columns. There is nothing to score.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidDataError(f"Two columns have the name {twice!r}.")


Array = np.ndarray[Any, np.dtype[Any]]

_FINER_DATE_UNITS = {"Y": "D", "M": "D", "W": "D", "h": "s", "m": "s"}
_FINER_DURATION_UNITS = {"W": "s", "D": "s", "h": "s", "m": "s"}
"""Units of time that Arrow lacks, each with the next finer unit that it has."""

_DAYS = np.dtype("M8[D]")
_MAX_DAYS = 1 << 31

_TEXT_TYPES = {"U": pa.string(), "S": pa.binary()}
"""The types for numpy's texts of fixed length, which are converted as objects: pyarrow cuts them off at a NUL."""


def _numpy_column(name: str, array: Array) -> Any:
    """Return an array as a column: the first dimension is the rows, the others become nested lists of fixed size.

    A contiguous array in the machine's byte order is not copied, except booleans and texts. Masked elements become
    nulls.

    Raises:
        InvalidDataError: The array has no dimension for the rows, another dimension of length 0, a type that Arrow
            lacks, or a time outside of Arrow's range.
    """
    if array.ndim == 0:
        raise InvalidDataError(f"The column {name!r} is a single value: an array needs a dimension for the rows.")
    if 0 in array.shape[1:]:
        raise InvalidDataError(f"The column {name!r} has the shape {array.shape}: its rows hold no values.")
    mask = np.ma.getmaskarray(array).reshape(-1) if isinstance(array, np.ma.MaskedArray) else None
    flat = _contiguous(name, np.asarray(array)).reshape(-1)
    text = _TEXT_TYPES.get(flat.dtype.kind)
    if flat.dtype == object:
        check_values(name, flat.tolist() if mask is None else flat[~mask].tolist())
    try:
        if mask is None and flat.dtype.kind in "fiu":
            # `pa.array` would do the same, but it imports pandas first, which takes a second.
            column = pa.Array.from_buffers(pa.from_numpy_dtype(flat.dtype), len(flat), [None, pa.py_buffer(flat)])
        else:
            column = pa.array(flat, mask=mask) if text is None else pa.array(flat.astype(object), text, mask=mask)
    except pa.ArrowNotImplementedError:
        raise InvalidDataError(f"The column {name!r} is of numpy's type {array.dtype}, which Arrow lacks.") from None
    for size in reversed(array.shape[1:]):
        column = pa.FixedSizeListArray.from_arrays(column, size)
    return column


def _contiguous(name: str, array: Array) -> Array:
    """Return an array that is contiguous, in the machine's byte order, and in a unit of time that Arrow has."""
    if array.dtype.kind == "T":  # texts of variable length
        return array.astype(object)
    kind = array.dtype.newbyteorder("=")
    if kind.kind in "mM":
        unit, _ = np.datetime_data(kind)
        units = _FINER_DATE_UNITS if kind.kind == "M" else _FINER_DURATION_UNITS
        kind = np.dtype(f"{kind.kind}8[{units.get(unit, unit)}]")  # without a count such as in [10ms]
        return _convert_times(name, np.ascontiguousarray(array), kind)
    return np.ascontiguousarray(array.astype(kind, copy=False))


def _convert_times(name: str, array: Array, kind: np.dtype[Any]) -> Array:
    """Return times in another unit; raise InvalidDataError for those that numpy would let overflow."""
    times = array.astype(kind, copy=False)
    too_far = times.astype(array.dtype) != array
    if kind == _DAYS:  # Arrow stores days in 32 bits
        too_far |= np.abs(times.view(np.int64) + 0.5) > _MAX_DAYS
    if (too_far & ~np.isnat(array)).any():
        raise InvalidDataError(f"The column {name!r} has times that are too far away for Arrow.")
    return times
