"""Reading rows to seed the inference log with, from JSON or from an Arrow file."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wallaroo_ext._util.arrow.files import NO_FILE, from_file
from wallaroo_ext._util.arrow.limits import TooLargeError, check_file, check_table
from wallaroo_ext._util.arrow.list_types import is_list
from wallaroo_ext.sandbox.engine.tensors import is_text
from wallaroo_ext.sandbox.http.problems import bad_request, too_large

_TIME = "time"
_PREFIXES = ("in.", "out.")
_TIME_TYPE: Any = pa.timestamp("ms")
_TO_MILLISECONDS: Any = cast("Any", pc).CastOptions(target_type=_TIME_TYPE, allow_time_truncate=True)
_MAX_DEPTH = 16  # nested lists; Arrow's own limit is 64
_LATEST_MS = 253_402_300_799_999  # the end of the year 9999


def table_of_records(place: str, records: list[dict[str, Any]]) -> pa.Table:
    """Return JSON records, which are valid by the schema of seeds, as a table.

    Args:
        place: Where the records are in the body, for error messages.
        records: The records, at least one.

    Raises:
        Problem: 400, if the records do not fit into one table.
    """
    names = list(records[0])
    for number, record in enumerate(records):
        if record.keys() != records[0].keys():
            different = min(record.keys() ^ records[0].keys())
            raise bad_request(f"{place}.{number}: the row and the first one differ in the column {different!r}.")
    return _checked(place, {name: _column(place, name, [record[name] for record in records]) for name in names})


def _column(place: str, name: str, values: list[Any]) -> Any:
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError) as error:
        raise bad_request(f"{place}: the column {name!r} has values of different types: {error}.") from None


def table_of_file(content: bytes, limit: int) -> pa.Table:
    """Read the rows of an Arrow file, and return them as a table.

    Args:
        content: The content of the file.
        limit: How much memory the rows may take, in bytes.

    Raises:
        Problem: 400, if it is no Arrow file, or has columns other than `time`, `in.*` and `out.*`; 413, if it is too
            large.
    """
    try:
        check_file(content, limit)
        table = from_file(content)
        check_table(table, limit)
    except TooLargeError as error:
        raise too_large(f"{error}; seed fewer rows at a time.") from None
    except ValueError as error:
        raise bad_request(f"The body is no Arrow file that can be read: {str(error).removeprefix(NO_FILE)}.") from None
    if not table.num_rows:
        raise bad_request("The Arrow file has no rows.")
    return _checked("The Arrow file", dict(zip(table.column_names, table.columns, strict=True)))


def _checked(place: str, columns: dict[str, Any]) -> pa.Table:
    """Check the columns, and return them as a table with the times as timestamps."""
    if _TIME not in columns or len(columns) == 1:
        raise bad_request(f"{place}: rows have a column 'time', and columns 'in.<field>' or 'out.<field>'.")
    for name, column in columns.items():
        if name != _TIME and not (name.startswith(_PREFIXES) and name not in _PREFIXES):
            raise bad_request(f"{place}: the column {name!r} is neither 'time' nor 'in.<field>' nor 'out.<field>'.")
        if name != _TIME and not _is_loggable(column.type):
            raise bad_request(f"{place}: the column {name!r} has the type {column.type}, not numbers or texts.")
    return pa.table(columns | {_TIME: _times(place, columns[_TIME])})


def _is_loggable(kind: Any) -> bool:
    """Return whether a column has numbers, booleans or texts, or lists of them."""
    for _ in range(_MAX_DEPTH):
        if is_list(kind):
            kind = kind.value_type
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, is_text)
    return any(check(kind) for check in checks)


def _times(place: str, column: Any) -> Any:
    """Return a column of times as timestamps.

    Raises:
        Problem: 400, unless they are milliseconds or timestamps from the years 1970 to 9999.
    """
    if not (pa.types.is_integer(column.type) or pa.types.is_timestamp(column.type)) or column.null_count:
        raise bad_request(f"{place}: the column 'time' has milliseconds since 1970 or timestamps, and no nulls.")
    try:
        milliseconds = column if pa.types.is_integer(column.type) else column.cast(options=_TO_MILLISECONDS)
        numbers = np.asarray(milliseconds.cast(pa.int64()))
    except pa.ArrowException as error:
        raise bad_request(f"{place}: the column 'time' has values that are not times: {error}.") from None
    if len(numbers) and not (numbers.min() >= 0 and numbers.max() <= _LATEST_MS):
        raise bad_request(f"{place}: the column 'time' has times that are not of the years 1970 to 9999.")
    return pa.array(numbers, pa.int64()).cast(_TIME_TYPE)
