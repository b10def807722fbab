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
        """The table with that schema.

        Raises:
            InvalidDataError: It has other columns, or values that have no place in it.
        """
        if self.schema is None:
            self.schema = table.schema
        if table.schema.equals(self.schema):
            return table
        try:
            return table.select(self.schema.names).cast(self.schema)
        except (pa.ArrowException, KeyError, ValueError) as error:
            raise InvalidDataError(
                f"An answer has another form than the first one: {error}", advice="Send the rows as Arrow."
            ) from error
