"""Speed and memory, as ratios and differences that are measured side by side in one run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table
from upload_memory import MIB, WAYS, measure

RUNS = 11
UPLOAD = 300 * MIB


def import_seconds(statement: str) -> float:
    """How long a fresh interpreter takes for a statement, beyond what it takes for none."""
    return _run_seconds(statement) - _run_seconds("pass")


def _run_seconds(statement: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - started


def imports(console: Console) -> None:
    """`import wallaroo_ext` beside `import httpx`, interleaved."""
    statements = ("import httpx", "import wallaroo_ext", "import wallaroo_mlops_client.models")
    times: dict[str, list[float]] = {statement: [] for statement in statements}
    for _ in range(RUNS):
        for statement in statements:
            times[statement].append(import_seconds(statement))
    table = Table(title=f"Imports, medians of {RUNS} interleaved runs", title_justify="left")
    for column in ("statement", "milliseconds", "of httpx"):
        table.add_column(column, justify="left" if column == "statement" else "right")
    medians = {statement: statistics.median(values) for statement, values in times.items()}
    for statement, median in medians.items():
        table.add_row(statement, f"{median * 1000:.0f}", f"{median / medians['import httpx']:.2f}")
    console.print(table)


def uploads(console: Console) -> None:
    """What an upload adds to the peaks of memory."""
    table = Table(title=f"An upload of {UPLOAD // MIB} MiB: added to the peak of memory", title_justify="left")
    for column in ("by", "client", "sandbox", "seconds"):
        table.add_column(column, justify="left" if column == "by" else "right")
    for way in WAYS:
        figures = measure(way, UPLOAD)
        table.add_row(way, f"{figures['client']:.1f} MiB", f"{figures['sandbox']:.1f} MiB", f"{figures['seconds']:.2f}")
    console.print(table)


def main() -> None:
    """Run every measurement."""
    console = Console()
    imports(console)
    uploads(console)


if __name__ == "__main__":
    main()
