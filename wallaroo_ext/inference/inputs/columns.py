"""Making one column of Arrow from an array of numpy or from Python's values."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.inputs.array_cells import array_column, as_lists, has_arrays, with_arrays
from wallaroo_ext.inference.inputs.python_values import array_of

if TYPE_CHECKING:
    from collections.abc import Sequence

pa: Any = import_module("pyarrow")

Array = np.ndarray[Any, np.dtype[Any]]

_FINER_DATE_UNITS = {"Y": "D", "M": "D", "W": "D", "h": "s", "m": "s"}

_FINER_DURATION_UNITS = {"W": "s", "D": "s", "h": "s", "m": "s"}
"""Units of time that Arrow lacks, each with the next finer unit that it has."""

_DAYS = np.dtype("M8[D]")

_MAX_DAYS = 1 << 31

_TEXT_TYPES = {"U": pa.string(), "S": pa.binary()}
"""The types for numpy's texts of fixed length, which are converted as objects: pyarrow cuts them off at a NUL."""


def python_column(name: str, values: Sequence[Any], first: int = 0) -> Any:
    """Return Python values as a column; arrays among them are nested lists.

    Args:
        name: The name of the column, for messages.
        values: The values.
        first: The number of the first row, for messages.
    """
    try:
        return _python_column(name, values, first)
    except RecursionError:
        raise InvalidDataError(
            f"The column {name!r} cannot be read: it has values within values, nested too deep."
        ) from None


def _python_column(name: str, values: Sequence[Any], first: int) -> Any:
    cells = with_arrays(values)
    if has_arrays(cells):
        column = array_column(name, cells, numpy_column)
        if column is not None:
            return column
        return array_of(name, [as_lists(cell) for cell in cells], first)
    try:
        return array_of(name, cells, first)
    except InvalidDataError:
        plain = [as_lists(cell) for cell in cells]  # arrays may be within lists and records
        if not _differ(plain, cells):
            raise
        return array_of(name, plain, first)


def _differ(plain: Sequence[Any], cells: Sequence[Any]) -> bool:
    """Return whether cells had arrays, at any depth."""
    return any(_types_within(one) != _types_within(other) for one, other in zip(plain, cells, strict=True))


def _types_within(value: Any) -> Any:
    """Return the types of a value and of what is in its lists and records."""
    kind: Any = value.__class__
    if isinstance(value, list | tuple):
        return [_types_within(part) for part in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: _types_within(part) for name, part in cast("dict[Any, Any]", value).items()}
    return kind


def numpy_column(name: str, array: Array) -> Any:
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
    try:
        if flat.dtype == object:
            values: Any = flat if mask is None else np.where(mask, cast("Any", None), flat)
            column = _object_column(name, values, array)
        elif mask is None and flat.dtype.kind in "fiu":
            # `pa.array` would do the same, but it imports pandas first, which takes a second.
            column = pa.Array.from_buffers(pa.from_numpy_dtype(flat.dtype), len(flat), [None, pa.py_buffer(flat)])
        else:
            column = pa.array(flat, mask=mask) if text is None else pa.array(flat.astype(object), text, mask=mask)
    except pa.ArrowNotImplementedError:
        raise _unknown_type(name, str(cast("Any", array.dtype))) from None
    for size in reversed(array.shape[1:]):
        column = pa.FixedSizeListArray.from_arrays(column, size)
    return column


def _object_column(name: str, values: Any, array: Array) -> Any:
    """Return the elements of an array of objects as a column; the message of an error names the array's row."""
    try:
        return python_column(name, values.tolist())
    except InvalidDataError:
        if array.ndim > 1:
            python_column(name, array.tolist())
        raise


def check_numpy_type(name: str, kind: Any) -> None:
    """Raise InvalidDataError for complex numbers and other types of numpy that Arrow lacks."""
    if not has_numpy_type(kind):
        raise _unknown_type(name, str(kind))


def has_numpy_type(kind: Any) -> bool:
    """Return whether Arrow has a type of numpy; other types than numpy's are none of its concern."""
    return not isinstance(kind, np.dtype) or (kind.kind not in "cV" and not kind == np.longdouble != np.double)


def _unknown_type(name: str, kind: str) -> InvalidDataError:
    return InvalidDataError(
        f"The column {name!r} is of numpy's type {kind} from row 0 on, which Arrow lacks: convert it, complex numbers "
        "to two columns of their parts, or leave it out."
    )


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


def check_names(names: list[str]) -> None:
    """Raise InvalidDataError unless there are columns with different names."""
    if not names:
        raise InvalidDataError("These rows have no columns. There is nothing to score.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidDataError(f"Two columns have the name {twice!r}.")
