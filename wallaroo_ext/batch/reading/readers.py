"""Reading the rows of one file of a data set from any row on."""

from __future__ import annotations

from contextlib import closing, contextmanager
from functools import cached_property, partial
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol

from wallaroo_ext._util.files.signatures import ARROW_MESSAGE, FEATHER_1
from wallaroo_ext._util.locations import without_secrets
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.csv_files import CsvFile, skip_rows
from wallaroo_ext.inference.files.forms.arrow_streams import ArrowStream, check_one_arrow_file, read_feather_1
from wallaroo_ext.inference.files.forms.file_columns import FileColumns
from wallaroo_ext.inference.files.forms.formats import HEAD_BYTES, check_zip, format_of, refuse_known
from wallaroo_ext.inference.files.forms.parquet_files import encrypted, open_parquet
from wallaroo_ext.inference.files.opening.compression import check_unpacked, read_beginning
from wallaroo_ext.inference.files.opening.row_files import open_seekable, open_stream
from wallaroo_ext.inference.files.texts.text_options import AS_WRITTEN, TextOptions
from wallaroo_ext.inference.pandas_index import index_metadata

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from pyarrow import RecordBatch

    from wallaroo_ext.inference.files.texts.csv_dialect import Dialect
    from wallaroo_ext.inference.files.texts.text_options import Decimal

pa: Any = import_module("pyarrow")

BATCH_ROWS = 16_384
_BUFFER_BYTES = 1 << 18


class FileReader(Protocol):
    """Reads a file.

    Attributes:
        path: The path of the file.
    """

    path: str

    @property
    def schema(self) -> Any:
        """The columns of the file, as a schema of pyarrow."""
        ...

    @property
    def rows(self) -> int | None:
        """The number of rows of the file; None if it is unknown before all are read."""
        ...

    def batches(self, columns: Sequence[str], skip: int = 0) -> Iterator[RecordBatch]:
        """Yield some columns of the rows after the first `skip`."""
        ...


class ParquetReader:
    """Reads a Parquet file."""

    def __init__(self, system: Any, path: str) -> None:
        self.path = without_secrets(path)
        self._system, self._location = system, path

    @cached_property
    def _metadata(self) -> tuple[Any, int]:
        with _named_in_errors(self.path, "parquet"), open_seekable(self._system, self._location) as opened:
            file = open_parquet(opened)
            return file.schema_arrow, file.metadata.num_rows

    @property
    def schema(self) -> Any:
        """The columns of the file."""
        return self._metadata[0]

    @property
    def rows(self) -> int | None:
        """The number of rows of the file."""
        return self._metadata[1]

    def batches(self, columns: Sequence[str], skip: int = 0) -> Iterator[RecordBatch]:
        """Yield some columns of the rows after the first `skip`."""
        with _named_in_errors(self.path, "parquet"):
            yield from parquet_batches(self._system, self._location, columns, rows=BATCH_ROWS, skip=skip)


class ArrowReader:
    """Reads an Arrow IPC file, an IPC stream, or Feather 1, to which programs give the same suffixes."""

    def __init__(self, system: Any, path: str) -> None:
        self.path = without_secrets(path)
        self._system, self._location = system, path

    @property
    def schema(self) -> Any:
        """The columns of the file."""
        return self._schema

    @property
    def rows(self) -> int | None:
        """The number of rows of the file."""
        return self._rows

    @cached_property
    def _head(self) -> bytes:
        """The first bytes of the file."""
        with open_seekable(self._system, self._location) as opened:
            head = bytes(opened.read(HEAD_BYTES))
        refuse_known(head)
        return head

    @cached_property
    def _schema(self) -> Any:
        with _named_in_errors(self.path, "Arrow"), open_seekable(self._system, self._location) as opened:
            if self._head.startswith(ARROW_MESSAGE):
                return ArrowStream(opened).schema
            if self._head.startswith(FEATHER_1):
                return read_feather_1(opened).schema
            check_one_arrow_file(opened)
            return pa.ipc.open_file(opened).schema

    @cached_property
    def _rows(self) -> int:
        return sum(batch.num_rows for batch in self._read([]))

    def batches(self, columns: Sequence[str], skip: int = 0) -> Iterator[RecordBatch]:
        """Yield some columns of the rows after the first `skip`."""
        for batch in skip_rows(skip, self._read(columns)):
            for begin in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.slice(begin, BATCH_ROWS).select(list(columns))

    def _read(self, columns: Sequence[str]) -> Iterator[RecordBatch]:
        with _named_in_errors(self.path, "Arrow"), open_seekable(self._system, self._location) as opened:
            if self._head.startswith(ARROW_MESSAGE):
                yield from ArrowStream(opened).batches()
            elif self._head.startswith(FEATHER_1):
                yield from read_feather_1(opened).to_batches()
            else:
                yield from self._read_file(opened, columns)

    def _read_file(self, opened: Any, columns: Sequence[str]) -> Iterator[RecordBatch]:
        positions = [self.schema.names.index(name) for name in columns] or list(range(len(self.schema.names)))[:1]
        with pa.ipc.open_file(opened, options=pa.ipc.IpcReadOptions(included_fields=positions)) as file:
            for number in range(file.num_record_batches):
                batch = file.get_batch(number)
                batch.validate(full=True)  # with a wrong offset, other memory would be read
                yield batch


class CsvReader:
    """Reads a CSV file with all its columns as texts.

    Args:
        system: The file system.
        path: The path of the file.
        dialect: How the file separates and quotes its fields.
        block: How many bytes to parse at a time at first.
        texts: How its texts are written.
        inputs: Whether scored rows are read as their inputs.

    Attributes:
        counted: The number of rows of the file; None before all were read.
        decimal: The decimal point of its numbers, as it is named.
    """

    def __init__(
        self,
        system: Any,
        path: str,
        dialect: Dialect | None = None,
        block: int | None = None,
        *,
        texts: TextOptions = AS_WRITTEN,
        inputs: bool = True,
    ) -> None:
        self.path = without_secrets(path)
        self._system, self._location = system, path
        self.counted: int | None = None
        self.decimal: Decimal | None = texts.decimal
        self._inputs = inputs
        self._open = opener = partial(open_stream, system, path)
        written = {"encoding": texts.encoding, "delimiter": texts.delimiter}
        self._make = partial(CsvFile, opener, dialect, block, **written)

    @cached_property
    def _file(self) -> CsvFile:
        try:
            self._check_form()
            return self._make()
        except InvalidDataError as error:
            raise _unreadable(self.path, "csv", error) from error

    def _check_form(self) -> None:
        """Raise InvalidDataError if the file has another format, by its first bytes."""
        with closing(self._open()) as opened:
            head = read_beginning(opened, HEAD_BYTES)
        check_unpacked(BytesIO(head))
        form = format_of(head, ".csv")
        if form == "npz":
            with open_seekable(self._system, self._location) as archive:
                check_zip(archive)
        if form != "csv":
            raise InvalidDataError(f"it is a file of the format {form}: give its name the suffix of that.")

    @property
    def rows(self) -> int | None:
        """The number of rows of the file; None before all were read."""
        return self.counted

    @property
    def block(self) -> int:
        """How many bytes have to be parsed at a time."""
        return self._file.block

    @block.setter
    def block(self, size: int) -> None:
        self._file.block = size

    @property
    def schema(self) -> Any:
        """The columns of the file; a first one without a name is marked as an index of pandas."""
        return self._columns.schema if self._inputs else self._schema

    @cached_property
    def _schema(self) -> Any:
        names = self._file.names
        metadata = index_metadata("") if "" in names else None
        return pa.schema([(name, pa.string()) for name in names], metadata=metadata)

    @cached_property
    def _columns(self) -> FileColumns:
        return FileColumns(self._schema)

    def batches(self, columns: Sequence[str], skip: int = 0) -> Iterator[RecordBatch]:
        """Yield some columns of the rows after the first `skip`."""
        try:
            if self._columns.is_same or not self._inputs:
                yield from self._file.texts(columns, skip)
                return
            for batch in self._file.texts(self._columns.sources(columns), skip):
                yield self._columns.of_batch(batch, columns)
        except InvalidDataError as error:
            raise _unreadable(self.path, "csv", error) from error


@contextmanager
def _named_in_errors(path: str, form: str) -> Generator[None]:
    """Name a file and its format in errors about what is in it; those of its file system are raised as they are.

    For what is broken in a file, pyarrow raises an OSError without a number, too.
    """
    try:
        yield
    except OSError as error:
        if type(error) is not OSError or error.errno is not None:
            raise
        raise _unreadable(path, form, encrypted(error) or error) from error
    except (pa.ArrowException, InvalidDataError) as error:
        raise _unreadable(path, form, error) from error


def _unreadable(path: str, form: str, error: Exception) -> InvalidDataError:
    return InvalidDataError(f"{path} cannot be read as {form}: {error}")


def parquet_batches(
    system: Any, path: str, columns: Sequence[str], *, rows: int, skip: int = 0
) -> Iterator[RecordBatch]:
    """Yield the rows of a Parquet file in batches.

    Args:
        system: The file system.
        path: The path of the file.
        columns: The columns to yield, in this order.
        rows: The largest number of rows of a batch.
        skip: How many rows to leave out at the beginning.
    """
    with open_seekable(system, path) as opened:
        file = open_parquet(opened, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        groups, before = groups_from(file.metadata, skip)
        read = file.iter_batches(rows, row_groups=groups, columns=list(columns))
        for batch in skip_rows(skip - before, read):
            yield batch.select(list(columns))


def groups_from(metadata: Any, skip: int) -> tuple[list[int], int]:
    """Return the row groups to read from a row on, and the number of rows in the groups before them."""
    before, first = 0, 0
    while first < metadata.num_row_groups and before + metadata.row_group(first).num_rows <= skip:
        before += metadata.row_group(first).num_rows
        first += 1
    return list(range(first, metadata.num_row_groups)), before
