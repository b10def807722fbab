"""Converting rows of each form to a table of pyarrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import numpy as np

from wallaroo_ext._util.files.readable import is_file, yields_frames
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.column_names import ONLY_INPUT
from wallaroo_ext.inference.files.reader import read_file
from wallaroo_ext.inference.files.texts.text_options import AS_WRITTEN, TextOptions
from wallaroo_ext.inference.inputs.array_cells import to_numpy
from wallaroo_ext.inference.inputs.columns import numpy_column, python_column
from wallaroo_ext.inference.inputs.pandas_frames import column_of_series, table_of_frame, table_of_series
from wallaroo_ext.inference.inputs.python_values import CONVERSION_ERRORS
from wallaroo_ext.inference.refused_columns import Unreadable, table_of_columns, with_refused
from wallaroo_ext.inference.wrapped_rows import is_split, wrapped_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyarrow import Table


pa: Any = import_module("pyarrow")

_WIDE_TYPES = {"Int128", "UInt128"}
"""The types of polars for numbers of 128 bits, which Arrow lacks."""


@runtime_checkable
class ArrowStream(Protocol):
    """Anything that exports the Arrow C stream: tables of pyarrow, pandas, polars, duckdb and others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Export the table."""
        ...


@runtime_checkable
class ArrowArray(Protocol):
    """Anything that exports one Arrow C array: record batches, arrays of structs."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        """Export the array."""
        ...


@runtime_checkable
class DataFrame(Protocol):
    """Anything that has the interchange protocol of data frames, where it exports no Arrow."""

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:  # noqa: FBT001, FBT002 - the protocol's signature
        """Return the frame for other libraries."""
        ...


def table_of(rows: Any, names: Sequence[str] = (), texts: TextOptions = AS_WRITTEN) -> Table:
    """Return rows of any form as a table, with their own types.

    Args:
        rows: The rows.
        names: The columns that are wanted, which name the values of a file that has none.
        texts: How the texts in a file are written.

    Raises:
        InvalidDataError: These are no rows.
        OSError: A file cannot be opened.
    """
    if isinstance(rows, pa.Table):
        return rows
    rows = _as_series(rows)
    if isinstance(rows, Mapping):
        return _from_mapping(cast("Mapping[Any, Any]", rows), names)
    if isinstance(rows, ArrowStream | ArrowArray | DataFrame):
        return _from_exported(rows)
    if is_file(rows):
        return read_file(rows, _from_content, names, texts)
    if isinstance(rows, np.ndarray) or hasattr(rows, "__array__"):
        return _from_array(to_numpy(rows))
    if isinstance(rows, list | tuple):
        return _from_records(cast("Sequence[Any]", rows))
    several = f": {_SEVERAL}" if yields_frames(rows) else _LIST_IT if hasattr(rows, "__iter__") else ""
    hint = _hint(rows, _HINTS) or several
    raise InvalidDataError(_unsupported_rows(f"not {type(rows).__name__}{hint}"))


def _unsupported_rows(instead: str) -> str:
    return (
        "Rows are a table (pyarrow, pandas, polars, duckdb, ...), a list of records, a mapping of columns, a numpy "
        f"array, the path or the URL of a file, or an open file, {instead}."
    )


_LIST_IT = ": make a list of its records, list(rows)"
_SEVERAL = "give the tables that it yields to infer_batches"
_HINTS = {
    "LazyFrame": "call its collect() first",
    "OpenFile": "open it first: with fsspec.open(...) as file",
    **dict.fromkeys(("array", "memoryview"), "send numpy.asarray(rows)"),
    "generator": f"make a list of it, or {_SEVERAL}",
    "bytes": "give the content of a file as io.BytesIO(content), or its path as a str",
    "spmatrix": "send its toarray()",
    "sparray": "send its toarray()",
    "Dataset": "send its to_table(), or give it to infer_dataset",
    "Scanner": "send its to_table()",
    "Buffer": "give it as io.BytesIO(buffer)",
    "Tensor": "send its to_numpy()",
}
"""What to do about objects of other libraries that hold no rows yet, or not one by one, by the names of their types."""

_AS_ARRAY = "make one array of them, numpy.array(rows), for a model with one input"
_AS_DICTS = ": make records of them, [dataclasses.asdict(row) for row in rows]"
_TO_DICT = {"_asdict": "row._asdict()", "asDict": "row.asDict()", "keys": "dict(row)"}
"""How rows of databases, of Spark and named tuples become records, by an ability that they have."""

_RECORD_HINTS = {
    **dict.fromkeys(("list", "ndarray", "int", "float"), _AS_ARRAY),
    "tuple": f"make records of them, [dict(zip(names, row)) for row in rows], or {_AS_ARRAY}",
    "Series": "make a frame of them, pandas.DataFrame(rows)",
    "BaseModel": "make records of them, [row.model_dump() for row in rows]",
    "DataFrame": "join them, or give them to infer_batches",
    **dict.fromkeys(("Table", "RecordBatch"), "join them, or give them to infer_batches"),
    "str": "a batch of files goes to infer_dataset",
    "PurePath": "a batch of files goes to infer_dataset",
}
"""The same of what is in a list in place of records."""


def _record_hint(record: object) -> str:
    """Return how to make a record of an object, as the end of a sentence."""
    if is_dataclass(record):
        return _AS_DICTS
    made = next((how for ability, how in _TO_DICT.items() if hasattr(record, ability)), None)
    known = _hint(record, {name: hint for name, hint in _RECORD_HINTS.items() if made is None or name != "tuple"})
    return known or ("" if made is None else f": make records of them, [{made} for row in rows]")


def _hint(value: object, hints: Mapping[str, str]) -> str:
    """Return what to do about an object, as the end of a sentence."""
    return next((f": {hints[kind.__name__]}" for kind in type(value).__mro__ if kind.__name__ in hints), "")


def _from_exported(rows: Any) -> Table:
    """Return a table from an object that exports itself; an array other than of structs becomes the only input."""
    if _is_instance_of(rows, "pandas", "DataFrame"):
        return table_of_frame(rows)
    if _is_instance_of(rows, "pandas", "Series"):
        return table_of_series(rows)
    if not isinstance(rows, ArrowStream | ArrowArray):
        interchange: Any = import_module("pyarrow.interchange")
        return interchange.from_dataframe(rows)
    if _is_instance_of(rows, "polars", "DataFrame"):
        return _from_polars(rows)
    _check_polars(rows)
    try:
        return pa.table(rows)
    except pa.ArrowInvalid:
        column = _exported_column(rows)
        if column is None:
            raise
        return pa.table({ONLY_INPUT: column})


def _from_polars(frame: Any) -> Table:
    """Return a frame of polars as a table, without exporting the columns that have no values."""
    refused: dict[str, InvalidDataError] = {}
    for name in frame.columns:
        try:
            _check_polars_column(name, frame.get_column(name))
        except InvalidDataError as error:
            refused[name] = error
    readable = [name for name in frame.columns if name not in refused]
    if refused and not readable:
        raise next(iter(refused.values()))
    table = pa.table(frame[readable] if refused else frame)
    return with_refused(table, {name: str(error) for name, error in refused.items()}, frame.columns)


def _check_polars(rows: Any) -> None:
    """Raise InvalidDataError for objects in polars that are neither numbers nor texts, before it exports them."""
    if _is_instance_of(rows, "polars", "Series"):
        _check_polars_column(rows.name, rows)


def _as_series(values: Any) -> Any:
    """Return an array or an index of pandas as a series, which keeps its type: numpy would get integers as floats."""
    if _is_instance_of(values, "pandas", "ExtensionArray"):
        pandas: Any = import_module("pandas")
        return pandas.Series(values)
    return values.to_series() if _is_instance_of(values, "pandas", "Index") else values


def _is_instance_of(rows: Any, library: str, name: str) -> bool:
    return any(kind.__name__ == name and kind.__module__.split(".")[0] == library for kind in type(rows).__mro__)


def _check_polars_column(name: str, column: Any) -> None:
    """Raise InvalidDataError for polars' Python objects, because polars exports their addresses in memory."""
    kinds = set(_polars_types(column.dtype))
    if "Object" in kinds:
        row = next((row for row, value in enumerate(column) if value is not None), 0)
        raise InvalidDataError(
            f"The column {name!r} of polars' type {column.dtype} has objects of Python, which are no numbers and no "
            f"texts, the first one in row {row}: convert the column, or leave it out."
        )
    if kinds & _WIDE_TYPES:
        raise InvalidDataError(
            f"The column {name!r} of polars' type {column.dtype} is wider than the numbers of models: cast it to Int64 "
            "or Float64."
        )


def _polars_types(kind: Any) -> Iterator[str]:
    """Yield the name of a type of polars, and those of the types in it."""
    yield kind.base_type().__name__
    for part in (getattr(kind, "inner", None), *(field.dtype for field in getattr(kind, "fields", ()))):
        if part is not None:
            yield from _polars_types(part)


def _exported_column(rows: Any) -> Any:
    try:
        column = pa.chunked_array(rows)
    except CONVERSION_ERRORS:
        return None
    return None if pa.types.is_struct(column.type) else column


def _from_content(content: Any) -> Table:
    """Return the table of what a file has, which was told there: columns, or an array."""
    return _from_columns(cast("Any", content)) if isinstance(content, Mapping) else _from_array(content)


def _from_array(array: np.ndarray[Any, Any]) -> Table:
    """Return a table from one array: its named fields as columns, or the whole array as the only input."""
    names = array.dtype.names
    return _from_columns({ONLY_INPUT: array} if names is None else {name: array[name] for name in names})


def _from_mapping(mapping: Mapping[Any, Any], names: Sequence[str]) -> Table:
    """Return the table of a mapping of columns, or of one that has rows as requests of other servers wrap them."""
    try:
        rows = wrapped_rows(mapping)
    except InvalidDataError as error:
        raise InvalidDataError(f"These rows are no table: {error}") from error
    if isinstance(rows, list):
        listed = cast("list[Any]", rows)
        return _from_records(listed) if isinstance(listed[0], Mapping) else _from_vectors(listed, names)
    columns = mapping if rows is None else cast("Mapping[Any, Any]", rows)
    return _from_split(columns) if is_split(columns) else _from_columns(columns)


def _from_vectors(rows: list[Any], names: Sequence[str]) -> Table:
    """Return the table of rows that are lists: under names, if there are some, or as vectors of the only input."""
    if not names:
        return _from_columns({ONLY_INPUT: rows})
    return _from_split({"columns": names, "data": rows})


def _from_split(document: Mapping[Any, Any]) -> Table:
    """Return the table of names and of rows that are lists, as `DataFrame.to_dict("split")` gives them."""
    if not document["data"]:
        return _from_columns({name: [] for name in document["columns"]})
    return _from_records([dict(zip(document["columns"], row, strict=True)) for row in document["data"]])


def _from_columns(columns: Mapping[Any, Any]) -> Table:
    return table_of_columns({_column_name(name): partial(_column, name, values) for name, values in columns.items()})


def _column_name(name: Any) -> str:
    if not isinstance(name, str):
        raise InvalidDataError(f"The name of a column is a text, not {name!r}.")
    return name


def _column(name: str, values: Any) -> Any:
    if isinstance(values, Unreadable):
        raise values.error
    if isinstance(values, np.ndarray):
        return numpy_column(name, cast("Any", values))
    values = _as_series(values)
    try:
        if _is_instance_of(values, "pandas", "Series"):
            return column_of_series(name, values)
        if isinstance(values, ArrowStream | ArrowArray):
            _check_polars(values)
            return pa.chunked_array(values)
        if hasattr(values, "__array__"):
            return numpy_column(name, to_numpy(values))
        if isinstance(values, Sequence) and not isinstance(values, str | bytes | bytearray):
            return python_column(name, cast("Any", values))
    except CONVERSION_ERRORS as error:
        raise InvalidDataError(f"The column {name!r} cannot be read: {error}.") from error
    raise InvalidDataError(
        f"The column {name!r} is {type(cast('Any', values)).__name__}, not an array or a list with an element a row; "
        f"{_ORIENTED if isinstance(values, Mapping) else _RECORD}."
    )


_RECORD = "one record goes into a list: [record]"
_ORIENTED = f"frame.to_dict('list') gives such lists, and {_RECORD}"


def _from_records(records: Sequence[Any]) -> Table:
    if not records:
        raise InvalidDataError("An empty list of records has no fields. There is nothing to score.")
    for number, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise InvalidDataError(_unsupported_rows(f"not a list of {type(record).__name__}{_record_hint(record)}"))
        if record.keys() != records[0].keys():
            fields = cast("Mapping[Any, Any]", record)
            raise InvalidDataError(
                f"Record {number} has the fields {list(fields)}, the first one has {list(records[0])}."
            )
    return _from_columns({name: [record[name] for record in records] for name in records[0]})
