"""The files of a data set, by what a person names: in a fixed order, with the columns that their directories say."""

from __future__ import annotations

import fnmatch
import itertools
import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from wallaroo_ext.batch.filesystems import resolved
from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

fs: Any = import_module("pyarrow.fs")

FORMATS = {".parquet": "parquet", ".pq": "parquet", ".arrow": "ipc", ".feather": "ipc", ".ipc": "ipc", ".csv": "csv"}
_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_WILD = set("*?[")


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file of a data set, with what tells whether it is still the same.

    Attributes:
        path: Its path in its file system.
        size: In bytes.
        changed: When it was changed, in nanoseconds since 1970; None where the file system does not tell.
    """

    path: str
    size: int | None
    changed: int | None


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """The files of a data set.

    Attributes:
        system: pyarrow's file system that they are in.
        paths: Their paths, in order.
        base: The directory that was named; None where files were.
        pattern: The pattern that was named; None where none was.
    """

    system: Any
    paths: list[str]
    base: str | None
    pattern: str | None = None

    def files(self) -> list[InputFile]:
        """Look at the files.

        Raises:
            InvalidDataError: One is not there.
        """
        infos = self.system.get_file_info(self.paths)
        for info in infos:
            if info.type == fs.FileType.NotFound:
                raise InvalidDataError(f"There is no file {info.path}.")
        return [InputFile(info.path, info.size, info.mtime_ns) for info in infos]

    def overlap(self, system: Any, directory: str) -> bool:
        """Return whether files of a directory are read, or would be once there are any.

        Args:
            system: The file system that the directory is in.
            directory: Its path.
        """
        if not self.system.equals(system):
            return False
        place = self._place(directory)
        if any(self._place(path).is_relative_to(place) for path in self.paths):
            return True
        if self.pattern is not None and _fits(str(place / "part-000000.parquet"), self._resolved(self.pattern)):
            return True
        base = None if self.base is None else self._place(self.base)
        return base is not None and place.is_relative_to(base) and not _is_hidden(str(place.relative_to(base)))

    def _resolved(self, pattern: str) -> list[str]:
        """Return the parts of a pattern, below where the directory that it begins with leads to."""
        parts, fixed = _fixed(pattern)
        return [*self._place(str(PurePosixPath(*parts[:fixed]))).parts, *parts[fixed:]]

    def _place(self, path: str) -> PurePosixPath:
        """Return where a path leads to."""
        return PurePosixPath(os.path.realpath(path) if isinstance(self.system, fs.LocalFileSystem) else path)

    def partitions(self, path: str) -> dict[str, str | None]:
        """Return the columns that a file's directories say, as Hive writes them: `zip=00123`, always texts.

        Raises:
            InvalidDataError: Two directories contradict each other, or one is not in UTF-8.
        """
        if self.base is None:
            return {}
        directories = PurePosixPath(path[len(self.base) :].strip("/")).parts[:-1]
        found: dict[str, str | None] = {}
        for directory in (part for part in directories if "=" in part.lstrip("=")):
            name, value = _partition(path, directory)
            if found.setdefault(name, value) != value:
                raise InvalidDataError(f"{path}: two directories say different values of {name!r}.")
        return found


def _partition(path: str, directory: str) -> tuple[str, str | None]:
    name, _, value = directory.partition("=")
    try:
        return unquote(name, errors="strict"), (None if value == _NULL_PARTITION else unquote(value, errors="strict"))
    except UnicodeDecodeError:
        raise InvalidDataError(f"{path}: the directory {directory} is not percent-encoded UTF-8.") from None


def find(source: Any, filesystem: Any) -> FoundFiles:
    """Find the files that a person names.

    Args:
        source: A file, a directory, a pattern with `*`, `?` or `[`, or a list of files.
        filesystem: The file system of pyarrow or fsspec that they are in; that of a URL, or the machine's.

    Raises:
        InvalidDataError: There are none.
    """
    if isinstance(source, list | tuple):
        return _listed(cast("list[Any]", source), filesystem)
    if not isinstance(source, str | os.PathLike):
        raise InvalidDataError(f"A source is a path, a list of paths or a data set, not {type(source).__name__}.")
    system, path = resolved(cast("Any", source), filesystem)
    kind = system.get_file_info(path).type
    if set(path) & _WILD and kind == fs.FileType.NotFound:
        return FoundFiles(system, _matching(system, path), None, path)
    if kind == fs.FileType.Directory:
        return FoundFiles(system, _below(system, path, source), path)
    if kind == fs.FileType.NotFound:
        raise InvalidDataError(f"There is no file {source}.")
    return FoundFiles(system, [path], None)


def _listed(sources: Sequence[Any], filesystem: Any) -> FoundFiles:
    found = [resolved(place, filesystem) for place in sources]
    if not found:
        raise InvalidDataError("The list of files is empty.")
    return FoundFiles(found[0][0], [path for _, path in found], None)


def _below(system: Any, directory: str, named: Any) -> list[str]:
    """The data files below a directory; those with a dot or an underscore before them are none, but below `_id=5`."""
    infos = system.get_file_info(fs.FileSelector(directory, recursive=True))
    paths = [info.path for info in infos if info.is_file and not _is_hidden(info.path[len(directory) :])]
    if not paths:
        raise InvalidDataError(f"There are no files in {named}.")
    return sorted(paths)


def _is_hidden(path: str) -> bool:
    parts = path.strip("/").split("/")
    return any(part.startswith(".") or (part.startswith("_") and "=" not in part) for part in parts)


def _matching(system: Any, pattern: str) -> list[str]:
    """Return the files that a pattern fits, `**` over any number of directories; hidden ones where it names them so."""
    parts, fixed = _fixed(pattern)
    base = str(PurePosixPath(*parts[:fixed])) if fixed else ""
    infos = system.get_file_info(fs.FileSelector(base, recursive=True, allow_not_found=True))
    paths = sorted(info.path for info in infos if info.is_file and _fits(info.path, list(parts)))
    if not paths:
        raise InvalidDataError(f"There is no file that {pattern} fits.")
    return paths


def _fixed(pattern: str) -> tuple[tuple[str, ...], int]:
    """Return the parts of a pattern, and how many of them, from the first on, are names."""
    parts = PurePosixPath(pattern).parts
    return parts, next(number for number, part in enumerate(parts) if set(part) & _WILD)


def _fits(path: str, pattern: list[str]) -> bool:
    return _parts_fit(list(PurePosixPath(path).parts), pattern)


def _parts_fit(parts: list[str], pattern: list[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        skipped = itertools.takewhile(lambda skip: not skip or not _is_hidden(parts[skip - 1]), range(len(parts) + 1))
        return any(_parts_fit(parts[skip:], pattern[1:]) for skip in skipped)
    return bool(parts) and _part_fits(parts[0], pattern[0]) and _parts_fit(parts[1:], pattern[1:])


def _part_fits(part: str, pattern: str) -> bool:
    """Return whether a name fits; a hidden one only if the pattern begins as it does, as shells have it for dots."""
    return fnmatch.fnmatchcase(part, pattern) and not (_is_hidden(part) and part[0] != pattern[0])


def format_of(paths: list[str], kind: str | None) -> str:
    """Return the format of files: `parquet`, `ipc` or `csv`, by what is said or by their names.

    Raises:
        InvalidDataError: They are of several ones, or of none that is known.
    """
    if kind is not None:
        if kind not in {"parquet", "arrow", "csv"}:
            raise InvalidDataError(f"A format is parquet, arrow or csv, not {kind!r}.")
        return "ipc" if kind == "arrow" else kind
    kinds = {FORMATS.get(PurePosixPath(path).suffix.lower()) for path in paths}
    if len(kinds) == 1 and None not in kinds:
        return cast("str", kinds.pop())
    wrong = next((path for path in paths if PurePosixPath(path).suffix.lower() not in FORMATS), None)
    if wrong is None:
        raise InvalidDataError("The files are of several formats: name those of one, by a pattern or a list.")
    raise InvalidDataError(
        f"{wrong} is of no known format; say which: format='parquet', 'arrow' or 'csv'. "
        f"By themselves, {', '.join(FORMATS)} are known."
    )
