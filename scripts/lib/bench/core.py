"""Measures the core: its import beside httpx's, and what sign-in and retries add to a call."""

from __future__ import annotations

import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from scripts.lib.bench.turns import result_table
from wallaroo_ext import connect, contract
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

RUNS = 31
MOST_OF_HTTPX = 1.3
MOST_MICROSECONDS = 60.0
_ROOT = Path(__file__).resolve().parents[3]
_BATCHES, _CALLS = 60, 50
_API = "https://api.example.com"


def core_imports(console: Console) -> bool:
    """Measure `import wallaroo_ext` beside `import httpx`, with only the core's dependencies installed.

    Returns whether the ratio is within the limit.
    """
    statements = ("pass", "import httpx", "import wallaroo_ext")
    times: dict[str, list[float]] = {statement: [] for statement in statements}
    with tempfile.TemporaryDirectory() as directory:
        link_core(Path(directory))
        for _ in range(RUNS):
            for statement in statements:
                times[statement].append(_seconds(statement, directory))
    medians = {statement: statistics.median(values) for statement, values in times.items()}
    base, ours = (medians[statement] - medians["pass"] for statement in statements[1:])
    ratio = ours / base
    title = f"Imports with the core only, processor time, medians of {RUNS} runs"
    table = result_table(title, "statement", "milliseconds", f"of httpx (at most {MOST_OF_HTTPX})")
    table.add_row("import httpx", f"{base * 1000:.0f}", "1.00")
    table.add_row("import wallaroo_ext", f"{ours * 1000:.0f}", f"{ratio:.2f}")
    console.print(table)
    return ratio <= MOST_OF_HTTPX


def _seconds(statement: str, directory: str) -> float:
    """Return the processor time of a new interpreter that sees only the standard library and one directory."""
    environment = {**os.environ, "PYTHONPATH": directory, "PYTHONPYCACHEPREFIX": f"{directory}/.pycache"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = _children_seconds()
    subprocess.run([sys.executable, "-S", "-c", statement], check=True, env=environment)
    return _children_seconds() - before


def _children_seconds() -> float:
    """Return the processor time of this process's ended children, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def link_core(directory: Path) -> None:
    """Link the core's dependencies and this project's two packages into a directory."""
    for found in core_distributions():
        for entry in {file.parts[0] for file in found.files or () if ".." not in file.parts}:
            (directory / entry).symlink_to(Path(str(found.locate_file(entry))))
    (directory / "wallaroo_ext").symlink_to(_ROOT / "wallaroo_ext")
    (directory / "wallaroo_mlops_client").symlink_to(_ROOT / "generated" / "wallaroo_mlops_client")


def core_distributions() -> list[Distribution]:
    """Return the dependencies of this project without any extra, and theirs."""
    found: dict[str, Distribution] = {}
    pending = list(_requirements(distribution("wallaroo-ext")))
    while pending:
        name = pending.pop()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # for another platform or Python
            continue
        pending += _requirements(found[name])
    return list(found.values())


def _requirements(package: Distribution) -> Iterator[str]:
    """Yield the names of the distributions that a distribution requires without its extras."""
    for line in package.requires or ():
        requirement, _, marker = line.partition(";")
        if "extra" not in marker:
            yield re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()


def layers(console: Console) -> bool:
    """Measure the microseconds that sign-in and retries add to a call, in memory and on a sandbox.

    Returns whether they are within the limit.
    """
    title = f"A call of workspaces/list, medians of {_BATCHES} pairs of batches of {_CALLS}; in memory, processor time"
    table = result_table(title, "microseconds", "httpx", "connect", f"added (at most {MOST_MICROSECONDS:.0f})")
    added: list[float] = []
    for where, (bare, ours, difference) in {"in memory": _in_memory(), "sandbox": _on_a_sandbox()}.items():
        table.add_row(where, f"{bare:.0f}", f"{ours:.0f}", f"{difference:+.0f}")
        added.append(difference)
    console.print(table)
    return max(added) <= MOST_MICROSECONDS


def _in_memory() -> tuple[float, float, float]:
    token = contract.operation("request_token").path

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == token:
            return httpx.Response(200, json={"access_token": "t", "expires_in": 3600})
        return httpx.Response(200, content=b'{"workspaces": []}')

    transport = httpx.MockTransport(handle)
    environment = {"WALLAROO_USER": "u", "WALLAROO_PASSWORD": "p"}
    with (
        httpx.Client(base_url=_API, transport=transport) as bare,
        connect(_API, environment=environment, transport=transport) as client,
    ):
        return _side_by_side(bare, client.get_httpx_client(), time.thread_time)


def _on_a_sandbox() -> tuple[float, float, float]:
    with running() as environment, connect(environment=environment) as client:
        ours = client.get_httpx_client()
        answer = ours.post(contract.operation("list_workspaces").path, json={})
        headers = {"Authorization": answer.request.headers["Authorization"]}
        with httpx.Client(base_url=environment["WALLAROO_API_URL"], trust_env=False, headers=headers) as bare:
            return _side_by_side(bare, ours, time.perf_counter)


def _side_by_side(bare: httpx.Client, ours: httpx.Client, clock: Callable[[], float]) -> tuple[float, float, float]:
    """Return the median microseconds of a call by each client, and of the differences between neighbouring batches."""
    path = contract.operation("list_workspaces").path

    def batch(client: httpx.Client) -> float:
        began = clock()
        for _ in range(_CALLS):
            client.post(path, json={}).raise_for_status()
        return (clock() - began) / _CALLS * 1e6

    for client in (bare, ours):
        batch(client)
    pairs = [(batch(bare), batch(ours)) for _ in range(_BATCHES)]
    return (
        statistics.median(bare for bare, _ in pairs),
        statistics.median(ours for _, ours in pairs),
        statistics.median(ours - bare for bare, ours in pairs),
    )
