"""Measures the memory that an upload adds to the peaks of a client in a process of its own and of the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.lib.bench.sandbox_processes import memory_mib, sandboxes_below
from wallaroo_ext import call, connect, upload_model
from wallaroo_ext.sandbox.control_client import Sandbox
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from wallaroo_mlops_client import Client

MIB = 1 << 20
WAYS = ("upload_model", "generated")


def measure(way: str, size: int) -> dict[str, float]:
    """Upload a file in one of the ways.

    Returns:
        MiB added to the peaks of the `client` and the `sandbox`, and the `seconds`.
    """
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "model.bin"
        with file.open("wb") as sparse:
            sparse.truncate(size)
        with running() as environment:
            with Sandbox(environment) as sandbox:
                sandbox.advance_clock(
                    0
                )  # waits until the sandbox has imported numpy and pyarrow, which it does in the background
            command = [sys.executable, "-P", __file__, way, str(file), str(sandboxes_below(os.getpid())[0])]
            done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def client_program(way: str, file: Path, sandbox: int) -> dict[str, float]:
    """Upload a small file, so that everything is loaded, then the measured one. Returns what `measure` returns."""
    with connect() as client, tempfile.NamedTemporaryFile() as small:
        small.write(b"small")
        small.flush()
        upload(client, way, Path(small.name), "small")
        before = _peak_of_self(), memory_mib(sandbox, "VmHWM")
        started = time.perf_counter()
        upload(client, way, file, "large")
        seconds = time.perf_counter() - started
        return {
            "client": _peak_of_self() - before[0],
            "sandbox": memory_mib(sandbox, "VmHWM") - before[1],
            "seconds": seconds,
        }


def upload(client: Client, way: str, file: Path, name: str) -> None:
    """Upload a file with the extension or with the generated function alone, as a model that is only stored."""
    if way == "upload_model":
        upload_model(client, file, name=name, workspace=1, framework="custom")
        return
    from wallaroo_mlops_client.api.models import upload_and_convert_model
    from wallaroo_mlops_client.models import (
        Conversion,
        ModelMetadata,
        UploadAndConvertModelRequest,
        Visibility,
    )
    from wallaroo_mlops_client.types import File

    conversion = Conversion(framework="custom")
    metadata = ModelMetadata(name=name, visibility=Visibility.PRIVATE, workspace_id=1, conversion=conversion)
    with file.open("rb") as payload:
        body = UploadAndConvertModelRequest(metadata=metadata, file=File(payload=payload, file_name=file.name))
        call(upload_and_convert_model, client=client, body=body)


def _peak_of_self() -> float:
    """Return the peak of this process's resident memory in MiB; that of `getrusage` includes the parent's."""
    return memory_mib(os.getpid(), "VmHWM")


def main(arguments: list[str]) -> None:
    """Run the client's program and print the figures that `measure` reads."""
    way, file, sandbox = arguments
    figures: dict[str, Any] = client_program(way, Path(file), int(sandbox))
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1:])
