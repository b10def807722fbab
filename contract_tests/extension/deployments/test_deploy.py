"""Does deploying give what scores rows, does waiting end as it should, and is nothing left deployed?"""

from __future__ import annotations

import asyncio
import json
import pickle
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from wallaroo_mlops_client import Client
from wallaroo_mlops_client.models import ModelVersion

from contract_tests.support.sandbox.deployments import is_deployed
from wallaroo_ext import (
    AmbiguousError,
    Clock,
    ConfigurationError,
    ContractViolationError,
    Deployment,
    DeploymentError,
    InvalidDataError,
    InvalidRequestError,
    NotFoundError,
    RetryPolicy,
    ServerError,
    WaitTimeoutError,
    aio,
    connect,
    contract,
    deploy_pipeline,
    find_deployment,
    find_workspace,
    infer,
    outputs,
    undeploy,
    upload_model,
    wait_until_running,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wallaroo_mlops_client.models import DeploymentStatus

    from wallaroo_ext.sandbox.control_client import Sandbox

ROWS = np.random.default_rng(3).normal(size=(4, 29)).astype(np.float32)
UNDEPLOYING_FAILS = {"operation": "undeploy_pipeline", "kind": "unknown-status"}
FAILED: dict[str, Any] = {
    "status": "Error",
    "details": ["sorry"],
    "engines": [{"status": "Error", "name": "engine-1", "reason": "OOMKilled", "details": ["out of memory"]}],
}
MISSING = httpx.Response(404, json={"code": 404, "msg": "none"})


class MovedClock(Clock):
    """A clock that moves only by what is slept."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)


def answering(answer: Callable[[str, dict[str, Any]], httpx.Response]) -> Client:
    """Return a client of an instance that answers so, given an operation's id and the body."""

    def handle(request: httpx.Request) -> httpx.Response:
        return answer(contract.operation_at(request.url.path) or "", json.loads(request.content))

    return Client(base_url="https://api.example.com").set_httpx_client(
        httpx.Client(transport=httpx.MockTransport(handle), base_url="https://api.example.com")
    )


def always(answer: httpx.Response) -> Client:
    """Return a client of an instance that answers everything so."""

    def give(_: str, __: dict[str, Any]) -> httpx.Response:
        return answer

    return answering(give)


def telling(*statuses: httpx.Response | dict[str, Any]) -> tuple[Client, list[str]]:
    """Return a client of an instance with these statuses, the last one repeated, and the deployments asked for."""
    asked: list[str] = []

    def answer(_: str, body: dict[str, Any]) -> httpx.Response:
        status = statuses[min(len(asked), len(statuses) - 1)]
        asked.append(body["name"])
        return httpx.Response(200, json=status) if isinstance(status, dict) else status

    return answering(answer), asked


class TestDeploying:
    def test_it_gives_what_scores_rows(
        self, client: Client, model: ModelVersion, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        deployment = deploy_pipeline(client, "scores", model)
        assert deployment.name == f"scores-{deployment.id}"
        assert (deployment.pipeline, deployment.workspace_id, deployment.status) == ("scores", 1, "Running")
        assert deployment.pipeline_id
        assert deployment.pipeline_version_id
        scored = infer(client, deployment, {"tensor": ROWS})
        np.testing.assert_allclose(outputs(scored)["dense_1"], expected(ROWS), atol=1e-6)

    def test_a_version_is_added_under_the_same_name(self, client: Client, model: ModelVersion) -> None:
        first, second = deploy_pipeline(client, "again", model), deploy_pipeline(client, "again", [model])
        assert (first.id, first.pipeline_id, first.url) == (second.id, second.pipeline_id, second.url)
        assert first.pipeline_version != second.pipeline_version

    def test_the_steps_are_named_in_full_and_in_order(self, client: Client, model: ModelVersion) -> None:
        sent: list[dict[str, Any]] = []

        def keep(request: httpx.Request) -> None:
            if request.headers["Content-Type"] == "application/json":
                sent.append(json.loads(request.content))

        client.get_httpx_client().event_hooks = {"request": [keep]}
        deploy_pipeline(client, "steps", [model, model.id], engine_config={"cpus": 1}, wait=False)
        reference = {"name": "model", "version": model.model_version, "sha": model.sha}
        definition = next(body["definition"] for body in sent if "definition" in body)
        assert definition == {"steps": [{"ModelInference": {"models": [reference]}}] * 2}
        begun = next(body for body in sent if "engine_config" in body)
        assert (begun["engine_config"], begun["models"]) == ({"cpus": 1}, [reference] * 2)

    def test_the_workspace_is_the_models_own(self, client: Client, model_file: Path) -> None:
        other = find_workspace(client, "other", create=True)
        elsewhere = upload_model(client, model_file, name="elsewhere", workspace=other.id)
        assert deploy_pipeline(client, "own", elsewhere).workspace_id == other.id
        assert deploy_pipeline(client, "by-id", elsewhere.id, workspace="other").workspace_id == other.id
        with pytest.raises(NotFoundError, match=f"workspace 1 has no model version {elsewhere.id}"):
            deploy_pipeline(client, "by-id", elsewhere.id)

    def test_a_version_is_found_by_its_id_among_all(self, client: Client, model_file: Path) -> None:
        versions = [upload_model(client, model_file, name=name, workspace=1) for name in ("a", "b", "a", "c", "b")]
        for place, version in enumerate(versions):
            assert deploy_pipeline(client, f"p{place}", version.id).status == "Running"

    def test_a_release_that_names_no_model_in_versions_will_do(self, client: Client, model: ModelVersion) -> None:
        fields = model.to_dict()
        del fields["model_id"]
        assert deploy_pipeline(client, "nameless", ModelVersion.from_dict(fields)).status == "Running"

    def test_without_waiting_it_comes_back_at_once(self, client: Client, control: Sandbox, model: ModelVersion) -> None:
        control.set_transitions(deployments={"seconds": 3600})
        deployment = deploy_pipeline(client, "later", model, wait=False)
        assert deployment.status == "Starting"
        assert deployment.url == find_deployment(client, "later").url

    def test_progress_is_told_each_status(self, client: Client, control: Sandbox, model: ModelVersion) -> None:
        control.set_transitions(deployments={"seconds": 0.3})
        seen: list[DeploymentStatus] = []
        deploy_pipeline(client, "seen", model, progress=seen.append)
        assert [seen[0].status, seen[-1].status] == ["Starting", "Running"]

    @pytest.mark.parametrize("models", ["model", b"m", None, True, [None], {"a": 1}, 1.5])
    def test_what_is_no_model_version_is_refused(self, client: Client, models: Any) -> None:
        with pytest.raises(InvalidDataError, match=r"model versions or their ids, not .*`model_version` finds"):
            deploy_pipeline(client, "nothing", models)

    def test_a_pipeline_has_a_model(self, client: Client) -> None:
        with pytest.raises(InvalidDataError, match="without models"):
            deploy_pipeline(client, "nothing", [])

    def test_wrong_options_are_refused_before_anything_is_sent(self, client: Client, model: ModelVersion) -> None:
        wrong: Any = {"engine_config": "cpus"}
        with pytest.raises(InvalidDataError, match="mapping"):
            deploy_pipeline(client, "nothing", model, **wrong)
        wrong = {"engine_confg": {}}
        with pytest.raises(TypeError, match="engine_confg"):
            deploy_pipeline(client, "nothing", model, **wrong)

    def test_a_name_against_the_rules_is_the_instances_error(self, client: Client, model: ModelVersion) -> None:
        with pytest.raises(InvalidRequestError):
            deploy_pipeline(client, "no_label", model)


class TestNothingIsLeft:
    def test_the_end_of_the_block_undeploys(self, client: Client, model: ModelVersion) -> None:
        with deploy_pipeline(client, "block", model) as deployment:
            assert is_deployed(client, "block")
        assert not is_deployed(client, "block")
        with pytest.raises(NotFoundError):
            infer(client, deployment.url, {"tensor": ROWS})

    def test_also_where_the_block_raises(self, client: Client, model: ModelVersion) -> None:
        with pytest.raises(ZeroDivisionError), deploy_pipeline(client, "raises", model):
            _ = 1 / 0
        assert not is_deployed(client, "raises")

    def test_the_blocks_error_is_raised_where_undeploying_fails_too(
        self, client: Client, control: Sandbox, model: ModelVersion
    ) -> None:
        def fail() -> float:
            control.add_faults(UNDEPLOYING_FAILS)
            return 1 / 0

        with pytest.raises(ZeroDivisionError) as raised, deploy_pipeline(client, "both", model):
            fail()
        assert "Undeploying both-1 failed as well" in raised.value.__notes__[0]

    def test_without_another_error_the_failure_is_raised(
        self, client: Client, control: Sandbox, model: ModelVersion
    ) -> None:
        with pytest.raises(ServerError), deploy_pipeline(client, "fails", model):
            control.add_faults(UNDEPLOYING_FAILS)

    def test_a_block_may_undeploy_by_itself(self, client: Client, model: ModelVersion) -> None:
        with deploy_pipeline(client, "twice", model) as deployment:
            undeploy(client, deployment)

    def test_what_stays_in_error_is_undeployed(self, client: Client, control: Sandbox, model: ModelVersion) -> None:
        control.set_transitions(deployments={"status": "Error", "reason": "out of memory"})
        with pytest.raises(DeploymentError, match="out of memory"):
            deploy_pipeline(client, "fails", model, error_grace=0)
        assert not is_deployed(client, "fails")

    def test_what_was_in_error_while_it_started_is_not_undeployed(
        self, client: Client, control: Sandbox, model: ModelVersion
    ) -> None:
        states: list[str] = []

        def recover(status: DeploymentStatus) -> None:
            states.append(status.status)
            if status.status == "Error":
                control.set_transitions(deployments={"status": "Running"})
                undeploy(client, "recovers")
                deploy_pipeline(client, "recovers", model)

        control.set_transitions(deployments={"status": "Error"})
        deployment = deploy_pipeline(client, "recovers", model, progress=recover)
        assert deployment.status == "Running"
        assert "Error" in states
        assert is_deployed(client, "recovers")

    def test_what_is_not_running_in_time_is_undeployed(
        self, client: Client, control: Sandbox, model: ModelVersion
    ) -> None:
        control.set_transitions(deployments={"seconds": 3600})
        with pytest.raises(WaitTimeoutError, match="is Starting after 20 s"):
            deploy_pipeline(client, "slow", model, timeout=20, clock=MovedClock())
        assert not is_deployed(client, "slow")

    def test_an_interrupt_undeploys(self, client: Client, control: Sandbox, model: ModelVersion) -> None:
        def interrupt(_: DeploymentStatus) -> None:
            raise KeyboardInterrupt

        control.set_transitions(deployments={"seconds": 3600})
        with pytest.raises(KeyboardInterrupt):
            deploy_pipeline(client, "interrupted", model, progress=interrupt)
        assert not is_deployed(client, "interrupted")

    def test_an_interrupted_pause_undeploys(self, client: Client, control: Sandbox, model: ModelVersion) -> None:
        class Interrupted(MovedClock):
            def sleep(self, seconds: float) -> None:
                raise KeyboardInterrupt(seconds)

        control.set_transitions(deployments={"seconds": 3600})
        with pytest.raises(KeyboardInterrupt):
            deploy_pipeline(client, "interrupted", model, clock=Interrupted())
        assert not is_deployed(client, "interrupted")

    def test_the_first_error_is_raised_where_undeploying_fails_too(
        self, client: Client, control: Sandbox, model: ModelVersion
    ) -> None:
        control.set_transitions(deployments={"status": "Error"})
        control.add_faults(UNDEPLOYING_FAILS)
        with pytest.raises(DeploymentError) as raised:
            deploy_pipeline(client, "fails", model, error_grace=0)
        assert "failed as well" in raised.value.__notes__[0]


class TestDeployment:
    def test_it_holds_no_secret_and_is_pickled_without_the_client(
        self, client: Client, sandbox: dict[str, str], model: ModelVersion
    ) -> None:
        deployment = deploy_pipeline(client, "value", model)
        copied = pickle.loads(pickle.dumps(deployment))  # noqa: S301 - it is our own
        assert copied == deployment
        assert asdict(copied) == asdict(deployment)
        shown = repr(deployment) + repr(pickle.dumps(deployment)) + json.dumps(asdict(deployment))
        assert sandbox["WALLAROO_PASSWORD"] not in shown
        assert sandbox["WALLAROO_CLIENT_SECRET"] not in shown
        entered = False
        with pytest.raises(ConfigurationError, match="has no client"), copied:
            entered = True
        assert not entered
        undeploy(client, copied)
        assert not is_deployed(client, "value")

    def test_it_cannot_be_changed(self) -> None:
        value = Deployment(name="a-1", id=1, url="/a", pipeline="a", workspace_id=1, status="Running")
        with pytest.raises(AttributeError):
            value.id = 2  # pyright: ignore[reportAttributeAccessIssue]
        assert replace(value, status="Starting").status == "Starting"


class TestFinding:
    def test_it_is_found_by_its_pipelines_name_in_any_workspace(self, client: Client, model_file: Path) -> None:
        other = find_workspace(client, "other", create=True)
        version = upload_model(client, model_file, name="model", workspace=other.id)
        made = deploy_pipeline(client, "here", version)
        for workspace in (None, "other", other.id):
            found = find_deployment(client, "here", workspace)
            assert (found.name, found.id, found.url) == (made.name, made.id, made.url)
            assert (found.status, found.workspace_id, found.pipeline_id) == ("Running", other.id, None)
        with pytest.raises(NotFoundError, match="No pipeline 'here' is deployed in the workspace 1"):
            find_deployment(client, "here", 1)

    def test_in_several_workspaces_it_has_to_be_named(self, client: Client, model_file: Path) -> None:
        other = find_workspace(client, "other", create=True)
        for place in (1, other.id):
            deploy_pipeline(client, "both", upload_model(client, model_file, name="model", workspace=place))
        with pytest.raises(AmbiguousError, match="Name the `workspace`"):
            find_deployment(client, "both")
        assert find_deployment(client, "both", other.id).workspace_id == other.id

    def test_one_that_has_ended_is_not_found(self, client: Client, model: ModelVersion) -> None:
        undeploy(client, deploy_pipeline(client, "ended", model))
        with pytest.raises(NotFoundError, match="No pipeline 'ended' is deployed"):
            find_deployment(client, "ended")

    def test_an_instance_may_still_tell_the_url_of_what_has_ended(self) -> None:
        def answer(operation: str, _: dict[str, Any]) -> httpx.Response:
            return MISSING if operation == "get_deployment_status" else httpx.Response(200, json={"url": url})

        url = "https://api.example.com" + contract.operation("infer_deployment").path.format(deployment="a-1")
        with pytest.raises(NotFoundError, match="No pipeline 'a' is deployed"):
            find_deployment(answering(answer), "a", 1)

    @pytest.mark.parametrize("form", ["infer_deployment", "infer_pipeline"])
    def test_both_recorded_forms_of_a_url_are_read(self, form: str) -> None:
        path = contract.operation(form).path.format(deployment="my-pipe-12", pipeline="my-pipe")

        def answer(operation: str, _: dict[str, Any]) -> httpx.Response:
            content = {"status": "Running"} if operation == "get_deployment_status" else {"url": f"https://x{path}"}
            return httpx.Response(200, json=content)

        found = find_deployment(answering(answer), "my-pipe", 1)
        assert (found.name, found.id) == ("my-pipe-12", 12)

    def test_a_url_of_another_form_breaks_the_contract(self) -> None:
        client = always(httpx.Response(200, json={"url": "https://x/elsewhere"}))
        with pytest.raises(ContractViolationError, match="https://x/elsewhere"):
            find_deployment(client, "a", 1)


class TestUndeploying:
    @pytest.mark.parametrize("named", ["the value", "id", "name", "pipeline"])
    def test_by_everything_that_names_it_and_again(self, client: Client, model: ModelVersion, named: str) -> None:
        deployment = deploy_pipeline(client, "gone", model)
        it: Any = deployment if named == "the value" else getattr(deployment, named)
        for _ in range(2):
            undeploy(client, it)
            assert not is_deployed(client, "gone")

    def test_other_deployments_go_on(self, client: Client, model: ModelVersion) -> None:
        deploy_pipeline(client, "stays", model)
        undeploy(client, deploy_pipeline(client, "goes", model).name)
        assert is_deployed(client, "stays")

    def test_a_name_with_two_meanings_ends_nothing(self, client: Client, model: ModelVersion) -> None:
        first = deploy_pipeline(client, "a", model)
        second = deploy_pipeline(client, first.name, model)
        with pytest.raises(AmbiguousError, match="Give the deployment's id"):
            undeploy(client, first.name)
        assert is_deployed(client, "a")
        assert is_deployed(client, f"{first.name}-{second.id}")

    @pytest.mark.parametrize("content", [b"null", b"{}", b""])
    def test_every_body_of_a_success_will_do(self, content: bytes) -> None:
        undeploy(always(httpx.Response(200, content=content)), 5)

    def test_what_the_instance_does_not_know_any_more_has_ended(self) -> None:
        undeploy(always(MISSING), 5)

    @pytest.mark.parametrize("deployment", [None, True, 1.5, b"a-1"])
    def test_what_names_no_deployment_is_refused(self, client: Client, deployment: Any) -> None:
        with pytest.raises(InvalidDataError, match="A deployment is"):
            undeploy(client, deployment)


class TestWaiting:
    def test_it_asks_less_and_less_often_from_a_twentieth_of_a_second_on(self) -> None:
        clock = MovedClock()
        client, asked = telling({"status": "Starting"})
        with pytest.raises(WaitTimeoutError, match="is Starting after 60 s"):
            wait_until_running(client, "a-1", timeout=60, clock=clock)
        assert clock.slept[:4] == pytest.approx([0.05, 0.075, 0.1125, 0.16875])
        assert max(clock.slept) == 5
        assert clock.time == pytest.approx(60)
        assert len(asked) == len(clock.slept) + 1

    def test_no_time_asks_once(self) -> None:
        client, asked = telling({"status": "Starting"})
        with pytest.raises(WaitTimeoutError):
            wait_until_running(client, "a-1", timeout=0, clock=MovedClock())
        assert len(asked) == 1

    @pytest.mark.parametrize("timeout", [-1, float("nan")])
    def test_a_timeout_is_a_number_of_seconds(self, timeout: float) -> None:
        client, _ = telling({"status": "Running"})
        with pytest.raises(InvalidDataError, match="number of seconds"):
            wait_until_running(client, "a-1", timeout=timeout)

    def test_an_error_passes_and_is_shown(self) -> None:
        shown: list[str] = []
        client, _ = telling(FAILED, FAILED, {"status": "Starting"}, FAILED, {"status": "Running"})
        clock = MovedClock()
        status = wait_until_running(client, "a-1", progress=lambda seen: shown.append(seen.status), clock=clock)
        assert status.status == "Running"
        assert shown == ["Error", "Error", "Starting", "Error", "Running"]

    def test_an_error_at_the_end_of_the_time_has_what_the_pods_say(self) -> None:
        clock = MovedClock()
        client, _ = telling({"status": "Starting"}, FAILED)
        with pytest.raises(DeploymentError, match=r"a-1 is in Error after 60 s: sorry; engine-1: out of") as raised:
            wait_until_running(client, "a-1", timeout=60, clock=clock)
        assert raised.value.details == ["sorry", "engine-1: out of memory", "engine-1: OOMKilled"]
        assert clock.time == pytest.approx(60)

    def test_an_error_holds_no_secret_of_what_the_pods_say(self) -> None:
        pods = [{"status": "Error", "name": "engine-1", "details": ["password=hunter2"], "reason": "token: hunter2"}]
        client, _ = telling(
            {"status": "Error", "details": ["pull https://u:hunter2@registry/x failed"], "engines": pods}
        )
        with pytest.raises(DeploymentError, match="is in Error") as raised:
            wait_until_running(client, "a-1", timeout=1, clock=MovedClock())
        assert raised.value.details == [
            "pull https://u:[removed]@registry/x failed",
            "engine-1: password=[removed]",
            "engine-1: token: [removed]",
        ]
        assert b"hunter2" not in pickle.dumps(raised.value)

    def test_what_starts_again_after_an_error_has_its_reason_at_the_end_of_the_time(self) -> None:
        client, _ = telling(FAILED, {"status": "Starting", "details": ["a pod is pending"]})
        reason = r"is Starting after 60 s: a pod is pending; before, it was in Error \(sorry\)"
        with pytest.raises(WaitTimeoutError, match=reason):
            wait_until_running(client, "a-1", timeout=60, clock=MovedClock())

    def test_an_error_although_every_pod_runs_says_so(self) -> None:
        pods = {group: [{"status": "Running", "name": group}] for group in ("engines", "engine_lbs", "sidekicks")}
        client, _ = telling({"status": "Error", "details": []} | pods)
        with pytest.raises(DeploymentError, match="no pod has failed"):
            wait_until_running(client, "a-1", timeout=1, clock=MovedClock())

    @pytest.mark.parametrize(("grace", "ends"), [(0, 0), (10, 10), (0.5, 0.5)])
    def test_a_grace_ends_an_error_earlier(self, grace: float, ends: float) -> None:
        clock = MovedClock()
        client, _ = telling(FAILED)
        with pytest.raises(DeploymentError, match=f"is in Error after {ends:g} s"):
            wait_until_running(client, "a-1", error_grace=grace, clock=clock)
        assert clock.time == pytest.approx(ends)

    def test_a_grace_begins_anew_with_each_error(self) -> None:
        clock = MovedClock()
        client, asked = telling(FAILED, FAILED, {"status": "Starting"}, FAILED, {"status": "Running"})
        wait_until_running(client, "a-1", error_grace=0.3, clock=clock)
        assert clock.time > 0.3
        assert len(asked) == 5

    @pytest.mark.parametrize("grace", [-1, float("nan"), True, "5"])
    def test_a_grace_is_a_number_of_seconds(self, grace: Any) -> None:
        client, asked = telling({"status": "Running"})
        with pytest.raises(InvalidDataError, match="error_grace"):
            wait_until_running(client, "a-1", error_grace=grace)
        assert asked == []

    def test_what_is_not_known_yet_is_waited_for(self) -> None:
        clock = MovedClock()
        client, _ = telling(MISSING, MISSING, MISSING, {"status": "Starting"}, {"status": "Running"})
        assert wait_until_running(client, "a-1", clock=clock).status == "Running"
        assert len(clock.slept) == 4

    def test_but_not_for_longer_than_ten_seconds(self) -> None:
        clock = MovedClock()
        client, _ = telling(MISSING)
        with pytest.raises(NotFoundError):
            wait_until_running(client, "a-1", clock=clock)
        assert 10 <= clock.time < 20

    def test_a_status_that_no_document_has_is_waited_out(self) -> None:
        client, _ = telling({"status": "Scaling"}, {"status": "Running"})
        assert wait_until_running(client, "a-1", clock=MovedClock()).status == "Running"

    def test_an_answer_that_does_not_come_ends_with_the_deadline(self, sandbox: dict[str, str]) -> None:
        clock = MovedClock()

        def hang(_: httpx.Request) -> httpx.Response:
            clock.time += 7
            raise httpx.ReadTimeout("late")

        transport = httpx.MockTransport(hang)
        options: Any = {"token": "t", "transport": transport, "clock": clock, "retries": RetryPolicy(attempts=1)}
        with (
            connect(sandbox["WALLAROO_API_URL"], environment={}, **options) as client,
            pytest.raises(WaitTimeoutError, match="is unknown after 5 s"),
        ):
            wait_until_running(client, "a-1", timeout=5, clock=clock)

    def test_a_request_is_given_no_more_than_the_time_that_is_left(self) -> None:
        allowed: list[float] = []

        def answer(request: httpx.Request) -> httpx.Response:
            allowed.append(request.extensions["wallaroo_ext.deadline"])
            return httpx.Response(200, json={"status": "Starting"})

        client = Client(base_url="https://api.example.com").set_httpx_client(
            httpx.Client(transport=httpx.MockTransport(answer), base_url="https://api.example.com")
        )
        with pytest.raises(WaitTimeoutError):
            wait_until_running(client, "a-1", timeout=100, clock=MovedClock())
        assert (allowed[0], allowed[-1]) == (60, 2)
        assert allowed == sorted(allowed, reverse=True)

    def test_it_takes_a_deployment_too(self) -> None:
        client, asked = telling({"status": "Running"})
        value = Deployment(name="a-1", id=1, url="/a", pipeline="a", workspace_id=1, status="Starting")
        wait_until_running(client, value)
        assert asked == ["a-1"]


class TestAsynchronous:
    def run(self, sandbox: dict[str, str], steps: Callable[[Client], Any]) -> Any:
        async def connected() -> Any:
            async with connect(environment=sandbox) as client:
                return await steps(client)

        return asyncio.run(connected())

    def test_the_whole_path(
        self,
        sandbox: dict[str, str],
        client: Client,
        model: ModelVersion,
        expected: Callable[[Any], np.ndarray[Any, Any]],
    ) -> None:
        async def path(connected: Client) -> Any:
            async with aio.deploy_pipeline(connected, "async", model) as deployment:
                found = await aio.find_deployment(connected, "async")
                assert (found.url, found.name) == (deployment.url, deployment.name)
                return await aio.infer(connected, found, {"tensor": ROWS})

        np.testing.assert_allclose(outputs(self.run(sandbox, path))["dense_1"], expected(ROWS), atol=1e-6)
        assert not is_deployed(client, "async")

    def test_the_blocks_error_is_raised_where_undeploying_fails_too(
        self, sandbox: dict[str, str], control: Sandbox, model: ModelVersion
    ) -> None:
        async def path(connected: Client) -> None:
            async with await aio.deploy_pipeline(connected, "both", model):
                control.add_faults(UNDEPLOYING_FAILS)
                _ = 1 / 0

        with pytest.raises(ZeroDivisionError) as raised:
            self.run(sandbox, path)
        assert "failed as well" in raised.value.__notes__[0]

    def test_a_cancelled_wait_undeploys(
        self, sandbox: dict[str, str], client: Client, control: Sandbox, model: ModelVersion
    ) -> None:
        async def path(connected: Client) -> None:
            started = asyncio.Event()
            deploying = asyncio.create_task(
                aio.deploy_pipeline(connected, "cancelled", model, progress=lambda _: started.set())
            )
            await started.wait()
            deploying.cancel()
            with pytest.raises(asyncio.CancelledError):
                await deploying

        control.set_transitions(deployments={"seconds": 3600})
        self.run(sandbox, path)
        assert not is_deployed(client, "cancelled")

    def test_undeploying_and_waiting(self, sandbox: dict[str, str], client: Client, model: ModelVersion) -> None:
        async def path(connected: Client) -> None:
            deployment = await aio.deploy_pipeline(connected, "waits", model, wait=False)
            assert (await aio.wait_until_running(connected, deployment)).status == "Running"
            await aio.undeploy(connected, "waits")

        self.run(sandbox, path)
        assert not is_deployed(client, "waits")
