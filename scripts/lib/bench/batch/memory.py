"""Measures the memory that scoring a data set takes: the peak of a client in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from scripts.lib.bench.sandbox_processes import memory_mib
from wallaroo_ext import connect, infer_dataset
from wallaroo_ext.sandbox.process import running

FILES = 10
GROUP_ROWS = 1 << 20


def measure(rows: int) -> dict[str, float]:
    """Score rows of 29 float32 from Parquet to Parquet.

    The rows are in ten files, with row groups as large as pyarrow writes them.

    Returns:
        MiB at the peak as `mib` and before the call as `start`, the `seconds`, and the scored `rows`.
    """
    from scripts.lib.bench.model import deploy_model

    with tempfile.TemporaryDirectory() as directory, running() as environment:
        with connect(environment=environment) as client:
            url = deploy_model(client).url
        source = Path(directory) / "in"
        _write(source, rows // FILES)
        command = [sys.executable, "-P", __file__, url, str(source), str(Path(directory) / "out")]
        done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    measured: dict[str, float] = json.loads(done.stdout)
    if measured["rows"] != rows // FILES * FILES:
        raise RuntimeError(f"{measured['rows']} of {rows} rows were scored")
    return measured


def _write(directory: Path, rows: int) -> None:
    from scripts.lib.bench.model import rows_of

    parquet: Any = import_module("pyarrow.parquet")
    directory.mkdir()
    for number in range(FILES):
        parquet.write_table(rows_of(rows, number), directory / f"{number}.parquet", row_group_size=GROUP_ROWS)


def client_program(url: str, source: str, target: str) -> dict[str, float]:
    """Score the data set in this process. Returns what `measure` returns."""
    start = memory_mib(os.getpid(), "VmHWM")
    began = time.perf_counter()
    with connect() as client:
        done = infer_dataset(client, url, source, target, keys=["id"])
    seconds = time.perf_counter() - began
    return {"mib": memory_mib(os.getpid(), "VmHWM"), "start": start, "seconds": seconds, "rows": done.rows}


if __name__ == "__main__":
    print(json.dumps(client_program(*sys.argv[1:])))
