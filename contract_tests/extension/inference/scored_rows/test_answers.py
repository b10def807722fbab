"""Are inference answers of every format and generation read as one kind of table, and what is no answer as an error?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import httpx
import numpy as np
import pytest

from contract_tests.support.recorded import DOCUMENT, NOTHING, exchanges, recorded_answer
from wallaroo_ext import AnswerTooLargeError, ContractViolationError, EngineError, NotFoundError, outputs
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.inference.media_types import arrow_media_type
from wallaroo_ext.inference.scored_rows.answers import from_records, read_answer
from wallaroo_ext.transport.response_errors import response_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyarrow import Table

pa: Any = import_module("pyarrow")
INFER = ("infer_pipeline", "infer_deployment")
TEXTS = pa.list_(pa.string())
NUMBERS = pa.list_(pa.float64())
TYPES: dict[str, Any] = {
    "time": pa.timestamp("ms"),
    "in.tensor": NUMBERS,
    "in.dense_input": NUMBERS,
    "out.dense_1": NUMBERS,
    "anomaly.count": pa.uint32(),
    "check_failures": TEXTS,
    "metadata.last_model": pa.string(),
    "metadata.pipeline_version": pa.string(),
    "metadata.elapsed": pa.list_(pa.int64()),
    "metadata.dropped": TEXTS,
    "metadata.partition": pa.string(),
}
"""The type of each column of a JSON answer of 2023 and later."""

NESTED: dict[str, Any] = {
    "time": 1701377058894,
    "in": {"tensor": [1.0, 2.5], "a.b": 3.5},
    "out": {"dense_1": [0.0014974177], "under_score": "x"},
    "anomaly": {"count": 0},
    "metadata": {"last_model": "{}", "pipeline_version": "", "elapsed": [1, 2], "dropped": [], "partition": "e"},
}


def read(content: bytes, kind: str = "application/json", separator: str = ".") -> Table:
    request = httpx.Request("POST", "https://api.example.com/infer")
    response = httpx.Response(200, content=content, headers={"Content-Type": kind}, request=request)
    return read_answer("infer_pipeline", response, separator)


def as_json(content: Any, separator: str = ".") -> Table:
    return read(json.dumps(content).encode(), separator=separator)


def types(table: Table) -> dict[str, Any]:
    return dict(zip(table.column_names, table.schema.types, strict=True))


def flattened(record: dict[str, Any], separator: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for part, fields in record.items():
        if isinstance(fields, Mapping):
            flat |= {f"{part}{separator}{name}": value for name, value in cast("dict[str, Any]", fields).items()}
        else:
            flat[part] = fields
    return flat


def with_count(record: dict[str, Any]) -> dict[str, Any]:
    """Return a flat record with the number of its failures, which every release has then."""
    failures = record.get("check_failures")
    return record if failures is None else record | {"anomaly.count": len(failures)}


def recorded() -> list[Any]:
    """Return every answer to an inference that is recorded in the documents, and the contract's examples."""
    found = [
        (exchange["id"], recorded_answer(exchange))
        for exchange in exchanges()
        if exchange["operation"] in INFER and recorded_answer(exchange) is not NOTHING
    ]
    examples = DOCUMENT["components"]["responses"]["Inference"]["content"]["application/json"]["examples"]
    found += [(f"contract/{name}", example["value"]) for name, example in examples.items()]
    return [pytest.param(answer, id=name) for name, answer in found if "outputs" not in answer[0]]


@pytest.mark.parametrize("answer", recorded())
def test_a_recorded_answer_is_read_without_loss(answer: list[dict[str, Any]]) -> None:
    table = as_json(answer)
    assert table.num_rows == len(answer)
    assert types(table) == {name: TYPES[name] for name in table.column_names}
    assert "out.dense_1" in table.column_names or "in.tensor" in table.column_names
    numbers = table.set_column(0, "time", table.column("time").cast(pa.int64()))
    assert numbers.to_pylist() == [with_count(flattened(record, ".")) for record in answer]


def test_the_recordings_cover_the_documents() -> None:
    assert len(recorded()) >= 8


def test_the_baseline_rows_of_an_assay_are_rows_like_any() -> None:
    baselines = [recorded_answer(found) for found in exchanges() if found["operation"] == "get_assay_baseline"]
    tables = [from_records(rows) for rows in baselines if rows is not NOTHING]
    assert tables
    for table in tables:
        assert table.num_rows > 0
        assert {"time", "in.tensor", "out.dense_2"} <= set(table.column_names)


def test_the_oldest_recorded_answer_has_its_output_by_number() -> None:
    [exchange] = [found for found in exchanges() if found["id"].startswith("external-inference-url-tutorial/perform")]
    [answer] = recorded_answer(exchange)
    tensor = answer["outputs"][0]["Float"]
    with pytest.raises(ContractViolationError, match=r"\[1000, 1\].*do not fit its \d+ values"):
        as_json([answer])  # it was printed from its beginning only
    tensor["dim"] = [len(tensor["data"]), 1]
    table = as_json([answer])
    assert types(table) == {
        "out.0": pa.list_(pa.float32()),
        "metadata.model_name": pa.string(),
        "metadata.model_version": pa.string(),
        "metadata.pipeline_name": pa.string(),
    }
    assert table.column("out.0").to_pylist() == [[value] for value in tensor["data"]], "as 32-bit numbers, every digit"
    assert set(table.column("metadata.model_name").to_pylist()) == {"urldemomodel"}
    assert outputs(table)["0"].shape == (len(tensor["data"]), 1)


@pytest.mark.parametrize("separator", [".", "_", "/", "::", "->"])
def test_nested_and_flat_answers_are_the_same_table(separator: str) -> None:
    nested = as_json([NESTED])
    assert nested.column_names == list(flattened(NESTED, "."))
    assert as_json([flattened(NESTED, separator)], separator).equals(nested)
    assert as_json([flattened(NESTED, ".")], separator).equals(nested), "a release that has no other separator"


def test_the_count_of_anomalies_is_read_from_both_forms() -> None:
    flat = {"time": 1, "anomaly.count": 2}
    assert as_json([flat]).equals(as_json([{"time": 1, "anomaly": {"count": 2}}]))
    assert types(as_json([flat]))["anomaly.count"] == pa.uint32()


def test_failures_are_texts_whatever_they_were() -> None:
    table = as_json([{"time": 1, "check_failures": ["a", {"b": 1}]}, {"time": 2, "check_failures": []}])
    assert table.column("check_failures").to_pylist() == [["a", '{"b": 1}'], []]
    assert table.column("anomaly.count").to_pylist() == [2, 0]


def test_an_arrow_answer_of_2025_is_read_as_it_is() -> None:
    schema: Any = pa.schema(
        [
            pa.field("time", pa.timestamp("ms")),
            pa.field("in.tensor", pa.list_(pa.field("item", pa.float32()))),
            pa.field("out.dense_1", pa.list_(pa.field("inner", pa.float32(), nullable=False)), nullable=False),
            pa.field("anomaly.count", pa.uint32(), nullable=False),
        ]
    )
    rows = [{"time": 0, "in.tensor": [1.0, 2.0], "out.dense_1": [0.5], "anomaly.count": 0}] * 3
    table = pa.Table.from_pylist(rows, schema)
    answered = read(to_file(table).to_pybytes(), arrow_media_type())
    assert answered.equals(table)
    assert answered.schema.equals(schema)
    np.testing.assert_array_equal(outputs(answered)["dense_1"], np.full((3, 1), 0.5, np.float32))


def test_an_arrow_answer_has_dots_whatever_its_names_are_joined_with() -> None:
    content = to_file(pa.table({"time": [1], "in/a": [2], "out/b/c": [3]})).to_pybytes()
    assert read(content, separator="/").column_names == ["time", "in.a", "out.b/c"]


def test_the_first_bytes_tell_the_format_where_the_content_type_does_not() -> None:
    content = to_file(pa.table({"out.y": [1]})).to_pybytes()
    assert read(content, "application/octet-stream").column_names == ["out.y"]
    assert read(b' [{"out": {"y": 1}}]', "text/plain").column_names == ["out.y"]


def test_a_field_that_some_rows_lack_is_null_there() -> None:
    table = as_json([{"time": 1, "out": {"a": 1}}, {"time": 2, "out": {"a": 2, "b": "x"}}])
    assert table.column("out.b").to_pylist() == [None, "x"]


def test_fields_that_nobody_knows_are_kept() -> None:
    table = as_json([{"time": 1, "new": {"deep": [1]}, "out": {"y": {"z": 1.5}}}])
    assert table.select(["new", "out.y"]).to_pylist() == [{"new": {"deep": [1]}, "out.y": {"z": 1.5}}]


def test_a_field_that_nobody_knows_may_have_values_of_several_types() -> None:
    table = as_json([{"out": {"y": 1}, "new": [1, "a"]}, {"out": {"y": 2}, "new": {"b": 1}}, {"out": {"y": 3}}])
    assert table.column("new").to_pylist() == ['[1, "a"]', '{"b": 1}', None]


def test_a_known_field_of_another_type_is_kept_as_it_is() -> None:
    table = as_json([{"time": "2023-11-30T20:44:18Z", "metadata": {"elapsed": "5 ms", "partition": 7}}])
    assert table.to_pylist() == [{"time": "2023-11-30T20:44:18Z", "metadata.elapsed": "5 ms", "metadata.partition": 7}]


@pytest.mark.parametrize(
    "value", [2**64 - 1, -(2**63), 0.1, 1e-300, 2.0**53, [[2**63, 1]], [1, 2.5], [[1], []], "", True, None, [None, 1.5]]
)
def test_values_are_read_to_the_last_digit(value: Any) -> None:
    [record] = as_json([{"out": {"y": value}}]).to_pylist()
    assert record == {"out.y": value}


def test_without_rows_there_is_an_empty_table() -> None:
    table = as_json([])
    assert (table.num_rows, outputs(table)) == (0, {})


def oldest(*outputs: Any, **more: Any) -> dict[str, Any]:
    return {"model_name": "m", "model_version": "v", "pipeline_name": "p", "outputs": list(outputs)} | more


def tensor(kind: str, dim: list[int], data: list[Any]) -> dict[str, Any]:
    return {kind: {"v": 1, "dim": dim, "data": data}}


def test_oldest_outputs_are_counted_through_all_models() -> None:
    first = oldest(tensor("Float", [2, 2], [0.1, 0.2, 0.3, 0.4]), tensor("String", [2], ["a", "b"]))
    last = oldest(tensor("Int64", [2, 1, 1], [1, 2]), tensor("Unknown", [2], [1.5, 2.5]), model_name="last")
    table = as_json([first, last])
    arrays = outputs(table)
    np.testing.assert_array_equal(arrays["0"], np.array([[0.1, 0.2], [0.3, 0.4]], np.float32))
    assert (arrays["1"].tolist(), arrays["2"].tolist(), arrays["3"].tolist()) == (
        ["a", "b"],
        [[[1]], [[2]]],
        [1.5, 2.5],
    )
    assert table.column("metadata.model_name").to_pylist() == ["last"] * 2


def test_an_oldest_answer_says_of_each_row_what_it_says_once() -> None:
    first = oldest(tensor("Float", [2, 1], [0.5, 1.5]), original_data={"a": [[1], [2]], "b": 7}, check_failures=["x"])
    more: dict[str, Any] = {"time": 1_666_890_213_354, "elapsed": [1, 2], "check_failures": [{"y": 1}], "new": [1, "a"]}
    shadow = {"m.2": [tensor("Float", [2, 1], [2.5, 3.5]), tensor("String", [2], ["p", "q"])]}
    table = as_json([first, oldest(tensor("Double", [2], [4.5, 5.5]), shadow_data=shadow, **more)])
    assert types(table)["time"] == pa.timestamp("ms")
    assert table.drop_columns(["time"]).to_pylist()[1] == {
        "in.a": [2],
        "out.0": [1.5],
        "out.1": 5.5,
        "out_m.2.0": [3.5],
        "out_m.2.1": "q",
        "check_failures": ["x", '{"y": 1}'],
        "anomaly.count": 2,
        "metadata.model_name": "m",
        "metadata.model_version": "v",
        "metadata.pipeline_name": "p",
        "metadata.elapsed": [1, 2],
        "metadata.new": '[1, "a"]',
    }
    assert list(outputs(table)) == ["0", "1", "out_m.2.0", "out_m.2.1"]


def test_what_an_oldest_answer_says_once_is_not_repeated_without_limit() -> None:
    record = oldest(tensor("Int8", [100_000], [1] * 100_000), new="x" * 100_000)
    with pytest.raises(AnswerTooLargeError):
        as_json([record])


@pytest.mark.parametrize("dim", [[500_000_000, 0], [1, 500_000_000, 0], [500_000_000, 0, 3]])
def test_lists_without_values_are_not_counted_as_nothing(dim: list[int]) -> None:
    with pytest.raises(AnswerTooLargeError):
        as_json([oldest(tensor("Float", dim, []))])


def test_an_output_may_have_nothing_for_a_row() -> None:
    assert as_json([oldest(tensor("Float", [2, 0, 4], []))]).column("out.0").to_pylist() == [[], []]


@pytest.mark.parametrize(
    "output",
    [
        {},
        {"Float": None},
        {"Float": {}, "Double": {}},
        5,
        tensor("Float", [], []),
        tensor("Float", [2], [1.0]),
        tensor("Float", [1], [1.0, 2.0]),
        tensor("Float", [-1], [1.0]),
        tensor("Float", [1], ["text"]),
        tensor("Float", [0, 1 << 31], []),
        tensor("Float", [1] * 33, [1.0]),
        {"Float": {"dim": ["1"], "data": [1.0]}},
    ],
)
def test_an_oldest_output_that_is_no_tensor_breaks_the_contract(output: Any) -> None:
    with pytest.raises(ContractViolationError):
        as_json([oldest(output)])


def test_oldest_outputs_have_the_same_rows() -> None:
    with pytest.raises(ContractViolationError, match="different numbers of rows"):
        as_json([oldest(tensor("Float", [1], [1.0]), tensor("Float", [2], [1.0, 2.0]))])


def broken() -> Iterator[Any]:
    whole = to_file(pa.table({"out.y": [[1.0, 2.0]] * 100})).to_pybytes()
    yield pytest.param(b"", "", "empty", id="empty")
    yield pytest.param(b"<html><p>sign in</p>", "text/html", "sign in", id="page")
    yield pytest.param(b"{", "application/json", "neither Arrow nor JSON", id="half JSON")
    yield pytest.param(b"\xff\xfe\xfd", "application/json", "neither Arrow nor JSON", id="no text")
    yield pytest.param(b'{"out": 1}', "application/json", "no list of records", id="object")
    yield pytest.param(b"[1]", "application/json", "no list of records", id="numbers")
    yield pytest.param(b"null", "application/json", "no list of records", id="null")
    yield pytest.param(b'[{"error": "no", "source": "engine"}]', "application/json", "none of a scored", id="error")
    yield pytest.param(b'[{"out": {"y": 1}}, {"out": {"y": "a"}}]', "application/json", "'out.y'", id="mixed")
    yield pytest.param(b"[" * 100_000, "application/json", "no rows", id="deep")
    yield pytest.param(b"ARROW1", arrow_media_type(), "no Arrow file", id="start of Arrow")
    for size in (10, len(whole) // 2, len(whole) - 1):
        yield pytest.param(whole[:size], arrow_media_type(), "no Arrow file", id=f"{size} bytes of Arrow")


@pytest.mark.parametrize(("content", "kind", "message"), list(broken()))
def test_what_holds_no_rows_breaks_the_contract(content: bytes, kind: str, message: str) -> None:
    with pytest.raises(ContractViolationError, match=message) as raised:
        read(content, kind)
    assert raised.value.status == 200
    assert raised.value.operation == "infer_pipeline"


def test_an_arrow_answer_whose_offsets_lie_is_not_read() -> None:
    content = to_file(pa.table({"out.y": [[1.0], [2.0]]})).to_pybytes()
    offsets, lying = (np.array([0, 1, end], np.int32).tobytes() for end in (2, 9000))
    assert content.count(offsets) == 1
    with pytest.raises(ContractViolationError, match="no Arrow file"):
        read(content.replace(offsets, lying), arrow_media_type())


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (400, {"code": 400, "status": "Error", "error": "bad width", "source": "engine"}, EngineError, "bad width"),
        (400, [{"code": 400, "status": "Error", "error": "bad", "source": "sidekick"}], EngineError, "bad"),
        (500, {"status": "Error", "error": "crashed", "source": "engine"}, EngineError, "crashed"),
        (404, {"code": 404, "msg": "no such"}, NotFoundError, "no such"),
    ],
)
def test_what_the_engine_says_is_an_error_of_its_own(
    status: int, body: Any, kind: type[Exception], message: str
) -> None:
    error = response_error("infer_pipeline", httpx.Response(status, json=body))
    assert isinstance(error, kind)
    assert message in str(error)
