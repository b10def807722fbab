"""Does the number of rows not matter to memory?"""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from scripts.lib.bench.batch import memory as batch_memory
from scripts.lib.bench.batch.throughput import batch, memory

LIMIT = 300


@pytest.mark.slow
def test_five_times_as_many_rows_take_no_more_memory() -> None:
    few, many = (batch_memory.measure(rows) for rows in (1_000_000, 5_000_000))
    assert many["mib"] < LIMIT
    assert many["mib"] < few["mib"] + 60  # what the allocators keep differs from run to run
    assert 4_000_000 * 29 * 4 / (1 << 20) > 400  # and this the further rows would take


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
