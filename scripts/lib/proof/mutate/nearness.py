"""Which files of tests are the nearest to a change: they name its module, lie where it lies, or speak of the same.

What a change speaks of are the words of its function and of its module, the rare ones most, and the sentences in it.
"""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.lib.proof.mutate.changes import Change

_ELSEWHERE = ("vendor", "real_keycloak", "scripts", "mutants", "documents")
"""Tests of other things than the extension, or that need more than Python."""

_WORD = re.compile(r"[a-z]{4,}")
_NAME = re.compile(r"[A-Za-z_]{4,}")
_THREE_WORDS = re.compile(r"(?=\b([\w'-]+ [\w'-]+ [\w'-]+))")
_COMMON = 3
"""Words of more than this part of the files say nothing."""

_LINES = 3
_OF_FUNCTION, _OF_MODULE, _OF_SENTENCE = 8.0, 4.0, 3.0


class TestFiles:
    """The files of tests that the extension is tried with.

    Args:
        root: The repository's root.
    """

    __test__ = False  # it is none itself

    def __init__(self, root: Path) -> None:
        self._root = root
        self._nearest: dict[tuple[str, str, int], list[str]] = {}
        self._codes: dict[str, _Code] = {}
        self._modules: dict[str, dict[str, float]] = {}

    @cached_property
    def _texts(self) -> dict[str, str]:
        folder = self._root / "contract_tests"
        found = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("test_*.py"))
        kept = [name for name in found if name.split("/")[0] not in _ELSEWHERE]
        return {f"contract_tests/{name}": (folder / name).read_text(encoding="utf-8") for name in kept}

    @cached_property
    def _words(self) -> dict[str, dict[str, float]]:
        """The words of each file with their weights, as a vector of length 1."""
        words = {file: _words_of(text) for file, text in self._texts.items()}
        files = Counter(word for each in words.values() for word in each)
        self._weights = {
            word: math.log(len(words) / count) for word, count in files.items() if count * _COMMON < len(words)
        }
        return {file: self._vector(each) for file, each in words.items()}

    def _vector(self, words: set[str]) -> dict[str, float]:
        weights = {word: self._weights[word] for word in words if word in self._weights}
        length = math.sqrt(sum(weight**2 for weight in weights.values())) or 1.0
        return {word: weight / length for word, weight in weights.items()}

    def nearest(self, change: Change) -> list[str]:
        """Return all files of tests, the nearest to a change first."""
        code = self._codes.get(change.path) or self._codes.setdefault(change.path, _Code(self._root / change.path))
        start, end = code.lines_around(change)
        known = (change.path, change.where, start)
        if known not in self._nearest:
            near = dict(self._near_module(change.path))
            sentences = code.sentences(start, end)
            for file, value in self._likeness(code.text(start, end)).items():
                is_said_there = any(sentence in self._texts[file] for sentence in sentences)
                near[file] += _OF_FUNCTION * value + _OF_SENTENCE * is_said_there
            self._nearest[known] = sorted(near, key=lambda file: (-near[file], file))
        return self._nearest[known]

    def _near_module(self, path: str) -> dict[str, float]:
        """Return how near each file is to a module."""
        if path not in self._modules:
            likeness = self._likeness(self._codes[path].text())
            self._modules[path] = {
                file: self._nearness(file, path) + _OF_MODULE * value for file, value in likeness.items()
            }
        return self._modules[path]

    def _likeness(self, text: str) -> dict[str, float]:
        """Return how much each file speaks of what a text speaks of, from 0 to 1."""
        files = self._words
        words = self._vector(_words_of(text))
        return {
            file: sum(weight * vector.get(word, 0.0) for word, weight in words.items())
            for file, vector in files.items()
        }

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


class _Code:
    """The code of a module.

    Args:
        file: The module's file.
    """

    def __init__(self, file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        self._lines = text.splitlines()
        self._tree = ast.parse(text)

    def lines_around(self, change: Change) -> tuple[int, int]:
        """Return the first and the last line of the innermost function or class around a change, or a few lines."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        around = [
            (node.lineno, node.end_lineno or node.lineno)
            for node in ast.walk(self._tree)
            if isinstance(node, kinds) and node.lineno <= change.line <= (node.end_lineno or 0)
        ]
        return max(around, default=(max(1, change.line - _LINES), change.line + _LINES))

    def text(self, start: int = 1, end: int | None = None) -> str:
        """Return the text of some lines."""
        return "\n".join(self._lines[start - 1 : end])

    def sentences(self, start: int, end: int) -> list[str]:
        """Return three words each of the sentences in some lines, other than in docstrings."""
        described = {id(node.value) for node in ast.walk(self._tree) if isinstance(node, ast.Expr)}
        return [
            sentence
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described
            if start <= node.lineno <= end
            for sentence in _THREE_WORDS.findall(node.value)
        ]


def _words_of(text: str) -> set[str]:
    """Return the words of a text: its names, and their parts."""
    names = {name.lower().strip("_") for name in _NAME.findall(text)}
    return {part for name in names for part in (name, *name.split("_")) if len(part) >= 4}  # noqa: PLR2004 - as above
