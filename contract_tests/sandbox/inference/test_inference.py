"""Does inference take every type, shape and number of rows that models have, and answer as each release does?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
import pytest
from onnx import TensorProto, helper

from wallaroo_ext import EngineError, contract, infer, upload_model, wait_until_running
from wallaroo_ext.sandbox.http.problems import Problem
from wallaroo_ext.sandbox.inference import rows as read

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from wallaroo_mlops_client import Client

RECORDS, ARROW, TENSORS = contract.operation("infer_deployment").request_types
TYPES = {
    "float16": TensorProto.FLOAT16,
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "int8": TensorProto.INT8,
    "int16": TensorProto.INT16,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "uint8": TensorProto.UINT8,
    "uint16": TensorProto.UINT16,
    "uint32": TensorProto.UINT32,
    "uint64": TensorProto.UINT64,
    "bool": TensorProto.BOOL,
}


def model(
    nodes: list[Any], inputs: dict[str, tuple[int, list[Any]]], outputs: dict[str, tuple[int, list[Any]]]
) -> bytes:
    """Return a model of some nodes, with the types and shapes of inputs and outputs by name."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in outputs.items()],
    )
    made: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return made.SerializeToString()


def identity(kind: int, shape: list[Any]) -> bytes:
    return model([helper.make_node("Identity", ["x"], ["y"])], {"x": (kind, shape)}, {"y": (kind, shape)})


@pytest.fixture
def score(client: Client, workspace_id: int, deploy: Callable[..., tuple[str, str]]) -> Callable[..., pa.Table]:
    """Deploy models one after the other under a name, and score rows on them."""

    def run(name: str, rows: Any, *models: bytes) -> pa.Table:
        versions = [
            upload_model(client, content, name=f"{name}-{number}", workspace=workspace_id).id
            for number, content in enumerate(models)
        ]
        deployment, url = deploy(name, *versions)
        wait_until_running(client, deployment)
        return infer(client, url, rows)

    return run


@pytest.mark.parametrize("dtype", list(TYPES))
def test_every_type_that_onnx_and_arrow_share_goes_in_and_comes_out(dtype: str, score: Callable[..., pa.Table]) -> None:
    values = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype)
    if values.dtype.kind in "iuf":
        values[0, 2] = 100
    scored = score(f"type-{dtype}", {"x": values}, identity(TYPES[dtype], ["N", 3]))
    assert scored.column("out.y").to_pylist() == values.tolist()
    kind: Any = cast("Any", scored.schema).field("out.y").type
    assert kind.value_type == pa.from_numpy_dtype(values.dtype)


def test_strings_go_in_and_come_out(score: Callable[..., pa.Table]) -> None:
    table = pa.table({"x": [["a", "ü"], ["", "日本"]]})
    scored = score("strings", table, identity(TensorProto.STRING, ["N", 2]))
    assert scored.column("out.y").to_pylist() == [["a", "ü"], ["", "日本"]]


LISTS: list[Any] = [
    pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32())),
    pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32(), 2)),
    pa.array([[1.0, 2.0], [3.0, 4.0]], pa.large_list(pa.float64())),
    pa.array([[1, 2], [3, 4]], pa.list_(pa.int8())),
    pa.array([[9.0, 9.0], [1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32(), 2)).slice(1),
    pa.chunked_array([pa.array([[1.0, 2.0]]), pa.array([[3.0, 4.0]])]),
]


@pytest.mark.parametrize("column", LISTS, ids=["variable", "fixed", "large", "integers", "a slice", "chunks"])
def test_lists_of_every_kind_are_vectors(column: Any, score: Callable[..., pa.Table]) -> None:
    scored = score("lists", pa.table({"x": column}), identity(TensorProto.FLOAT, ["N", 2]))
    assert scored.column("out.y").to_pylist() == [[1.0, 2.0], [3.0, 4.0]]


def test_lists_of_empty_lists_are_refused_with_their_shape(score: Callable[..., pa.Table]) -> None:
    rows = pa.table({"x": pa.array([[], []], pa.list_(pa.list_(pa.float32())))})
    with pytest.raises(EngineError, match=r"'x' has rows of shape \[0, 0\], the model's input 'x' takes \[3, 2\]"):
        score("empty", rows, identity(TensorProto.FLOAT, ["N", 3, 2]))


def test_scalars_images_and_flattened_images(score: Callable[..., pa.Table]) -> None:
    scored = score("scalars", {"x": np.array([1.5, 2.5], np.float32)}, identity(TensorProto.FLOAT, ["N"]))
    assert scored.column("out.y").to_pylist() == [1.5, 2.5]
    image = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2)
    content = identity(TensorProto.FLOAT, ["N", 3, 2, 2])
    assert score("images", {"x": image}, content).column("out.y").to_pylist() == image.tolist()
    assert score("flat", {"x": image.reshape(2, -1)}, content).column("out.y").to_pylist() == image.tolist()


def test_a_model_for_a_fixed_number_of_rows_says_how_many(score: Callable[..., pa.Table]) -> None:
    with pytest.raises(EngineError, match=r"'x' takes exactly 2 rows at a time, not 3: export"):
        score("fixed", {"x": np.zeros((3, 3), np.float32)}, identity(TensorProto.FLOAT, [2, 3]))
    assert score("fixed", {"x": np.zeros((2, 3), np.float32)}, identity(TensorProto.FLOAT, [2, 3])).num_rows == 2


def test_several_inputs_and_outputs(score: Callable[..., pa.Table]) -> None:
    content = model(
        [helper.make_node("Add", ["a", "b"], ["sum"]), helper.make_node("Sub", ["a", "b"], ["difference"])],
        {"a": (TensorProto.FLOAT, ["N", 1]), "b": (TensorProto.FLOAT, ["N", 1])},
        {"sum": (TensorProto.FLOAT, ["N", 1]), "difference": (TensorProto.FLOAT, ["N", 1])},
    )
    frame = pd.DataFrame({"b": [[1.0], [2.0]], "a": [[5.0], [7.0]], "ignored": ["x", "y"]})
    scored = score("several", frame, content)
    assert scored.column("out.sum").to_pylist() == [[6.0], [9.0]]
    assert scored.column("out.difference").to_pylist() == [[4.0], [5.0]]


def test_steps_run_one_after_the_other(score: Callable[..., pa.Table]) -> None:
    double = model(
        [helper.make_node("Add", ["x", "x"], ["doubled"])],
        {"x": (TensorProto.FLOAT, ["N", 2])},
        {"doubled": (TensorProto.FLOAT, ["N", 2])},
    )
    negate = model(
        [helper.make_node("Neg", ["value"], ["negative"])],
        {"value": (TensorProto.FLOAT, ["N", 2])},
        {"negative": (TensorProto.FLOAT, ["N", 2])},
    )
    scored = score("steps", {"x": np.array([[1.0, 2.0]], np.float32)}, double, negate)
    assert scored.column("out.negative").to_pylist() == [[-2.0, -4.0]]
    assert "out.doubled" not in scored.column_names


def test_categories_are_their_values(score: Callable[..., pa.Table]) -> None:
    frame = pd.DataFrame({"x": pd.Categorical(["a", "b", "a"])})
    assert score("categories", frame, identity(TensorProto.STRING, ["N"])).column("out.y").to_pylist() == [
        "a",
        "b",
        "a",
    ]


def test_a_million_rows_in_one_request(score: Callable[..., pa.Table]) -> None:
    rows = np.random.default_rng(0).normal(size=(1_000_000, 4)).astype(np.float32)
    scored = score("million", {"x": rows}, identity(TensorProto.FLOAT, ["N", 4]))
    output: Any = scored.column("out.y").combine_chunks()
    assert scored.num_rows == 1_000_000
    np.testing.assert_array_equal(output.flatten().to_numpy().reshape(-1, 4), rows)


@pytest.mark.slow
def test_a_million_records_in_one_request(http: httpx.Client, score: Callable[..., pa.Table]) -> None:
    score("records", {"x": np.zeros(1, np.float32)}, identity(TensorProto.FLOAT, ["N"]))
    url = _url_of(http, "records")
    body = json.dumps([{"x": number} for number in range(1_000_000)]).encode()
    answer = http.post(url, content=body, headers={"Content-Type": RECORDS}, params={"dataset[]": "out"}, timeout=120)
    assert answer.status_code == 200
    records = answer.json()
    assert len(records) == 1_000_000
    assert records[-1] == {"out": {"y": 999_999.0}}


def _url_of(http: httpx.Client, name: str) -> str:
    body = {"workspace_id": 1, "pipeline_name": name}
    return http.post(contract.operation("get_pipeline_external_url").path, json=body).json()["url"]


@pytest.mark.parametrize("largest", [2**63, 2**64 - 1])
def test_integers_of_64_bits_without_a_sign_are_read_in_lists_too(largest: int) -> None:
    rows = read.read_rows("application/json; format=pandas-records", [{"x": [largest, 1]}, {"x": [0, 3]}], 64)
    assert rows.table.column("x").to_pylist() == [[largest, 1], [0, 3]]


@pytest.mark.parametrize("values", [[2**64, 1], [2**63, -1], [2**63, 1.5], [2**63, "1"], [2**63, None]])
def test_integers_that_no_type_holds_are_refused(values: list[Any]) -> None:
    with pytest.raises(Problem, match="'x' is no column of one type"):
        read.read_rows("application/json; format=pandas-records", [{"x": values}], 64)
