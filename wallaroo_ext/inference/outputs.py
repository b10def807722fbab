"""The outputs of a model as numpy arrays."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    import numpy as np
    from pyarrow import Table

    Array = np.ndarray[Any, np.dtype[Any]]

Column: TypeAlias = Any
"""A pyarrow array. Its stubs ask for the type of the elements, which is known at run time only."""

_PREFIX = "out."


def outputs(table: Table) -> dict[str, Array]:
    """Return the outputs of the model as arrays, by their names.

    Each array has the shape of the model's output, with the rows as its first dimension. An array of numbers uses the
    memory of the answer if that came as Arrow in one piece, and is read-only then. Texts are an array of objects. A
    null, which JSON has in place of NaN, becomes NaN. Without rows, the lengths of lists are unknown, and 0.

    Args:
        table: The result of `infer`.

    Raises:
        InvalidDataError: The rows of an output have different shapes, or it has nulls and a type without NaN; the
            message names the output. Its values are still in its column, `table.column("out.<name>")`.
    """
    names = [name for name in table.column_names if name.startswith(_PREFIX)]
    return {name.removeprefix(_PREFIX): _array(name, table.column(name)) for name in names}


def _array(name: str, column: Column) -> Array:
    values = _single_array(column)
    shape = [len(values)]
    while _is_list(values.type):
        shape.append(_common_length(name, values))
        values = values.flatten()
    return _values(name, values).reshape(shape)


def _single_array(column: Column) -> Column:
    if column.num_chunks == 1:
        return column.chunk(0)
    pa: Any = import_module("pyarrow")
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _is_list(kind: Any) -> bool:
    types: Any = import_module("pyarrow").types
    return types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)


def _common_length(name: str, lists: Column) -> int:
    """Return the common length of lists.

    Raises:
        InvalidDataError: A list is null, or the lengths differ.
    """
    import numpy as np

    if lists.null_count:
        raise InvalidDataError(f"The column {name!r} has rows without a value, and an array needs one for each row.")
    if hasattr(lists.type, "list_size"):
        return lists.type.list_size
    lengths: Array = np.diff(lists.offsets.to_numpy())
    if lengths.size == 0:
        return 0
    different = np.flatnonzero(lengths != lengths[0])
    if different.size:
        raise InvalidDataError(
            f"The column {name!r} has lists of different lengths, such as {lengths[0]} and {lengths[different[0]]}, "
            f"and an array has one shape."
        )
    return int(lengths[0])


def _values(name: str, values: Column) -> Array:
    pa: Any = import_module("pyarrow")
    kind, types = values.type, pa.types
    if types.is_nested(kind):
        raise InvalidDataError(f"The column {name!r} has values of type {kind}, for which numpy has no array.")
    if types.is_null(kind):
        values = values.cast(pa.float64())
    elif values.null_count and not (types.is_floating(kind) or types.is_string(kind)):
        raise InvalidDataError(f"The column {name!r} has nulls, and an array of {kind} cannot have any.")
    return values.to_numpy(zero_copy_only=False)
