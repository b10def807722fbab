"""Which files of tests are the nearest to a module of the extension: they name it, or lie where it lies."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.lib.proof.mutate_changes import Change

_ELSEWHERE = ("vendor", "real_keycloak", "scripts", "mutants", "documents")
"""Tests of other things than the extension, or that need more than Python."""

_WORD = re.compile(r"[a-z]{4,}")


class TestFiles:
    """The files of tests that the extension is tried with.

    Args:
        root: The repository's root.
    """

    __test__ = False  # it is none itself

    def __init__(self, root: Path) -> None:
        self._root = root
        self._nearest: dict[str, list[str]] = {}

    @cached_property
    def _texts(self) -> dict[str, str]:
        folder = self._root / "contract_tests"
        found = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("test_*.py"))
        kept = [name for name in found if name.split("/")[0] not in _ELSEWHERE]
        return {f"contract_tests/{name}": (folder / name).read_text(encoding="utf-8") for name in kept}

    def nearest(self, change: Change) -> list[str]:
        """Return all files of tests, the nearest to a change first."""
        if change.path not in self._nearest:
            self._nearest[change.path] = sorted(
                self._texts, key=lambda file: (-self._nearness(file, change.path), file)
            )
        return self._nearest[change.path]

    def _nearness(self, file: str, path: str) -> float:
        text = self._texts[file]
        of_module = path.removesuffix(".py").removesuffix("/__init__").split("/")[1:]
        of_tests = file.removesuffix(".py").replace("/test_", "/").split("/")[1:]
        if of_tests[0] == "extension":
            of_tests = of_tests[1:]
        name = of_module[-1] if of_module else ""
        pairs = zip(of_module, of_tests, strict=False)
        shared = len(list(takewhile(lambda pair: pair[0].strip("_") == pair[1], pairs)))
        words = set(_WORD.findall(name)) & set(_WORD.findall(of_tests[-1]))
        names = ".".join(["wallaroo_ext", *of_module])
        is_named = re.search(rf"{re.escape(names)}\b", text) is not None
        is_tried_there = re.search(rf"{re.escape(names.rpartition('.')[0])} import .*\b{name}\b", text) is not None
        return 2 * shared + 2 * len(words) + 3 * (is_named or is_tried_there) - len(text) / 100_000
