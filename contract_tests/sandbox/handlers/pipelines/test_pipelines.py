"""Does an instance copy pipelines, and deploy models by their configurations?"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from contract_tests.support.servers.callers import UNKNOWN, invited, new_workspace, post, refused
from wallaroo_ext import contract, upload_model, wait_until_running
from wallaroo_ext.sandbox.auth.users import find_user_by_email
from wallaroo_ext.sandbox.http.validation import ContractSpec
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.options import SandboxOptions
from wallaroo_ext.sandbox.server.app import create_app

if TYPE_CHECKING:
    from pathlib import Path

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import ModelVersion


def new_name() -> str:
    """Return an unused name for a pipeline."""
    return f"p-{uuid.uuid4().hex[:20]}"


def create(http: httpx.Client, workspace_id: int, name: str, *models: ModelVersion) -> dict[str, Any]:
    """Create a pipeline, or a version of one, with a step for each model, and return the answer."""
    steps = [{"ModelInference": {"models": [reference(model)]}} for model in models]
    body = {"pipeline_id": name, "workspace_id": workspace_id, "definition": {"steps": steps}}
    return post(http, "create_pipeline", body).json()


def reference(model: ModelVersion) -> dict[str, str]:
    """Return a reference to a model version by name, UUID and digest."""
    return {"name": str(model.model_id), "version": model.model_version, "sha": model.sha}


def deploy(http: httpx.Client, pipeline: dict[str, Any], deploy_id: str, **models: Any) -> httpx.Response:
    """Deploy a version of a pipeline."""
    ids = {"pipeline_id": pipeline["pipeline_pk_id"], "pipeline_version_pk_id": pipeline["pipeline_variant_pk_id"]}
    return post(http, "deploy_pipeline", {"deploy_id": deploy_id} | ids | models)


def running_models(http: httpx.Client, client: Client, deployment: str) -> list[str]:
    """Return the UUIDs of the model versions that a deployment runs."""
    wait_until_running(client, deployment)
    [engine] = post(http, "get_deployment_status", {"name": deployment}).json()["engines"]
    return [model["version"] for model in engine["model_statuses"]["models"]]


def config_id(http: httpx.Client, model: ModelVersion) -> int:
    """Return the id of a version's configuration."""
    return post(http, "get_model_config_by_id", {"model_id": model.id}).json()["model_config"]["id"]


@pytest.fixture
def models(client: Client, workspace_id: int, model_file: Path) -> list[ModelVersion]:
    """Return two versions of one model."""
    name = new_name()
    return [upload_model(client, model_file, name=name, workspace=workspace_id) for _ in range(2)]


class TestCopyPipeline:
    def test_the_newest_version_is_copied(
        self, http: httpx.Client, client: Client, workspace_id: int, models: list[ModelVersion]
    ) -> None:
        name, copy_name = new_name(), new_name()
        create(http, workspace_id, name, models[0])
        source = create(http, workspace_id, name, models[1])["pipeline_pk_id"]
        body = {"name": copy_name, "workspace_id": workspace_id, "source_pipeline": source}
        copy = post(http, "copy_pipeline", body).json()
        assert (copy["pipeline_version"], copy["deployment"]) == (None, None)
        assert copy["pipeline_pk_id"] != source
        number = deploy(http, copy, copy_name).json()["id"]
        assert running_models(http, client, f"{copy_name}-{number}") == [models[1].model_version]

    def test_a_version_by_its_uuid_is_copied_and_deployed(
        self, http: httpx.Client, client: Client, workspace_id: int, models: list[ModelVersion]
    ) -> None:
        name, copy_name = new_name(), new_name()
        first = create(http, workspace_id, name, models[0])
        create(http, workspace_id, name, models[1])
        body = {
            "name": copy_name,
            "workspace_id": workspace_id,
            "source_pipeline": first["pipeline_pk_id"],
            "pipeline_version": first["pipeline_variant_version"],
            "deploy": "another-name",
        }
        copy = post(http, "copy_pipeline", body).json()
        assert copy["pipeline_version"] not in {None, first["pipeline_variant_version"]}
        deployment = f"another-name-{copy['deployment']['id']}"
        assert running_models(http, client, deployment) == [models[0].model_version]
        assert deploy(http, copy, "another-name").json() == copy["deployment"]

    def test_a_copy_is_independent_of_its_source(self, http: httpx.Client, workspace_id: int) -> None:
        source = create(http, workspace_id, new_name())
        name = new_name()
        body = {"name": name, "workspace_id": workspace_id, "source_pipeline": source["pipeline_pk_id"]}
        copy = post(http, "copy_pipeline", body).json()
        assert create(http, workspace_id, name)["pipeline_pk_id"] == copy["pipeline_pk_id"]
        mixed = copy | {"pipeline_variant_pk_id": source["pipeline_variant_pk_id"]}
        assert refused(deploy(http, mixed, name), "no version")

    def test_what_cannot_be_copied_makes_no_pipeline(
        self, http: httpx.Client, sandbox: dict[str, str], workspace_id: int
    ) -> None:
        source = create(http, workspace_id, new_name())["pipeline_pk_id"]
        taken = new_name()
        create(http, workspace_id, taken)
        elsewhere = create(http, new_workspace(http), new_name())
        good = {"name": new_name(), "workspace_id": workspace_id, "source_pipeline": source}
        before = post(http, "list_workspaces", {}).json()
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"name": taken}, repr(taken)),
            ({"name": "a.b"}, "name"),
            ({"source_pipeline": 2_000_000_000}, "2000000000"),
            ({"source_pipeline": elsewhere["pipeline_pk_id"]}, "no pipeline"),
            ({"pipeline_version": UNKNOWN}, UNKNOWN),
            ({"pipeline_version": elsewhere["pipeline_variant_version"]}, "version"),
            ({"workspace_id": 2_000_000_000}, "2000000000"),
            ({"deploy": "a_b"}, "deploy"),
        ]
        for change, excerpt in wrong:
            assert refused(post(http, "copy_pipeline", good | change), excerpt)
        with invited(sandbox, http) as (_, _, theirs):
            assert refused(post(theirs, "copy_pipeline", good), f"no workspace {workspace_id}")
        assert post(http, "list_workspaces", {}).json() == before

    def test_an_empty_copy_is_deployed_and_stays_starting(self, http: httpx.Client, workspace_id: int) -> None:
        source, name = create(http, workspace_id, new_name())["pipeline_pk_id"], new_name()
        body = {"name": name, "workspace_id": workspace_id, "source_pipeline": source, "deploy": name}
        number = post(http, "copy_pipeline", body).json()["deployment"]["id"]
        assert post(http, "get_deployment_status", {"name": f"{name}-{number}"}).json()["status"] == "Starting"


class TestManyDeployments:
    """In this process, with a sandbox that allows few deployments."""

    def test_one_too_many_is_refused_as_without_memory(self, tmp_path: Path) -> None:
        instance = Instance(tmp_path, SandboxOptions(deployments=2))
        application = create_app(instance, ContractSpec(contract.load()))
        headers = {"Authorization": f"Bearer {token_of(instance)}"}
        with httpx.Client(transport=InProcess(application), headers=headers, base_url="http://127.0.0.1") as http:
            first, second = create(http, 1, "a"), create(http, 1, "b")
            assert [deploy(http, made, "x").status_code for made in (first, second)] == [200, 200]
            copy = {"name": "c", "workspace_id": 1, "source_pipeline": first["pipeline_pk_id"], "deploy": "c"}
            for refused_one in (deploy(http, first, "y"), post(http, "copy_pipeline", copy)):
                assert refused_one.status_code == refused_one.json()["code"] == 500
                assert "memory left for a deployment" in refused_one.json()["msg"]
            assert deploy(http, create(http, 1, "a"), "x").status_code == 200  # another version in its place
            post(http, "undeploy_pipeline", {"pipeline_id": second["pipeline_pk_id"]})
            assert post(http, "copy_pipeline", copy).status_code == 200
        instance.close()


class InProcess(httpx.BaseTransport):
    """Calls an application, one request at a time."""

    def __init__(self, application: Any) -> None:
        self._application = httpx.ASGITransport(application)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._application.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


def token_of(instance: Instance) -> str:
    """Return a token of the default user."""
    with instance.store.reading() as db:
        user = find_user_by_email(db, instance.credentials.username)
    return str(instance.tokens.issue(instance.credentials.client_id, user, "http://issuer")["access_token"])


class TestModelConfigurations:
    @pytest.mark.parametrize("named_by", ["models", "model_ids", "the pipeline's steps"])
    def test_a_configuration_names_the_version_that_it_was_made_for(
        self, http: httpx.Client, client: Client, workspace_id: int, models: list[ModelVersion], named_by: str
    ) -> None:
        name = new_name()
        in_steps = models if named_by == "the pipeline's steps" else []
        named = {"models": [reference(model) for model in models], "model_ids": [model.id for model in models]}
        request = {named_by: named[named_by]} if named_by in named else {}
        assert deploy(http, create(http, workspace_id, name, *in_steps), name, **request).is_success
        configs = [config_id(http, model) for model in models]
        assert len(set(configs)) == 2
        for model, config in zip(models, configs, strict=True):
            name = new_name()
            number = deploy(http, create(http, workspace_id, name), name, model_configs=[config]).json()["id"]
            assert running_models(http, client, f"{name}-{number}") == [model.model_version]
            assert config_id(http, model) == config

    def test_a_configuration_and_its_version_are_one_model(
        self, http: httpx.Client, client: Client, workspace_id: int, models: list[ModelVersion]
    ) -> None:
        name = new_name()
        pipeline = create(http, workspace_id, name)
        first = deploy(http, pipeline, name, model_ids=[models[0].id]).json()
        config = config_id(http, models[0])
        again = deploy(http, pipeline, name, model_ids=[models[0].id], model_configs=[config]).json()
        assert again == first
        assert running_models(http, client, f"{name}-{first['id']}") == [models[0].model_version]

    def test_an_unknown_configuration_and_one_of_another_workspace_are_refused(
        self, http: httpx.Client, workspace_id: int, models: list[ModelVersion]
    ) -> None:
        name = new_name()
        deploy(http, create(http, workspace_id, name), name, model_ids=[models[0].id])
        elsewhere = create(http, new_workspace(http), name)
        for config in (config_id(http, models[0]), 2_000_000_000):
            assert refused(deploy(http, elsewhere, name, model_configs=[config]), f"configuration {config}")

    def test_a_refused_deployment_deploys_nothing(
        self, http: httpx.Client, workspace_id: int, models: list[ModelVersion]
    ) -> None:
        name = new_name()
        answer = deploy(http, create(http, workspace_id, name), name, model_ids=[models[0].id, 2_000_000_000])
        assert refused(answer, "2000000000")
        path = contract.operation("get_pipeline_external_url").path
        assert http.post(path, json={"workspace_id": workspace_id, "pipeline_name": name}).status_code == 404
