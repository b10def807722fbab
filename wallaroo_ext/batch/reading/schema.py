"""The files of a data set as one table: which columns it has, and one type for each, decided before a row is sent.

Parquet and Arrow files say their types. Where those of two files differ, the column gets one that holds the values of
both, and where that depends on the values, they are looked at. CSV files have texts only, so they are read once, whole,
to find what the texts stand for.
"""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.batch.reading.readers import CsvReader
from wallaroo_ext.batch.reading.widening import LostValueError, common_types, converted
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.csv_types import ColumnType, Field, from_texts
from wallaroo_ext.inference.pandas_index import index_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pyarrow import DataType, RecordBatch

    from wallaroo_ext.batch.reading.readers import FileReader

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")

_SHOWN = 10
_AT_ONCE = 16
_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class FileOfSet:
    """A file of a data set.

    Attributes:
        reader: Reads it.
        partitions: The columns that its directories say, with their texts.
    """

    reader: FileReader
    partitions: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])

    @property
    def names(self) -> list[str]:
        """Its columns, with those of its directories."""
        own = self.reader.schema.names
        return [*own, *(name for name in self.partitions if name not in own)]

    @property
    def has_rows(self) -> bool:
        """Whether it has any row."""
        names = self.reader.schema.names
        if self.reader.rows is not None or not names:
            return bool(self.reader.rows)
        return any(batch.num_rows for batch in self.reader.batches(names[:1]))


@dataclass(frozen=True, slots=True)
class Decided:
    """The types of the columns that are read.

    Attributes:
        schema: The types in which rows are read.
        sent: Other types, in which columns are sent, or compared with a filter, that are read as the texts of a key.
        rows: How many rows each CSV file has.
        blocks: How many bytes of each CSV file have to be parsed at a time.
    """

    schema: Any
    sent: Any = field(default_factory=lambda: pa.schema([]))
    rows: list[int | None] = field(default_factory=list["int | None"])
    blocks: list[int] = field(default_factory=list[int])

    def written(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "schema": base64.b64encode(self.schema.serialize()).decode("ascii"),
            "sent": base64.b64encode(self.sent.serialize()).decode("ascii"),
            "rows": self.rows,
            "blocks": self.blocks,
        }

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Decided:
        """Return what `written` gave."""
        schema, sent = (
            pa.ipc.read_schema(pa.py_buffer(base64.b64decode(content[name]))) for name in ("schema", "sent")
        )
        return cls(schema, sent, content["rows"], content["blocks"])


class DataSet:
    """The files of a data set.

    Args:
        files: They, in order.
        types: The types that the person names for columns.
        given: The types that a data set of pyarrow was made with.
        names: The columns that it has; None for all of the files.

    Attributes:
        names: The columns of all files.
        index: Those that pandas keeps an index in.

    Raises:
        InvalidDataError: A file cannot be read, or has two columns of one name.
    """

    def __init__(
        self,
        files: Sequence[FileOfSet],
        types: Mapping[str, DataType] | None = None,
        given: Mapping[str, DataType] | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        self.files = list(files)
        self._types = dict(types or {})
        self._given = dict(given or {})
        with ThreadPoolExecutor(
            min(_AT_ONCE, len(self.files)) or 1
        ) as pool:  # each is a request in remote file systems
            list(pool.map(_check_names, self.files))
        self.names = list(dict.fromkeys(name for file in self.files for name in file.names))
        if names is not None:
            self.names = [name for name in names if name in self.names]
        self.index = set[str]().union(*(index_columns(file.reader.schema) for file in self.files))
        self._texts: dict[str, ColumnType] = {}
        for name in self._types:
            if name not in self.names:
                raise InvalidDataError(f"`types` names {name!r}, which is no column of the data set: {self.shown()}.")
        if not self.names:
            raise InvalidDataError("The files have no columns: they are empty.")

    def shown(self) -> str:
        """Return the columns, for a message."""
        return ", ".join([*map(repr, self.names[:_SHOWN]), *["…"][: max(0, len(self.names) - _SHOWN)]])

    @property
    def is_csv(self) -> bool:
        """Whether its files are CSV."""
        return isinstance(self.files[0].reader, CsvReader)

    def decide(
        self, used: Collection[str], keys: Collection[str], typed: Collection[str], seen: Callable[[int], object]
    ) -> Decided:
        """Find one type for each column, in all files.

        Args:
            used: The columns that are read.
            keys: Those that are carried to the output: what the files say.
            typed: Those that are sent or compared, so that texts of CSV have to be what they stand for.
            seen: Is told how many rows were looked at, now and then.

        Raises:
            InvalidDataError: A file lacks a column, or there is no type for all values; the message names the file,
                the column, and the row where there is one.
        """
        self._check_columns(used)
        found = self._texts = self._of_csv(used, typed, seen) if self.is_csv else {}
        read: dict[str, Any] = {}
        sent: dict[str, Any] = {}
        for name in used:
            read[name] = self._type(name, found)
            if name in keys and name in found and name not in self._types and name not in self._given:
                if name in typed and not pa.types.is_string(read[name]):
                    sent[name] = read[name]
                read[name] = pa.string()
        csv = [file.reader for file in self.files if isinstance(file.reader, CsvReader)]
        rows, blocks = [reader.rows for reader in csv], [reader.block for reader in csv]
        return Decided(pa.schema(list(read.items())), pa.schema(list(sent.items())), rows, blocks)

    def take(self, decided: Decided) -> None:
        """Let the files be read as was decided in another run."""
        for file, block, rows in zip(self.files, decided.blocks, decided.rows, strict=False):
            if isinstance(file.reader, CsvReader):
                file.reader.block, file.reader.counted = block, rows

    def _check_columns(self, used: Collection[str]) -> None:
        """Every file with rows has every column that is used."""
        for name in used:
            for file in self.files:
                if name not in file.names and file.has_rows:
                    other = next(each for each in self.files if name in each.names)
                    raise InvalidDataError(
                        f"{file.reader.path} has no column {name!r}, which {other.reader.path} has.",
                        advice="Score these files apart, or name the columns that all of them have.",
                    )

    def text_in(self, name: str) -> Field | None:
        """Return where a column of CSV has a text that is no number; None where it has none, or nobody looked."""
        return self._texts[name].text if name in self._texts else None

    def check_index(self) -> None:
        """Raise InvalidDataError where a column is an index of pandas in some files only: nobody knows which it is."""
        for name in sorted(self.index):
            having = [file.reader for file in self.files if name in file.names]
            other = next((reader for reader in having if name not in index_columns(reader.schema)), None)
            if other is not None:
                one = next(reader for reader in having if reader is not other and name in index_columns(reader.schema))
                raise InvalidDataError(
                    f"{name!r} is an index of pandas in {one.path}, and a column in {other.path}.",
                    advice="Name the columns to send, or name it as a key.",
                )

    def _of_csv(
        self, used: Collection[str], typed: Collection[str], seen: Callable[[int], object]
    ) -> dict[str, ColumnType]:
        """Return what the texts of the CSV files stand for."""
        found = {name: ColumnType(name) for name in used if any(name in f.reader.schema.names for f in self.files)}
        done = 0
        for file in self.files:
            names = [name for name in used if name in file.reader.schema.names]
            first = 0
            for batch in file.reader.batches(names or file.reader.schema.names[:1]):
                for name in names:
                    self._see(file, name, found[name], batch.column(name), first, sent=name in typed)
                first += batch.num_rows
                done += batch.num_rows
                seen(done)
            if isinstance(file.reader, CsvReader):
                file.reader.counted = first
        return found

    def _see(self, file: FileOfSet, name: str, found: ColumnType, texts: Any, first: int, *, sent: bool) -> None:
        """Look at texts of a column: whether they fit the type it has to have, or what they stand for."""
        if name in file.partitions:
            _check_partition(file, name, texts, first)
        kind = self._types.get(name) or self._given.get(name)
        if kind is not None:
            _texts_as(texts, kind, file.reader.path, name, first)
        elif sent:
            found.add(texts, file.reader.path, first)

    def _type(self, name: str, found: Mapping[str, ColumnType]) -> Any:
        """Return the type of a column in all files."""
        if any(name in file.partitions for file in self.files):
            for file in self.files:
                self._check_directory(file, name)
            return self._types.get(name) or self._kind_of_directories(name)
        if name in found:
            return self._types.get(name) or self._given.get(name) or found[name].kind
        return self._of_files(name)

    def _kind_of_directories(self, name: str) -> Any:
        """Text; or the type that a data set of pyarrow has, where each directory's text is its value's only one."""
        kind = self._given.get(name)
        texts = pa.array([file.partitions[name] for file in self.files], pa.string())
        if kind is None or pa.types.is_dictionary(kind):
            return pa.string()
        try:
            exact = texts.cast(kind).cast(pa.string()).equals(texts)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return pa.string()
        return kind if exact else pa.string()

    def _check_directory(self, file: FileOfSet, name: str) -> None:
        if name not in file.partitions:
            raise InvalidDataError(f"{file.reader.path} is in no directory {name}=…, as other files are.")
        text, kind = file.partitions[name], self._types.get(name)
        if text is not None and kind is not None:
            _texts_as(pa.array([text]), kind, file.reader.path, name, 0)
        if not self.is_csv and name in file.reader.schema.names:
            for first, batch in _numbered(file.reader.batches([name])):
                _check_partition(file, name, batch.column(0), first)

    def _of_files(self, name: str) -> Any:
        """Return the type that holds the values that files have with their own types."""
        having = [file for file in self.files if name in file.reader.schema.names]
        if len({file.reader.schema.field(name).type for file in having}) > 1:
            having = [file for file in having if file.has_rows] or having
        wanted = self._types.get(name) or self._given.get(name)
        own = list(dict.fromkeys(file.reader.schema.field(name).type for file in having))
        candidates = [wanted] if wanted is not None else common_types(own)
        problem: InvalidDataError | None = None
        for kind in candidates:
            problem = next(filter(None, (_lost_in(file, name, kind) for file in having)), None)
            if problem is None:
                return kind
        if problem is not None:
            raise problem
        one, other = (next(f for f in having if f.reader.schema.field(name).type == kind) for kind in own[:2])
        raise InvalidDataError(
            f"The column {name!r} is of type {own[0]} in {one.reader.path}, and of type {own[1]} in "
            f"{other.reader.path}: no type has the values of both.",
            advice="Score these files apart, or write them with one type.",
        )


def _check_names(file: FileOfSet) -> None:
    names = file.reader.schema.names
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise InvalidDataError(f"{file.reader.path}: two columns have the name {twice!r}.")


def _lost_in(file: FileOfSet, name: str, kind: Any) -> InvalidDataError | None:
    """Return the error for the first value of a file that a type does not have; None where it has all of them."""
    own = file.reader.schema.field(name).type
    if own.equals(kind) or _is_wider(own, kind):
        return None
    for first, batch in _numbered(file.reader.batches([name])):
        try:
            converted(batch.column(0), kind)
        except LostValueError as lost:
            if lost.row is None:
                continue
            return InvalidDataError(
                f"{file.reader.path}, row {first + lost.row}: {lost.text[:_LONGEST_VALUE]} in the column "
                f"{name!r} of type {own} is no {kind}, which the column has to be for all files.",
                advice="Score these files apart, or name another type by `types`.",
            )
    return None


def _is_wider(own: Any, kind: Any) -> bool:
    """Return whether every value of a type is one of another, so that none has to be looked at."""
    types = pa.types
    if types.is_integer(own) and types.is_integer(kind):
        return own.bit_width < kind.bit_width and (types.is_unsigned_integer(own) or types.is_signed_integer(kind))
    if types.is_floating(kind) and kind.bit_width >= 32:  # noqa: PLR2004 - bits of a float
        return own.bit_width < kind.bit_width if types.is_floating(own) or types.is_integer(own) else False
    return types.is_null(own)


def _texts_as(texts: Any, kind: Any, path: str, name: str, first: int) -> Any:
    """Texts of a file as values of a type.

    Raises:
        InvalidDataError: One of them is none.
    """
    try:
        return from_texts(texts, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        row = _first_wrong(texts, kind)
        where = Field(path, first + row, texts[row].as_py())
        raise InvalidDataError(f"{where} in the column {name!r} is no {kind}.") from error


def _first_wrong(texts: Any, kind: Any) -> int:
    begin, end = 0, len(texts)
    while end - begin > 1:
        middle = (begin + end) // 2
        try:
            from_texts(texts.slice(begin, middle - begin), kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            end = middle
        else:
            begin = middle
    return begin


def _check_partition(file: FileOfSet, name: str, column: Any, first: int) -> None:
    """A column that both a file and its directory have has one value."""
    expected = file.partitions[name]
    try:
        texts = column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        texts = pa.nulls(len(column), pa.string())
    same = pc.is_null(texts) if expected is None else pc.fill_null(pc.equal(texts, expected), fill_value=False)
    if not pc.all(same, min_count=0).as_py():
        row = pc.index(same, pa.scalar(value=False)).as_py()
        raise InvalidDataError(
            f"{file.reader.path}, row {first + row}: the column {name!r} is {column[row].as_py()!r}, and the directory "
            f"says {expected!r}: leave one of them out."
        )


def _numbered(batches: Iterator[RecordBatch]) -> Iterator[tuple[int, RecordBatch]]:
    """Batches, each with the row that it begins at."""
    first = 0
    for batch in batches:
        yield first, batch
        first += batch.num_rows


def read_as(file: FileOfSet, schema: Any, batch: RecordBatch) -> RecordBatch:
    """Return rows of a file with the columns and types that were decided.

    Raises:
        InvalidDataError: A value is none of its column's type, so that the file has changed since.
    """
    columns: list[Any] = []
    for each in schema:
        if each.name in file.partitions:
            text = pa.array([file.partitions[each.name]], pa.string())
            value = text.cast(each.type) if text.null_count else from_texts(text, each.type)
            columns.append(pa.repeat(value[0], batch.num_rows))
        else:
            columns.append(_as(file, each, batch.column(each.name)))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _as(file: FileOfSet, each: Any, column: Any) -> Any:
    if isinstance(file.reader, CsvReader):
        return _texts_as(column, each.type, file.reader.path, each.name, 0)
    if pa.types.is_dictionary(column.type) and column.dictionary.null_count:  # Parquet has no such nulls
        column = column.cast(column.type.value_type).dictionary_encode().cast(column.type)
    try:
        return converted(column, each.type)
    except LostValueError as lost:
        raise InvalidDataError(
            f"{file.reader.path}: {lost.text[:_LONGEST_VALUE]} in the column {each.name!r} is no {each.type}: "
            "the file has changed."
        ) from lost
