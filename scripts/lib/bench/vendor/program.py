"""What the vendor's SDK is told to do, as a program in an environment of its own; see `sdk.py`.

Lines of JSON come in: first the instance, then one task after the other. For each task, one goes out. The SDK prints,
so that its standard output is the other one.
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
"""What the instance would answer when it is asked for its settings; no operation of the contract does."""


def connected(instance: dict[str, Any]) -> Any:
    """Return the SDK's client of an instance, with a token that is there already; its own sign-in wants a browser.

    It takes the token from a file.
    """
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as credentials:
        json.dump({"token": instance["token"], "user_email": "", "user_id": ""}, credentials)
        credentials.flush()
        os.environ["WALLAROO_SDK_CREDENTIALS"] = credentials.name
        return import_module("wallaroo").Client(api_endpoint=instance["api"], auth_type="token", config=_CONFIG)


def infer(client: Any, task: dict[str, Any]) -> dict[str, Any]:
    """Score the rows of an Arrow file once, as a table or as a data frame."""
    scoring, rows = _prepared(client, task["deployment"]["name"], task["deployment"]["id"], task["file"], task["form"])
    began = time.perf_counter()
    scored = scoring.infer(rows, timeout=600)
    return {"seconds": time.perf_counter() - began, "rows": len(scored)}


@cache
def _prepared(client: Any, name: str, deployment_id: int, file: str, form: str) -> tuple[Any, Any]:
    """Return the SDK's object for a deployment, with what it would ask a GraphQL endpoint for, and the rows."""
    known = {"id": deployment_id, "deploy_id": name, "pipeline": {"pipeline_id": name}}
    table: Any = import_module("pyarrow").ipc.open_file(file).read_all()
    rows = _data_frame(table) if form == "data frame" else table
    return import_module("wallaroo.deployment").Deployment(client, known), rows


def _data_frame(table: Any) -> Any:
    """Return a table as a data frame whose cells are lists."""
    return import_module("pandas").DataFrame({name: table[name].to_pylist() for name in table.column_names})


def upload(client: Any, task: dict[str, Any]) -> dict[str, Any]:
    """Send a file as `upload_model` does, without the questions before and after it.

    It would ask a GraphQL endpoint for the workspace before, and an operation that the contract does not have for the
    version after.
    """
    framework = import_module("wallaroo.framework").Framework.CUSTOM
    schema = import_module("pyarrow").schema([])
    client._current_workspace = SimpleNamespace(id=lambda: task["workspace_id"])  # noqa: SLF001 - in place of GraphQL
    client._get_configured_model_version = _same  # noqa: SLF001 - in place of the operation
    before = _peak_mib()
    began = time.perf_counter()
    client.upload_model(task["name"], task["file"], framework, schema, schema, convert_wait=False)
    return {"seconds": time.perf_counter() - began, "mib": _peak_mib() - before}


def _same(version: Any) -> Any:
    return version


def _peak_mib() -> float:
    """Return the peak of this process's resident memory."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def answered(client: Any, task: dict[str, Any]) -> dict[str, Any]:
    """Return what became of a task."""
    try:
        return {"infer": infer, "upload": upload}[task["do"]](client, task)
    except Exception as error:  # noqa: BLE001 - whatever it is, it stands in the table
        return {"error": f"{type(error).__name__}: {str(error)[:300]}"}


def main(tasks: TextIO, answers: TextIO) -> None:
    """Do what is asked until there is no more."""
    client = connected(json.loads(tasks.readline()))
    for task in tasks:
        print(json.dumps(answered(client, json.loads(task))), file=answers, flush=True)


if __name__ == "__main__":
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    main(sys.stdin, ours)
