"""Does `infer` take every kind of rows that people have, send what was meant, and say what it does not take?"""

from __future__ import annotations

import asyncio
import decimal
import io
import json
import sqlite3
import subprocess
import sys
import warnings
from array import array
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import httpx
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from onnx import TensorProto, helper

from wallaroo_ext import (
    ConfigurationError,
    InvalidDataError,
    NotFoundError,
    RequestTimeoutError,
    RetryPolicy,
    aio,
    connect,
    contract,
    infer,
    outputs,
    upload_model,
    wait_until_running,
)
from wallaroo_ext._util.arrow.files import from_file, to_file
from wallaroo_ext._util.chunks import CHUNK_SIZE
from wallaroo_ext.inference import json_bodies
from wallaroo_ext.inference.inputs.rows import rows_to_send, to_table
from wallaroo_ext.inference.media_types import arrow_media_type

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from pyarrow import Table
    from wallaroo_mlops_client import Client

pa: Any = import_module("pyarrow")
API = "https://api.example.com"
URL = f"{API}/v1/api/pipelines/infer/echo-1/echo"
RECORDS, ARROW, COLUMNS = contract.operation("infer_deployment").request_types
parquet: Any = import_module("pyarrow.parquet")
feather: Any = import_module("pyarrow.feather")


@dataclass
class Named:
    """A record that is no mapping."""

    a: int


UNREADABLE: list[list[Any]] = [[object(), object()], [1, "x"], [{1}, {2}], [2**70, 1], [1j, 2j]]
"""Columns that cannot be sent."""


def rows_of_sqlite() -> list[Any]:
    with closing(sqlite3.connect(":memory:")) as database:
        database.row_factory = sqlite3.Row
        return database.execute("select 1 as a, 2.5 as b").fetchall()


class Echo:
    """An instance that answers what it was sent, as inputs and as outputs."""

    def __init__(self, *statuses: int) -> None:
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []
        self._statuses = list(statuses)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.bodies.append(request.read())
        if self._statuses:
            return httpx.Response(self._statuses.pop(0))
        if request.headers["Content-Type"] == ARROW:
            return _arrow_echo(self.bodies[-1])
        return httpx.Response(200, json=[{"time": 0, "out": {}}])

    async def later(self, request: httpx.Request) -> httpx.Response:
        """Answer in asyncio."""
        await request.aread()
        return self(request)

    @property
    def sent(self) -> Table:
        """The table of the last request."""
        return from_file(self.bodies[-1])


def _arrow_echo(body: bytes) -> httpx.Response:
    table = from_file(body)
    names = table.column_names
    answer = pa.table(
        table.columns + table.columns, names=[*(f"in.{name}" for name in names), *(f"out.{name}" for name in names)]
    )
    return httpx.Response(200, content=to_file(answer).to_pybytes(), headers={"Content-Type": ARROW})


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def talking(echo: Echo) -> Generator[Client]:
    """Yield a client of the instance that echoes."""
    with connected(echo) as client:
        yield client


def connected(echo: Echo) -> Client:
    transport = httpx.MockTransport(echo)
    policy = RetryPolicy(first_pause=0.001, longest_pause=0.001)
    return connect(API, token="t-51f0c9d2", transport=transport, retries=policy, environment={})


def type_of(table: Any, name: str) -> str:
    """Return the type of a column, as pyarrow writes it."""
    return str(table.schema.field(name).type)


class OnlyStream:
    """A table of a library that nobody here knows."""

    def __init__(self, table: Table) -> None:
        self._table: Any = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


class OnlyArray:
    """A record batch of a library that nobody here knows."""

    def __init__(self, batch: Any) -> None:
        self._batch = batch

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        return self._batch.__arrow_c_array__(requested_schema)


class OnlyNumpy:
    """An array of a library that nobody here knows, such as a tensor of torch."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self._array, dtype=dtype, copy=copy)


class OnlyInterchange:
    """A frame of a library that exports no Arrow."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:  # noqa: FBT001, FBT002 - the protocol's signature
        return self._frame.__dataframe__(nan_as_null, allow_copy)


class TestKindsOfRows:
    def test_tables_of_every_library(self, talking: Client, echo: Echo) -> None:
        table = pa.table({"a": [1, 2], "b": [[0.5], [1.5]]})
        batch: Any = table.to_batches()[0]
        structs: Any = batch.to_struct_array()
        given: dict[str, Any] = {
            "table": table,
            "batch": batch,
            "reader": table.to_reader(),
            "structs": structs,
            "chunks of structs": pa.chunked_array([structs]),
            "stream": OnlyStream(table),
            "array": OnlyArray(batch),
            "pandas": table.to_pandas(),
            "records": table.to_pylist(),
            "columns": table.to_pydict(),
            "tuples": {name: tuple(values) for name, values in table.to_pydict().items()},
            "arrow columns": {"a": table.column("a"), "b": batch.column(1)},
            "series": {"a": pd.Series([1, 2]), "b": pd.Series([[0.5], [1.5]])},
            "columns of numpy": {"a": np.array([1, 2]), "b": [np.array([0.5]), np.array([1.5])]},
            "records with numpy": [{"a": np.int64(1), "b": np.array([0.5])}, {"a": np.int64(2), "b": np.array([1.5])}],
        }
        for kind, rows in given.items():
            infer(talking, URL, rows)
            assert echo.sent.equals(table), kind

    def test_a_frame_that_has_only_the_interchange_protocol(self, talking: Client, echo: Echo) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pandas' own protocol is deprecated
            infer(talking, URL, OnlyInterchange(pd.DataFrame({"a": [1.5, 2.5], "s": ["x", "y"]})))
        assert echo.sent.to_pydict() == {"a": [1.5, 2.5], "s": ["x", "y"]}

    def test_arrays_of_other_libraries_and_sparse_columns(self, talking: Client, echo: Echo) -> None:
        infer(talking, URL, {"a": [OnlyNumpy([[1.5]]), OnlyNumpy([[2.5]])], "s": pd.arrays.SparseArray([0, 1])})
        assert echo.sent.to_pydict() == {"a": [[[1.5]], [[2.5]]], "s": [0, 1]}

    def test_an_array_that_its_library_does_not_give_is_refused(self, talking: Client) -> None:
        class OnGpu:
            def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
                raise RuntimeError("use cpu() first")

        given: list[Any] = [OnGpu(), {"a": OnGpu()}, {"a": [OnGpu()]}, [{"a": [OnGpu()]}]]
        for rows in given:
            with pytest.raises(InvalidDataError, match=r"OnGpu cannot be read as an array of numpy: use cpu\(\) first"):
                infer(talking, URL, rows)

    def test_arrays_within_lists_and_records(self, talking: Client, echo: Echo) -> None:
        infer(talking, URL, {"a": [[np.eye(2)], [np.ones((2, 2))]], "r": [{"x": np.eye(1)}, {"x": np.zeros((1, 1))}]})
        expected = {"a": [[[[1, 0], [0, 1]]], [[[1, 1], [1, 1]]]], "r": [{"x": [[1]]}, {"x": [[0]]}]}
        assert echo.sent.to_pydict() == expected

    def test_one_array_is_the_only_input(self, talking: Client, echo: Echo) -> None:
        array = np.arange(6, dtype=np.float32).reshape(3, 2)
        column: Any = to_table(array).column("tensor").chunk(0)
        given: list[Any] = [array, column, pa.chunked_array([column]), OnlyNumpy(array), OnlyArray(column)]
        for rows in given:
            infer(talking, URL, rows)
            assert echo.sent.to_pydict() == {"tensor": array.tolist()}, type(rows)
        infer(talking, URL, cast("Any", pd.Series([1.5, 2.5])))
        assert echo.sent.to_pydict() == {"tensor": [1.5, 2.5]}

    def test_named_fields_of_an_array_are_columns(self, talking: Client, echo: Echo) -> None:
        array = np.array([(1, [1.0, 2.0]), (2, [3.0, 4.0])], dtype=[("a", "<i4"), ("b", "<f4", 2)])
        infer(talking, URL, array)
        assert echo.sent.to_pydict() == {"a": [1, 2], "b": [[1.0, 2.0], [3.0, 4.0]]}
        assert type_of(echo.sent, "b") == "fixed_size_list<item: float>[2]"

    @pytest.mark.parametrize("index", [["x", "y"], pd.Index([3, 5], name="id"), pd.RangeIndex(2)])
    def test_an_index_of_pandas_is_not_sent(self, talking: Client, echo: Echo, index: Any) -> None:
        infer(talking, URL, pd.DataFrame({"a": [1.5, 2.5], "s": ["x", None]}, index=index))
        assert echo.sent.to_pydict() == {"a": [1.5, 2.5], "s": ["x", None]}
        assert echo.sent.schema.metadata is None

    @pytest.mark.parametrize("ids", [[0, 1], [7, 5]])
    @pytest.mark.parametrize("values", [[1.5, 2.5], ["x", None]])
    def test_an_index_of_pandas_is_sent_where_it_is_named(self, ids: list[int], values: list[Any]) -> None:
        """Of numbers in a row from 0 on, pandas makes an index that only counts."""
        frame = pd.DataFrame({"id": ids, "a": pd.Series(values, dtype=object)}).set_index("id")
        assert rows_to_send(frame, ["a", "id"], missing="nan").to_pydict() == {"a": values, "id": ids}
        assert rows_to_send(frame).column_names == ["a"]

    @pytest.mark.parametrize(
        "index",
        [
            [1, "x"],
            [(1, 2), "x"],
            pd.Index([1j, 2j]),
            pd.Index([object(), object()], name="id"),
            pd.MultiIndex.from_tuples([(1, object()), (2, object())], names=["n", "o"]),
            pd.Index([7, 8], name="a"),
        ],
        ids=["mixed", "tuples", "complex", "objects", "several", "as the column"],
    )
    @pytest.mark.parametrize("values", [[1.5, 2.5], ["x", None]])
    def test_an_index_of_any_type_does_not_matter(self, index: Any, values: list[Any]) -> None:
        frame = pd.DataFrame({"a": pd.Series(values, dtype=object)}).set_axis(pd.Index(index, tupleize_cols=False))
        assert rows_to_send(frame, missing="nan").to_pydict() == {"a": values}

    def test_an_index_that_cannot_be_read_is_refused_where_it_is_named(self) -> None:
        frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index([1, "x"], name="id"))
        with pytest.raises(
            InvalidDataError, match=r"The index of the frame cannot be read: .*'x'.* Make a column of it"
        ):
            rows_to_send(frame, ["id", "a"])

    @pytest.mark.parametrize("values", UNREADABLE, ids=lambda values: type(values[0]).__name__)
    @pytest.mark.parametrize("form", ["mapping", "records", "pandas", "polars", "a row of pandas", "split"])
    def test_a_column_that_cannot_be_read_matters_only_where_it_is_sent(self, form: str, values: list[Any]) -> None:
        unreadable = pd.Series(values, dtype=object)
        frame = pd.DataFrame({"a": [1, 2], "b": unreadable, "c": [0.5, 1.5]})
        given: Any = {
            "mapping": lambda: {"a": [1, 2], "b": values, "c": [0.5, 1.5]},
            "records": lambda: frame.to_dict("records"),
            "pandas": lambda: frame,
            "polars": lambda: pl.DataFrame({"a": [1, 2], "b": pl.Series(values, dtype=pl.Object), "c": [0.5, 1.5]}),
            "a row of pandas": lambda: pd.Series({"a": 1, "b": {1}, "c": 0.5}),
            "split": lambda: frame.to_dict("split"),
        }[form]()
        expected = {"c": [0.5, 1.5], "a": [1, 2]}
        if form == "a row of pandas":
            expected = {"c": [0.5], "a": [1]}
        assert rows_to_send(given, ["c", "a"]).to_pydict() == expected
        for names in (None, ["b", "a"]):
            with pytest.raises(InvalidDataError, match="The column 'b'"):
                rows_to_send(given, names)
        with pytest.raises(InvalidDataError, match="no column 'd' in the rows, but a, b, c"):
            rows_to_send(given, ["d"])

    def test_columns_that_are_no_lists_matter_only_where_they_are_sent(self) -> None:
        rows: Any = {"a": [1, 2], "n": 5, "z": np.array([1j, 2j]), "none": None}
        assert rows_to_send(rows, ["a"]).to_pydict() == {"a": [1, 2]}
        assert rows_to_send(np.array([(1, 1j)], [("a", "i4"), ("z", "c16")]), ["a"]).to_pydict() == {"a": [1]}
        with pytest.raises(InvalidDataError, match="'n' is int"):
            rows_to_send(rows)

    def test_where_may_be_an_object_that_has_a_url(self, talking: Client, echo: Echo) -> None:
        @dataclass(frozen=True)
        class Deployment:
            url: str

        infer(talking, Deployment(URL), {"a": [1]})
        assert str(echo.requests[0].url.copy_with(query=None)) == URL

    @pytest.mark.parametrize(
        ("path", "operation"),
        [
            ("/v1/api/pipelines/infer/a-1", "infer_deployment"),
            ("/v1/api/pipelines/infer/a-1/a", "infer_pipeline"),
            ("/opaque/a", "infer_pipeline"),
            ("/v1/api/pipelines/create", "infer_pipeline"),
        ],
    )
    def test_an_error_names_the_operation_of_the_url(self, path: str, operation: str) -> None:
        with connected(Echo(404)) as client, pytest.raises(NotFoundError) as raised:
            infer(client, API + path, {"a": [1]})
        assert raised.value.operation == operation

    @pytest.mark.parametrize("where", [None, 5, b"https://api.example.com", "https://a:b", object()])
    def test_what_is_no_url_is_refused(self, talking: Client, where: Any) -> None:
        with pytest.raises(InvalidDataError, match="`where` is"):
            infer(talking, where, {"a": [1]})

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            (5, "not int"),
            (None, "not NoneType"),
            (b"ARROW1", "not bytes"),
            ({1, 2}, "not set"),
            ([1, 2], r"not a list of int: make one array of them, numpy\.array\(rows\)"),
            ([[1, 2], [3, 4]], "not a list of list: make one array of them"),
            ([np.ones(2)], "not a list of ndarray: make one array of them"),
            ([(1, 2)], "not a list of tuple: make records of them"),
            ([pa.table({"a": [1]})], "not a list of Table: join them, or give them to infer_batches"),
            (["a.csv", "b.csv"], "not a list of str: a batch of files goes to infer_dataset"),
            ([], "no fields"),
            ({}, "no columns"),
            ({"a": [1], "b": [1, 2]}, "expected length 1 but got length 2"),
            ([{"a": 1}, {"b": 1}], r"Record 1 has the fields \['b'\], the first one has \['a'\]"),
            ([{"a": 1}, {"a": "x"}], "The column 'a'"),
            ({"a": 5}, r"'a' is int.*\[record\]"),
            ({"a": "text"}, "'a' is str"),
            ({"a": [1, "x"]}, "The column 'a'"),
            ({"a": [2**70]}, "The column 'a'"),
            ({1: [1]}, "not 1"),
            (np.float32(1), "'tensor' is a single value"),
            ({"a": np.array(1.0)}, "'a' is a single value"),
            ({"a": np.zeros((2, 0))}, r"'a' has the shape \(2, 0\)"),
            ({"a": np.zeros(2, complex)}, "complex128"),
            ({"a": np.zeros(2, "V4")}, "V4"),
            ({"a": np.array([1, "x"], object)}, "The column 'a'|no table"),
            (pd.DataFrame({"a": [1, "x"]}), "The column 'a' cannot be read: row 1, 'x'"),
            (pd.DataFrame(index=[1, 2]), "no columns"),
            (pd.DataFrame({("a", "b"): [1]}), r"\('a', 'b'\) has a name that is neither a text nor a number"),
            (pd.DataFrame({None: [1], "b": [1]}), "None|nan"),
            (pd.DataFrame({"1": [1], 1: [2]}), "Two columns have the name '1'"),
            (pl.LazyFrame({"a": [1]}), r"not LazyFrame: call its collect\(\) first"),
            (pl.DataFrame({"a": pl.Series([2**70], dtype=pl.Int128)}), "'a' of polars' type Int128.*cast it"),
            (
                pl.DataFrame({"a": pl.Series([[1]], dtype=pl.List(pl.Int128))}),
                r"'a' of polars' type List\(Int128\).*cast",
            ),
            (map(str, [1]), r"not map: make a list of its records, list\(rows\)"),
            (deque([{"a": 1}]), r"not deque: make a list of its records"),
            (array("d", [1]), r"not array: send numpy\.asarray\(rows\)"),
            ([Named(1)], r"not a list of Named: make records of them, \[dataclasses\.asdict\(row\) for row in rows\]"),
            ([pd.Series({"a": 1})], r"not a list of Series: make a frame of them"),
            (
                list(pd.DataFrame({"a": [1]}).itertuples()),
                r"make records of them, \[row\._asdict\(\) for row in rows\]",
            ),
            (rows_of_sqlite(), r"not a list of Row: make records of them, \[dict\(row\) for row in rows\]"),
            (pd.DataFrame({"a": [1]}).to_dict(), r"'a' is dict, .*; frame\.to_dict\('list'\) gives such lists"),
            (pa.py_buffer(b"a\n1\n"), r"not Buffer: give it as io\.BytesIO\(buffer\)"),
            ("", "An empty text names no file"),
            (
                np.array([[1, 2], [3, "x"], [4, 5]], object),
                r"'tensor' cannot be read: row 1, \[3, 'x'\]: the column has te",
            ),
            ({"a": np.ones(2, np.longdouble)}, f"'a' is of numpy's type {np.dtype(np.longdouble)}"),
            (pd.DataFrame({"a": np.ones(2, np.longdouble)}), f"'a' is of numpy's type {np.dtype(np.longdouble)}"),
            (pa.table([[1], [2]], names=["a", "a"]), "Two columns have the name 'a'"),
            (pa.array([{"a": 1}, None]), "null"),
        ],
    )
    def test_what_is_no_table_is_refused_in_a_sentence(
        self, talking: Client, echo: Echo, rows: Any, message: str
    ) -> None:
        with pytest.raises(InvalidDataError, match=message):
            infer(talking, URL, rows)
        assert not echo.requests

    @pytest.mark.parametrize(
        "column",
        [
            pl.Series([{"ObjectId": "x"}]),
            pl.Series(["Object"], dtype=pl.Enum(["Object", "Int128"])),
            pl.Series([{"Int128": [1]}]),
        ],
    )
    def test_names_within_a_column_of_polars_are_no_types(self, column: Any) -> None:
        assert to_table(pl.DataFrame({"a": column})).to_pydict() == {"a": column.to_list()}

    def test_a_text_among_numbers_is_named_where_it_is_in_no_vector(self) -> None:
        with pytest.raises(InvalidDataError, match=r"'a' is of type string: row 2, 'n/a '\. Leave it out"):
            rows_to_send(io.StringIO("a,b\n1,1\n2.5,2\nn/a ,3\nx,4\n"), vector=True)
        with pytest.raises(InvalidDataError, match=r"'a' is of type string\. Leave it out"):
            rows_to_send({"a": ["1", None, "2"]}, vector=True)

    def test_a_vector_is_no_part_of_one(self) -> None:
        for rows in (np.ones((2, 3)), {"tensor": [[1, 2]]}):
            with pytest.raises(InvalidDataError, match="If it is the vector, it is sent as it is without vector=True"):
                rows_to_send(rows, vector=True)

    def test_numbers_name_columns(self, talking: Client, echo: Echo) -> None:
        frame = pd.DataFrame([[1.5, 2.5, 3.5]], columns=[400.5, 401, 402.25])
        for names in (frame.columns, [400.5, 401.0, 402.25], np.array([400.5, 401, 402.25])):
            infer(talking, URL, frame, columns=cast("Any", names))
            assert echo.sent.to_pydict() == {"400.5": [1.5], "401.0": [2.5], "402.25": [3.5]}

    def test_without_pyarrow_it_says_what_to_install(self, talking: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(ConfigurationError, match=r"pip install 'wallaroo-ext\[arrow\]'"):
            infer(talking, URL, {"a": [1]})


class TestNumpy:
    def test_contiguous_arrays_are_sent_from_their_own_memory(self) -> None:
        array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
        column: Any = to_table({"a": array}).column("a").chunk(0)
        assert column.flatten().flatten().buffers()[1].address == array.__array_interface__["data"][0]

    def test_a_file_that_is_mapped_into_memory(self, tmp_path: Path) -> None:
        array = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
        np.save(tmp_path / "rows.npy", array)
        mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
        assert to_table({"a": mapped[::-1, :, ::-1]}).column("a").to_pylist() == array[::-1, :, ::-1].tolist()
        assert to_table({"a": list(mapped)}).column("a").to_pylist() == array.tolist()

    def test_pandas_is_not_loaded_for_them(self) -> None:
        program = (
            "import sys, numpy, wallaroo_ext.inference.inputs.rows as rows; rows.to_table({'a': numpy.ones((2, 3))}); "
            "sys.exit('pandas' in sys.modules)"
        )
        assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

    @pytest.mark.parametrize("array", [np.array(["\0a", "b\0c", "d"]), np.array([b"\0a", b"b\0c", b"d"])])
    def test_texts_keep_what_is_behind_a_nul(self, array: Any) -> None:
        column: Any = to_table({"a": array}).column("a")
        assert column.to_pylist() == array.tolist()
        assert to_table({"a": array[:0]}).column("a").type == column.type

    @settings(deadline=None, derandomize=True)
    @given(
        st_numpy.arrays(
            st.sampled_from([">f4", "<f8", "f2", ">i2", "u8", ">u4", "i1", "?", "<U3", "S2", ">M8[ms]", "<m8[us]"]),
            st_numpy.array_shapes(min_dims=1, max_dims=3, max_side=3),
        ),
        st.sampled_from(["as it is", "Fortran", "backwards", "strided", "transposed"]),
    )
    def test_every_layout_gives_the_same_rows(self, array: Any, layout: str) -> None:
        given = {
            "as it is": array,
            "Fortran": np.asfortranarray(array),
            "backwards": array[::-1],
            "strided": np.repeat(array, 2, axis=0)[::2],
            "transposed": array.T,
        }[layout]
        table = to_table({"a": given})
        table.validate(full=True)
        column: Any = table.column("a")
        flat = column.combine_chunks()
        for _ in given.shape[1:]:
            flat = flat.flatten()
        back = flat.to_numpy(zero_copy_only=False).reshape(given.shape)
        np.testing.assert_array_equal(back.astype(given.dtype), given)

    @pytest.mark.parametrize(
        ("unit", "kind"),
        [
            ("Y", pa.date32()),
            ("M", pa.date32()),
            ("W", pa.date32()),
            ("D", pa.date32()),
            ("h", pa.timestamp("s")),
            ("m", pa.timestamp("s")),
            ("s", pa.timestamp("s")),
            ("10ms", pa.timestamp("ms")),
            ("us", pa.timestamp("us")),
            ("ns", pa.timestamp("ns")),
        ],
    )
    def test_times_of_every_unit_stay_the_same_time(self, unit: str, kind: Any) -> None:
        array = np.array(["2024-02-29", "NaT"], f"M8[{unit}]")
        column: Any = to_table({"a": array}).column("a")
        assert column.type == kind
        np.testing.assert_array_equal(column.to_numpy(), array)

    def test_masked_elements_are_null(self) -> None:
        array = np.ma.masked_array(np.arange(4.0).reshape(2, 2), [[True, False], [False, True]])
        assert to_table({"a": array}).to_pydict() == {"a": [[None, 1.0], [2.0, None]]}

    def test_objects_and_texts_have_the_type_of_their_values(self) -> None:
        table = to_table({"a": np.array([["a", None]], object), "b": np.array([1, 2**40], object)[:1]})
        assert table.to_pydict() == {"a": [["a", None]], "b": [1]}

    def test_no_number_is_a_number_of_its_own(self) -> None:
        column: Any = to_table({"a": np.array([np.nan, 1.0])}).column("a")
        assert column.null_count == 0

    def test_no_rows_have_a_shape_too(self) -> None:
        table = to_table({"a": np.zeros((0, 3), np.float32)})
        assert (table.num_rows, type_of(table, "a")) == (0, "fixed_size_list<item: float>[3]")


def _dictionary() -> Any:
    return pa.array(["a", "b", "a"]).dictionary_encode()


def _encoded() -> Any:
    return cast("Any", import_module("pyarrow.compute")).run_end_encode(pa.array([1, 1, 2]))


def _shaped() -> Any:
    kind: Any = pa.FixedShapeTensorArray
    return kind.from_numpy_ndarray(np.arange(6, dtype=np.float32).reshape(3, 2))


PLAIN: dict[str, tuple[Any, str, list[Any]]] = {
    "categories": (_dictionary(), "string", ["a", "b", "a"]),
    "lists of categories": (
        pa.ListArray.from_arrays(cast("Any", [0, 2, 3, 3]), _dictionary()),
        "list<item: string>",
        [["a", "b"], ["a"], []],
    ),
    "views": (pa.array(["a", None, "a longer text than fits"], pa.string_view()), "string", []),
    "views of bytes": (pa.array([b"a", None, b"c"], pa.binary_view()), "binary", []),
    "large texts": (pa.array(["a", None, "ü"], pa.large_string()), "string", []),
    "large lists": (pa.array([[1.5], None, []], pa.large_list(pa.float32())), "list<item: float>", []),
    "list views": (pa.array([["a"], ["b", "c"], None], pa.list_view(pa.string_view())), "list<item: string>", []),
    "runs": (_encoded(), "int64", [1, 1, 2]),
    "tensors": (_shaped(), "fixed_size_list<item: float>[2]", [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]),
    "fixed lists of views": (
        pa.array([["a"], ["b"], ["c"]], pa.list_(pa.string_view(), 1)),
        "fixed_size_list<item: string>[1]",
        [],
    ),
    "structs": (
        pa.array([{"x": "a"}, None, {"x": None}], pa.struct([("x", pa.large_string())])),
        "struct<x: string>",
        [],
    ),
    "decimals": (pa.array([decimal.Decimal("0.30")] * 3), "double", [0.3] * 3),
    "whole decimals": (pa.array([decimal.Decimal(2**53 + 1)] * 3), "int64", [2**53 + 1] * 3),
    "large decimals": (pa.array([decimal.Decimal(2**63), None, 1]), "uint64", [2**63, None, 1]),
    "lists of decimals": (pa.array([[decimal.Decimal("0.3")], None, []]), "list<item: double>", [[0.3], None, []]),
    "tensors of decimals": (
        pa.array([[[decimal.Decimal(1)]], None, []]),
        "list<item: list<item: int64>>",
        [[[1]], None, []],
    ),
    "a tensor of two dimensions": (
        pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(12.0).reshape(3, 2, 2)),
        "fixed_size_list<item: fixed_size_list<item: double>[2]>[2]",
        np.arange(12.0).reshape(3, 2, 2).tolist(),
    ),
    "no values": (pa.nulls(3), "null", []),
}


class TestTypes:
    @pytest.mark.parametrize("name", PLAIN)
    def test_types_that_not_every_engine_reads_are_sent_as_plain_ones(self, name: str) -> None:
        column, kind, values = PLAIN[name]
        for sent in (column, pa.chunked_array([column[:1], column[1:]])):
            table = to_table(pa.table({"a": sent}))
            table.validate(full=True)
            assert type_of(table, "a") == kind
            assert table.column("a").to_pylist() == (values or column.to_pylist())

    def test_a_list_with_a_decimal_beyond_64_bits_is_refused_with_its_row(self) -> None:
        lists: Any = pa.array([[decimal.Decimal(1)], [decimal.Decimal(2**64)]])
        with pytest.raises(InvalidDataError, match=r"'a' of type .* in row 1 that none of 64 bits is"):
            to_table(pa.table({"a": lists}))

    def test_categories_that_differ_between_chunks_can_be_sent(self, talking: Client, echo: Echo) -> None:
        chunks = [pa.array(values).dictionary_encode() for values in (["a", "b"], ["c"])]
        infer(talking, URL, pa.table({"a": pa.chunked_array(cast("Any", chunks))}))
        assert echo.sent.to_pydict() == {"a": ["a", "b", "c"]}

    def test_plain_columns_are_passed_on_as_they_are(self) -> None:
        column: Any = pa.array([1.5, None])
        sent: Any = to_table(pa.table({"a": column})).column("a").chunk(0)
        assert sent.buffers()[1].address == column.buffers()[1].address


class TestFiles:
    @pytest.fixture
    def table(self) -> Table:
        return pa.table({"a": [1.5, 2.5], "s": ["x", "y"]})

    @pytest.fixture
    def files(self, tmp_path: Path, table: Table) -> dict[str, Path]:
        """Return the table in each format, by what it is called."""
        names = (
            "file.arrow",
            "stream.ARROW",
            "file.feather",
            "file.parquet",
            "records.json",
            "columns.json",
            "file.csv",
        )
        found = {name: tmp_path / name for name in names}
        found["file.arrow"].write_bytes(to_file(table).to_pybytes())
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        found["stream.ARROW"].write_bytes(sink.getvalue().to_pybytes())
        feather.write_feather(table, found["file.feather"], compression="lz4")
        parquet.write_table(table, found["file.parquet"])
        found["records.json"].write_text(cast("Any", table).to_pandas().to_json(orient="records"), encoding="utf-8-sig")
        found["columns.json"].write_text(json.dumps(table.to_pydict()), encoding="utf-8")
        found["file.csv"].write_text("a,s\n1.5,x\n2.5,y\n", encoding="utf-8")
        return found

    def test_each_format_gives_the_same_rows(
        self, talking: Client, echo: Echo, files: dict[str, Path], table: Table
    ) -> None:
        for path in files.values():
            for rows in (path, str(path)):
                infer(talking, URL, rows)
                assert echo.sent.equals(table), path

    @pytest.mark.parametrize("given", ["bytes", "text", "URL"])
    def test_an_open_file_and_a_url_are_rows_and_have_options(
        self, talking: Client, echo: Echo, tmp_path: Path, given: str
    ) -> None:
        content = "größe;b\n1,5;x\n"
        (tmp_path / "größe.csv").write_text(content, encoding="cp1252")
        sources: dict[str, Callable[[], Any]] = {
            "bytes": lambda: io.BytesIO(content.encode("cp1252")),
            "text": lambda: io.StringIO(content),
            "URL": (tmp_path / "größe.csv").as_uri,
        }
        options: Any = {"decimal": ",", "delimiter": ";"} | ({} if given == "text" else {"encoding": "cp1252"})
        infer(talking, URL, sources[given](), **options)
        assert echo.sent.to_pydict() == {"größe": [1.5], "b": ["x"]}

    def test_a_corrupt_file_is_named(self, talking: Client, files: dict[str, Path]) -> None:
        for path in files.values():
            content = path.read_bytes()
            for broken in (b"", content[: len(content) // 2], b"\x00" * 100, b"ARROW1"):
                if path.suffix == ".csv" and broken:
                    continue  # nearly everything is a file of comma-separated values
                path.write_bytes(broken)
                with pytest.raises(InvalidDataError, match=path.name):
                    infer(talking, URL, path)

    @pytest.mark.parametrize(
        "content", ["5", "[1]", "[]", "{}", '{"a": [1], "b": [1, 2]}', '[{"a": 1}, 2]', "[" * 100_000, "nonsense"]
    )
    def test_json_that_holds_no_rows_is_named(self, talking: Client, tmp_path: Path, content: str) -> None:
        path = tmp_path / "rows.json"
        path.write_text(content, encoding="utf-8")
        with pytest.raises(InvalidDataError, match=r"rows\.json cannot be read as a \.json file: "):
            infer(talking, URL, path)

    @pytest.mark.parametrize(
        "content",
        [
            '[{"a": 1, "a": 2}]',
            '{"a": [1], "a": [2]}',
            '[{"a": {"b": 1, "b": 1}}]',
            '[{"a": 1e400}]',
            '[{"a": -1e-400}]',
        ],
    )
    def test_json_whose_values_would_be_lost_is_refused(self, talking: Client, tmp_path: Path, content: str) -> None:
        path = tmp_path / "rows.json"
        path.write_text(content, encoding="utf-8")
        with pytest.raises(InvalidDataError, match=r"twice|beyond those of 64 bits"):
            infer(talking, URL, path)

    def test_an_unknown_ending_is_refused(self, talking: Client, tmp_path: Path) -> None:
        for name in ("rows.xlsx", "rows.onnx"):
            path = tmp_path / name
            path.write_bytes(b"a,b\n1,2\n")
            with pytest.raises(
                InvalidDataError, match=r"from \.arrow, .*\.parquet, .*\.npz, \.json, .*\.csv, .* files"
            ):
                infer(talking, URL, path)

    def test_a_file_that_cannot_be_opened_is_said_by_the_system(self, talking: Client, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"none\.parquet"):
            infer(talking, URL, tmp_path / "none.parquet")
        (tmp_path / "folder.csv").mkdir()
        with pytest.raises(IsADirectoryError):
            infer(talking, URL, tmp_path / "folder.csv")


class TestRequest:
    def test_formats_are_the_contracts(self, talking: Client, echo: Echo) -> None:
        rows = {"tensor": np.array([[1.5, 2.5]], np.float32), "s": ["x"]}
        infer(talking, URL, rows)
        infer(talking, URL, rows, wire="pandas-records")
        infer(talking, URL, rows, wire="json")
        kinds = [(request.headers["Content-Type"], request.headers["Accept"]) for request in echo.requests]
        assert kinds == [(ARROW, ARROW), (RECORDS, "application/json"), (COLUMNS, "application/json")]
        assert json.loads(echo.bodies[1]) == [{"tensor": [1.5, 2.5], "s": "x"}]
        assert json.loads(echo.bodies[2]) == {"tensor": [[1.5, 2.5]], "s": ["x"]}

    def test_an_unknown_format_is_refused(self, talking: Client) -> None:
        wire: Any = "xml"
        with pytest.raises(InvalidDataError, match="arrow, pandas-records, json, not 'xml'"):
            infer(talking, URL, {"a": [1]}, wire=wire)

    @pytest.mark.parametrize("wire", ["pandas-records", "json"])
    @pytest.mark.parametrize("library", ["json", "orjson"])
    def test_json_has_every_digit_and_nulls(
        self, talking: Client, echo: Echo, wire: Any, library: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if library == "json":
            monkeypatch.setattr(json_bodies, "orjson", None)
        rows: dict[str, Any] = {
            "f": np.array([0.1, 1e-45], np.float32),
            "h": np.array([0.1, 2.0], np.float16),
            "d": [0.1, 5e-324],
            "u": np.array([2**64 - 1, 0], np.uint64),
            "n": [None, True],
            "l": [[1.5], [2.5]],
            "t": [["x"], None],
            "c": [decimal.Decimal("0.3"), decimal.Decimal("1E-5")],
            "s": [{"x": ["ü"]}, {"x": []}],
        }
        infer(talking, URL, rows, wire=wire)
        sent: Any = json.loads(echo.bodies[0])
        columns = sent if wire == "json" else {name: [record[name] for record in sent] for name in sent[0]}
        assert columns == to_table(rows).to_pydict()

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_json_has_no_nan(self, talking: Client, value: float) -> None:
        array = np.array([[value]])
        for column in (array, array.astype(np.float16), [value], [{"c": [value]}]):
            with pytest.raises(InvalidDataError, match=r"no infinity, which the column 'b' has.*Send it as Arrow"):
                infer(talking, URL, {"a": [[1.0]], "b": column}, wire="pandas-records", missing="nan")

    @pytest.mark.parametrize("column", [[b"x"], np.array([0], "M8[ms]"), [[b"x"]], [{"a": b"x"}]])
    def test_json_has_no_form_for_some_types(self, talking: Client, column: Any) -> None:
        with pytest.raises(InvalidDataError, match=r"no form for the column 'a' of type.*Send it as Arrow"):
            infer(talking, URL, {"a": column}, wire="json")

    def test_parts_of_the_answer_are_asked_for_as_published_clients_do(self, talking: Client, echo: Echo) -> None:
        infer(talking, f"{URL}?a=1", {"a": [1]})
        infer(talking, URL, {"a": [1]}, wire="pandas-records")
        expected = [("dataset[]", "*"), ("dataset.exclude[]", "metadata"), ("dataset.separator", ".")]
        assert echo.requests[0].url.params.multi_items() == [("a", "1"), *expected]
        assert echo.requests[1].url.params.multi_items() == expected

    @pytest.mark.parametrize(
        ("options", "sent"),
        [
            ({"dataset": "out"}, [("dataset[]", "out"), ("dataset.exclude[]", "metadata"), ("dataset.separator", ".")]),
            (
                {"dataset": ["*", "metadata.partition"]},
                [("dataset[]", "*"), ("dataset[]", "metadata.partition"), ("dataset.separator", ".")],
            ),
            (
                {"dataset": ["metadata"], "dataset_exclude": ["in", "metadata.elapsed"], "dataset_separator": "/"},
                [
                    ("dataset[]", "metadata"),
                    ("dataset.exclude[]", "in"),
                    ("dataset.exclude[]", "metadata.elapsed"),
                    ("dataset.separator", "/"),
                ],
            ),
            ({"dataset": (), "dataset_exclude": "", "dataset_separator": ""}, []),
        ],
    )
    def test_parts_of_the_answer_are_asked_for_as_the_caller_says(
        self, talking: Client, echo: Echo, options: Any, sent: list[tuple[str, str]]
    ) -> None:
        infer(talking, URL, {"a": [1]}, **options)
        assert echo.requests[0].url.params.multi_items() == sent

    def test_a_misspelt_option_is_an_error(self, talking: Client) -> None:
        options: Any = {"wires": "json"}
        with pytest.raises(TypeError, match="wires"):
            infer(talking, URL, {"a": [1]}, **options)

    def test_its_timeout_is_that_of_the_request(self, talking: Client, echo: Echo) -> None:
        infer(talking, URL, {"a": [1]}, timeout=7.5)
        infer(talking, URL, {"a": [1]})
        assert [request.extensions["timeout"]["read"] for request in echo.requests] == [7.5, 300.0]
        with pytest.raises(ConfigurationError, match="positive"):
            infer(talking, URL, {"a": [1]}, timeout=0)

    def test_an_answer_that_does_not_come_in_time_is_an_error(self, silent: str) -> None:
        with (
            connect(silent, token="t-51f0c9d2", retries=RetryPolicy(attempts=1), environment={}) as client,
            pytest.raises(RequestTimeoutError, match="infer_pipeline"),
        ):
            infer(client, f"{silent}/infer", {"a": [1]}, timeout=0.2)

    @pytest.fixture
    def silent(self) -> Generator[str]:
        """Yield a server that takes connections and never answers."""
        import socket

        with socket.create_server(("127.0.0.1", 0)) as listening:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"

    @pytest.mark.parametrize("wire", ["pandas-records", "json"])
    def test_a_long_body_of_json_is_sent_again_whole(self, wire: Any) -> None:
        echo = Echo(503, 502)
        data = {"tensor": np.random.default_rng(1).normal(size=(10_000, 3))}
        with connected(echo) as client:
            infer(client, URL, data, wire=wire)
        assert (len(echo.bodies), len(set(echo.bodies))) == (3, 1)
        assert len(echo.bodies[0]) > CHUNK_SIZE
        assert {int(request.headers["Content-Length"]) for request in echo.requests} == {len(echo.bodies[0])}
        assert all("Transfer-Encoding" not in request.headers for request in echo.requests)
        sent: Any = json.loads(echo.bodies[0])
        tensors = sent["tensor"] if wire == "json" else [record["tensor"] for record in sent]
        assert tensors == data["tensor"].tolist()

    @pytest.mark.parametrize("rows", [1, 50_000])
    def test_a_body_is_sent_again_whole(self, rows: int) -> None:
        echo = Echo(503, 502)
        data = {"tensor": np.random.default_rng(1).normal(size=(rows, 3)).astype(np.float32)}
        with connected(echo) as client:
            answer = infer(client, URL, data)
        assert (len(echo.bodies), len(set(echo.bodies))) == (3, 1)
        assert (len(echo.bodies[0]) > CHUNK_SIZE) == (rows > 1)
        assert {int(request.headers["Content-Length"]) for request in echo.requests} == {len(echo.bodies[0])}
        assert all("Transfer-Encoding" not in request.headers for request in echo.requests)
        np.testing.assert_array_equal(outputs(answer)["tensor"], data["tensor"])

    def test_a_body_is_sent_again_with_a_new_token(self) -> None:
        echo, tokens = Echo(401), iter(["first", "second"])
        data = {"tensor": np.zeros((50_000, 3), np.float32)}
        with connect(
            API, token=cast("Any", lambda: next(tokens)), transport=httpx.MockTransport(echo), environment={}
        ) as client:
            infer(client, URL, data)
        assert [request.headers["Authorization"] for request in echo.requests] == ["Bearer second"] * 2
        assert echo.bodies[0] == echo.bodies[1]


class TestAsynchronous:
    def test_it_takes_and_gives_the_same(self, tmp_path: Path) -> None:
        rows = np.random.default_rng(1).normal(size=(50_000, 3)).astype(np.float32)
        path = tmp_path / "rows.arrow"
        path.write_bytes(to_file(to_table({"tensor": rows})).to_pybytes())
        echo = Echo(503)

        async def score() -> list[Table]:
            transport = httpx.MockTransport(echo.later)
            policy = RetryPolicy(first_pause=0.001, longest_pause=0.001)
            async with connect(API, token="t-51f0c9d2", transport=transport, retries=policy, environment={}) as client:
                opened = io.BytesIO(path.read_bytes())
                given: list[Any] = [{"tensor": rows}, path, {"tensor": rows[:1]}, opened, path.as_uri()]
                return [await aio.infer(client, URL, data) for data in given]

        tables = asyncio.run(score())
        assert len(echo.bodies) == 6
        for table, expected in zip(tables, (rows, rows, rows[:1], rows, rows), strict=True):
            np.testing.assert_array_equal(outputs(table)["tensor"], expected)

    def test_options_are_the_same(self) -> None:
        echo = Echo()

        async def score() -> None:
            async with connect(
                API, token="t-51f0c9d2", transport=httpx.MockTransport(echo.later), environment={}
            ) as client:
                await aio.infer(client, URL, {"a": [1]}, wire="json", dataset="out", dataset_exclude=(), timeout=5)

        asyncio.run(score())
        assert (echo.bodies, echo.requests[0].url.query) == ([b'{"a":[1]}'], b"dataset%5B%5D=out&dataset.separator=.")
        assert echo.requests[0].extensions["timeout"]["read"] == 5


def times(values: list[Any]) -> Any:
    return pa.array(values, pa.timestamp("us"))


def nested(values: list[Any]) -> Any:
    return pa.array(values, pa.list_(pa.list_(pa.float32())))


values = st.one_of(
    st.builds(pa.array, st.lists(st.integers(-(2**63), 2**63 - 1), min_size=4, max_size=4)),
    st.builds(pa.array, st.lists(st.floats(allow_nan=False), min_size=4, max_size=4)),
    st.builds(pa.array, st.lists(st.none() | st.text(max_size=20), min_size=4, max_size=4), st.just(pa.string())),
    st.builds(pa.array, st.lists(st.none() | st.booleans(), min_size=4, max_size=4), st.just(pa.bool_())),
    st.builds(pa.array, st.lists(st.none() | st.binary(max_size=20), min_size=4, max_size=4), st.just(pa.binary())),
    st.builds(times, st.lists(st.none() | st.datetimes(), min_size=4, max_size=4)),
    st.builds(
        nested,
        st.lists(
            st.lists(st.lists(st.floats(width=32, allow_nan=False), max_size=2), max_size=2),
            min_size=4,
            max_size=4,
        ),
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, derandomize=True)
@given(columns=st.lists(values, min_size=1, max_size=4), repeat=st.integers(1, 3), start=st.integers(0, 4))
def test_every_table_arrives_as_it_is(talking: Client, echo: Echo, columns: list[Any], repeat: int, start: int) -> None:
    table = pa.concat_tables([pa.table({f"c{n}": column for n, column in enumerate(columns)})] * repeat).slice(start)
    answer = infer(talking, URL, table)
    assert same(echo.sent, table)
    assert same(answer.select([f"out.c{n}" for n in range(len(columns))]).rename_columns(table.column_names), table)


def same(one: Table, other: Table) -> bool:
    """Return whether tables are equal, no number being equal to itself."""
    return one.schema.equals(other.schema) and repr(one.to_pylist()) == repr(other.to_pylist())


KINDS = {
    "f2": TensorProto.FLOAT16,
    "f4": TensorProto.FLOAT,
    "f8": TensorProto.DOUBLE,
    "i1": TensorProto.INT8,
    "i2": TensorProto.INT16,
    "i4": TensorProto.INT32,
    "i8": TensorProto.INT64,
    "u1": TensorProto.UINT8,
    "u2": TensorProto.UINT16,
    "u4": TensorProto.UINT32,
    "u8": TensorProto.UINT64,
    "?": TensorProto.BOOL,
    "O": TensorProto.STRING,
}
SHAPE = (2, 3)


@pytest.fixture(scope="module")
def same_again(sandbox: dict[str, str]) -> Generator[tuple[Client, str]]:
    """Yield a client, and the URL of a model that gives its inputs back, one of each type, of rows of a shape."""
    from wallaroo_mlops_client.api.pipelines import create_pipeline, deploy_pipeline
    from wallaroo_mlops_client.models import CreatePipelineRequest, DeployPipelineRequest, PipelineDefinition

    from wallaroo_ext import call

    name = "same-again"
    with connect(environment=sandbox) as client:
        version = upload_model(client, _identity(), name=name, workspace=1)
        empty = CreatePipelineRequest(pipeline_id=name, workspace_id=1, definition=PipelineDefinition())
        pipeline = call(create_pipeline, client=client, body=empty)
        request = DeployPipelineRequest(
            deploy_id=name,
            pipeline_id=pipeline.pipeline_pk_id,
            pipeline_version_pk_id=pipeline.pipeline_variant_pk_id,
            model_ids=[version.id],
        )
        deployment = f"{name}-{call(deploy_pipeline, client=client, body=request).id}"
        wait_until_running(client, deployment)
        path = contract.operation("infer_pipeline").path.format(deployment=deployment, pipeline=name)
        yield client, sandbox["WALLAROO_API_URL"] + path


def _identity() -> bytes:
    names = {f"x{n}": kind for n, kind in enumerate(KINDS.values())}
    graph = helper.make_graph(
        [helper.make_node("Identity", [name], [f"y{name[1:]}"]) for name in names],
        "same-again",
        [helper.make_tensor_value_info(name, kind, ["N", *SHAPE]) for name, kind in names.items()],
        [helper.make_tensor_value_info(f"y{name[1:]}", kind, ["N", *SHAPE]) for name, kind in names.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return made.SerializeToString()


def elements(kind: str, *, finite: bool) -> Any:
    if kind == "O":
        return st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)
    if kind in {"f2", "f4", "f8"}:
        return st.floats(width=cast("Any", 8 * int(kind[1:])), allow_nan=not finite, allow_infinity=not finite)
    return None


@st.composite
def tensors(draw: st.DrawFn, *, finite: bool) -> dict[str, Any]:
    """Return rows of the model: an array for each of its inputs."""
    rows = draw(st.integers(0, 4))
    return {
        f"x{n}": draw(st_numpy.arrays(kind, (rows, *SHAPE), elements=elements(kind, finite=finite)))
        for n, kind in enumerate(KINDS)
    }


def as_lists(arrays: dict[str, Any]) -> Table:
    """Return rows as lists of variable size."""
    table = to_table(arrays)
    kinds = [pa.list_(pa.list_(_innermost(kind))) for kind in table.schema.types]
    return table.cast(pa.schema(dict(zip(table.column_names, kinds, strict=True))))


def _innermost(kind: Any) -> Any:
    while pa.types.is_nested(kind):
        kind = kind.value_type
    return pa.string() if pa.types.is_null(kind) else kind


def in_chunks(arrays: dict[str, Any]) -> Table:
    table = as_lists(arrays)
    return pa.concat_tables([table.slice(number, 1) for number in range(table.num_rows)] or [table])


def in_a_slice(arrays: dict[str, Any]) -> Table:
    table = as_lists(arrays)
    return pa.concat_tables([table, table]).combine_chunks().slice(table.num_rows)


FORMS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "numpy": lambda arrays: arrays,
    "lists": as_lists,
    "chunks": in_chunks,
    "slice": in_a_slice,
}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data(), form=st.sampled_from(list(FORMS)), wire=st.sampled_from(["arrow", "arrow", "pandas-records"]))
def test_every_type_survives_the_way_through_an_instance(
    same_again: tuple[Client, str], data: st.DataObject, form: str, wire: Any
) -> None:
    arrays = data.draw(tensors(finite=wire != "arrow"))
    given = (
        outputs(infer(*same_again, FORMS[form](arrays), wire=wire, dataset="out", missing="nan"))
        if len(arrays["x0"])
        else {}
    )
    for number, (name, sent) in enumerate(arrays.items()):
        if given:
            received = given[f"y{number}"]
            assert wire != "arrow" or received.dtype == sent.dtype
            np.testing.assert_array_equal(received.astype(sent.dtype), sent, err_msg=name)


def test_no_rows_go_in_and_none_come_out(same_again: tuple[Client, str]) -> None:
    arrays = {f"x{n}": np.zeros((0, *SHAPE), kind) for n, kind in enumerate(KINDS)}
    table = infer(*same_again, arrays)
    assert table.num_rows == 0
    assert {name: array.dtype.char for name, array in outputs(table).items()} == {
        f"y{n}": np.dtype(kind).char for n, kind in enumerate(KINDS)
    }
    with pytest.raises(InvalidDataError, match=r"records in JSON would not say the columns\. Send them as Arrow"):
        infer(*same_again, arrays, wire="pandas-records")


@pytest.mark.parametrize("transport", ["threads", "httpx", "aiohttp"])
def test_a_large_body_goes_over_every_transport(
    same_again: tuple[Client, str], sandbox: dict[str, str], transport: Any
) -> None:
    random = np.random.default_rng(1)
    arrays: dict[str, Any] = {
        f"x{n}": random.integers(0, 2, (2000, *SHAPE)).astype("U1" if kind == "O" else kind)
        for n, kind in enumerate(KINDS)
    }
    client, url = same_again

    async def score() -> Table:
        async with connect(environment=sandbox, transport=transport) as asynchronous:
            return await aio.infer(asynchronous, url, arrays)

    table = infer(client, url, arrays) if transport == "threads" else asyncio.run(score())
    assert to_file(to_table(arrays)).size > 2 * CHUNK_SIZE
    given = outputs(table)
    for number, sent in enumerate(arrays.values()):
        np.testing.assert_array_equal(given[f"y{number}"], sent)


def test_the_media_type_of_arrow_is_the_contracts() -> None:
    assert arrow_media_type() == ARROW
