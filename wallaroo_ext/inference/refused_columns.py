"""Columns that cannot be read, which are refused only where they are wanted.

Such a column is one of nulls in its table. The metadata of its field has the reason, so that it goes wherever the
column goes: to those who select other columns, it does not matter.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pyarrow import Table

pa: Any = import_module("pyarrow")

_REASON = b"wallaroo_ext.refused"


class Unreadable:
    """Stands for the values of a column that cannot be read.

    Args:
        error: Why they cannot.

    Attributes:
        error: The same.
    """

    def __init__(self, error: InvalidDataError) -> None:
        self.error = error


def table_of_columns(columns: Mapping[str, Callable[[], Any]]) -> Table:
    """Return a table of columns, each made by a function.

    Args:
        columns: The names, and the functions, which raise InvalidDataError where a column cannot be read.

    Raises:
        InvalidDataError: No column can be read.
    """
    made: dict[str, Any] = {}
    refused: dict[str, InvalidDataError] = {}
    for name, make in columns.items():
        try:
            made[name] = make()
        except InvalidDataError as error:
            refused[name] = error
    if refused and not made:
        raise next(iter(refused.values()))
    return with_refused(pa.table(made), {name: str(error) for name, error in refused.items()}, list(columns))


def with_refused(table: Table, reasons: Mapping[str, str], names: list[str]) -> Table:
    """Return a table with columns that cannot be read.

    Args:
        table: The columns that can be read.
        reasons: The names of the others, and why they cannot.
        names: All columns, in their order.
    """
    if not reasons:
        return table
    schema: Any = table.schema
    nulls = pa.nulls(table.num_rows)
    fields = [refused_field(name, reasons[name]) if name in reasons else schema.field(name) for name in names]
    columns: list[Any] = [nulls if name in reasons else table.column(name) for name in names]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, schema.metadata))


def refused_field(name: str, reason: str) -> Any:
    """Return the field of a column that cannot be read."""
    return pa.field(name, pa.null(), metadata={_REASON: reason.encode(errors="backslashreplace")})


def reason_of(field: Any) -> str | None:
    """Return why a column cannot be read; None if it can."""
    metadata: Mapping[bytes, bytes] = field.metadata or {}
    return metadata[_REASON].decode() if _REASON in metadata else None


def in_file(table: Table, place: str) -> Table:
    """Return a table whose columns that cannot be read say in which file they are.

    Args:
        table: The table.
        place: The beginning of the reasons.
    """
    schema: Any = table.schema
    found = {field.name: reason_of(field) for field in schema}
    reasons = {name: f"{place}{reason}" for name, reason in found.items() if reason is not None}
    return with_refused(table, reasons, table.column_names)


def check_readable(fields: Iterable[Any]) -> None:
    """Raise InvalidDataError for the first column that cannot be read, of a schema or of some fields."""
    reason = next(filter(None, map(reason_of, fields)), None)
    if reason is not None:
        raise InvalidDataError(reason)
