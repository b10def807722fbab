"""Runs tasks with the vendor's SDK, as a program in an environment of its own; see `sdk.py`.

It reads lines of JSON: first the instance, then the tasks, and writes a line of JSON for each task. The SDK prints, so
its standard output is redirected to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from functools import cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

_CONFIG = {"default_arch": "x86"}
"""The instance's settings, which the SDK would ask for; the contract has no operation that answers them."""


def connect(instance: dict[str, Any]) -> Any:
    """Return the SDK's client of an instance, signed in by a token file; its own sign-in needs a browser."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as credentials:
        json.dump({"token": instance["token"], "user_email": "", "user_id": ""}, credentials)
        credentials.flush()
        os.environ["WALLAROO_SDK_CREDENTIALS"] = credentials.name
        return import_module("wallaroo").Client(api_endpoint=instance["api"], auth_type="token", config=_CONFIG)


def infer(client: Any, task: dict[str, Any]) -> dict[str, Any]:
    """Score the rows of an Arrow file once, as a table or as a data frame. Returns the `seconds` and the `rows`."""
    scoring, rows = _prepare(client, task["deployment"]["name"], task["deployment"]["id"], task["file"], task["form"])
    began = time.perf_counter()
    scored = scoring.infer(rows, timeout=600)
    return {"seconds": time.perf_counter() - began, "rows": len(scored)}


@cache
def _prepare(client: Any, name: str, deployment_id: int, file: str, form: str) -> tuple[Any, Any]:
    """Return the SDK's deployment, made without the GraphQL endpoint that it would ask, and the rows."""
    fields = {"id": deployment_id, "deploy_id": name, "pipeline": {"pipeline_id": name}}
    table: Any = import_module("pyarrow").ipc.open_file(file).read_all()
    rows = _data_frame(table) if form == "data frame" else table
    return import_module("wallaroo.deployment").Deployment(client, fields), rows


def _data_frame(table: Any) -> Any:
    """Return a table as a data frame whose cells are lists."""
    return import_module("pandas").DataFrame({name: table[name].to_pylist() for name in table.column_names})


def upload(client: Any, task: dict[str, Any]) -> dict[str, Any]:
    """Upload a file with the SDK. Returns the `seconds` and the `mib` added to the peak of memory.

    Its requests before and after the upload are left out: one to a GraphQL endpoint for the workspace, and one for the
    version to an operation that is not in the contract.
    """
    framework = import_module("wallaroo.framework").Framework.CUSTOM
    schema = import_module("pyarrow").schema([])
    client._current_workspace = SimpleNamespace(id=lambda: task["workspace_id"])  # noqa: SLF001 - in place of GraphQL
    client._get_configured_model_version = _identity  # noqa: SLF001 - in place of the operation
    before = _peak_mib()
    began = time.perf_counter()
    client.upload_model(task["name"], task["file"], framework, schema, schema, convert_wait=False)
    return {"seconds": time.perf_counter() - began, "mib": _peak_mib() - before}


def _identity(version: Any) -> Any:
    return version


def _peak_mib() -> float:
    """Return the peak of this process's resident memory in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def run_task(client: Any, task: dict[str, Any]) -> dict[str, Any]:
    """Run a task. Returns its figures, or its `error`."""
    try:
        return {"infer": infer, "upload": upload}[task["do"]](client, task)
    except Exception as error:  # noqa: BLE001 - whatever it is, it stands in the table
        return {"error": f"{type(error).__name__}: {str(error)[:300]}"}


def main(tasks: TextIO, results: TextIO) -> None:
    """Run the tasks of one stream and write their results to the other."""
    client = connect(json.loads(tasks.readline()))
    for task in tasks:
        print(json.dumps(run_task(client, json.loads(task))), file=results, flush=True)


if __name__ == "__main__":
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    main(sys.stdin, results)
