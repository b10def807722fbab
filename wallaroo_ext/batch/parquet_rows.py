"""The rows of a Parquet file in small batches, whatever the size of its row groups.

A scan of pyarrow's data sets holds whole row groups, several of them; a row group of a million rows is the usual size.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyarrow import RecordBatch, Schema
    from pyarrow.compute import Expression

pa: Any = import_module("pyarrow")
datasets: Any = import_module("pyarrow.dataset")
parquet: Any = import_module("pyarrow.parquet")

_BUFFER_BYTES = 1 << 18


def batches(
    fragment: Any, schema: Schema, columns: Sequence[str], where: Expression | None, *, rows: int, skip: int = 0
) -> Iterator[RecordBatch]:
    """The rows of a file.

    Args:
        fragment: The file, as a data set has it.
        schema: The schema of the data set; columns that the file does not have are null, or those of its directory.
        columns: The columns to give.
        where: Which rows to give.
        rows: How many rows a batch has at most.
        skip: How many rows to leave out at the beginning; where there is a filter, of those that pass it.
    """
    constants: dict[str, Any] = datasets.get_partition_keys(fragment.partition_expression)
    needed = [name for name in schema.names if name in columns or (where is not None and name in str(where))]
    left = skip
    with fragment.filesystem.open_input_file(fragment.path) as opened:
        file = parquet.ParquetFile(opened, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        stored = [name for name in needed if name in file.schema_arrow.names]
        groups, before = groups_from(file.metadata, skip if where is None else 0)
        left -= before
        for batch in file.iter_batches(rows, row_groups=groups, columns=stored):
            table = _whole(pa.Table.from_batches([batch]), schema, needed, constants)
            if where is not None:
                table = table.filter(where)
            given = table.select(list(columns)).slice(min(left, table.num_rows))
            left = max(0, left - table.num_rows)
            yield from given.combine_chunks().to_batches()


def groups_from(metadata: Any, skip: int) -> tuple[list[int], int]:
    """The row groups that are not all before a row, and how many rows those are that are."""
    before, first = 0, 0
    while first < metadata.num_row_groups and before + metadata.row_group(first).num_rows <= skip:
        before += metadata.row_group(first).num_rows
        first += 1
    return list(range(first, metadata.num_row_groups)), before


def _whole(table: Any, schema: Any, names: Sequence[str], constants: dict[str, Any]) -> Any:
    """A table with the columns and types of the data set."""
    fields = [schema.field(name) for name in names]
    columns: list[Any] = []
    for each in fields:
        if each.name in constants:
            columns.append(pa.repeat(pa.scalar(constants[each.name], each.type), table.num_rows))
        elif each.name in table.column_names:
            columns.append(table.column(each.name).cast(each.type))
        else:
            columns.append(pa.nulls(table.num_rows, each.type))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))
