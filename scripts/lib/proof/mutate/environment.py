"""Environments of Python in which changes of the extension can be switched on, for every process that tests start."""

from __future__ import annotations

import marshal
import os
import shutil
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.lib.proof.mutate import hook
from scripts.lib.proof.mutate.changes import switchable_code

if TYPE_CHECKING:
    from scripts.lib.proof.mutate.changes import Change


def make_environments(root: Path, directory: Path, numbers: dict[Change, int], count: int) -> list[Path]:
    """Make some environments with the packages of this one, and return their directories.

    Args:
        root: The repository's root.
        directory: Where to make them.
        numbers: The changes with their numbers.
        count: How many to make; each has switches of its own.
    """
    code = {_module_name(path): switchable_code(root, path, numbers) for path in {change.path for change in numbers}}
    made = [directory / str(number) for number in range(count)]
    for place in made:
        shutil.rmtree(place, ignore_errors=True)
        venv.EnvBuilder(symlinks=True).create(place)
        _add_packages(root, place)
        _add_programs(place)
        (place / "switches").write_bytes(bytes(2 * len(numbers)))
        (place / "changed").mkdir()
        for name, compiled in code.items():
            (place / "changed" / name).write_bytes(marshal.dumps(compiled))
    return made


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _add_packages(root: Path, place: Path) -> None:
    """Let an environment find the repository's packages, those of this environment, and the changes."""
    packages = Path("lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")
    paths = [root, root / "generated", Path(sys.prefix, packages)]
    (place / packages / "repository.pth").write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
    shutil.copyfile(hook.__file__, place / packages / "sitecustomize.py")


def _add_programs(place: Path) -> None:
    """Give an environment the programs of this one; those in Python run by its own Python."""
    for program in Path(sys.prefix, "bin").iterdir():
        target = place / "bin" / program.name
        if target.exists() or target.is_symlink():
            continue
        content = program.read_bytes()
        if content.startswith(b"#!") and sys.prefix.encode() in content.partition(b"\n")[0]:
            target.write_bytes(content.replace(os.fsencode(sys.prefix), os.fsencode(place), 1))
            shutil.copymode(program, target)
        else:
            target.symlink_to(program)
