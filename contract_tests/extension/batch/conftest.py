"""Fixtures of the tests of runs over many rows: a sandbox for each file that can fail, its models, and a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from onnx import TensorProto, helper

from contract_tests.support.sandbox.deployments import deployed
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import RetryPolicy, connect
from wallaroo_ext.sandbox.control_client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from wallaroo_mlops_client import Client


@pytest.fixture(scope="module")
def control() -> Generator[Sandbox]:
    """Yield the control of a sandbox that can be told to fail without harm to other tests."""
    with running() as environment, Sandbox(environment) as steered:
        yield steered


@pytest.fixture(scope="module")
def url(control: Sandbox, model_file: Path) -> str:
    """Return the URL of the pipeline `rows`, which has the small model."""
    return deployed(dict(control.environment), model_file, "rows")


@pytest.fixture(scope="module")
def lookup(control: Sandbox) -> str:
    """Return the URL of the pipeline `lookup`, whose model takes an index from 0 to 9 and rejects any other."""
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "index"], ["value"])],
        "lookup",
        [helper.make_tensor_value_info("index", TensorProto.INT64, ["N"])],
        [helper.make_tensor_value_info("value", TensorProto.FLOAT, ["N"])],
        [helper.make_tensor("table", TensorProto.FLOAT, [10], [float(n * n) for n in range(10)])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return deployed(dict(control.environment), model.SerializeToString(), "lookup")


@pytest.fixture
def client(control: Sandbox, url: str) -> Generator[Client]:
    """Yield a client of the sandbox, which has the pipeline `rows` and no faults yet."""
    del url
    control.clear_faults()
    with connect(environment=control.environment, retries=RetryPolicy(first_pause=0.01)) as connected:
        yield connected
    control.clear_faults()
