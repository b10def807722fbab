# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# cosmic-ray is in an environment of its own, which pyright does not see.
"""Changes the extension a line at a time, spread over its modules, and runs the tests on each change."""

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
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome


@dataclass(frozen=True)
class Area:
    """A part of the extension, and the tests that have to notice a change of it.

    Attributes:
        package: Its package below `wallaroo_ext`.
        tests: Its tests below `contract_tests/extension`.
    """

    package: str
    tests: tuple[str, ...]


AREAS = {
    "auth": Area(
        "auth",
        ("auth/test_keycloak.py", "auth/test_token_cache.py", "auth/test_origins.py", "auth/test_single_flight.py"),
    ),
    "retries": Area("transport/retry", ("transport/test_retries.py", "transport/test_redirects.py")),
    "uploads": Area("uploads", ("uploads/test_upload.py",)),
    "inference": Area(
        "inference",
        (
            "inference/inputs/test_rows.py",
            "inference/scored_rows/test_answers.py",
            "inference/scored_rows/test_outputs.py",
        ),
    ),
}
"""What is changed, by the names that `--area` takes."""

_TIMEOUT_SECONDS = 300
_SAMPLE_SEED = 29

Position: TypeAlias = tuple[int, int]
"""A line, and a column in it."""


def main() -> int:
    """Try some more changes. Returns 1 if a change survived."""
    options = parse_arguments()
    root: Path = options.root
    tree = root / ".mutation/tree"
    copy_tree(root, tree)
    # Two changes of the same size within a second would share their bytecode files.
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.chdir(tree)  # cosmic-ray makes its changes here, and `python -m pytest` imports from here first
    survived = 0
    for area in options.area or AREAS:
        survived += try_changes(root, area, options.each)
    return int(survived > 0)


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument("root", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--each", type=int, default=10, metavar="N", help="how many more changes of each area")
    parser.add_argument("--area", action="append", choices=sorted(AREAS), help="an area; all by default")
    return parser.parse_args()


def copy_tree(root: Path, tree: Path) -> None:
    """Copy the files that git tracks."""
    shutil.rmtree(tree, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True).stdout  # noqa: S607 - git, wherever it is
    for name in filter(None, listed.split("\0")):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, tree / name)


def try_changes(root: Path, area: str, count: int) -> int:
    """Try up to `count` pending changes of an area and print their outcomes. Returns how many have survived so far."""
    tests = [f"contract_tests/extension/{name}" for name in AREAS[area].tests]
    command = [str(root / ".venv/bin/python"), "-m", "pytest", "-x", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    check_unchanged(area, [*command, *tests])
    session = root / f".mutation/{area}.sqlite"
    is_new = not session.exists()
    with use_db(str(session), WorkDB.Mode.create if is_new else WorkDB.Mode.open) as database:
        if is_new:
            init(sorted(Path("wallaroo_ext", AREAS[area].package).rglob("*.py")), database, {"operators": {}})
        pending: list[Any] = sorted(database.pending_work_items, key=_number)
        for item in sample([item for item in pending if has_effect(item)], count):
            result = mutate_and_test(item.mutations, shlex.join([*command, *tests]), _TIMEOUT_SECONDS)
            database.set_result(item.job_id, result)
            if result.test_outcome == TestOutcome.SURVIVED:
                print(f"{area}: SURVIVED\n{result.diff}", flush=True)
        outcomes = Counter(str(result.test_outcome) for _, result in database.results)
        print(f"{area}: {dict(outcomes)} of {database.num_work_items} changes.", flush=True)
        return sum(result.test_outcome == TestOutcome.SURVIVED for _, result in database.results)


def check_unchanged(area: str, command: list[str]) -> None:
    """Check that the tests pass without a change; otherwise every change would seem to be noticed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stdout}\nThe tests of {area} fail without a change: repair them first.")


def _number(item: Any) -> str:
    return str(item.job_id)


def has_effect(item: Any) -> bool:
    """Return whether a change can be noticed when the code runs: it is not in an annotation or under TYPE_CHECKING."""
    change = item.mutations[0]
    ignored = ignored_ranges(change.module_path)
    return not any(start <= change.start_pos and change.end_pos <= end for start, end in ignored)


@cache
def ignored_ranges(module: Path) -> list[tuple[Position, Position]]:
    """Return where the annotations and TYPE_CHECKING blocks of a module begin and end."""
    found: list[Any] = []
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        found += [getattr(node, name, None) for name in ("annotation", "returns")]
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            found.append(node)
    return [
        ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)) for node in found if node is not None
    ]


def sample(pending: list[Any], count: int) -> list[Any]:
    """Return up to `count` of the changes, taken from the modules in turn."""
    by_module: dict[str, list[Any]] = {}
    for item in random.Random(_SAMPLE_SEED).sample(pending, len(pending)):  # noqa: S311 - a sample, no secret
        by_module.setdefault(str(item.mutations[0].module_path), []).append(item)
    taken: list[Any] = []
    while len(taken) < min(count, len(pending)):
        for found in by_module.values():
            if found and len(taken) < count:
                taken.append(found.pop())
    return taken


if __name__ == "__main__":
    sys.exit(main())
