"""Runs tasks with the vendor's SDK, as a program in an environment of its own; see `sdk.py`.

It signs in to the instance that its environment names, reads a line of JSON for each task, and writes one for each. The
SDK prints, so its standard output is redirected to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO


def connect() -> Any:
    """Return the SDK's client of the instance that the environment names, in the user's own workspace."""
    client = import_module("wallaroo").Client(api_endpoint=os.environ["WALLAROO_API_URL"], auth_type="user_password")
    client.get_current_workspace()
    return client


def infer(client: Any, task: dict[str, Any]) -> dict[str, Any]:
    """Score the rows of an Arrow file once, as a table or as a data frame. Returns the `seconds` and the `rows`.

    They are sent to the deployment, or to the task's `url`.
    """
    rows = _rows(task["file"], task["form"])
    deployment = _deployment(client, task["deployment"], task.get("url"))
    began = time.perf_counter()
    scored = deployment.infer(rows, timeout=600)
    return {"seconds": time.perf_counter() - began, "rows": len(scored)}


@cache
def _deployment(client: Any, name: str, url: str | None) -> Any:
    """Return the SDK's deployment of a name, with another URL if any; it has asked for all that it needs to score."""
    deployment = client.deployment_by_name(name)
    deployment.url()
    if url is not None:
        deployment._url = lambda: url  # noqa: SLF001 - the SDK has no other way to measure it without an instance
    return deployment


@cache
def _rows(file: str, form: str) -> Any:
    """Return the rows of a file."""
    table: Any = import_module("pyarrow").ipc.open_file(file).read_all()
    return _data_frame(table) if form == "data frame" else table


def _data_frame(table: Any) -> Any:
    """Return a table as a data frame whose cells are lists."""
    return import_module("pandas").DataFrame({name: table[name].to_pylist() for name in table.column_names})


def upload(client: Any, task: dict[str, Any]) -> dict[str, Any]:
    """Upload a file with the SDK. Returns the `seconds` and the `mib` added to the peak of memory."""
    framework = import_module("wallaroo.framework").Framework.CUSTOM
    schema = import_module("pyarrow").schema([])
    before = _peak_mib()
    began = time.perf_counter()
    client.upload_model(task["name"], task["file"], framework, schema, schema, convert_wait=False)
    return {"seconds": time.perf_counter() - began, "mib": _peak_mib() - before}


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
    client = connect()
    for task in tasks:
        print(json.dumps(run_task(client, json.loads(task))), file=results, flush=True)


if __name__ == "__main__":
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    main(sys.stdin, results)
