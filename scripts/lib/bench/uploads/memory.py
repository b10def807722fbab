"""How much memory an upload adds: to the peak of a client of its own process, and to the peak of the sandbox."""

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
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from wallaroo_mlops_client import Client

MIB = 1 << 20
WAYS = ("upload_model", "generated")


def measure(way: str, size: int) -> dict[str, float]:
    """Upload a file of a size in one of the ways; MiB added to the peaks of `client` and `sandbox`, and `seconds`."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "model.bin"
        with file.open("wb") as sparse:
            sparse.truncate(size)
        with running() as environment:
            command = [sys.executable, "-P", __file__, way, str(file), str(sandboxes_below(os.getpid())[0])]
            done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def client_program(way: str, file: Path, sandbox: int) -> dict[str, float]:
    """Return what the client does: a small upload, so that everything is loaded, then the measured one."""
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
    """Upload by the extension, or by the generated function alone; the framework is one that is stored only."""
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
    """The peak of this process's resident memory, in MiB; `getrusage` has that of the program that started it, too."""
    return memory_mib(os.getpid(), "VmHWM")


def main(arguments: list[str]) -> None:
    """The client's program, whose figures `measure` reads."""
    way, file, sandbox = arguments
    figures: dict[str, Any] = client_program(way, Path(file), int(sandbox))
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1:])
