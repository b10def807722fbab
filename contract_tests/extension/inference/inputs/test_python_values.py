"""Are objects sent as what they are, and is what has no meaning as a number or a text refused with its place?"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import uuid
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from contract_tests.support.servers.echo_instance import URL, Echo
from wallaroo_ext import InvalidDataError, infer
from wallaroo_ext.inference.inputs.rows import to_table

if TYPE_CHECKING:
    from collections.abc import Sequence

arrow: Any = pa
polars: Any = pl
D = decimal.Decimal
UTC = dt.UTC
EAST = dt.timezone(dt.timedelta(hours=2))
NOON = dt.datetime(2024, 1, 1, 12, tzinfo=UTC)

WRONG: dict[str, tuple[list[Any], int]] = {
    "texts and bytes": (["a", b"b"], 1),
    "bytes and texts": ([None, b"b", "a"], 2),
    "a set": ([None, {1, 2}], 1),
    "a frozen set": ([frozenset([1])], 0),
    "a set in a list": ([[1], [{2}]], 1),
    "a set in a record": ([{"x": 1}, {"x": {1}}], 1),
    "texts and bytes in records": ([{"x": "a"}, {"x": b"b"}], -1),
    "two zones": ([NOON, NOON.astimezone(EAST)], 1),
    "with a zone and without": ([NOON.replace(tzinfo=None), NOON], 1),
    "without a zone and with": ([NOON, NOON.replace(tzinfo=None)], 1),
    "a number and a duration": ([1, np.timedelta64(1, "ns")], 1),
    "numpy's number and a duration": ([np.int64(1), np.timedelta64(1, "ns")], 1),
    "a duration and a number": ([np.timedelta64(1, "s"), 0.5], 1),
    "a date and a time": ([dt.date(2024, 1, 1), NOON], 1),
    "nanoseconds": ([pd.Timestamp(0), pd.Timestamp(1)], 1),
    "nanoseconds of a duration": ([dt.timedelta(1), pd.Timedelta(1)], 1),
    "a time of the day with a zone": ([dt.time(1), dt.time(1, tzinfo=UTC)], 1),
    "a time of the day with a zone in a list": ([[dt.time(1, tzinfo=UTC)]], 0),
    "a boolean among numbers": ([2, np.bool_(True)], 1),
    "a UUID": ([uuid.UUID(int=1)], 0),
    "masked within a list": ([np.ma.masked_array([1, 2], [False, True])], 0),
    "nothing but masked": ([1, np.ma.masked], 1),
    "a complex number": ([1, 1j], 1),
    "an object": (["a", object()], 1),
    "a number and a text": ([1, "x"], 1),
    "a text and a number": (["x", 1.5], 1),
    "a period": ([pd.Period("2024-01")], 0),
    "an interval": ([pd.Interval(0, 1)], 0),
    "a float among integers that no float is": ([0.5, 2**53 + 1], 1),
    "a long float": ([np.longdouble(1) / 3], 0),
    "a decimal and a float": ([D(1), 0.5], 1),
    "a decimal and a text": ([D(1), "x"], 1),
    "a decimal and a boolean": ([D("0.5"), True], 1),
    "a decimal that no float is": ([D("1E+400")], 0),
}


def objects(values: Sequence[Any]) -> Any:
    array = np.empty(len(values), object)
    array[:] = values
    return array


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("form", ["columns", "records", "numpy", "pandas"])
def test_what_would_become_another_value_is_refused_with_its_column_and_row(name: str, form: str) -> None:
    values, row = WRONG[name]
    if form != "columns" and name in {"masked within a list", "nothing but masked"}:
        pytest.skip("numpy takes these apart itself")
    rows: Any = {
        "columns": lambda: {"a": values},
        "records": lambda: [{"a": value} for value in values],
        "numpy": lambda: {"a": objects(values)},
        "pandas": lambda: pd.DataFrame({"a": pd.Series(objects(values), dtype=object)}),
    }[form]()
    with pytest.raises(InvalidDataError, match="a") as raised:
        to_table(rows)
    message = str(raised.value)
    if form in {"columns", "records"}:
        assert message.startswith("The column 'a' cannot be read: ")
        assert row < 0 or f"row {row}, " in message


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", None, np.str_("b")], ["a", None, "b"]),
        ([1, None, np.int8(2)], [1, None, 2]),
        ([1, 0.5], [1.0, 0.5]),
        ([(1, 2), [3]], [[1, 2], [3]]),
        ([NOON, None, NOON], [NOON, None, NOON]),
        ([True, None, False], [True, None, False]),
        ([bytearray(b"a"), b"b"], [b"a", b"b"]),
        ([{"x": 1}, None, {"y": "z"}], [{"x": 1, "y": None}, None, {"x": None, "y": "z"}]),
    ],
)
def test_what_has_one_meaning_is_sent(values: list[Any], expected: list[Any]) -> None:
    assert to_table({"a": values}).column("a").to_pylist() == expected
    assert to_table({"a": objects(values)}).column("a").to_pylist() == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([D(3), 22], [3, 22]),
        ([D("0.1"), 2], [0.1, 2.0]),
        ([1234, D("0.5"), None], [1234.0, 0.5, None]),
        ([D("0.1"), np.int64(22)], [0.1, 22.0]),
        ([[D("0.1"), 222], None, [1]], [[0.1, 222.0], None, [1.0]]),
        ([D("Infinity"), D("-Infinity"), D("0.5")], [math.inf, -math.inf, 0.5]),
        ([D("1E+40"), D("1E-40")], [1e40, 1e-40]),
        ([D("1." + "1" * 90)], [1.1111111111111112]),
        ([D("NaN"), D("sNaN"), D(1)], [None, None, 1]),
    ],
    ids=repr,
)
def test_decimals_of_all_kinds_are_numbers(values: list[Any], expected: list[Any]) -> None:
    assert to_table({"a": values}).column("a").to_pylist() == expected
    assert to_table([{"a": value} for value in values]).column("a").to_pylist() == expected


def test_values_that_hold_themselves_or_are_nested_too_deep_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    itself: list[Any] = []
    itself.append(itself)
    record: dict[str, Any] = {}
    record["x"] = record
    for value in (deep, itself, record):
        for rows in ({"a": [value]}, [{"a": value}], pd.DataFrame({"a": pd.Series([value])})):
            with pytest.raises(
                InvalidDataError, match="'a' cannot be read: it has values within values, nested too deep"
            ):
                to_table(cast("Any", rows))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([np.int64(1), np.uint64(2**63)], "uint64"),
        ([1, None, np.uint64(2**63)], "uint64"),
        ([np.int64(1), np.float32(0.5)], "double"),
        ([np.float16(1), np.int8(2), 2.5], "double"),
        ([[np.int64(1)], [np.uint64(2**63), 2]], "list<item: uint64>"),
    ],
)
def test_numbers_of_several_types_of_numpy(values: list[Any], kind: str) -> None:
    column = to_table({"x": values}).column(0)
    assert str(column.type) == kind
    assert column.to_pylist() == values


def test_what_no_type_holds_is_refused_of_numpy_too() -> None:
    with pytest.raises(InvalidDataError, match=r"'x' cannot be read: row 1, 0\.5"):
        to_table({"x": [np.int64(2**53 + 1), np.float64(0.5)]})
    with pytest.raises(InvalidDataError, match="'x' cannot be read: row 1, 9223372036854775808: whole"):
        to_table({"x": [np.int64(-1), np.uint64(2**63)]})


@pytest.mark.parametrize("values", [[1, 2**64], [1, -(2**63) - 1], [-1, 2**63], [[1], [2**64]]])
def test_whole_numbers_beyond_those_of_64_bits_are_refused_with_what_to_send(values: list[Any]) -> None:
    with pytest.raises(InvalidDataError, match=r"row 1, .*uint64"):
        to_table({"a": values})


@pytest.mark.parametrize("values", [[1, None, 2**63], [[1], None, [2**64 - 1, None]], [[[2**63]], [[1], []]]])
def test_whole_numbers_from_2_to_the_63_on_are_unsigned(values: list[Any]) -> None:
    for rows in ({"a": values}, [{"a": value} for value in values], pd.DataFrame({"a": objects(values)})):
        column: Any = to_table(rows).column("a")
        assert "uint64" in str(column.type)
        assert column.to_pylist() == values


def test_no_time_of_pandas_is_null() -> None:
    frame = pd.DataFrame({"a": pd.Series([dt.date(2024, 1, 1), pd.NaT], dtype=object)})
    assert to_table(frame).column("a").to_pylist() == [dt.date(2024, 1, 1), None]


@pytest.mark.parametrize(
    "values",
    [
        pd.array([2**53 + 1, None], dtype="Int64"),
        pd.Index([2**53 + 1, None], dtype="Int64"),
        pd.Categorical([2**53 + 1, None]),
    ],
    ids=["array", "index", "categories"],
)
def test_arrays_of_pandas_keep_their_integers_beside_missing_ones(values: Any) -> None:
    assert to_table({"a": values}).column("a").to_pylist() == [2**53 + 1, None]
    assert to_table(values).column("tensor").to_pylist() == [2**53 + 1, None]


@pytest.mark.parametrize("unit", ["M8[Y]", "M8[W]", "M8[D]", "M8[h]", "M8[10ms]", "m8[W]", "m8[D]", "m8[m]"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_times_that_are_too_far_away_for_arrow_are_refused(unit: str, order: str) -> None:
    far = np.array([1, 2**62 + 3, 2**63 - 1], f"{order}{unit}")
    with pytest.raises(InvalidDataError, match="'a' has times that are too far away"):
        to_table({"a": far})
    assert to_table({"a": np.array([1, "NaT"], f"{order}{unit}")}).column("a").null_count == 1


class Exported:
    """A table of a library that says of its columns what Arrow's own metadata can."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "column",
    [
        arrow.array([b"12345678"], arrow.binary(8)),
        arrow.array([[b"12345678"]], arrow.list_(arrow.binary(8))),
        arrow.array([uuid.UUID(int=1).bytes], arrow.uuid()),
        arrow.array([1], arrow.opaque(arrow.int64(), "money", "db")),
        pd.array(pd.period_range("2024", periods=1, freq="M")).__arrow_array__(),
        pd.arrays.IntervalArray.from_tuples([(0, 1)]).__arrow_array__(),
    ],
    ids=lambda column: str(column.type),
)
def test_types_whose_bytes_are_not_their_values_are_refused(column: Any) -> None:
    echo = Echo()
    with echo.client() as client:
        for rows in (arrow.table({"a": column}), Exported(arrow.table({"a": column}))):
            with pytest.raises(InvalidDataError, match=r"'a' is of type .*no numbers and no texts"):
                infer(client, URL, rows)
    assert not echo.sent


def test_a_type_that_nothing_here_knows_is_refused_by_its_metadata() -> None:
    unknown = arrow.field("a", arrow.int64(), metadata={"ARROW:extension:name": "pandas.period-of-another"})
    with pytest.raises(InvalidDataError, match=r"pandas\.period-of-another"):
        to_table(arrow.table([arrow.array([648])], schema=arrow.schema([unknown])))


def test_frames_of_pandas_with_periods_and_intervals_are_refused() -> None:
    for column in (pd.period_range("2024", periods=2, freq="M"), pd.interval_range(0, 2)):
        with pytest.raises(InvalidDataError, match="'a' is of type"):
            to_table(pd.DataFrame({"a": column}))


def test_small_booleans_and_texts_of_json_are_sent() -> None:
    table = arrow.table(
        {
            "a": arrow.ExtensionArray.from_storage(arrow.bool8(), arrow.array([1, None], arrow.int8())),
            "j": arrow.array(['{"x":1}', None], arrow.json_()),
        }
    )
    assert to_table(table).to_pydict() == {"a": [True, None], "j": ['{"x":1}', None]}


def test_a_tensor_in_another_order_is_refused() -> None:
    kind = arrow.fixed_shape_tensor(arrow.int64(), [2, 2], permutation=[1, 0])
    storage = arrow.array([[1, 2, 3, 4]], arrow.list_(arrow.int64(), 4))
    with pytest.raises(InvalidDataError, match="'a' is of type"):
        to_table(arrow.table({"a": arrow.ExtensionArray.from_storage(kind, storage)}))


def test_objects_of_polars_are_refused_with_their_row() -> None:
    with pytest.raises(InvalidDataError, match=r"'o' of polars' type Object .*row 1"):
        to_table(polars.DataFrame({"o": polars.Series([None, object()], dtype=polars.Object)}))


def test_what_another_library_cannot_exchange_is_refused() -> None:
    class OnlyInterchange:
        def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:  # noqa: FBT001, FBT002 - the protocol's
            del nan_as_null, allow_copy
            raise NotImplementedError("Non-string object dtypes are not supported yet")

    with pytest.raises(InvalidDataError, match="These rows are no table: Non-string object dtypes"):
        to_table(cast("Any", OnlyInterchange()))
