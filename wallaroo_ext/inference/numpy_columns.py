"""Numpy arrays as columns, over the same memory where Arrow has their layout."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.python_values import check_values

pa: Any = import_module("pyarrow")
Array = np.ndarray[Any, np.dtype[Any]]

_DATES = {"Y": "D", "M": "D", "W": "D", "h": "s", "m": "s"}
_DURATIONS = {"W": "s", "D": "s", "h": "s", "m": "s"}
"""Units of time that Arrow does not have, and the next finer one that it has."""

_DAYS = np.dtype("M8[D]")
_MOST_DAYS = 1 << 31

_TEXTS = {"U": pa.string(), "S": pa.binary()}
"""What numpy's texts of a fixed length become. They go by way of objects: pyarrow itself cuts them off at a NUL."""


def column_of(name: str, array: Array) -> Any:
    """An array whose first dimension is the rows, as a column; further dimensions become nested lists of fixed size.

    Arrays that are contiguous and of the machine's byte order are not copied, but for booleans and texts. Masked
    elements are nulls.

    Raises:
        InvalidDataError: It has no rows, a dimension of length 0, a type that Arrow does not have, or a time that is
            too far away.
    """
    if array.ndim == 0:
        raise InvalidDataError(f"The column {name!r} is a single value: an array needs a dimension for the rows.")
    if 0 in array.shape[1:]:
        raise InvalidDataError(f"The column {name!r} has the shape {array.shape}: its rows hold no values.")
    mask = np.ma.getmaskarray(array).reshape(-1) if isinstance(array, np.ma.MaskedArray) else None
    flat = _contiguous(name, np.asarray(array)).reshape(-1)
    text = _TEXTS.get(flat.dtype.kind)
    if flat.dtype == object:
        check_values(name, flat.tolist() if mask is None else flat[~mask].tolist())
    try:
        column = pa.array(flat, mask=mask) if text is None else pa.array(flat.astype(object), text, mask=mask)
    except pa.ArrowNotImplementedError:
        raise InvalidDataError(f"The column {name!r} is of numpy's type {array.dtype}, which Arrow lacks.") from None
    for size in reversed(array.shape[1:]):
        column = pa.FixedSizeListArray.from_arrays(column, size)
    return column


def _contiguous(name: str, array: Array) -> Array:
    """An array in the machine's byte order, row by row, and in a unit of time that Arrow has."""
    if array.dtype.kind == "T":  # texts of any length
        return array.astype(object)
    kind = array.dtype.newbyteorder("=")
    if kind.kind in "mM":
        unit, _ = np.datetime_data(kind)
        units = _DATES if kind.kind == "M" else _DURATIONS
        kind = np.dtype(f"{kind.kind}8[{units.get(unit, unit)}]")  # without a count such as in [10ms]
        return _times(name, np.ascontiguousarray(array), kind)
    return np.ascontiguousarray(array.astype(kind, copy=False))


def _times(name: str, array: Array, kind: np.dtype[Any]) -> Array:
    """Times in another unit; numpy itself lets those that are too far away for it overflow."""
    times = array.astype(kind, copy=False)
    too_far = times.astype(array.dtype) != array
    if kind == _DAYS:  # of which Arrow has 32 bits
        too_far |= np.abs(times.view(np.int64) + 0.5) > _MOST_DAYS
    if (too_far & ~np.isnat(array)).any():
        raise InvalidDataError(f"The column {name!r} has times that are too far away for Arrow.")
    return times
