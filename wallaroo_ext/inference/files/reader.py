"""Reading a file of rows, in the format that its first bytes tell, or, if they are a text, the suffix of its name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

from wallaroo_ext._util import arrow_files
from wallaroo_ext._util.files.user_paths import user_path
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.forms.arrow_streams import ArrowStream, read_feather_1
from wallaroo_ext.inference.files.forms.file_columns import FileColumns
from wallaroo_ext.inference.files.forms.formats import HEAD_BYTES, UnknownFormatError, format_of, is_known, suffix_of
from wallaroo_ext.inference.files.forms.numpy_files import read_npy, read_npz
from wallaroo_ext.inference.pandas_index import index_metadata

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pyarrow import Table

pa: Any = import_module("pyarrow")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is made of a file.

    Attributes:
        table_of: Makes a table from columns, or from an array of numpy.
        names: The columns that are wanted.
    """

    table_of: Callable[[Any], Table]
    names: Sequence[str]


def read_file(path: str | os.PathLike[str], table_of: Callable[[Any], Table], names: Sequence[str] = ()) -> Table:
    """Return the rows of a file; of scored rows, such as exported logs, the inputs.

    Args:
        path: The file: Arrow, Parquet, numpy's, JSON, or CSV with a line of names.
        table_of: Makes a table from columns, or from an array of numpy.
        names: The columns that are wanted; they name the values of a file that has no names.

    Raises:
        InvalidDataError: The file has another format, or its content is broken.
        OSError: The file cannot be opened.
    """
    file = user_path(path)
    if not is_known(suffix_of(file.name)) and not file.exists():
        raise InvalidDataError(f"{path} cannot be read: {UnknownFormatError()}")
    form = "rows"
    with file.open("rb") as opened:  # the system's own error is the best one for a file that cannot be opened
        try:
            found = format_of(_head(opened), suffix_of(file.name))
            form = _NAMES[found]
            table = _READERS[found](file, opened, _Wanted(table_of, names))
            return FileColumns(table.schema).of_table(table)
        except (InvalidDataError, pa.ArrowException, ValueError, OSError, RecursionError) as error:
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise InvalidDataError(f"{path} cannot be read as {form}: {reason}") from error


def _head(opened: IO[bytes]) -> bytes:
    """Return the first bytes of a file, and go back to its beginning."""
    head = opened.read(HEAD_BYTES)
    opened.seek(0)
    return head


def _read_arrow(_path: Path, opened: IO[bytes], _: _Wanted) -> Table:
    return arrow_files.from_file(opened.read())


def _read_stream(_path: Path, opened: IO[bytes], _: _Wanted) -> Table:
    return ArrowStream(opened).read_all()


def _read_feather_1(_path: Path, opened: IO[bytes], _: _Wanted) -> Table:
    return read_feather_1(opened)


def _read_parquet(_path: Path, opened: IO[bytes], _: _Wanted) -> Table:
    from wallaroo_ext.inference.files.forms.parquet_files import encrypted, open_parquet

    try:
        return open_parquet(opened).read()
    except OSError as error:
        raise (encrypted(error) or error) from error


def _read_csv(path: Path, _opened: IO[bytes], _: _Wanted) -> Table:
    """Return the rows of a CSV file, each column with the common type of its texts.

    A first column without a name, as pandas writes an index, is marked as an index.

    Raises:
        InvalidDataError: The file is not valid CSV; the message names the row if there is one.
    """
    from wallaroo_ext.inference.files.csv_files import CsvFile
    from wallaroo_ext.inference.files.csv_types import infer_type

    file = CsvFile(partial(path.open, "rb"))
    if not file.names:
        raise InvalidDataError("it is empty, and a CSV file begins with a line of names.")
    texts = pa.Table.from_batches(file.texts(), pa.schema([(name, pa.string()) for name in file.names]))
    columns = {name: infer_type(name, texts.column(name)) for name in file.names}
    return pa.table(columns).replace_schema_metadata(index_metadata("") if "" in columns else None)


def _read_json(path: Path, _opened: IO[bytes], wanted: _Wanted) -> Table:
    from wallaroo_ext.inference.files.forms.json_files import JsonFile

    columns, index = JsonFile(partial(path.open, "rb"), suffix_of(path.name), wanted.names).read_all()
    table: Any = wanted.table_of(columns)
    return table.replace_schema_metadata(index_metadata(*index) if index else None)


def _read_npy(_path: Path, opened: IO[bytes], wanted: _Wanted) -> Table:
    return wanted.table_of(read_npy(opened))


def _read_npz(_path: Path, opened: IO[bytes], wanted: _Wanted) -> Table:
    return wanted.table_of(read_npz(opened))


_READERS: dict[str, Callable[[Path, IO[bytes], _Wanted], Table]] = {
    "arrow file": _read_arrow,
    "arrow stream": _read_stream,
    "feather 1": _read_feather_1,
    "parquet": _read_parquet,
    "json": _read_json,
    "csv": _read_csv,
    "npy": _read_npy,
    "npz": _read_npz,
}
_NAMES = {
    "arrow file": "a .arrow file",
    "arrow stream": "an Arrow stream",
    "feather 1": "a Feather file",
    "parquet": "a .parquet file",
    "json": "a .json file",
    "csv": "a .csv file",
    "npy": "an array of numpy",
    "npz": "arrays of numpy",
}
