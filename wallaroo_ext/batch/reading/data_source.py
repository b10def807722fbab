"""The rows of a data set, file by file in a fixed order, from any position on."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.batch.reading.discovery import FoundFiles, find, format_of
from wallaroo_ext.batch.reading.positions import Position
from wallaroo_ext.batch.reading.readers import ArrowReader, CsvReader, ParquetReader
from wallaroo_ext.batch.reading.schema import DataSet, Decided, FileOfSet, read_as
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.csv_files import Dialect, skip_rows
from wallaroo_ext.inference.files.csv_types import from_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pyarrow import DataType, RecordBatch
    from pyarrow.compute import Expression

    from wallaroo_ext.batch.reading.discovery import InputFile
    from wallaroo_ext.inference.files.csv_types import Field

pa: Any = import_module("pyarrow")
import_module("pyarrow.csv")
datasets: Any = import_module("pyarrow.dataset")

_READERS: dict[str, Any] = {"parquet": ParquetReader, "ipc": ArrowReader, "csv": CsvReader}


class Source:
    """A data set of files, and which of its rows and columns are read.

    Args:
        data: The data set.
        found: Its files.
        where: Which rows to read; None for all.

    Attributes:
        columns: The columns to read, in order; all but an index of pandas by default.
        decided: Their types; None before they are asked for.
    """

    def __init__(
        self, data: DataSet, found: FoundFiles, columns: Sequence[str] | None = None, where: Expression | None = None
    ) -> None:
        self._data = data
        self._found = found
        self._where = where
        self._keys: tuple[str, ...] = ()
        self.columns = self.sendable if columns is None else list(columns)
        self.decided: Decided | None = None
        self._check()

    def _check(self) -> None:
        for name in self.columns:
            if name not in self._data.names:
                raise InvalidDataError(f"There is no column {name!r} in the data set, but {', '.join(self.names)}.")

    @property
    def names(self) -> list[str]:
        """The columns of the data set."""
        return self._data.names

    @property
    def sendable(self) -> list[str]:
        """The columns of the data set but for an index of pandas.

        Raises:
            InvalidDataError: A column is an index in some files only.
        """
        self._data.check_index()
        return [name for name in self.names if name not in self._data.index]

    @property
    def filtered_by(self) -> list[str]:
        """The columns that the filter looks at."""
        where = self._where
        if where is None:
            return []
        nulls = pa.schema([(name, pa.null()) for name in self.names])
        named = [name for name in self.names if name in str(where)]
        return [name for name in named if not _evaluates(where, nulls.remove(self.names.index(name)))]

    def decide(
        self,
        keys: Sequence[str] = (),
        sent: Collection[str] | None = None,
        seen: Callable[[int], object] = lambda _: None,
        known: Decided | None = None,
    ) -> Decided:
        """Decide the type of each column, once, from all files.

        Args:
            keys: The columns that are carried to the output.
            sent: The columns that are sent; all that are read by default.
            seen: Is told how many rows of CSV were looked at, now and then.
            known: What an earlier run decided of the same files.

        Raises:
            InvalidDataError: There is no type for all values of a column, or the filter does not fit the types.
        """
        if self.decided is None:
            self._keys = tuple(keys)
            compared = self.filtered_by
            if known is not None:
                self._data.take(known)
                self.decided = known
            else:
                typed = {*(self.columns if sent is None else sent), *compared}
                used = dict.fromkeys([*self.columns, *compared])
                self.decided = self._data.decide(used, self._keys, typed, seen)
            self._check_filter(self.decided)
        return self.decided

    def _check_filter(self, decided: Decided) -> None:
        """A filter that names no column, or compares a text with a number, is known without reading."""
        if self._where is None:
            return
        try:
            _compared(decided, decided.schema.empty_table()).filter(self._where)
        except (pa.ArrowException, TypeError, ValueError, KeyError) as error:
            raise InvalidDataError(
                f"The filter {self._where} does not fit the data set: {str(error).partition(chr(10))[0]}",
                advice="Dates in CSV are texts: name their types by `types`." if self._data.is_csv else "",
            ) from error

    def type_of(self, name: str) -> DataType:
        """Return the type of a column, as a filter compares it."""
        decided = self._decided()
        return (decided.sent if name in decided.sent.names else decided.schema).field(name).type

    def text_in(self, name: str) -> Field | None:
        """Return where a column of CSV has a text that is no number; None where that is not known."""
        return self._data.text_in(name)

    @property
    def files(self) -> list[InputFile]:
        """The files, in the order in which they are read."""
        return self._found.files()

    def reads(self, system: Any, directory: str) -> bool:
        """Return whether files of a directory are read, or would be once there are any.

        Args:
            system: The file system that the directory is in.
            directory: Its path.
        """
        return self._found.overlap(system, directory)

    def path(self, position: Position) -> str:
        """Return the file of a position."""
        return self._data.files[position.file].reader.path

    def count(self) -> int | None:
        """Return how many rows there are; None where only reading them all would tell."""
        if self._where is not None:
            return None
        rows = [file.reader.rows for file in self._data.files]
        return None if None in rows else sum(each or 0 for each in rows)

    def chosen(self, columns: Sequence[str] | None, where: Any) -> Source:
        """Return the same data set with other columns and rows."""
        return Source(self._data, self._found, columns, _expression(where))

    def batches(self, begin: Position) -> Iterator[tuple[Position, RecordBatch]]:
        """Yield the rows from a position on, each batch with where it begins.

        Raises:
            InvalidDataError: A file cannot be read as what the data set is.
        """
        for number in range(begin.file, len(self._data.files)):
            row = begin.row if number == begin.file else 0
            file = self._data.files[number]
            try:
                for batch in self._of_file(file, row):
                    yield Position(number, row), batch
                    row += batch.num_rows
            except (pa.ArrowException, ValueError) as error:
                raise InvalidDataError(f"{file.reader.path} cannot be read: {error}") from error

    def _of_file(self, file: FileOfSet, row: int) -> Iterator[RecordBatch]:
        decided = self._decided()
        own = [name for name in decided.schema.names if name not in file.partitions]
        if any(name not in file.reader.schema.names for name in own):  # a file without rows
            return
        if not own:  # the rows have to be counted by some column
            own = file.reader.schema.names[:1]
        read = file.reader.batches(own, 0 if self._where is not None else row)
        whole = (read_as(file, decided.schema, batch) for batch in read)
        filtered = whole if self._where is None else skip_rows(row, self._filtered(decided, whole))
        for batch in filtered:
            yield batch.select(self.columns)

    def _filtered(self, decided: Decided, batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        """Yield the rows that pass the filter."""
        for batch in batches:
            table = pa.Table.from_batches([batch])
            numbered = _compared(decided, table).append_column(_PLACE, pa.array(range(table.num_rows)))
            places = numbered.filter(self._where).column(_PLACE)
            yield from table.take(places).combine_chunks().to_batches()

    def _decided(self) -> Decided:
        return self.decided or self.decide()


_PLACE = "\0place"
"""A column for the places of rows, of a name that no file has."""


def _compared(decided: Decided, table: Any) -> Any:
    """Return a table as a filter compares it: keys that are read as texts are what those stand for."""
    for each in decided.sent:
        values = [from_texts(chunk, each.type) for chunk in table.column(each.name).chunks]
        place = table.column_names.index(each.name)
        table = table.set_column(place, each.name, pa.chunked_array(values, each.type))
    return table


def _evaluates(where: Any, schema: Any) -> bool:
    """Return whether a filter finds its columns."""
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
) -> Source:
    """Return a data set by what a person names.

    Args:
        source: A file, a directory, a pattern with `*`, `?` or `[`, a list of files, or a data set of pyarrow.
        filesystem: The file system of pyarrow or fsspec that they are in; that of a URL, or the machine's.
        kind: `parquet`, `arrow` or `csv`; by the names of the files where it is None.
        columns: The columns to read.
        where: Which rows to read: an expression of pyarrow, or pyarrow's lists of tuples.
        types: The types of columns, by pyarrow's types or their names.

    Raises:
        InvalidDataError: There are no such files, or they cannot be read.
        OSError: The file system says no.
    """
    if isinstance(source, Source):
        return source.chosen(columns, where)
    named = {name: type_named(name, each) for name, each in (types or {}).items()}
    if isinstance(source, datasets.Dataset):
        return _of_dataset(source, named, columns, where)
    found = find(source, filesystem)
    form = format_of(found.paths, kind)
    files = [FileOfSet(_READERS[form](found.system, path), found.partitions(path)) for path in found.paths]
    return Source(_data(files, source, form, types=named), found, columns, _expression(where))


def _data(files: list[FileOfSet], source: Any, form: str, **said: Any) -> DataSet:
    try:
        return DataSet(files, **said)
    except (pa.ArrowException, ValueError) as error:
        raise InvalidDataError(f"{source} cannot be read as {form}: {error}") from error


def type_named(column: str, kind: Any) -> Any:
    """Return a type of pyarrow, by itself or by its name, such as `int64` or `timestamp[us]`.

    Raises:
        InvalidDataError: There is none of this name.
    """
    if isinstance(kind, pa.DataType):
        return kind
    try:
        return pa.type_for_alias(kind)
    except (ValueError, TypeError):
        raise InvalidDataError(
            f"`types` says that {column!r} is {kind!r}, which is no type: such as string, int64, float64, bool, "
            "date32, timestamp[us]."
        ) from None


def _of_dataset(dataset: Any, types: Mapping[str, Any], columns: Sequence[str] | None, where: Any) -> Source:
    """Return a data set that somebody made with pyarrow."""
    if not isinstance(dataset, datasets.FileSystemDataset):
        raise InvalidDataError(
            f"A data set of files is needed, not {type(dataset).__name__}; infer_batches takes rows that are in memory."
        )
    fragments: list[Any] = list(dataset.get_fragments())
    found = FoundFiles(dataset.filesystem, [fragment.path for fragment in fragments], None)
    form = "parquet" if isinstance(dataset.format, datasets.ParquetFileFormat) else dataset.format.default_extname
    form = {"arrow": "ipc", "feather": "ipc"}.get(form, form)
    if form not in _READERS:
        raise InvalidDataError(f"A data set is of Parquet, Arrow or CSV files, not of {form} files.")
    make = _csv_reader(dataset) if form == "csv" else _READERS[form]
    files = [FileOfSet(make(found.system, each.path), _partitions(each)) for each in fragments]
    given = {field.name: field.type for field in dataset.schema}
    if form == "csv":
        given = _said_types(dataset, found, given)
    data = _data(files, "The data set", form, types=types, given=given, names=dataset.schema.names)
    return Source(data, found, columns, _expression(where))


def _partitions(fragment: Any) -> dict[str, str | None]:
    """Return the columns that the directories of a file say, with the texts that they say."""
    keys: dict[str, Any] = datasets.get_partition_keys(fragment.partition_expression)
    said = FoundFiles(None, [], "").partitions(fragment.path)
    found: dict[str, str | None] = {}
    for name, value in keys.items():
        text = None if value is None else str(value)
        if name in said and _stands_for(said[name], value):
            text = said[name]
        elif text is not None and text not in fragment.path.split("/"):
            raise InvalidDataError(f"{fragment.path}: the directory of {name!r} does not say {text!r} in these words.")
        found[name] = text
    return found


def _stands_for(text: str | None, value: Any) -> bool:
    """Whether a directory says a value, and is not one above the data set that has the column's name by chance."""
    if text is None or value is None:
        return text is value
    try:
        return from_texts(pa.array([text]), pa.scalar(value).type)[0].as_py() == value
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False


def _said_types(dataset: Any, found: FoundFiles, given: dict[str, Any]) -> dict[str, Any]:
    """The types that somebody said for a data set of CSV files; none of its fields', where pyarrow guesses the same."""
    guessed = datasets.dataset(found.paths, format=dataset.format, filesystem=found.system).schema
    if all(given.get(field.name) == field.type for field in guessed):
        return {name: kind for name, kind in given.items() if name not in guessed.names}
    return given


def _csv_reader(dataset: Any) -> Callable[[Any, str], CsvReader]:
    """Makes readers of CSV files that are written as a data set of pyarrow says."""
    options, plain = dataset.format.parse_options, pa.csv.ReadOptions()
    read = getattr(dataset.format, "read_options", plain)
    names = ("skip_rows", "skip_rows_after_names", "column_names", "autogenerate_column_names", "encoding")
    different = next((name for name in names if getattr(read, name) != getattr(plain, name)), None)
    if different is not None:
        raise InvalidDataError(f"The data set reads CSV with {different}, which is not known here: leave it out.")
    dialect = Dialect(options.delimiter, options.quote_char, options.double_quote, options.escape_char)

    def make(system: Any, path: str) -> CsvReader:
        return CsvReader(system, path, dialect)

    return make


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
