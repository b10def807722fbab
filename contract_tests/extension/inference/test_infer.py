"""Does `infer` take any name of a deployment, frames for a model of one vector, and numbers that are missing alike?"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from onnx import TensorProto, helper
from pyarrow import parquet

from contract_tests.support.command_line import Done, in_process
from contract_tests.support.data.batch_rows import read_output
from contract_tests.support.sandbox.deployments import deployed
from contract_tests.support.servers.echo_instance import API, URL, Echo
from wallaroo_ext import (
    EngineError,
    InvalidDataError,
    NotFoundError,
    aio,
    connect,
    find_deployment,
    infer,
    infer_batches,
    infer_dataset,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from wallaroo_mlops_client import Client

arrow: Any = pa
pq: Any = parquet
polars: Any = pl
NAN = float("nan")
NAME = "same-vector"
WIDTH = 3
ROWS = {"tensor": np.arange(6, dtype=np.float32).reshape(2, WIDTH)}
FRAME = {"a": [1.5, None, 2.5], "b": [1, 2, 3], "c": [True, False, True]}
"""The columns of vectors; the number of the second one is missing in its first column."""


@pytest.fixture(scope="module")
def url(sandbox: dict[str, str]) -> str:
    """Return the URL of a model that gives back the vector it is sent."""
    shape = ["N", WIDTH]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        NAME,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return deployed(sandbox, model.SerializeToString(), NAME)


@pytest.fixture
def client(sandbox: dict[str, str], url: str) -> Generator[Client]:
    del url
    with connect(environment=sandbox) as connected:
        yield connected


def vectors(table: Any) -> list[list[float]]:
    return table.column("out.y").to_pylist()


class TestTargets:
    def test_each_name_of_a_deployment_leads_to_it(self, client: Client, sandbox: dict[str, str], url: str) -> None:
        found = find_deployment(client, NAME)
        path = url.removeprefix(sandbox["WALLAROO_API_URL"])
        for where in (NAME, found.name, found, url, path):
            assert vectors(infer(client, where, ROWS)) == ROWS["tensor"].tolist()
        assert vectors(infer(client, NAME, ROWS, workspace=1)) == ROWS["tensor"].tolist()

    def test_asyncio_takes_names_too(self, sandbox: dict[str, str], url: str) -> None:
        del url

        async def score() -> Any:
            async with connect(environment=sandbox) as client:
                with pytest.raises(NotFoundError, match=NAME):
                    await aio.infer(client, f"{NAME}s", ROWS)
                return await aio.infer(client, NAME, ROWS)

        assert vectors(asyncio.run(score())) == ROWS["tensor"].tolist()

    @pytest.mark.parametrize("wrong", [f"{NAME}s", NAME.upper(), "same-vektor"])
    @pytest.mark.parametrize("workspace", [None, 1])
    def test_a_mistyped_name_gets_the_near_ones(self, client: Client, wrong: str, workspace: int | None) -> None:
        with pytest.raises(NotFoundError, match=f"No pipeline '{wrong}' is deployed in .*Near names: .*{NAME}"):
            infer(client, wrong, ROWS, workspace=workspace)

    @pytest.mark.parametrize("where", ["api.example.com/v1/infer/a-1", "localhost:8080", " https://a", "a pipeline"])
    def test_what_is_neither_a_name_nor_a_url_is_refused_before_anything_is_sent(self, where: str) -> None:
        def fail(request: httpx.Request) -> httpx.Response:
            pytest.fail(str(request.url))

        with connect(API, token="t", transport=httpx.MockTransport(fail), environment={}) as client:
            for score in (infer, infer_batches):
                function: Any = score
                with pytest.raises(InvalidDataError, match=r"neither a name nor a URL.*https://"):
                    function(client, where, ROWS if score is infer else [])


class TestFrames:
    @pytest.mark.parametrize("frame", [pd.DataFrame, polars.DataFrame, arrow.table])
    def test_columns_are_the_vector_of_a_model_with_one_input(self, client: Client, frame: Any) -> None:
        rows = frame({"id": [7, 8], "x": [1.5, 2.5], "y": [1, 2], "z": [True, False]})
        scored = infer(client, NAME, rows, columns=["x", "y", "z"], vector=True)
        assert vectors(scored) == [[1.5, 1.0, 1.0], [2.5, 2.0, 0.0]]
        assert vectors(infer(client, NAME, rows, columns=["z", "y", "x"], vector=True))[0] == [1.0, 1.0, 1.5]

    def test_every_kind_of_number_in_a_file_is_in_a_vector(self, tmp_path: Path) -> None:
        kinds = {
            "decimal": arrow.array([Decimal("0.3"), Decimal(2)], arrow.decimal128(5, 1)),
            "boolean": arrow.array([True, False]),
            "category": arrow.array([7, 8]).dictionary_encode(),
            "unsigned": arrow.array([2**63, 1], arrow.uint64()),
        }
        expected = np.array([[0.3, 1, 7, 2**63], [2, 0, 8, 1]], np.float32)
        table = arrow.table(kinds)
        pq.write_table(table, tmp_path / "rows.parquet")
        echo = Echo()
        with echo.client() as client:
            infer(client, URL, table, vector=True)
            list(infer_batches(client, URL, table.to_batches(), vector=True))
            infer_dataset(client, URL, tmp_path / "rows.parquet", tmp_path / "out", vector=True)
        assert [sent.column("tensor").to_pylist() for sent in echo.sent] == [expected.tolist()] * 3

    def test_an_error_of_the_engine_says_how(self, client: Client) -> None:
        rows = pd.DataFrame({"a": [1.5], "b": [2.5], "c": [3.5]})
        with pytest.raises(EngineError, match=r"send them as one: vector=True \(--vector"):
            infer(client, NAME, rows)
        with pytest.raises(EngineError) as raised:
            infer(client, NAME, rows, vector=True, columns=["a"])
        assert "vector=True" not in str(raised.value)

    def test_scored_rows_are_sent_by_their_inputs(self, client: Client) -> None:
        scored = infer(client, NAME, pd.DataFrame([[1.5, 2.5, 3.5]], columns=["a", "b", "c"]), vector=True)
        with pytest.raises(EngineError, match=r"These are scored rows: send their inputs, in\.…, under"):
            infer(client, NAME, scored)

    def test_a_column_that_is_not_there_gets_the_near_ones(self) -> None:
        with (
            Echo().client() as client,
            pytest.raises(InvalidDataError, match="no column 'radios' in the rows, but radius"),
        ):
            infer(client, URL, pd.DataFrame({"radius": [1.5], "area": [1]}), columns=["radios"])

    @pytest.mark.parametrize(
        ("columns", "message"),
        [([], "`columns` is empty"), (["a", "a"], "`columns` has 'a' twice"), ((), "`columns` is empty")],
    )
    def test_wrong_columns_are_said_as_in_a_run(self, columns: Any, message: str) -> None:
        rows = arrow.table({"a": [1.5]})
        with Echo().client() as client:
            with pytest.raises(InvalidDataError, match=message):
                infer(client, URL, rows, columns=columns)
            with pytest.raises(InvalidDataError, match=message):
                list(infer_batches(client, URL, rows.to_batches(), columns=columns))

    def test_an_index_of_pandas_is_sent_where_it_is_named(self) -> None:
        echo = Echo()
        frame = pd.DataFrame({"a": [1.5]}, index=pd.Index([7], name="id"))
        with echo.client() as client:
            infer(client, URL, frame)
            infer(client, URL, frame, columns=["id", "a"])
            infer(client, URL, frame, columns="a")
        assert [table.column_names for table in echo.sent] == [["a"], ["id", "a"], ["a"]]

    def test_a_number_beyond_those_of_a_vector_is_refused(self) -> None:
        rows = {"a": [1.5, 2.5], "b": [0, -1e39]}
        echo, rejected = Echo(), list[Any]()
        with echo.client() as client:
            with pytest.raises(
                InvalidDataError, match=r"'b' has -1e\+39 in row 1, which is too large for the 32-bit floats"
            ):
                infer(client, URL, rows, vector=True)
            batches = arrow.table(rows).to_batches()
            list(infer_batches(client, URL, batches, vector=True, rejected=rejected.append))
        assert [each.row for each in rejected] == [1]
        assert echo.columns() == {"tensor": [[1.5, 0.0]]}

    @pytest.mark.parametrize("value", ["x", pd.Timestamp("2024-01-01"), pd.Timedelta(1)])
    def test_other_values_are_in_no_vector(self, value: Any) -> None:
        with (
            Echo().client() as client,
            pytest.raises(InvalidDataError, match="vector is made of columns of numbers, and 'b'"),
        ):
            infer(client, URL, pd.DataFrame({"a": [1], "b": [value]}), vector=True)


def _frame() -> Any:
    return arrow.table(FRAME)


async def _async_batches(client: Client, options: dict[str, Any]) -> None:
    async for _ in aio.infer_batches(client, URL, _frame().to_batches(), **options):
        pass


def _file(tmp_path: Path) -> Path:
    pq.write_table(_frame(), tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


ROUTES: dict[str, Callable[[Client, Path, dict[str, Any]], object]] = {
    "infer": lambda client, _, options: infer(client, URL, _frame(), **options),
    "infer of pandas": lambda client, _, options: infer(client, URL, pd.DataFrame(FRAME), **options),
    "infer of a file": lambda client, path, options: infer(client, URL, _file(path), **options),
    "aio.infer": lambda client, _, options: asyncio.run(aio.infer(client, URL, _frame(), **options)),
    "aio.infer of a file": lambda client, path, options: asyncio.run(aio.infer(client, URL, _file(path), **options)),
    "infer_batches": lambda client, _, options: list(infer_batches(client, URL, _frame().to_batches(), **options)),
    "aio.infer_batches": lambda client, _, options: asyncio.run(_async_batches(client, options)),
    "infer_dataset": lambda client, path, options: infer_dataset(
        client, URL, _file(path), path / "out", max_errors=0, **options
    ),
    "aio.infer_dataset": lambda client, path, options: asyncio.run(
        aio.infer_dataset(client, URL, _file(path), path / "out", max_errors=0, **options)
    ),
}


class TestMissing:
    @pytest.mark.parametrize("route", ROUTES)
    @pytest.mark.parametrize("vector", [False, True])
    def test_every_function_refuses_them_unless_it_is_told(self, route: str, *, vector: bool, tmp_path: Path) -> None:
        echo = Echo()
        score = ROUTES[route]
        with echo.client() as client:
            for options in ({}, {"missing": "reject"}):
                with pytest.raises(InvalidDataError, match=r"'a' has no number in row 1.*missing=.nan"):
                    score(client, tmp_path, {"vector": vector, **options})
            assert not echo.sent
            score(client, tmp_path, {"vector": vector, "missing": "nan"})
        sent = echo.columns()
        if vector:
            assert repr(sent["tensor"]) == repr([[1.5, 1.0, 1.0], [NAN, 2.0, 0.0], [2.5, 3.0, 1.0]])
        else:
            assert repr(sent["a"]) == repr([1.5, NAN, 2.5])

    @pytest.mark.parametrize("route", ROUTES)
    def test_another_value_of_the_option_is_refused(self, route: str, tmp_path: Path) -> None:
        with (
            Echo().client() as client,
            pytest.raises(InvalidDataError, match="`missing` is one of reject, nan, not 'drop'"),
        ):
            ROUTES[route](client, tmp_path, {"missing": "drop"})

    @pytest.mark.parametrize("request_rows", [1, 4, 100])
    def test_rows_without_a_number_are_rejected_in_their_places_and_the_others_go_together(
        self, request_rows: int
    ) -> None:
        numbers = [n if n % 3 else None for n in range(20)]
        rows = arrow.table({"key": range(20), "x": arrow.array(numbers, arrow.float64())})
        echo, rejected = Echo(), list[Any]()
        with echo.client() as client:
            options: Any = {"keys": ["key"], "request_rows": request_rows, "in_flight": 1}
            scored = list(infer_batches(client, URL, rows.to_batches(), rejected=rejected.append, **options))
        table = arrow.Table.from_batches(scored)
        assert table.column("key").to_pylist() == [n for n in range(20) if n % 3]
        assert table.column("out.x").to_pylist() == [float(n) for n in range(20) if n % 3]
        assert [(each.row, each.keys) for each in rejected] == [(n, {"key": n}) for n in range(0, 20, 3)]
        assert len(echo.sent) <= -(-20 // request_rows)

    def test_they_are_in_the_errors_file_of_a_run_with_those_of_the_engine(self, tmp_path: Path) -> None:
        rows = {"key": range(6), "x": [0.5, NAN, 2.5, None, 4.5, 5.5], "refuse": [None, None, "no", None, None, "no"]}
        pq.write_table(arrow.table(rows), tmp_path / "rows.parquet")
        with Echo(refuses=True).client() as client:
            done = infer_dataset(
                client, URL, tmp_path / "rows.parquet", tmp_path / "out", keys=["key"], max_errors=None
            )
        assert (done.rows, done.rejected) == (2, 4)
        assert read_output(tmp_path / "out").column("key").to_pylist() == [0, 4]

    @pytest.mark.parametrize("vector", [True, False])
    def test_a_run_in_which_every_row_lacks_a_number_says_so(self, *, vector: bool, tmp_path: Path) -> None:
        pq.write_table(arrow.table({"x": [NAN, None]}), tmp_path / "rows.parquet")
        with Echo().client() as client, pytest.raises(InvalidDataError, match=r"all 2: .*no number in row 0") as raised:
            infer_dataset(client, URL, tmp_path / "rows.parquet", tmp_path / "out", vector=vector)
        assert ("`vector`" in str(raised.value)) != vector

    def test_a_run_with_the_other_value_is_another_run(self, tmp_path: Path) -> None:
        pq.write_table(arrow.table({"x": [0.5, NAN]}), tmp_path / "rows.parquet")
        with Echo().client() as client:
            infer_dataset(client, URL, tmp_path / "rows.parquet", tmp_path / "out", missing="nan")
            with pytest.raises(InvalidDataError, match="output of another run"):
                infer_dataset(client, URL, tmp_path / "rows.parquet", tmp_path / "out")

    def test_json_has_no_nan_to_send(self) -> None:
        with Echo().client() as client, pytest.raises(InvalidDataError, match=r"JSON has no NaN.*Send it as Arrow\."):
            infer(client, URL, {"a": [1.5, None]}, missing="nan", wire="pandas-records")


class TestCommand:
    @pytest.fixture
    def wallaroo(
        self, sandbox: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> Callable[..., Done]:
        del url
        return in_process(sandbox, monkeypatch, capsys)

    @pytest.fixture
    def file(self, tmp_path: Path) -> str:
        path = tmp_path / "rows.csv"
        path.write_text("a,b,c\n1.5,1,2\n,2,3\n2.5,nan,4\n", encoding="utf-8")
        return str(path)

    def test_infer_has_the_option(self, wallaroo: Callable[..., Done], file: str, tmp_path: Path) -> None:
        refused = wallaroo("infer", NAME, file, "--vector")
        assert (refused.code, "'a' has no number in row 1" in refused.sentence) == (2, True)
        assert "--missing nan" in refused.sentence
        out = tmp_path / "scored.parquet"
        assert wallaroo("infer", NAME, file, "--vector", "--missing", "nan", "--output", str(out)).code == 0
        expected = [[1.5, 1.0, 2.0], [NAN, 2.0, 3.0], [2.5, NAN, 4.0]]
        assert repr(vectors(pq.read_table(out))) == repr(expected)

    def test_batch_has_the_option(self, wallaroo: Callable[..., Done], file: str, tmp_path: Path) -> None:
        begin = ("batch", file, str(tmp_path / "out"), "--pipeline", NAME, "--vector")
        assert "2 rows rejected" in wallaroo(*begin).err
        done = wallaroo(*begin[:2], str(tmp_path / "all"), *begin[3:], "--missing", "nan")
        assert (done.code, "rejected" in done.err) == (0, False)
        assert read_output(tmp_path / "all").num_rows == 3

    @pytest.mark.parametrize(
        ("where", "code", "message"),
        [
            (f"{NAME}s", 1, f"Near names: {NAME}"),
            ("api.example.com/infer", 2, "neither a name nor a URL"),
        ],
    )
    def test_a_wrong_name_is_said(
        self, wallaroo: Callable[..., Done], file: str, where: str, code: int, message: str
    ) -> None:
        done = wallaroo("infer", where, file, "--vector", "--missing", "nan")
        assert (done.code, message in done.sentence) == (code, True)

    def test_columns_for_the_fields_of_a_model_are_said_to_be_a_vector(
        self, wallaroo: Callable[..., Done], file: str
    ) -> None:
        assert "--vector" in wallaroo("infer", NAME, file, "--missing", "nan").sentence
