"""Measures what the adaptive size of requests reaches after two seconds, as a share of the best constant size."""

from __future__ import annotations

import os
import statistics
import time
from collections import defaultdict
from contextlib import closing
from itertools import cycle
from typing import TYPE_CHECKING, Any

from scripts.lib.bench.model import WIDTH, deploy_model, rows_of
from scripts.lib.bench.turns import progress_bar, result_table
from wallaroo_ext import infer_batches

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from rich.console import Console
    from wallaroo_mlops_client import Client

NUMBERS = (1, 4, 8, 16)
WIDE = 1_000
SIZES = {WIDTH: (2_000, 8_000, 32_000), WIDE: (64, 256, 1_024)}
TURNS = 3
LEARNING, MEASURED = 2.0, 1.0

_WARM = 0.3
_ROWS = {WIDTH: 65_536, WIDE: 4_096}
_BATCH_BYTES = 1 << 21


def show_shares(
    console: Console, client: Client, *, turns: int = TURNS, learning: float = LEARNING, measured: float = MEASURED
) -> None:
    """Measure constant sizes and the adaptive one in turns, for narrow and wide rows, and print the shares."""
    title = (
        f"The adaptive size after {learning:g} s, as a share of the best constant one, medians of {turns} turns, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    table = result_table(title, "numbers a row", *(f"{number} in flight" for number in NUMBERS))
    with progress_bar(console, "shares of the best size", len(SIZES) * len(NUMBERS) * turns) as on_step:
        for width, sizes in SIZES.items():
            deployment, rows = deploy_model(client, width), rows_of(_ROWS[width], 1, width)
            found: list[str] = []
            for number in NUMBERS:
                rates: defaultdict[int | None, list[float]] = defaultdict(list)
                for _ in range(turns):
                    for size in (*sizes, None):
                        begin = learning if size is None else min(_WARM, learning)
                        options: Any = {"keys": ["id"], "in_flight": number, "request_rows": size}
                        scored = infer_batches(client, deployment, _endless(rows), **options)
                        rates[size].append(_rate(scored, begin, measured))
                    on_step()
                found.append(_share({size: statistics.median(each) for size, each in rates.items()}))
            table.add_row(f"{width:,}", *found)
    console.print(table)


def _share(rates: dict[int | None, float]) -> str:
    adaptive = rates.pop(None)
    size, best = max(rates.items(), key=lambda each: each[1])
    return f"{adaptive / best:.2f} of {best / 1000:,.0f} thousand rows/s, {size:,} a request"


def _endless(rows: Any) -> Iterator[Any]:
    """Return the rows again and again, in batches as a reader of files gives them."""
    batch_rows = max(1, _BATCH_BYTES * rows.num_rows // rows.nbytes)
    return cycle(rows.to_batches(max_chunksize=batch_rows))


def _rate(results: Generator[Any], learning: float, measured: float) -> float:
    """Return the rows a second that are scored in some seconds, after others."""
    scored, begin, counts = 0, time.perf_counter(), False
    with closing(results):
        for result in results:
            passed = time.perf_counter() - begin
            scored += result.num_rows if counts else 0
            if counts and passed >= measured:
                return scored / passed
            if not counts and passed >= learning:
                begin, counts = time.perf_counter(), True
    raise RuntimeError("the rows came to an end")
