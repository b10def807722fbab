"""Rows for the tests of runs over many of them: they tell their place, and what a model should give for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

if TYPE_CHECKING:
    from pathlib import Path

WIDTH = 29
arrow: Any = pa
pq: Any = parquet


def vectors(rows: int, first: int = 0) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Numbers that differ from row to row."""
    return np.random.default_rng(first).normal(size=(rows, WIDTH)).astype(np.float32)


def batch(rows: int, first: int = 0) -> pa.RecordBatch:
    """Rows with their numbers as `id`, and `dense_input`."""
    values = arrow.array(vectors(rows, first).ravel())
    inputs = arrow.FixedSizeListArray.from_arrays(values, WIDTH)
    return arrow.record_batch({"id": arrow.array(np.arange(first, first + rows)), "dense_input": inputs})


def table_of(*batches: Any) -> Any:
    """Batches as one table."""
    return arrow.Table.from_batches(list(batches))


def written(directory: Path, *sizes: int) -> list[Any]:
    """Parquet files of so many rows each; their tables."""
    directory.mkdir(parents=True, exist_ok=True)
    tables: list[Any] = []
    first = 0
    for number, rows in enumerate(sizes):
        tables.append(table_of(batch(rows, first)))
        pq.write_table(tables[-1], directory / f"rows-{number}.parquet", row_group_size=max(1, rows // 3))
        first += rows
    return tables


def inputs_of(table: Any) -> np.ndarray[Any, Any]:
    """Return the inputs of a table of rows, as numpy has them."""
    column: Any = table.column("dense_input").combine_chunks()
    return column.flatten().to_numpy(zero_copy_only=False).reshape(-1, WIDTH)


def scores_of(table: Any) -> np.ndarray[Any, Any]:
    """Return what the model gave, a number a row."""
    return np.array(table.column("out.dense_1").to_pylist()).reshape(-1)
