"""Finding the files of a data set in a fixed order, with the partition columns in the names of their directories."""

from __future__ import annotations

import fnmatch
import itertools
import os
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import unquote

from wallaroo_ext._util.files.user_paths import near_file_name
from wallaroo_ext._util.locations import is_url, without_secrets
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.forms import formats as forms
from wallaroo_ext.inference.files.forms.formats import HEAD_BYTES
from wallaroo_ext.inference.files.forms.json_files import LINES
from wallaroo_ext.inference.files.opening.compression import unpacked_suffix
from wallaroo_ext.inference.files.opening.filesystems import reaching, resolve
from wallaroo_ext.inference.files.opening.row_files import open_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

fs: Any = import_module("pyarrow.fs")

FORMATS = {
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".arrow", ".arrows", ".feather", ".ipc"), "ipc"),
    **dict.fromkeys((".csv", ".tsv", ".tab"), "csv"),
    **dict.fromkeys((".json", *LINES), "json"),
    ".npy": "npy",
    ".npz": "npz",
}
_NAMED = {"parquet": "parquet", "arrow": "ipc", "json": "json", "csv": "csv", "npy": "npy"}
"""The formats that a person names."""

_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_TABLES = {
    "*/_delta_log/*.json": "a table of Delta Lake: give DeltaTable(…).to_pyarrow_dataset() of the package deltalake",
    "*/.hoodie/hoodie.properties": "a table of Hudi: read it with the package hudi, and write its rows as Parquet",
    "*/metadata/*.metadata.json": "a table of Iceberg: read it with pyiceberg, and write its rows as Parquet",
}
"""Files by which a directory is a table, some of whose files are no part of it any more, and what to do about it."""

_WILDCARDS = set("*?[")


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file of a data set, with its size and time, which tell whether it has changed.

    Attributes:
        path: The path in its file system.
        size: The size in bytes.
        changed: When it was changed, in nanoseconds since 1970; None if the file system does not record it.
    """

    path: str
    size: int | None
    changed: int | None


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """The files of a data set.

    Attributes:
        system: Their file system, of pyarrow.
        paths: Their paths, in order.
        base: The directory that the source names; None if it names files or a pattern.
        pattern: The pattern that the source names; None if it names none.
    """

    system: Any
    paths: list[str]
    base: str | None
    pattern: str | None = None

    def files(self) -> list[InputFile]:
        """Return the files with their sizes and times.

        Raises:
            InvalidDataError: A file does not exist.
        """
        infos = self.system.get_file_info(self.paths)
        for info in infos:
            if info.type == fs.FileType.NotFound:
                raise _missing(self.system, info.path, info.path)
        return [InputFile(without_secrets(info.path), info.size, info.mtime_ns) for info in infos]

    def overlaps(self, system: Any, directory: str) -> bool:
        """Return whether the data set has files in a directory, or would have them once some are written there.

        Args:
            system: The file system of the directory.
            directory: The path of the directory.
        """
        if not self.system.equals(system):
            return False
        target = self._real_path(directory)
        if any(self._real_path(path).is_relative_to(target) for path in self.paths):
            return True
        if self.pattern is not None and _matches(str(target / "part-000000.parquet"), self._real_pattern(self.pattern)):
            return True
        base = None if self.base is None else self._real_path(self.base)
        return base is not None and target.is_relative_to(base) and not _is_hidden(str(target.relative_to(base)))

    def _real_pattern(self, pattern: str) -> list[str]:
        """Return the parts of a pattern, with links resolved in the directory that it begins with."""
        parts, fixed = _split_pattern(pattern)
        return [*self._real_path(str(PurePosixPath(*parts[:fixed]))).parts, *parts[fixed:]]

    def _real_path(self, path: str) -> PurePosixPath:
        """Return a path with links resolved, if it is on this machine."""
        return PurePosixPath(os.path.realpath(path) if isinstance(self.system, fs.LocalFileSystem) else path)

    def partitions(self, path: str) -> dict[str, str | None]:
        """Return the partition columns of a file, from directories such as `zip=00123`, as texts.

        Raises:
            InvalidDataError: Two directories have different values for a column, or one is not in UTF-8.
        """
        if self.base is None:
            return {}
        directories = PurePosixPath(path[len(self.base) :].strip("/")).parts[:-1]
        found: dict[str, str | None] = {}
        for directory in (part for part in directories if "=" in part.lstrip("=")):
            name, value = _parse_partition(path, directory)
            if found.setdefault(name, value) != value:
                raise InvalidDataError(f"{path}: two directories have different values of {name!r}.")
        return found


def _parse_partition(path: str, directory: str) -> tuple[str, str | None]:
    name, _, value = directory.partition("=")
    try:
        return unquote(name, errors="strict"), (None if value == _NULL_PARTITION else unquote(value, errors="strict"))
    except UnicodeDecodeError:
        raise InvalidDataError(f"{path}: the directory {directory} is not percent-encoded UTF-8.") from None


def find_files(source: Any, filesystem: Any) -> FoundFiles:
    """Return the files that a source names.

    Args:
        source: A file, a directory, a pattern with `*`, `?` or `[`, or a list of files.
        filesystem: Their file system, of pyarrow or fsspec; without one, that of the URL, or this machine's.

    Raises:
        InvalidDataError: There are no such files.
    """
    if isinstance(source, list | tuple):
        return _find_each(cast("list[Any]", source), filesystem)
    if not isinstance(source, str | os.PathLike):
        raise _no_source(source)
    system, path = resolve(cast("Any", source), filesystem)
    with reaching(cast("Any", source), system):
        return _find(system, path, source)


def _find(system: Any, path: str, source: Any) -> FoundFiles:
    """Return the files at a path of a file system, which may be a directory or a pattern."""
    kind = system.get_file_info(path).type
    if _is_pattern(path) and kind == fs.FileType.NotFound:
        return FoundFiles(system, _list_matches(system, path), None, path)
    if kind == fs.FileType.Directory:
        return FoundFiles(system, _list_directory(system, path, source), path)
    _check_type(system, path, kind, without_secrets(source))
    return FoundFiles(system, [path], None)


def _is_pattern(path: str) -> bool:
    """Return whether a path has wildcards; in a path that is a URL, as HTTP has them, a query is none."""
    return bool(set(path.partition("?")[0] if is_url(path) else path) & _WILDCARDS)


def _no_source(source: object) -> InvalidDataError:
    advice = ""
    if callable(getattr(source, "read", None)):
        advice = "An open file cannot be read again after a stop: name it by its path, or give it to infer."
    return InvalidDataError(
        f"A source is a path, a list of paths or a data set, not {type(source).__name__}.", advice=advice
    )


def _check_type(system: Any, path: str, kind: Any, shown: str) -> None:
    """Raise InvalidDataError for a path that names no file."""
    if kind == fs.FileType.NotFound:
        raise _missing(system, path, shown)
    if kind == fs.FileType.Unknown:
        raise InvalidDataError(
            f"{shown} is no regular file, and a batch reads its files more than once: save what it has in a file."
        )
    if kind == fs.FileType.Directory:
        raise InvalidDataError(f"{shown} is a directory: name it alone, or the files in it.")


def _missing(system: Any, path: str, shown: str) -> InvalidDataError:
    """Return the error for a file that does not exist, with a near name on this machine."""
    near = near_file_name(Path(path)) if isinstance(system, fs.LocalFileSystem) else None
    return InvalidDataError(f"There is no file {shown}{'' if near is None else f', but {near!r} beside it'}.")


def _find_each(sources: Sequence[Any], filesystem: Any) -> FoundFiles:
    for source in sources:
        if not isinstance(source, str | os.PathLike):
            raise _no_source(source)
    found = [resolve(source, filesystem) for source in sources]
    if not found:
        raise InvalidDataError("The list of files is empty.")
    system, paths = found[0][0], [path for _, path in found]
    other = next((source for source, (own, _) in zip(sources, found, strict=True) if not own.equals(system)), None)
    if other is not None:
        one, another = without_secrets(sources[0]), without_secrets(other)
        raise InvalidDataError(
            f"The files of a list are on one file system, and {one} and {another} are on two: score them apart, or "
            "copy them to one place."
        )
    with reaching(sources[0], system):
        infos: list[Any] = cast("Any", system).get_file_info(paths)
    for info, source in zip(infos, sources, strict=True):
        _check_type(system, info.path, info.type, without_secrets(source))
    return FoundFiles(system, paths, None)


def _list_directory(system: Any, directory: str, source: Any) -> list[str]:
    """Return the data files below a directory, without hidden ones.

    Names that begin with a dot or an underscore are hidden, except partition directories such as `_id=5`.
    """
    infos = _infos_in(system, directory, deep=True)
    for pattern, why in _TABLES.items():
        if any(fnmatch.fnmatchcase(info.path, pattern) for info in infos):
            raise InvalidDataError(
                f"{without_secrets(source)} has files that are no part of it any more, because it is {why}."
            )
    paths = _wanted_files(system, infos, lambda path: not _is_hidden(path[len(directory) :]))
    if not paths:
        raise InvalidDataError(f"There are no files in {without_secrets(source)}.")
    return paths


@dataclass(frozen=True, slots=True)
class _LostLink:
    """A link that leads to no file; a file system of pyarrow does not list it.

    Attributes:
        path: The path of the link.
    """

    path: str
    is_file: ClassVar[bool] = True


def _infos_in(system: Any, directory: str, *, deep: bool) -> list[Any]:
    """Return what a directory has, with the links to nothing; where that is asked for, with what is below it, too."""
    infos: list[Any] = system.get_file_info(fs.FileSelector(directory, recursive=deep, allow_not_found=True))
    is_local = isinstance(system, fs.LocalFileSystem)
    return [*infos, *map(_LostLink, _links_to_nothing(directory, deep=deep))] if is_local else infos


def _wanted_files(system: Any, infos: Iterable[Any], is_wanted: Callable[[str], bool]) -> list[str]:
    """Return the files that are wanted of what a file system lists, in order.

    Raises:
        InvalidDataError: A link leads nowhere, so that rows would be missing, or makes one file appear twice.
    """
    wanted = [info for info in infos if info.is_file and is_wanted(info.path)]
    lost = next((info for info in wanted if isinstance(info, _LostLink)), None)
    if lost is not None:
        raise InvalidDataError(f"{lost.path} is a link to what does not exist: fetch it, or remove the link.")
    paths = sorted(info.path for info in wanted)
    if isinstance(system, fs.LocalFileSystem):
        _check_single(paths)
    return paths


def _links_to_nothing(base: str, *, deep: bool) -> Iterator[str]:
    """Yield the links in a directory, or anywhere below it, that lead to no file."""
    for directory, below, names in os.walk(base):
        if not deep:
            below.clear()
        for path in (Path(directory, name) for name in names):
            if path.is_symlink() and not path.exists():
                yield path.as_posix()


def _check_single(paths: Sequence[str]) -> None:
    """Raise InvalidDataError if links make one file appear twice, as one to a directory that it is in does."""
    seen: dict[tuple[int, int], str] = {}
    for path in paths:
        state = Path(path).stat()
        other = seen.setdefault((state.st_dev, state.st_ino), path)
        if other != path and os.path.realpath(other) == os.path.realpath(path):
            raise InvalidDataError(
                f"{other} and {path} are one file, by a link, so that its rows would be scored twice: remove the link, "
                "or name the files."
            )


def _is_hidden(path: str) -> bool:
    parts = path.strip("/").split("/")
    return any(part.startswith(".") or (part.startswith("_") and "=" not in part) for part in parts)


def _list_matches(system: Any, pattern: str) -> list[str]:
    """Return the files that match a pattern.

    `**` stands for any number of directories. A hidden file matches only if the pattern begins as its name does.
    """
    parts, fixed = _split_pattern(pattern)
    base = str(PurePosixPath(*parts[:fixed])) if fixed else ""
    places = _places_of_matches(system, base, parts[fixed:])
    infos = (info for directory, deep in places for info in _infos_in(system, directory, deep=deep))
    paths = _wanted_files(system, infos, lambda path: _matches(path, list(parts)))
    if not paths:
        raise InvalidDataError(f"There is no file that {without_secrets(pattern)} fits.")
    return paths


def _places_of_matches(system: Any, base: str, pattern: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield the directories whose files may match the parts of a pattern, each with whether those below it may, too.

    Nothing else is looked into: it may be large, or closed to this user.
    """
    first, *rest = pattern
    if first == "**" or not rest:
        yield base, first == "**"
        return
    if set(first) & _WILDCARDS:
        infos = system.get_file_info(fs.FileSelector(base, allow_not_found=True))
        found = [info for info in infos if _part_matches(info.base_name, first)]
    else:
        found = [system.get_file_info(str(PurePosixPath(base, first)))]
    for info in found:
        if info.type == fs.FileType.Directory:
            yield from _places_of_matches(system, info.path, rest)


def _split_pattern(pattern: str) -> tuple[tuple[str, ...], int]:
    """Return the parts of a pattern, and how many parts come before the first one with a wildcard."""
    parts = PurePosixPath(pattern).parts
    return parts, next(number for number, part in enumerate(parts) if set(part) & _WILDCARDS)


def _matches(path: str, pattern: list[str]) -> bool:
    return _parts_match(list(PurePosixPath(path).parts), pattern)


def _parts_match(parts: list[str], pattern: list[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        skipped = itertools.takewhile(lambda skip: not skip or not _is_hidden(parts[skip - 1]), range(len(parts) + 1))
        return any(_parts_match(parts[skip:], pattern[1:]) for skip in skipped)
    return bool(parts) and _part_matches(parts[0], pattern[0]) and _parts_match(parts[1:], pattern[1:])


def _part_matches(part: str, pattern: str) -> bool:
    """Return whether a name matches; a hidden one only if the pattern begins with the same character, as in shells."""
    return fnmatch.fnmatchcase(part, pattern) and not (_is_hidden(part) and part[0] != pattern[0])


def format_of(found: FoundFiles, kind: str | None) -> str:
    """Return the format of files: `parquet`, `ipc`, `json`, `csv`, `npy` or `npz`.

    Args:
        found: The files.
        kind: The format that a person names; None to go by the names of the files, or, where none tells it, by the
            first bytes of the first file.

    Raises:
        InvalidDataError: The files have several formats, or an unknown one.
    """
    if kind is not None:
        if kind not in _NAMED:
            raise InvalidDataError(f"A format is {' or '.join(_NAMED)}, not {kind!r}.")
        return _NAMED[kind]
    paths = found.paths
    suffixes = {path: unpacked_suffix(without_secrets(path)) for path in paths}
    kinds = {FORMATS.get(suffix) for suffix in suffixes.values()}
    if len(kinds) == 1 and None not in kinds:
        return cast("str", kinds.pop())
    wrong = next((path for path, suffix in suffixes.items() if suffix not in FORMATS), None)
    if kinds == {None}:
        return _format_within(found.system, paths[0])
    if wrong is None:
        raise InvalidDataError("The files are of several formats: name those of one, by a pattern or a list.")
    raise _of_no_format(wrong, "name the others by a pattern such as '*.parquet', or say what it is by ")


def _of_no_format(path: str, advice: str) -> InvalidDataError:
    return InvalidDataError(
        f"{without_secrets(path)} is of no known format: {advice}format={' or '.join(map(repr, _NAMED))}. "
        f"The suffixes {', '.join(FORMATS)} are known."
    )


def _format_within(system: Any, path: str) -> str:
    """Return the format that the first bytes of a file tell.

    Raises:
        InvalidDataError: They tell none that is read.
    """
    shown = without_secrets(path)
    try:
        with closing(open_stream(system, path)) as opened:
            head = opened.read(HEAD_BYTES)
        found = forms.format_of(head, unpacked_suffix(shown))
    except forms.UnknownFormatError as error:
        raise _of_no_format(path, "name it by ") from error
    except InvalidDataError as error:
        raise InvalidDataError(f"{shown} cannot be read: {error}") from error
    return "ipc" if found in {"arrow file", "arrow stream", "feather 1"} else found
