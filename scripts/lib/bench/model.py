"""The model that the measurements score, rows for it, its deployment, and the token for bare requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pyarrow as pa
from onnx import TensorProto, helper, numpy_helper

from wallaroo_ext import contract, deploy_pipeline, upload_model

if TYPE_CHECKING:
    from wallaroo_mlops_client import Client

    from wallaroo_ext import Deployment

arrow: Any = pa
WIDTH, HIDDEN = 29, 64


def model_content(width: int = WIDTH) -> bytes:
    """Return the ONNX file of a network with 29 inputs or as many as are given, 64 hidden units and one output."""
    random = np.random.default_rng(0)
    weights = {
        "w1": random.normal(size=(width, HIDDEN)).astype(np.float32),
        "w2": random.normal(size=(HIDDEN, 1)).astype(np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["dense_input", "w1"], ["sums"]),
        helper.make_node("Relu", ["sums"], ["hidden"]),
        helper.make_node("MatMul", ["hidden", "w2"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["dense_1"]),
    ]
    graph = helper.make_graph(
        nodes,
        "bench",
        [helper.make_tensor_value_info("dense_input", TensorProto.FLOAT, ["N", width])],
        [helper.make_tensor_value_info("dense_1", TensorProto.FLOAT, ["N", 1])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def deploy_model(client: Client, width: int = WIDTH) -> Deployment:
    """Upload the model and deploy it. Returns the deployment."""
    name = "bench" if width == WIDTH else f"bench-{width}"
    return deploy_pipeline(client, name, upload_model(client, model_content(width), name=name))


def authorization(client: Client) -> str:
    """Return the Authorization header that a client sends."""
    answer = client.get_httpx_client().post(contract.operation("list_workspaces").path, json={})
    return answer.request.headers["Authorization"]


def rows_of(count: int, seed: int = 1, width: int = WIDTH) -> Any:
    """Return a table of random rows with their numbers in the column `id`."""
    values = np.random.default_rng(seed).normal(size=count * width).astype(np.float32)
    inputs = arrow.FixedSizeListArray.from_arrays(arrow.array(values), width)
    return arrow.table({"id": arrow.array(np.arange(count)), "dense_input": inputs})
