"""Columns whose cells are arrays: a tensor of any rank in each row."""

from __future__ import annotations

import math
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

pa: Any = import_module("pyarrow")

Array = np.ndarray[Any, np.dtype[Any]]

_NUMERIC = "fiub"
"""The kinds of numpy's types whose elements are joined without a look at each."""


def with_arrays(values: Sequence[Any]) -> Sequence[Any]:
    """Return cells with numpy's arrays in place of those of other libraries, such as tensors of torch."""
    others = {kind for kind in set(map(type, values)) if _is_array_of_another_library(kind)}
    if not others:
        return values
    return [to_numpy(value) if type(value) in others else value for value in values]


def to_numpy(array: Any) -> Array:
    """Return an array of another library as one of numpy.

    Raises:
        InvalidDataError: The library refuses it, as torch does for a tensor on a GPU or one with a gradient.
    """
    try:
        return np.asanyarray(array)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidDataError(f"A {type(array).__name__} cannot be read as an array of numpy: {error}") from error


def _is_array_of_another_library(kind: Any) -> bool:
    if issubclass(kind, np.ndarray | np.generic):
        return False
    return hasattr(kind, "__array__") or hasattr(kind, "__array_interface__")


def has_arrays(values: Sequence[Any]) -> bool:
    """Return whether a cell is an array with dimensions."""
    return any(issubclass(kind, np.ndarray) for kind in set(map(type, values)))


def array_column(name: str, values: Sequence[Any], flat_column: Callable[[str, Array], Any]) -> Any:
    """Return cells that are arrays as nested lists, from the outer dimension in; None if other cells are among them.

    The lists have variable size, because the arrays may have different shapes. They have one rank and one type. The
    order in memory does not matter: Fortran's, views and negative strides give the same lists.

    Args:
        name: The name of the column, for messages.
        values: The cells; None is null.
        flat_column: Makes a column of numbers from an array of one dimension.

    Raises:
        InvalidDataError: The arrays have several ranks; the message names the first row with another one.
    """
    cells = [cell for cell in values if cell is not None]
    if not all(isinstance(cell, np.ndarray) and cell.ndim for cell in cells):
        return None
    kinds = {cell.dtype.newbyteorder("=") for cell in cells}
    _check_ranks(name, values)
    if len(kinds) > 1 or any(isinstance(cell, np.ma.MaskedArray) for cell in cells):
        return None
    kind: Any = kinds.pop()
    if kind.kind not in _NUMERIC:
        return None
    column = flat_column(name, np.concatenate([np.asarray(cell, kind).reshape(-1) for cell in cells]))
    shapes = [cell.shape for cell in cells]
    for axis in range(len(shapes[0]) - 1, 0, -1):
        sizes = np.repeat([shape[axis] for shape in shapes], [math.prod(shape[:axis]) for shape in shapes])
        column = _lists(column, sizes)
    lengths = np.array([0 if cell is None else cell.shape[0] for cell in values], np.int64)
    missing = np.array([cell is None for cell in values])
    return _lists(column, lengths, pa.array(missing) if missing.any() else None)


def _check_ranks(name: str, values: Sequence[Any]) -> None:
    rank = None
    for row, cell in enumerate(values):
        if cell is None:
            continue
        if rank is None:
            rank = cell.ndim
        elif cell.ndim != rank:
            raise InvalidDataError(
                f"The column {name!r} cannot be read: row {row} is an array of {cell.ndim} dimensions, after arrays of "
                f"{rank}."
            )


def _lists(column: Any, sizes: Any, mask: Any = None) -> Any:
    """Return a column cut into lists of these sizes."""
    offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    if offsets[-1] < 1 << 31:
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), column, mask=mask)
    return pa.LargeListArray.from_arrays(pa.array(offsets), column, mask=mask)


def as_lists(value: Any) -> Any:
    """Return a cell with lists in place of the arrays within it, at any depth."""
    if isinstance(value, list | tuple):
        return [as_lists(part) for part in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: as_lists(part) for name, part in cast("dict[Any, Any]", value).items()}
    if isinstance(value, np.ma.MaskedArray):
        return cast("Any", value)
    if isinstance(value, np.ndarray) or _is_array_of_another_library(type(value)):
        return _elements(to_numpy(value))
    return value.as_py() if isinstance(value, pa.Scalar) else value


def _elements(array: Array) -> Any:
    """Return the elements of an array in lists.

    Times stay scalars of numpy, because `tolist` would make numbers of nanoseconds.
    """
    if array.dtype.kind in "mM":
        return [_elements(part) if array.ndim > 1 else part for part in array] if array.ndim else array[()]
    return as_lists(array.tolist()) if array.dtype == object else array.tolist()
