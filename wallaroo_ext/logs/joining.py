"""Joining parts of a log as one table."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyarrow import Table

pa: Any = import_module("pyarrow")

OF_ONE_TIME = "Get the rows of one time, by `start` and `end`"
"""What to do about a column that changed its type; the end of the sentence follows."""


def joined(tables: Sequence[Table], advice: str) -> Table:
    """Return parts of a log as one table, with nulls in the columns that a part does not have.

    Args:
        tables: The parts, one or more.
        advice: What to do where a column changed its type.

    Raises:
        InvalidDataError: A column changed its type, and no type holds the values of both.
    """
    kinds: dict[str, Any] = {}
    for table in tables:
        schema: Any = table.schema
        for field in schema:
            kinds[field.name] = _common(field, kinds.get(field.name, field.type), advice)
    return pa.concat_tables(tables, promote_options="permissive")


def _common(field: Any, known: Any, advice: str) -> Any:
    """Return the type that holds the values of a column, and those before it."""
    before = pa.schema([field.with_type(known)])
    try:
        return pa.unify_schemas([before, pa.schema([field])], promote_options="permissive").field(0).type
    except pa.ArrowException:
        raise InvalidDataError(
            f"The column {field.name!r} of the log changed its type: it is {known}, and then {field.type}.",
            advice=advice,
        ) from None
