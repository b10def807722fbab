"""Giving all answers of a run the schema of the first one."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from pyarrow import Schema, Table

pa: Any = import_module("pyarrow")


class OutputSchema:
    """Casts every table to the schema of the first one.

    Answers in Arrow have the same schema anyway. In JSON, a column has no type if all its values are null.

    Args:
        schema: The schema; None for that of the first table.
    """

    def __init__(self, schema: Schema | None = None) -> None:
        self.schema = schema

    def __call__(self, table: Table) -> Table:
        """Return the table with that schema.

        Raises:
            InvalidDataError: The table has other columns, or values that do not fit into the schema.
        """
        if self.schema is None:
            self.schema = table.schema
        if table.schema.equals(self.schema):
            return table
        try:
            self._check(table)
            return table.select(self.schema.names).cast(self.schema)
        except (pa.ArrowException, KeyError, ValueError) as error:
            raise InvalidDataError(
                f"An answer has another schema than the first one: {error}", advice="Send the rows as Arrow."
            ) from error

    def _check(self, table: Table) -> None:
        """Raise ValueError if a column would be dropped, or one of other than numbers or nulls change its type.

        A text, for example, may lose its zeros.
        """
        kinds: Any = self.schema
        found: Any = table.schema
        further = [name for name in found.names if name not in kinds.names]
        if further:
            raise ValueError(f"it has the column {further[0]!r}, too")
        for name in kinds.names:
            actual, kind = found.field(name).type, kinds.field(name).type
            if not (actual.equals(kind) or pa.types.is_null(actual) or (_is_number(actual) and _is_number(kind))):
                raise ValueError(f"{name!r} is of type {actual} in place of {kind}")


def _is_number(kind: Any) -> bool:
    while pa.types.is_nested(kind) and kind.num_fields == 1:
        kind = kind.field(0).type
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)
