"""Fixtures of the batch tests: a sandbox that can be told to fail, and a model that rejects some rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from onnx import TensorProto, helper

from contract_tests.support.sandbox.deployments import deployed
from wallaroo_ext.sandbox.control_client import Sandbox
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="module")
def place() -> Generator[Sandbox]:
    """Yield a sandbox that can be told to fail without harm to other tests."""
    with running() as environment, Sandbox(environment) as control:
        yield control


@pytest.fixture(scope="module")
def lookup(place: Sandbox) -> str:
    """Return the URL of a model that takes an index from 0 to 9, and rejects others."""
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "index"], ["value"])],
        "lookup",
        [helper.make_tensor_value_info("index", TensorProto.INT64, ["N"])],
        [helper.make_tensor_value_info("value", TensorProto.FLOAT, ["N"])],
        [helper.make_tensor("table", TensorProto.FLOAT, [10], [float(n * n) for n in range(10)])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return deployed(dict(place.environment), model.SerializeToString(), "lookup")
