"""Measures the transports httpx, aiohttp and pyreqwest side by side, through `connect` and on a sandbox.

Only this section installs pyreqwest, in a directory of its own, which is removed at the end.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
from wallaroo_mlops_client.api.workspaces import list_workspaces
from wallaroo_mlops_client.models import ListWorkspacesRequest

from scripts.lib.bench.model import WIDTH, deploy_model
from scripts.lib.bench.turns import in_turns, progress_bar, result_table, timed
from wallaroo_ext import aio, connect, operations
from wallaroo_ext.inference.infer import score_steps
from wallaroo_ext.inference.inputs.rows import to_table
from wallaroo_ext.operations import call_steps
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.console import Console
    from wallaroo_mlops_client import Client

    from scripts.lib.bench.turns import Way
    from wallaroo_ext import Deployment
    from wallaroo_ext.operations import Steps

TURNS = 5
CALLS = 960
AT_A_TIME = 64
ROWS = 2_000
"""As many as fit into an Arrow file that is sent in one piece; pyreqwest's transport takes no larger ones."""
LARGE_CALLS = 64
LARGE_AT_A_TIME = 8
_LOCK = Path(__file__).resolve().parents[2] / "requirements" / "pyreqwest.txt"


@dataclass(frozen=True)
class Work:
    """Requests to send, several at a time or one after the other.

    Attributes:
        title: The name in the table.
        calls: How many requests there are.
        at_a_time: How many are in flight at a time.
        steps: Makes the steps of a request.
    """

    title: str
    calls: int
    at_a_time: int
    steps: Callable[[], Steps[object]]


def transports(console: Console) -> bool:
    """Measure each transport in threads and in asyncio: small calls one and many at a time, and many rows."""
    table = result_table(f"Transports, medians of {TURNS} turns", "what", "by", "requests a second", "times httpx")
    with ExitStack() as stack:
        stack.enter_context(_pyreqwest_installed())
        environment = stack.enter_context(running())
        works = _works(deploy_model(stack.enter_context(connect(environment=environment))))
        on_turn = stack.enter_context(progress_bar(console, "transports", 2 * len(works) * (TURNS + 1)))
        for work in works:
            for kind, ways in (
                ("threads", _in_threads(stack, environment, work)),
                ("asyncio", _in_asyncio(stack, environment, work)),
            ):
                medians = {
                    name: statistics.median(times) for name, times in in_turns(ways, TURNS, on_turn=on_turn).items()
                }
                for name, seconds in medians.items():
                    times = f"{medians['httpx'] / seconds:.2f}"
                    table.add_row(f"{work.title}, {kind}", name, f"{work.calls / seconds:,.0f}", times)
    console.print(table)
    return True


def _works(deployment: Deployment) -> list[Work]:
    body = ListWorkspacesRequest()
    rows = to_table({"dense_input": np.random.default_rng(1).normal(size=(ROWS, WIDTH)).astype(np.float32)})

    def listed() -> Steps[object]:
        return call_steps(list_workspaces, body=body)

    def scored() -> Steps[object]:
        return score_steps(deployment.url, rows)

    return [
        Work("workspaces/list", CALLS, 1, listed),
        Work(f"{AT_A_TIME} at a time", CALLS, AT_A_TIME, listed),
        Work(f"{ROWS:,} rows, {LARGE_AT_A_TIME} at a time", LARGE_CALLS, LARGE_AT_A_TIME, scored),
    ]


@contextmanager
def _pyreqwest_installed() -> Generator[None]:
    """Install pyreqwest while a `with` block runs."""
    with tempfile.TemporaryDirectory(prefix="wallaroo-pyreqwest-") as directory:
        command = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--system-certs"]
        command += ["--require-hashes", "--no-deps", "--target", directory, "--requirements", str(_LOCK)]
        subprocess.run(command, check=True)
        sys.path.append(directory)
        try:
            yield
        finally:
            sys.path.remove(directory)


def _pyreqwest_transport(name: str) -> Any:
    """Return one of pyreqwest's transports for httpx."""
    return getattr(import_module("pyreqwest.compatibility.httpx"), name)()


def _options(transport: Any) -> dict[str, Any]:
    """Return options of `connect` for a transport, with as many connections as requests; pyreqwest has no limit."""
    limits = {"limits": httpx.Limits(max_connections=AT_A_TIME)} if isinstance(transport, str) else {}
    return {"transport": transport, **limits}


def _in_threads(stack: ExitStack, environment: dict[str, str], work: Work) -> dict[str, Way]:
    """Return a way for each transport that threads can use."""
    pool = stack.enter_context(ThreadPoolExecutor(work.at_a_time))

    def way(transport: Any) -> Way:
        client = stack.enter_context(connect(environment=environment, **_options(transport)))
        return timed(lambda: run(client))

    def run(client: Client) -> None:
        sent = [pool.submit(operations.run, client, work.steps()) for _ in range(work.calls)]
        for future in sent:
            future.result()

    return {"httpx": way("httpx"), "pyreqwest": way(_pyreqwest_transport("SyncHttpxTransport"))}


def _in_asyncio(stack: ExitStack, environment: dict[str, str], work: Work) -> dict[str, Way]:
    """Return a way for each transport that event loops can use."""
    runner = stack.enter_context(asyncio.Runner())

    def way(transport: Any) -> Way:
        client = aio.connect(environment=environment, **_options(transport))
        stack.callback(lambda: runner.run(client.get_async_httpx_client().aclose()))
        return timed(lambda: runner.run(run(client)))

    async def run(client: Any) -> None:
        free = asyncio.Semaphore(work.at_a_time)

        async def send() -> None:
            async with free:
                await aio.run(client, work.steps())

        await asyncio.gather(*(send() for _ in range(work.calls)))

    ways = {"httpx": way("httpx"), "aiohttp": way("aiohttp")}
    return ways | {"pyreqwest": way(_pyreqwest_transport("HttpxTransport"))}
