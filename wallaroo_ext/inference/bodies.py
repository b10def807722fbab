"""Writing tables as the bodies of inference requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from wallaroo_ext._util.arrow.files import to_buffers, to_file
from wallaroo_ext._util.chunks import CHUNK_SIZE, split_into_chunks
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference import json_bodies
from wallaroo_ext.inference.media_types import answer_type, request_type
from wallaroo_ext.operations import Send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from pyarrow import Table

    from wallaroo_ext.inference.media_types import Wire


def table_request(operation: str, request: dict[str, Any], table: Table, wire: Wire) -> Send:
    """Return the step that sends a table to an inference URL; the body stays in memory and can be sent again.

    Args:
        operation: The contract's `operationId`.
        request: The method, the URL and other arguments for httpx.
        table: The rows.
        wire: The format of the body.

    Raises:
        InvalidDataError: JSON cannot hold the values of a column, or records would not say the columns of no rows.
    """
    if wire == "pandas-records" and not table.num_rows:
        raise InvalidDataError(
            "There are no rows, and records in JSON would not say the columns.", advice="Send them as Arrow."
        )
    headers = {"Content-Type": request_type(wire), "Accept": answer_type(wire)}
    if wire == "arrow" and table.nbytes < CHUNK_SIZE:
        return Send(operation, request | {"headers": headers, "content": to_file(table).to_pybytes()})
    body = MemoryStream(_pieces(table, wire))
    if body.length < CHUNK_SIZE:
        return Send(operation, request | {"headers": headers, "content": b"".join(body)})
    # httpx would read this content once only, so the request gets the body as its stream, too: it can be sent again.
    headers["Content-Length"] = str(body.length)
    return Send(operation, request | {"headers": headers, "content": body}, body)


def _pieces(table: Table, wire: Wire) -> Sequence[memoryview]:
    """Return the content of a body, in order."""
    if wire == "arrow":
        return to_buffers(table)
    write = json_bodies.to_records if wire == "pandas-records" else json_bodies.to_columns
    return list(map(memoryview, write(table)))


class MemoryStream(httpx.ByteStream):
    """A request body over existing memory, of which no more than a part is copied at a time; it can be sent again.

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
