"""How fast the sandbox is: starting, answering, scoring; each beside what it is measured against."""

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
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import onnx
import pyarrow as pa
from onnx import TensorProto, helper, numpy_helper

from scripts.lib.bench.sandbox_processes import memory_of_tree_mib, sandboxes_below
from scripts.lib.bench.turns import in_turns, timed
from wallaroo_ext import connect, contract, deploy_pipeline, find_workspace, upload_model
from wallaroo_ext._util.arrow_files import to_file
from wallaroo_ext.inference.rows import to_table
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from wallaroo_mlops_client import Client

    from wallaroo_ext import Deployment

ROWS, WIDTH, HIDDEN = 100_000, 29, 64
RUNS = 9


def started() -> dict[str, float]:
    """Medians of starting a sandbox: `ready` seconds until it answers, `idle` MiB when all is loaded.

    The memory is that of the sandbox and of the process that has loaded the models' libraries, with what they share
    counted once.
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
    """Return whether wrk is there."""
    return shutil.which("wrk") is not None


def listed_per_second() -> float:
    """Answers of workspaces/list a second: three workspaces, one token, one worker; the median of three runs of wrk."""
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
            f'wrk.headers["Content-Type"] = "application/json"\nwrk.headers["Authorization"] = "{bearer(client)}"\n',
            encoding="utf-8",
        )
        url = environment["WALLAROO_API_URL"] + contract.operation("list_workspaces").path
        return statistics.median(_wrk(script, url) for _ in range(3))


def bearer(client: Client) -> str:
    """Return the Authorization header that a client sends."""
    answer = client.get_httpx_client().post(contract.operation("list_workspaces").path, json={})
    return answer.request.headers["Authorization"]


def _wrk(script: Path, url: str) -> float:
    command = ["wrk", "-t1", "-c8", "-d4s", "-s", str(script), url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said:
        raise RuntimeError(said)
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    return float(found[1]) if found else 0.0


def model() -> bytes:
    """Return a network of 29 inputs, 64 hidden units and one output."""
    random = np.random.default_rng(0)
    weights = {
        "w1": random.normal(size=(WIDTH, HIDDEN)).astype(np.float32),
        "w2": random.normal(size=(HIDDEN, 1)).astype(np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["dense_input", "w1"], ["sums"]),
        helper.make_node("Relu", ["sums"], ["hidden"]),
        helper.make_node("MatMul", ["hidden", "w2"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["dense_1"]),
    ]
    graph = helper.make_graph(
        nodes,
        "bench",
        [helper.make_tensor_value_info("dense_input", TensorProto.FLOAT, ["N", WIDTH])],
        [helper.make_tensor_value_info("dense_1", TensorProto.FLOAT, ["N", 1])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    made: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return made.SerializeToString()


def scored() -> dict[str, float]:
    """Medians in seconds: `sandbox` answering Arrow, and `engine`, onnxruntime with reading and writing Arrow."""
    body = to_file(to_table({"dense_input": np.random.default_rng(1).normal(size=(ROWS, WIDTH)).astype(np.float32)}))
    content = body.to_pybytes()
    onnxruntime: Any = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    # Otherwise its threads go on spinning after a run, where the sandbox wants to work on the next request.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(model(), options, providers=["CPUExecutionProvider"])
    with running() as environment, connect(environment=environment) as client:
        url = deployed(client).url
        kind = contract.operation("infer_pipeline").request_types[1]
        headers = {"Content-Type": kind, "Accept": kind, "Authorization": bearer(client)}
        # The standard library's client adds least of its own: it is the sandbox that is measured here.
        connection = http.client.HTTPConnection(httpx.URL(url).host, httpx.URL(url).port)

        def ask() -> None:
            connection.request("POST", httpx.URL(url).path, content, headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != HTTPStatus.OK:
                raise RuntimeError(body[:500])

        ways = {"sandbox": timed(ask), "engine": timed(lambda: _bare(session, content))}
        return {name: statistics.median(seconds) for name, seconds in in_turns(ways, RUNS).items()}


def _bare(session: Any, content: bytes) -> None:
    """Read the Arrow file, run the model, write inputs and outputs as an Arrow file."""
    table = pa.ipc.open_file(io.BytesIO(content)).read_all()
    column: Any = table.column("dense_input").chunk(0)
    rows = column.flatten().to_numpy().reshape(-1, WIDTH)
    output = session.run(None, {"dense_input": rows})[0]
    to_file(table.append_column("dense_1", to_table({"dense_1": output}).column(0)))


def deployed(client: Client) -> Deployment:
    """Return the model, deployed on the sandbox."""
    return deploy_pipeline(client, "bench", upload_model(client, model(), name="bench"))
