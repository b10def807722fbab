"""The rows of a Parquet file in small batches, whatever the size of its row groups.

A scan of pyarrow's data sets holds whole row groups, several of them; a row group of a million rows is the usual size.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.inference.csv_files import rows_after

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyarrow import RecordBatch

parquet: Any = import_module("pyarrow.parquet")

_BUFFER_BYTES = 1 << 18


def batches(system: Any, path: str, columns: Sequence[str], *, rows: int, skip: int = 0) -> Iterator[RecordBatch]:
    """Give the rows of a file.

    Args:
        system: The file system.
        path: The file.
        columns: The columns to give, in this order; names of the file.
        rows: How many rows a batch has at most.
        skip: How many rows to leave out at the beginning.
    """
    with system.open_input_file(path) as opened:
        file = parquet.ParquetFile(opened, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        groups, before = groups_from(file.metadata, skip)
        read = file.iter_batches(rows, row_groups=groups, columns=list(columns))
        for batch in rows_after(skip - before, read):
            yield batch.select(list(columns))


def groups_from(metadata: Any, skip: int) -> tuple[list[int], int]:
    """The row groups that are not all before a row, and how many rows those are that are."""
    before, first = 0, 0
    while first < metadata.num_row_groups and before + metadata.row_group(first).num_rows <= skip:
        before += metadata.row_group(first).num_rows
        first += 1
    return list(range(first, metadata.num_row_groups)), before
