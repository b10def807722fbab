"""Deciding the columns of a data set and one type for each, in all of its files, before a row is sent.

Parquet and Arrow files have types. If those of two files differ, the column gets a type that holds the values of both;
if that depends on the values, they are checked. CSV files have texts only, so they are read once as a whole to infer
the types.
"""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.batch.reading.readers import CsvReader
from wallaroo_ext.batch.reading.widening import LostValueError, common_types, converted, without_common_type
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.csv_types import ColumnType, Field, from_texts
from wallaroo_ext.inference.pandas_index import index_columns
from wallaroo_ext.inference.refused_columns import check_readable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pyarrow import DataType, RecordBatch

    from wallaroo_ext.batch.reading.readers import FileReader
    from wallaroo_ext.inference.files.texts.text_options import Decimal

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")

_MAX_SHOWN = 10
_MAX_OPEN_FILES = 16
_MAX_VALUE_SHOWN = 60


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a data set.

    Attributes:
        reader: The reader of the file.
        partitions: The partition columns from the names of its directories, with their texts.
    """

    reader: FileReader
    partitions: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])

    @property
    def names(self) -> list[str]:
        """The columns of the file, with its partition columns."""
        names = self.reader.schema.names
        return [*names, *(name for name in self.partitions if name not in names)]

    @property
    def decimal(self) -> Decimal | None:
        """The decimal point of numbers in a CSV file, as it is named."""
        return self.reader.decimal if isinstance(self.reader, CsvReader) else None

    @property
    def has_rows(self) -> bool:
        """Whether the file has any row."""
        names = self.reader.schema.names
        if self.reader.rows is not None or not names:
            return bool(self.reader.rows)
        return any(batch.num_rows for batch in self.reader.batches(names[:1]))


@dataclass(frozen=True, slots=True)
class DecidedTypes:
    """The types of the columns that are read.

    Attributes:
        schema: The types in which rows are read.
        sent: The types of columns that are sent or filtered as values, and are read as texts because they are keys.
        rows: The number of rows of each CSV file.
        blocks: How many bytes of each CSV file have to be parsed at a time.
    """

    schema: Any
    sent: Any = field(default_factory=lambda: pa.schema([]))
    rows: list[int | None] = field(default_factory=list["int | None"])
    blocks: list[int] = field(default_factory=list[int])

    def to_json(self) -> dict[str, Any]:
        """Return the types as values that JSON can hold."""
        return {
            "schema": base64.b64encode(self.schema.serialize()).decode("ascii"),
            "sent": base64.b64encode(self.sent.serialize()).decode("ascii"),
            "rows": self.rows,
            "blocks": self.blocks,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> DecidedTypes:
        """Return the types from the values of `to_json`."""
        schema, sent = (
            pa.ipc.read_schema(pa.py_buffer(base64.b64decode(content[name]))) for name in ("schema", "sent")
        )
        return cls(schema, sent, content["rows"], content["blocks"])


class DataSet:
    """The files of a data set.

    Args:
        files: The files, in order.
        types: The types that the caller names for columns.
        schema_types: The types in the schema of a data set of pyarrow.
        names: The columns of the data set; None for all columns of the files.

    Attributes:
        names: The columns of the data set.
        index: The columns that pandas keeps an index in.

    Raises:
        InvalidDataError: A file cannot be read, or has two columns with the same name.
    """

    def __init__(
        self,
        files: Sequence[DataFile],
        types: Mapping[str, DataType] | None = None,
        schema_types: Mapping[str, DataType] | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        self.files = list(files)
        self._types = dict(types or {})
        self._schema_types = dict(schema_types or {})
        threads = min(_MAX_OPEN_FILES, len(self.files)) or 1
        with ThreadPoolExecutor(threads) as pool:  # in a remote file system, each file takes a request
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
        """Return the names of the columns for a message."""
        return ", ".join([*map(repr, self.names[:_MAX_SHOWN]), *["…"][: max(0, len(self.names) - _MAX_SHOWN)]])

    @property
    def is_csv(self) -> bool:
        """Whether the files are CSV."""
        return isinstance(self.files[0].reader, CsvReader)

    @property
    def decimal(self) -> Decimal | None:
        """The decimal point of numbers in CSV files, as it is named."""
        return self.files[0].decimal

    def decide(
        self, used: Collection[str], keys: Collection[str], typed: Collection[str], on_rows: Callable[[int], object]
    ) -> DecidedTypes:
        """Return one type for each column, for all files.

        Args:
            used: The columns that are read.
            keys: The columns that are copied to the output as the files have them.
            typed: The columns that are sent or filtered, so that texts of CSV need a type.
            on_rows: A function that is called now and then with the number of rows that were checked.

        Raises:
            InvalidDataError: A file lacks a column, or no type holds all values; the message names the file, the
                column, and the row if there is one.
        """
        self._check_columns(used)
        found = self._texts = self._infer_csv_types(used, typed, on_rows) if self.is_csv else {}
        read: dict[str, Any] = {}
        sent: dict[str, Any] = {}
        for name in used:
            read[name] = self._decide_type(name, found)
            if name in keys and name in found and name not in self._types and name not in self._schema_types:
                if name in typed and not pa.types.is_string(read[name]):
                    sent[name] = read[name]
                read[name] = pa.string()
        csv = [file.reader for file in self.files if isinstance(file.reader, CsvReader)]
        rows, blocks = [reader.rows for reader in csv], [reader.block for reader in csv]
        return DecidedTypes(pa.schema(list(read.items())), pa.schema(list(sent.items())), rows, blocks)

    def apply(self, decided: DecidedTypes) -> None:
        """Read the files with the types that an earlier run decided."""
        for file, block, rows in zip(self.files, decided.blocks, decided.rows, strict=False):
            if isinstance(file.reader, CsvReader):
                file.reader.block, file.reader.counted = block, rows

    def _check_columns(self, used: Collection[str]) -> None:
        """Raise InvalidDataError if a file lacks a column that is used, unless it has no rows and others have some.

        A column whose values cannot be read is refused likewise.
        """
        for name in used:
            for file in self.files:
                if name in file.reader.schema.names:
                    check_readable([file.reader.schema.field(name)])
                if name not in file.names and (file.has_rows or not any(each.has_rows for each in self.files)):
                    other = next(each for each in self.files if name in each.names)
                    raise InvalidDataError(
                        f"{file.reader.path} has no column {name!r}, which {other.reader.path} has.",
                        advice="Score these files apart, or name the columns that all of them have.",
                    )

    def text_in(self, name: str) -> Field | None:
        """Return the first field of a CSV column that is no number; None if there is none, or it was not checked."""
        return self._texts[name].text if name in self._texts else None

    def check_index(self) -> None:
        """Raise InvalidDataError if a column is an index of pandas in some files only, and so ambiguous."""
        for name in sorted(self.index):
            having = [file.reader for file in self.files if name in file.names]
            other = next((reader for reader in having if name not in index_columns(reader.schema)), None)
            if other is not None:
                one = next(reader for reader in having if reader is not other and name in index_columns(reader.schema))
                raise InvalidDataError(
                    f"{name!r} is an index of pandas in {one.path}, and a column in {other.path}.",
                    advice="Name the columns to send, or name it as a key.",
                )

    def _infer_csv_types(
        self, used: Collection[str], typed: Collection[str], on_rows: Callable[[int], object]
    ) -> dict[str, ColumnType]:
        """Return the types of columns, inferred from all texts of the CSV files."""
        found = {
            name: ColumnType(name, self.decimal)
            for name in used
            if any(name in file.reader.schema.names for file in self.files)
        }
        done = 0
        for file in self.files:
            names = [name for name in used if name in file.reader.schema.names]
            first = 0
            for batch in file.reader.batches(names or file.reader.schema.names[:1]):
                for name in names:
                    self._check_texts(file, name, found[name], batch.column(name), first, sent=name in typed)
                first += batch.num_rows
                done += batch.num_rows
                on_rows(done)
            if isinstance(file.reader, CsvReader):
                file.reader.counted = first
        return found

    def _check_texts(self, file: DataFile, name: str, found: ColumnType, texts: Any, first: int, *, sent: bool) -> None:
        """Check texts against the type that is named for a column, or take them into account for its inferred type."""
        if name in file.partitions:
            _check_partition(file, name, texts, first)
        kind = self._types.get(name) or self._schema_types.get(name)
        if kind is not None:
            _cast_texts(file, name, texts, kind, first)
        elif sent:
            found.add(texts, file.reader.path, first)

    def _decide_type(self, name: str, found: Mapping[str, ColumnType]) -> Any:
        """Return the type of a column in all files."""
        if any(name in file.partitions for file in self.files):
            for file in self.files:
                self._check_partition_of(file, name)
            return self._types.get(name) or self._partition_type(name)
        if name in found:
            return self._types.get(name) or self._schema_types.get(name) or found[name].kind
        return self._common_file_type(name)

    def _partition_type(self, name: str) -> Any:
        """Return the type of a partition column.

        It is text, or the type in the schema of a data set of pyarrow if that gives back the texts of all directories.
        """
        kind = self._schema_types.get(name)
        texts = pa.array([file.partitions[name] for file in self.files], pa.string())
        if kind is None or pa.types.is_dictionary(kind):
            return pa.string()
        try:
            exact = texts.cast(kind).cast(pa.string()).equals(texts)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return pa.string()
        return kind if exact else pa.string()

    def _check_partition_of(self, file: DataFile, name: str) -> None:
        if name not in file.partitions:
            raise InvalidDataError(f"{file.reader.path} is in no directory {name}=…, as other files are.")
        text, kind = file.partitions[name], self._types.get(name)
        if text is not None and kind is not None:
            _cast_texts(file, name, pa.array([text]), kind, 0)
        if not self.is_csv and name in file.reader.schema.names:
            for first, batch in _numbered(file.reader.batches([name])):
                _check_partition(file, name, batch.column(0), first)

    def _common_file_type(self, name: str) -> Any:
        """Return the type that holds the values of all files, whose own types may differ."""
        having = [file for file in self.files if name in file.reader.schema.names]
        if len({file.reader.schema.field(name).type for file in having}) > 1:
            having = [file for file in having if file.has_rows] or having
        wanted = self._types.get(name) or self._schema_types.get(name)
        kinds = list(dict.fromkeys(file.reader.schema.field(name).type for file in having))
        candidates = [wanted] if wanted is not None else common_types(kinds)
        problem: InvalidDataError | None = None
        for kind in candidates:
            problem = next(filter(None, (_lost_in(file, name, kind) for file in having)), None)
            if problem is None:
                return kind
        if problem is not None:
            raise problem
        pair = without_common_type(kinds)
        one, other = (next(f for f in having if f.reader.schema.field(name).type == kind) for kind in pair)
        raise InvalidDataError(
            f"The column {name!r} is of type {pair[0]} in {one.reader.path}, and of type {pair[1]} in "
            f"{other.reader.path}: no type has the values of both.",
            advice="Score these files apart, or write them with one type.",
        )


def _check_names(file: DataFile) -> None:
    names = file.reader.schema.names
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise InvalidDataError(f"{file.reader.path}: two columns have the name {twice!r}.")


def _lost_in(file: DataFile, name: str, kind: Any) -> InvalidDataError | None:
    """Return the error for the first value of a file that does not fit a type; None if all values fit."""
    file_type = file.reader.schema.field(name).type
    if file_type.equals(kind) or _is_wider(file_type, kind):
        return None
    for first, batch in _numbered(file.reader.batches([name])):
        try:
            converted(batch.column(0), kind)
        except LostValueError as lost:
            if lost.row is None:
                continue
            return InvalidDataError(
                f"{file.reader.path}, row {first + lost.row}: {lost.text[:_MAX_VALUE_SHOWN]} in the column "
                f"{name!r} of type {file_type} is no {kind}, which the column has to be for all files.",
                advice="Score these files apart, or name another type by `types`.",
            )
    return None


def _is_wider(file_type: Any, kind: Any) -> bool:
    """Return whether a type certainly holds every value of another, so that no value has to be checked."""
    types = pa.types
    if types.is_integer(file_type) and types.is_integer(kind):
        return file_type.bit_width < kind.bit_width and (
            types.is_unsigned_integer(file_type) or types.is_signed_integer(kind)
        )
    if types.is_floating(kind) and kind.bit_width >= 32:  # noqa: PLR2004 - bits of a float
        return (
            file_type.bit_width < kind.bit_width
            if types.is_floating(file_type) or types.is_integer(file_type)
            else False
        )
    return types.is_null(file_type)


def _cast_texts(file: DataFile, name: str, texts: Any, kind: Any, first: int) -> Any:
    """Return texts of a file as values of a type.

    Raises:
        InvalidDataError: A text is no value of the type.
    """
    try:
        return from_texts(texts, kind, file.decimal)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        row = _first_invalid_row(texts, kind, file.decimal)
        where = Field(file.reader.path, first + row, texts[row].as_py())
        raise InvalidDataError(f"{where} in the column {name!r} is no {kind}.") from error


def _first_invalid_row(texts: Any, kind: Any, decimal: Decimal | None) -> int:
    begin, end = 0, len(texts)
    while end - begin > 1:
        middle = (begin + end) // 2
        try:
            from_texts(texts.slice(begin, middle - begin), kind, decimal)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            end = middle
        else:
            begin = middle
    return begin


def _check_partition(file: DataFile, name: str, column: Any, first: int) -> None:
    """Raise InvalidDataError if a column in a file has another value than the directory says."""
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
    """Yield batches, each with the number of its first row."""
    first = 0
    for batch in batches:
        yield first, batch
        first += batch.num_rows


def read_as(file: DataFile, schema: Any, batch: RecordBatch) -> RecordBatch:
    """Return rows of a file with the columns and types that were decided.

    Raises:
        InvalidDataError: A value does not fit its type, so that the file must have changed.
    """
    columns: list[Any] = []
    for each in schema:
        if each.name in file.partitions:
            text = pa.array([file.partitions[each.name]], pa.string())
            value = text.cast(each.type) if text.null_count else from_texts(text, each.type, file.decimal)
            columns.append(pa.repeat(value[0], batch.num_rows))
        else:
            columns.append(_cast_column(file, each, batch.column(each.name)))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _cast_column(file: DataFile, each: Any, column: Any) -> Any:
    if isinstance(file.reader, CsvReader):
        return _cast_texts(file, each.name, column, each.type, 0)
    if pa.types.is_dictionary(column.type) and column.dictionary.null_count:  # Parquet has no nulls within a dictionary
        column = column.cast(column.type.value_type).dictionary_encode().cast(column.type)
    try:
        return converted(column, each.type)
    except LostValueError as lost:
        raise InvalidDataError(
            f"{file.reader.path}: {lost.text[:_MAX_VALUE_SHOWN]} in the column {each.name!r} is no {each.type}: "
            "the file has changed."
        ) from lost
