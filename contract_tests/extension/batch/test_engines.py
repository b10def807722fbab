"""Do Spark and Ray give what `infer_dataset` gives, and do they ship nothing but configuration?"""

from __future__ import annotations

import decimal
import os
import pickle
import shutil
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from contract_tests.support.data.batch_rows import read_output, scores_of, write_tables
from contract_tests.support.documentation import blocks, guide
from contract_tests.support.servers.echo_instance import URL, Echo
from contract_tests.support.servers.scoring_instance import MODELS, ROWS, SCORED, SUMS, Adding
from wallaroo_ext import (
    BatchRetries,
    ConfigurationError,
    InvalidDataError,
    connect,
    deploy_pipeline,
    infer_dataset,
    outputs,
    upload_model,
)
from wallaroo_ext.batch.options import ScoringOptions
from wallaroo_ext.engines import worker as workers
from wallaroo_ext.engines.ray import infer_ray_dataset
from wallaroo_ext.engines.spark import infer_dataframe

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from wallaroo_mlops_client import Client

    from contract_tests.support.servers.scoring_instance import Step
    from wallaroo_ext.sandbox.control_client import Sandbox

    Scored = Callable[..., Any]

pytestmark = pytest.mark.filterwarnings("ignore")  # what Spark and Ray warn of is theirs
arrow: Any = pa
pq: Any = parquet
SIZES = (3000, 1, 2500)


@pytest.fixture(scope="module")
def worker_environment(control: Sandbox, url: str) -> Generator[None]:
    """Yield the variables that the engines' processes get from this one."""
    del url
    with pytest.MonkeyPatch.context() as patch:
        for name, value in control.environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def spark(worker_environment: None) -> Generator[Any]:
    """Yield Spark in this process, with two cores."""
    del worker_environment
    sql = pytest.importorskip("pyspark.sql", reason="Spark needs pyspark: scripts/test --engines installs it")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java 17: apt-get install openjdk-17-jre-headless")
    builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    builder = builder.config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")  # its default drops the zone
    session = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="module")
def ray(worker_environment: None) -> Generator[Any]:
    """Yield Ray on this machine, with two cores."""
    del worker_environment
    module = pytest.importorskip("ray", reason="Ray is needed: scripts/test --engines installs it")
    module.init(
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=200 << 20,
        _node_ip_address="127.0.0.1",
        logging_level="error",
    )
    yield module
    module.shutdown()


@pytest.fixture(params=["spark", "ray"])
def scored(request: pytest.FixtureRequest, client: Client) -> Scored:
    """Return a function that scores a directory of Parquet by an engine, and returns its output as a table."""
    engine = request.getfixturevalue(request.param)

    def by_spark(pipeline: str, source: Path, target: Path, *, client: Client = client, **options: Any) -> Any:
        frame = engine.read.parquet(str(source))
        infer_dataframe(client, pipeline, frame, **options).write.parquet(str(target))
        return read_output(target)

    def by_ray(pipeline: str, source: Path, target: Path, *, client: Client = client, **options: Any) -> Any:
        rows = engine.data.read_parquet(str(source))
        infer_ray_dataset(client, pipeline, rows, **options).write_parquet(str(target))
        return read_output(target)

    return by_spark if request.param == "spark" else by_ray


def test_the_rows_are_those_of_infer_dataset(client: Client, scored: Scored, tmp_path: Path) -> None:
    write_tables(tmp_path / "in", *SIZES)
    infer_dataset(client, "rows", tmp_path / "in", tmp_path / "alone", keys=["id"])
    alone = read_output(tmp_path / "alone")
    table = scored("rows", tmp_path / "in", tmp_path / "out", keys=["id"], request_rows=300).sort_by("id")
    assert table.column_names == alone.column_names
    assert table.column("id").to_pylist() == list(range(sum(SIZES)))
    assert np.array_equal(scores_of(table), scores_of(alone))
    assert table.column("anomaly.count").to_pylist() == alone.column("anomaly.count").to_pylist()


def test_they_go_on_where_requests_fail(control: Sandbox, client: Client, scored: Scored, tmp_path: Path) -> None:
    del client
    write_tables(tmp_path / "in", 1000)
    faults = ({"kind": "truncated-answer"}, {"kind": "unknown-status"}, {"kind": "drop-during-answer"})
    control.add_faults(*({"operation": "infer_pipeline", "probability": 0.1, "seed": 3} | fault for fault in faults))
    try:
        options: Any = {"keys": ["id"], "request_rows": 50, "retries": BatchRetries(first_pause=0.01)}
        table = scored("rows", tmp_path / "in", tmp_path / "out", **options)
        assert sum(rule["applied"] for rule in control.faults()) > 0
    finally:
        control.clear_faults()
    assert sorted(table.column("id").to_pylist()) == list(range(1000))


def test_keys_are_what_the_file_says_and_an_index_of_pandas_is_no_value(
    lookup: str, scored: Scored, tmp_path: Path
) -> None:
    keys: dict[str, Any] = {
        "zip": ["00123", "NA", None],
        "money": arrow.array([decimal.Decimal("1.10"), None, decimal.Decimal("99999999999999999999.99")]),
        "utc": arrow.array([0, 1, None], arrow.timestamp("us", "UTC")),
        "local": arrow.array([0, 1, None], arrow.timestamp("us")),
        "day": arrow.array([0, -1, None], arrow.date32()),
        "small": arrow.array([-1, None, 127], arrow.int8()),
        "half": arrow.array([0.1, None, 0.5], arrow.float32()),
        "raw": [b"\0\xff", b"", None],
        "list": [[1, None], [], None],
        "row": [0, 1, 2],
    }
    table = arrow.table(keys | {"index": [1, 2, 99], "__index_level_0__": [7, 8, 9]})
    (tmp_path / "in").mkdir()
    pq.write_table(table, tmp_path / "in" / "a.parquet")
    found = scored(lookup, tmp_path / "in", tmp_path / "out", keys=list(keys), reasons="why")
    found = found.sort_by("row")  # engines promise no order
    assert found.column("out.value").to_pylist() == [1.0, 4.0, None]
    for name in keys:
        own, its = table.column(name), found.column(name)
        assert its.to_pylist() == own.to_pylist(), name
        assert its.type == own.type, name


def test_rejected_rows_are_errors_or_have_a_reason(lookup: str, scored: Scored, tmp_path: Path) -> None:
    values = [n % 10 for n in range(100)]
    values[57] = 99
    (tmp_path / "in").mkdir()
    pq.write_table(arrow.table({"index": values, "name": [f"n{n}" for n in range(100)]}), tmp_path / "in" / "a.parquet")
    options: Any = {"columns": ["index"], "keys": ["name"], "request_rows": 30}
    table = scored(lookup, tmp_path / "in", tmp_path / "out", reasons="why", **options).sort_by("name")
    rows = {row["name"]: row for row in table.to_pylist()}
    assert len(rows) == table.num_rows == 100
    assert [name for name, row in rows.items() if row["why"] is not None] == ["n57"]
    assert rows["n57"]["out.value"] is None
    assert "out of" in rows["n57"]["why"]
    assert all(rows[f"n{n}"]["out.value"] == values[n] ** 2 for n in range(100) if n != 57)
    with pytest.raises(Exception, match="out of"):
        scored(lookup, tmp_path / "in", tmp_path / "failed", **options)


@pytest.mark.parametrize("engine", ["spark", "ray"])
def test_the_guides_lines_run(
    request: pytest.FixtureRequest, client: Client, model_file: Path, tmp_path: Path, engine: str
) -> None:
    names = {"client": client, engine: request.getfixturevalue(engine)}
    write_tables(tmp_path / "in", 200)
    [lines] = [block for block in blocks(guide("spark-and-ray"), "python") if engine in block.code]
    program = lines.code.replace("s3://rows", str(tmp_path / "in"))
    with deploy_pipeline(client, "screening", upload_model(client, model_file, name="screening", workspace=1)):
        exec(compile(program, lines.page, "exec"), names)  # noqa: S102 - it is our own text
        scored: Any = names["scored"]
        assert scored.count() == 200


@pytest.mark.parametrize("step", ["shadow", "split"])
def test_outputs_of_several_models_come_through(scored: Scored, step: Step, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    pq.write_table(arrow.table(ROWS | {"id": [5, 6, 7]}), tmp_path / "in" / "rows.parquet")
    with Adding("nested", step).serving() as url:
        api = url.partition("/v1/")[0]
        with connect(api, token="t-51f0c9d2", environment={}) as client:
            options: Any = {"client": client, "connection": {"api_url": api}, "keys": ["id"]}
            table = scored(url, tmp_path / "in", tmp_path / "out", **options)
    table = table.sort_by("id")
    assert table.column_names == ["id", "time", *SCORED[step], "anomaly.count"]
    given = outputs(table)
    assert given["total"].tolist() == [[total] for total in SUMS]
    if step == "shadow":
        assert given["out_other.1.total"].tolist() == [[-total] for total in SUMS]
    else:
        assert {model["name"] for [model] in given["_model_split"]} <= {model["name"] for model in MODELS}


def test_no_rows_are_refused_with_a_reason(scored: Scored, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    schema = arrow.schema({"id": arrow.int64(), "dense_input": arrow.list_(arrow.float32())})
    pq.write_table(schema.empty_table(), tmp_path / "in" / "none.parquet")
    with pytest.raises(InvalidDataError, match="there are none"):
        scored("rows", tmp_path / "in", tmp_path / "out", keys=["id"])


def same(kind: Any) -> Any:
    return kind


class TestWhatIsShipped:
    @pytest.fixture
    def worker(self, client: Client, url: str) -> workers.Worker:
        return self.made(client, url)

    @staticmethod
    def made(client: Client, url: str, **connection: Any) -> workers.Worker:
        rows: Any = np.zeros((3, 29), np.float32)
        sample: Any = arrow.table({"id": [1, 2, 3], "dense_input": list(rows)})
        more: Any = {"connection": connection, "reasons": None, "types": same, "how": ScoringOptions(keys=("id",))}
        return workers.prepare_worker(client, url, sample, **more)

    def test_it_has_no_secret_and_no_client(self, control: Sandbox, client: Client, worker: workers.Worker) -> None:
        content = pickle.dumps(worker)
        sent: Any = client.get_httpx_client().post("/v1/api/workspaces/list", json={}).request
        token = sent.headers["Authorization"].removeprefix("Bearer ")
        for secret in (token, control.environment["WALLAROO_PASSWORD"], control.environment["WALLAROO_CLIENT_SECRET"]):
            assert len(secret) > 5
            assert secret.encode() not in content
        assert pickle.loads(content).url == worker.url  # noqa: S301 - it is our own

    def test_a_process_has_one_client(
        self, control: Sandbox, worker: workers.Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in control.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(workers, "_clients", {})
        assert workers.client_of(worker.connection) is workers.client_of({})
        assert workers.client_of({"timeout": 5}) is not workers.client_of({})
        rows: Any = arrow.table({"id": [7], "dense_input": [[0.0] * 29]})
        assert [each.column("id").to_pylist() for each in worker(rows.to_batches())] == [[7]]
        for key in ({}, {"timeout": 5}):
            workers.client_of(key).get_httpx_client().close()

    @pytest.mark.parametrize(
        "column",
        [
            arrow.array([1, 2], arrow.timestamp("ns")),
            arrow.array([1, 2**62], arrow.timestamp("us")),
            arrow.array([1, 2**30], arrow.date32()),
            arrow.array(["a", None], arrow.string_view()),
            arrow.array([[("k", 1)], None], arrow.map_(arrow.string(), arrow.int8())),
        ],
        ids=lambda column: str(column.type),
    )
    def test_a_rejected_row_has_its_keys_whatever_they_are(self, column: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        with Echo(refuses=True).client() as client:
            monkeypatch.setattr(workers, "_clients", {"{}": client})
            table: Any = arrow.table({"key": column, "refuse": arrow.array([None, "x"], arrow.string())})
            how = ScoringOptions(keys=("key",), columns=("refuse",))
            more: Any = {"connection": None, "reasons": "why", "types": same, "how": how}
            worker = workers.prepare_worker(client, URL, table.slice(0, 1), **more)
            found = arrow.Table.from_batches(list(worker(table.to_batches())))
        assert found.column("key").combine_chunks().equals(column)
        assert found.column("why").to_pylist() == [None, "refused"]

    def test_reasons_have_a_column_of_their_own(self) -> None:
        with Echo().client() as client:
            how = ScoringOptions(keys=("key",), columns=("a",))
            for reasons in ("key", "out.a"):
                with pytest.raises(InvalidDataError, match=f"`reasons` is '{reasons}', the name of a column"):
                    workers.prepare_worker(
                        client,
                        URL,
                        arrow.table({"key": [1], "a": [0.5]}),
                        connection=None,
                        reasons=reasons,
                        types=same,
                        how=how,
                    )

    def test_a_row_without_a_number_in_its_vector_keeps_its_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with Echo().client() as client:
            monkeypatch.setattr(workers, "_clients", {"{}": client})
            table: Any = arrow.table({"key": [1, 2, 3], "a": [0.5, None, 0.5], "b": [1.5, 1.5, 1.5]})
            how = ScoringOptions(keys=("key",), columns=("a", "b"), vector=True)
            more: Any = {"connection": None, "reasons": "why", "types": same, "how": how}
            worker = workers.prepare_worker(client, URL, table.slice(0, 1), **more)
            found = arrow.Table.from_batches(list(worker(table.to_batches())))
        assert found.column("key").to_pylist() == [1, 2, 3]
        assert [reason is None for reason in found.column("why").to_pylist()] == [True, False, True]

    @pytest.mark.parametrize(
        ("connection", "error", "message"),
        [
            ({"password": "p"}, ConfigurationError, "environment of the workers"),
            ({"token": "t"}, ConfigurationError, "environment of the workers"),
            ({"limits": object()}, ConfigurationError, "plain values"),
            ({"timeouts": 5}, TypeError, "no option 'timeouts'"),
        ],
    )
    def test_secrets_and_other_than_plain_values_are_refused(
        self, client: Client, url: str, connection: Any, error: Any, message: str
    ) -> None:
        with pytest.raises(error, match=message):
            self.made(client, url, **connection)


@pytest.mark.parametrize(("package", "function"), [("pyspark.sql", infer_dataframe), ("ray", infer_ray_dataset)])
def test_without_the_engine_it_says_what_to_install(client: Client, package: str, function: Any) -> None:
    try:
        __import__(package)
    except ImportError:
        with pytest.raises(ConfigurationError, match=r"pip install 'wallaroo-ext\[(spark|ray)\]'"):
            function(client, "rows", None)
    else:
        pytest.skip(f"{package} is installed, so that the message is not needed")


@pytest.mark.parametrize(
    ("module", "function"), [("pyspark.sql.pandas.types", infer_dataframe), ("ray.data", infer_ray_dataset)]
)
def test_options_are_checked_before_anything_is_read(
    client: Client, module: str, function: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, ModuleType("engine"))
    with pytest.raises(InvalidDataError, match="`request_rows` is a whole number"):
        function(client, "rows", None, request_rows=0)
