"""One schema for all that a run gives: that of its first answer."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from pyarrow import Schema, Table

pa: Any = import_module("pyarrow")


class OneSchema:
    """Gives every table the schema of the first one.

    Answers in Arrow have one schema anyway. In JSON a column whose values are all null has no type.

    Args:
        schema: The schema; None for that of the first table.
    """

    def __init__(self, schema: Schema | None = None) -> None:
        self.schema = schema

    def __call__(self, table: Table) -> Table:
        """Return the table with that schema.

        Raises:
            InvalidDataError: It has other columns, or values that have no place in it.
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
                f"An answer has another form than the first one: {error}", advice="Send the rows as Arrow."
            ) from error

    def _check(self, table: Table) -> None:
        """Let nothing but numbers and nulls change their type: a text that is cast to a number may lose its zeros."""
        kinds: Any = self.schema
        found: Any = table.schema
        for name in kinds.names:
            own, kind = found.field(name).type, kinds.field(name).type
            if not (own.equals(kind) or pa.types.is_null(own) or (_is_number(own) and _is_number(kind))):
                raise ValueError(f"{name!r} is of type {own} in place of {kind}")


def _is_number(kind: Any) -> bool:
    while pa.types.is_nested(kind) and kind.num_fields == 1:
        kind = kind.field(0).type
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)
