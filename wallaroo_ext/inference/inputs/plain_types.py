"""Converting columns to the types that every reader of Arrow files has known for years, and that models take.

Engines of several ages read the rows, and their answers have plain types only. Also, an Arrow file cannot hold a
dictionary that changes between chunks.
"""

from __future__ import annotations

import decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.refused_columns import check_readable

if TYPE_CHECKING:
    from pyarrow import Table

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")

Column: TypeAlias = Any
"""A chunked array. Its stubs ask for the type of the elements, which is known at run time only."""

_PLAIN_TYPES: dict[Any, Any] = {
    pa.string_view(): pa.string(),
    pa.large_string(): pa.string(),
    pa.binary_view(): pa.binary(),
    pa.large_binary(): pa.binary(),
}
_BOOL8 = "arrow.bool8"
_TENSOR = "arrow.fixed_shape_tensor"
_ALLOWED_EXTENSIONS = {_BOOL8, _TENSOR, "arrow.json"}
"""Extension types whose values are numbers or texts."""

_LIMIT = 1 << 63

_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_list_view, pa.types.is_large_list_view)


def with_plain_types(table: Table) -> Table:
    """Return a table with plain types in place of dictionaries, views, large lists, decimals and extension types.

    Where the values stay the same, only offsets are copied. Columns that are too long for 32-bit offsets stay as they
    are. A decimal becomes the nearest 64-bit float, or, where its type has no places behind the point, an integer of 64
    bits.

    Raises:
        InvalidDataError: A column cannot be read, has a type that means neither numbers nor texts, or a decimal is too
            large.
    """
    check_readable(cast("Any", table.schema))
    for field, column in zip(cast("Any", table.schema), table.columns, strict=True):
        if _is_opaque(field):
            raise InvalidDataError(
                f"The column {field.name!r} is of type {_type_name(field)}, whose values are no numbers and no texts, "
                f"the first one in row {_first_valid(column)}: convert it, or leave it out."
            )
    if all(_is_plain(kind) for kind in table.schema.types):
        return table
    named = list(zip(table.column_names, table.columns, strict=True))
    columns = [_convert(name, column, plain_type(column.type)) for name, column in named]
    fields = [
        pa.field(field.name, column.type, field.nullable)  # without metadata, which is about the former type
        for field, column in zip(cast("Any", table.schema), columns, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _first_valid(column: Column) -> int:
    """Return the row of the first value that is not null; 0 if all are."""
    return max(0, pc.index(pc.is_valid(column), pa.scalar(value=True)).as_py())


def _is_opaque(field: Any) -> bool:
    """Return whether the stored bytes of a column are not its values, as in extension types and fixed-size binary.

    For example, pandas stores a period as a number, polars exports a Python object as its address, and an interval of
    months, days and nanoseconds is no length of time.
    """
    kind = field.type
    if isinstance(kind, pa.BaseExtensionType):
        return kind.extension_name not in _ALLOWED_EXTENSIONS or not _is_row_major(kind)
    if _unregistered_extension(field) not in {"", *_ALLOWED_EXTENSIONS}:
        return True
    if pa.types.is_fixed_size_binary(kind) or pa.types.is_interval(kind) or pa.types.is_union(kind):
        return True
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return _is_opaque(pa.field("", kind.value_type))
    return pa.types.is_nested(kind) and any(_is_opaque(kind.field(number)) for number in range(kind.num_fields))


def _is_row_major(kind: Any) -> bool:
    """Return whether the elements of a tensor are stored in the order of its dimensions."""
    permutation = getattr(kind, "permutation", None)
    return permutation is None or list(permutation) == sorted(permutation)


def _unregistered_extension(field: Any) -> str:
    """Return the name of an extension type that is not registered; an empty text if the column has none."""
    metadata: dict[bytes, bytes] = field.metadata or {}
    return metadata.get(b"ARROW:extension:name", b"").decode(errors="replace")


def _type_name(field: Any) -> str:
    return str(field.type) if not _unregistered_extension(field) else f"{_unregistered_extension(field)} ({field.type})"


def _is_plain(kind: Any) -> bool:
    """Return whether a type is surely plain; a quick check for the usual types."""
    while pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        kind = kind.value_type
    return pa.types.is_primitive(kind) or pa.types.is_string(kind)


def plain_type(kind: Any) -> Any:
    """Return the plain type for a type."""
    if isinstance(kind, pa.BaseExtensionType):
        return pa.bool_() if kind.extension_name == _BOOL8 else plain_type(_storage_type(kind))
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return plain_type(kind.value_type)
    if pa.types.is_nested(kind):
        return _plain_nested_type(kind)
    if pa.types.is_decimal(kind):
        return pa.float64() if kind.scale > 0 else pa.int64()
    return _PLAIN_TYPES.get(kind, kind)


def _plain_nested_type(kind: Any) -> Any:
    """Return the plain type for a type of lists or records."""
    if any(check(kind) for check in _LISTS):
        return pa.list_(_plain_field(kind.value_field))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_plain_field(kind.value_field), kind.list_size)
    if pa.types.is_struct(kind):
        return pa.struct([_plain_field(field) for field in kind.fields])
    return kind


def _plain_field(field: Any) -> Any:
    return field.with_type(plain_type(field.type))


def _storage_type(kind: Any) -> Any:
    """Return the type in which an extension type is stored; for a tensor, lists of its dimensions."""
    if kind.extension_name != _TENSOR:
        return kind.storage_type
    nested = kind.value_type
    for size in reversed(kind.shape):
        nested = pa.list_(nested, size)
    return nested


def _convert(name: str, column: Column, kind: Any) -> Column:
    if column.type.equals(kind):
        return column
    if isinstance(column.type, pa.BaseExtensionType) and column.type.extension_name == _TENSOR:
        return pa.chunked_array([_nested(chunk) for chunk in column.chunks], _storage_type(column.type))
    if _has_decimals(column.type):
        return _with_numbers(name, column, kind)
    if not _is_list_view(column.type):  # pyarrow casts a list view to a list with wrong offsets
        try:
            return column.cast(kind)
        except pa.ArrowNotImplementedError:
            pass
        except pa.ArrowInvalid:  # too long for 32 bits
            return column
    return pa.chunked_array([pa.array(column.to_pylist(), kind)])


def _nested(tensors: Any) -> Any:
    """Return an array of tensors of one shape as lists of their dimensions."""
    stored = tensors.storage
    size = stored.type.list_size
    nested = stored.values.slice(stored.offset * size, len(stored) * size)
    for size in reversed(tensors.type.shape[1:]):
        nested = pa.FixedSizeListArray.from_arrays(nested, size)
    mask = stored.is_null() if stored.null_count else None
    return pa.FixedSizeListArray.from_arrays(nested, tensors.type.shape[0], mask=mask)


def _has_decimals(kind: Any) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return _has_decimals(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return _has_decimals(kind.value_type)
    if pa.types.is_nested(kind):
        return any(_has_decimals(kind.field(number).type) for number in range(kind.num_fields))
    return pa.types.is_decimal(kind)


def _with_numbers(name: str, column: Column, kind: Any) -> Column:
    """Return a column of decimals, or of lists or records with some, as numbers of a type.

    Raises:
        InvalidDataError: A whole number is not one of 64 bits.
    """
    if pa.types.is_decimal(column.type) and pa.types.is_floating(kind):
        return column.cast(pa.string()).cast(kind)  # pyarrow's own cast is not to the nearest one
    if pa.types.is_dictionary(column.type) or pa.types.is_run_end_encoded(column.type):
        return _with_numbers(name, pa.chunked_array([pa.array(column.to_pylist(), column.type.value_type)]), kind)
    if not pa.types.is_decimal(column.type):
        return _from_python(name, column, kind)
    for whole in (pa.int64(), pa.uint64()):
        try:
            return column.cast(whole)
        except pa.ArrowInvalid:
            continue
    row = next(
        row for row, value in enumerate(column.to_pylist()) if value is not None and not -_LIMIT <= value < _LIMIT
    )
    raise InvalidDataError(
        f"The column {name!r} of type {column.type} has a whole number in row {row} that none of 64 bits is beside the "
        "others: convert the column to float64."
    )


def _from_python(name: str, column: Column, kind: Any) -> Column:
    """Return nested decimals as numbers, by way of Python's values, which are the nearest ones."""
    numbers = [_number(value) for value in column.to_pylist()]
    try:
        return pa.chunked_array([pa.array(numbers, kind)])
    except (pa.ArrowInvalid, OverflowError) as error:
        row = next(row for row, value in enumerate(numbers) if not _fits(value, kind))
        raise InvalidDataError(
            f"The column {name!r} of type {column.type} has a whole number in row {row} that none of 64 bits is: "
            "convert the column to float64."
        ) from error


def _fits(value: Any, kind: Any) -> bool:
    """Return whether Arrow has a value of a type."""
    try:
        pa.array([value], kind)
    except (pa.ArrowInvalid, OverflowError):
        return False
    return True


def _number(value: Any) -> Any:
    """Return a Python value with numbers in place of the decimals in it."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value.as_tuple().exponent == 0 else float(value)
    if isinstance(value, list):
        return [_number(each) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: _number(each) for name, each in cast("dict[Any, Any]", value).items()}
    return value


def _is_list_view(kind: Any) -> bool:
    return pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind)
