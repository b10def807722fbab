"""Choosing the reader of a file of a data set, as its first bytes are surer than its name."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.locations import without_secrets
from wallaroo_ext.batch.reading.json_reader import JsonReader
from wallaroo_ext.batch.reading.readers import ArrowReader, CsvReader, ParquetReader
from wallaroo_ext.batch.reading.whole_file_reader import npy_reader, npz_reader
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.forms.file_columns import FileColumns
from wallaroo_ext.inference.files.forms.formats import HEAD_BYTES, check_zip, format_of
from wallaroo_ext.inference.files.opening.row_files import open_seekable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyarrow import RecordBatch

    from wallaroo_ext.batch.reading.readers import FileReader
    from wallaroo_ext.inference.files.forms.formats import Format
    from wallaroo_ext.inference.files.texts.text_options import TextOptions

pa: Any = import_module("pyarrow")

READERS: dict[str, Callable[[Any, str], FileReader]] = {
    "parquet": ParquetReader,
    "ipc": ArrowReader,
    "json": JsonReader,
    "npy": npy_reader,
    "npz": npz_reader,
}
"""The readers of files that have types."""

_SUFFIXES = {"parquet": ".parquet", "ipc": ".arrow", "json": ".json", "npy": ".npy", "npz": ".npz"}
_FORMS: dict[Format, str] = {"arrow file": "ipc", "arrow stream": "ipc", "feather 1": "ipc"}


def reader_of(form: str, system: Any, path: str, texts: TextOptions) -> FileReader:
    """Return the reader of a file.

    Args:
        form: The format that its name or a person says.
        system: The file system.
        path: The path of the file.
        texts: How its texts are written.
    """
    if form == "csv":
        return CsvReader(system, path, texts=texts)
    return TypedFileReader(form, system, path, texts.encoding)


class TypedFileReader:
    """Reads a file by the reader of its format; of scored rows the inputs, and Spark's vectors as lists.

    Args:
        form: The format that its name or a person says.
        system: The file system.
        path: The path of the file.
        encoding: The encoding of JSON; None for UTF-8, or what a byte order mark says.
    """

    def __init__(self, form: str, system: Any, path: str, encoding: str | None = None) -> None:
        self.path = without_secrets(path)
        self._form = form
        self._system, self._location = system, path
        self._encoding = encoding

    @cached_property
    def _reader(self) -> FileReader:
        """The reader of the format that the first bytes tell, or else of the one that is named.

        Raises:
            InvalidDataError: The file is of a format that is not read, or of one without types among others with some.
        """
        try:
            with open_seekable(self._system, self._location) as opened:
                found = format_of(bytes(opened.read(HEAD_BYTES)), _SUFFIXES[self._form])
                if found == "npz":
                    check_zip(opened)
        except InvalidDataError as error:
            raise InvalidDataError(f"{self.path} cannot be read: {error}") from error
        if found == "json":
            return JsonReader(self._system, self._location, self._encoding)
        return READERS[_FORMS.get(found, found)](self._system, self._location)

    @cached_property
    def _columns(self) -> FileColumns:
        return FileColumns(self._reader.schema)

    @property
    def schema(self) -> Any:
        """The columns of rows."""
        return self._columns.schema

    @property
    def rows(self) -> int | None:
        """The number of rows of the file."""
        return self._reader.rows

    def batches(self, columns: Sequence[str], skip: int = 0) -> Iterator[RecordBatch]:
        """Yield some columns of the rows after the first `skip`."""
        if self._columns.is_same:
            yield from self._reader.batches(columns, skip)
            return
        for batch in self._reader.batches(self._columns.sources(columns), skip):
            yield self._columns.of_batch(batch, columns)
