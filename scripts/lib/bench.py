"""Speed and memory, as ratios and differences that are measured side by side in one run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table
from sandbox_bench import has_load_generator, listed_per_second, scored, started
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


def sandbox(console: Console) -> None:
    """How fast the sandbox starts, answers and scores."""
    table = Table(title="The sandbox", title_justify="left")
    table.add_column("what")
    table.add_column("measured", justify="right")
    start = started()
    table.add_row("ready after", f"{start['ready']:.2f} s")
    table.add_row("resident when idle, all loaded", f"{start['idle']:.0f} MiB")
    table.add_row("workspaces/list, one token, three workspaces", f"{listed_per_second():.0f} a second")
    times = scored()
    ratio = times["sandbox"] / times["engine"]
    table.add_row("100,000 x 29 in Arrow, logged", f"{times['sandbox'] * 1000:.0f} ms")
    table.add_row("beside onnxruntime.run with reading and writing it", f"{ratio:.1f} times")
    console.print(table)


def main() -> int:
    """Run every measurement; exit with 2 where the load generator is missing."""
    if not has_load_generator():
        print("scripts/bench needs the load generator wrk: apt-get install wrk.", file=sys.stderr)
        return 2
    console = Console()
    imports(console)
    uploads(console)
    sandbox(console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
