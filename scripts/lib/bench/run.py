"""Measures speed and memory side by side, and prints ratios and differences.

    scripts/bench [SECTION ...] [--upload-mib N] [--picture FILE] [--no-vendor]

Without a section, it measures all of them.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scripts.lib.bench.batch.throughput import PICTURE, batch, memory
from scripts.lib.bench.core import core_imports, layers
from scripts.lib.bench.inference import many_rows, one_row
from scripts.lib.bench.sandbox import has_load_generator, lists_per_second, scoring_seconds, start_figures
from scripts.lib.bench.soak import GROWTH, HOUR, SECONDS, Soaked, soak
from scripts.lib.bench.transports import transports
from scripts.lib.bench.turns import result_table
from scripts.lib.bench.uploads.large_upload import SIZE, large_upload
from scripts.lib.bench.uploads.memory import MIB, WAYS, measure
from scripts.lib.called_from import called_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

RUNS = 11
UPLOAD = 300 * MIB
SHOWN_ERRORS = 10


def import_seconds(statement: str) -> float:
    """Return how long a new interpreter takes for a statement, beyond its own start."""
    return _run_seconds(statement) - _run_seconds("pass")


def _run_seconds(statement: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - started


def imports(console: Console) -> bool:
    """Measure `import wallaroo_ext` beside `import httpx`, in turns."""
    statements = ("import httpx", "import wallaroo_ext", "import wallaroo_mlops_client.models")
    times: dict[str, list[float]] = {statement: [] for statement in statements}
    for _ in range(RUNS):
        for statement in statements:
            times[statement].append(import_seconds(statement))
    table = result_table(f"Imports, medians of {RUNS} interleaved runs", "statement", "milliseconds", "of httpx")
    medians = {statement: statistics.median(values) for statement, values in times.items()}
    for statement, median in medians.items():
        table.add_row(statement, f"{median * 1000:.0f}", f"{median / medians['import httpx']:.2f}")
    console.print(table)
    return True


def uploads(console: Console) -> bool:
    """Measure what an upload adds to the peaks of memory."""
    title = f"An upload of {UPLOAD // MIB} MiB: added to the peak of memory"
    table = result_table(title, "by", "client", "sandbox", "seconds")
    for way in WAYS:
        added = measure(way, UPLOAD)
        table.add_row(way, f"{added['client']:.1f} MiB", f"{added['sandbox']:.1f} MiB", f"{added['seconds']:.2f}")
    console.print(table)
    return True


def sandbox(console: Console) -> bool:
    """Measure how fast the sandbox starts, answers and scores."""
    table = result_table("The sandbox", "what", "measured")
    start = start_figures()
    table.add_row("ready after", f"{start['ready']:.2f} s")
    table.add_row("resident when idle, all loaded", f"{start['idle']:.0f} MiB")
    table.add_row("workspaces/list, one token, three workspaces", f"{lists_per_second():.0f} a second")
    times = scoring_seconds()
    ratio = times["sandbox"] / times["engine"]
    table.add_row("100,000 x 29 in Arrow, logged", f"{times['sandbox'] * 1000:.0f} ms")
    table.add_row("beside onnxruntime.run with reading and writing it", f"{ratio:.1f} times")
    console.print(table)
    return True


def soak_section(console: Console) -> bool:
    """Send an hour's worth of mixed requests. Returns whether all succeed and the memory stays flat."""
    bar = (TextColumn("soak"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*bar, console=console, transient=True) as progress:
        task = progress.add_task("", total=HOUR)
        soaked = soak(lambda done, mib: progress.update(task, completed=done, description=f"{mib:.0f} MiB"))
    title = f"An hour's {HOUR:,} requests, sent in {SECONDS:.0f} s: milliseconds until answered"
    table = result_table(title, "what", "requests", "p50", "p99", "slowest")
    for name, seconds in soaked.seconds.items():
        if seconds:
            p50, p99, slowest = np.percentile(seconds, (50, 99, 100)) * 1000
            table.add_row(name, f"{len(seconds)}", f"{p50:.1f}", f"{p99:.1f}", f"{slowest:.1f}")
    console.print(table)
    console.print(_process_table(soaked))
    for error in soaked.errors[:SHOWN_ERRORS]:
        console.print(error, markup=False)
    return soaked.is_good


def _process_table(soaked: Soaked) -> Table:
    table = result_table("The sandbox's process", "what", "measured")
    before, after = soaked.memory_before, soaked.memory_after
    table.add_row("answered in", f"{soaked.took:.0f} s")
    table.add_row("failed", f"{len(soaked.errors)}")
    table.add_row("resident after the warm-up", f"{before:.0f} MiB")
    table.add_row(f"resident at the end (at most {GROWTH:.0%} more)", f"{after:.0f} MiB ({after / before - 1:+.1%})")
    table.add_row("slope for an hour's requests", f"{soaked.slope:+.1f} MiB")
    return table


SECTIONS: dict[str, Callable[[Console], bool]] = {
    "imports": imports,
    "core": core_imports,
    "layers": layers,
    "transports": transports,
    "uploads": uploads,
    "sandbox": sandbox,
    "soak": soak_section,
    "one-row": one_row,
    "many-rows": many_rows,
    "large-upload": large_upload,
    "batch": batch,
    "batch-memory": memory,
}
"""The sections, by name; each returns whether its figures are within their limits."""


def main(arguments: list[str]) -> int:
    """Measure the sections. Returns 1 if a figure is beyond its limit, and 2 if wrk is missing."""
    parser = _parser()
    options = parser.parse_args(arguments)
    chosen: list[str] = options.sections or list(SECTIONS)
    unknown = [name for name in chosen if name not in SECTIONS]
    if unknown:
        parser.error(f"there is no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    if "sandbox" in chosen and not has_load_generator():
        print("The section sandbox needs the load generator wrk: apt-get install wrk.", file=sys.stderr)
        return 2
    console = Console()
    sections = SECTIONS | _sections_with(options)
    results = [sections[name](console) for name in chosen]
    return 0 if all(results) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures speed and memory side by side.")
    parser.add_argument("sections", metavar="SECTION", nargs="*", help=f"any of: {', '.join(SECTIONS)}")
    parser.add_argument("--upload-mib", type=int, default=SIZE // MIB, help="the size of the large upload, %(default)s")
    parser.add_argument(
        "--picture", type=called_path, default=PICTURE, help="where the section batch draws its figures, %(default)s"
    )
    parser.add_argument("--no-vendor", action="store_true", help="leave out the vendor's SDK, which is downloaded")
    return parser


def _sections_with(options: argparse.Namespace) -> dict[str, Callable[[Console], bool]]:
    """Return the sections that take options, with these."""
    with_vendor = not options.no_vendor
    return {
        "one-row": partial(one_row, with_vendor=with_vendor),
        "many-rows": partial(many_rows, with_vendor=with_vendor),
        "batch": partial(batch, picture=options.picture, with_vendor=with_vendor),
        "large-upload": partial(large_upload, size=options.upload_mib * MIB, with_vendor=with_vendor),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
