"""The rows of one file of a data set, from any row on, as the file has them."""

from __future__ import annotations

from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.csv_files import CsvFile, Dialect, skip_rows
from wallaroo_ext.inference.pandas_index import index_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyarrow import RecordBatch


pa: Any = import_module("pyarrow")

BATCH_ROWS = 16_384


class FileReader(Protocol):
    """Reads a file.

    Attributes:
        path: Its path.
    """

    path: str

    @property
    def schema(self) -> Any:
        """Its columns, as a schema of pyarrow."""
        ...

    @property
    def rows(self) -> int | None:
        """How many rows it has; None where only reading them all would tell."""
        ...

    def batches(self, columns: Sequence[str], skip: int = 0) -> Iterator[RecordBatch]:
        """Give some columns of its rows, from one on."""
        ...


class ParquetReader:
    """Reads a Parquet file."""

    def __init__(self, system: Any, path: str) -> None:
        self.path = path
        self._system = system

    @cached_property
    def _known(self) -> tuple[Any, int]:
        try:
            with self._system.open_input_file(self.path) as opened:
                file = parquet.ParquetFile(opened)
                return file.schema_arrow, file.metadata.num_rows
        except pa.ArrowException as error:
            raise _unreadable(self.path, "parquet", error) from error

    @property
    def schema(self) -> Any:
        """Its columns."""
        return self._known[0]

    @property
    def rows(self) -> int | None:
        """How many rows it has."""
        return self._known[1]

    def batches(self, columns: Sequence[str], skip: int = 0) -> Iterator[RecordBatch]:
        """Give some columns of its rows, from one on."""
        return batches(self._system, self.path, columns, rows=BATCH_ROWS, skip=skip)


class ArrowReader:
    """Reads an Arrow IPC file."""

    def __init__(self, system: Any, path: str) -> None:
        self.path = path
        self._system = system

    @property
    def schema(self) -> Any:
        """Its columns."""
        return self._schema

    @property
    def rows(self) -> int | None:
        """How many rows it has."""
        return self._rows

    @cached_property
    def _schema(self) -> Any:
        try:
            with self._system.open_input_file(self.path) as opened, pa.ipc.open_file(opened) as file:
                return file.schema
        except pa.ArrowException as error:
            raise _unreadable(self.path, "ipc", error) from error

    @cached_property
    def _rows(self) -> int:
        return sum(batch.num_rows for batch in self._read([]))

    def batches(self, columns: Sequence[str], skip: int = 0) -> Iterator[RecordBatch]:
        """Give some columns of its rows, from one on."""
        for batch in skip_rows(skip, self._read(columns)):
            for begin in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.slice(begin, BATCH_ROWS).select(list(columns))

    def _read(self, columns: Sequence[str]) -> Iterator[RecordBatch]:
        places = [self.schema.names.index(name) for name in columns] or [0]
        options = pa.ipc.IpcReadOptions(included_fields=places)
        with (
            self._system.open_input_file(self.path) as opened,
            pa.ipc.open_file(opened, options=options) as file,
        ):
            for number in range(file.num_record_batches):
                batch = file.get_batch(number)
                batch.validate(full=True)  # a wrong offset would have its reader read other memory
                yield batch


class CsvReader:
    """Reads a CSV file; all its columns are texts.

    Attributes:
        counted: How many rows it has; None before all of them were read.
    """

    def __init__(self, system: Any, path: str, dialect: Dialect | None = None, block: int | None = None) -> None:
        self.path = path
        self.counted: int | None = None
        self._make = partial(CsvFile, partial(system.open_input_stream, path), dialect, block)

    @cached_property
    def _file(self) -> CsvFile:
        try:
            return self._make()
        except InvalidDataError as error:
            raise _unreadable(self.path, "csv", error) from error

    @property
    def rows(self) -> int | None:
        """How many rows it has; None before all of them were read."""
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
        """Its columns, a first one without a name as an index."""
        return self._schema

    @cached_property
    def _schema(self) -> Any:
        names = self._file.names
        metadata = index_metadata("") if "" in names else None
        return pa.schema([(name, pa.string()) for name in names], metadata=metadata)

    def batches(self, columns: Sequence[str], skip: int = 0) -> Iterator[RecordBatch]:
        """Give some columns of its rows, from one on."""
        try:
            yield from self._file.texts(columns, skip)
        except InvalidDataError as error:
            raise _unreadable(self.path, "csv", error) from error


def _unreadable(path: str, form: str, error: Exception) -> InvalidDataError:
    return InvalidDataError(f"{path} cannot be read as {form}: {error}")


parquet: Any = import_module("pyarrow.parquet")

_BUFFER_BYTES = 1 << 18


def batches(system: Any, path: str, columns: Sequence[str], *, rows: int, skip: int = 0) -> Iterator[RecordBatch]:
    """Give the rows of a file.

    Args:
        system: The file system.
        path: The file.
        columns: The columns to give, in this order; names of the file.
        rows: How many rows a batch has at most.
        skip: How many rows to leave out at the beginning.
    """
    with system.open_input_file(path) as opened:
        file = parquet.ParquetFile(opened, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        groups, before = groups_from(file.metadata, skip)
        read = file.iter_batches(rows, row_groups=groups, columns=list(columns))
        for batch in skip_rows(skip - before, read):
            yield batch.select(list(columns))


def groups_from(metadata: Any, skip: int) -> tuple[list[int], int]:
    """Return the row groups that are not all before a row, and how many rows those are that are."""
    before, first = 0, 0
    while first < metadata.num_row_groups and before + metadata.row_group(first).num_rows <= skip:
        before += metadata.row_group(first).num_rows
        first += 1
    return list(range(first, metadata.num_row_groups)), before
