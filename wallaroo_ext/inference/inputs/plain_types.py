"""Converting columns to the types that every reader of Arrow files has known for years.

Engines of several ages read the rows, and their answers have plain types only. Also, an Arrow file cannot hold a
dictionary that changes between chunks.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from pyarrow import Table

pa: Any = import_module("pyarrow")

Column: TypeAlias = Any
"""A chunked array. Its stubs ask for the type of the elements, which is known at run time only."""

_PLAIN_TYPES: dict[Any, Any] = {
    pa.string_view(): pa.string(),
    pa.large_string(): pa.string(),
    pa.binary_view(): pa.binary(),
    pa.large_binary(): pa.binary(),
}
_BOOL8 = "arrow.bool8"
_ALLOWED_EXTENSIONS = {_BOOL8, "arrow.fixed_shape_tensor", "arrow.json"}
"""Extension types whose values are numbers or texts."""

_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_list_view, pa.types.is_large_list_view)


def with_plain_types(table: Table) -> Table:
    """Return a table with plain types in place of dictionaries, views, large lists and extension types.

    Where the values stay the same, only offsets are copied. Columns that are too long for 32-bit offsets stay as they
    are.

    Raises:
        InvalidDataError: A column has a type that means neither numbers nor texts.
    """
    for field in cast("Any", table.schema):
        if _is_opaque(field):
            raise InvalidDataError(
                f"The column {field.name!r} is of type {_type_name(field)}, whose values are no numbers and no texts.",
                advice="Convert it, or leave it out.",
            )
    if all(_is_plain(kind) for kind in table.schema.types):
        return table
    schema = pa.schema([field.with_type(_plain_type(field.type)) for field in cast("Any", table.schema)])
    columns = [_convert(column, field.type) for column, field in zip(table.columns, schema, strict=True)]
    fields = [field.with_type(column.type) for field, column in zip(schema, columns, strict=True)]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _is_opaque(field: Any) -> bool:
    """Return whether the stored bytes of a column are not its values, as in extension types and fixed-size binary.

    For example, pandas stores a period as a number, and polars exports a Python object as its address.
    """
    kind = field.type
    if isinstance(kind, pa.BaseExtensionType):
        return kind.extension_name not in _ALLOWED_EXTENSIONS or not _is_row_major(kind)
    if _unregistered_extension(field) not in {"", *_ALLOWED_EXTENSIONS} or pa.types.is_fixed_size_binary(kind):
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


def _plain_type(kind: Any) -> Any:
    """Return the plain type for a type."""
    if isinstance(kind, pa.BaseExtensionType):
        return pa.bool_() if kind.extension_name == _BOOL8 else _plain_type(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return _plain_type(kind.value_type)
    if any(check(kind) for check in _LISTS):
        return pa.list_(_plain_field(kind.value_field))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_plain_field(kind.value_field), kind.list_size)
    if pa.types.is_struct(kind):
        return pa.struct([_plain_field(field) for field in kind.fields])
    return _PLAIN_TYPES.get(kind, kind)


def _plain_field(field: Any) -> Any:
    return field.with_type(_plain_type(field.type))


def _convert(column: Column, kind: Any) -> Column:
    if column.type.equals(kind):
        return column
    if not _is_list_view(column.type):  # pyarrow casts a list view to a list with wrong offsets
        try:
            return column.cast(kind)
        except pa.ArrowNotImplementedError:
            pass
        except pa.ArrowInvalid:  # too long for 32 bits
            return column
    return pa.chunked_array([pa.array(column.to_pylist(), kind)])


def _is_list_view(kind: Any) -> bool:
    return pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind)
