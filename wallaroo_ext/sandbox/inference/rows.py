"""Reads the rows of inference requests, in each of their three formats."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from wallaroo_ext._util.arrow.files import to_buffers
from wallaroo_ext._util.arrow.limits import MAX_DEPTH
from wallaroo_ext.sandbox.engine.arrow_rows import check_rows, read_file
from wallaroo_ext.sandbox.engine.tensors import Column, to_column
from wallaroo_ext.sandbox.http.json_rows import ReadRows
from wallaroo_ext.sandbox.http.json_text import is_deeper
from wallaroo_ext.sandbox.http.problems import engine_error
from wallaroo_ext.sandbox.http.validation import parse_media_type

JSON = "application/json"
_MIB = 1 << 20


@dataclass(slots=True)
class Rows:
    """The rows of a request.

    Attributes:
        table: The rows, with one column per field.
        columns_as_sent: For JSON, the values of each field as they were sent, to be echoed digit for digit; None if the
            table has these digits.
        parse_ns: How long parsing them took.
    """

    table: pa.Table
    columns_as_sent: dict[str, list[Any]] | None = None
    parse_ns: int = 0


def is_json(media_type: str) -> bool:
    """Return whether a media type is a form of JSON."""
    return parse_media_type(media_type)[0] == JSON


def to_request(rows: Rows) -> list[memoryview]:
    """Return rows as the chunks of the Arrow file that models take."""
    return to_buffers(rows.table)


def read_rows(media_type: str, body: Any, memory_mib: int, *, only_plain: bool = False) -> Rows:
    """Return the rows of a body in one of the three formats.

    Args:
        media_type: The format, as the contract writes it.
        body: The body: the bytes of an Arrow file, parsed JSON, or rows that were read from it.
        memory_mib: The memory that the decoded rows may take, in MiB.
        only_plain: Whether to refuse Arrow files that are not plain.

    Raises:
        Problem: 400 in the engine's form, or 413 if the rows take more memory.
    """
    started = time.perf_counter_ns()
    if isinstance(body, ReadRows):
        check_rows(body.table, memory_mib * _MIB)
        return Rows(body.table, parse_ns=body.parse_ns)
    kind, parameters = parse_media_type(media_type)
    if kind != JSON:
        rows = Rows(read_file(body, memory_mib * _MIB, only_plain=only_plain).table)
    else:
        if is_deeper(body, MAX_DEPTH):
            raise engine_error(f"The rows are nested more than {MAX_DEPTH} levels deep.")
        columns = _columns_of_records(body) if parameters else body
        table = _table(columns)
        check_rows(table, memory_mib * _MIB)
        rows = Rows(table, columns)
    rows.parse_ns = time.perf_counter_ns() - started
    return rows


def _columns_of_records(records: list[dict[str, Any]]) -> dict[str, list[Any]]:
    names = list(records[0]) if records else []
    for number, record in enumerate(records):
        if record.keys() != records[0].keys():
            different = next(iter(record.keys() ^ records[0].keys()))
            raise engine_error(f"Record {number} and the first one differ in the field {different!r}.")
    return {name: [record[name] for record in records] for name in names}


def _table(columns: dict[str, list[Any]]) -> pa.Table:
    arrays: dict[str, Column] = {}
    for name, values in columns.items():
        try:
            arrays[name] = _column(values)
        except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
            raise engine_error(f"The field {name!r} is no column of one type: {error}.") from None
    if len({len(array) for array in arrays.values()}) > 1:
        raise engine_error("The fields have different numbers of rows.")
    return pa.table(arrays)


def _column(values: list[Any]) -> Column:
    """Return JSON values as a column; within lists, pyarrow alone would not take integers above 2**63."""
    try:
        return pa.array(values)
    except OverflowError:
        numbers = np.asarray(values, np.uint64)
        if numbers.tolist() != values:
            raise
        return to_column(numbers)
