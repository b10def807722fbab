"""Does a deployment live in the same way on an instance of every release, in each release's shapes?"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from wallaroo_mlops_client.models import DeploymentStatus

from contract_tests.support.data.recordings import recording
from contract_tests.support.servers.released_instance import API, ReleasedInstance
from wallaroo_ext import (
    Clock,
    DeploymentError,
    NotFoundError,
    WaitTimeoutError,
    aio,
    connect,
    contract,
    deploy_pipeline,
    find_deployment,
    model_version,
    undeploy,
    wait_until_running,
)
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.batch.deployed_models import models_steps
from wallaroo_ext.contract import RELEASES
from wallaroo_ext.deployments.find import FoundDeployment
from wallaroo_ext.deployments.status import describe_state, models_in, pipelines_in
from wallaroo_ext.deployments.unfinished import PendingDeployment, leftovers
from wallaroo_ext.operations import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contract_tests.support.command_line import Done

STATES = ["Error", "Error", "Starting", "Running"]
MODELS = [
    {
        "name": "fraud",
        "version": "version-43",
        "sha": "4f1d3c9a8e7b6054c2d1f0e9b8a7968574635241302f1e0d9c8b7a6958473625",
    }
]


class NoClock(Clock):
    """A clock that waits for nothing."""

    def sleep(self, seconds: float) -> None:
        pass

    async def sleep_async(self, seconds: float) -> None:
        pass


def connected(answer: Callable[[httpx.Request], httpx.Response]) -> Any:
    """Return a client of an instance in this process, for both kinds of `with`."""
    return connect(API, token="a-token", transport=httpx.MockTransport(answer), environment={})


@pytest.mark.parametrize("release", RELEASES)
class TestEveryRelease:
    def test_a_deployment_from_the_models_name_to_its_end(self, release: str) -> None:
        instance, shown = ReleasedInstance(release), list[Any]()
        with connected(instance) as client:
            version = model_version(client, "fraud")
            assert (version.id, version.models_pk_id) == (43, 40)
            deployment = deploy_pipeline(client, "scores", version, progress=shown.append, clock=NoClock())
            assert [status.status for status in shown] == STATES
            assert (deployment.name, deployment.status, deployment.started) == ("scores-17", "Running", True)
            assert (models_in(shown[-1]), pipelines_in(shown[-1])) == (MODELS, ["scores"])
            assert find_deployment(client, "scores").url == find_deployment(client, "scores-17").url == deployment.url
            assert instance.running
            undeploy(client, "scores")
            assert instance.running is None
            undeploy(client, "scores")
            with pytest.raises(NotFoundError, match="No pipeline 'scores' is deployed"):
                find_deployment(client, "scores")

    def test_in_asyncio(self, release: str) -> None:
        instance, shown = ReleasedInstance(release), list[str]()

        async def live() -> None:
            async with connected(instance) as client:
                version = await aio.model_version(client, "fraud")
                deploying = aio.deploy_pipeline(
                    client, "scores", version.id, progress=lambda status: shown.append(status.status), clock=NoClock()
                )
                async with await deploying as deployment:
                    assert (await aio.find_deployment(client, "scores")).url == deployment.url

        asyncio.run(live())
        assert shown == STATES
        assert instance.running is None

    def test_on_the_command_line(self, release: str, wallaroo: Callable[..., Done]) -> None:
        instance = ReleasedInstance(release)
        with instance.served() as environment:
            deployed = wallaroo("deploy", "scores", "--model", "fraud", environment=environment)
            assert (deployed.code, instance.running) == (0, "scores-17")
            assert "scores is Error" in deployed.err
            status = wallaroo("status", "scores", environment=environment)
            assert (status.code, "version-43" in status.out) == (0, True)
            undeployed = wallaroo("undeploy", "scores", environment=environment)
            assert (undeployed.out, instance.running) == ("scores-17 is undeployed.\n", None)
            assert wallaroo("status", "scores", environment=environment).code == 1

    def test_a_start_that_stays_in_error_is_undeployed(self, release: str) -> None:
        instance = ReleasedInstance(release, "Error")
        with connected(instance) as client, pytest.raises(DeploymentError, match="is in Error after 0 s"):
            deploy_pipeline(client, "scores", model_version(client, "fraud"), error_grace=0)
        assert instance.running is None


def recorded(names: str) -> list[Path]:
    """Return the files of recordings; there are some."""
    files = sorted(recording("").glob(names))
    assert files
    return files


class TestOddities:
    def test_a_url_that_is_not_known_yet_is_asked_for_again(self) -> None:
        instance = ReleasedInstance("2022.4", "Running")
        instance.url_after = 3
        with connected(instance) as client:
            deployment = deploy_pipeline(client, "scores", model_version(client, "fraud"), clock=NoClock())
        assert deployment.url.endswith("/scores-17")
        assert instance.running == "scores-17"

    def test_one_that_stays_unknown_is_an_error(self) -> None:
        instance = ReleasedInstance("2022.4", "Running")
        instance.url_after = 1000
        with connected(instance) as client, pytest.raises(NotFoundError, match="Pipeline not found"):
            deploy_pipeline(client, "scores", model_version(client, "fraud"), clock=NoClock())
        assert instance.running is None

    @pytest.mark.parametrize("body", [b"null", b"{}", b"", b'{"id": 17}'])
    def test_every_recorded_body_of_undeploying_is_read(self, body: bytes) -> None:
        instance = ReleasedInstance("2025.2", "Running")
        instance.undeployed = body
        with connected(instance) as client:
            with deploy_pipeline(client, "scores", model_version(client, "fraud")):
                pass
            assert instance.running is None
            instance.running = "scores-17"
            undeploy(client, 17)
        assert instance.running is None

    def test_models_come_as_they_are_reported_and_runs_compare_them_in_any_order(self) -> None:
        models = [{"name": name, "version": f"v-{name}", "sha": name * 64, "status": "Running"} for name in "zab"]
        engines = [{"status": "Running", "model_statuses": {"models": models}} for _ in range(2)]
        told: dict[str, Any] = {"status": "Running", "details": [], "engines": engines, "engine_lbs": []}
        status = DeploymentStatus.from_dict(told)
        assert [model["name"] for model in models_in(status)] == ["z", "a", "b"]
        before = FoundDeployment("scores-17", 17, status, "https://a/x", "scores", 1)
        note = leftovers(PendingDeployment("scores", 3, 4, None, 1, ["v"], before=before))
        assert "--model z@v-z --model a@v-a --model b@v-b" in note
        assert "in the order of its steps, which the instance does not tell" in note
        with connected(lambda _: httpx.Response(200, json=told)) as client:
            found = run(client, models_steps("https://a.example.com/v1/api/pipelines/infer/scores-17/scores"))
        assert [model["name"] for model in found] == ["a", "b", "z"]  # as manifests of earlier runs have them

    def test_a_run_over_rows_begins_in_an_error_with_every_pod_running(self) -> None:
        instance = ReleasedInstance("2023.2", "Running")
        instance.running = "scores-17"
        with connected(instance) as client:
            url = find_deployment(client, "scores").url
            told_in_error = instance.deployment("Running") | {"status": "Error"}
            with connected(lambda _: httpx.Response(200, json=told_in_error)) as other:
                assert run(other, models_steps(url)) == MODELS


def things_of(engine: Any, group: str, things: str) -> list[Any]:
    """Return what an engine tells of its models or pipelines, which is null until it runs."""
    return list_of(object_of(engine[group]).get(things))


class TestRecordings:
    def test_every_status_is_read(self) -> None:
        for file in recorded("*-status-get_deployment-*.json"):
            answer: Any = json.loads(file.read_text(encoding="utf-8"))["response"]
            shown: list[DeploymentStatus] = []

            def answering(_: httpx.Request, answer: Any = answer) -> httpx.Response:
                return httpx.Response(200, json=answer)

            with connected(answering) as client, suppress(WaitTimeoutError):
                status = wait_until_running(client, "a-1", timeout=0, progress=shown.append)
                assert status.status == answer["status"] == "Running"
            assert answer["status"] in describe_state(shown[0])
            assert shown[0].to_dict() == answer, file.name
            assert [model["version"] for model in models_in(shown[0])] == [
                model["version"]
                for engine in answer["engines"]
                for model in things_of(engine, "model_statuses", "models")
            ]
            assert pipelines_in(shown[0]) == [
                pipeline["id"]
                for engine in answer["engines"]
                for pipeline in things_of(engine, "pipeline_statuses", "pipelines")
            ]

    def test_every_url_is_found_and_an_unknown_pipeline_is_not(self) -> None:
        for file in recorded("*-admin-get_pipeline_external_url-*.json"):
            exchange: Any = json.loads(file.read_text(encoding="utf-8"))

            def answering(request: httpx.Request, exchange: Any = exchange) -> httpx.Response:
                if contract.operation_at(request.url.path) == "get_pipeline_external_url":
                    return httpx.Response(exchange["status"], json=exchange["response"])
                return httpx.Response(200, json={"status": "Running"})

            with connected(answering) as client:
                if exchange["status"] == 200:
                    found = find_deployment(client, "a", 7)
                    assert (found.url, found.name.count("-") >= 1) == (exchange["response"]["url"], True)
                    continue
                undeploy(client, "a", workspace=7)
                with pytest.raises(NotFoundError, match="No pipeline 'a' is deployed in the workspace 7"):
                    find_deployment(client, "a", 7)
