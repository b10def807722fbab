"""Are the results of a run over many rows the same from every release: in memory, on disk and on a cluster?"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import httpx
import pyarrow as pa
import pytest
from pyarrow import parquet

from contract_tests.support.data.batch_rows import read_output
from contract_tests.support.servers.scoring_instance import API, FORMS, MODELS, ROWS, SCORED, SUMS, URL, Adding
from wallaroo_ext import InvalidDataError, connect, infer_batches, infer_dataset, outputs
from wallaroo_ext.batch.options import ScoringOptions
from wallaroo_ext.engines import ray, spark, worker

if TYPE_CHECKING:
    from pathlib import Path

    from contract_tests.support.servers.scoring_instance import Form, Step

arrow: Any = pa
pq: Any = parquet
IDENTIFIED: Any = arrow.table(ROWS | {"id": [5, 6, 7]})


def check(table: Any, form: Form, step: Step, *more: str) -> None:
    """Make sure that scored rows have the columns and the values of a step."""
    older = ["check_failures"] if "older" in form else []
    assert table.column_names == ["id", "time", *SCORED[step], *older, "anomaly.count", *more]
    assert table.column("id").to_pylist() == [5, 6, 7]
    assert table.column("anomaly.count").to_pylist() == [0, 1, 0]
    given = outputs(table)
    assert given["total"].tolist() == [[total] for total in SUMS]
    if step == "shadow":
        assert given["out_other.1.total"].tolist() == [[-total] for total in SUMS]
    if step.startswith("split"):
        assert given["_model_split"].tolist() == [[MODELS[0]], [MODELS[1]], [MODELS[0]]]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("step", SCORED)
class TestEveryForm:
    def test_in_batches(self, form: Form, step: Step) -> None:
        with Adding(form, step).client() as client:
            scored = list(infer_batches(client, URL, IDENTIFIED.to_batches(), keys=["id"], request_rows=2))
        assert len(scored) == 2
        check(arrow.Table.from_batches(scored), form, step)

    def test_on_disk(self, form: Form, step: Step, tmp_path: Path) -> None:
        pq.write_table(IDENTIFIED, tmp_path / "rows.parquet")
        with Adding(form, step).client() as client:
            done = infer_dataset(client, URL, tmp_path / "rows.parquet", tmp_path / "out", keys=["id"], request_rows=2)
        assert (done.rows, done.requests) == (3, 2)
        check(read_output(tmp_path / "out"), form, step)

    @pytest.mark.parametrize("types", [ray.same_type, spark.spark_type])
    def test_on_a_cluster(self, form: Form, step: Step, types: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        how = ScoringOptions(keys=("id",), request_rows=2)
        with Adding(form, step).client() as client:
            sample = IDENTIFIED.slice(0, 2)
            made = worker.prepare_worker(client, URL, sample, connection=None, reasons="why", types=types, how=how)
            shipped: Any = pickle.loads(pickle.dumps(made))  # noqa: S301 - it is our own
            monkeypatch.setattr(worker, "_clients", {"{}": client})
            scored = arrow.Table.from_batches(list(shipped(IDENTIFIED.to_batches())))
        assert scored.schema.equals(made.schema)
        check(scored, form, step, "why")
        if types is spark.spark_type:
            assert scored.schema.field("anomaly.count").type == pa.int64()


def test_spark_gets_types_that_it_has_within_structs_too() -> None:
    kind = arrow.list_(arrow.struct([("at", arrow.timestamp("ms")), ("count", arrow.list_(arrow.uint32()))]))
    assert spark.spark_type(kind) == arrow.list_(
        arrow.struct([("at", arrow.timestamp("us")), ("count", arrow.list_(arrow.int64()))])
    )


def test_what_was_sent_and_metadata_are_left_out_unless_they_are_named() -> None:
    instance = Adding()
    options: list[dict[str, Any]] = [
        {},
        {"dataset": ["*", "in.tensor"]},
        {"dataset_exclude": "anomaly", "dataset_separator": "/"},
    ]
    rows = arrow.table(ROWS).to_batches()
    with instance.client() as client:
        names = [next(infer_batches(client, URL, rows, **each)).schema.names for each in options]
    assert names[0] == ["time", "out.total", "anomaly.count"]
    assert names[1][:3] == ["time", "in.tensor", "out.total"]
    assert "anomaly.count" not in names[2]
    parts = {"dataset[]": ["*"], "dataset.separator": ["."]}
    assert instance.queries == [
        parts | {"dataset.exclude[]": ["in", "metadata"]},
        parts | {"dataset[]": ["*", "in.tensor"], "dataset.exclude[]": ["metadata"]},
        parts | {"dataset.exclude[]": ["anomaly"], "dataset.separator": ["/"]},
    ]


def test_a_column_that_only_a_later_answer_has_is_an_error_and_not_dropped() -> None:
    answers = iter([{"out": {"a": 1.0}}, {"out": {"a": 2.0, "b": 3.0}}])
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=[next(answers)]))
    rows = arrow.table({"n": [1, 2]}).to_batches()
    with connect(API, token="t-51f0c9d2", transport=transport, environment={}) as client:
        scored = infer_batches(client, URL, rows, request_rows=1, in_flight=1)
        with pytest.raises(InvalidDataError, match=r"another schema.*it has the column 'out\.b', too"):
            list(scored)
