"""Reading a file of rows, in the format that the suffix of its name says."""

from __future__ import annotations

import json
import math
from contextlib import closing
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext._util import arrow_files
from wallaroo_ext._util.file_signatures import ARROW_FILE, ARROW_MESSAGE, PARQUET
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.opening.row_files import open_rows
from wallaroo_ext.inference.files.texts.encoding import check_encoding, open_as_utf8
from wallaroo_ext.inference.files.texts.text_options import AS_WRITTEN, TextOptions
from wallaroo_ext.inference.pandas_index import index_metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyarrow import Table

    from wallaroo_ext.inference.files.opening.row_files import RowFile

pa: Any = import_module("pyarrow")


def read_file(source: Any, table_of: Callable[[Any], Table], texts: TextOptions = AS_WRITTEN) -> Table:
    """Return the rows of a file.

    Args:
        source: A path, a URL or an open file: `.arrow` or `.feather`, `.parquet`, `.csv`, `.tsv` or `.txt` with a line
            of names, or `.json` with a list of records or an object of columns; perhaps compressed. The first bytes
            say the format of an open file, and of one whose name has no suffix.
        table_of: Makes a table from records or columns.
        texts: How its texts are written.

    Raises:
        InvalidDataError: The file has another suffix, or its content is not what the suffix says.
        ConfigurationError: A library is missing that opens such URLs.
        OSError: The file cannot be opened.
    """
    with open_rows(source) as file:
        suffix = _suffix_of(file)
        try:
            _check_opened(file, suffix, texts)
            return table_of(_READERS[suffix](file, texts))
        except (InvalidDataError, pa.ArrowException, ValueError, OSError, RecursionError) as error:
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise InvalidDataError(f"{file.name} cannot be read as a {suffix} file: {reason}") from error


def _unknown(name: str) -> InvalidDataError:
    return InvalidDataError(f"Rows are read from {', '.join(_SUFFIXES)} files, and {name!r} is none of them.")


def _check_opened(file: RowFile, suffix: str, texts: TextOptions) -> None:
    """Raise InvalidDataError for a file that is open as a text, and has bytes, or an encoding is named for it."""
    if file.opened == "text" and (texts.encoding is not None or suffix in _BINARY):
        raise InvalidDataError("it is open as a text: open it with the mode 'rb'.")


def _suffix_of(file: RowFile) -> str:
    """Return the suffix of a file, or, where it has none, the one that fits its first bytes."""
    if file.suffix in _READERS:
        return file.suffix
    if file.suffix and file.opened is None:
        raise _unknown(file.name)
    with file.open() as opened:
        head = opened.read(_HEAD)
    if not head.strip():
        raise InvalidDataError(f"{file.name} is empty: it has to have the rows, as Arrow, Parquet, JSON or CSV.")
    if head.startswith((ARROW_FILE, ARROW_MESSAGE)):
        return ".arrow"
    if head.startswith(PARQUET):
        return ".parquet"
    return ".json" if head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] in {b"[", b"{"} else ".csv"


def _read_arrow(file: RowFile, _: TextOptions) -> Table:
    """Return the rows of an Arrow IPC file, or of an IPC stream, to which some programs give the same suffix."""
    content = file.read_bytes()
    if content.startswith(ARROW_FILE):
        return arrow_files.from_file(content)
    table = pa.ipc.open_stream(content).read_all()
    table.validate(full=True)
    return table


def _read_parquet(file: RowFile, _: TextOptions) -> Table:
    parquet: Any = import_module("pyarrow.parquet")
    with file.open() as opened:
        return parquet.ParquetFile(opened).read()


def _read_csv(file: RowFile, texts: TextOptions) -> Table:
    """Return the rows of a CSV file, each column with the common type of its texts.

    A first column without a name, as pandas writes an index, is marked as an index.

    Raises:
        InvalidDataError: The file is not valid CSV; the message names the row if there is one.
    """
    from wallaroo_ext.inference.files.csv_files import CsvFile
    from wallaroo_ext.inference.files.csv_types import infer_type

    csv = CsvFile(file.open, encoding=texts.encoding, delimiter=texts.delimiter)
    if not csv.names:
        raise InvalidDataError("it is empty, and a CSV file begins with a line of names.")
    fields = pa.Table.from_batches(csv.texts(), pa.schema([(name, pa.string()) for name in csv.names]))
    columns = {name: infer_type(name, fields.column(name), texts.decimal) for name in csv.names}
    return pa.table(columns).replace_schema_metadata(index_metadata("") if "" in columns else None)


def _read_json(file: RowFile, texts: TextOptions) -> Any:
    with closing(open_as_utf8(file.open, check_encoding(texts.encoding))) as text:
        content: Any = json.loads(text.read(), object_pairs_hook=_object_of_pairs, parse_float=_parse_float)
    if isinstance(content, list):
        return cast("Any", content)
    if isinstance(content, dict) and all(isinstance(values, list) for values in cast("Any", content).values()):
        return cast("Any", content)
    raise ValueError(
        "it is neither a list of records, as pandas writes it with orient='records', nor an object of columns"
    )


def _object_of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; raise ValueError if a name stands twice, because readers disagree on its value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"an object has the name {next(n for n in names if names.count(n) > 1)!r} twice")
    return found


def _parse_float(text: str) -> float:
    """Return a number; raise ValueError if a 64-bit float would turn it into infinity or 0."""
    number = float(text)
    if math.isinf(number) or (not number and text.lower().partition("e")[0].strip("-.0")):
        raise ValueError(f"the number {text[:_MAX_SHOWN]} is beyond those of 64 bits")
    return number


_MAX_SHOWN = 40
_HEAD = 64
_BINARY = {".arrow", ".feather", ".parquet"}
_SUFFIXES = (".arrow", ".feather", ".parquet", ".json", ".csv")
_READERS: dict[str, Callable[[RowFile, TextOptions], Any]] = {
    ".arrow": _read_arrow,
    ".feather": _read_arrow,
    ".parquet": _read_parquet,
    ".json": _read_json,
    ".csv": _read_csv,
    ".tab": _read_csv,
    ".tsv": _read_csv,
    ".txt": _read_csv,
}
