"""The columns of a file as the columns of rows: inputs within scored rows, and Spark's vectors as lists."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.inference.column_names import SEPARATOR
from wallaroo_ext.inference.files.forms.log_exports import input_name, is_log
from wallaroo_ext.inference.pandas_index import index_columns, index_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyarrow import RecordBatch, Schema, Table

pa: Any = import_module("pyarrow")
np: Any = import_module("numpy")

_INPUTS = "in"
_VECTOR_FIELDS = {"type", "size", "indices", "values"}
_DENSE = 1
_VECTOR = pa.list_(pa.float64())


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of rows, and where the file has it.

    Attributes:
        field: Its name and type.
        source: The column of the file.
        part: The field of the column's records that has the values; None for the column itself.
    """

    field: Any
    source: str
    part: str | None = None


class FileColumns:
    """The columns of rows in a file.

    Args:
        schema: The columns of the file.

    Attributes:
        schema: The columns of rows. Those of scored rows that are no inputs are marked as an index.
    """

    def __init__(self, schema: Schema) -> None:
        columns, index = _inputs(schema)
        if len({column.field.name for column in columns}) < len(columns):  # readers refuse two columns of one name
            columns, index = [], None
        self._columns = {column.field.name: column for column in columns}
        self._vectors = {name for name, column in self._columns.items() if _is_vector(column.field.type)}
        fields = [
            pa.field(column.field.name, _VECTOR) if name in self._vectors else column.field
            for name, column in self._columns.items()
        ]
        metadata = schema.metadata if index is None else index_metadata(*index, *index_columns(schema))
        self.schema: Any = pa.schema(fields, metadata) if columns else schema
        self.is_same = not self._vectors and all(
            column.source == name and column.part is None for name, column in self._columns.items()
        )

    def sources(self, names: Iterable[str]) -> list[str]:
        """Return the columns of the file that have these columns of rows."""
        return list(dict.fromkeys(self._columns[name].source for name in names))

    def of_batch(self, batch: RecordBatch, names: Sequence[str]) -> RecordBatch:
        """Return these columns of rows for a record batch of the file."""
        arrays = [self._of(batch, name) for name in names]
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema([self.schema.field(name) for name in names]))

    def of_table(self, table: Table) -> Table:
        """Return the columns of rows for a table of the file."""
        if self.is_same:
            return table
        names = self.schema.names
        batches = [self.of_batch(batch, names) for batch in table.to_batches()]
        return pa.Table.from_batches(batches, self.schema.remove_metadata()).replace_schema_metadata(
            self.schema.metadata
        )

    def _of(self, batch: Any, name: str) -> Any:
        column = self._columns[name]
        values = batch.column(column.source)
        if column.part is not None:
            values = values.flatten()[values.type.get_field_index(column.part)]
        return _dense(values) if name in self._vectors else values


def _inputs(schema: Any) -> tuple[list[_Column], list[str] | None]:
    """Return the columns of rows, and those that are no inputs of scored rows; None if these are no scored rows."""
    nested = any(field.name == _INPUTS and pa.types.is_struct(field.type) for field in schema)
    if not is_log(schema.names, nested=nested):
        return [_Column(field, field.name) for field in schema], None
    inputs: list[_Column] = []
    others: list[_Column] = []
    for field in schema:
        name = input_name(field.name)
        if name is not None:
            inputs.append(_Column(field.with_name(name), field.name))
        elif field.name == _INPUTS:
            inputs.extend(_Column(part, field.name, part.name) for part in field.type.fields)
        elif field.name.partition(SEPARATOR)[0] != _INPUTS:
            others.append(_Column(field, field.name))
    known = {column.field.name for column in inputs}
    others = [column for column in others if column.field.name not in known]
    return inputs + others, [column.field.name for column in others]


def _is_vector(kind: Any) -> bool:
    """Return whether a type is that of Spark's vectors, which are dense or sparse row by row."""
    return pa.types.is_struct(kind) and {field.name for field in kind.fields} == _VECTOR_FIELDS


def _dense(vectors: Any) -> Any:
    """Return Spark's vectors as lists."""
    return pa.array([None if vector is None else _elements(vector) for vector in vectors.to_pylist()], _VECTOR)


def _elements(vector: dict[str, Any]) -> Any:
    if vector["type"] == _DENSE:
        return vector["values"]
    found = np.zeros(vector["size"])
    found[vector["indices"]] = vector["values"]
    return found
