"""Columns of the types that every reader of Arrow files has known for years.

Engines of several ages read what is sent, and their answers have the plain types only. A file cannot hold a dictionary
that changes between chunks, either.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from pyarrow import Table

pa: Any = import_module("pyarrow")

Column: TypeAlias = Any
"""A chunked array. Its stubs want the type of the elements, which only the data tell."""

_SIMPLE: dict[Any, Any] = {
    pa.string_view(): pa.string(),
    pa.large_string(): pa.string(),
    pa.binary_view(): pa.binary(),
    pa.large_binary(): pa.binary(),
}
_BOOLEANS = "arrow.bool8"
_KNOWN = {_BOOLEANS, "arrow.fixed_shape_tensor", "arrow.json"}
"""Extension types whose values are numbers or texts."""

_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_list_view, pa.types.is_large_list_view)


def with_plain_types(table: Table) -> Table:
    """Return a table whose dictionaries, views, large lists and extension types became what they stand for.

    Nothing but offsets is copied, where the values stay the same. Columns that are too long for small offsets stay as
    they are.

    Raises:
        InvalidDataError: A column has values of a type whose meaning is neither that of numbers nor of texts.
    """
    for field in cast("Any", table.schema):
        if _is_meaningless(field):
            raise InvalidDataError(
                f"The column {field.name!r} is of type {_named(field)}, whose values are no numbers and no texts.",
                advice="Convert it, or leave it out.",
            )
    if all(_is_plain(kind) for kind in table.schema.types):
        return table
    schema = pa.schema([field.with_type(_plain(field.type)) for field in cast("Any", table.schema)])
    columns = [_converted(column, field.type) for column, field in zip(table.columns, schema, strict=True)]
    fields = [field.with_type(column.type) for field, column in zip(schema, columns, strict=True)]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _is_meaningless(field: Any) -> bool:
    """Whether the bytes of a column are not its values: those of an extension type, or of a fixed number for anything.

    A period of pandas is kept as its number, a UUID as 16 bytes, and an object of polars as its address.
    """
    kind = field.type
    if isinstance(kind, pa.BaseExtensionType):
        return kind.extension_name not in _KNOWN or not _is_in_order(kind)
    if _extension(field) not in {"", *_KNOWN} or pa.types.is_fixed_size_binary(kind):
        return True
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return _is_meaningless(pa.field("", kind.value_type))
    return pa.types.is_nested(kind) and any(_is_meaningless(kind.field(place)) for place in range(kind.num_fields))


def _is_in_order(kind: Any) -> bool:
    """Return whether a tensor's elements are in the order of its dimensions."""
    permutation = getattr(kind, "permutation", None)
    return permutation is None or list(permutation) == sorted(permutation)


def _extension(field: Any) -> str:
    """Return the name of an extension type that nothing here knows; empty where a column is of none."""
    metadata: dict[bytes, bytes] = field.metadata or {}
    return metadata.get(b"ARROW:extension:name", b"").decode(errors="replace")


def _named(field: Any) -> str:
    return str(field.type) if not _extension(field) else f"{_extension(field)} ({field.type})"


def _is_plain(kind: Any) -> bool:
    """Return whether a type is one of the usual ones, which are told at once."""
    while pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        kind = kind.value_type
    return pa.types.is_primitive(kind) or pa.types.is_string(kind)


def _plain(kind: Any) -> Any:
    """Return the type that stands for a type."""
    if isinstance(kind, pa.BaseExtensionType):
        return pa.bool_() if kind.extension_name == _BOOLEANS else _plain(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return _plain(kind.value_type)
    if any(check(kind) for check in _LISTS):
        return pa.list_(_plain_field(kind.value_field))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_plain_field(kind.value_field), kind.list_size)
    if pa.types.is_struct(kind):
        return pa.struct([_plain_field(field) for field in kind.fields])
    return _SIMPLE.get(kind, kind)


def _plain_field(field: Any) -> Any:
    return field.with_type(_plain(field.type))


def _converted(column: Column, kind: Any) -> Column:
    if column.type.equals(kind):
        return column
    if not _has_view(column.type):  # pyarrow casts a list view to a list with wrong offsets
        try:
            return column.cast(kind)
        except pa.ArrowNotImplementedError:
            pass
        except pa.ArrowInvalid:  # too long for 32 bits
            return column
    return pa.chunked_array([pa.array(column.to_pylist(), kind)])


def _has_view(kind: Any) -> bool:
    return pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind)
