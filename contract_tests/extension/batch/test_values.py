"""Is what stands beside a scored row what its file says, and is anything else an error before the first row?"""

from __future__ import annotations

import csv
import decimal
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import dataset as datasets
from pyarrow import feather, parquet

from contract_tests.support.data.batch_rows import read_output
from contract_tests.support.servers.echo_instance import URL, Echo
from wallaroo_ext import InvalidDataError, PartSize, infer_batches, infer_dataset
from wallaroo_ext.batch.progress import CheckReporter, Reporter, format_progress

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from wallaroo_mlops_client import Client

arrow: Any = pa
NAN = float("nan")
pq: Any = parquet
ipc: Any = feather
D = decimal.Decimal
ONE: Any = {"in_flight": 1}


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def client(echo: Echo) -> Generator[Client]:
    with echo.client() as connected:
        yield connected


def write_csv(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


@pytest.fixture
def scored(client: Client, tmp_path: Path) -> Any:
    """Return a function that scores a source, and returns the columns of the output."""

    def score(source: Any, **options: Any) -> dict[str, list[Any]]:
        number = len(list(tmp_path.glob("out-*")))
        infer_dataset(client, URL, source, tmp_path / f"out-{number}", **ONE | options)
        return read_output(tmp_path / f"out-{number}").to_pydict()

    return score


@pytest.fixture
def refused(client: Client, echo: Echo, tmp_path: Path) -> Any:
    """Return a function that makes sure that a source is refused before anything is sent or made."""

    def refuse(source: Any, message: str, **options: Any) -> None:
        echo.sent.clear()
        with pytest.raises(InvalidDataError, match=message):
            infer_dataset(client, URL, source, tmp_path / "refused", **ONE | options)
        assert not echo.sent
        assert not (tmp_path / "refused").exists()

    return refuse


class TestCsv:
    KEYS = (
        "00123",
        "18446744073709551617",
        "1E5",
        "NA",
        "",
        "0.1000000000000000055",
        " x ",
        "+1",
        "true",
        "2024-01-01",
    )

    def test_keys_are_the_texts_of_the_file(self, scored: Any, tmp_path: Path) -> None:
        for number, key in enumerate(self.KEYS):
            write_csv(tmp_path / f"{number}.csv", f"zip,a\n{key},1\n{key},2\n")
            found = scored(tmp_path / f"{number}.csv", keys=["zip"])
            assert found == {"zip": [key, key], "out.a": [1, 2]}
        write_csv(tmp_path / "all.csv", "zip,a\n" + "".join(f"{key},{n}\n" for n, key in enumerate(self.KEYS)))
        assert scored(tmp_path / "all.csv", keys=["zip"])["zip"] == list(self.KEYS)

    def test_a_key_may_be_sent_as_well_and_filtered_by(self, scored: Any, tmp_path: Path) -> None:
        write_csv(tmp_path / "rows.csv", "n,a\n 9,1\n10,2\n011,3\n".replace("011", "11"))
        found = scored(tmp_path / "rows.csv", keys=["n"], columns=["n"], filter=[("n", ">=", 9)])
        assert found == {"n": [" 9", "10", "11"], "out.n": [9, 10, 11]}
        assert scored(tmp_path / "rows.csv", keys=["n"], filter=[("n", ">", 9)]) == {"n": ["10", "11"], "out.a": [2, 3]}

    def test_types_say_otherwise(self, scored: Any, refused: Any, tmp_path: Path) -> None:
        write_csv(tmp_path / "rows.csv", "id,day,a\n1,2024-01-31,007\n2,,08\n")
        types: Any = {"id": "int64", "day": arrow.date32(), "a": "string"}
        found = scored(tmp_path / "rows.csv", keys=["id", "day"], types=types)
        assert found["id"] == [1, 2]
        assert [None if day is None else str(day) for day in found["day"]] == ["2024-01-31", None]
        assert found["out.a"] == ["007", "08"]
        refused(
            tmp_path / "rows.csv",
            r"rows\.csv, row 0: '2024-01-31' in the column 'day' is no int64",
            types={"day": "int64"},
        )
        refused(tmp_path / "rows.csv", "`types` names 'b'", types={"b": "int64"})
        refused(tmp_path / "rows.csv", "is 'int65', which is no type", types={"a": "int65"})

    def test_quoted_line_breaks_over_many_blocks(self, scored: Any, tmp_path: Path) -> None:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        rows = [[f"key\r\n{n}\n,", str(n), f'"a"\r\n{n}'] for n in range(70_000)]
        writer.writerows([["key", "n", "s"], *rows])
        write_csv(tmp_path / "rows.csv", text.getvalue())
        found = scored(tmp_path / "rows.csv", keys=["key"])
        assert found["key"] == [row[0] for row in rows]
        assert found["out.n"] == list(range(70_000))
        assert found["out.s"] == [row[2] for row in rows]

    @pytest.mark.parametrize(
        ("first", "last", "expected"),
        [("1", "1.5", [1.0, 1.5]), ("", "x", ["", "x"]), ("1", "x", ["1", "x"]), ("", "2", [NAN, 2.0])],
    )
    def test_a_column_that_is_another_one_later(
        self, scored: Any, tmp_path: Path, first: str, last: str, expected: list[Any]
    ) -> None:
        write_csv(tmp_path / "in" / "1.csv", "k,a\n" + f"k,{first}\n" * 300_000)
        write_csv(tmp_path / "in" / "2.csv", f"a,k\n{last},z\n")
        found = scored(tmp_path / "in", keys=["k"], missing="nan")["out.a"]
        assert repr([found[0], found[-1]]) == repr(expected)
        assert len(set(map(repr, found))) == 2

    def test_numbers_without_a_type_in_common_are_refused_with_file_column_and_row(
        self, refused: Any, scored: Any, tmp_path: Path
    ) -> None:
        write_csv(tmp_path / "in" / "1.csv", "a\n1\n9007199254740993\n")
        write_csv(tmp_path / "in" / "2.csv", "a\n0.5\n")
        refused(tmp_path / "in", r"1\.csv, row 1: '9007199254740993' in the column 'a'")
        assert scored(tmp_path / "in", types={"a": "string"})["out.a"] == ["1", "9007199254740993", "0.5"]
        assert scored(tmp_path / "in", types={"a": "float64"})["out.a"] == [1.0, 9007199254740992.0, 0.5]

    def test_a_vector_of_something_else_is_refused_with_its_place(self, refused: Any, tmp_path: Path) -> None:
        write_csv(tmp_path / "in" / "1.csv", "a,b\n1,2\n")
        write_csv(tmp_path / "in" / "2.csv", "a,b\n1,2\n3,x\n")
        refused(tmp_path / "in", r"'b' is of type string: .*2\.csv, row 1: 'x'", vector=True)

    def test_a_broken_row_behind_everything_is_found_before_the_first_is_sent(
        self, refused: Any, tmp_path: Path
    ) -> None:
        write_csv(tmp_path / "in" / "1.csv", "a,b\n" + "1,2\n" * 100_000)
        write_csv(tmp_path / "in" / "2.csv", "a,b\n1,2\n1\n")
        refused(tmp_path / "in", r"2\.csv cannot be read as csv: row 1 has 1 fields")

    @pytest.mark.parametrize("last", ["", "\n", "a,k", "k,a\n"])
    def test_files_without_rows(self, scored: Any, tmp_path: Path, last: str) -> None:
        write_csv(tmp_path / "in" / "1.csv", last)
        write_csv(tmp_path / "in" / "2.csv", "k,a\nx,1\n")
        write_csv(tmp_path / "in" / "3.csv", last)
        assert scored(tmp_path / "in", keys=["k"]) == {"k": ["x"], "out.a": [1]}

    def test_only_files_without_anything(self, refused: Any, tmp_path: Path) -> None:
        write_csv(tmp_path / "in" / "1.csv", "")
        refused(tmp_path / "in", "no columns")

    def test_a_column_that_only_some_files_have(self, refused: Any, scored: Any, tmp_path: Path) -> None:
        write_csv(tmp_path / "in" / "1.csv", "a\n1\n")
        write_csv(tmp_path / "in" / "2.csv", "a,b\n1,2\n")
        refused(tmp_path / "in", r"1\.csv has no column 'b', which .*2\.csv has")
        refused(tmp_path / "in", r"1\.csv has no column 'b'", columns=["a"], keys=["b"])
        refused(tmp_path / "in", r"1\.csv has no column 'b'", columns=["a"], filter=[("b", "==", 2)])
        assert scored(tmp_path / "in", columns=["a"]) == {"out.a": [1, 1]}

    def test_a_data_set_of_pyarrow(self, scored: Any, tmp_path: Path) -> None:
        write_csv(tmp_path / "in" / "1.csv", 'zip;a\n00123;"1\r\n"\n5;2\n'.replace('"1\r\n"', "1"))
        form = datasets.CsvFileFormat(parse_options=arrow_csv.ParseOptions(delimiter=";"))
        assert scored(datasets.dataset(tmp_path / "in", format=form), keys=["zip"]) == {
            "zip": ["00123", "5"],
            "out.a": [1, 2],
        }
        schema = arrow.schema([("zip", arrow.int32()), ("a", arrow.float32())])
        typed = datasets.dataset(tmp_path / "in", format=form, schema=schema)
        assert scored(typed, keys=["zip"]) == {"zip": [123, 5], "out.a": [1.0, 2.0]}

    def test_a_first_column_without_a_name_is_left_out(self, scored: Any, tmp_path: Path) -> None:
        pd.DataFrame({"a": [1.5, 2.5]}, index=pd.Index([7, 8])).to_csv(tmp_path / "rows.csv")
        assert scored(tmp_path / "rows.csv") == {"out.a": [1.5, 2.5]}
        assert scored(tmp_path / "rows.csv", keys=[""]) == {"": ["7", "8"], "out.a": [1.5, 2.5]}

    def test_checking_is_told_where_it_takes_long(self) -> None:
        reports: list[Any] = []
        seconds = iter([0.0, 1.0, 3.0, 3.0, 3.0, 3.01])
        checking = CheckReporter(reports.append, lambda: next(seconds))
        for rows in (10, 20, 30):
            checking(rows)
        assert [(now.stage, now.rows) for now in reports] == [("checking", 20)]
        assert format_progress(reports[0]) == "20 rows checked, 7 a second"

    def test_rows_of_this_run_are_told_at_its_rate_as_being_scored(self) -> None:
        reports: list[Any] = []
        now = [0.0]
        reporter = Reporter(reports.append, 100, 400, lambda: now[0])
        for time, rows in ((1.0, 150), (1.05, 160), (2.0, 200)):
            now[0] = time
            reporter.report(rows, 3)
        figures = [(each.stage, each.rows, each.of, each.rejected, each.rows_per_second) for each in reports]
        assert figures == [("scoring", 150, 400, 3, 50.0), ("scoring", 200, 400, 3, 50.0)]


class TestParquet:
    @staticmethod
    def written(directory: Path, *columns: Any) -> Path:
        directory.mkdir(exist_ok=True)
        for number, column in enumerate(columns):
            table = column if isinstance(column, arrow.Table) else arrow.table({"x": column, "a": [0.5] * len(column)})
            pq.write_table(table, directory / f"{number}.parquet")
        return directory

    @pytest.mark.parametrize(
        ("one", "other", "kind"),
        [
            (arrow.array([1], arrow.int8()), arrow.array([300], arrow.int64()), arrow.int64()),
            (arrow.array([1], arrow.uint8()), arrow.array([-1], arrow.int8()), arrow.int16()),
            (arrow.array([1], arrow.uint64()), arrow.array([-1], arrow.int64()), arrow.int64()),
            (arrow.array([2**64 - 1], arrow.uint64()), arrow.array([1], arrow.int64()), arrow.uint64()),
            (arrow.array([2**53], arrow.int64()), arrow.array([0.5]), arrow.float64()),
            (arrow.array([0.5], arrow.float32()), arrow.array([0.1]), arrow.float64()),
            (arrow.array([7], arrow.int16()), arrow.array([0.5], arrow.float32()), arrow.float32()),
            (arrow.nulls(1), arrow.array(["x"]), arrow.string()),
            (
                arrow.array([D("1.5")], arrow.decimal128(3, 1)),
                arrow.array([D("2.25")], arrow.decimal128(5, 2)),
                arrow.decimal128(5, 2),
            ),
            (arrow.array([1], arrow.timestamp("ms")), arrow.array([1], arrow.timestamp("ns")), arrow.timestamp("ns")),
            (arrow.array([[1]], arrow.list_(arrow.int8())), arrow.array([[0.5]]), arrow.list_(arrow.float64())),
            (arrow.array(["x"]).dictionary_encode(), arrow.array(["y"]), arrow.string()),
        ],
    )
    def test_types_that_differ_become_one_that_has_the_values_of_both(
        self, client: Client, tmp_path: Path, one: Any, other: Any, kind: Any
    ) -> None:
        expected = one.to_pylist() + other.to_pylist()
        for number, (first, second) in enumerate([(one, other), (other, one)]):
            source = self.written(tmp_path / f"in-{number}", first, second)
            infer_dataset(client, URL, source, tmp_path / f"out-{number}", keys=["x"], **ONE)
            column = read_output(tmp_path / f"out-{number}").column("x")
            assert column.type == kind
            assert column.to_pylist() == (expected if number == 0 else expected[::-1])

    @pytest.mark.parametrize(
        ("one", "other", "message"),
        [
            (arrow.array([0, 2**53 + 1]), arrow.array([0.5]), r"0\.parquet, row 1: 9007199254740993 in the column 'x'"),
            (arrow.array([2**64 - 1], arrow.uint64()), arrow.array([-1]), "in the column 'x'"),
            (arrow.array([1]), arrow.array(["x"]), "'x' is of type int64 in .*string in .*no type"),
            (arrow.array([True]), arrow.array([1]), "no type has the values of both"),
            (arrow.array([1], arrow.timestamp("us", "UTC")), arrow.array([1], arrow.timestamp("us")), "no type"),
            (arrow.array([10**15], arrow.timestamp("ms")), arrow.array([1], arrow.timestamp("ns")), "row 0"),
            (arrow.array([b"x"]), arrow.array(["x"]), "no type"),
        ],
    )
    def test_types_without_one_in_common_are_refused(
        self, refused: Any, tmp_path: Path, one: Any, other: Any, message: str
    ) -> None:
        refused(self.written(tmp_path / "in", one, other), message, keys=["x"])
        refused(tmp_path / "in", message)

    def test_two_are_named_that_have_none_in_common(self, refused: Any, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        for number, values in enumerate(([1], [0.5], ["x"])):
            pq.write_table(arrow.table({"x": values}), tmp_path / "in" / f"{number}.parquet")
        refused(tmp_path / "in", r"of type int64 in .*0\.parquet, and of type string in .*2\.parquet: no type has")

    @pytest.mark.parametrize(
        ("values", "kind", "named"),
        [
            ([[0.1]], arrow.list_(arrow.float64()), arrow.list_(arrow.float32())),
            ([[{"a": 0.1}]], arrow.list_(arrow.struct({"a": "float64"})), arrow.list_(arrow.struct({"a": "float32"}))),
            ([{"a": 1, "b": 2}], arrow.struct({"a": "int8", "b": "int8"}), arrow.struct({"a": "int8"})),
            ([{"a": 1}], arrow.struct({"a": "int8"}), arrow.struct({"a": "int8", "b": "int8"})),
            ([{"a": 0}], arrow.struct({"a": "timestamp[us]"}), arrow.struct([("a", arrow.timestamp("us", "UTC"))])),
            ([[1, 2]], arrow.list_(arrow.int8(), 2), arrow.list_(arrow.int8(), 3)),
            ([32_767], arrow.int16(), arrow.float16()),
            ([2**40], arrow.dictionary(arrow.int8(), arrow.int64()), arrow.float16()),
            ([D(10) ** 37], arrow.decimal128(38), arrow.decimal32(7, 2)),
        ],
    )
    def test_a_named_type_that_would_change_a_value_is_refused(
        self, refused: Any, tmp_path: Path, values: list[Any], kind: Any, named: Any
    ) -> None:
        ipc.write_feather(arrow.table({"a": arrow.array(values, kind)}), str(tmp_path / "0.arrow"))
        refused(tmp_path / "0.arrow", "row 0: .* in the column 'a'", types={"a": named})

    def test_a_column_that_is_null_at_first_or_has_no_rows(self, scored: Any, tmp_path: Path) -> None:
        none = arrow.schema([("x", arrow.int32())]).empty_table()
        source = self.written(tmp_path / "in", none, arrow.nulls(2), arrow.array(["b", "c"]), none)
        assert scored(source, keys=["x"]) == {"x": [None, None, "b", "c"], "out.a": [0.5] * 4}

    def test_a_file_of_no_bytes_is_refused(self, refused: Any, tmp_path: Path) -> None:
        (self.written(tmp_path / "in", arrow.array([1])) / "9.parquet").touch()
        refused(tmp_path / "in", r"9\.parquet cannot be read as parquet")

    def test_columns_in_another_order(self, scored: Any, tmp_path: Path) -> None:
        one, other = arrow.table({"a": [1], "x": ["u"]}), arrow.table({"x": ["v"], "a": [2]})
        assert scored(self.written(tmp_path / "in", one, other), keys=["x"]) == {"x": ["u", "v"], "out.a": [1, 2]}

    @pytest.mark.parametrize("index", [pd.Index([7, 8]), pd.Index(["p", "q"], name="id"), pd.RangeIndex(2)])
    @pytest.mark.parametrize("kind", ["parquet", "arrow"])
    def test_an_index_of_pandas_is_no_value_unless_it_is_named(
        self, scored: Any, echo: Echo, client: Client, tmp_path: Path, index: Any, kind: str
    ) -> None:
        frame = pd.DataFrame({"a": [1.5, 2.5], "b": [3.5, 4.5]}, index=index)
        table = arrow.Table.from_pandas(frame)
        writers: Any = {"parquet": pq.write_table, "arrow": ipc.write_feather}
        writers[kind](table, str(tmp_path / f"rows.{kind}"))
        assert scored(tmp_path / f"rows.{kind}", vector=True) == {"out.tensor": [[1.5, 3.5], [2.5, 4.5]]}
        named = [name for name in table.column_names if name not in {"a", "b"}]
        if named:
            found = scored(tmp_path / f"rows.{kind}", keys=named, columns=["a"])
            assert found == {named[0]: index.tolist(), "out.a": [1.5, 2.5]}
            assert scored(tmp_path / f"rows.{kind}", columns=[*named, "a"])[f"out.{named[0]}"] == index.tolist()
        echo.sent.clear()
        list(infer_batches(client, URL, table.to_batches()))
        assert echo.sent[0].column_names == ["a", "b"]

    def test_an_index_whose_metadata_other_programs_dropped(self, scored: Any, tmp_path: Path) -> None:
        table = arrow.table({"a": [1.5], "__index_level_0__": [7]})
        assert scored(self.written(tmp_path / "in", table)) == {"out.a": [1.5]}

    def test_an_index_in_one_file_only(self, refused: Any, scored: Any, tmp_path: Path) -> None:
        frame = pd.DataFrame({"a": [1.5], "id": [7]})
        source = self.written(
            tmp_path / "in", arrow.Table.from_pandas(frame.set_index("id")), arrow.Table.from_pandas(frame)
        )
        refused(source, r"'id' is an index of pandas in .*0\.parquet, and a column in .*1\.parquet")
        assert scored(source, keys=["id"], columns=["a"]) == {"id": [7, 7], "out.a": [1.5, 1.5]}

    @pytest.mark.parametrize(
        "column",
        [
            arrow.array([1], arrow.timestamp("s")),
            arrow.array([1], arrow.time32("s")),
            arrow.array([86_400_000], arrow.date64()),
            arrow.array([1]).dictionary_encode(),
            arrow.array([arrow.MonthDayNano([1, 2, 3])], arrow.month_day_nano_interval()),
            arrow.array([D(100)], arrow.decimal128(5, -2)),
        ],
        ids=str,
    )
    def test_keys_that_parquet_does_not_give_back_are_refused(self, refused: Any, tmp_path: Path, column: Any) -> None:
        with arrow.ipc.new_file(
            str(tmp_path / "rows.arrow"), arrow.schema([("x", column.type), ("a", arrow.int64())])
        ) as writer:
            writer.write_table(arrow.table({"x": column, "a": [1]}))
        refused(tmp_path / "rows.arrow", "The key 'x' is of type .*Parquet.*`types`", keys=["x"])

    def test_another_type_of_a_key_by_name(self, client: Client, tmp_path: Path) -> None:
        table = arrow.table({"x": arrow.array([1, None], arrow.timestamp("s")), "a": [1, 2]})
        ipc.write_feather(table, str(tmp_path / "rows.arrow"))
        infer_dataset(client, URL, tmp_path / "rows.arrow", tmp_path / "out", keys=["x"], types={"x": "timestamp[ms]"})
        assert read_output(tmp_path / "out").column("x").to_pylist() == table.column("x").to_pylist()

    def test_two_columns_of_one_name(self, refused: Any, tmp_path: Path) -> None:
        table = arrow.table([[1], [2]], names=["a", "a"])
        pq.write_table(table, tmp_path / "rows.parquet")
        refused(tmp_path / "rows.parquet", "two columns have the name 'a'")


class TestPartitions:
    @pytest.mark.parametrize("directory", ["zip=1/zip=2", "zip=%C3%28"])
    def test_directories_that_say_no_one_text_are_refused(self, refused: Any, tmp_path: Path, directory: str) -> None:
        write_csv(tmp_path / "in" / directory / "0.csv", "a\n1\n")
        refused(tmp_path / "in", "(two directories have different values|is not percent-encoded UTF-8)", keys=["zip"])

    def test_directories_say_texts(self, scored: Any, tmp_path: Path) -> None:
        for directory in ("zip=00123", "zip=1E5", "zip=a%2Fb %C3%A9", "zip=__HIVE_DEFAULT_PARTITION__"):
            (tmp_path / "in" / directory).mkdir(parents=True)
            pq.write_table(arrow.table({"a": [1]}), tmp_path / "in" / directory / "0.parquet")
        found = scored(tmp_path / "in", keys=["zip"])
        assert found == {"zip": ["00123", "1E5", None, "a/b é"], "out.a": [1] * 4}
        assert scored(tmp_path / "in", keys=["zip"], filter=[("zip", "==", "00123")])["zip"] == ["00123"]
        made = datasets.dataset(tmp_path / "in", partitioning="hive")
        assert set(scored(made, keys=["zip"])["zip"]) == {"00123", "1E5", None, "a/b é"}

    def test_a_type_for_them(self, scored: Any, refused: Any, tmp_path: Path) -> None:
        for directory in ("year=2023", "year=2024"):
            write_csv(tmp_path / "in" / directory / "0.csv", "a\n1\n")
        assert scored(tmp_path / "in", keys=["year"], types={"year": "int32"})["year"] == [2023, 2024]
        assert scored(tmp_path / "in", keys=["year"])["year"] == ["2023", "2024"]
        made = datasets.dataset(tmp_path / "in", format="csv", partitioning="hive")
        assert scored(made, keys=["year"])["year"] == [2023, 2024]
        write_csv(tmp_path / "in" / "year=x" / "0.csv", "a\n1\n")
        refused(tmp_path / "in", "'x' in the column 'year' is no int32", keys=["year"], types={"year": "int32"})

    def test_a_number_in_the_name_of_a_directory_has_the_decimal_point_that_is_named(
        self, scored: Any, tmp_path: Path
    ) -> None:
        write_csv(tmp_path / "in" / "price=1,5" / "0.csv", 'a\n"2,5"\n')
        rows = scored(tmp_path / "in", keys=["price"], types={"price": "float64"}, decimal=",")
        assert rows == {"price": [1.5], "out.a": [2.5]}

    @pytest.mark.parametrize("kind", ["parquet", "csv"])
    def test_a_file_that_says_otherwise_is_refused(self, scored: Any, refused: Any, tmp_path: Path, kind: str) -> None:
        for zip_code, value in (("5", "5"), ("00123", "123")):
            directory = tmp_path / zip_code / f"zip={zip_code}"
            if kind == "csv":
                write_csv(directory / "0.csv", f"zip,a\n{value},1\n")
            else:
                directory.mkdir(parents=True)
                pq.write_table(arrow.table({"zip": [int(value)], "a": [1]}), directory / "0.parquet")
        assert scored(tmp_path / "5", keys=["zip"]) == {"zip": ["5"], "out.a": [1]}
        refused(tmp_path / "00123", "row 0: the column 'zip' is .*directory says '00123'", keys=["zip"])

    def test_a_directory_may_begin_with_an_underscore(self, scored: Any, tmp_path: Path) -> None:
        for place in ("_id=5", "_id=6", "_delta_log", ".id=7"):
            (tmp_path / "in" / place).mkdir(parents=True)
            pq.write_table(arrow.table({"a": [1]}), tmp_path / "in" / place / "0.parquet")
        assert scored(tmp_path / "in", keys=["_id"])["_id"] == ["5", "6"]

    def test_directories_above_a_data_set_say_nothing_about_it(self, scored: Any, tmp_path: Path) -> None:
        (tmp_path / "zip=7" / "00123").mkdir(parents=True)
        pq.write_table(arrow.table({"a": [1]}), tmp_path / "zip=7" / "00123" / "0.parquet")
        named = datasets.DirectoryPartitioning(arrow.schema({"zip": arrow.string()}))
        source = datasets.dataset(tmp_path / "zip=7", partitioning=named, format="parquet")
        assert scored(source, keys=["zip"])["zip"] == ["00123"]

    def test_a_file_beside_the_directories_is_refused(self, refused: Any, tmp_path: Path) -> None:
        write_csv(tmp_path / "in" / "zip=1" / "0.csv", "a\n1\n")
        write_csv(tmp_path / "in" / "1.csv", "a\n1\n")
        refused(tmp_path / "in", "no column 'zip'", keys=["zip"])


class TestCalls:
    @pytest.mark.parametrize("name", ["keys", "columns"])
    def test_a_column_that_is_named_twice(self, refused: Any, tmp_path: Path, name: str) -> None:
        write_csv(tmp_path / "rows.csv", "a,b\n1,2\n")
        refused(tmp_path / "rows.csv", f"`{name}` has 'a' twice", **{name: ["a", "a"]})

    def test_nothing_but_keys(self, refused: Any, tmp_path: Path) -> None:
        write_csv(tmp_path / "rows.csv", "a\n1\n")
        refused(tmp_path / "rows.csv", "No column is left to be sent", keys=["a"])


class TestGoingOn:
    def test_the_same_types_without_looking_again(
        self, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_csv(tmp_path / "in" / "1.csv", "k,a\n" + "".join(f"0{n},{n}\n" for n in range(500)))
        write_csv(tmp_path / "in" / "2.csv", "k,a\nlast,0.5\n")

        def stop(now: Any) -> None:
            if now.rows >= 100:
                raise KeyboardInterrupt

        options: Any = {"keys": ["k"], "columns": ["a", "k"], "request_rows": 50, "part_size": PartSize(rows=50), **ONE}
        with pytest.raises(KeyboardInterrupt):
            infer_dataset(client, URL, tmp_path / "in", tmp_path / "out", progress=stop, **options)
        monkeypatch.setattr("wallaroo_ext.batch.reading.schema.DataSet.decide", None)
        done = infer_dataset(client, URL, tmp_path / "in", tmp_path / "out", **options)
        assert done.rows_before >= 100
        found = read_output(tmp_path / "out").to_pydict()
        assert found["k"] == [*(f"0{n}" for n in range(500)), "last"]
        assert found["out.a"] == [*map(float, range(500)), 0.5]
        assert found["out.k"] == found["k"]

    def test_other_types_are_another_run(self, client: Client, tmp_path: Path) -> None:
        write_csv(tmp_path / "rows.csv", "k,a\n1,2\n")
        infer_dataset(client, URL, tmp_path / "rows.csv", tmp_path / "out", keys=["k"])
        with pytest.raises(InvalidDataError, match="its types"):
            infer_dataset(client, URL, tmp_path / "rows.csv", tmp_path / "out", keys=["k"], types={"k": "int64"})


class TestRejected:
    def test_keys_in_the_errors_file_lose_nothing(self, tmp_path: Path) -> None:
        keys: dict[str, Any] = {
            "u": arrow.array([2**64 - 1], arrow.uint64()),
            "d": arrow.array([D("1.10")]),
            "t": arrow.array([1], arrow.timestamp("ns", "Europe/Berlin")),
            "n": arrow.array([float("nan")]),
            "f": arrow.array(np.array([0.1], np.float32)),
            "b": arrow.array([b"\0\xff"]),
            "s": arrow.array([{"x": [D("0.50")]}]),
            "o": arrow.array([1], arrow.duration("ns")),
        }
        table = arrow.table(keys | {"refuse": [True]})
        more = table.set_column(table.num_columns - 1, "refuse", arrow.array([None], arrow.bool_()))
        pq.write_table(arrow.concat_tables([more, table]), tmp_path / "rows.parquet")
        echo = Echo(refuses=True)
        with echo.client() as client:
            done = infer_dataset(client, URL, tmp_path / "rows.parquet", tmp_path / "out", keys=[*keys], **ONE)
        assert (done.rows, done.rejected) == (1, 1)
        [line] = (tmp_path / "out" / "_errors.jsonl").read_text().splitlines()
        found = json.loads(line)["keys"]
        assert found == {
            "u": 2**64 - 1,
            "d": "1.10",
            "t": "1970-01-01T01:00:00.000000001+01:00",
            "n": "nan",
            "f": pytest.approx(0.1),
            "b": "AP8=",
            "s": {"x": ["0.50"]},
            "o": "0 days 00:00:00.000000001",
        }
        assert np.float32(found["f"]) == np.float32(0.1)
