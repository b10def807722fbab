"""Installs the package with each extra on each Python, outside the clone, and uses what the extra is for.

The wheel and the sdist are built as they are published. Each environment gets the wheel with one extra, and runs that
extra's program of `uses/` against a sandbox that runs elsewhere. On the lowest Python it is also done with the lowest
versions that pyproject.toml allows of what it names. The table of what came out is `scripts/lib/installs/installs.md`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PAGE = HERE / "installs.md"
USES = HERE / "uses"
SAMPLES = ROOT / "scripts" / "samples"
NONE = "none"
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
_SHOWN_LINES = 15
_SECONDS = 900

HEAD = """# Installed with each extra

The wheel, installed with one extra in an environment of its own, where the program of [uses](uses) for this extra ran
against a sandbox; "lowest" is with the lowest versions that `pyproject.toml` allows of the packages that it names.
`scripts/installs` writes this page.

"""


@dataclass(frozen=True)
class Column:
    """One way to install the package with each extra.

    Attributes:
        name: What the table calls it.
        python: The interpreter.
        lowest: Whether the lowest versions are taken.
    """

    name: str
    python: Path
    lowest: bool = False


def extras() -> list[str]:
    """Return the extras of the package, and `none`."""
    return [NONE, *_project()["optional-dependencies"]]


def requirements(extra: str) -> list[str]:
    """Return what the package names in pyproject.toml, by itself and for an extra, with those that the extra brings."""
    project = _project()
    found: list[str] = [*project["dependencies"]]
    waiting = [] if extra == NONE else [extra]
    while waiting:
        for text in project["optional-dependencies"][waiting.pop()]:
            requirement = Requirement(text)
            if requirement.name == project["name"]:
                waiting += requirement.extras
            else:
                found.append(text)
    return found


def columns() -> list[Column]:
    """Return the ways to install it for the interpreters that are found."""
    found = {version: path for version in VERSIONS if (path := _interpreter(version)) is not None}
    if not found:
        return []
    ways = [Column(version, path) for version, path in found.items()]
    first = next(iter(found))
    return [*ways, Column(f"{first}, lowest", found[first], lowest=True)]


def _interpreter(version: str) -> Path | None:
    """Return an interpreter of a version, from PATH or of pyenv."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    on_path = shutil.which(f"python{version}")
    candidates = [*sorted(root.glob(f"versions/{version}.*/bin/python")), *([Path(on_path)] if on_path else [])]
    return next((path for path in candidates if _works(path, version)), None)


def _works(python: Path, version: str) -> bool:
    """Return whether an interpreter starts, and is of a version; pyenv's stand-ins for others do not start."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-I", "-c", program], capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == version


def build(directory: Path) -> tuple[Path, Path]:
    """Build the wheel and the sdist, and return their paths."""
    program = "import sys, hatchling.build as b; print(b.build_wheel(sys.argv[1])); print(b.build_sdist(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, directory], cwd=ROOT, capture_output=True, text=True, check=True
    )
    wheel, sdist = done.stdout.split()[-2:]
    return directory / wheel, directory / sdist


def install(column: Column, extra: str, package: str, environment: Path) -> str:
    """Install a package with an extra in a new environment. Returns what went wrong; nothing for nothing."""
    made = run_program(["uv", "venv", "--quiet", "--python", str(column.python), str(environment)])
    # What the package names is direct only where it stands on the command line.
    resolution = ["--resolution", "lowest-direct", *requirements(extra)] if column.lowest else []
    command = ["uv", "pip", "install", "--quiet", "--system-certs", "--python", str(environment / "bin/python")]
    return made or run_program([*command, *resolution, package])


def use(extra: str, environment: Path, directory: Path, name: str, instance: Mapping[str, str]) -> str:
    """Run the program of an extra in a directory of its own. Returns what went wrong; nothing for nothing."""
    shutil.copytree(SAMPLES, directory)
    python = str(environment / "bin/python")
    return run_program(
        [python, "-I", "-W", "error::DeprecationWarning:wallaroo_ext", str(USES / f"{extra}.py"), name],
        directory,
        instance,
    )


def run_program(command: list[str], directory: Path | None = None, instance: Mapping[str, str] | None = None) -> str:
    """Run a program, with nothing of this process's Python. Returns the end of its output where it fails."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("WALLAROO_", "PYTHON", "VIRTUAL_"))
    }
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=kept | dict(instance or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {_SECONDS} s"
    output = (done.stdout + done.stderr).strip() or f"exit code {done.returncode}"
    return "" if done.returncode == 0 else "\n".join(output.splitlines()[-_SHOWN_LINES:])


def outcomes(wanted: list[str], ways: list[Column]) -> Iterator[tuple[str, Column, str]]:
    """Install and use the package with each extra in each way. Yields the extra, the way and what went wrong."""
    with tempfile.TemporaryDirectory(prefix="installs-") as temporary, running() as instance:
        wheel, sdist = build(Path(temporary))
        for column in ways:
            for extra in wanted:
                package = str(wheel) if extra == NONE else f"{wheel}[{extra}]"
                yield extra, column, _outcome(column, extra, package, Path(temporary), instance)
            if NONE in wanted and not column.lowest:
                yield "none, from the sdist", column, _outcome(column, NONE, str(sdist), Path(temporary), instance)


def _outcome(column: Column, extra: str, package: str, temporary: Path, instance: Mapping[str, str]) -> str:
    with tempfile.TemporaryDirectory(dir=temporary) as own:
        environment = Path(own, "environment")
        name = re.sub(r"\W+", "-", f"{extra}-{column.name}")
        return install(column, extra, package, environment) or use(extra, environment, Path(own, "use"), name, instance)


def page(found: dict[str, dict[str, str]], ways: list[str]) -> str:
    """Return the table: a row for each extra, a column for each way to install it."""
    head = ["extra", *ways]
    rows = [head, ["---"] * len(head)]
    rows += [[extra, *(_cell(by_way.get(way)) for way in ways)] for extra, by_way in found.items()]
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cell(problem: str | None) -> str:
    return {None: "", "": "works"}.get(problem, "fails")


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def main() -> int:
    """Install and use all, and write or compare the page. Returns 1 where something failed, or the page differs."""
    parser = argparse.ArgumentParser(prog="scripts/installs", description=__doc__)
    parser.add_argument("--extra", action="append", choices=extras(), help="only this extra; may be given again")
    parser.add_argument("--python", action="append", help="only this way, such as 3.12; may be given again")
    parser.add_argument("--check", action="store_true", help="only compare the page")
    options = parser.parse_args()
    there = columns()
    wanted = options.python or [column.name for column in there]
    if absent := [name for name in wanted if name not in {column.name for column in there}]:
        parser.error(f"there is no way {', '.join(absent)}; there are {', '.join(column.name for column in there)}")
    if not there:
        parser.error(f"there is no Python {' or '.join(VERSIONS)} on PATH or of pyenv")
    ways = [column for column in there if column.name in wanted]
    found: dict[str, dict[str, str]] = {}
    failed = False
    for extra, column, problem in outcomes(options.extra or extras(), ways):
        found.setdefault(extra, {})[column.name] = problem
        failed |= bool(problem)
        print(f"{column.name}: {extra}: {problem or 'works'}", flush=True)
    whole = not (options.extra or options.python)
    if whole and not options.check:
        PAGE.write_text(page(found, [column.name for column in ways]), encoding="utf-8")
    elif whole and PAGE.read_text(encoding="utf-8") != page(found, [column.name for column in ways]):
        print(f"{PAGE.relative_to(ROOT)} says something else: run `scripts/installs`.", file=sys.stderr)
        failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
