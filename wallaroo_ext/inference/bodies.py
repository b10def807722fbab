"""Tables as the bodies of inference requests."""

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
"""A chunked array. Its stubs want the type of the elements, which only the data tell."""


def step_of(operation: str, request: dict[str, Any], table: Table, wire: Wire) -> Send:
    """Return a request with a table as its body, to be sent; the body is in memory and can be sent again.

    Args:
        operation: The contract's `operationId`.
        request: Where to, as httpx takes it.
        table: The rows.
        wire: The format.

    Raises:
        InvalidDataError: JSON has no form for the values of a column.
    """
    headers = {"Content-Type": request_type(wire), "Accept": answer_type(wire)}
    if wire != "arrow":
        return Send(operation, request | {"headers": headers, "content": _json(table, wire)})
    if table.nbytes < CHUNK_SIZE:
        return Send(operation, request | {"headers": headers, "content": arrow_files.to_file(table).to_pybytes()})
    body = PiecesStream(arrow_files.to_buffers(table))
    # httpx takes the content for something that is read once, so the request gets the body itself as its stream, too.
    headers["Content-Length"] = str(body.length)
    return Send(operation, request | {"headers": headers, "content": body}, body)


def _json(table: Table, wire: Wire) -> bytes:
    """Return a table as records, or as the lists of its columns.

    Numbers are written with all the digits that they have as 64-bit ones.
    """
    for name, column in zip(table.column_names, table.columns, strict=True):
        _check(name, column)
    return _dumped(table.to_pylist() if wire == "pandas-records" else table.to_pydict())


def _dumped(content: Any) -> bytes:
    try:
        import orjson
    except ImportError:
        return json.dumps(content, separators=(",", ":")).encode()
    return orjson.dumps(content)  # ten times as fast, and with numbers of the same value


def _check(name: str, column: Column) -> None:
    """Raise InvalidDataError where JSON has no form for the values of a column."""
    if not _has_form(column.type):
        raise InvalidDataError(
            f"JSON has no form for the column {name!r} of type {column.type}.", advice="Send it as Arrow."
        )
    if not _is_finite(column):
        raise InvalidDataError(
            f"JSON has no NaN and no infinity, which the column {name!r} has.",
            advice="Send it as Arrow, or with nulls in their place.",
        )


def _has_form(kind: Any) -> bool:
    types = pa.types
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _has_form(kind.value_type)
    if types.is_struct(kind):
        return all(_has_form(field.type) for field in kind.fields)
    checks = (types.is_boolean, types.is_integer, types.is_floating, types.is_string, types.is_large_string)
    return any(check(kind) for check in (*checks, types.is_null))


def _is_finite(column: Column) -> bool:
    """Return whether all numbers of a column are some."""
    kind = column.type
    if pa.types.is_struct(kind):
        return all(_is_finite(field) for field in column.flatten())
    if pa.types.is_nested(kind):
        return _is_finite(pc.list_flatten(column))
    return not pa.types.is_floating(kind) or pc.all(pc.is_finite(column.cast(pa.float64()))).as_py() is not False


class PiecesStream(httpx.ByteStream):
    """The body of a request over memory that is there already; like httpx's own in memory, it can be sent again.

    Args:
        pieces: The content, in order. It must not change until the answer is there.

    Attributes:
        length: How long the content is, in bytes.
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
