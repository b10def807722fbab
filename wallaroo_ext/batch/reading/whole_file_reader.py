"""Reading numpy's files of a data set, which are read as a whole."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.locations import without_secrets
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.forms.numpy_files import read_npy, read_npz
from wallaroo_ext.inference.files.opening.row_files import open_seekable
from wallaroo_ext.inference.inputs.tables import table_of
from wallaroo_ext.inference.refused_columns import in_file

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from pyarrow import RecordBatch, Table

pa: Any = import_module("pyarrow")
fs: Any = import_module("pyarrow.fs")

BATCH_ROWS = 16_384


class WholeFileReader:
    """Reads a file as a whole; an array of numpy on this machine's disk is not copied to the memory.

    Args:
        system: The file system.
        path: The path of the file.
        form: The format of the file, for messages.
        read: Returns the rows of the open file, in a form that `infer` takes.
    """

    def __init__(self, system: Any, path: str, form: str, read: Callable[[Any], Any]) -> None:
        self.path = without_secrets(path)
        self._system, self._location = system, path
        self._form = form
        self._read = read

    @property
    def schema(self) -> Any:
        """The columns of the file."""
        return self._described[0]

    @property
    def rows(self) -> int | None:
        """The number of rows of the file."""
        return self._described[1]

    @cached_property
    def _described(self) -> tuple[Any, int]:
        table = self._table()
        return table.schema, table.num_rows

    def _table(self) -> Table:
        try:
            with self._opened() as opened:
                return in_file(table_of(self._read(opened)), f"{self.path} cannot be read as {self._form}: ")
        except (InvalidDataError, pa.ArrowException, ValueError) as error:
            raise InvalidDataError(f"{self.path} cannot be read as {self._form}: {error}") from error

    @contextmanager
    def _opened(self) -> Generator[Any]:
        """Yield the open file; one of Python if it is on this machine, so that memory can be mapped to it."""
        with open_seekable(self._system, self._location) as opened:
            if isinstance(opened, pa.NativeFile) and isinstance(self._system, fs.LocalFileSystem):
                with Path(self._location).open("rb") as mappable:
                    yield mappable
            else:
                yield opened

    def batches(self, columns: Sequence[str], skip: int = 0) -> Iterator[RecordBatch]:
        """Yield some columns of the rows after the first `skip`."""
        rows = self._table().select(list(columns)).slice(skip)
        yield from rows.to_batches(max_chunksize=BATCH_ROWS)


npy_reader = partial(WholeFileReader, form="npy", read=read_npy)
npz_reader = partial(WholeFileReader, form="npz", read=read_npz)
