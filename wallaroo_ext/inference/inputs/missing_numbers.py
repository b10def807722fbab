"""Finding numbers that are missing, null or NaN, in columns, lists and records, and putting NaN in their place."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from wallaroo_ext._util.arrow.list_types import is_list
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.row_errors import MissingNumberError

if TYPE_CHECKING:
    from pyarrow import Table

    from wallaroo_ext.inference.missing_option import Missing

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")

Column: TypeAlias = Any
"""A chunked array or an array. Its stubs ask for the type of the elements, which is known at run time only."""


def without_missing(table: Table, missing: Missing) -> Table:
    """Return a table in which no number is missing.

    Args:
        table: The rows.
        missing: `reject` to raise an error, `nan` to put NaN in the place of nulls; whole numbers beside them become
            64-bit floats.

    Raises:
        MissingNumberError: A number is missing, and `missing` is `reject`; the message has the column and the row.
        InvalidDataError: A whole number beside a NaN is not one that a 64-bit float can be.
    """
    schema: Any = table.schema
    for position, (name, column) in enumerate(zip(table.column_names, cast("list[Any]", table.columns), strict=True)):
        if missing == "reject":
            _refuse(name, column)
        elif any(map(_has_nulls, column.chunks)):
            filled = _filled(name, column)
            table = table.set_column(position, schema.field(position).with_type(filled.type), filled)
    return table


def rows_with_missing(table: Table) -> dict[int, str]:
    """Return the rows of a table in which a number is missing, in order, each with the first such column."""
    import numpy as np

    found: dict[int, str] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        first = 0
        for chunk in column.chunks:
            if _is_missing_somewhere(chunk):
                for row in np.flatnonzero(np.asarray(_rows_with_missing(chunk))).tolist():
                    found.setdefault(first + row, name)
            first += len(chunk)
    return dict(sorted(found.items()))


def _refuse(name: str, column: Column) -> None:
    """Raise MissingNumberError for the first row of a column in which a number is missing."""
    first = 0
    for chunk in column.chunks:
        if _is_missing_somewhere(chunk):
            row = first + pc.index(_rows_with_missing(chunk), pa.scalar(value=True)).as_py()
            raise MissingNumberError(name, row)
        first += len(chunk)


def is_number(kind: Any) -> bool:
    """Return whether the values of a type are numbers; those of a column with nothing but nulls are missing ones."""
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_null(kind))


def is_list_of_numbers(kind: Any) -> bool:
    """Return whether the values of a type are lists of numbers, which may be in lists."""
    return is_list(kind) and _is_of_numbers(kind)


def _is_of_numbers(kind: Any) -> bool:
    """Return whether a type is of numbers, or of lists of them."""
    while is_list(kind):
        kind = kind.value_type
    return is_number(kind)


def _is_missing_somewhere(array: Column) -> bool:
    """Return whether a number is missing in an array, or in the lists or records in it."""
    kind = array.type
    if pa.types.is_struct(kind):
        return any(map(_is_missing_somewhere, array.flatten()))
    if is_list(kind):
        return (array.null_count > 0 and _is_of_numbers(kind)) or _is_missing_somewhere(array.flatten())
    if not is_number(kind):
        return False
    return array.null_count > 0 or (pa.types.is_floating(kind) and _has_nan(array))


def _has_nan(array: Column) -> bool:
    """Return whether an array of floats without nulls has a NaN: its least element is one then."""
    import numpy as np

    values = array.to_numpy()
    with np.errstate(invalid="ignore"):
        return len(values) > 0 and bool(np.isnan(np.min(values)))


def _rows_with_missing(array: Column) -> Column:
    """Return for each element of an array whether a number is missing in it."""
    import numpy as np

    kind = array.type
    if is_number(kind):
        return pc.is_null(array, nan_is_null=True)
    found = np.zeros(len(array), bool)
    if pa.types.is_struct(kind):
        for field in array.flatten():
            found |= np.asarray(_rows_with_missing(field))
    elif is_list(kind):
        if _is_of_numbers(kind):
            found |= np.asarray(pc.is_null(array))
        inner = np.asarray(_rows_with_missing(array.flatten()), bool)
        found[_rows_of_elements(array)[inner]] = True
    return pa.array(found)


def _rows_of_elements(lists: Column) -> Column:
    """Return the row of each element of lists; a list that is null has none, even if there is a value in its memory."""
    import numpy as np

    return np.repeat(np.arange(len(lists)), np.asarray(pc.fill_null(pc.list_value_length(lists), 0)))


def _has_nulls(array: Column) -> bool:
    """Return whether a number is null in an array, or in the lists or records in it."""
    kind = array.type
    if pa.types.is_struct(kind):
        return any(map(_has_nulls, array.flatten()))
    if is_list(kind):
        return _has_nulls(array.flatten())
    return is_number(kind) and array.null_count > 0


def _filled(name: str, column: Column) -> Column:
    """Return a column with NaN in place of null numbers, in lists and records, too."""
    kind = _with_nan(column.type)
    try:
        if pa.types.is_nested(kind):
            values = ([_value_with_nan(value, kind) for value in chunk.to_pylist()] for chunk in column.chunks)
            return pa.chunked_array([pa.array(some, kind) for some in values], kind)
        return pc.fill_null(column.cast(kind), pa.scalar(float("nan"), kind))
    except pa.ArrowInvalid as error:
        raise InvalidDataError(
            f"The column {name!r} has nulls beside a whole number that no 64-bit float is, so that NaN cannot stand in "
            "their place: leave out these rows."
        ) from error


def _with_nan(kind: Any) -> Any:
    """Return a type that has NaN in place of one of numbers; any other type as it is."""
    types = pa.types
    if types.is_fixed_size_list(kind):
        return pa.list_(_with_nan(kind.value_type), kind.list_size)
    if is_list(kind):
        return pa.list_(_with_nan(kind.value_type))
    if types.is_struct(kind):
        return pa.struct([field.with_type(_with_nan(field.type)) for field in kind.fields])
    return pa.float64() if is_number(kind) and not types.is_floating(kind) else kind


def _value_with_nan(value: Any, kind: Any) -> Any:
    """Return a Python value of a type with NaN in place of None among the numbers; a list that is None stays so."""
    if value is None:
        return float("nan") if is_number(kind) else None
    if is_list(kind):
        return [_value_with_nan(each, kind.value_type) for each in value]
    if pa.types.is_struct(kind):
        return {field.name: _value_with_nan(value[field.name], field.type) for field in kind.fields}
    return value
