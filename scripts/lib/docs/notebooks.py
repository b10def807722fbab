"""Runs the notebooks of the documentation, and writes them with what comes out, so that it is shown without a run.

A notebook runs in a temporary directory that has the samples where the notebook looks for them, so that what it writes
is gone afterwards. `python -P scripts/lib/docs/notebooks.py` runs all of them, and writes those that changed by it.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from wallaroo_ext._util.files.atomic_files import atomic_writer

if TYPE_CHECKING:
    from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOKS = ROOT / "docs" / "notebooks"
_nbformat: Any = nbformat  # its functions have no types
_SAMPLES = Path("scripts", "samples")
_SECONDS = 300
_SETTINGS = ("IPYTHONDIR", "MPLCONFIGDIR")
"""Variables that name directories of settings: a person's own would show in the outputs."""

_VARYING = [
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),  # of versions: instances make them up
]
"""What legitimately differs between two runs of the notebooks, and what stands for it."""


def paths() -> list[Path]:
    """Return the paths of the notebooks, in order."""
    return sorted(NOTEBOOKS.glob("*.ipynb"))


def read(path: Path) -> NotebookNode:
    """Return a notebook as it is written."""
    return _nbformat.read(path, as_version=4)


def execute(path: Path) -> NotebookNode:
    """Return a notebook with the outputs of a run in a temporary directory.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell raised an error.
    """
    notebook = read(path)
    with tempfile.TemporaryDirectory(prefix="notebook-") as temporary:
        directory = Path(temporary, "docs", "notebooks")
        directory.mkdir(parents=True)
        shutil.copytree(ROOT / _SAMPLES, Path(temporary, _SAMPLES))
        asyncio.run(_run(notebook, Path(temporary), directory))
    return _without_traces_of_a_run(notebook)


async def _run(notebook: NotebookNode, temporary: Path, directory: Path) -> None:
    """Run a notebook in a directory, with a kernel of its own that uses no port and nobody's settings."""
    kernel = AsyncKernelManager(
        kernel_name="python3",
        transport="ipc",
        connection_file=str(temporary / "kernel.json"),
        ip=str(temporary / "kernel"),
    )
    client = NotebookClient(
        notebook, km=kernel, timeout=_SECONDS, record_timing=False, resources={"metadata": {"path": str(directory)}}
    )
    settings = {name: str(temporary / name.lower()) for name in _SETTINGS}
    await client.async_execute(env=os.environ | settings, cleanup_kc=True)  # and end the kernel


def write_all() -> None:
    """Run all notebooks, and write those from which something else came out than what is in them."""
    for path in paths():
        executed = execute(path)
        if outputs(executed) != outputs(read(path)):
            with atomic_writer(path, mode=0o644) as file:
                file.write(f"{_nbformat.writes(executed)}\n".encode())


def outputs(notebook: NotebookNode) -> list[list[dict[str, Any]]]:
    """Return what each cell of code showed, by media type, with `UUID` and the like for what legitimately varies."""
    return [[_shown(output) for output in cell.outputs] for cell in notebook.cells if cell.cell_type == "code"]


def _shown(output: NotebookNode) -> dict[str, Any]:
    """Return an output by media type; what a cell prints is of the type `stdout` or `stderr`."""
    if output.output_type == "stream":
        return {output.name: _without_varying(output.text)}
    return {kind: _without_varying(content) for kind, content in output.data.items()}


def _without_varying(content: Any) -> Any:
    for pattern, name in _VARYING:
        content = pattern.sub(name, content) if isinstance(content, str) else content
    return content


def _without_traces_of_a_run(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook without what says by which Python it was run."""
    notebook.metadata.pop("language_info", None)
    return notebook


if __name__ == "__main__":
    write_all()
