"""The rows of a data set, file by file in a fixed order, from any position on."""

from __future__ import annotations

import fnmatch
import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext.batch import parquet_rows
from wallaroo_ext.batch.filesystems import resolved
from wallaroo_ext.batch.positions import Position
from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyarrow import DataType, RecordBatch
    from pyarrow.compute import Expression

pa: Any = import_module("pyarrow")
fs: Any = import_module("pyarrow.fs")
datasets: Any = import_module("pyarrow.dataset")

FORMATS = {".parquet": "parquet", ".pq": "parquet", ".arrow": "ipc", ".feather": "ipc", ".ipc": "ipc", ".csv": "csv"}
_BATCH_ROWS = 16_384
_READAHEAD = 2
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


class Source:
    """A data set of files.

    Args:
        dataset: The data set.
        columns: The columns to read; None for all.
        where: Which rows to read; None for all.
    """

    def __init__(self, dataset: Any, columns: Sequence[str] | None = None, where: Expression | None = None) -> None:
        self._dataset = dataset
        self._columns = None if columns is None else list(columns)
        self._where = where
        self._fragments: list[Any] = list(dataset.get_fragments())
        self._check()

    def _check(self) -> None:
        known = self._dataset.schema.names
        for name in self._columns or ():
            if name not in known:
                raise InvalidDataError(f"There is no column {name!r} in the data set, but {', '.join(known)}.")
        try:  # a filter that names no column, or compares a text with a number, is known without reading
            self._dataset.scanner(filter=self._where)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise InvalidDataError(f"The filter {self._where} does not fit the data set: {error}") from error

    @property
    def names(self) -> list[str]:
        """The columns of the data set."""
        return self._dataset.schema.names

    def type_of(self, name: str) -> DataType:
        """The type of a column."""
        return self._dataset.schema.field(name).type

    @property
    def files(self) -> list[InputFile]:
        """The files, in the order in which they are read."""
        paths = [fragment.path for fragment in self._fragments]
        found: Any = self._dataset.filesystem.get_file_info(paths)
        return [InputFile(info.path, info.size, info.mtime_ns) for info in found]

    def path(self, position: Position) -> str:
        """The file of a position."""
        return self._fragments[position.file].path

    def count(self) -> int | None:
        """How many rows there are; None where only reading them all would tell."""
        if self._where is not None or self._dataset.format.default_extname not in {
            "parquet",
            "feather",
            "arrow",
            "ipc",
        }:
            return None
        return self._dataset.count_rows()

    def batches(self, begin: Position) -> Iterator[tuple[Position, RecordBatch]]:
        """The rows from a position on, each batch with where it begins.

        Raises:
            InvalidDataError: A file cannot be read as what the data set is.
        """
        for number in range(begin.file, len(self._fragments)):
            row = begin.row if number == begin.file else 0
            try:
                yield from self._of_file(number, row)
            except (pa.ArrowException, ValueError) as error:
                path = self._fragments[number].path
                raise InvalidDataError(f"{path} cannot be read: {error}") from error

    def _of_file(self, number: int, row: int) -> Iterator[tuple[Position, RecordBatch]]:
        fragment = self._fragments[number]
        if isinstance(self._dataset.format, datasets.ParquetFileFormat):
            columns = self.names if self._columns is None else self._columns
            found = parquet_rows.batches(
                fragment, self._dataset.schema, columns, self._where, rows=_BATCH_ROWS, skip=row
            )
        else:
            found = _after(row, self._scanned(fragment))
        for batch in found:
            yield Position(number, row), batch
            row += batch.num_rows

    def _scanned(self, fragment: Any) -> Iterator[RecordBatch]:
        return fragment.to_batches(
            schema=self._dataset.schema,
            columns=self._columns,
            filter=self._where,
            batch_size=_BATCH_ROWS,
            batch_readahead=_READAHEAD,
            fragment_readahead=1,
        )


def _after(row: int, batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
    """The rows from one on."""
    for batch in batches:
        given = batch.slice(min(row, batch.num_rows))
        row = max(0, row - batch.num_rows)
        if given.num_rows:
            yield given


def open_source(
    source: Any,
    *,
    filesystem: Any = None,
    kind: str | None = None,
    columns: Sequence[str] | None = None,
    where: Any = None,
) -> Source:
    """A data set by what a person names.

    Args:
        source: A file, a directory, a pattern with `*`, `?` or `[`, a list of files, or a data set of pyarrow.
        filesystem: The file system of pyarrow or fsspec that they are in; that of a URL, or the machine's.
        kind: `parquet`, `arrow` or `csv`; by the names of the files where it is None.
        columns: The columns to read.
        where: Which rows to read: an expression of pyarrow, or pyarrow's lists of tuples.

    Raises:
        InvalidDataError: There are no such files, or they cannot be read.
        OSError: The file system says no.
    """
    dataset = source if isinstance(source, datasets.Dataset) else _dataset(source, filesystem, kind)
    if not isinstance(dataset, datasets.FileSystemDataset):
        raise InvalidDataError(
            f"A data set of files is needed, not {type(dataset).__name__}; infer_batches takes rows that are in memory."
        )
    return Source(dataset, columns, _expression(where))


def _expression(where: Any) -> Expression | None:
    if where is None or isinstance(where, datasets.Expression):
        return where
    parquet: Any = import_module("pyarrow.parquet")
    try:
        return parquet.filters_to_expression(where)
    except (ValueError, TypeError, pa.ArrowException) as error:
        raise InvalidDataError(
            f"A filter is an expression of pyarrow, or a list such as [('amount', '>', 100)]: {error}"
        ) from error


def _dataset(source: Any, filesystem: Any, kind: str | None) -> Any:
    system, paths, base = _found(source, filesystem)
    form = _format(paths, kind)
    partitioning = None if base is None else "hive"
    try:
        return datasets.dataset(
            paths, format=form, filesystem=system, partitioning=partitioning, partition_base_dir=base
        )
    except (pa.ArrowException, ValueError) as error:
        raise InvalidDataError(f"{source} cannot be read as {form}: {error}") from error


def _found(source: Any, filesystem: Any) -> tuple[Any, list[str], str | None]:
    """The file system, the files in order, and the directory they are in where one was named."""
    if isinstance(source, list | tuple):
        places = [resolved(place, filesystem) for place in cast("list[Any]", source)]
        if not places:
            raise InvalidDataError("The list of files is empty.")
        return places[0][0], [path for _, path in places], None
    if not isinstance(source, str | os.PathLike):
        raise InvalidDataError(f"A source is a path, a list of paths or a data set, not {type(source).__name__}.")
    system, path = resolved(cast("Any", source), filesystem)
    if set(path) & _WILD and system.get_file_info(path).type == fs.FileType.NotFound:
        return system, _matching(system, path), None
    if system.get_file_info(path).type == fs.FileType.Directory:
        return system, _files(system, path, source), path
    if system.get_file_info(path).type == fs.FileType.NotFound:
        raise InvalidDataError(f"There is no file {source}.")
    return system, [path], None


def _files(system: Any, directory: str, named: Any) -> list[str]:
    """The data files below a directory; what begins with a dot or an underscore is none."""
    infos = system.get_file_info(fs.FileSelector(directory, recursive=True))
    paths = [info.path for info in infos if info.is_file and not _is_hidden(info.path[len(directory) :])]
    if not paths:
        raise InvalidDataError(f"There are no files in {named}.")
    return sorted(paths)


def _is_hidden(path: str) -> bool:
    return any(part.startswith((".", "_")) for part in path.strip("/").split("/"))


def _matching(system: Any, pattern: str) -> list[str]:
    """The files that a pattern fits, `**` over any number of directories."""
    parts = PurePosixPath(pattern).parts
    fixed = next(number for number, part in enumerate(parts) if set(part) & _WILD)
    base = str(PurePosixPath(*parts[:fixed])) if fixed else ""
    infos = system.get_file_info(fs.FileSelector(base, recursive=True, allow_not_found=True))
    paths = sorted(info.path for info in infos if info.is_file and _fits(info.path, list(parts)))
    if not paths:
        raise InvalidDataError(f"There is no file that {pattern} fits.")
    return paths


def _fits(path: str, pattern: list[str]) -> bool:
    return _parts_fit(list(PurePosixPath(path).parts), pattern)


def _parts_fit(parts: list[str], pattern: list[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_parts_fit(parts[skip:], pattern[1:]) for skip in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _parts_fit(parts[1:], pattern[1:])


def _format(paths: list[str], kind: str | None) -> str:
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
