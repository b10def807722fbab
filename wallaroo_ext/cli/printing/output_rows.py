"""Scored rows as a table, as JSON and in files."""

from __future__ import annotations

import base64
import json
import math
from datetime import date, datetime, time
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext._util.arrow.files import to_buffers
from wallaroo_ext._util.arrow.no_pandas import to_values
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.printing.output_files import open_output
from wallaroo_ext.cli.printing.tables import SHOWN_ROWS, Column, format_numbers, format_times, show_table
from wallaroo_ext.inference.column_names import is_output
from wallaroo_ext.redaction.terminal_text import printable_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    import pyarrow as pa

_SHOWN_VALUES = 4
_CHUNK = 1000
_TIME, _FAILURES = "time", "anomaly.count"


class ManyValuesError(ValueError):
    """A list has several values, or none, where one is needed."""


def show_scored(table: pa.Table, keys: Sequence[str] = ()) -> None:
    """Print the keys, the outputs and the failed validations of the first rows."""
    first = table.slice(0, SHOWN_ROWS)
    names = [*keys, *(name for name in table.column_names if is_output(name) and name not in keys)]
    names += [name for name in table.column_names if name == _FAILURES]
    columns = [_column(name, to_values(first.column(name))) for name in names]
    show_table([Column("row", [str(row) for row in range(first.num_rows)], right=True), *columns])
    more = table.num_rows - first.num_rows
    if more > 0:
        output.print_note(f"… and {more:,} more rows; --output FILE or --json gives them all.")


def show_logged(table: pa.Table) -> None:
    """Print when rows were scored, their outputs and failed validations."""
    names = [name for name in table.column_names if name in {_TIME, _FAILURES} or is_output(name)]
    show_table([_column(f"{name} (UTC)" if name == _TIME else name, to_values(table.column(name))) for name in names])


def json_records(table: pa.Table) -> Iterator[str]:
    """Yield each row as a JSON object; NaN and infinity become null."""
    for start in range(0, table.num_rows, _CHUNK):
        for row in _to_rows(_shorten_floats(table.slice(start, _CHUNK))):
            yield printable_json(json.dumps(to_json_value(row), ensure_ascii=False, separators=(",", ":")))


def _to_rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Return the rows as dictionaries of Python values."""
    columns = [to_values(column) for column in table.columns]
    return (dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True))


def write_scored(file: Path, table: pa.Table) -> None:
    """Write the rows to a file in the format of its ending."""
    with open_output(file) as target:
        WRITERS[file.suffix.lower()](table, target)


def to_json_value(value: Any) -> Any:
    """Return a value as a JSON value."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): to_json_value(each) for name, each in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list):
        return [to_json_value(each) for each in cast("list[Any]", value)]
    if isinstance(value, date | time):
        return _time(value) if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _time(value: datetime) -> str:
    """Return a time with all its digits and its zone; UTC if it has none, as in all answers of an instance."""
    if value.utcoffset():
        return value.isoformat()
    whole = not value.microsecond % 1000 and not getattr(value, "nanosecond", 0)
    return value.replace(tzinfo=None).isoformat(timespec="milliseconds" if whole else "auto") + "Z"


def _column(name: str, values: list[Any]) -> Column:
    """Return a column of the printed table: numbers are aligned, and long lists are shortened."""
    while values and all(isinstance(value, list) and len(cast("list[Any]", value)) == 1 for value in values):
        values = [value[0] for value in values]
    if all(isinstance(value, float) or value is None for value in values):
        return Column(name, format_numbers(values), right=True)
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return Column(name, [str(value) for value in values], right=True)
    if all(isinstance(value, datetime) for value in values):
        return Column(name, format_times(values))
    return Column(name, [_text(value) for value in values])


def _text(value: Any) -> str:
    if not isinstance(value, list):
        return _round(value)
    items = cast("Sequence[Any]", value)
    first = ", ".join(_text(each) for each in items[:_SHOWN_VALUES])
    more = len(items) - _SHOWN_VALUES
    return f"[{first}, … {more:,} more]" if more > 0 else f"[{first}]"


def _round(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "-" if value is None else str(to_json_value(value))


def _write_arrow(table: pa.Table, target: BinaryIO) -> None:
    target.writelines(to_buffers(table))


def _write_parquet(table: pa.Table, target: BinaryIO) -> None:
    parquet: Any = import_module("pyarrow.parquet")
    parquet.write_table(table, target)


def _write_json(table: pa.Table, target: BinaryIO) -> None:
    """Write a list of records, one on each line, as pandas does with orient='records'."""
    separator = b"[\n"
    for record in json_records(table):
        target.write(separator + record.encode())
        separator = b",\n"
    target.write(b"\n]\n" if table.num_rows else b"[]\n")


def _write_csv(table: pa.Table, target: BinaryIO) -> None:
    csv: Any = import_module("pyarrow.csv")
    arrow_module: Any = import_module("pyarrow")
    columns = {name: flat_column(table.column(name)) for name in table.column_names}
    csv.write_csv(arrow_module.table(columns), target)


def flat_column(column: Any) -> Any:
    """Return a column for CSV: a list of one value becomes that value, any other list a text of JSON."""
    return flattened(column, single_depth(column))


def single_depth(column: Any) -> int:
    """Return how many lists, one within the other, each value of a column is the only one of."""
    from wallaroo_ext._util.arrow.list_types import is_list

    compute: Any = import_module("pyarrow.compute")
    depth = 0
    while is_list(column.type) and not column.null_count and _has_single_values(column):
        column = compute.list_element(column, 0)
        depth += 1
    return depth


def flattened(column: Any, depth: int) -> Any:
    """Return a column for CSV: the only values of so many lists, and what is still a list as a text of JSON.

    Raises:
        ManyValuesError: A list has another number of values.
    """
    pa: Any = import_module("pyarrow")
    compute: Any = import_module("pyarrow.compute")
    for _ in range(depth):
        if not _has_single_values(column):
            raise ManyValuesError
        column = compute.list_element(column, 0)
    if not pa.types.is_nested(column.type):
        return column
    values = to_values(_short_floats(column))
    return pa.array([None if value is None else json.dumps(to_json_value(value)) for value in values], pa.string())


def _has_single_values(column: Any) -> bool:
    """Return whether each list of a column has one value; a list that is missing has no other number."""
    compute: Any = import_module("pyarrow.compute")
    return compute.all(compute.equal(compute.list_value_length(column), 1), min_count=0).as_py()


def _shorten_floats(table: pa.Table) -> pa.Table:
    """Return a table whose 32-bit floats are written with as few digits as possible."""
    arrow_module: Any = import_module("pyarrow")
    return arrow_module.table({name: _short_floats(table.column(name)) for name in table.column_names})


def _short_floats(column: Any) -> Any:
    """Return a column with 64-bit floats instead of 32-bit ones, which are written with the same digits, as 11.6."""
    pa: Any = import_module("pyarrow")
    as_texts = _with_values(column.type, pa.string())
    return column if as_texts is None else column.cast(as_texts).cast(_with_values(column.type, pa.float64()))


def _with_values(kind: Any, values: Any) -> Any:
    """Return a type with another type in place of 32-bit floats; None if it has none."""
    pa: Any = import_module("pyarrow")
    if pa.types.is_float32(kind):
        return values
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return None
    inner = _with_values(kind.value_type, values)
    return None if inner is None else pa.list_(inner)


WRITERS: dict[str, Callable[[Any, BinaryIO], None]] = {
    ".arrow": _write_arrow,
    ".parquet": _write_parquet,
    ".csv": _write_csv,
    ".json": _write_json,
}
"""The functions that write rows, by the ending of the file."""
