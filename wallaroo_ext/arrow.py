"""Rows in and out as Arrow; needs the extra `arrow`, for pyarrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.json_values import object_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_SEPARATOR = "."


@runtime_checkable
class ArrowStream(Protocol):
    """Anything that exports the Arrow C stream: tables of pyarrow, pandas, polars, duckdb and others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Export the table."""
        ...


Rows = ArrowStream | Sequence[Mapping[str, Any]] | Mapping[str, Any]
"""A table, a list of records, or a mapping of columns: numpy arrays with an element a row, or lists."""


def to_table(rows: Rows) -> pa.Table:
    """Rows as a table, without a copy where their layout allows it.

    Raises:
        InvalidDataError: They are no rows, or their columns have different lengths.
    """
    import pyarrow as pa

    try:
        if isinstance(rows, ArrowStream):
            return pa.table(rows).replace_schema_metadata(None)
        if isinstance(rows, Mapping):
            return pa.table({name: _to_array(values) for name, values in rows.items()})
        if not isinstance(rows, str | bytes):
            return pa.Table.from_pylist(_records(rows))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InvalidDataError(f"These rows are no table: {error}") from error
    raise InvalidDataError(
        f"Rows are a table (pyarrow, pandas, polars, ...), a list of records or a mapping of columns, "
        f"not {type(rows).__name__}."
    )


def _records(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    records = [dict(row) for row in rows]
    columns = list(records[0]) if records else []
    for number, record in enumerate(records):
        if record.keys() != records[0].keys():
            raise InvalidDataError(f"Record {number} has the fields {list(record)}, the first one has {columns}.")
    return records


def _to_array(values: Any) -> pa.Array[Any]:
    """A column; a numpy array of several dimensions becomes nested lists of fixed size over the same memory."""
    import numpy as np
    import pyarrow as pa

    if not isinstance(values, np.ndarray):
        return cast("pa.Array[Any]", pa.array(values))
    array = cast("np.ndarray[Any, np.dtype[Any]]", values)
    column: Any = pa.array(np.ascontiguousarray(array).reshape(-1))
    for size in reversed(array.shape[1:]):
        column = cast("Any", pa.FixedSizeListArray).from_arrays(column, size)
    return column


def to_file(table: pa.Table) -> pa.Buffer:
    """A table as an Arrow IPC file."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


class _Pieces:
    """What pyarrow writes to as to a file: it keeps the columns' own memory, and copies nothing."""

    closed = False

    def __init__(self) -> None:
        self.pieces: list[memoryview] = []

    def write(self, piece: Any) -> int:
        """Take the next piece: bytes, or a buffer of a column."""
        self.pieces.append(memoryview(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""


def to_pieces(table: pa.Table) -> list[memoryview]:
    """A table as the pieces of an Arrow IPC file, the large ones over the memory of its columns."""
    import pyarrow as pa

    sink = _Pieces()
    with pa.ipc.new_file(cast("Any", sink), table.schema) as writer:
        writer.write_table(table)
    return sink.pieces


def from_file(content: bytes) -> pa.Table:
    """The table of an Arrow IPC file, over the same memory.

    Raises:
        ValueError: It is no Arrow IPC file, or a truncated one.
    """
    import pyarrow as pa

    try:
        with pa.ipc.open_file(pa.BufferReader(content)) as reader:
            table = reader.read_all()
        table.validate()
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"no Arrow file: {error}") from error
    return table


def from_records(records: list[dict[str, Any]]) -> pa.Table:
    """The table of a JSON answer, with the columns `in.<field>` and `out.<field>` as in an Arrow answer."""
    import pyarrow as pa

    return pa.Table.from_pylist([_flat(record) for record in records])


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record whose fields `in`, `out` and `metadata` are joined with their own fields."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if name in {"in", "out", "metadata"} and isinstance(value, dict):
            flat |= {f"{name}{_SEPARATOR}{field}": inner for field, inner in object_of(cast("Any", value)).items()}
        else:
            flat[name] = value
    return flat
