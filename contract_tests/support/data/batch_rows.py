"""Rows for the tests of runs over many rows, and what the tests check of the results."""

from __future__ import annotations

import csv
import io
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import dataset, parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

WIDTH = 29
arrow: Any = pa
pq: Any = parquet


def vectors(rows: int, first: int = 0) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return inputs of the small model that differ from row to row."""
    return np.random.default_rng(first).normal(size=(rows, WIDTH)).astype(np.float32)


def batch(rows: int, first: int = 0) -> pa.RecordBatch:
    """Return rows with their numbers as `id`, and the inputs as `dense_input`."""
    values = arrow.array(vectors(rows, first).ravel())
    inputs = arrow.FixedSizeListArray.from_arrays(values, WIDTH)
    return arrow.record_batch({"id": arrow.array(np.arange(first, first + rows)), "dense_input": inputs})


def table_of(*batches: Any) -> Any:
    """Return batches as one table."""
    return arrow.Table.from_batches(list(batches))


def write_tables(directory: Path, *sizes: int) -> list[Any]:
    """Write a Parquet file for each number of rows, and return the tables."""
    directory.mkdir(parents=True, exist_ok=True)
    tables: list[Any] = []
    first = 0
    for number, rows in enumerate(sizes):
        tables.append(table_of(batch(rows, first)))
        pq.write_table(tables[-1], directory / f"rows-{number}.parquet", row_group_size=max(1, rows // 3))
        first += rows
    return tables


def inputs_of(table: Any) -> np.ndarray[Any, Any]:
    """Return the inputs of a table of rows as an array."""
    column: Any = table.column("dense_input").combine_chunks()
    return column.flatten().to_numpy(zero_copy_only=False).reshape(-1, WIDTH)


def scores_of(table: Any) -> np.ndarray[Any, Any]:
    """Return the scores of a scored table, one for each row."""
    return np.array(table.column("out.dense_1").to_pylist()).reshape(-1)


def read_output(target: Path | str) -> Any:
    """Return the rows of the output of a run, as any reader of data sets gets them."""
    return dataset.dataset(target, format="parquet").to_table()


def check_scores(scored: Any, rows: Any, expected: Callable[[Any], np.ndarray[Any, Any]]) -> None:
    """Make sure that every row was scored once, in order, with the right score."""
    assert scored.column("id").to_pylist() == rows.column("id").to_pylist()
    np.testing.assert_allclose(scores_of(scored), expected(inputs_of(rows)).reshape(-1), atol=1e-5)


def running_threads() -> list[str]:
    """Return the names of the threads that a run has started and not ended."""
    return [each.name for each in threading.enumerate() if each.name.startswith("wallaroo-")]


def csv_content(rows: Iterable[Sequence[str]], *, line_end: str, quoted: bool) -> bytes:
    """Return rows, with the names as the first one, as the standard library writes them as CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL).writerows(rows)
    return text.getvalue().encode()
