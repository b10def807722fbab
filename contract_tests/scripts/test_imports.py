"""Do the modules of tests and scripts, and their folders, import each other without a circle?

import-linter sees to the packages; it looks into no folder without an `__init__.py`, as those of tests and scripts are.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[2]
TOPS = ("contract_tests", "scripts")


def module_name(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imported_names(content: str) -> Iterator[str]:
    """Yield the names of all imports, those inside functions and for types only included."""
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_below(root: Path) -> dict[str, set[str]]:
    """Return which of a directory's modules each of them imports."""
    paths = [path for top in TOPS for path in (root / top).rglob("*.py") if "node_modules" not in path.parts]
    modules = {module_name(path, root): path for path in paths}
    return {
        name: (modules.keys() & imported_names(path.read_text(encoding="utf-8"))) - {name}
        for name, path in modules.items()
    }


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Return the names on a circle, the first one again at the end; nothing where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def siblings_of(folder: str, imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return which of the modules and folders that are directly in a folder each of them imports."""

    def inside(name: str) -> str:
        return name.removeprefix(f"{folder}.").partition(".")[0] if name.startswith(f"{folder}.") else ""

    found: dict[str, set[str]] = defaultdict(set)
    for name, imported in imports.items():
        if own := inside(name):
            found[own] |= {inside(other) for other in imported} - {own, ""}
    return found


def folders_of(modules: Iterable[str]) -> set[str]:
    parts = (name.split(".") for name in modules)
    return {".".join(each[:end]) for each in parts for end in range(1, len(each))}


def circles(root: Path) -> list[str]:
    imports = imports_below(root)
    found = {"": circle(imports)} | {name: circle(siblings_of(name, imports)) for name in folders_of(imports)}
    return [f"{folder or 'modules'}: {' -> '.join(names)}" for folder, names in sorted(found.items()) if names]


def test_there_is_no_circle() -> None:
    assert circles(ROOT) == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a.py": "import scripts.b", "b.py": "def f():\n    from scripts import a"}, "modules: scripts."),
        ({"one/a.py": "import scripts.two.b", "two/c.py": "from scripts.one.d import x"}, "scripts: "),
    ],
)
def test_a_circle_is_found(files: dict[str, str], expected: str, tmp_path: Path) -> None:
    for name in ("one/a.py", "one/d.py", "two/b.py", "two/c.py", "a.py", "b.py"):
        path = tmp_path / "scripts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files.get(name, ""))
    assert circles(tmp_path)[0].startswith(expected)
