"""Reading a file of rows, in the format that its first bytes tell, or, if they are a text, the suffix of its name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from io import FileIO
from typing import IO, TYPE_CHECKING, Any

from wallaroo_ext._util.arrow.files import from_file
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.forms.arrow_streams import ArrowStream, check_one_arrow_file, read_feather_1
from wallaroo_ext.inference.files.forms.file_columns import FileColumns
from wallaroo_ext.inference.files.forms.formats import HEAD_BYTES, format_of, is_known
from wallaroo_ext.inference.files.forms.log_exports import check_no_lists, input_name, is_log
from wallaroo_ext.inference.files.forms.numpy_files import read_npy, read_npz
from wallaroo_ext.inference.files.opening.row_files import STDIN, open_rows
from wallaroo_ext.inference.files.texts.encoding import check_encoding, open_as_utf8
from wallaroo_ext.inference.files.texts.text_options import AS_WRITTEN, TextOptions
from wallaroo_ext.inference.pandas_index import index_metadata
from wallaroo_ext.inference.refused_columns import in_file, table_of_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyarrow import Table

    from wallaroo_ext.inference.files.forms.formats import Format
    from wallaroo_ext.inference.files.opening.row_files import RowFile

pa: Any = import_module("pyarrow")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is made of a file.

    Attributes:
        table_of: Makes a table from columns, or from an array of numpy.
        names: The columns that are wanted.
        texts: How the texts of the file are written.
    """

    table_of: Callable[[Any], Table]
    names: Sequence[str]
    texts: TextOptions


def read_file(
    source: Any, table_of: Callable[[Any], Table], names: Sequence[str] = (), texts: TextOptions = AS_WRITTEN
) -> Table:
    """Return the rows of a file; of scored rows, such as exported logs, the inputs.

    Args:
        source: A path, a URL or an open file: Arrow, Parquet, numpy's, JSON, or CSV with a line of names; perhaps
            compressed.
        table_of: Makes a table from columns, or from an array of numpy.
        names: The columns that are wanted; they name the values of a file that has no names.
        texts: How its texts are written.

    Raises:
        InvalidDataError: The file has another format, or its content is broken.
        ConfigurationError: A library is missing that opens such URLs.
        OSError: The file cannot be opened.
    """
    form = "rows"
    with open_rows(source) as file, file.open() as opened:
        is_open = file.opened is not None and file.name != STDIN
        if (is_open or not is_known(file.suffix)) and not _head(opened).strip():
            again = ", or was read already: go back to its beginning by seek(0)" if is_open else ""
            raise InvalidDataError(
                f"{file.name} is empty: it has to have the rows, as Arrow, Parquet, JSON or CSV{again}."
            )
        try:
            found = _format_of(file, opened)
            form = _NAMES[found]
            _check_opened(file, found, texts)
            table = _READERS[found](file, opened, _Wanted(table_of, names, texts))
            return in_file(FileColumns(table.schema).of_table(table), f"{file.name} cannot be read as {form}: ")
        except (InvalidDataError, pa.ArrowException, ValueError, OSError, RecursionError) as error:
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise InvalidDataError(f"{file.name} cannot be read as {form}: {reason}") from error


def _format_of(file: RowFile, opened: IO[bytes]) -> Format:
    """Return the format of a file, of which the name of one that a program opened may say nothing."""
    return format_of(_head(opened), file.suffix if file.opened is None or is_known(file.suffix) else "")


def _check_opened(file: RowFile, form: Format, texts: TextOptions) -> None:
    """Raise InvalidDataError for a file that is open as a text, and has bytes, or an encoding is named for it."""
    if file.opened == "text" and (texts.encoding is not None or form not in {"csv", "json"}):
        raise InvalidDataError("it is open as a text: open it with the mode 'rb'.")


def _head(opened: IO[bytes]) -> bytes:
    """Return the first bytes of a file, and go back to its beginning."""
    head = opened.read(HEAD_BYTES)
    opened.seek(0)
    return head


def _read_arrow(_file: RowFile, opened: IO[bytes], _: _Wanted) -> Table:
    check_one_arrow_file(opened)
    opened.seek(0)
    return from_file(opened.read())


def _read_stream(_file: RowFile, opened: IO[bytes], _: _Wanted) -> Table:
    return ArrowStream(opened).read_all()


def _read_feather_1(_file: RowFile, opened: IO[bytes], _: _Wanted) -> Table:
    return read_feather_1(opened)


def _read_parquet(_file: RowFile, opened: IO[bytes], _: _Wanted) -> Table:
    from wallaroo_ext.inference.files.forms.parquet_files import encrypted, open_parquet

    try:
        with _native(opened) as source:
            return open_parquet(source).read()
    except OSError as error:
        raise (encrypted(error) or error) from error


def _native(opened: IO[bytes]) -> Any:
    """Return a file as one of pyarrow, whose threads may still read after an error, and have no use for Python then."""
    if isinstance(getattr(opened, "raw", None), FileIO):
        return pa.OSFile(os.fspath(opened.name))
    return pa.BufferReader(opened.read())


def _read_csv(file: RowFile, _opened: IO[bytes], wanted: _Wanted) -> Table:
    """Return the rows of a CSV file, each column with the common type of its texts.

    A first column without a name, as pandas writes an index, is marked as an index.

    Raises:
        InvalidDataError: The file is not valid CSV; the message names the row if there is one.
    """
    from wallaroo_ext.inference.files.csv_files import CsvFile
    from wallaroo_ext.inference.files.csv_types import infer_type

    csv = CsvFile(file.open, encoding=wanted.texts.encoding, delimiter=wanted.texts.delimiter)
    if not csv.names:
        raise InvalidDataError("it is empty, and a CSV file begins with a line of names.")
    fields = pa.Table.from_batches(csv.texts(), pa.schema([(name, pa.string()) for name in csv.names]))
    texts = dict(zip(csv.names, fields.columns, strict=True))
    of_log = is_log(csv.names, nested=False)

    def typed(name: str, column: Any) -> Any:
        if of_log and input_name(name) is not None:
            check_no_lists(name, column)
        return infer_type(name, column, wanted.texts.decimal)

    table: Any = table_of_columns({name: partial(typed, name, column) for name, column in texts.items()})
    return table.replace_schema_metadata(index_metadata("") if "" in texts else None)


def _read_json(file: RowFile, _opened: IO[bytes], wanted: _Wanted) -> Table:
    from wallaroo_ext.inference.files.forms.json_files import JsonFile

    opener = partial(open_as_utf8, file.open, check_encoding(wanted.texts.encoding))
    columns, index = JsonFile(opener, file.suffix, wanted.names).read_all()
    table: Any = wanted.table_of(columns)
    return table.replace_schema_metadata(index_metadata(*index) if index else None)


def _read_npy(_file: RowFile, opened: IO[bytes], wanted: _Wanted) -> Table:
    return wanted.table_of(read_npy(opened))


def _read_npz(_file: RowFile, opened: IO[bytes], wanted: _Wanted) -> Table:
    return wanted.table_of(read_npz(opened))


_READERS: dict[Format, Callable[[RowFile, IO[bytes], _Wanted], Table]] = {
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
