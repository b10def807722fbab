"""Runs cells in IPython, as a notebook does: a program for an environment with the vendor's SDK.

Its argument is a file of JSON with the cells: pairs of a line's number and code. It stops at the first cell that fails,
and writes its line and its error as JSON; the cells print, so their standard output goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any


def run(cells: list[tuple[int, str]]) -> dict[str, Any]:
    """Run cells in order, and return how many ran, and what the first that failed says."""
    shell: Any = import_module("IPython.core.interactiveshell").InteractiveShell.instance()
    for number, (line, code) in enumerate(cells):
        result = shell.run_cell(code)
        if not result.success:
            error = result.error_before_exec or result.error_in_exec
            return {"ran": number, "line": line, "error": f"{type(error).__name__}: {error}"}
    return {"ran": len(cells)}


def main() -> None:
    """Run the cells, and write what became of them."""
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    print(json.dumps(run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))), file=results, flush=True)


if __name__ == "__main__":
    main()
