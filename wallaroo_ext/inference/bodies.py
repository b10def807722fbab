"""Writing tables as the bodies of inference requests."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx

from wallaroo_ext._util import arrow_files
from wallaroo_ext._util.chunks import CHUNK_SIZE, split_into_chunks
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.media_types import answer_type, request_type
from wallaroo_ext.operations import Send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from pyarrow import Table

    from wallaroo_ext.inference.media_types import Wire


pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")

Column: TypeAlias = Any
"""A chunked array. Its stubs ask for the type of the elements, which is known at run time only."""


def table_request(operation: str, request: dict[str, Any], table: Table, wire: Wire) -> Send:
    """Return the step that sends a table to an inference URL; the body stays in memory and can be sent again.

    Args:
        operation: The contract's `operationId`.
        request: The method, the URL and other arguments for httpx.
        table: The rows.
        wire: The format of the body.

    Raises:
        InvalidDataError: JSON cannot hold the values of a column.
    """
    headers = {"Content-Type": request_type(wire), "Accept": answer_type(wire)}
    if wire != "arrow":
        return Send(operation, request | {"headers": headers, "content": _json(table, wire)})
    if table.nbytes < CHUNK_SIZE:
        return Send(operation, request | {"headers": headers, "content": arrow_files.to_file(table).to_pybytes()})
    body = MemoryStream(arrow_files.to_buffers(table))
    # httpx would read this content once only, so the request gets the body as its stream, too: it can be sent again.
    headers["Content-Length"] = str(body.length)
    return Send(operation, request | {"headers": headers, "content": body}, body)


def _json(table: Table, wire: Wire) -> bytes:
    """Return a table as a list of records, or as an object of columns.

    Numbers are written with all the digits of a 64-bit number.
    """
    for name, column in zip(table.column_names, table.columns, strict=True):
        _check_json_column(name, column)
    return _dump_json(table.to_pylist() if wire == "pandas-records" else table.to_pydict())


def _dump_json(content: Any) -> bytes:
    try:
        import orjson
    except ImportError:
        return json.dumps(content, separators=(",", ":")).encode()
    return orjson.dumps(content)  # ten times as fast, and with numbers of the same value


def _check_json_column(name: str, column: Column) -> None:
    """Raise InvalidDataError if JSON cannot hold the values of a column."""
    if not _has_json_form(column.type):
        raise InvalidDataError(
            f"JSON has no form for the column {name!r} of type {column.type}.", advice="Send it as Arrow."
        )
    if not _is_finite(column):
        raise InvalidDataError(
            f"JSON has no NaN and no infinity, which the column {name!r} has.",
            advice="Send it as Arrow.",
        )


def _has_json_form(kind: Any) -> bool:
    types = pa.types
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _has_json_form(kind.value_type)
    if types.is_struct(kind):
        return all(_has_json_form(field.type) for field in kind.fields)
    checks = (types.is_boolean, types.is_integer, types.is_floating, types.is_string, types.is_large_string)
    return any(check(kind) for check in (*checks, types.is_null))


def _is_finite(column: Column) -> bool:
    """Return whether a column has neither NaN nor infinity."""
    kind = column.type
    if pa.types.is_struct(kind):
        return all(_is_finite(field) for field in column.flatten())
    if pa.types.is_nested(kind):
        return _is_finite(pc.list_flatten(column))
    return not pa.types.is_floating(kind) or pc.all(pc.is_finite(column.cast(pa.float64()))).as_py() is not False


class MemoryStream(httpx.ByteStream):
    """A request body over existing memory, which is not copied; it can be sent again.

    Args:
        pieces: The content, in order. It must not change before the answer has come.

    Attributes:
        length: The size of the content in bytes.
    """

    def __init__(self, pieces: Sequence[memoryview]) -> None:
        self._pieces = pieces
        self.length = sum(piece.nbytes for piece in pieces)

    def __iter__(self) -> Iterator[bytes]:
        for part in split_into_chunks(self._pieces):
            yield bytes(part)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in split_into_chunks(self._pieces):
            yield bytes(part)
