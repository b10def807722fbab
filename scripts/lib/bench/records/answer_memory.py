"""Measures the memory that an answer of JSON adds to the peak of a new process; the program prints it in bytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def added_bytes(url: str) -> int:
    """Return how many bytes a request adds to the peak of a new process that gets the answer at a URL."""
    root = Path(__file__).resolve().parents[4]
    command = [sys.executable, "-m", "scripts.lib.bench.records.answer_memory", url]
    return int(subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout)


def _measure(url: str) -> int:
    import os

    import httpx

    from scripts.lib.bench.sandbox_processes import memory_mib
    from wallaroo_ext import connect, infer
    from wallaroo_ext.inference.scored_rows.answers import read_answer

    api = str(httpx.URL(url).copy_with(path="/"))
    short = httpx.Response(200, content=b'[{"time":0,"out":{"y":[0.5]}}]', request=httpx.Request("POST", url))
    with connect(api, environment={"WALLAROO_TOKEN": "t"}) as client:
        read_answer("infer_pipeline", short)  # loads what reading needs
        before = memory_mib(os.getpid(), "VmRSS")
        scored = infer(client, url, {"dense_input": [[0.5]]}, wire="pandas-records")
        assert scored.num_rows  # noqa: S101 - it was read
        return int((memory_mib(os.getpid(), "VmHWM") - before) * 2**20)


if __name__ == "__main__":
    print(_measure(sys.argv[1]))
