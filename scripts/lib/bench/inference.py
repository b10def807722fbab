"""Measures `infer` with one row and with many rows, beside bare httpx and the vendor's SDK."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import ExitStack
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import httpx
import pyarrow as pa

from scripts.lib.bench.inference_setup import TIMEOUT, set_up
from scripts.lib.bench.model import WIDTH
from scripts.lib.bench.records.many_records import OURS, beside_vendor
from scripts.lib.bench.sandbox import ROWS
from scripts.lib.bench.turns import in_turns, progress_bar, result_table, timed
from scripts.lib.bench.vendor import sdk as vendor_sdk
from wallaroo_ext import aio, infer

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from rich.console import Console

    from scripts.lib.bench.inference_setup import Setup
    from scripts.lib.bench.turns import Way

CALLS = 1000
TURNS = 11
RECORDS_TURNS = 5
MOST_FOR_ONE_ROW = 1.25
MOST_FOR_MANY_ROWS = 1.15
LEAST_OF_RECORDS = 5.0


def one_row(console: Console, *, calls: int = CALLS, with_vendor: bool = True) -> bool:
    """Measure one row by `infer` beside bare httpx with prepared bytes. Returns whether it is within the limit."""
    with ExitStack() as stack:
        setup = set_up(stack, 1, with_vendor=with_vendor)
        bare = stack.enter_context(httpx.Client(trust_env=False))
        ways = {
            "httpx": timed(lambda: setup.post(bare)),
            "infer": timed(lambda: infer(setup.client, setup.deployment, setup.columns)),
        }
        vendors, reasons = vendor_sdk.runnable({vendor_sdk.name(): lambda: setup.by_vendor("table")})
        warm = calls // 10
        on_turn = stack.enter_context(progress_bar(console, "one row", calls + warm))
        ways |= _asynchronous(stack, setup) | vendors
        seconds = in_turns(ways, calls, warm=warm, on_turn=on_turn)
    medians = _medians(seconds)
    beside = {
        name: medians["httpx, asyncio" if name in {"aio.infer", "httpx, asyncio"} else "httpx"] for name in medians
    }
    ratios = {name: medians[name] / beside[name] for name in medians}
    title = f"One row in Arrow, p50 of {calls} calls in turns"
    _show(console, title, f"of httpx (ours at most {MOST_FOR_ONE_ROW})", medians, ratios, reasons=reasons)
    return max(ratios["infer"], ratios["aio.infer"]) <= MOST_FOR_ONE_ROW


def _asynchronous(stack: ExitStack, setup: Setup) -> dict[str, Way]:
    """Return the same two ways in asyncio, timed inside its event loop."""
    runner = stack.enter_context(asyncio.Runner())
    bare = httpx.AsyncClient(trust_env=False)
    stack.callback(lambda: runner.run(bare.aclose()))
    stack.callback(lambda: runner.run(setup.client.get_async_httpx_client().aclose()))

    async def post() -> None:
        answer = await bare.post(setup.deployment.url, content=setup.content, headers=setup.headers, timeout=TIMEOUT)
        answer.raise_for_status()

    async def in_loop(awaited: Coroutine[Any, Any, object]) -> float:
        began = time.perf_counter()
        await awaited
        return time.perf_counter() - began

    return {
        "httpx, asyncio": lambda: runner.run(in_loop(post())),
        "aio.infer": lambda: runner.run(in_loop(aio.infer(setup.client, setup.deployment, setup.columns))),
    }


def many_rows(
    console: Console,
    *,
    rows: int = ROWS,
    turns: int = TURNS,
    records_turns: int = RECORDS_TURNS,
    with_vendor: bool = True,
) -> bool:
    """Measure many rows by `infer` beside a bare POST and pyarrow, and as records beside the vendor's SDK.

    Returns whether the ratios are within their limits.
    """
    with ExitStack() as stack:
        setup = set_up(stack, rows, with_vendor=with_vendor)
        vendors, reasons = vendor_sdk.runnable({f"{vendor_sdk.name()}, a table": lambda: setup.by_vendor("table")})
        steps = turns + 3 * records_turns + 4
        on_turn = stack.enter_context(progress_bar(console, f"{rows:,} rows", steps))
        arrow = in_turns(_arrow_ways(stack, setup) | vendors, turns, on_turn=on_turn)
        records = in_turns(_records_ways(setup), records_turns, on_turn=on_turn)
        is_within = beside_vendor(console, setup, records_turns, on_turn)
    arrow_medians, record_medians = _medians(arrow), _medians(records)
    ratios = {name: median / arrow_medians["httpx and pyarrow"] for name, median in arrow_medians.items()}
    title = f"{rows:,} x {WIDTH} float32 in Arrow, medians of {turns} turns"
    limit = f"of httpx with ready-made bytes and pyarrow (ours at most {MOST_FOR_MANY_ROWS})"
    _show(console, title, limit, arrow_medians, ratios, reasons=reasons)
    times = {name: median / record_medians["infer, in Arrow"] for name, median in record_medians.items()}
    title = f"The same rows as records, medians of {records_turns} turns"
    _show(console, title, f"times Arrow (ours at least {LEAST_OF_RECORDS:g})", record_medians, times)
    slowest = max(ratio for name, ratio in ratios.items() if name.startswith("infer"))
    return is_within and slowest <= MOST_FOR_MANY_ROWS and times[OURS] >= LEAST_OF_RECORDS


def _arrow_ways(stack: ExitStack, setup: Setup) -> dict[str, Way]:
    bare = stack.enter_context(httpx.Client(trust_env=False))
    return {
        "httpx and pyarrow": timed(lambda: _read(setup.post(bare))),
        "infer, of numpy arrays": timed(lambda: infer(setup.client, setup.deployment, setup.columns)),
        "infer, of a table": timed(lambda: infer(setup.client, setup.deployment, setup.table)),
    }


def _read(content: bytes) -> pa.Table:
    with pa.ipc.open_file(pa.BufferReader(content)) as reader:
        return reader.read_all()


def _records_ways(setup: Setup) -> dict[str, Way]:
    client, deployment, table = setup.client, setup.deployment, setup.table
    return {
        "infer, in Arrow": timed(lambda: infer(client, deployment, table)),
        OURS: timed(lambda: infer(client, deployment, table, wire="pandas-records")),
    }


def _medians(seconds: Mapping[str, list[float]]) -> dict[str, float]:
    """Return the medians in milliseconds."""
    return {name: statistics.median(values) * 1000 for name, values in seconds.items()}


def _show(
    console: Console,
    title: str,
    limit: str,
    medians: Mapping[str, float],
    ratios: Mapping[str, float],
    *,
    reasons: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Print a table of milliseconds and ratios, with the ways that were not measured and the reasons."""
    table = result_table(title, "by", "milliseconds", limit, note=vendor_sdk.NOTE)
    for name, median in medians.items():
        table.add_row(name, f"{median:.2f}", f"{ratios[name]:.2f}")
    for name, reason in reasons.items():
        table.add_row(f"{name}: {reason}", "-", "-")
    console.print(table)
