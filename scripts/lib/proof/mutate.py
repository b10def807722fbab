# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# cosmic-ray is in an environment of its own, which pyright does not see.
"""What `scripts/mutate` runs: cosmic-ray's changes of the extension, a few at a time, spread over the modules."""

from __future__ import annotations

import argparse
import ast
import os
import random
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome

AREAS: dict[str, tuple[str, ...]] = {
    "auth": ("test_auth.py", "test_auth_cache.py", "test_auth_origins.py", "test_auth_single_flight.py"),
    "retries": ("test_retries.py", "test_redirects.py"),
    "uploads": ("test_uploads.py",),
    "inference": ("test_inference_data.py", "test_inference_answers.py", "test_outputs.py"),
}
"""The packages of the extension whose lines are changed, and the tests that have to notice."""

_PATIENCE_SECONDS = 300
_ORDER = 29

Place: TypeAlias = tuple[int, int]
"""A line, and a column in it."""


def main() -> int:
    """Try some more changes; 1 where one survived."""
    wanted = arguments()
    root: Path = wanted.root
    tree = root / ".mutation/tree"
    copy_tree(root, tree)
    # For Python, two changes within a second and of the same size have the same bytecode.
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.chdir(tree)  # where cosmic-ray makes its changes, and what `python -m pytest` imports first
    survived = 0
    for area in wanted.area or AREAS:
        survived += tried(root, area, wanted.each)
    return int(survived > 0)


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument("root", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--each", type=int, default=10, metavar="N", help="how many more changes of each package")
    parser.add_argument("--area", action="append", choices=sorted(AREAS), help="a package; all by default")
    return parser.parse_args()


def copy_tree(root: Path, tree: Path) -> None:
    """Have a copy of what git knows."""
    shutil.rmtree(tree, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True).stdout  # noqa: S607 - git, wherever it is
    for name in filter(None, listed.split("\0")):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, tree / name)


def tried(root: Path, area: str, count: int) -> int:
    """Try so many pending changes of a package, and say what became of them; how many survived."""
    tests = [f"contract_tests/extension/{name}" for name in AREAS[area]]
    command = [str(root / ".venv/bin/python"), "-m", "pytest", "-x", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    session = root / f".mutation/{area}.sqlite"
    is_new = not session.exists()
    with use_db(str(session), WorkDB.Mode.create if is_new else WorkDB.Mode.open) as database:
        if is_new:
            init(sorted(Path(f"wallaroo_ext/{area}").rglob("*.py")), database, {"operators": {}})
        pending: list[Any] = sorted(database.pending_work_items, key=_number)
        for item in sampled([item for item in pending if has_effect(item)], count):
            result = mutate_and_test(item.mutations, shlex.join([*command, *tests]), _PATIENCE_SECONDS)
            database.set_result(item.job_id, result)
            if result.test_outcome == TestOutcome.SURVIVED:
                print(f"{area}: SURVIVED\n{result.diff}", flush=True)
        outcomes = Counter(str(result.test_outcome) for _, result in database.results)
        print(f"{area}: {dict(outcomes)} of {database.num_work_items} changes.", flush=True)
        return sum(result.test_outcome == TestOutcome.SURVIVED for _, result in database.results)


def _number(item: Any) -> str:
    return str(item.job_id)


def has_effect(item: Any) -> bool:
    """Return whether a change is in what runs: not in an annotation, nor in what is there for a type checker."""
    change = item.mutations[0]
    spared = without_effect(change.module_path)
    return not any(start <= change.start_pos and change.end_pos <= end for start, end in spared)


@cache
def without_effect(module: Path) -> list[tuple[Place, Place]]:
    """Return where those places of a module begin and end."""
    found: list[Any] = []
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        found += [getattr(node, name, None) for name in ("annotation", "returns")]
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            found.append(node)
    return [
        ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)) for node in found if node is not None
    ]


def sampled(pending: list[Any], count: int) -> list[Any]:
    """So many of the changes, in turn from the modules."""
    by_module: dict[str, list[Any]] = {}
    for item in random.Random(_ORDER).sample(pending, len(pending)):  # noqa: S311 - a sample, no secret
        by_module.setdefault(str(item.mutations[0].module_path), []).append(item)
    taken: list[Any] = []
    while len(taken) < min(count, len(pending)):
        for found in by_module.values():
            if found and len(taken) < count:
                taken.append(found.pop())
    return taken


if __name__ == "__main__":
    sys.exit(main())
