"""Measures `infer` with many rows as records beside the vendor's SDK: as a whole, and the clients alone."""

from __future__ import annotations

import statistics
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np

from scripts.lib.bench.records.answer_memory import added_bytes
from scripts.lib.bench.records.recorded_answer import recorded_answer
from scripts.lib.bench.turns import in_turns, result_table, timed
from scripts.lib.bench.vendor import sdk as vendor_sdk
from wallaroo_ext import connect, infer, infer_batches
from wallaroo_ext.inference.inputs.rows import to_table
from wallaroo_ext.inference.json_bodies import to_records
from wallaroo_ext.inference.media_types import JSON, request_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa
    from rich.console import Console

    from scripts.lib.bench.inference_setup import Setup

MOST_OF_VENDOR = 0.5
MOST_MEMORY = 3.0
OURS = "infer, in pandas-records"
IN_BATCHES = "infer_batches, in pandas-records, without the inputs in the answers"
FORM = "data frame"
_DIGITS = 10
"""The digits behind the point that pandas writes, and so the vendor's SDK sends."""
_PARTS = {"dataset[]": "*", "dataset.exclude[]": "metadata", "dataset.separator": "."}


@dataclass(frozen=True)
class _Figures:
    """What was measured.

    Attributes:
        whole: The medians in seconds with the sandbox, by name.
        alone: Those of the clients alone.
        size: The size of the answer in bytes.
        added: What reading it adds to the peak of memory, in bytes.
        reasons: Why the vendor's SDK was not measured.
    """

    whole: Mapping[str, float]
    alone: Mapping[str, float]
    size: int
    added: int
    reasons: Mapping[str, str]


def beside_vendor(console: Console, setup: Setup, turns: int, on_turn: Callable[[], object]) -> bool:
    """Measure records beside the vendor's SDK. Returns whether the figures are within their limits.

    Without the SDK, only the memory of the answer counts.
    """
    figures = _measure(setup, turns, on_turn)
    title = f"Records beside the vendor's SDK, medians of {turns} turns, seconds"
    table = result_table(title, "by", "with the sandbox", "client alone")
    for name, median in figures.whole.items():
        table.add_row(name, f"{median:.2f}", _shown(figures.alone.get(name)))
    limit = f"of the vendor's (at most {MOST_OF_VENDOR:g} with the sandbox)"
    whole = {name: _ratio(figures.whole, name) for name in (OURS, IN_BATCHES)}
    for name, ratio in whole.items():
        table.add_row(f"{name}: {limit}", _shown(ratio), _shown(_ratio(figures.alone, name)))
    times = figures.added / figures.size
    what = f"the answer of {figures.size / 2**20:.0f} MiB adds to the peak (at most {MOST_MEMORY:g} times)"
    table.add_row(what, "", f"{times:.1f} times")
    for name, reason in figures.reasons.items():
        table.add_row(f"{name}: {reason}", "-", "-")
    console.print(table)
    return times <= MOST_MEMORY and all(ratio is None or ratio <= MOST_OF_VENDOR for ratio in whole.values())


def _measure(setup: Setup, turns: int, on_turn: Callable[[], object]) -> _Figures:
    client, deployment, rows = setup.client, setup.deployment, setup.table
    rounded = np.round(setup.columns["dense_input"].astype(np.float64), _DIGITS)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours = _recorded(setup, rows, directory / "ours.json")
        theirs = _recorded(setup, to_table({"dense_input": rounded}), directory / "theirs.json")
        our_url, their_url = (stack.enter_context(recorded_answer(file)) for file in (ours, theirs))
        api = str(httpx.URL(our_url).copy_with(path="/"))
        alone = stack.enter_context(connect(api, environment={"WALLAROO_TOKEN": "t"}))
        vendors, reasons = vendor_sdk.runnable({f"{vendor_sdk.name()}, a {FORM}": lambda: setup.by_vendor(FORM)})
        ways = {
            OURS: timed(lambda: infer(client, deployment, rows, wire="pandas-records")),
            IN_BATCHES: timed(
                lambda: list(infer_batches(client, deployment, rows.to_batches(), wire="pandas-records"))
            ),
        } | vendors
        ways_alone = {OURS: timed(lambda: infer(alone, our_url, rows, wire="pandas-records"))}
        ways_alone |= {name: lambda: setup.by_vendor(FORM, their_url) for name in vendors}
        return _Figures(
            whole=_medians(in_turns(ways, turns, on_turn=on_turn)),
            alone=_medians(in_turns(ways_alone, turns, on_turn=on_turn)),
            size=ours.stat().st_size,
            added=added_bytes(our_url),
            reasons=reasons,
        )


def _medians(seconds: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in seconds.items()}


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


def _ratio(medians: Mapping[str, float], ours: str) -> float | None:
    """Return our time by one way as a part of the vendor's; None where one of them was not measured."""
    theirs = [median for name, median in medians.items() if name not in {OURS, IN_BATCHES}]
    return medians[ours] / theirs[0] if theirs and ours in medians else None


def _shown(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.2f}"
