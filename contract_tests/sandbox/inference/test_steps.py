"""Does a deployment run the steps of its pipeline, answer and log what they give, and say which it cannot run?"""

from __future__ import annotations

import io
import json
import uuid
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from onnx import TensorProto, helper

from contract_tests.support.servers.callers import post
from wallaroo_ext import contract, upload_model, wait_until_running

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from wallaroo_mlops_client import Client

pa: Any = import_module("pyarrow")
"""Its stubs want the types of values."""

RECORDS, ARROW = contract.operation("infer_pipeline").request_types
FLAT = {"dataset[]": "*", "dataset.exclude[]": "metadata", "dataset.separator": "."}
NAMES = ("champion", "rival", "third")


def multiplying(factor: float) -> bytes:
    """Return a model that multiplies its input `tensor` by a number."""
    constant = helper.make_tensor("factor", TensorProto.FLOAT, [1], [factor])
    graph = helper.make_graph(
        [helper.make_node("Mul", ["tensor", "factor"], ["variable"])],
        "multiplying",
        [helper.make_tensor_value_info("tensor", TensorProto.FLOAT, ["N", 2])],
        [helper.make_tensor_value_info("variable", TensorProto.FLOAT, ["N", 2])],
        [constant],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


@pytest.fixture
def models(client: Client, workspace_id: int) -> list[dict[str, str]]:
    """Return references to three models, which multiply by 2, 3 and 5."""
    references: list[dict[str, str]] = []
    for name, factor in zip(NAMES, (2, 3, 5), strict=True):
        version = upload_model(client, multiplying(factor), name=name, workspace=workspace_id)
        references.append({"name": name, "version": version.model_version, "sha": version.sha})
    return references


@pytest.fixture
def deployed(http: httpx.Client, workspace_id: int) -> Callable[[str, list[Any]], tuple[str, str]]:
    """Return a function that deploys steps under a name, and returns the deployment's name and its URL."""

    def deploy(name: str, steps: list[Any]) -> tuple[str, str]:
        body = {"pipeline_id": name, "workspace_id": workspace_id, "definition": {"steps": steps}}
        pipeline = post(http, "create_pipeline", body).json()
        ids = {"pipeline_id": pipeline["pipeline_pk_id"], "pipeline_version_pk_id": pipeline["pipeline_variant_pk_id"]}
        number = post(http, "deploy_pipeline", {"deploy_id": name} | ids).json()["id"]
        return f"{name}-{number}", contract.operation("infer_deployment").path.format(deployment=f"{name}-{number}")

    return deploy


def infer(http: httpx.Client, url: str, rows: list[dict[str, Any]], **params: str) -> list[dict[str, Any]]:
    answer = http.post(url, content=json.dumps(rows), headers={"Content-Type": RECORDS}, params=FLAT | params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def logged(http: httpx.Client, workspace_id: int, name: str) -> list[dict[str, Any]]:
    return post(http, "get_pipeline_logs", {"pipeline_name": name, "workspace_id": workspace_id, "order": "Asc"}).json()


def test_shadows_are_answered_and_logged(
    http: httpx.Client,
    client: Client,
    workspace_id: int,
    models: list[dict[str, str]],
    deployed: Callable[[str, list[Any]], tuple[str, str]],
) -> None:
    name = f"shadow-{uuid.uuid4().hex[:8]}"
    steps: list[Any] = [{"ModelInference": {"models": models}}, {"AuditResults": {"from": 1, "to": None}}]
    deployment, url = deployed(name, [*steps, {"MultiOut": {}}])
    wait_until_running(client, deployment)
    [row] = infer(http, url, [{"tensor": [1.0, 2.0]}])
    outputs = {name: value for name, value in row.items() if name.startswith("out")}
    assert outputs == {
        "out.variable": [2.0, 4.0],
        "out_rival.variable": [3.0, 6.0],
        "out_third.variable": [5.0, 10.0],
    }
    body = io.BytesIO()
    table = pa.table({"tensor": pa.array([[1.0, 2.0]] * 2, pa.list_(pa.float32()))})
    with pa.ipc.new_file(body, table.schema) as writer:
        writer.write_table(table)
    headers = {"Content-Type": ARROW, "Accept": ARROW}
    nested = pa.ipc.open_file(http.post(url, content=body.getvalue(), headers=headers).content).read_all()
    assert nested.column("out_third").to_pylist() == [{"variable": [5.0, 10.0]}] * 2
    [first] = logged(http, workspace_id, name)  # the rows in Arrow, which are of another type, are on the next page
    assert (first["out"], first["out_rival"]) == ({"variable": [2.0, 4.0]}, {"variable": [3.0, 6.0]})
    running = post(http, "get_deployment_status", {"name": deployment}).json()["engines"][0]["model_statuses"]
    assert [model["name"] for model in running["models"]] == list(NAMES)


def test_a_split_gives_each_row_to_the_model_that_its_field_names(
    http: httpx.Client,
    client: Client,
    workspace_id: int,
    models: list[dict[str, str]],
    deployed: Callable[[str, list[Any]], tuple[str, str]],
) -> None:
    name = f"split-{uuid.uuid4().hex[:8]}"
    split = {"split_key": "card", "control": models[0], "routes": {"gold": models[1]}}
    deployment, url = deployed(name, [{"MetaValueSplit": split}])
    wait_until_running(client, deployment)
    rows = infer(http, url, [{"tensor": [1.0, 1.0], "card": card} for card in ("tin", "gold", "gold")])
    assert [row["out.variable"][0] for row in rows] == [2.0, 3.0, 3.0]
    assert [json.loads(row["out._model_split"][0]) for row in rows] == [models[0], models[1], models[1]]
    found = logged(http, workspace_id, name)
    assert sorted(row["out"]["variable"][0] for row in found) == [2.0, 3.0, 3.0]
    assert {json.loads(row["metadata"]["last_model"])["model_name"] for row in found} == {"champion", "rival"}


def test_a_step_that_is_not_known_is_an_error_that_names_it(
    http: httpx.Client, models: list[dict[str, str]], deployed: Callable[[str, list[Any]], tuple[str, str]]
) -> None:
    name = f"unknown-{uuid.uuid4().hex[:8]}"
    deployment, url = deployed(name, [{"ModelInference": {"models": models}}, {"Average": {}}])
    status: dict[str, Any] = {"status": "Starting"}
    while status["status"] == "Starting":
        status = post(http, "get_deployment_status", {"name": deployment}).json()
    assert status["status"] == "Error"
    assert "'Average'" in status["engines"][0]["details"][0]
    answer = http.post(url, content=b'[{"tensor": [1, 2]}]', headers={"Content-Type": RECORDS})
    assert (answer.status_code, "Error" in answer.text) == (503, True)


def test_models_of_every_step_have_to_be_in_the_workspace(http: httpx.Client, workspace_id: int) -> None:
    missing = {"name": "nowhere", "version": "v", "sha": "s"}
    steps = [{"RandomSplit": {"weights": [{"weight": 1, "model": missing}]}}]
    body = {"pipeline_id": "missing", "workspace_id": workspace_id, "definition": {"steps": steps}}
    answer = http.post(contract.operation("create_pipeline").path, json=body)
    assert (answer.status_code, "'nowhere'" in answer.json()["msg"]) == (400, True)
