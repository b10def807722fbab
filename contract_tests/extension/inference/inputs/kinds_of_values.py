"""The kinds of values that columns have, the forms of rows that hold them, and what becomes of each.

`test_kinds_of_values` holds every form of every kind to it, and `taken_page` writes it down for people.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import uuid
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pyarrow as pa
from hypothesis import strategies as st
from pyarrow import feather, parquet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

arrow: Any = pa
pd: Any = import_module("pandas")
pq: Any = parquet
ipc: Any = feather
polars: Any = pl
Decimal = decimal.Decimal
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Kind:
    """A kind of values.

    Attributes:
        name: What it is called.
        rule: What becomes of it, a phrase.
        examples: A column of such values, for the page.
        columns: Draws such columns, of at least two values.
        arrow: Its type in Arrow; None where Arrow has none.
        numpy: Its type in numpy; None where numpy holds it as objects.
        sent: Returns a value as it is sent.
        refused: Whether it is refused.
        number: Whether it can be in a vector.
        in_json: Whether a JSON file can hold it.
    """

    name: str
    rule: str
    examples: list[Any]
    columns: st.SearchStrategy[list[Any]]
    arrow: Any = None
    numpy: str | None = None
    sent: Callable[[Any], Any] = field(default=lambda value: value)
    refused: bool = False
    number: bool = False
    in_json: bool = False


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=2, max_size=4)


def refused(name: str, rule: str, *columns: list[Any], kind: Any = None, numpy: str | None = None) -> Kind:
    """Return a kind that is refused, with the columns to try."""
    return Kind(name, rule, columns[0], st.sampled_from(columns), kind, numpy, refused=True)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
INT64 = st.integers(-(2**63), 2**63 - 1)
FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
TIMES = st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2200, 1, 1))  # noqa: DTZ001 - without a zone
TENSORS = st.integers(1, 3).flatmap(
    lambda width: some(st.lists(st.lists(FLOAT32, min_size=width, max_size=width), min_size=1, max_size=3))
)

KINDS = [
    Kind(
        "whole numbers",
        "as they are; numpy's, pandas' and Arrow's keep their width",
        [1, -(2**63), 2**63 - 1],
        some(INT64),
        arrow.int64(),
        "i8",
        number=True,
        in_json=True,
    ),
    Kind(
        "whole numbers from 2^63 on, none negative",
        "uint64",
        [0, 2**63, 2**64 - 1],
        some(st.integers(2**63, 2**64 - 1)),
        arrow.uint64(),
        "u8",
        number=True,
        in_json=True,
    ),
    Kind(
        "fractions",
        "as they are, with the sign of zero and infinity",
        [0.1, -0.0, 1e30],
        some(st.floats(allow_nan=False).filter(lambda value: value % 1 != 0)),
        arrow.float64(),
        "f8",
        number=True,
        in_json=True,
    ),
    Kind(
        "decimals",
        "the nearest 64-bit float",
        [Decimal("0.3"), Decimal("-12.50"), Decimal("0.00001")],
        some(st.decimals(-(10**9), 10**9, places=5, allow_nan=False)),
        arrow.decimal128(38, 5),
        sent=float,
        number=True,
    ),
    Kind(
        "decimals of a type without places behind the point",
        "int64, or uint64 where one is 2^63 or more and none is negative",
        [Decimal(3), Decimal(0), Decimal(2**53 + 1)],
        some(INT64.map(Decimal)),
        arrow.decimal128(38, 0),
        sent=int,
        number=True,
    ),
    Kind(
        "booleans",
        "as they are; 1 and 0 in a vector",
        [True, False, True],
        some(st.booleans()),
        arrow.bool_(),
        "?",
        number=True,
        in_json=True,
    ),
    Kind("texts", "as they are", ["a", "", "größe"], some(TEXT), arrow.string(), "U", in_json=True),
    Kind("bytes", "as they are", [b"a", b"\xff"], some(st.binary(max_size=6)), arrow.binary()),
    Kind(
        "dates",
        "as they are, in days",
        [dt.date(2024, 2, 29), dt.date(1969, 12, 31)],
        some(TIMES.map(dt.datetime.date)),
        arrow.date32(),
        "M8[D]",
    ),
    Kind(
        "timestamps",
        "as they are, in their unit, without a zone",
        [dt.datetime(2024, 2, 29, 12), dt.datetime(2024, 2, 29, 12, 0, 0, 1)],  # noqa: DTZ001 - the same
        some(TIMES),
        arrow.timestamp("us"),
        "M8[us]",
    ),
    Kind(
        "timestamps with a zone",
        "as they are, in their unit, with their zone",
        [dt.datetime(2024, 2, 29, 12, tzinfo=BERLIN), dt.datetime(2024, 7, 1, tzinfo=BERLIN)],
        some(TIMES.map(lambda time: time.replace(tzinfo=dt.UTC))),
        arrow.timestamp("us", "UTC"),
    ),
    Kind(
        "durations",
        "as they are, in their unit",
        [dt.timedelta(days=1), dt.timedelta(microseconds=-1)],
        some(st.timedeltas(dt.timedelta(-9999), dt.timedelta(9999))),
        arrow.duration("us"),
        "m8[us]",
    ),
    Kind(
        "times of the day",
        "as they are",
        [dt.time(12, 30), dt.time(0, 0, 0, 1)],
        some(st.times().map(lambda time: time.replace(fold=0))),
        arrow.time64("us"),
    ),
    Kind(
        "vectors",
        "lists",
        [[1.5, 2.5], [3.5, -0.0]],
        some(st.lists(FLOAT32, min_size=2, max_size=2)),
        arrow.list_(arrow.float32()),
        "f4",
        in_json=True,
    ),
    Kind(
        "tensors",
        "lists in lists, whatever their order in memory",
        [[[1.5, 2.5], [3.5, 4.5]], [[5.5, 6.5], [7.5, 8.5]]],
        TENSORS,
        arrow.list_(arrow.list_(arrow.float32())),
        "f4",
        in_json=True,
    ),
    Kind(
        "tensors of whole numbers",
        "lists in lists, with their type",
        [[[[1], [2]]], [[[3], [2**62]]]],
        some(
            st.lists(st.lists(st.lists(INT64, min_size=1, max_size=1), min_size=2, max_size=2), min_size=1, max_size=1)
        ),
        arrow.list_(arrow.list_(arrow.list_(arrow.int64()))),
        "i8",
        in_json=True,
    ),
    Kind(
        "records",
        "records",
        [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}],
        some(st.tuples(INT64, TEXT).map(lambda both: {"x": both[0], "y": both[1]})),
        arrow.struct([("x", arrow.int64()), ("y", arrow.string())]),
        in_json=True,
    ),
    refused(
        "whole numbers beyond 64 bits",
        "refused: floats have to be sent",
        [1, 2**64],
        [-1, 2**63],
        [2**70, 1],
        kind=arrow.decimal128(38, 0),
    ),
    refused("periods", "refused: their starts have to be sent", [pd.Period("2024-01"), pd.Period("2024-02")]),
    refused("intervals", "refused: their ends have to be sent, as two columns", [pd.Interval(0, 1), pd.Interval(1, 2)]),
    refused(
        "months, days and nanoseconds",
        "refused: they are no length of time",
        [arrow.MonthDayNano([1, 2, 3])] * 2,
        kind=arrow.month_day_nano_interval(),
    ),
    refused("complex numbers", "refused: their parts have to be sent, as two columns", [1j, 2 + 0j], numpy="c16"),
    refused("numbers and texts", "refused", [1, "x"], ["x", 1.5], ["x", 1]),
    refused("booleans and numbers", "refused", [True, 2], [2.5, False]),
    refused("texts and bytes", "refused", ["a", b"b"], [b"b", "a"]),
    refused("lists and numbers", "refused", [[1], 2], [2.5, [1.5]]),
    refused("sets", "refused: lists have to be sent", [{1, 2}, {3}], [[1], {2}]),
    refused("UUIDs", "refused: texts have to be sent", [uuid.UUID(int=1), uuid.UUID(int=2)]),
    refused("objects", "refused", [object(), object()], [1, object()]),
    refused("arrays of several ranks", "refused", [np.zeros((1, 2)), np.zeros(2)], [np.zeros(2), np.zeros((1, 2, 2))]),
]
"""The kinds, those that are refused at last."""


def objects(values: list[Any]) -> Any:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _arrow(values: list[Any], kind: Kind) -> Any:
    return None if kind.arrow is None else arrow.table({"a": arrow.array(values, kind.arrow)})


class Exported:
    """A table of a library that nobody here knows, which exports Arrow's C stream."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


def _exported(values: list[Any], kind: Kind) -> Any:
    table = _arrow(values, kind)
    return None if table is None else Exported(table)


def _dictionary(values: list[Any], kind: Kind) -> Any:
    if kind.arrow is None or arrow.types.is_nested(kind.arrow):
        return None
    return arrow.table({"a": arrow.array(values, kind.arrow).dictionary_encode()})


def _chunks(values: list[Any], kind: Kind) -> Any:
    table = _arrow(values, kind)
    return (
        None
        if table is None
        else arrow.concat_tables([table.slice(1), table, table]).slice(len(values) - 1, len(values))
    )


def _array(values: list[Any], kind: Kind) -> Any:
    return None if kind.numpy is None else np.array(values, kind.numpy)


def _cells(values: list[Any], kind: Kind) -> list[Any] | None:
    """Return vectors and tensors as arrays; None for other kinds."""
    is_tensor = kind.numpy is not None and isinstance(values[0], list)
    return [np.array(value, kind.numpy) for value in values] if is_tensor else None


def _read_only(array: Any) -> Any:
    array.flags.writeable = False
    return array


def _of_cells(make: Callable[[list[Any]], Any]) -> Callable[[list[Any], Kind], Any]:
    """Return a form of vectors and tensors as arrays."""

    def form(values: list[Any], kind: Kind) -> Any:
        cells = _cells(values, kind)
        return None if cells is None else make(cells)

    return form


def _file(write: Callable[[Any, Path], object], ending: str) -> Callable[[list[Any], Kind, Path], Any]:
    """Return a form in a file, which is written into a directory."""

    def form(values: list[Any], kind: Kind, directory: Path) -> Any:
        table = _arrow(values, kind)
        path = directory / f"rows{ending}"
        return None if table is None else (write(table, path), path)[1]

    return form


def _json_file(values: list[Any], kind: Kind, directory: Path) -> Any:
    if not kind.in_json:
        return None
    path = directory / "rows.json"
    path.write_text(json.dumps([{"a": value} for value in values]), encoding="utf-8")
    return path


def _polars(values: list[Any], kind: Kind) -> Any:
    table = _arrow(values, kind)
    return (
        polars.DataFrame({"a": polars.Series(values, dtype=polars.Object)})
        if table is None
        else polars.from_arrow(table)
    )


IN_MEMORY: dict[str, Callable[[list[Any], Kind], Any]] = {
    "a table of pyarrow": _arrow,
    "a table in chunks": _chunks,
    "Arrow's C stream": _exported,
    "a dictionary of Arrow": _dictionary,
    "pandas": lambda values, _: pd.DataFrame({"a": values}),
    "objects in pandas": lambda values, _: pd.DataFrame({"a": pd.Series(objects(values), dtype=object)}),
    "nullable types of pandas": lambda values, _: pd.DataFrame({"a": values}).convert_dtypes(),
    "Arrow in pandas": lambda values, kind: (
        None if kind.arrow is None else pd.DataFrame({"a": pd.array(values, dtype=pd.ArrowDtype(kind.arrow))})
    ),
    "categories of pandas": lambda values, _: pd.DataFrame({"a": pd.Categorical(values)}),
    "polars": _polars,
    "records": lambda values, _: [{"a": value} for value in values],
    "lists": lambda values, _: {"a": values},
    "objects in numpy": lambda values, _: {"a": objects(values)},
    "numpy": lambda values, kind: None if kind.numpy is None else {"a": _array(values, kind)},
    "numpy backwards": lambda values, kind: None if kind.numpy is None else {"a": _array(values[::-1], kind)[::-1]},
    "numpy in Fortran's order": lambda values, kind: (
        None if kind.numpy is None else {"a": np.asfortranarray(_array(values, kind))}
    ),
    "read-only numpy": lambda values, kind: None if kind.numpy is None else {"a": _read_only(_array(values, kind))},
    "arrays in lists": _of_cells(lambda cells: {"a": cells}),
    "arrays in records": _of_cells(lambda cells: [{"a": cell} for cell in cells]),
    "arrays in pandas": _of_cells(lambda cells: pd.DataFrame({"a": cells})),
    "arrays in Fortran's order": _of_cells(lambda cells: {"a": [np.asfortranarray(cell) for cell in cells]}),
    "arrays backwards": _of_cells(lambda cells: {"a": [cell[::-1].copy()[::-1] for cell in cells]}),
}
"""The forms in memory, each with a function that returns a column `a` in it, or None if it cannot hold the kind."""

FILES: dict[str, Callable[[list[Any], Kind, Path], Any]] = {
    "an Arrow file": _file(lambda table, path: ipc.write_feather(table, path, compression="uncompressed"), ".arrow"),
    "a Parquet file": _file(pq.write_table, ".parquet"),
    "a JSON file": _json_file,
}
"""The forms of rows in files, likewise; they are written into a directory."""

FORMS = [*IN_MEMORY, *FILES]
"""The names of all forms."""

_LIBRARY_ERRORS = (
    arrow.ArrowException,
    polars.exceptions.PolarsError,
    TypeError,
    ValueError,
    OverflowError,
    NotImplementedError,
)


def rows_in(form: str, values: list[Any], kind: Kind, directory: Path) -> Any:
    """Return rows in a form; None where the library itself cannot hold them."""
    try:
        if form in FILES:
            return FILES[form](values, kind, directory)
        return IN_MEMORY[form](values, kind)
    except _LIBRARY_ERRORS:
        return None
