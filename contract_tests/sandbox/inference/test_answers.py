"""Does an answer have the form of its release, in each format, with the outputs of every step?"""

from __future__ import annotations

import io
import json
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from scripts.lib.evidence.recordings import VARIABLE, inference_files, recordings_directory
from wallaroo_ext import contract
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.engine.results import Chosen, Result, Scored
from wallaroo_ext.sandbox.engine.steps import Model
from wallaroo_ext.sandbox.http.problems import Problem
from wallaroo_ext.sandbox.inference.answer_forms import Selection
from wallaroo_ext.sandbox.inference.answers import Answer, preferred_type
from wallaroo_ext.sandbox.inference.rows import Rows

if TYPE_CHECKING:
    from pathlib import Path

pa: Any = import_module("pyarrow")
"""Its stubs want the types of values, which tests have of all kinds."""

RECORDS, ARROW = contract.operation("infer_pipeline").request_types
OLDEST, *WITH_RECORDS = contract.RELEASES
WITH_ANOMALIES = ("2024.2", "2025.2")
METADATA = {
    "2023.1": ["last_model"],
    "2023.2": ["last_model", "pipeline_version", "elapsed"],
    "2023.4": ["last_model", "pipeline_version", "elapsed", "dropped", "partition"],
    "2024.2": ["last_model", "pipeline_version", "elapsed", "dropped", "partition"],
    "2025.2": ["last_model", "pipeline_version", "elapsed", "dropped", "partition"],
}
CHAMPION, RIVAL, OTHER = (Model(name, f"version of {name}", f"sha of {name}") for name in ("one", "two.1", "three"))
COUNT, WIDTH = 3, 29
EVERYTHING = Selection()
AS_PUBLISHED = Selection(["*"], ["metadata"], ".")
"""What published clients send."""


def outputs(value: float, name: str = "dense_1", *shape: int) -> dict[str, Any]:
    return {name: np.full((COUNT, *(shape or (1,))), value, np.float32)}


PLAIN = Scored([Result(CHAMPION, CHAMPION.name, outputs(0.25))], 7)
SHADOW = Scored(
    [Result(model, model.name, outputs(value)) for model, value in ((CHAMPION, 0.25), (RIVAL, 0.5), (OTHER, 0.75))], 7
)
SPLIT = Scored(
    [Result(None, CHAMPION.name, outputs(0.25))],
    7,
    chosen=Chosen([CHAMPION, RIVAL], np.array([0, 1, 0], np.int32)),
)


def answer(release: str, selection: Selection = EVERYTHING, *, scored: Scored = PLAIN, rows: Any = None) -> Answer:
    tensor = pa.array([[1.5] * WIDTH] * COUNT, pa.list_(pa.float32()))
    table = pa.table({"tensor": tensor}) if rows is None else rows
    return Answer(
        Rows(table, parse_ns=5), scored, "pipeline", "uuid", "engine-1", release, selection, 1_700_000_000_123
    )


def table_of(found: Answer) -> Any:
    return pa.ipc.open_file(io.BytesIO(b"".join(found.to_arrow()))).read_all()


def records_of(found: Answer) -> list[dict[str, Any]]:
    return json.loads(b"".join(found.to_json(64)))


class TestJson:
    @pytest.mark.parametrize("release", WITH_RECORDS)
    def test_a_record_has_the_parts_of_the_release(self, release: str) -> None:
        failures = "anomaly" if release in WITH_ANOMALIES else "check_failures"
        record = records_of(answer(release))[0]
        assert list(record) == ["time", "in", "out", failures, "metadata"]
        assert (record["time"], record["out"]) == (1_700_000_000_123, {"dense_1": [0.25]})
        assert record[failures] == ({"count": 0} if release in WITH_ANOMALIES else [])
        assert list(record["metadata"]) == METADATA[release]
        assert record["metadata"]["last_model"] == '{"model_name":"one","model_sha":"sha of one"}'
        if release != "2023.1":
            assert record["metadata"]["pipeline_version"] == ("uuid" if release in WITH_ANOMALIES else "")
            assert record["metadata"]["elapsed"] == [5, 7]

    @pytest.mark.parametrize("release", WITH_RECORDS)
    def test_names_are_joined_with_a_separator(self, release: str) -> None:
        failures = "anomaly.count" if release in WITH_ANOMALIES else "check_failures"
        assert list(records_of(answer(release, AS_PUBLISHED))[0]) == ["time", "in.tensor", "out.dense_1", failures]

    def test_the_oldest_release_has_one_object_for_all_rows(self) -> None:
        written = {"Float": {"v": 1, "dim": [COUNT, 1], "data": [0.25] * COUNT}}
        names = {"model_name": "one", "model_version": "version of one", "pipeline_name": "pipeline"}
        assert records_of(answer(OLDEST)) == [names | {"outputs": [written]}]
        [shadows] = records_of(answer(OLDEST, scored=SHADOW))
        assert list(shadows["shadow_data"]) == ["two.1", "three"]
        assert shadows["shadow_data"]["three"][0]["Float"]["data"] == [0.75] * COUNT

    def test_the_oldest_release_has_an_object_for_each_model_of_a_split(self) -> None:
        found = records_of(answer(OLDEST, scored=SPLIT))
        assert [(one["model_name"], one["outputs"][0]["Float"]["dim"]) for one in found] == [
            ("one", [2, 1]),
            ("two.1", [1, 1]),
        ]

    @pytest.mark.parametrize(
        ("selection", "keys"),
        [
            (Selection(["out"]), {"out": ["dense_1"]}),
            (Selection(["*"], ["metadata", "in"]), {"time": None, "out": ["dense_1"], "anomaly": ["count"]}),
            (Selection(["time", "metadata.partition"]), {"time": None, "metadata": ["partition"]}),
            (Selection(["*"], ["out.dense_1", "in", "metadata", "anomaly"]), {"time": None}),
        ],
    )
    def test_parts_are_selected_alike_in_both_formats(
        self, selection: Selection, keys: dict[str, list[str] | None]
    ) -> None:
        found = answer("2025.2", selection)
        record, table = records_of(found)[0], table_of(found)
        assert {name: list(object_of(value)) or None for name, value in record.items()} == keys
        assert table.schema.names == list(keys)
        row = table.slice(0, 1).to_pylist()[0]
        assert {name: list(object_of(value)) or None for name, value in row.items()} == keys

    def test_numbers_have_the_digits_of_their_precision(self) -> None:
        scored = Scored([Result(CHAMPION, "one", outputs(0.1) | {"double": np.full(COUNT, 0.1)})], 7)
        rows = pa.table({"x": pa.array([[0.3, 0.7]] * COUNT, pa.list_(pa.float32()))})
        written = b"".join(answer("2025.2", scored=scored, rows=rows).to_json(64))
        assert b'"in":{"x":[0.3,0.7]},"out":{"dense_1":[0.1],"double":0.1}' in written

    @pytest.mark.parametrize("scored", [PLAIN, SHADOW, SPLIT], ids=["plain", "shadow", "split"])
    @pytest.mark.parametrize("release", WITH_RECORDS)
    def test_records_are_the_same_in_blocks_of_any_size(
        self, release: str, scored: Scored, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        numbers = pa.array([[0.1, 0.2], [0.3], []], pa.list_(pa.float32()))
        found = answer(release, scored=scored, rows=pa.table({"x": numbers, "t": ["a", None, "},{"]}))
        whole = b"".join(found.to_json(64))
        for size, count in ((1, COUNT), (3000, 2)):
            monkeypatch.setattr("wallaroo_ext.sandbox.inference.answers._BLOCK_SIZE", size)
            blocks = list(found.to_json(64))
            assert b"".join(blocks) == whole
            assert len(blocks) == count

    def test_no_rows_are_an_empty_list(self) -> None:
        scored = Scored([Result(CHAMPION, "one", {"y": np.zeros((0, 1), np.float32)})], 7)
        assert records_of(answer("2025.2", scored=scored, rows=pa.table({"x": pa.array([], pa.float64())}))) == []

    def test_an_answer_that_takes_too_much_memory_is_refused(self) -> None:
        with pytest.raises(Problem, match="takes more than 0 MiB"):
            answer("2025.2").to_json(0)


class TestNestedArrow:
    def test_the_schema_is_that_of_a_real_server(self) -> None:
        files = inference_files(".arrow")
        if recordings_directory() is None:
            pytest.skip(f"There are no recordings of real servers here: name their directory by {VARIABLE}.")
        for file in files:
            with pa.ipc.open_file(str(file)) as recorded:
                assert table_of(answer("2024.2")).schema.equals(recorded.schema, check_metadata=True)
        assert files

    @pytest.mark.parametrize("release", WITH_ANOMALIES)
    def test_parts_are_structs_without_nulls_whose_fields_say_their_shape(self, release: str) -> None:
        schema = table_of(answer(release)).schema
        assert schema.names == ["time", "in", "out", "anomaly", "metadata"]
        assert [schema.field(name).nullable for name in schema.names] == [False] * 5
        assert schema.field("time").type == pa.int64()
        shapes = {("in", "tensor"): [WIDTH], ("out", "dense_1"): [1], ("anomaly", "count"): []}
        for (part, name), shape in shapes.items():
            field = schema.field(part).type.field(name)
            assert (json.loads(field.metadata[b"tensor_type"]), field.nullable) == ({"shape": shape}, False)
        kinds = {field.name: str(field.type) for field in schema.field("metadata").type}
        assert list(kinds) == METADATA[release]
        assert kinds["elapsed"] == "list<steps: uint64 not null>"

    @pytest.mark.parametrize("release", ["2022.4", "2023.1", "2023.2", "2023.4"])
    def test_before_2024_failures_are_a_list(self, release: str) -> None:
        table = table_of(answer(release))
        assert table.schema.names == ["time", "in", "out", "check_failures", "metadata"]
        assert table.column("check_failures").to_pylist() == [[]] * COUNT
        assert list(table.column("metadata").to_pylist()[0]) == METADATA.get(release, ["last_model"])

    def test_rows_are_the_same_as_in_json(self) -> None:
        for scored in (PLAIN, SHADOW, SPLIT):
            found = answer("2025.2", scored=scored)
            assert table_of(found).to_pylist() == records_of(found)

    def test_values_of_a_tensor_are_one_list(self) -> None:
        image = np.arange(COUNT * 12, dtype=np.float32).reshape(COUNT, 3, 2, 2)
        scored = Scored([Result(CHAMPION, "one", {"image": image, "scalar": image[:, 0, 0, 0]})], 7)
        rows = pa.table({"a": pa.array(image.tolist()), "b": ["x", "y", "z"]})
        table = table_of(answer("2025.2", scored=scored, rows=rows))
        for part, name in (("in", "a"), ("out", "image")):
            field = table.schema.field(part).type.field(name)
            assert json.loads(field.metadata[b"tensor_type"]) == {"shape": [3, 2, 2]}
            assert [row[name] for row in table.column(part).to_pylist()] == image.reshape(COUNT, -1).tolist()
        for part, name in (("in", "b"), ("out", "scalar")):
            assert json.loads(table.schema.field(part).type.field(name).metadata[b"tensor_type"]) == {"shape": []}

    @pytest.mark.parametrize("values", [[[1], [1, 2], []], [[1], None, [2]], [None, 1, 2]])
    def test_a_field_that_is_no_tensor_comes_as_it_was_sent(self, values: list[Any]) -> None:
        table = table_of(answer("2025.2", rows=pa.table({"x": pa.array(values)})))
        assert [row["x"] for row in table.column("in").to_pylist()] == values

    @pytest.mark.parametrize("count", [0, 5])
    def test_rows_in_chunks_and_no_rows_are_answered(self, count: int) -> None:
        chunks = [pa.array([[float(number)] * 2], pa.list_(pa.float32(), 2)) for number in range(count)]
        rows = pa.table({"x": pa.chunked_array(chunks, pa.list_(pa.float32(), 2))})
        scored = Scored([Result(CHAMPION, "one", {"y": np.zeros((count, 1), np.float32)})], 7)
        table = table_of(answer("2025.2", scored=scored, rows=rows))
        assert [row["x"] for row in table.column("in").to_pylist()] == [[number, number] for number in range(count)]
        assert table.schema.field("out").type.field("y").metadata == {b"tensor_type": b'{"shape":[1]}'}
        assert table.schema.names == ["time", "in", "out", "anomaly", "metadata"]

    def test_the_memory_of_rows_and_outputs_is_used_and_not_copied(self) -> None:
        tensor = pa.array([[1.5] * WIDTH] * 1000, pa.list_(pa.float32()))
        scores = np.zeros((1000, 1), np.float32)
        scored = Scored([Result(CHAMPION, "one", {"y": scores})], 7)
        found = answer("2025.2", scored=scored, rows=pa.table({"tensor": tensor}))
        addresses = {np.frombuffer(chunk, np.uint8).ctypes.data for chunk in found.to_arrow() if chunk.nbytes > 64}
        assert {tensor.buffers()[3].address, scores.ctypes.data} <= addresses


class TestFlatArrow:
    @pytest.mark.parametrize("release", WITH_ANOMALIES)
    def test_columns_are_those_that_published_clients_get(self, release: str) -> None:
        schema = table_of(answer(release, AS_PUBLISHED)).schema
        assert {field.name: str(field.type) for field in schema} == {
            "time": "timestamp[ms]",
            "in.tensor": "list<item: float>",
            "out.dense_1": "list<inner: float not null>",
            "anomaly.count": "uint32",
        }
        assert [field.nullable for field in schema] == [True, True, False, False]

    def test_before_2024_failures_are_a_list(self) -> None:
        schema = table_of(answer("2023.4", AS_PUBLISHED)).schema
        assert schema.names == ["time", "in.tensor", "out.dense_1", "check_failures"]
        assert str(schema.field("check_failures").type) == "list<item: string>"

    def test_metadata_are_there_unless_they_are_excluded(self) -> None:
        names = table_of(answer("2025.2", Selection(separator="."))).schema.names
        assert names[4:] == [f"metadata.{name}" for name in METADATA["2025.2"]]
        assert table_of(answer("2025.2", Selection(["metadata.partition"], separator="/"))).schema.names == [
            "metadata/partition"
        ]


def recorded_steps() -> list[dict[str, Any]]:
    directory = recordings_directory()
    file: Path | None = directory / "inference" / "steps.json" if directory else None
    return json.loads(file.read_text(encoding="utf-8")) if file and file.exists() else []


class TestSteps:
    @pytest.mark.parametrize("kind", ["shadow", "split"])
    def test_columns_are_those_of_a_real_server(self, kind: str) -> None:
        found = [step for step in recorded_steps() if f"({kind})" in step["step"]]
        if not found:
            pytest.skip(f"There are no recordings of real servers here: name their directory by {VARIABLE}.")
        for step in found:
            rows = pa.table({name: [value] for name, value in step["in"].items()})
            columns = table_of(answer("2025.2", AS_PUBLISHED, scored=scored_like(step), rows=rows)).schema.names
            assert columns == [*step["columns"], "anomaly.count"]

    def test_shadows_stand_beside_the_first_model(self) -> None:
        selection = Selection(["*"], ["metadata", "in", "time"], ".")
        flat = records_of(answer("2025.2", selection, scored=SHADOW))[0]
        assert flat == {
            "out.dense_1": [0.25],
            "out_two.1.dense_1": [0.5],
            "out_three.dense_1": [0.75],
            "anomaly.count": 0,
        }
        nested = records_of(answer("2025.2", scored=SHADOW))[0]
        assert [name for name in nested if name.startswith("out")] == ["out", "out_two.1", "out_three"]

    def test_a_split_names_the_model_of_each_row(self) -> None:
        found = table_of(answer("2025.2", AS_PUBLISHED, scored=SPLIT))
        column = found.column("out._model_split")
        assert str(column.type) == "list<inner: string not null>"
        chosen = [Model(**json.loads(text)) for [text] in column.to_pylist()]
        assert chosen == [CHAMPION, RIVAL, CHAMPION]

    def test_the_last_model_is_that_of_the_row(self) -> None:
        found = [json.loads(row["metadata"]["last_model"]) for row in records_of(answer("2025.2", scored=SPLIT))]
        assert [model["model_name"] for model in found] == ["one", "two.1", "one"]

    def test_rows_are_logged_by_the_model_that_scored_them(self) -> None:
        batches = list(answer("2025.2", scored=SPLIT).logged())
        assert [(batch.model_name, batch.table.num_rows) for batch in batches] == [("one", 2), ("two.1", 1)]
        assert batches[1].table.schema.names == ["time", "in.tensor", "out._model_split", "out.dense_1"]

    def test_shadows_and_audited_outputs_are_logged(self) -> None:
        [batch] = answer("2025.2", scored=SHADOW).logged()
        assert batch.table.schema.names[2:] == ["out.dense_1", "out_two.1.dense_1", "out_three.dense_1"]
        selected = replace(PLAIN, audited=[Result(RIVAL, RIVAL.name, outputs(0.5))])
        found = answer("2025.2", scored=selected)
        [audited] = found.logged()
        assert audited.table.schema.names[2:] == ["out.dense_1", "out_two.1.dense_1"]
        assert list(records_of(found)[0]["out"]) == ["dense_1"]
        assert "out_two.1" not in records_of(found)[0]


def scored_like(step: dict[str, Any]) -> Scored:
    """Return results of models of ours that have the names of recorded outputs."""
    results: list[Result] = []
    chosen = None
    for column in step["out"]:
        part, name = column.split(".", 1)
        model = CHAMPION._replace(name=part.removeprefix("out_"))
        if name == "_model_split":
            chosen = Chosen([model], np.zeros(1, np.int32))
        else:
            scores = {name: np.zeros((1, 1), np.float32)}
            results.append(Result(None if chosen else model, model.name, scores))
    return Scored(results, 7, chosen=chosen)


@pytest.mark.parametrize("accept", [None, "*/*", "application/*"])
def test_rows_in_arrow_are_answered_in_json_on_2023_1_unless_arrow_is_accepted(accept: str | None) -> None:
    for release in contract.RELEASES:
        by_default = answer(release).form.arrow_by_default
        kind = preferred_type(accept, ARROW, ARROW, arrow_by_default=by_default)
        assert kind == ("application/json" if release in {"2022.4", "2023.1"} else ARROW)
        assert preferred_type(ARROW, RECORDS, ARROW, arrow_by_default=by_default) == ARROW
        assert preferred_type(accept, RECORDS, ARROW, arrow_by_default=by_default) == "application/json"
