"""Measures a large upload: its memory, and its speed beside curl and the vendor's SDK."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from scripts.lib.bench.model import authorization
from scripts.lib.bench.turns import in_turns, progress_bar, result_table
from scripts.lib.bench.uploads.memory import MIB, measure
from scripts.lib.bench.uploads.sink import sink
from scripts.lib.bench.vendor import sdk as vendor_sdk
from wallaroo_ext import connect, contract, upload_model
from wallaroo_ext.sandbox.control_client import Sandbox
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console
    from wallaroo_mlops_client import Client

    from scripts.lib.bench.turns import Way

SIZE = 2048 * MIB
TURNS = 5
MOST_MIB = 16.0
LEAST_OF_CURL = 0.9
_CURL = "curl -F"
_NO_CURL = "it is not installed: apt-get install curl"
_NAME, _WORKSPACE, _FRAMEWORK = "large", 1, "custom"


@dataclass(frozen=True)
class Target:
    """An instance that a file is uploaded to.

    Attributes:
        client: A client of the instance.
        file: The file.
        clear: Removes what was uploaded.
    """

    client: Client
    file: Path
    clear: Callable[[], object] = lambda: None

    def timed(self, run: Callable[[], object]) -> float:
        """Return the seconds of an upload; everything is written to the disk before it begins."""
        os.sync()
        began = time.perf_counter()
        run()
        seconds = time.perf_counter() - began
        self.clear()
        return seconds

    def ours(self, *, check_sha: bool) -> float:
        """Return the seconds of `upload_model`."""
        options: Any = {"name": _NAME, "workspace": _WORKSPACE, "framework": _FRAMEWORK, "check_sha": check_sha}
        return self.timed(lambda: upload_model(self.client, self.file, **options))

    def by_curl(self) -> float:
        """Return the seconds of curl, which reads the token from standard input to keep it out of process lists."""
        path = contract.operation("upload_and_convert_model").path
        command = ["curl", "--silent", "--show-error", "--fail", "--config", "-", "--output", "-"]
        command += ["--form", f"metadata={json.dumps(_metadata())};type=application/json"]
        command += ["--form", f"file=@{self.file};type=application/octet-stream", _api(self.client) + path]
        header = f'header = "Authorization: {authorization(self.client)}"\n'
        return self.timed(lambda: subprocess.run(command, input=header, text=True, capture_output=True, check=True))


def _api(client: Client) -> str:
    return str(client.get_httpx_client().base_url).rstrip("/")


def _metadata() -> dict[str, Any]:
    """Return what `upload_model` sends beside the file."""
    from wallaroo_mlops_client.models import Conversion, ModelMetadata, Visibility

    conversion = Conversion(framework=_FRAMEWORK, requirements=[])
    return ModelMetadata(
        name=_NAME, visibility=Visibility.PRIVATE, workspace_id=_WORKSPACE, conversion=conversion
    ).to_dict()


def large_upload(console: Console, *, size: int = SIZE, turns: int = TURNS, with_vendor: bool = True) -> bool:
    """Measure a large upload. Returns whether its memory and speed are within the limits."""
    with progress_bar(console, "memory", 1):
        added = {"upload_model": measure("upload_model", size)["client"]}
    with ExitStack() as stack:
        file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "model.bin"
        make_file(file, size)
        kept, reasons, by_vendor = _to_a_sandbox(console, file, turns, with_vendor=with_vendor)
        dropped = _to_a_sink(console, file, turns)
    _show_memory(console, size, added | by_vendor)
    ratio = _show_speed(
        console, "to the sandbox, which hashes and stores it", size, kept, reasons=reasons, note=vendor_sdk.NOTE
    )
    _show_speed(console, "to an instance that reads and drops it", size, dropped)
    return added["upload_model"] <= MOST_MIB and (ratio is None or ratio >= LEAST_OF_CURL)


def make_file(file: Path, size: int) -> None:
    """Make a file of a size that takes little of the disk: holes between random bytes."""
    with file.open("wb") as sparse:
        for start in range(0, size, 16 * MIB):
            sparse.seek(start)
            sparse.write(os.urandom(min(MIB, size - start)))
        sparse.truncate(size)


def _to_a_sandbox(
    console: Console, file: Path, turns: int, *, with_vendor: bool
) -> tuple[dict[str, list[float]], dict[str, str], dict[str, float]]:
    """Return the seconds of each way, why others did not run, and the MiB that the vendor's SDK adds to its peak."""
    with running() as environment, connect(environment=environment) as client, Sandbox(environment) as control:
        target = Target(client, file, control.reset)
        with vendor_sdk.vendor(environment, wanted=with_vendor) as vendor:
            added: list[float] = []

            def by_vendor(path: Path) -> float:
                answer: dict[str, Any] = {}
                task = {"do": "upload", "name": _NAME, "file": str(path)}
                target.timed(lambda: answer.update(vendor.do(**task)))
                added.append(answer["mib"])
                return answer["seconds"]

            small = file.with_name("small.bin")
            small.write_bytes(b"small")
            running_vendor, reasons = vendor_sdk.runnable({vendor_sdk.name(): lambda: by_vendor(small)})
            ways = _ways(target) | {name: lambda: by_vendor(file) for name in running_vendor}
            seconds = _timed(console, "to a sandbox", ways, turns)
    return seconds, reasons, {name: max(added) for name in running_vendor}


def _to_a_sink(console: Console, file: Path, turns: int) -> dict[str, list[float]]:
    with sink() as url, connect(url, token="any", environment={}) as client:  # noqa: S106 - the sink ignores it
        return _timed(console, "to nowhere", _ways(Target(client, file)), turns)


def _ways(target: Target) -> dict[str, Way]:
    curl = {} if shutil.which("curl") is None else {_CURL: target.by_curl}
    return curl | {
        "upload_model": partial(target.ours, check_sha=True),
        "upload_model without the digest": partial(target.ours, check_sha=False),
    }


def _timed(console: Console, what: str, ways: Mapping[str, Way], turns: int) -> dict[str, list[float]]:
    with progress_bar(console, what, turns + 1) as on_turn:
        return in_turns(ways, turns, on_turn=on_turn)


def _show_memory(console: Console, size: int, added: Mapping[str, float]) -> None:
    table = result_table(
        f"An upload of {size // MIB:,} MiB: added to the client's peak of memory",
        "by",
        f"MiB (ours at most {MOST_MIB:g})",
    )
    for name, mib in added.items():
        table.add_row(name, f"{mib:.1f}")
    console.print(table)


def _show_speed(
    console: Console,
    where: str,
    size: int,
    seconds: Mapping[str, list[float]],
    *,
    reasons: Mapping[str, str] = MappingProxyType({}),
    note: str | None = None,
) -> float | None:
    """Print a table of speeds. Returns our speed as a share of curl's; None without curl."""
    mib_a_second = {name: size / MIB / statistics.median(values) for name, values in seconds.items()}
    curl = mib_a_second.get(_CURL)
    title = f"An upload of {size // MIB:,} MiB {where}, medians"
    table = result_table(title, "by", "MiB a second", f"of curl (ours at least {LEAST_OF_CURL})", note=note)
    for name, speed in mib_a_second.items():
        table.add_row(name, f"{speed:.0f}", "-" if curl is None else f"{speed / curl:.2f}")
    for name, reason in (({} if curl else {_CURL: _NO_CURL}) | dict(reasons)).items():
        table.add_row(f"{name}: {reason}", "-", "-")
    console.print(table)
    return None if curl is None else mib_a_second["upload_model"] / curl
