"""Does the number of rows not matter to memory, and does a run take no more of it than it needs?"""

from __future__ import annotations

import asyncio
import gc
import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pyarrow as pa
import pytest
from pyarrow import parquet
from rich.console import Console

from contract_tests.support.data.batch_rows import batch as record_batch
from scripts.lib.bench.batch import memory as batch_memory
from scripts.lib.bench.batch.throughput import batch, memory
from wallaroo_ext import aio, infer_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from wallaroo_mlops_client import Client

    from wallaroo_ext.sandbox.control_client import Sandbox

arrow: Any = pa
pq: Any = parquet
LIMIT = 250


@pytest.fixture
def requests_left(url: str) -> Generator[Callable[[], int]]:
    """Yield a function that counts the requests with rows that are in memory, while none is found by a collection."""
    gc.collect()
    gc.disable()
    try:
        yield lambda: sum(isinstance(x, httpx.Request) and str(x.url).startswith(url) for x in gc.get_objects())
    finally:
        gc.enable()


def test_no_request_waits_in_memory_for_the_garbage_collector(
    client: Client, url: str, requests_left: Callable[[], int]
) -> None:
    rows = iter([record_batch(100)])
    assert sum(each.num_rows for each in infer_batches(client, url, rows, keys=["id"], request_rows=10)) == 100
    assert requests_left() == 0


def test_nor_does_one_in_asyncio(control: Sandbox, url: str, requests_left: Callable[[], int]) -> None:
    async def score() -> int:
        async with aio.connect(environment=control.environment) as connected:
            for _ in range(3):
                await aio.infer(connected, url, record_batch(10).select(["dense_input"]))
            return requests_left()

    assert asyncio.run(score()) == 0


_PROGRAM = """
import sys
from wallaroo_ext import connect, infer_dataset
with connect() as client:
    done = infer_dataset(client, sys.argv[1], sys.argv[2], sys.argv[3], keys=["id"])
assert done.rows == 100, done
assert "pandas" not in sys.modules
import pandas
import pyarrow
assert pyarrow.array(pandas.Series([1.0, float("nan")])).null_count == 1
assert pyarrow.types.is_dictionary(pyarrow.array(pandas.Categorical(["a"])).type)
"""
"""Scores a file, and then uses pandas, as a program may."""


@pytest.mark.slow
def test_pandas_is_loaded_by_the_program_alone_and_then_works_as_usual(
    control: Sandbox, url: str, tmp_path: Path
) -> None:
    source = tmp_path / "rows.parquet"
    pq.write_table(arrow.Table.from_batches([record_batch(100, 0)]), source)
    command = [sys.executable, "-c", _PROGRAM, url, str(source), str(tmp_path / "scored")]
    done = subprocess.run(
        command, env=os.environ | dict(control.environment), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_five_times_as_many_rows_take_no_more_memory() -> None:
    few, many = (batch_memory.measure(rows) for rows in (1_000_000, 5_000_000))
    assert many["mib"] < LIMIT
    # What the allocators keep differs from run to run; the further rows would take 4_000_000 * 29 * 4 bytes, 442 MiB.
    assert many["mib"] < few["mib"] + 60


@pytest.mark.slow
def test_the_sections_of_the_bench_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    picture = tmp_path_factory.mktemp("bench") / "batch.svg"
    console = Console(file=io.StringIO(), width=200)
    batch(console, rows=3000, turns=1, picture=picture, with_vendor=False)
    memory(console, rows=1000)
    assert isinstance(console.file, io.StringIO)
    printed = console.file.getvalue()
    for text in (
        "adaptive",
        "as a share of the best constant one",
        "16 in flight",
        "asyncio, aiohttp",
        "pandas-records",
        "infer_dataset",
        "% of the run",
    ):
        assert text in printed
    assert picture.read_text(encoding="utf-8").count("<path") > 20
