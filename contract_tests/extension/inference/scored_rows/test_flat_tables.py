"""Is an answer of every release the same flat table, through every way of scoring rows?"""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

from contract_tests.support.data.recordings import recording
from contract_tests.support.servers.scoring_instance import (
    API,
    FORMS,
    MODELS,
    ROWS,
    SCORED,
    SUMS,
    TIME,
    URL,
    Adding,
)
from wallaroo_ext import aio, connect, infer, outputs
from wallaroo_ext._util.arrow.files import from_file, to_file
from wallaroo_ext._util.files.signatures import ARROW_FILE
from wallaroo_ext.inference.scored_rows.answers import read_answer
from wallaroo_ext.inference.scored_rows.flat_tables import flat_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.support.servers.scoring_instance import Form, Step

pa: Any = import_module("pyarrow")
ARROW_FORMS: list[Form] = [form for form in FORMS if "JSON" not in form]


def scored(form: Form, step: Step = "single", **options: Any) -> Any:
    """Return the rows that an instance scored."""
    with Adding(form, step).client() as client:
        return infer(client, URL, ROWS, **options)


def addresses(column: Any) -> Iterator[int]:
    """Yield where the buffers of a column are."""
    for chunk in column.chunks:
        yield from (buffer.address for buffer in chunk.buffers() if buffer is not None and buffer.size)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("step", SCORED)
def test_it_has_the_same_columns_and_values(form: Form, step: Step) -> None:
    table = scored(form, step)
    older = ["check_failures"] if "older" in form else []
    assert table.column_names == ["time", "in.tensor", *SCORED[step], *older, "anomaly.count"]
    assert table.schema.field("time").type == pa.timestamp("ms")
    assert table.schema.field("anomaly.count").type == pa.uint32()
    assert table.column("time").cast(pa.int64()).to_pylist() == [TIME] * 3
    assert table.column("in.tensor").to_pylist() == ROWS["tensor"]
    assert table.column("anomaly.count").to_pylist() == [0, 1, 0]
    given = outputs(table)
    np.testing.assert_array_equal(given["total"], np.array(SUMS)[:, None])
    if step == "shadow":
        np.testing.assert_array_equal(given["out_other.1.total"], -np.array(SUMS)[:, None])
    if step.startswith("split"):
        assert given["_model_split"].tolist() == [[MODELS[0]], [MODELS[1]], [MODELS[0]]]


@pytest.mark.parametrize("step", SCORED)
def test_in_arrow_nested_and_flat_are_equal_to_the_last_type(step: Step) -> None:
    tables = [scored(form, step) for form in ARROW_FORMS if "older" not in form]
    assert len(tables) > 2
    for table in tables[1:]:
        assert table.equals(tables[0])
        assert [f.metadata for f in table.schema] == [f.metadata for f in tables[0].schema]


@pytest.mark.parametrize("form", ["nested", "nested JSON"])
def test_metadata_comes_flat_where_it_is_asked_for(form: Form) -> None:
    table = scored(form, dataset=["*", "metadata"])
    assert table.column_names[-4:] == [
        f"metadata.{n}" for n in ("last_model", "pipeline_version", "elapsed", "dropped")
    ]
    assert table.column("metadata.elapsed").to_pylist() == [[1, 2]] * 3


@pytest.mark.parametrize("step", ["single", "shadow"])
def test_the_oldest_release_has_the_same_names(step: Step) -> None:
    table = scored("2022.4", step)
    named = ["out_other.1.0"] if step == "shadow" else []
    assert table.column_names[: 3 + len(named)] == ["time", "in.tensor", "out.0", *named]
    assert {"check_failures", "anomaly.count", "metadata.elapsed"} <= set(table.column_names)
    given = outputs(table)
    np.testing.assert_array_equal(given["0"], np.array(SUMS)[:, None])
    if step == "shadow":
        np.testing.assert_array_equal(given["out_other.1.0"], -np.array(SUMS)[:, None])


def test_an_answer_of_the_oldest_release_may_be_without_rows() -> None:
    output = {"Float": {"v": 1, "dim": [0, 2], "data": []}}
    body = json.dumps([{"time": TIME, "original_data": {"tensor": []}, "outputs": [output]}])
    table = read_answer("infer_pipeline", httpx.Response(200, text=body, request=httpx.Request("POST", URL)))
    assert (table.num_rows, table.column_names[:3]) == (0, ["time", "in.tensor", "out.0"])


def test_an_arrow_body_is_sent_with_accept_and_may_be_answered_in_json() -> None:
    instance = Adding("nested JSON")
    with instance.client() as client:
        table = infer(client, URL, ROWS)
    [headers] = instance.headers
    assert headers["content-type"] == headers["accept"] == "application/vnd.apache.arrow.file"
    assert outputs(table)["total"].tolist() == [[total] for total in SUMS]


def test_flattening_copies_no_values() -> None:
    _, body = Adding("nested", "shadow").answer("", {}, to_file(pa.table(ROWS)).to_pybytes())
    nested = from_file(body)
    kept = {address for column in nested.columns for address in addresses(column)}
    flat = flat_table(nested)
    assert flat.num_columns > nested.num_columns
    assert {address for column in flat.columns for address in addresses(column)} <= kept
    response = httpx.Response(200, content=body, request=httpx.Request("POST", URL))
    assert read_answer("infer_pipeline", response).equals(flat)


def test_a_nested_answer_without_rows_or_with_nulls_is_flat_too() -> None:
    part = pa.struct([pa.field("y", pa.list_(pa.float32()))])
    several: list[Any] = [[], [{"y": [1.0]}, None]]
    for rows in several:
        table = flat_table(pa.table({"out": pa.array(rows, part)}))
        assert table.column("out.y").to_pylist() == [row and row["y"] for row in rows]
    assert flat_table(pa.table({"out": pa.chunked_array([], part)})).column_names == ["out.y"]


def _flat(table: Any) -> Any:
    return flat_table(table)


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("ms", "UTC"), pa.uint64(), pa.int64()])
def test_a_time_of_any_unit_is_in_milliseconds(kind: Any) -> None:
    given = TIME * 1000 if kind == pa.timestamp("us") else TIME
    table = _flat(pa.table({"time": pa.array([given], pa.int64()).cast(kind)}))
    assert table.schema.field("time").type == pa.timestamp("ms")
    assert table.column("time").cast(pa.int64()).to_pylist() == [TIME]


def test_what_is_no_part_stays_as_it_is() -> None:
    table = pa.table({"time": ["noon"], "new": [{"a": 1}], "out_": [{"a": 1}], "out": [{"y": {"z": 1}}]})
    assert flat_table(table).to_pylist() == [{"time": "noon", "new": {"a": 1}, "out_": {"a": 1}, "out.y": {"z": 1}}]


@pytest.mark.parametrize("form", ["nested", "flat JSON", "2022.4"])
def test_in_asyncio_it_is_the_same(form: Form) -> None:
    instance = Adding(form, "shadow")

    async def score() -> Any:
        async with connect(
            API, token="t-51f0c9d2", transport=httpx.MockTransport(instance.later), environment={}
        ) as client:
            return await aio.infer(client, URL, ROWS)

    assert asyncio.run(score()).equals(scored(form, "shadow"))


class TestRecorded:
    """What real servers answered; see the recordings' own README."""

    def read(self, name: str) -> tuple[bytes, Any]:
        content = recording(f"inference/{name}").read_bytes()
        request = httpx.Request("POST", URL)
        return content, read_answer("infer_pipeline", httpx.Response(200, content=content, request=request))

    def test_a_nested_answer_of_2024(self) -> None:
        content, table = self.read("2024-04-nested-answer.arrow")
        assert content.startswith(ARROW_FILE)
        assert table.column_names == [
            "time",
            "in.tensor",
            "out.dense_1",
            "anomaly.count",
            *(f"metadata.{n}" for n in ("last_model", "pipeline_version", "elapsed", "dropped", "partition")),
        ]
        assert table.schema.field("time").type == pa.timestamp("ms")
        assert table.schema.field("in.tensor").metadata == {b"tensor_type": b'{"shape":[29]}'}
        nested = from_file(content)
        given: Any = nested.column("out").to_pylist()
        assert table.column("out.dense_1").to_pylist() == [row["dense_1"] for row in given]
        assert table.column("time").cast(pa.int64()).to_pylist() == nested.column("time").to_pylist()
        array = outputs(table)["dense_1"]
        assert (array.dtype, array.shape) == (np.float32, (nested.num_rows, 1))

    @pytest.mark.parametrize(
        "name",
        [
            "2023-03-20-answer-wallaroo-101.json",
            "2023-09-19-edge-answer-edge-classification-cybersecurity.json",
            "2023-09-19-edge-answer-edge-llm-summarization.json",
            "2023-11-20-edge-answer-edge-observability-assays.json",
            "2025-07-15-edge-answer-edge-observability-classification-finserv.json",
        ],
    )
    def test_answers_in_json(self, name: str) -> None:
        content, table = self.read(name)
        records = json.loads(content)
        assert table.column("time").cast(pa.int64()).to_pylist() == [record["time"] for record in records]
        assert table.column("anomaly.count").to_pylist() == [0] * len(records)
        for part in ("in", "out", "metadata"):
            for field in records[0][part]:
                expected = [record[part][field] for record in records]
                assert table.column(f"{part}.{field}").to_pylist() == expected, field
        assert list(outputs(table)) == list(records[0]["out"])

    def test_steps_with_several_models(self) -> None:
        steps = json.loads(recording("inference/steps.json").read_bytes())
        assert steps
        for step in steps:
            record = {"time": TIME} | {f"in.{name}": value for name, value in step["in"].items()} | step["out"]
            request = httpx.Request("POST", URL)
            table = read_answer("infer_pipeline", httpx.Response(200, json=[record], request=request))
            assert sorted(table.column_names) == sorted(step["columns"])
            given = outputs(table)
            assert {name.removeprefix("out.") for name in step["out"]} == set(given)
            for name, value in step["out"].items():
                assert given[name.removeprefix("out.")].tolist() == [value]
