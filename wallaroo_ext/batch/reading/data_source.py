"""Reading the rows of a data set, file by file in a fixed order, from any position on."""

from __future__ import annotations

import re
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.near_names import near_or_first
from wallaroo_ext.batch.reading.discovery import FoundFiles, find_files, format_of
from wallaroo_ext.batch.reading.file_reader import READERS, reader_of
from wallaroo_ext.batch.reading.positions import Position
from wallaroo_ext.batch.reading.readers import CsvReader
from wallaroo_ext.batch.reading.schema import DataFile, DataSet, DecidedTypes, read_as
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.csv_files import skip_rows
from wallaroo_ext.inference.files.csv_types import from_texts
from wallaroo_ext.inference.files.texts.csv_dialect import Dialect
from wallaroo_ext.inference.files.texts.text_options import AS_WRITTEN, TextOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pyarrow import DataType, RecordBatch
    from pyarrow.compute import Expression

    from wallaroo_ext.batch.reading.discovery import InputFile
    from wallaroo_ext.inference.files.csv_types import Field
    from wallaroo_ext.inference.files.texts.text_options import Decimal

pa: Any = import_module("pyarrow")
import_module("pyarrow.csv")
datasets: Any = import_module("pyarrow.dataset")

_OF_DATASETS = {"parquet", "ipc", "csv"}
"""The formats of pyarrow's data sets that are read."""


class Source:
    """A data set of files, and which of its rows and columns are read.

    Args:
        data: The data set.
        found: The files of the data set.
        columns: The columns to read; None for all but an index of pandas.
        where: The filter of rows; None for all rows.

    Attributes:
        columns: The columns to read, in order.
        decided: The types of the columns; None before they are decided.
    """

    def __init__(
        self, data: DataSet, found: FoundFiles, columns: Sequence[str] | None = None, where: Expression | None = None
    ) -> None:
        self._data = data
        self._found = found
        self._where = where
        self._keys: tuple[str, ...] = ()
        self.columns = self.data_columns if columns is None else list(columns)
        self.decided: DecidedTypes | None = None
        self._check()

    def _check(self) -> None:
        for name in self.columns:
            if name not in self._data.names:
                near = near_or_first(name, self.names)
                raise InvalidDataError(f"There is no column {name!r} in the data set, but {near}.")

    @property
    def names(self) -> list[str]:
        """The columns of the data set."""
        return self._data.names

    @property
    def data_columns(self) -> list[str]:
        """The columns of the data set without an index of pandas.

        Raises:
            InvalidDataError: A column is an index in some files only.
        """
        self._data.check_index()
        return [name for name in self.names if name not in self._data.index]

    @property
    def filter_columns(self) -> list[str]:
        """The columns that the filter uses."""
        where = self._where
        if where is None:
            return []
        nulls = pa.schema([(name, pa.null()) for name in self.names])
        named = [name for name in self.names if name in str(where)]
        return [name for name in named if not _has_columns_of(where, nulls.remove(self.names.index(name)))]

    def decide(
        self,
        keys: Sequence[str] = (),
        sent: Collection[str] | None = None,
        on_rows: Callable[[int], object] = lambda _: None,
        known: DecidedTypes | None = None,
    ) -> DecidedTypes:
        """Decide the types of the columns from all files, at the first call, and return them.

        Args:
            keys: The columns that are copied to the output.
            sent: The columns that are sent; by default all that are read.
            on_rows: A function that is called now and then with the number of CSV rows that were checked.
            known: The types that an earlier run decided for the same files.

        Raises:
            InvalidDataError: No type holds all values of a column, or the filter does not fit the types.
        """
        if self.decided is None:
            self._keys = tuple(keys)
            filtered = self.filter_columns
            if known is not None:
                self._data.apply(known)
                self.decided = known
            else:
                typed = {*(self.columns if sent is None else sent), *filtered}
                used = dict.fromkeys([*self.columns, *filtered])
                self.decided = self._data.decide(used, self._keys, typed, on_rows)
            self._check_filter(self.decided)
        return self.decided

    def _check_filter(self, decided: DecidedTypes) -> None:
        """Raise InvalidDataError if the filter does not fit the types; that shows on an empty table."""
        if self._where is None:
            return
        try:
            _with_filter_types(decided, decided.schema.empty_table(), self._data.decimal).filter(self._where)
        except (pa.ArrowException, TypeError, ValueError, KeyError) as error:
            unknown = _UNKNOWN.search(str(error))
            if unknown is not None:
                near = near_or_first(unknown[1], self.names)
                raise InvalidDataError(
                    f"The filter {self._where} does not fit the data set: there is no column {unknown[1]!r}, but "
                    f"{near}."
                ) from error
            raise InvalidDataError(
                f"The filter {self._where} does not fit the data set: {str(error).partition(chr(10))[0]}.",
                advice="Dates in CSV are texts: name their types by `types`." if self._data.is_csv else "",
            ) from error

    def type_of(self, name: str) -> DataType:
        """Return the type that a column has for a filter."""
        decided = self._decided()
        return (decided.sent if name in decided.sent.names else decided.schema).field(name).type

    def text_in(self, name: str) -> Field | None:
        """Return the first field of a CSV column that is no number; None if that is not known."""
        return self._data.text_in(name)

    @property
    def files(self) -> list[InputFile]:
        """The files, in the order in which they are read."""
        return self._found.files()

    def reads(self, system: Any, directory: str) -> bool:
        """Return whether the data set has files in a directory, or would have them once some are written there.

        Args:
            system: The file system of the directory.
            directory: The path of the directory.
        """
        return self._found.overlaps(system, directory)

    def path(self, position: Position) -> str:
        """Return the path of the file at a position."""
        return self._data.files[position.file].reader.path

    def count(self) -> int | None:
        """Return the number of rows; None if it is unknown before all are read."""
        if self._where is not None:
            return None
        rows = [file.reader.rows for file in self._data.files]
        return None if None in rows else sum(each or 0 for each in rows)

    def select(self, columns: Sequence[str] | None, where: Any) -> Source:
        """Return the same data set with other columns and another filter."""
        return Source(self._data, self._found, columns, _expression(where))

    def batches(self, begin: Position) -> Iterator[tuple[Position, RecordBatch]]:
        """Yield the rows from a position on, each batch with the position of its first row.

        Raises:
            InvalidDataError: A file cannot be read in the format of the data set.
        """
        for number in range(begin.file, len(self._data.files)):
            row = begin.row if number == begin.file else 0
            file = self._data.files[number]
            try:
                for batch in self._file_batches(file, row):
                    yield Position(number, row), batch
                    row += batch.num_rows
            except (pa.ArrowException, ValueError) as error:
                raise InvalidDataError(f"{file.reader.path} cannot be read: {error}") from error

    def _file_batches(self, file: DataFile, row: int) -> Iterator[RecordBatch]:
        decided = self._decided()
        names = [name for name in decided.schema.names if name not in file.partitions]
        if any(name not in file.reader.schema.names for name in names):  # a file without rows
            return
        if not names:  # some column is needed to count the rows
            names = file.reader.schema.names[:1]
        read = file.reader.batches(names, 0 if self._where is not None else row)
        whole = (read_as(file, decided.schema, batch) for batch in read)
        filtered = whole if self._where is None else skip_rows(row, self._filter(decided, whole))
        for batch in filtered:
            yield batch.select(self.columns)

    def _filter(self, decided: DecidedTypes, batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        """Yield the rows that pass the filter."""
        for batch in batches:
            table = pa.Table.from_batches([batch])
            typed = _with_filter_types(decided, table, self._data.decimal)
            numbered = typed.append_column(_ROW_NUMBER, pa.array(range(table.num_rows)))
            rows = numbered.filter(self._where).column(_ROW_NUMBER)
            yield from table.take(rows).combine_chunks().to_batches()

    def _decided(self) -> DecidedTypes:
        return self.decided or self.decide()


_UNKNOWN = re.compile(r"No match for FieldRef\.Name\((.*?)\) in ")
"""What pyarrow says of a column that a filter names and the rows lack."""

_ROW_NUMBER = "\0row"
"""A column for the numbers of rows, with a name that no file has."""


def _with_filter_types(decided: DecidedTypes, table: Any, decimal: Decimal | None) -> Any:
    """Return a table with values in place of the texts of keys, as a filter needs them."""
    for each in decided.sent:
        values = [from_texts(chunk, each.type, decimal) for chunk in table.column(each.name).chunks]
        position = table.column_names.index(each.name)
        table = table.set_column(position, each.name, pa.chunked_array(values, each.type))
    return table


def _has_columns_of(where: Any, schema: Any) -> bool:
    """Return whether a schema has all columns of a filter."""
    try:
        schema.empty_table().filter(where)
    except (pa.ArrowException, TypeError, ValueError, KeyError) as error:
        return "No match for" not in str(error)
    return True


def open_source(
    source: Any,
    *,
    filesystem: Any = None,
    kind: str | None = None,
    columns: Sequence[str] | None = None,
    where: Any = None,
    types: Mapping[str, DataType | str] | None = None,
    texts: TextOptions = AS_WRITTEN,
) -> Source:
    """Return the data set that a source names.

    Args:
        source: A file, a directory, a pattern with `*`, `?` or `[`, a list of files, or a data set of pyarrow.
        filesystem: Their file system, of pyarrow or fsspec; without one, that of the URL, or this machine's.
        kind: `parquet`, `arrow`, `json`, `csv` or `npy`; None to go by the names of the files.
        columns: The columns to read.
        where: The filter of rows: an expression of pyarrow, or a list of tuples as pyarrow takes it.
        types: The types of columns, by pyarrow's types or their names.
        texts: How the texts of CSV files are written.

    Raises:
        InvalidDataError: There are no such files, or they cannot be read.
        OSError: The file system refuses access.
    """
    if isinstance(source, Source):
        return source.select(columns, where)
    named = {name: parse_type(name, each) for name, each in (types or {}).items()}
    if isinstance(source, datasets.Dataset):
        return _from_dataset(source, named, columns, where, texts)
    found = find_files(source, filesystem)
    form = format_of(found, kind)
    files = [DataFile(reader_of(form, found.system, path, texts), found.partitions(path)) for path in found.paths]
    return Source(_data_set(files, source, form, types=named), found, columns, _expression(where))


def _data_set(files: list[DataFile], source: Any, form: str, **options: Any) -> DataSet:
    try:
        return DataSet(files, **options)
    except (pa.ArrowException, ValueError) as error:
        raise InvalidDataError(f"{source} cannot be read as {form}: {error}") from error


def parse_type(column: str, kind: Any) -> Any:
    """Return the type of pyarrow for a name such as `int64` or `timestamp[us]`; a type stays as it is.

    Raises:
        InvalidDataError: There is no type of this name.
    """
    if isinstance(kind, pa.DataType):
        return kind
    try:
        return pa.type_for_alias(kind)
    except (ValueError, TypeError):
        raise InvalidDataError(
            f"`types` says that {column!r} is {kind!r}, which is no type: name one such as string, int64, "
            "float64, bool, date32 or timestamp[us]."
        ) from None


def _from_dataset(
    dataset: Any, types: Mapping[str, Any], columns: Sequence[str] | None, where: Any, texts: TextOptions
) -> Source:
    """Return the data set for one of pyarrow."""
    if not isinstance(dataset, datasets.FileSystemDataset):
        raise InvalidDataError(
            f"A data set of files is needed, not {type(dataset).__name__}; infer_batches takes rows that are in memory."
        )
    fragments: list[Any] = list(dataset.get_fragments())
    found = FoundFiles(dataset.filesystem, [fragment.path for fragment in fragments], None)
    form = "parquet" if isinstance(dataset.format, datasets.ParquetFileFormat) else dataset.format.default_extname
    form = {"arrow": "ipc", "feather": "ipc"}.get(form, form)
    if form not in _OF_DATASETS:
        raise InvalidDataError(f"A data set is of Parquet, Arrow or CSV files, not of {form} files.")
    make = _csv_reader(dataset, texts) if form == "csv" else READERS[form]
    files = [DataFile(make(found.system, each.path), _partitions(each)) for each in fragments]
    schema_types = {field.name: field.type for field in dataset.schema}
    if form == "csv":
        schema_types = _explicit_types(dataset, found, schema_types)
    data = _data_set(files, "The data set", form, types=types, schema_types=schema_types, names=dataset.schema.names)
    return Source(data, found, columns, _expression(where))


def _partitions(fragment: Any) -> dict[str, str | None]:
    """Return the partition columns of a file, with the texts in the names of its directories."""
    keys: dict[str, Any] = datasets.get_partition_keys(fragment.partition_expression)
    written = FoundFiles(None, [], "").partitions(fragment.path)
    found: dict[str, str | None] = {}
    for name, value in keys.items():
        text = None if value is None else str(value)
        if name in written and _stands_for(written[name], value):
            text = written[name]
        elif text is not None and text not in fragment.path.split("/"):
            raise InvalidDataError(f"{fragment.path}: the directory of {name!r} does not say {text!r} in these words.")
        found[name] = text
    return found


def _stands_for(text: str | None, value: Any) -> bool:
    """Return whether the text of a directory means a value.

    If not, the directory is above the data set, and has the name of the column by chance.
    """
    if text is None or value is None:
        return text is value
    try:
        return from_texts(pa.array([text]), pa.scalar(value).type)[0].as_py() == value
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False


def _explicit_types(dataset: Any, found: FoundFiles, schema_types: dict[str, Any]) -> dict[str, Any]:
    """Return the types in a schema of CSV files that pyarrow did not infer.

    If the schema is the inferred one, only the types of partition columns are left.
    """
    guessed = datasets.dataset(found.paths, format=dataset.format, filesystem=found.system).schema
    if all(schema_types.get(field.name) == field.type for field in guessed):
        return {name: kind for name, kind in schema_types.items() if name not in guessed.names}
    return schema_types


def _csv_reader(dataset: Any, texts: TextOptions) -> Callable[[Any, str], CsvReader]:
    """Return a function that makes readers of CSV files with the dialect of a data set of pyarrow."""
    options, plain = dataset.format.parse_options, pa.csv.ReadOptions()
    read = getattr(dataset.format, "read_options", plain)
    names = ("skip_rows", "skip_rows_after_names", "column_names", "autogenerate_column_names")
    different = next((name for name in names if getattr(read, name) != getattr(plain, name)), None)
    if different is not None:
        raise InvalidDataError(f"The data set reads CSV with {different}, which is not supported: leave it out.")
    if texts.delimiter is not None:
        raise InvalidDataError("The data set of pyarrow has a delimiter: give no other one by `delimiter`.")
    dialect = Dialect(options.delimiter, options.quote_char, options.double_quote, options.escape_char)
    named = None if read.encoding == plain.encoding else read.encoding
    whole = TextOptions(encoding=texts.encoding or named, decimal=texts.decimal)
    return partial(CsvReader, dialect=dialect, texts=whole, inputs=False)


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
