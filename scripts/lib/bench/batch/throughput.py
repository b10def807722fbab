"""How many rows a second are scored: by requests in flight and their size, and beside other ways."""

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

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from scripts.lib.bench.batch import memory as batch_memory
from scripts.lib.bench.model import WIDTH, access_token, deploy_model
from scripts.lib.bench.turns import figures, in_turns, shown, timed
from scripts.lib.bench.vendor import sdk as vendor_sdk
from wallaroo_ext import aio, connect, infer, infer_batches, infer_dataset
from wallaroo_ext._util.arrow_files import to_file
from wallaroo_ext.batch.options import IN_FLIGHT
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console
    from wallaroo_mlops_client import Client

    from wallaroo_ext import Deployment

ROWS = 1_000_000
MANY_ROWS = 10_000_000
NUMBERS = (1, 2, 4, 8, 16)
SIZES = (500, 2_000, 8_000, 32_000, None)
CHOSEN = IN_FLIGHT
TURNS = 3
LEAST_BUSY = 0.90
MOST_MIB = 300.0
PICTURE = Path("batch.svg")

_REQUESTS = 300
_SINGLE_ROWS = 500
_RECORDS_ROWS = 20_000
_BATCH_ROWS = 16_384
_LOOP_ROWS = 1_000
_MILLISECOND = 0.001
arrow: Any = pa
pq: Any = parquet


def rows_of(count: int, seed: int = 1) -> Any:
    """Return a table of random rows with their numbers as `id`."""
    values = np.random.default_rng(seed).normal(size=count * WIDTH).astype(np.float32)
    inputs = arrow.FixedSizeListArray.from_arrays(arrow.array(values), WIDTH)
    return arrow.table({"id": arrow.array(np.arange(count)), "dense_input": inputs})


@dataclass(frozen=True)
class Place:
    """A deployment on a sandbox of its own, and rows for it.

    Attributes:
        environment: How to reach the sandbox.
        client: A client of it.
        deployment: The deployment.
        table: The rows.
        log: The sandbox's log of requests, as JSON lines.
    """

    environment: dict[str, str]
    client: Client
    deployment: Deployment
    table: Any
    log: Path

    def batches(self, rows: int) -> Iterator[Any]:
        """Return the first rows, as a reader of files would give them."""
        return iter(self.table.slice(0, rows).to_batches(max_chunksize=_BATCH_ROWS))

    def score(self, rows: int, in_flight: int, size: int | None) -> None:
        """Score the first rows, and take them."""
        options: Any = {"keys": ["id"], "in_flight": in_flight, "request_rows": size}
        scored = sum(
            each.num_rows for each in infer_batches(self.client, self.deployment, self.batches(rows), **options)
        )
        if scored != rows:
            raise RuntimeError(f"{scored} of {rows} rows came back")


def place(stack: ExitStack, rows: int) -> Place:
    """Return a deployment for as long as the stack lives."""
    log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "requests.jsonl"
    environment = stack.enter_context(running(None, log=log, log_format="json"))
    client = stack.enter_context(connect(environment=environment))
    return Place(dict(environment), client, deploy_model(client), rows_of(rows), log)


def batch(
    console: Console, *, rows: int = ROWS, turns: int = TURNS, picture: Path = PICTURE, with_vendor: bool = True
) -> bool:
    """Rows a second by requests in flight and size, beside other ways; whether the instance had enough to do."""
    with ExitStack() as stack:
        here = place(stack, rows)
        here.score(min(rows, 50_000), CHOSEN, None)
        grid = _grid(console, here, rows, turns)
        _show_grid(console, grid, rows, turns)
        _transports(console, here, rows, turns)
        _others(console, here, rows, turns, with_vendor=with_vendor)
        shares = [busy_share(here, rows) for _ in range(turns)]
    from scripts.lib.bench.batch.figure import draw  # it loads matplotlib

    draw(grid, picture)
    console.print(f"The picture of the first table: {picture.resolve()}", markup=False, soft_wrap=True)
    share = statistics.median(shares)
    console.print(
        f"With {CHOSEN} in flight and an adaptive size, the instance had a request to work on in {share:.1%} of the "
        f"run (median of {turns}; at least {LEAST_BUSY:.0%})."
    )
    return share >= LEAST_BUSY


Grid = dict[int | None, dict[int, float]]
"""Rows a second, by the rows of a request and by the requests in flight."""


def _grid(console: Console, here: Place, rows: int, turns: int) -> Grid:
    counts = {size: rows if size is None else min(rows, size * _REQUESTS) for size in SIZES}
    ways = {
        f"{size} {number}": timed(lambda size=size, number=number: here.score(counts[size], number, size))
        for size in SIZES
        for number in NUMBERS
    }
    with shown(console, "in flight and size", turns) as tell:
        seconds = in_turns(ways, turns, warm=0, tell=tell)
    return {
        size: {number: counts[size] / statistics.median(seconds[f"{size} {number}"]) for number in NUMBERS}
        for size in SIZES
    }


def _show_grid(console: Console, grid: Grid, rows: int, turns: int) -> None:
    title = f"infer_batches, x {WIDTH} float32: thousand rows a second, medians of {turns} turns, at most {rows:,} rows"
    table = figures(title, "rows of a request", *(f"{number} in flight" for number in NUMBERS))
    for size, rates in grid.items():
        name = "adaptive" if size is None else f"{size:,}"
        table.add_row(name, *(f"{rate / 1000:,.0f}" for rate in rates.values()))
    console.print(table)


def _transports(console: Console, here: Place, rows: int, turns: int) -> None:
    """The same requests by threads, and by asyncio with both of its transports."""
    sizes = (2_000, 16_000)
    for size in sizes:
        chunks = _chunks(here, min(rows, size * 100), size)
        count = size * len(chunks)
        ways = {
            "threads": timed(lambda size=size, count=count: here.score(count, CHOSEN, size)),
            "asyncio, httpx": timed(lambda chunks=chunks: asyncio.run(_in_asyncio(here, chunks, "httpx"))),
            "asyncio, aiohttp": timed(lambda chunks=chunks: asyncio.run(_in_asyncio(here, chunks, "aiohttp"))),
        }
        seconds = in_turns(ways, turns)
        table = figures(f"Requests of {size:,} rows, {CHOSEN} in flight", "by", "thousand rows a second")
        for name, values in seconds.items():
            table.add_row(name, f"{count / statistics.median(values) / 1000:,.0f}")
        console.print(table)


def _chunks(here: Place, rows: int, size: int) -> list[Any]:
    inputs = here.table.select(["dense_input"])
    return [inputs.slice(begin, size) for begin in range(0, rows - size + 1, size)]


async def _in_asyncio(here: Place, chunks: Sequence[Any], transport: Any) -> None:
    free = asyncio.Semaphore(CHOSEN)
    async with aio.connect(environment=here.environment, transport=transport) as client:

        async def score(chunk: Any) -> None:
            async with free:
                await aio.infer(client, here.deployment, chunk, dataset_exclude="in")

        await asyncio.gather(*map(score, chunks))


def _others(console: Console, here: Place, rows: int, turns: int, *, with_vendor: bool) -> None:
    """`infer_batches` and `infer_dataset` beside what people do by hand, and beside the vendor's SDK."""
    client, where = here.client, here.deployment
    inputs = here.table.select(["dense_input"])
    few, some = _rows(inputs, _SINGLE_ROWS, 1), _rows(inputs, min(rows, 100_000), _LOOP_ROWS)
    records = _rows(inputs, min(rows, _RECORDS_ROWS), _LOOP_ROWS)
    ways: dict[str, tuple[int, Any]] = {
        "infer, a row at a time": (_count(few), timed(lambda: _loop(client, where, few))),
        f"infer, {_LOOP_ROWS:,} rows at a time": (_count(some), timed(lambda: _loop(client, where, some))),
        f"infer, {_LOOP_ROWS:,} at a time in pandas-records": (
            _count(records),
            timed(lambda: _loop(client, where, records, wire="pandas-records")),
        ),
        "infer_batches": (rows, timed(lambda: here.score(rows, CHOSEN, None))),
    }
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ways["infer_dataset, Parquet to Parquet"] = (rows, _dataset_way(here, rows, directory))
        vendors, reasons = _vendors(stack, here, directory, wanted=with_vendor)
        ways |= vendors
        with shown(console, "beside other ways", turns + 1) as tell:
            seconds = in_turns({name: way for name, (_, way) in ways.items()}, turns, tell=tell)
    rates = {name: ways[name][0] / statistics.median(values) for name, values in seconds.items()}
    _show_others(console, rates, reasons, turns)


def _rows(inputs: Any, rows: int, size: int) -> list[Any]:
    return [inputs.slice(begin, size) for begin in range(0, rows, size)]


def _count(chunks: Sequence[Any]) -> int:
    return sum(chunk.num_rows for chunk in chunks)


def _loop(client: Client, where: Deployment, chunks: Sequence[Any], **options: Any) -> None:
    for chunk in chunks:
        infer(client, where, chunk, **options)


def _dataset_way(here: Place, rows: int, directory: Path) -> Any:
    source = directory / "rows.parquet"
    pq.write_table(here.table.slice(0, rows), source, row_group_size=1 << 17)
    runs = iter(range(1 << 30))
    return timed(
        lambda: infer_dataset(here.client, here.deployment, source, directory / f"out-{next(runs)}", keys=["id"])
    )


def _vendors(stack: ExitStack, here: Place, directory: Path, *, wanted: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the vendor's SDK with tables of two sizes, and with data frames."""
    api, token = here.environment["WALLAROO_API_URL"], access_token(here.client)
    sdk = stack.enter_context(vendor_sdk.vendor(api, token, wanted=wanted))
    deployment = {"name": here.deployment.pipeline, "id": here.deployment.id}
    tasks = {
        f"{vendor_sdk.name()}, a table of {_LOOP_ROWS:,} rows": (_LOOP_ROWS, "table"),
        f"{vendor_sdk.name()}, a table of 32,000 rows": (32_000, "table"),
        f"{vendor_sdk.name()}, a data frame of {_LOOP_ROWS:,} rows": (_LOOP_ROWS, "data frame"),
    }

    def way(rows: int, form: str) -> Any:
        file = directory / f"rows-{rows}.arrow"
        file.write_bytes(to_file(here.table.select(["dense_input"]).slice(0, rows)).to_pybytes())
        return lambda: sdk.do(do="infer", deployment=deployment, file=str(file), form=form)["seconds"]

    ways = {name: way(*task) for name, task in tasks.items()}
    able, reasons = vendor_sdk.tried(ways)
    return {name: (min(tasks[name][0], here.table.num_rows), each) for name, each in able.items()}, reasons


def _show_others(console: Console, rates: Mapping[str, float], reasons: Mapping[str, str], turns: int) -> None:
    title = f"Beside other ways, one request after the other: medians of {turns} turns"
    table = figures(title, "by", "rows a second", "infer_batches is so many times as fast", note=vendor_sdk.NOTE)
    for name, rate in rates.items():
        table.add_row(name, f"{rate:,.0f}", f"{rates['infer_batches'] / rate:,.1f}")
    for name, reason in reasons.items():
        table.add_row(f"{name}: {reason}", "-", "-")
    console.print(table)


def busy_share(here: Place, rows: int) -> float:
    """The share of a run in which the instance had at least one request, by its own log of when each came and ended."""
    began = time.time()
    here.score(rows, CHOSEN, None)
    ended = time.time()
    time.sleep(0.5)  # the log is written by a thread of its own
    busy, until = 0.0, began
    for first, last in sorted(_intervals(here.log)):
        if last > until and first < ended:
            busy += min(last, ended) - max(first, until)
            until = min(last, ended)
    return busy / (ended - began)


def _intervals(log: Path) -> Iterator[tuple[float, float]]:
    for line in log.read_text(encoding="utf-8").splitlines():
        entry: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
        if str(entry.get("operation", "")).startswith("infer_"):
            begin = datetime.fromisoformat(entry["time"]).timestamp()
            # The log cuts the time to milliseconds: the later of the possible beginnings counts.
            yield begin + _MILLISECOND, begin + float(entry["milliseconds"]) * _MILLISECOND


def memory(console: Console, *, rows: int = MANY_ROWS) -> bool:
    """The peak of a client's memory for a tenth of the rows and for all of them; whether it stays below the limit."""
    title = f"infer_dataset, x {WIDTH} float32, Parquet to Parquet: the client's memory"
    table = figures(title, "rows", f"peak (at most {MOST_MIB:.0f} MiB)", "of it before the call", "rows a second")
    peaks: list[float] = []
    for count in (rows // 10, rows):
        measured = batch_memory.measure(count)
        peaks.append(measured["mib"])
        rate = count / measured["seconds"]
        table.add_row(f"{count:,}", f"{measured['mib']:.0f} MiB", f"{measured['start']:.0f} MiB", f"{rate:,.0f}")
    console.print(table)
    return max(peaks) < MOST_MIB
