"""Is a deployment found by its name in one way everywhere, and is a name that fits several refused everywhere?"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from wallaroo_mlops_client.api.pipelines import copy_pipeline
from wallaroo_mlops_client.models import CopyPipelineRequest

from contract_tests.support.sandbox.deployments import is_deployed
from wallaroo_ext import (
    AmbiguousError,
    InvalidDataError,
    NotFoundError,
    aio,
    call,
    connect,
    deploy_pipeline,
    find_deployment,
    find_workspace,
    infer_batches,
    infer_dataset,
    undeploy,
    upload_model,
)
from wallaroo_ext.sandbox.control_client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import ModelVersion

    from contract_tests.support.command_line import Done

BATCH = pa.RecordBatch.from_pydict({"tensor": [[0.0] * 29]})


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.csv"
    values = np.zeros((2, 29))
    np.savetxt(file, values, delimiter=",", header=",".join(f"c{n}" for n in range(29)), comments="")
    return file


class TestTwoMeanings:
    """The deployment `x-1` of the pipeline `x`, beside the pipeline `x-1`, which is deployed as `x-1-2`."""

    @pytest.fixture(autouse=True)
    def both(self, client: Client, model: ModelVersion) -> None:
        assert deploy_pipeline(client, "x", model).name == "x-1"
        assert deploy_pipeline(client, "x-1", model).name == "x-1-2"

    def test_python_asyncio_and_batch_refuse_it(
        self, client: Client, sandbox: dict[str, str], rows: Path, tmp_path: Path
    ) -> None:
        actions: list[Callable[[], object]] = [
            lambda: find_deployment(client, "x-1"),
            lambda: undeploy(client, "x-1"),
            lambda: list(infer_batches(client, "x-1", [BATCH])),
            lambda: infer_dataset(client, "x-1", str(rows), tmp_path / "scored", vector=True),
        ]
        for action in actions:
            with pytest.raises(AmbiguousError) as raised:
                action()
            assert raised.value.candidates == [
                "x-1-2 (id 2, of the pipeline x-1, in the workspace 1)",
                "x-1 (id 1, of the pipeline x, in the workspace 1)",
            ]

        async def find() -> None:
            async with connect(environment=sandbox) as asynchronous:
                for what in (aio.find_deployment(asynchronous, "x-1"), aio.undeploy(asynchronous, "x-1")):
                    with pytest.raises(AmbiguousError, match="Give the deployment's id"):
                        await what

        asyncio.run(find())
        assert is_deployed(client, "x")
        assert is_deployed(client, "x-1-2")

    def test_so_does_every_command_and_nothing_ends(
        self, client: Client, wallaroo: Callable[..., Done], rows: Path, tmp_path: Path
    ) -> None:
        scored = str(tmp_path / "scored")
        for command in (
            ("undeploy", "x-1"),
            ("status", "x-1"),
            ("infer", "x-1", str(rows), "--vector"),
            ("batch", str(rows), scored, "--pipeline", "x-1", "--vector"),
        ):
            refused = wallaroo(*command)
            assert refused.code == 1
            assert "x-1 (id 1, of the pipeline x, in the workspace 1)" in refused.sentence
            assert "--id on the command line" in refused.sentence
        assert is_deployed(client, "x")
        assert is_deployed(client, "x-1-2")

    def test_the_id_says_which_one(
        self, client: Client, wallaroo: Callable[..., Done], rows: Path, tmp_path: Path
    ) -> None:
        assert find_deployment(client, "x-1", deployment_id=1).pipeline == "x"
        assert find_deployment(client, "x-1", deployment_id=2).pipeline == "x-1"
        there_are = "Under this name there are: x-1-2 (id 2, of the pipeline x-1, in the workspace 1), x-1 (id 1, "
        with pytest.raises(NotFoundError, match="with the deployment 3 is deployed in this user") as raised:
            find_deployment(client, "x-1", deployment_id=3)
        assert raised.value.advice.startswith(there_are)
        assert f"with the id 3. {there_are}" in wallaroo("undeploy", "x-1", "--id", "3").out
        assert json.loads(wallaroo("status", "x-1", "--id", "1", "--json").out)["name"] == "x-1"
        for command in (
            ("infer", "x-1", str(rows), "--vector", "--id", "2"),
            ("batch", str(rows), str(tmp_path / "scored"), "--pipeline", "x-1", "--vector", "--id", "2"),
        ):
            assert wallaroo(*command).code == 0
        assert wallaroo("undeploy", "x-1", "--id", "1").out == "x-1 is undeployed.\n"
        assert not is_deployed(client, "x")
        assert wallaroo("status", "x-1", "--json").code == 0
        assert find_deployment(client, "x-1").name == "x-1-2"

    def test_their_other_names_are_clear(self, client: Client, wallaroo: Callable[..., Done]) -> None:
        assert find_deployment(client, "x").id == 1
        assert find_deployment(client, "x-1-2").id == 2
        assert wallaroo("undeploy", "x-1-2").code == 0
        assert find_deployment(client, "x-1").id == 1

    def test_what_has_ended_has_no_name(self, client: Client) -> None:
        undeploy(client, 2)
        assert find_deployment(client, "x-1").id == 1
        undeploy(client, "x-1")
        assert not is_deployed(client, "x")


class TestOneMeaning:
    def test_a_deployments_own_name_leads_to_its_url_everywhere(
        self, client: Client, model: ModelVersion, wallaroo: Callable[..., Done], rows: Path, tmp_path: Path
    ) -> None:
        made = deploy_pipeline(client, "fraud-2024", model)
        for name in ("fraud-2024", made.name):
            found = find_deployment(client, name)
            assert (found.id, found.url, found.pipeline, found.workspace_id) == (made.id, made.url, "fraud-2024", 1)
            assert sum(batch.num_rows for batch in infer_batches(client, name, [BATCH])) == 1
            assert wallaroo("infer", name, str(rows), "--vector").code == 0
            target = str(tmp_path / name)
            assert wallaroo("batch", str(rows), target, "--pipeline", name, "--vector").code == 0
        with pytest.raises(NotFoundError):
            find_deployment(client, "fraud")

    def test_a_deployment_under_another_name_than_its_pipelines(self, client: Client, model: ModelVersion) -> None:
        made = deploy_pipeline(client, "source", model)
        assert made.pipeline_id is not None
        body = CopyPipelineRequest(name="copy", workspace_id=1, source_pipeline=made.pipeline_id, deploy="live-1")
        call(copy_pipeline, client=client, body=body)
        for name in ("copy", "live-1", "live-1-2"):
            found = find_deployment(client, name)
            assert (found.name, found.pipeline) == ("live-1-2", "copy")
        undeploy(client, "live-1-2")
        assert not is_deployed(client, "copy")
        assert is_deployed(client, "source")

    def test_a_workspace_is_a_workspace_for_a_deployments_own_name_too(
        self, client: Client, model: ModelVersion, model_file: Path, wallaroo: Callable[..., Done]
    ) -> None:
        other = find_workspace(client, "other", create=True)
        deploy_pipeline(client, "x", model)
        elsewhere = upload_model(client, model_file, name="model", workspace=other.id)
        deploy_pipeline(client, "x-1", elsewhere)
        with pytest.raises(AmbiguousError, match="Name the `workspace`"):
            find_deployment(client, "x-1")
        assert find_deployment(client, "x-1", "other").name == "x-1-2"
        assert find_deployment(client, "x-1", 1).name == "x-1"
        undeploy(client, "x-1", workspace="other")
        assert find_deployment(client, "x-1").name == "x-1"
        undeploy(client, "x-1", workspace="other")
        assert wallaroo("undeploy", "x-1", "--workspace", "other").out.startswith("Nothing is deployed")
        assert is_deployed(client, "x")

    def test_who_sees_one_of_both_means_that_one(
        self, client: Client, sandbox: dict[str, str], model: ModelVersion, model_file: Path
    ) -> None:
        with Sandbox(sandbox) as control:
            control.seed(users=[{"email": "other@example.com", "password": "other"}])
        deploy_pipeline(client, "x", model)
        own = {"WALLAROO_USER": "other@example.com", "WALLAROO_PASSWORD": "other"}
        with connect(environment=sandbox | own) as others:
            version = upload_model(others, model_file, name="model")
            deploy_pipeline(others, "x-1", version)
            assert find_deployment(others, "x-1").name == "x-1-2"
            undeploy(others, "x-1")
        assert find_deployment(client, "x-1").name == "x-1"

    @pytest.mark.parametrize("name", ["", None, 5, b"x", True])
    def test_what_is_no_name_is_refused(self, client: Client, name: Any) -> None:
        with pytest.raises(InvalidDataError):
            find_deployment(client, name)

    @pytest.mark.parametrize("number", [True, 1.0, "1"])
    def test_so_is_what_is_no_id(self, client: Client, model: ModelVersion, number: Any) -> None:
        """`True` would be taken for 1, and the text of an id for one that does not exist."""
        assert deploy_pipeline(client, "x", model).id == 1
        with pytest.raises(InvalidDataError, match="`deployment_id` is the number"):
            find_deployment(client, "x", deployment_id=number)

    def test_nor_is_a_number_of_many_digits_a_workspaces_id(self, wallaroo: Callable[..., Done]) -> None:
        done = wallaroo("status", "x", "--workspace", "9" * 5000)
        assert done.code == 1
        assert "This user has no workspace '999" in done.err

    @pytest.mark.parametrize("name", ["scroes", "scroes-1", "nothing-like-it"])
    def test_undeploy_refuses_a_name_that_no_pipeline_has(self, client: Client, model: ModelVersion, name: str) -> None:
        deploy_pipeline(client, "scores", model)
        with pytest.raises(NotFoundError, match="nothing was undeployed") as caught:
            undeploy(client, name)
        assert "scores" in caught.value.advice
        assert is_deployed(client, "scores")

    def test_it_is_no_error_that_it_has_ended(self, client: Client, model: ModelVersion) -> None:
        made = deploy_pipeline(client, "scores", model)
        for name in ("scores", "scores", made.name, "live-1"):
            undeploy(client, name)
        assert not is_deployed(client, "scores")

    def test_undeploy_takes_no_url(self, client: Client, model: ModelVersion, wallaroo: Callable[..., Done]) -> None:
        made = deploy_pipeline(client, "x", model)
        with pytest.raises(InvalidDataError, match="is a URL: give the name"):
            undeploy(client, made.url)
        assert wallaroo("undeploy", made.url).code == 2
        assert wallaroo("undeploy", made.url.replace("http", "HTTP")).code == 2
        assert is_deployed(client, "x")
