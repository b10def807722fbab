"""Does a run of the contract suite end what it began, and list all that is left of it?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from wallaroo_mlops_client import Client
from wallaroo_mlops_client.api.assays import list_assays, set_assay_active
from wallaroo_mlops_client.api.deployments import get_deployment_status
from wallaroo_mlops_client.api.users import query_users
from wallaroo_mlops_client.api.workspaces import create_workspace, list_workspaces
from wallaroo_mlops_client.models import (
    CreateWorkspaceRequest,
    GetDeploymentStatusRequest,
    ListAssaysRequest,
    ListWorkspacesRequest,
    QueryUsersRequest,
)

from contract_tests.mutants.serving import lying_instance
from wallaroo_ext import NotFoundError, call, connect, contract
from wallaroo_ext.conformance.command import run_suite
from wallaroo_ext.conformance.guard.owned_resources import OwnedResources, Resource
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.resources import fixtures as making
from wallaroo_ext.conformance.resources import teardown
from wallaroo_ext.conformance.results import LeftBehind, Verdict, verdict
from wallaroo_ext.conformance.suite import NoFixturesError, Suite

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from wallaroo_ext.conformance.guard.effects import Effects
    from wallaroo_ext.conformance.guard.request_fields import RequestFields


@dataclass(slots=True)
class Failing:
    """An ASGI layer whose operations can fail, before or after they are carried out.

    Attributes:
        loses: Those that are carried out, and answered 502.
        refuses: Those that are answered 502 and not carried out.
        empties: Those that are carried out, and answered with an empty object.
        interrupts: Those that are carried out, and during whose answer the run is interrupted.
        interrupt: The signal that interrupts it.
        deployed: The ids of the deployments.
    """

    app: ASGIApp
    loses: set[str] = field(default_factory=set[str])
    refuses: set[str] = field(default_factory=set[str])
    empties: set[str] = field(default_factory=set[str])
    interrupts: set[str] = field(default_factory=set[str])
    interrupt: signal.Signals = signal.SIGINT
    deployed: list[int] = field(default_factory=list[int])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        operation = contract.operation_at(scope["path"]) if scope["type"] == "http" else None
        body = b""

        async def kept(message: Any) -> None:
            nonlocal body
            body += message.get("body", b"")
            if operation in self.interrupts:
                self.interrupts.remove(operation)
                signal.pthread_kill(threading.main_thread().ident or 0, self.interrupt)
            if operation not in self.loses | self.empties:
                await send(message)

        if operation not in self.refuses:
            await self.app(scope, receive, kept)
            if operation == "deploy_pipeline" and body.startswith(b'{"id"'):
                self.deployed.append(json.loads(body)["id"])
        if operation in self.empties:
            await answer(send, 200, b"application/json", b"{}")
        if operation in self.loses | self.refuses:
            await answer(send, 502, b"text/html", b"Bad Gateway")


async def answer(send: Send, status: int, kind: bytes, body: bytes) -> None:
    """Send an answer."""
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def served() -> Generator[tuple[dict[str, str], Failing]]:
    layers: list[Failing] = []

    def around(app: ASGIApp) -> ASGIApp:
        layers.append(Failing(app))
        return layers[0]

    with lying_instance(around) as instance:
        yield instance.environment, layers[0]


@contextmanager
def run(served: tuple[dict[str, str], Failing], **failing: set[str]) -> Generator[Suite]:
    """Yield a run on an instance that fails as told, but not during the teardown."""
    environment, layer = served
    suite = Suite(SuiteOptions(instance="live", environment=environment, allow_user_changes=True, cases=1))
    for how, operations in failing.items():
        setattr(layer, how, set(operations))
    try:
        yield suite
    finally:
        layer.loses, layer.refuses, layer.empties, layer.interrupts = set(), set(), set(), set()
        suite.close()


def left_of(suite: Suite, kind: str) -> list[LeftBehind]:
    return [thing for thing in suite.run.left_behind if thing.kind == kind]


def check_all_ended(suite: Suite, served: tuple[dict[str, str], Failing]) -> None:
    """Check that the instance runs nothing any more that the run started, and that the rest is listed."""
    environment, layer = served
    prefix = suite.owned.prefix
    with connect(environment=environment) as client:
        listed = call(list_workspaces, client=client, body=ListWorkspacesRequest()).workspaces
        own = [workspace for workspace in listed if workspace.name.startswith(prefix)]
        assert {workspace.id for workspace in own} == {thing.id for thing in left_of(suite, "workspace")}
        pipelines = [number for workspace in own for number in workspace.to_dict()["pipelines"]]
        assert set(pipelines) == {thing.id for thing in left_of(suite, "pipeline")}
        assays = [a for each in pipelines for a in call(list_assays, client=client, body=ListAssaysRequest(each))]
        assert [assay.id for assay in assays if assay.active] == []
        assert {assay.id for assay in assays} == {thing.id for thing in left_of(suite, "assay")}
        for number in layer.deployed:
            for name in ("p", "s"):
                body = GetDeploymentStatusRequest(name=f"{prefix}-{name}-{number}")
                with pytest.raises(NotFoundError):
                    call(get_deployment_status, client=client, body=body)
        users = call(query_users, client=client, body=QueryUsersRequest()).users.additional_properties.values()
        invited = [user for user in users if user and str(user.username).startswith(prefix)]
        assert [user.username for user in invited if user.enabled] == []
        assert {user.id for user in invited} == {thing.id for thing in left_of(suite, "user")}
    assert not [thing for thing in suite.run.left_behind if thing.is_active]


def test_what_a_run_began_is_ended_and_the_rest_is_listed_whole(served: tuple[dict[str, str], Failing]) -> None:
    with run(served) as suite:
        made = suite.fixtures
    check_all_ended(suite, served)
    prefix = suite.owned.prefix
    assert [(thing.id, thing.name) for thing in left_of(suite, "workspace")] == [(made.workspace_id, f"{prefix}-w")]
    models = {(thing.id, thing.name, thing.workspace) for thing in left_of(suite, "model")}
    assert models == {(made.model_id, f"{prefix}-m", made.workspace_id)}
    assert made.pipeline_id in {thing.id for thing in left_of(suite, "pipeline")}
    assert {thing.name for thing in left_of(suite, "pipeline")} == {f"{prefix}-{end}" for end in "psv"}
    assert {thing.state for thing in left_of(suite, "assay")} == {"inactive"}
    assert {thing.state for thing in left_of(suite, "user")} == {"deactivated"}
    assert made.email in {thing.name for thing in left_of(suite, "user")}
    assert len(left_of(suite, "model version")) == 1


def test_an_assay_ends_by_itself_where_nobody_ends_it(served: tuple[dict[str, str], Failing]) -> None:
    with run(served) as suite:
        made = suite.fixtures
        request = making.assay_request(made)
    assert request["run_until"] is not None


@pytest.mark.parametrize("step", ["upload_model", "deploy_pipeline", "infer", "assay_request"])
@pytest.mark.parametrize("failure", [KeyboardInterrupt(), ValueError("the answer is odd")], ids=["interrupted", "odd"])
def test_it_is_ended_also_where_setting_up_ends_midway(
    step: str, failure: BaseException, served: tuple[dict[str, str], Failing], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise failure

    monkeypatch.setattr(making, step, fail)
    with run(served) as suite, pytest.raises((KeyboardInterrupt, NoFixturesError)):
        _ = suite.fixtures
    check_all_ended(suite, served)


@pytest.mark.parametrize(
    "lost", ["create_workspace", "deploy_pipeline", "create_assay", "invite_user", "create_pipeline"]
)
def test_what_was_made_by_a_request_without_an_answer_is_found_and_ended(
    lost: str, served: tuple[dict[str, str], Failing]
) -> None:
    with run(served, loses={lost}) as suite, pytest.raises(NoFixturesError):
        _ = suite.fixtures
    assert suite.run.left_behind
    check_all_ended(suite, served)


@pytest.mark.parametrize("empty", ["create_workspace", "deploy_pipeline", "create_pipeline"])
def test_what_was_made_by_a_request_whose_answer_does_not_tell_it_is_found_and_ended(
    empty: str, served: tuple[dict[str, str], Failing]
) -> None:
    with run(served, empties={empty}) as suite, pytest.raises(NoFixturesError):
        _ = suite.fixtures
    check_all_ended(suite, served)


@pytest.mark.parametrize("during", ["create_workspace", "deploy_pipeline", "create_assay", "invite_user"])
def test_it_is_ended_also_where_the_run_is_interrupted_in_the_middle_of_a_request(
    during: str, served: tuple[dict[str, str], Failing]
) -> None:
    with run(served, interrupts={during}) as suite, pytest.raises(KeyboardInterrupt):
        _ = suite.fixtures
    assert [exchange for exchange in suite.run.exchanges if exchange.operation == during] == []
    assert suite.run.left_behind
    check_all_ended(suite, served)


def test_others_things_are_not_the_runs_where_an_instance_gives_them_for_new_ones(
    served: tuple[dict[str, str], Failing], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, _ = served
    with connect(environment=environment) as client:
        others = call(create_workspace, client=client, body=CreateWorkspaceRequest("of-others")).workspace_id
    learn = OwnedResources.learn

    def lied_to(owned: OwnedResources, effects: Effects, request: RequestFields, answer: Any) -> bool:
        is_lie = effects.operation == "create_workspace"
        return learn(owned, effects, request, {"workspace_id": others} if is_lie else answer)

    monkeypatch.setattr(OwnedResources, "learn", lied_to)
    with run(served) as suite:
        assert not suite.owned.has("workspace id", others)
        assert "names no workspace id of this run" in suite.fixtures.withheld
    assert others not in {thing.id for thing in left_of(suite, "workspace")}
    assert {exchange.operation for exchange in suite.run.exchanges}.isdisjoint({"upload_model", "deploy_pipeline"})


def test_what_cannot_be_ended_is_said(served: tuple[dict[str, str], Failing]) -> None:
    with run(served) as suite:
        made = suite.fixtures
        environment, layer = served
        assert environment
        layer.refuses = {"undeploy_pipeline", "set_assay_active", "deactivate_user"}
        suite.close()
    active = [thing for thing in suite.run.left_behind if thing.is_active]
    assert {thing.kind for thing in active} == {"deployment", "assay", "user"}
    assert all("could not be ended" in thing.state for thing in active)
    assert made.deployment is not None
    assert made.deployment.id in {thing.id for thing in active}


def test_it_is_listed_also_where_the_end_is_interrupted(
    served: tuple[dict[str, str], Failing], monkeypatch: pytest.MonkeyPatch
) -> None:
    from wallaroo_ext.conformance.resources import teardown

    def interrupt(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with run(served) as suite:
        _ = suite.fixtures
        monkeypatch.setattr(teardown, "UndeployPipelineRequest", interrupt)
        suite.close()
    active = [thing for thing in suite.run.left_behind if thing.is_active]
    assert {"deployment", "assay", "user"} <= {thing.kind for thing in active}
    assert {thing.state for thing in active} == {"it was not ended, as the run was interrupted once more"}


@pytest.mark.slow
def test_an_interrupted_command_ends_what_it_began(served: tuple[dict[str, str], Failing], tmp_path: Path) -> None:
    environment, layer = served
    layer.deployed.clear()
    own = {name: value for name, value in os.environ.items() if not name.startswith("WALLAROO_")}
    command = [sys.executable, "-m", "wallaroo_ext.cli", "conformance", "--allow-user-changes"]
    command += ["--operation", "deploy_pipeline", "--cases", "1"]
    begun = subprocess.Popen([*command, "--report", str(tmp_path)], env=own | environment, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while len(layer.deployed) < 3:
        assert time.monotonic() < deadline, "it deployed nothing"
        time.sleep(0.05)
    begun.send_signal(signal.SIGINT)
    begun.communicate(timeout=60)
    assert begun.returncode == 2
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["could_not_run"] == "It was interrupted."
    left = [LeftBehind(**thing) for thing in report["left_behind"]]
    check_all_ended(finished(served, report["subject"]["prefix"], left), served)


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_what_it_began(sent: signal.Signals, served: tuple[dict[str, str], Failing]) -> None:
    environment, layer = served
    layer.interrupts, layer.interrupt = {"deploy_pipeline"}, sent
    only = ("deploy_pipeline",)
    options = SuiteOptions(instance="live", environment=environment, allow_user_changes=True, operations=only, cases=1)
    try:
        found = run_suite(options, lambda _, __: None)
    finally:
        layer.interrupts, layer.interrupt = set(), signal.SIGINT
    assert found.could_not_run == "It was interrupted."
    assert verdict(found) is Verdict.COULD_NOT_RUN
    check_all_ended(finished(served, found.subject.prefix, found.left_behind), served)


def finished(served: tuple[dict[str, str], Failing], prefix: str, left: list[LeftBehind]) -> Suite:
    """Return a run that is over, with the things that it reported as left behind."""
    suite = Suite(SuiteOptions(instance="live", environment=served[0]))
    suite.owned.prefix = prefix
    suite.run.left_behind = left
    return suite


def test_an_assay_that_an_instance_lists_without_its_pipeline_is_ended_only_by_its_own_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owned = OwnedResources("conformance-abc")
    owned.add_resource(Resource("pipeline", 8, "conformance-abc-p", 7))
    owned.add("pipeline id", 8)
    listed = [
        {"id": 1, "name": "production", "active": True},
        {"id": 2, "name": "production", "active": True, "pipeline_id": 3},
        {"id": 3, "name": "conformance-abc-a", "active": True},
        {"id": 4, "name": "conformance-abc-b", "active": True, "pipeline_id": 8},
    ]
    ended: list[int] = []

    def answer(operation: Any, *, body: Any, **_: Any) -> Any:
        if operation is list_assays:
            return [SimpleNamespace(to_dict=each.copy) for each in listed]
        if operation is set_assay_active:
            ended.append(body.id)
        return SimpleNamespace(to_dict=dict)

    monkeypatch.setattr(teardown, "call", answer)
    left = teardown.tear_down(cast("Any", None), owned)
    assert ended == [3, 4]
    assert [thing.id for thing in left if thing.kind == "assay"] == [3, 4]


def test_an_assay_whose_id_no_answer_told_is_listed_and_not_asked_for() -> None:
    sent: list[dict[str, Any]] = []

    def server(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json={"workspaces": []})

    owned = OwnedResources("conformance")
    owned.add("assay name", "conformance-1")
    owned.add_resource(Resource("assay", None, "conformance-1"))
    client = Client(base_url="http://instance", httpx_args={"transport": httpx.MockTransport(server)})
    [left] = teardown.tear_down(client, owned)
    assert (left.name, left.state) == ("conformance-1", "no answer told its id, so that it may not be there")
    assert all("active" not in body for body in sent)
