"""The vendor's SDK beside ours: `wallaroo` from the package index, in an environment that is removed at the end.

What it wants pinned (numpy 1.26, pyarrow 14, httpx before 0.28) does not go together with our own environment.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from scripts.lib.bench.turns import Way

LOCK = Path(__file__).resolve().parents[3] / "requirements" / "vendor.txt"
_PROGRAM = Path(__file__).with_name("program.py")
_PYTHON = "3.11"
"""What its pins have wheels for."""

NOTE = (
    "The vendor's SDK is given a token, as its sign-in wants a client named sdk-client, and what it asks a GraphQL "
    "endpoint for: the deployment's name, the workspace. Its inference runs as it is; its upload_model goes without "
    "the operation models/get_version_by_id at the end, which the contract does not have."
)
"""What of the SDK runs against a sandbox."""


class VendorError(Exception):
    """The SDK cannot be measured; the message says why."""


@cache
def name() -> str:
    """Return what the SDK is called in tables, with the version that the lock has."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    return next(line.removesuffix(" \\").replace("==", " ") for line in lines if line.startswith("wallaroo=="))


@cache
def python() -> Path:
    """Return the Python of an environment with the SDK, which is removed when this program ends.

    Raises:
        VendorError: There is no such Python, or no package index.
    """
    directory = tempfile.TemporaryDirectory(prefix="wallaroo-vendor-")
    atexit.register(directory.cleanup)
    interpreter = Path(directory.name) / "bin" / "python"
    _uv("venv", "--clear", "--no-python-downloads", "--python", _PYTHON, directory.name)
    _uv("pip", "sync", "--system-certs", "--require-hashes", "--python", str(interpreter), str(LOCK))
    return interpreter


def _uv(*arguments: str) -> None:
    command = [Path(sys.executable).with_name("uv"), "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise VendorError(f"it cannot be installed: {_last_line(done.stderr) or 'uv says nothing'}")


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


class Vendor:
    """The SDK, as far as it runs.

    Args:
        process: A running `program.py`; the reason as a text, where there is none.
        said: What the program says on standard error.
    """

    def __init__(self, process: subprocess.Popen[str] | str, said: Path | None = None) -> None:
        self._process = process
        self._said = said

    def do(self, **task: Any) -> dict[str, Any]:
        """Return what became of a task.

        Raises:
            VendorError: It failed, or nothing runs.
        """
        if isinstance(self._process, str):
            raise VendorError(self._process)
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            self.send(task)
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        except (OSError, ValueError):
            said = "" if self._said is None else _last_line(self._said.read_text(encoding="utf-8"))
            raise VendorError(f"it ended: {said or 'it gave no reason'}") from None
        if "error" in answer:
            raise VendorError(answer["error"])
        return answer

    def send(self, content: Mapping[str, Any]) -> None:
        """Send a line."""
        assert isinstance(self._process, subprocess.Popen)  # noqa: S101 - the callers know
        print(json.dumps(content), file=self._process.stdin, flush=True)


@contextmanager
def vendor(api: str, token: str, *, wanted: bool = True) -> Generator[Vendor]:
    """Yield the SDK, with an instance and a token of it; one that cannot do anything, where it cannot be installed."""
    try:
        interpreter = python() if wanted else None
    except VendorError as error:
        yield Vendor(str(error))
        return
    if interpreter is None:
        yield Vendor("left out, as --no-vendor says")
        return
    with tempfile.NamedTemporaryFile("w") as said, _program(interpreter, said) as process:
        started = Vendor(process, Path(said.name))
        started.send({"api": api, "token": token})
        try:
            yield started
        finally:
            process.terminate()


def _program(interpreter: Path, said: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [interpreter, "-P", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith(("WALLAROO_", "PYTHON"))},
    )


def tried(ways: Mapping[str, Way]) -> tuple[dict[str, Way], dict[str, str]]:
    """Return the ways that run, and why the others do not."""
    running: dict[str, Way] = {}
    reasons: dict[str, str] = {}
    for what, way in ways.items():
        try:
            way()
        except VendorError as error:
            reasons[what] = str(error)
        else:
            running[what] = way
    return running, reasons
