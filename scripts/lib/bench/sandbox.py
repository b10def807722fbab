"""Measures how fast the sandbox starts, answers and scores."""

from __future__ import annotations

import http.client
import io
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa

from scripts.lib.bench.model import WIDTH, authorization, deploy_model, model_content
from scripts.lib.bench.sandbox_processes import memory_of_tree_mib, sandboxes_below
from scripts.lib.bench.turns import in_turns, timed
from wallaroo_ext import connect, contract, find_workspace
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.inference.inputs.rows import to_table
from wallaroo_ext.sandbox.process import running

ROWS = 100_000
RUNS = 9


def start_figures() -> dict[str, float]:
    """Return medians of starting a sandbox: `ready` in seconds until it answers, `idle` in MiB when all is loaded.

    The memory is that of the sandbox and of the process that loads the models' libraries; shared memory counts once.
    """
    ready: list[float] = []
    idle: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        with running() as environment:
            httpx.get(environment["WALLAROO_API_URL"], trust_env=False)
            ready.append(time.perf_counter() - began)
            time.sleep(4)
            idle.append(memory_of_tree_mib(sandboxes_below(os.getpid())[0]))
    return {"ready": statistics.median(ready), "idle": statistics.median(idle)}


def has_load_generator() -> bool:
    """Return whether wrk is installed."""
    return shutil.which("wrk") is not None


def lists_per_second() -> float:
    """Return how many times a second workspaces/list is answered: the median of three runs of wrk.

    There are three workspaces, one token and one worker.
    """
    with (
        running() as environment,
        connect(environment=environment) as client,
        tempfile.TemporaryDirectory() as directory,
    ):
        for name in ("second", "third"):
            find_workspace(client, name, create=True)
        script = Path(directory) / "list.lua"
        script.write_text(
            f'wrk.method = "POST"\nwrk.body = "{{}}"\n'
            f'wrk.headers["Content-Type"] = "application/json"\n'
            f'wrk.headers["Authorization"] = "{authorization(client)}"\n',
            encoding="utf-8",
        )
        url = environment["WALLAROO_API_URL"] + contract.operation("list_workspaces").path
        return statistics.median(_wrk(script, url) for _ in range(3))


def _wrk(script: Path, url: str) -> float:
    command = ["wrk", "-t1", "-c8", "-d4s", "-s", str(script), url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output:
        raise RuntimeError(output)
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    return float(found[1]) if found else 0.0


def scoring_seconds() -> dict[str, float]:
    """Return medians in seconds: `sandbox` to answer Arrow, `engine` for onnxruntime to read, score and write Arrow."""
    body = to_file(to_table({"dense_input": np.random.default_rng(1).normal(size=(ROWS, WIDTH)).astype(np.float32)}))
    content = body.to_pybytes()
    onnxruntime: Any = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    # Otherwise its threads keep spinning after a run and take time from the sandbox.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(model_content(), options, providers=["CPUExecutionProvider"])
    with running() as environment, connect(environment=environment) as client:
        url = deploy_model(client).url
        kind = contract.operation("infer_pipeline").request_types[1]
        headers = {"Content-Type": kind, "Accept": kind, "Authorization": authorization(client)}
        parts = {
            "dataset[]": "*",
            "dataset.exclude[]": "metadata",
            "dataset.separator": ".",
        }  # as published clients send
        path = str(httpx.URL(url, params=parts).raw_path, "ascii")
        # The standard library's client adds the least time of its own.
        connection = http.client.HTTPConnection(httpx.URL(url).host, httpx.URL(url).port)

        def infer() -> None:
            connection.request("POST", path, content, headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != HTTPStatus.OK:
                raise RuntimeError(body[:500])

        ways = {"sandbox": timed(infer), "engine": timed(lambda: _score_directly(session, content))}
        return {name: statistics.median(seconds) for name, seconds in in_turns(ways, RUNS).items()}


def _score_directly(session: Any, content: bytes) -> None:
    """Read the Arrow file, run the model, write inputs and outputs as an Arrow file."""
    table = pa.ipc.open_file(io.BytesIO(content)).read_all()
    column: Any = table.column("dense_input").chunk(0)
    rows = column.flatten().to_numpy().reshape(-1, WIDTH)
    output = session.run(None, {"dense_input": rows})[0]
    to_file(table.append_column("dense_1", to_table({"dense_1": output}).column(0)))
