"""Imports the changed modules of the extension with their switches, in every process of an environment.

A copy of this file is the `sitecustomize` of the environments that `environment` makes, so that the programs
that tests start have the changes, too, however they are started. It imports nothing but the standard library.
"""

from __future__ import annotations

import builtins
import marshal
import mmap
import sys
from functools import cache
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

CODE = Path(sys.prefix, "changed")
SWITCHES = Path(sys.prefix, "switches")


@cache
def switches() -> mmap.mmap:
    """Return the memory that all processes of this environment share: for each change, was it reached, and is it on."""
    with SWITCHES.open("r+b") as file:
        return mmap.mmap(file.fileno(), 0)


def change_is_on(number: int) -> int:
    """Note that a change was reached. Returns whether it is on."""
    memory = switches()
    memory[2 * number] = 1
    return memory[2 * number + 1]


class _Loader(SourceFileLoader):
    """Loads the compiled code that has the switches."""

    def get_code(self, fullname: str) -> Any:
        """Return the code of a module."""
        return marshal.loads((CODE / fullname).read_bytes())  # noqa: S302 - it was written for this


class _Finder:
    """Finds the changed modules."""

    def __init__(self) -> None:
        self._names = {file.name for file in CODE.iterdir()}

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return where a changed module comes from; None for all others."""
        if fullname not in self._names:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is not None and found.origin is not None:
            found.loader = _Loader(fullname, found.origin)
        return found


if __name__ == "sitecustomize":
    setattr(builtins, "__change_is_on__", change_is_on)  # noqa: B010 - type checkers do not know it
    sys.meta_path.insert(0, cast("Any", _Finder()))
