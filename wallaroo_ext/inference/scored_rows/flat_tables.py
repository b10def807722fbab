"""Giving scored rows one form: flat columns, whichever way an instance nests them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.inference.column_names import SEPARATOR, is_part, with_dot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyarrow import Table

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")

_TIME, _MILLISECONDS = "time", pa.timestamp("ms")
_FAILURES, _COUNT = "check_failures", "anomaly.count"


def flat_table(table: Table, separator: str = SEPARATOR) -> Table:
    """Return scored rows with a column for each field, over the memory of those that are given.

    Columns that are known become the same in all releases: `time` a time where it came as a number, and
    `anomaly.count` beside the `check_failures` of older releases, whose number it is.

    Args:
        table: The rows; their parts are structs, or flat columns.
        separator: The text that joins names of flat columns.

    Raises:
        ValueError: A time is out of range.
    """
    fields: Any = table.schema
    if separator != SEPARATOR or any(_is_nested(field) for field in fields):
        table = _flatten(table, separator)
    return with_anomaly_count(_with_times(table))


def _is_nested(field: Any) -> bool:
    return pa.types.is_struct(field.type) and is_part(field.name)


def _flatten(table: Any, separator: str) -> Table:
    columns: list[tuple[Any, Any]] = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if _is_nested(field):
            columns.extend(_fields_of(field, column))
        else:
            columns.append((field.with_name(with_dot(field.name, separator)), column))
    return pa.Table.from_arrays(
        [column for _, column in columns], schema=pa.schema([field for field, _ in columns], table.schema.metadata)
    )


def _fields_of(part: Any, column: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the fields of a part as columns, each with its metadata, which has the shape of a tensor."""
    for number, values in enumerate(column.flatten()):
        field = part.type.field(number)
        name = f"{part.name}{SEPARATOR}{field.name}"
        yield field.with_name(name).with_nullable(part.nullable or field.nullable), values


def _with_times(table: Any) -> Table:
    """Return the rows with `time` in milliseconds since 1970; a type that means no time stays."""
    position = table.schema.get_field_index(_TIME)
    kind = None if position < 0 else table.schema.field(position).type
    if kind is None or kind == _MILLISECONDS or not (pa.types.is_integer(kind) or pa.types.is_timestamp(kind)):
        return table
    column = table.column(position)
    whole = column.cast(pa.int64()) if pa.types.is_integer(kind) else column
    return table.set_column(position, _TIME, whole.cast(_MILLISECONDS, safe=False))


def with_anomaly_count(table: Any) -> Table:
    """Return flat rows with the number of failed validations, as newer releases give it.

    Args:
        table: The rows.
    """
    position = table.schema.get_field_index(_FAILURES)
    if position < 0 or table.schema.get_field_index(_COUNT) >= 0:
        return table
    failures = table.column(position)
    if not (pa.types.is_list(failures.type) or pa.types.is_large_list(failures.type)):
        return table
    return table.add_column(position + 1, _COUNT, pc.list_value_length(failures).cast(pa.uint32()))
