"""Measures `infer` with many rows as records beside the vendor's SDK: as a whole, and the clients alone."""

from __future__ import annotations

import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np

from scripts.lib.bench.records.answer_memory import added_bytes
from scripts.lib.bench.records.recorded_answer import recorded_answer
from scripts.lib.bench.turns import in_turns, result_table, timed
from scripts.lib.bench.vendor import sdk as vendor_sdk
from wallaroo_ext import connect, infer
from wallaroo_ext.inference.inputs.rows import to_table
from wallaroo_ext.inference.json_bodies import to_records
from wallaroo_ext.inference.media_types import JSON, request_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa
    from rich.console import Console

    from scripts.lib.bench.inference import Setup

MOST_OF_VENDOR = 0.5
MOST_MEMORY = 3.0
OURS = "infer, in pandas-records"
FORM = "data frame"
_DIGITS = 10
"""The digits behind the point that pandas writes, and so the vendor's SDK sends."""
_PARTS = {"dataset[]": "*", "dataset.exclude[]": "metadata", "dataset.separator": "."}


def beside_vendor(console: Console, setup: Setup, turns: int, on_turn: Callable[[], object]) -> bool:
    """Measure records beside the vendor's SDK. Returns whether the figures are within their limits.

    Without the SDK, only the memory of the answer counts.
    """
    theirs = f"{vendor_sdk.name()}, a {FORM}"
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        exact = setup.columns["dense_input"].astype(np.float64)
        tables = {OURS: setup.table, theirs: to_table({"dense_input": np.round(exact, _DIGITS)})}
        files = {
            name: _recorded(setup, table, directory / str(number))
            for number, (name, table) in enumerate(tables.items())
        }
        urls = {name: stack.enter_context(recorded_answer(file)) for name, file in files.items()}
        alone = stack.enter_context(
            connect(str(httpx.URL(urls[OURS]).copy_with(path="/")), token="t-bench", environment={})
        )
        vendors, reasons = vendor_sdk.runnable({theirs: lambda: setup.by_vendor(FORM)})
        whole = {
            OURS: timed(lambda: infer(setup.client, setup.deployment, setup.table, wire="pandas-records"))
        } | vendors
        clients = {OURS: timed(lambda: infer(alone, urls[OURS], setup.table, wire="pandas-records"))}
        clients |= {name: lambda: setup.by_vendor(FORM, urls[theirs]) for name in vendors}
        seconds = in_turns(whole, turns, on_turn=on_turn), in_turns(clients, turns, on_turn=on_turn)
        size = files[OURS].stat().st_size
        memory = added_bytes(urls[OURS]) / size
    medians = [{name: statistics.median(values) for name, values in each.items()} for each in seconds]
    ratios = [_ratio(each, theirs) for each in medians]
    table = result_table(
        f"Records beside the vendor's SDK, medians of {turns} turns, seconds", "by", "with the sandbox", "client alone"
    )
    for name in medians[0]:
        table.add_row(name, f"{medians[0][name]:.2f}", f"{medians[1][name]:.2f}")
    shown = [f"{ratio:.2f}" if ratio else "-" for ratio in ratios]
    table.add_row(f"ours of the vendor's (at most {MOST_OF_VENDOR:g} with the sandbox)", *shown)
    table.add_row(
        f"the answer of {size / 2**20:.0f} MiB adds to the peak (at most {MOST_MEMORY:g} times)",
        "",
        f"{memory:.1f} times",
    )
    for name, reason in reasons.items():
        table.add_row(f"{name}: {reason}", "-", "-")
    console.print(table)
    return (ratios[0] is None or ratios[0] <= MOST_OF_VENDOR) and memory <= MOST_MEMORY


def _recorded(setup: Setup, table: pa.Table, file: Path) -> Path:
    """Write what the sandbox answers to a table of records to a file."""
    headers = setup.headers | {"Content-Type": request_type("pandas-records"), "Accept": JSON}
    answer = httpx.post(
        setup.deployment.url,
        params=_PARTS,
        content=b"".join(to_records(table)),
        headers=headers,
        timeout=600,
        trust_env=False,
    )
    file.write_bytes(answer.raise_for_status().content)
    return file


def _ratio(medians: Mapping[str, float], theirs: str) -> float | None:
    return medians[OURS] / medians[theirs] if theirs in medians else None
