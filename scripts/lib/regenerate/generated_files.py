"""Replaces generated files in a directory, and no others: a list with digests records which files were generated."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from wallaroo_ext._util.files.atomic_files import is_temporary_name, temporary_name, write_atomically
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

LIST = ".wallaroo-generated.json"
_ABOUT = (
    "What scripts/regenerate wrote here, with SHA-256 digests. It replaces these files as long as they are unchanged."
)
_FILES = "files_1"  # the number changes when something in the list means something else
_STAGING = "generated"
_CACHES = "__pycache__"


class ForeignFilesError(Exception):
    """Files that were not generated are in the way of generated ones; the message says what to do."""


class GeneratedFiles:
    """The generated files of a directory.

    Args:
        directory: The directory; it is made if it is missing.
        products: The names of the files and directories that are generated in it.
        is_own: Whether everything under these names is generated, so that no list is needed: `generated/` of a clone.
    """

    def __init__(self, directory: Path, products: Sequence[str], *, is_own: bool) -> None:
        self._directory = directory.resolve()
        self._products = products
        self._is_own = is_own
        self._digests: dict[str, list[str]] = {}
        self._unfinished: list[str] = []

    def check(self) -> None:
        """Check that everything under the products' names was generated. Changes nothing.

        Raises:
            ForeignFilesError: Something was not, or the path is not a directory.
        """
        if self._directory.exists() and not self._directory.is_dir():
            raise ForeignFilesError(f"{self._directory} is not a directory: name another --output.")
        self._read_list()
        if self._is_own:
            return
        for name in self._existing():
            if not self._is_generated(name):
                raise ForeignFilesError(
                    f"{self._directory / name} was not written by scripts/regenerate, or was changed since: move it "
                    f"elsewhere, or name another --output."
                )

    def _read_list(self) -> None:
        file = self._directory / LIST
        if not os.path.lexists(file):
            return
        try:
            content = object_of({} if file.is_symlink() else json.loads(file.read_bytes()))
            self._digests = {name: list_of(found) for name, found in object_of(content[_FILES]).items()}
            self._unfinished = [name for name in list_of(content["unfinished"]) if is_temporary_name(name, _STAGING)]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            raise ForeignFilesError(f"{file} is not the list of scripts/regenerate: name another --output.") from None

    def _existing(self) -> Iterator[str]:
        """Yield the paths of the files under the products' names, without Python's caches."""
        for product in self._products:
            path = self._directory / product
            if path.is_dir() and not path.is_symlink():
                yield from self._below(path)
            elif os.path.lexists(path):
                yield product

    def _below(self, directory: Path) -> Iterator[str]:
        for parent, names, files in os.walk(directory):
            folder = Path(parent)
            links = [name for name in names if (folder / name).is_symlink()]
            cached = [name for name in files if folder.name == _CACHES and name.endswith(".pyc")]
            empty = [] if names or files or folder.name == _CACHES else [""]
            for name in (*links, *(name for name in files if name not in cached), *empty):
                yield str((folder / name).relative_to(self._directory))

    def _is_generated(self, name: str) -> bool:
        path = self._directory / name
        if path.is_symlink() or not path.is_file():
            return False
        return hashlib.sha256(path.read_bytes()).hexdigest() in self._digests.get(name, [])

    def replace(self, made: Path) -> None:
        """Replace the files that were generated before, each product as a whole.

        Args:
            made: The directory with the new products.

        Raises:
            ForeignFilesError: See `check`.
        """
        self.check()
        self._directory.mkdir(parents=True, exist_ok=True)
        for name in self._unfinished:  # of a run that was killed
            shutil.rmtree(self._directory / name, ignore_errors=True)
        staging = self._directory / temporary_name(_STAGING)
        new = {name: [digest] for name, digest in _digests_below(made, self._products)}
        old = self._digests
        self._write_list(
            {name: old.get(name, []) + new.get(name, []) for name in old.keys() | new.keys()}, [staging.name]
        )
        staging.mkdir(mode=0o700)
        for product in self._products:
            self._swap(made / product, self._directory / product, staging)
        shutil.rmtree(staging)
        if self._is_own:
            (self._directory / LIST).unlink()
        else:
            self._write_list(new, [])

    @staticmethod
    def _swap(made: Path, target: Path, staging: Path) -> None:
        if made.is_file():
            write_atomically(target, made.read_bytes())
            return
        shutil.copytree(made, staging / target.name)
        if target.exists():
            target.rename(staging / f"{target.name}.old")
        (staging / target.name).rename(target)

    def _write_list(self, digests: dict[str, list[str]], unfinished: list[str]) -> None:
        content = {"about": _ABOUT, _FILES: dict(sorted(digests.items())), "unfinished": unfinished}
        write_atomically(self._directory / LIST, (json.dumps(content, indent=1) + "\n").encode(), durable=True)


def _digests_below(directory: Path, products: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the paths and the SHA-256 digests of the products' files."""
    for product in products:
        for path in (directory / product, *(directory / product).rglob("*")):
            if path.is_file():
                yield str(path.relative_to(directory)), hashlib.sha256(path.read_bytes()).hexdigest()


def difference_lines(
    wanted: AbstractSet[str], existing: AbstractSet[str], is_changed: Callable[[str], bool]
) -> list[str]:
    """Return a line for each file that is missing, that is not generated, or that is changed.

    Args:
        wanted: The names of the files that the contract gives.
        existing: The names of those that are there.
        is_changed: Returns whether a file that is wanted and there differs.
    """
    return [
        *(f"{name} is missing" for name in sorted(wanted - existing)),
        *(f"{name} is not made from the contract" for name in sorted(existing - wanted)),
        *(f"{name} differs" for name in sorted(wanted & existing) if is_changed(name)),
    ]
