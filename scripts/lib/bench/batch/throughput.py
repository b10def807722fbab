"""Measures how many rows a second are scored, by requests in flight and request size, and beside other ways."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet

from scripts.lib.bench.batch import memory as batch_memory
from scripts.lib.bench.batch.shares import LEARNING, MEASURED, show_shares
from scripts.lib.bench.model import WIDTH, deploy_model, rows_of
from scripts.lib.bench.turns import in_turns, progress_bar, result_table, timed
from scripts.lib.bench.vendor import sdk as vendor_sdk
from wallaroo_ext import aio, connect, infer, infer_batches, infer_dataset
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.batch.options import IN_FLIGHT
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console
    from wallaroo_mlops_client import Client

    from scripts.lib.bench.batch.figure import Grid
    from wallaroo_ext import Deployment

ROWS = 1_000_000
MANY_ROWS = 10_000_000
NUMBERS = (1, 2, 4, 8, 16)
SIZES = (500, 2_000, 8_000, 32_000, None)
CHOSEN = IN_FLIGHT
TURNS = 3
LEAST_BUSY = 0.90
MOST_MIB = 250.0
PICTURE = Path("batch.svg")

_REQUESTS = 300
_SINGLE_ROWS = 500
_RECORDS_ROWS = 20_000
_BATCH_ROWS = 16_384
_LOOP_ROWS = 1_000
_MILLISECOND = 0.001
arrow: Any = pa
pq: Any = parquet


@dataclass(frozen=True)
class Setup:
    """A deployment on a sandbox of its own, and rows for it.

    Attributes:
        environment: How to reach the sandbox.
        client: A client of it.
        deployment: The deployment.
        table: The rows.
        log: The sandbox's log of requests in JSON lines.
    """

    environment: dict[str, str]
    client: Client
    deployment: Deployment
    table: Any
    log: Path

    def batches(self, rows: int) -> Iterator[Any]:
        """Return the first rows in batches, as a reader of files gives them."""
        return iter(self.table.slice(0, rows).to_batches(max_chunksize=_BATCH_ROWS))

    def score(self, rows: int, in_flight: int, size: int | None) -> None:
        """Score the first rows, and check that as many come back."""
        options: Any = {"keys": ["id"], "in_flight": in_flight, "request_rows": size}
        scored = sum(
            each.num_rows for each in infer_batches(self.client, self.deployment, self.batches(rows), **options)
        )
        if scored != rows:
            raise RuntimeError(f"{scored} of {rows} rows came back")


def set_up(stack: ExitStack, rows: int) -> Setup:
    """Return a deployment that lives as long as the stack."""
    log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "requests.jsonl"
    environment = stack.enter_context(running(None, log=log, log_format="json"))
    client = stack.enter_context(connect(environment=environment))
    return Setup(dict(environment), client, deploy_model(client), rows_of(rows), log)


def batch(
    console: Console, *, rows: int = ROWS, turns: int = TURNS, picture: Path = PICTURE, with_vendor: bool = True
) -> bool:
    """Measure rows a second by requests in flight and size, and beside other ways.

    Returns whether the instance was busy enough.
    """
    with ExitStack() as stack:
        setup = set_up(stack, rows)
        setup.score(min(rows, 50_000), CHOSEN, None)
        grid = _grid(console, setup, rows, turns)
        _show_grid(console, grid, rows, turns)
        part = min(1.0, rows / ROWS)  # with fewer rows, the sections are only shown to run
        show_shares(console, setup.client, turns=turns, learning=LEARNING * part, measured=MEASURED * part)
        _transports(console, setup, rows, turns)
        _compare(console, setup, rows, turns, with_vendor=with_vendor)
        shares = [busy_share(setup, rows) for _ in range(turns)]
    from scripts.lib.bench.batch.figure import draw  # it loads matplotlib

    draw(grid, picture)
    console.print(f"The picture of the first table: {picture.resolve()}", markup=False, soft_wrap=True)
    share = statistics.median(shares)
    console.print(
        f"With {CHOSEN} in flight and an adaptive size, the instance had a request to work on in {share:.1%} of the "
        f"run (median of {turns}; at least {LEAST_BUSY:.0%})."
    )
    return share >= LEAST_BUSY


def _grid(console: Console, setup: Setup, rows: int, turns: int) -> Grid:
    counts = {size: rows if size is None else min(rows, size * _REQUESTS) for size in SIZES}
    ways = {
        f"{size} {number}": timed(lambda size=size, number=number: setup.score(counts[size], number, size))
        for size in SIZES
        for number in NUMBERS
    }
    with progress_bar(console, "in flight and size", turns) as on_turn:
        seconds = in_turns(ways, turns, warm=0, on_turn=on_turn)
    return {
        size: {number: counts[size] / statistics.median(seconds[f"{size} {number}"]) for number in NUMBERS}
        for size in SIZES
    }


def _show_grid(console: Console, grid: Grid, rows: int, turns: int) -> None:
    title = f"infer_batches, x {WIDTH} float32: thousand rows a second, medians of {turns} turns, at most {rows:,} rows"
    table = result_table(title, "rows of a request", *(f"{number} in flight" for number in NUMBERS))
    for size, rates in grid.items():
        name = "adaptive" if size is None else f"{size:,}"
        table.add_row(name, *(f"{rate / 1000:,.0f}" for rate in rates.values()))
    console.print(table)


def _transports(console: Console, setup: Setup, rows: int, turns: int) -> None:
    """Measure the same requests by threads, and by asyncio with both of its transports."""
    sizes = (2_000, 16_000)
    for size in sizes:
        chunks = _chunks(setup, min(rows, size * 100), size)
        count = size * len(chunks)
        ways = {
            "threads": timed(lambda size=size, count=count: setup.score(count, CHOSEN, size)),
            "asyncio, httpx": timed(lambda chunks=chunks: asyncio.run(_in_asyncio(setup, chunks, "httpx"))),
            "asyncio, aiohttp": timed(lambda chunks=chunks: asyncio.run(_in_asyncio(setup, chunks, "aiohttp"))),
        }
        seconds = in_turns(ways, turns)
        table = result_table(f"Requests of {size:,} rows, {CHOSEN} in flight", "by", "thousand rows a second")
        for name, values in seconds.items():
            table.add_row(name, f"{count / statistics.median(values) / 1000:,.0f}")
        console.print(table)


def _chunks(setup: Setup, rows: int, size: int) -> list[Any]:
    inputs = setup.table.select(["dense_input"])
    return [inputs.slice(begin, size) for begin in range(0, rows - size + 1, size)]


async def _in_asyncio(setup: Setup, chunks: Sequence[Any], transport: Any) -> None:
    free = asyncio.Semaphore(CHOSEN)
    async with aio.connect(environment=setup.environment, transport=transport) as client:

        async def score(chunk: Any) -> None:
            async with free:
                await aio.infer(client, setup.deployment, chunk, dataset_exclude="in")

        await asyncio.gather(*map(score, chunks))


def _compare(console: Console, setup: Setup, rows: int, turns: int, *, with_vendor: bool) -> None:
    """Measure `infer_batches` and `infer_dataset` beside loops over `infer`, and beside the vendor's SDK."""
    client, deployment = setup.client, setup.deployment
    inputs = setup.table.select(["dense_input"])
    few, some = _split(inputs, _SINGLE_ROWS, 1), _split(inputs, min(rows, 100_000), _LOOP_ROWS)
    records = _split(inputs, min(rows, _RECORDS_ROWS), _LOOP_ROWS)
    ways: dict[str, tuple[int, Any]] = {
        "infer, a row at a time": (_row_count(few), timed(lambda: _loop(client, deployment, few))),
        f"infer, {_LOOP_ROWS:,} rows at a time": (_row_count(some), timed(lambda: _loop(client, deployment, some))),
        f"infer, {_LOOP_ROWS:,} at a time in pandas-records": (
            _row_count(records),
            timed(lambda: _loop(client, deployment, records, wire="pandas-records")),
        ),
        "infer_batches": (rows, timed(lambda: setup.score(rows, CHOSEN, None))),
    }
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ways["infer_dataset, Parquet to Parquet"] = (rows, _dataset_way(setup, rows, directory))
        vendors, reasons = _vendors(stack, setup, directory, wanted=with_vendor)
        ways |= vendors
        with progress_bar(console, "beside other ways", turns + 1) as on_turn:
            seconds = in_turns({name: way for name, (_, way) in ways.items()}, turns, on_turn=on_turn)
    rates = {name: ways[name][0] / statistics.median(values) for name, values in seconds.items()}
    _show_comparison(console, rates, reasons, turns)


def _split(inputs: Any, rows: int, size: int) -> list[Any]:
    return [inputs.slice(begin, size) for begin in range(0, rows, size)]


def _row_count(chunks: Sequence[Any]) -> int:
    return sum(chunk.num_rows for chunk in chunks)


def _loop(client: Client, deployment: Deployment, chunks: Sequence[Any], **options: Any) -> None:
    for chunk in chunks:
        infer(client, deployment, chunk, **options)


def _dataset_way(setup: Setup, rows: int, directory: Path) -> Any:
    source = directory / "rows.parquet"
    pq.write_table(setup.table.slice(0, rows), source, row_group_size=1 << 17)
    runs = iter(range(1 << 30))
    return timed(
        lambda: infer_dataset(setup.client, setup.deployment, source, directory / f"out-{next(runs)}", keys=["id"])
    )


def _vendors(stack: ExitStack, setup: Setup, directory: Path, *, wanted: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the ways by the vendor's SDK, and why others do not run: tables of two sizes, and data frames."""
    sdk = stack.enter_context(vendor_sdk.vendor(setup.environment, wanted=wanted))
    deployment = setup.deployment.pipeline
    tasks = {
        f"{vendor_sdk.name()}, a table of {_LOOP_ROWS:,} rows": (_LOOP_ROWS, "table"),
        f"{vendor_sdk.name()}, a table of 32,000 rows": (32_000, "table"),
        f"{vendor_sdk.name()}, a data frame of {_LOOP_ROWS:,} rows": (_LOOP_ROWS, "data frame"),
    }

    def way(rows: int, form: str) -> Any:
        file = directory / f"rows-{rows}.arrow"
        file.write_bytes(to_file(setup.table.select(["dense_input"]).slice(0, rows)).to_pybytes())
        return lambda: sdk.do(do="infer", deployment=deployment, file=str(file), form=form)["seconds"]

    ways = {name: way(*task) for name, task in tasks.items()}
    able, reasons = vendor_sdk.runnable(ways)
    return {name: (min(tasks[name][0], setup.table.num_rows), each) for name, each in able.items()}, reasons


def _show_comparison(console: Console, rates: Mapping[str, float], reasons: Mapping[str, str], turns: int) -> None:
    title = f"Beside other ways, one request after the other: medians of {turns} turns"
    table = result_table(title, "by", "rows a second", "infer_batches is so many times as fast", note=vendor_sdk.NOTE)
    for name, rate in rates.items():
        table.add_row(name, f"{rate:,.0f}", f"{rates['infer_batches'] / rate:,.1f}")
    for name, reason in reasons.items():
        table.add_row(f"{name}: {reason}", "-", "-")
    console.print(table)


def busy_share(setup: Setup, rows: int) -> float:
    """Return the share of a run in which the instance had a request to work on, by the times in its own log."""
    began = time.time()
    setup.score(rows, CHOSEN, None)
    ended = time.time()
    time.sleep(0.5)  # a thread of its own writes the log
    busy, until = 0.0, began
    for first, last in sorted(_intervals(setup.log)):
        if last > until and first < ended:
            busy += min(last, ended) - max(first, until)
            until = min(last, ended)
    return busy / (ended - began)


def _intervals(log: Path) -> Iterator[tuple[float, float]]:
    for line in log.read_text(encoding="utf-8").splitlines():
        entry: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
        if str(entry.get("operation", "")).startswith("infer_"):
            begin = datetime.fromisoformat(entry["time"]).timestamp()
            # The log cuts times to milliseconds: assume the latest possible begin.
            yield begin + _MILLISECOND, begin + float(entry["milliseconds"]) * _MILLISECOND


def memory(console: Console, *, rows: int = MANY_ROWS) -> bool:
    """Measure a client's peak of memory for a tenth of the rows and for all. Returns whether it is within the limit."""
    title = f"infer_dataset, x {WIDTH} float32, Parquet to Parquet: the client's memory"
    table = result_table(title, "rows", f"peak (at most {MOST_MIB:.0f} MiB)", "of it before the call", "rows a second")
    peaks: list[float] = []
    for count in (rows // 10, rows):
        measured = batch_memory.measure(count)
        peaks.append(measured["mib"])
        rate = count / measured["seconds"]
        table.add_row(f"{count:,}", f"{measured['mib']:.0f} MiB", f"{measured['start']:.0f} MiB", f"{rate:,.0f}")
    console.print(table)
    return max(peaks) < MOST_MIB
