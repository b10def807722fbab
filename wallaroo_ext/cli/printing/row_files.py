"""Writing any number of rows to a file, batch after batch, in the format of its ending."""

from __future__ import annotations

from contextlib import closing, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from wallaroo_ext.cli.printing.output_files import open_output
from wallaroo_ext.cli.printing.output_rows import ManyValuesError, flattened, json_records, single_depth
from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path
    from typing import BinaryIO

    import pyarrow as pa


class _Writer(Protocol):
    def write(self, table: pa.Table) -> None:
        """Add rows."""
        ...

    def close(self) -> None:
        """Complete the file."""
        ...


@contextmanager
def writing_rows(file: Path) -> Generator[Callable[[pa.RecordBatch], None]]:
    """Yield a function that adds rows to a file, which is there, whole, when the block ends without an error.

    Of the rows, no more than one batch is in memory.

    Raises:
        InvalidDataError: Rows have other columns than the first ones, and the format has the same ones for all.
    """
    arrow: Any = import_module("pyarrow")
    with open_output(file) as target, closing(_WRITERS[file.suffix.lower()](target)) as writer:
        yield lambda batch: writer.write(arrow.Table.from_batches([batch]))


class _Columns:
    """The columns of a file, which are those of its first rows."""

    def __init__(self) -> None:
        self.schema: Any = None
        self.rows = 0

    def take(self, table: pa.Table) -> None:
        """Take rows into account.

        Raises:
            InvalidDataError: They have other columns.
        """
        if self.schema is None:
            self.schema = table.schema
        elif not table.schema.equals(self.schema):
            raise _others(self.rows, "the columns are others, because the pipeline had another model")
        self.rows += table.num_rows


def _others(rows: int, what: str) -> InvalidDataError:
    """Return the error that says what is different after so many rows."""
    return InvalidDataError(
        f"After {rows:,} rows {what}.",
        advice=f"End the file there, with --limit {rows}, or write .jsonl, which takes any rows.",
    )


class _ArrowWriter:
    """Writes Arrow's IPC file format, or Parquet."""

    def __init__(self, target: BinaryIO, make: Callable[[BinaryIO, Any], Any]) -> None:
        self._target = target
        self._make = make
        self._columns = _Columns()
        self._writer: Any = None

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        self._columns.take(table)
        if self._writer is None:
            self._writer = self._make(self._target, table.schema)
        self._writer.write_table(table)

    def close(self) -> None:
        """Complete the file; without rows, it has the one column that all rows have."""
        if self._writer is None:
            arrow: Any = import_module("pyarrow")
            self._writer = self._make(self._target, arrow.schema([("time", arrow.timestamp("ms"))]))
        self._writer.close()


class _CsvWriter:
    """Writes CSV; lists that have one value in the first rows become that value, others a text of JSON."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._columns = _Columns()
        self._depths: dict[str, int] = {}

    def write(self, table: pa.Table) -> None:
        """Add rows.

        Raises:
            InvalidDataError: They have other columns than the first rows, or lists of several values where those had
                one.
        """
        csv: Any = import_module("pyarrow.csv")
        arrow: Any = import_module("pyarrow")
        is_first, rows = self._columns.schema is None, self._columns.rows
        self._columns.take(table)
        if not rows:
            self._depths = {name: single_depth(table.column(name)) for name in table.column_names}
        try:
            flat = {name: flattened(table.column(name), depth) for name, depth in self._depths.items()}
        except ManyValuesError:
            raise _others(rows, "there are lists with several values or none, and all had one") from None
        csv.write_csv(arrow.table(flat), self._target, csv.WriteOptions(include_header=is_first))

    def close(self) -> None:
        """Complete the file, which it is."""


class _JsonLinesWriter:
    """Writes an object of JSON a line."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        self._target.writelines(f"{record}\n".encode() for record in json_records(table))

    def close(self) -> None:
        """Complete the file, which it is."""


def _arrow_writer(target: BinaryIO) -> _Writer:
    return _ArrowWriter(target, import_module("pyarrow").ipc.new_file)


def _parquet_writer(target: BinaryIO) -> _Writer:
    return _ArrowWriter(target, import_module("pyarrow.parquet").ParquetWriter)


_WRITERS: dict[str, Callable[[BinaryIO], _Writer]] = {
    ".csv": _CsvWriter,
    ".parquet": _parquet_writer,
    ".arrow": _arrow_writer,
    ".jsonl": _JsonLinesWriter,
}
ENDINGS = tuple(_WRITERS)
"""The endings of the files that can be written."""
