"""Runs the vendor's SDK, `wallaroo` from the package index, in an environment that is removed at the end.

Its pins (numpy 1.26, pyarrow 14, httpx before 0.28) conflict with our own environment.
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
"""The Python version that its pins have wheels for."""

NOTE = (
    "The vendor's SDK runs as it is. It sends rows by Deployment.infer, because Pipeline.infer asks for the deployment "
    "before each request."
)
"""Says what of the SDK is measured."""


class VendorError(Exception):
    """The SDK cannot be measured; the message says why."""


@cache
def name() -> str:
    """Return the SDK's name for tables, with the version in the lock."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    return next(line.removesuffix(" \\").replace("==", " ") for line in lines if line.startswith("wallaroo=="))


@cache
def python() -> Path:
    """Return the Python of an environment with the SDK, which is removed when this program ends.

    Raises:
        VendorError: That Python version or the package index is missing.
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
        raise VendorError(f"it cannot be installed: {_last_line(done.stderr) or 'uv gave no reason'}")


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


class Vendor:
    """The SDK in its process.

    Args:
        process: The running `program.py`, or the reason why it does not run.
        errors: The file with its standard error.
    """

    def __init__(self, process: subprocess.Popen[str] | str, errors: Path | None = None) -> None:
        self._process = process
        self._errors = errors

    def do(self, **task: Any) -> dict[str, Any]:
        """Run a task. Returns its figures.

        Raises:
            VendorError: The task failed, or the SDK does not run.
        """
        if isinstance(self._process, str):
            raise VendorError(self._process)
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            self.send(task)
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        except (OSError, ValueError):
            reason = "" if self._errors is None else _last_line(self._errors.read_text(encoding="utf-8"))
            raise VendorError(f"it ended: {reason or 'it gave no reason'}") from None
        if "error" in answer:
            raise VendorError(answer["error"])
        return answer

    def send(self, content: Mapping[str, Any]) -> None:
        """Send a line of JSON to the program."""
        assert isinstance(self._process, subprocess.Popen)  # noqa: S101 - the callers know
        print(json.dumps(content), file=self._process.stdin, flush=True)


@contextmanager
def vendor(environment: Mapping[str, str], *, wanted: bool = True) -> Generator[Vendor]:
    """Run the SDK on an instance while a `with` block runs; if it cannot be installed, each task raises the reason.

    Args:
        environment: What the sandbox printed.
        wanted: Whether to run it at all.
    """
    try:
        interpreter = python() if wanted else None
    except VendorError as error:
        yield Vendor(str(error))
        return
    if interpreter is None:
        yield Vendor("left out, as --no-vendor says")
        return
    with tempfile.TemporaryDirectory() as tokens, tempfile.NamedTemporaryFile("w") as errors:
        # The SDK keeps its tokens in a file of the user's cache, by no instance's name.
        variables = dict(environment) | {"XDG_CACHE_HOME": tokens}
        with _program(interpreter, errors, variables) as process:
            try:
                yield Vendor(process, Path(errors.name))
            finally:
                process.terminate()


def _program(interpreter: Path, errors: Any, variables: Mapping[str, str]) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WALLAROO_", "PYTHON"))}
    return subprocess.Popen(
        [interpreter, "-P", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env=kept | dict(variables),
    )


def runnable(ways: Mapping[str, Way]) -> tuple[dict[str, Way], dict[str, str]]:
    """Try each way once. Returns those that run, and why the others do not."""
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
