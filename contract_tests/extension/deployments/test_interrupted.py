"""Does a `deploy` that is interrupted, fails or is misused end what it started, nothing else, and say what stays?"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from wallaroo_mlops_client import Client
from wallaroo_mlops_client.models import ModelVersion

from contract_tests.support.command_line import SCRIPT, Done, environment_of, forked
from contract_tests.support.sandbox.deployments import is_deployed
from contract_tests.support.sandbox.steering import wait_for
from contract_tests.support.servers.forks.forking import run_in_child
from wallaroo_ext import (
    Clock,
    ConfigurationError,
    ConnectionFailedError,
    Deployment,
    DeploymentError,
    InvalidDataError,
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
    model_version,
    undeploy,
    upload_model,
    wait_until_running,
)
from wallaroo_ext.cli.main import COMMANDS
from wallaroo_ext.deployments.unfinished import PendingDeployment, clean_up_steps, leftovers
from wallaroo_ext.operations import steps_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator
    from pathlib import Path

    from wallaroo_ext.sandbox.control_client import Sandbox

ROW = {"tensor": [[0.0] * 29]}
CLEAN_UP = ("undeploy_pipeline", "get_pipeline_external_url", "get_deployment_status")


class Interrupting(httpx.HTTPTransport):
    """Is interrupted at some requests of a client, before they are sent or when they are answered."""

    def __init__(self, at: Collection[int], *, answered: bool) -> None:
        super().__init__()
        self._at, self._answered = at, answered
        self.operations: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        number = len(self.operations)
        self.operations.append(contract.operation_at(request.url.path) or request.url.path)
        answer = self._answer(request) if self._answered or number not in self._at else None
        if answer is None or number in self._at:
            raise KeyboardInterrupt
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        return super().handle_request(request)


class Cancelling(httpx.AsyncHTTPTransport):
    """Lets the task be cancelled at some requests of a client, before they are sent or when they are answered."""

    def __init__(self, at: Collection[int], *, answered: bool) -> None:
        super().__init__()
        self._at, self._answered = at, answered
        self.task: asyncio.Task[Any] | None = None
        self.operations: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        number = len(self.operations)
        self.operations.append(contract.operation_at(request.url.path) or request.url.path)
        if number in self._at:
            if self._answered:
                await super().handle_async_request(request)
            assert self.task is not None
            self.task.cancel()
            await asyncio.sleep(0)
        return await super().handle_async_request(request)


def connected(sandbox: dict[str, str], transport: Any) -> Any:
    return connect(environment=sandbox, transport=transport, retries=RetryPolicy(attempts=1))


def note_of(error: BaseException) -> str:
    """Return all that an error says."""
    return " ".join([str(error), *getattr(error, "__notes__", [])])


def operations_of(sandbox: dict[str, str], model: ModelVersion) -> list[str]:
    """Return the requests of a deploy that waits for nothing."""
    transport = Interrupting((), answered=False)
    with connected(sandbox, transport) as client:
        undeploy(client, deploy_pipeline(client, "x", model, wait=False))
    return transport.operations[:-1]


@pytest.mark.parametrize("when", ["before it is sent", "when it is answered"])
class TestAnyMoment:
    def test_what_the_call_started_has_ended(
        self, sandbox: dict[str, str], client: Client, model: ModelVersion, when: str
    ) -> None:
        number = 0
        for number in count():
            transport = Interrupting({number}, answered=when == "when it is answered")
            with connected(sandbox, transport) as interrupted:
                if not is_interrupted(lambda: deploy_pipeline(interrupted, "x", model)):
                    break
            assert not is_deployed(client, "x"), transport.operations
        assert number > 5

    def test_what_ran_before_runs_on_and_it_is_said_what_became_of_it(
        self, sandbox: dict[str, str], client: Client, model: ModelVersion, model_file: Path, when: str
    ) -> None:
        before = deploy_pipeline(client, "x", model)
        newer = upload_model(client, model_file, name="newer", workspace=1)
        number = 0
        for number in count():
            transport = Interrupting({number}, answered=when == "when it is answered")
            with connected(sandbox, transport) as interrupted:
                error = is_interrupted(lambda: deploy_pipeline(interrupted, "x", newer))
            if error is None:
                break
            wait_until_running(client, before)  # the new version may still be starting
            assert infer(client, before, ROW).num_rows == 1
            assert find_deployment(client, "x").id == before.id
            if "deploy_pipeline" in transport.operations:
                assert f"{before.name} was deployed before this call" in note_of(error)
                assert re.search(r"it (is to run|may have been set to run) version \d+ of", note_of(error))
                assert f"wallaroo-ext deploy x --model model@{model.model_version} --workspace 1" in note_of(error)
                deploy_pipeline(client, "x", model)
            else:
                assert not note_of(error)
        assert number > 5

    def test_a_second_interrupt_is_not_the_end_of_the_clean_up(
        self, sandbox: dict[str, str], client: Client, model: ModelVersion, when: str
    ) -> None:
        waiting = operations_of(sandbox, model).index("deploy_pipeline") + 1
        for second in range(waiting + 1, waiting + 3):
            transport = Interrupting({waiting, second}, answered=when == "when it is answered")
            with connected(sandbox, transport) as interrupted:
                error = is_interrupted(lambda: deploy_pipeline(interrupted, "x", model))
            assert len(transport.operations) > second
            assert not is_deployed(client, "x"), transport.operations
            assert error is not None
            assert not note_of(error)

    @pytest.mark.parametrize("times", [1, 2, 9])
    def test_a_cancelled_task_leaves_nothing_however_often(
        self, sandbox: dict[str, str], client: Client, model: ModelVersion, when: str, times: int
    ) -> None:
        async def is_cancelled(transport: Cancelling) -> bool:
            async with connected(sandbox, transport) as asynchronous:
                transport.task = asyncio.ensure_future(aio.deploy_pipeline(asynchronous, "x", model))
                try:
                    await transport.task
                except asyncio.CancelledError:
                    return True
                return False

        number = 0
        for number in count():
            transport = Cancelling(range(number, number + times), answered=when == "when it is answered")
            if not asyncio.run(is_cancelled(transport)):
                break
            assert not is_deployed(client, "x"), transport.operations
        assert number > 5


def is_interrupted(action: Callable[[], object]) -> KeyboardInterrupt | None:
    """Return the interrupt that came through; None where the action came to its end."""
    try:
        action()
    except KeyboardInterrupt as interrupt:
        return interrupt
    return None


class TestWhatRanBefore:
    @pytest.fixture
    def before(self, client: Client, model: ModelVersion) -> Deployment:
        return deploy_pipeline(client, "x", model)

    def test_it_is_not_undeployed_where_the_new_version_fails(
        self, client: Client, control: Sandbox, model: ModelVersion, before: Deployment
    ) -> None:
        control.set_transitions(deployments={"status": "Error", "reason": "out of memory"})
        with pytest.raises(DeploymentError) as raised:
            deploy_pipeline(client, "x", model, error_grace=0)
        assert find_deployment(client, "x").id == before.id
        note = note_of(raised.value)
        assert f"{before.name} was deployed before this call, which did not undeploy it" in note
        assert f"Before, it ran model {model.model_version}" in note
        assert f"`undeploy(client, {before.id})` or `wallaroo-ext undeploy {before.name}` ends it" in note

    def test_nor_where_it_is_not_running_in_time_or_progress_raises(
        self, client: Client, control: Sandbox, model: ModelVersion, before: Deployment
    ) -> None:
        control.set_transitions(deployments={"seconds": 3600})
        with pytest.raises(WaitTimeoutError) as late:
            deploy_pipeline(client, "x", model, timeout=0)
        with pytest.raises(ZeroDivisionError) as raised:
            deploy_pipeline(client, "x", model, progress=lambda _: 1 / 0)
        assert "it is to run version" in note_of(late.value)
        assert "Before, it was Starting and told no models" in note_of(raised.value)
        assert find_deployment(client, "x").id == before.id

    def test_its_block_and_the_block_of_what_was_found_end_nothing(
        self, client: Client, model: ModelVersion, before: Deployment
    ) -> None:
        assert before.started
        with deploy_pipeline(client, "x", model) as again:
            assert not again.started
        with find_deployment(client, "x") as found:
            assert not found.started
        assert is_deployed(client, "x")
        with before:
            pass
        assert not is_deployed(client, "x")

    def test_nor_do_they_in_asyncio(self, sandbox: dict[str, str], client: Client, before: Deployment) -> None:
        async def blocks() -> None:
            async with connect(environment=sandbox) as asynchronous:
                version = await aio.model_version(asynchronous, "model")
                async with await aio.deploy_pipeline(asynchronous, "x", version):
                    pass
                async with aio.find_deployment(asynchronous, "x"):
                    pass

        asyncio.run(blocks())
        assert find_deployment(client, "x").id == before.id

    def test_a_deployment_of_the_pipeline_under_another_name_goes_on(
        self, client: Client, control: Sandbox, model: ModelVersion, before: Deployment
    ) -> None:
        other = deploy_under(client, before, "elsewhere")
        undeploy(client, before)
        control.set_transitions(deployments={"status": "Error"})
        with pytest.raises(DeploymentError):
            deploy_pipeline(client, "x", model, error_grace=0)
        assert is_deployed(client, f"elsewhere-{other}")
        control.set_transitions(deployments={"status": "Running"})
        with deploy_pipeline(client, "x", model) as started:
            assert started.started
        assert is_deployed(client, f"elsewhere-{other}")

    def test_what_another_call_deployed_meanwhile_is_not_undeployed(
        self, client: Client, model: ModelVersion, model_file: Path
    ) -> None:
        newer = upload_model(client, model_file, name="newer", workspace=1)

        def meanwhile(_: object) -> None:
            deploy_pipeline(client, "x", newer)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt) as raised:
            deploy_pipeline(client, "x", model, progress=meanwhile)
        assert f"it runs newer {newer.model_version}, which another call deployed" in note_of(raised.value)
        assert is_deployed(client, "x")


def deploy_under(client: Client, deployment: Deployment, name: str) -> int:
    """Return the id of another deployment of a pipeline's version."""
    from wallaroo_mlops_client.api.pipelines import deploy_pipeline as operation
    from wallaroo_mlops_client.models import DeployPipelineRequest

    from wallaroo_ext import call

    assert deployment.pipeline_id is not None
    assert deployment.pipeline_version_id is not None
    body = DeployPipelineRequest(
        deploy_id=name, pipeline_id=deployment.pipeline_id, pipeline_version_pk_id=deployment.pipeline_version_id
    )
    return call(operation, client=client, body=body).id


class TestNoAnswer:
    @pytest.mark.parametrize("fault", ["drop-before-answer", "unknown-status"])
    def test_what_a_request_without_an_answer_started_has_ended(
        self, sandbox: dict[str, str], client: Client, control: Sandbox, model: ModelVersion, fault: str
    ) -> None:
        control.add_faults({"operation": "deploy_pipeline", "kind": fault})
        with (
            connect(environment=sandbox, retries=RetryPolicy(attempts=1)) as once,
            pytest.raises((ConnectionFailedError, ServerError)),
        ):
            deploy_pipeline(once, "x", model)
        control.clear_faults()
        assert not is_deployed(client, "x")

    def test_where_it_cannot_be_found_out_it_is_said(
        self, sandbox: dict[str, str], control: Sandbox, model: ModelVersion
    ) -> None:
        operations = operations_of(sandbox, model)
        first = operations.index("deploy_pipeline")
        transport = Failing(first)
        with connected(sandbox, transport) as failing, pytest.raises(ConnectionFailedError) as raised:
            deploy_pipeline(failing, "x", model)
        _ = control
        assert "It is unknown whether x is deployed in the workspace 1" in note_of(raised.value)
        assert "`wallaroo-ext undeploy x --workspace 1` ends it if it is" in note_of(raised.value)

    def test_a_refusal_begins_nothing_and_says_no_more(
        self, sandbox: dict[str, str], client: Client, control: Sandbox, model: ModelVersion
    ) -> None:
        before = deploy_pipeline(client, "x", model)
        control.add_faults({"operation": "deploy_pipeline", "kind": "too-many-requests"})
        with connect(environment=sandbox, retries=RetryPolicy(attempts=1)) as once, pytest.raises(Exception) as raised:  # noqa: PT011 - which one is not asked here
            deploy_pipeline(once, "x", model)
        control.clear_faults()
        assert not getattr(raised.value, "__notes__", [])
        assert find_deployment(client, "x").id == before.id

    def test_undeploying_that_is_interrupted_says_what_to_do(
        self, sandbox: dict[str, str], client: Client, model: ModelVersion
    ) -> None:
        deployment = deploy_pipeline(client, "x", model)
        transport = Interrupting({0}, answered=True)
        with connected(sandbox, transport) as interrupted, pytest.raises(KeyboardInterrupt) as raised:
            undeploy(interrupted, deployment)
        assert (
            note_of(raised.value).strip()
            == f"It is unknown whether {deployment.name} was undeployed: undeploy it again, which does no harm."
        )


class Failing(httpx.HTTPTransport):
    """Loses the connection at a request, and from then on."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self._left = first

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._left -= 1
        if self._left < 0:
            raise httpx.ReadError("gone", request=request)
        return super().handle_request(request)


class TestMisuse:
    @pytest.mark.parametrize(
        "options",
        [
            {"progress": 1},
            {"progress": "bar"},
            {"timeout": "60"},
            {"timeout": None},
            {"timeout": float("nan")},
            {"timeout": -1},
            {"timeout": True},
            pytest.param({"timeout": 10**309}, id="a timeout above all floats"),
            {"clock": 3},
            {"wait": 10},
            {"engine_config": {"cpus": {1}}},
            {"engine_config": {"cpus": float("nan")}},
            {"engine_config": {"image": "\ud800"}},
            {"engine_config": []},
            {"workspace": 1.5},
            {"workspace": ""},
        ],
        ids=str,
    )
    def test_it_is_refused_before_anything_is_sent(self, sandbox: dict[str, str], options: Any) -> None:
        transport = Interrupting((), answered=False)
        version = ModelVersion(id=1, models_pk_id=1, model_version="v", sha="s")
        with connected(sandbox, transport) as client, pytest.raises(InvalidDataError):
            deploy_pipeline(client, "x", version, **options)
        assert transport.operations == []

    @pytest.mark.parametrize("name", ["", None, 5, b"x"])
    def test_so_is_what_is_no_name(self, sandbox: dict[str, str], name: Any) -> None:
        transport = Interrupting((), answered=False)
        with connected(sandbox, transport) as client, pytest.raises(InvalidDataError, match="has a name of letters"):
            deploy_pipeline(client, name, 1)
        assert transport.operations == []

    def test_so_is_progress_that_would_have_to_be_awaited(self, sandbox: dict[str, str]) -> None:
        """It would be called, and never run."""

        async def progress(_: object) -> None: ...

        class Telling:
            async def __call__(self, _: object) -> None: ...

        with connected(sandbox, Interrupting((), answered=False)) as client:
            for each in (progress, partial(progress), Telling()):
                with pytest.raises(InvalidDataError, match="without `async`"):
                    wait_until_running(client, "x-1", progress=each)

    def test_so_is_text_that_no_request_can_have(self, client: Client) -> None:
        for action in (undeploy, find_deployment, partial(find_workspace, create=True)):
            with pytest.raises(InvalidDataError, match="surrogates"):
                action(client, "\ud800")

    @pytest.mark.parametrize("progress", [True, False, None])
    def test_progress_means_the_same_everywhere(
        self, client: Client, control: Sandbox, model: ModelVersion, progress: Any
    ) -> None:
        control.set_transitions(deployments={"seconds": 0.2})
        deployment = deploy_pipeline(client, "x", model, progress=progress)
        assert wait_until_running(client, deployment, progress=progress).status == "Running"

    @pytest.mark.parametrize("progress", [1, "bar"])
    def test_an_upload_and_a_run_refuse_the_same(
        self, sandbox: dict[str, str], model_file: Path, progress: Any
    ) -> None:
        from wallaroo_ext.batch.progress import progress_function

        transport = Interrupting((), answered=False)
        with connected(sandbox, transport) as client, pytest.raises(InvalidDataError, match="`progress` is a function"):
            upload_model(client, model_file, name="m", progress=progress)
        assert transport.operations == []
        with pytest.raises(InvalidDataError, match="`progress` is a function"), progress_function(progress):
            pass

    def test_a_line_needs_a_library(self, monkeypatch: pytest.MonkeyPatch, client: Client, model: ModelVersion) -> None:
        before = deploy_pipeline(client, "x", model)
        monkeypatch.setitem(__import__("sys").modules, "rich.progress", None)
        monkeypatch.delattr(__import__("rich"), "progress", raising=False)
        with pytest.raises(ConfigurationError, match=r"wallaroo-ext\[cli\]"):
            deploy_pipeline(client, "x", model, progress=True)
        assert find_deployment(client, "x").id == before.id


class TestNobodyWaits:
    """A call that is closed can send nothing more, and whoever closes it does not see what it raises."""

    @pytest.mark.parametrize("kind", [GeneratorExit, StopIteration])
    def test_a_function_that_raises_what_ends_generators_ends_the_deployment(
        self, client: Client, control: Sandbox, model: ModelVersion, kind: type[BaseException]
    ) -> None:
        class Raising(Clock):
            def sleep(self, seconds: float) -> None:
                raise kind(seconds)

        def progress(_: object) -> None:
            raise kind

        control.set_transitions(deployments={"seconds": 3600})
        for options in ({"progress": progress}, {"clock": Raising()}):
            with pytest.raises(RuntimeError, match=f"raised {kind.__name__}"):
                deploy_pipeline(client, "x", model, **options)  # pyright: ignore[reportArgumentType] - one of each
            assert not is_deployed(client, "x")

    @pytest.mark.parametrize("ran", ["nothing", "ran before"])
    def test_a_coroutine_that_is_closed_while_it_waits_says_what_stays(
        self,
        sandbox: dict[str, str],
        client: Client,
        control: Sandbox,
        model: ModelVersion,
        caplog: pytest.LogCaptureFixture,
        ran: str,
    ) -> None:
        if ran == "ran before":
            deploy_pipeline(client, "x", model)
        control.set_transitions(deployments={"seconds": 3600})

        async def deploy() -> None:
            async with connect(environment=sandbox) as asynchronous:
                clock = Waiting()
                coroutine = aio.deploy_pipeline(asynchronous, "x", model, clock=clock)
                task = asyncio.ensure_future(coroutine)
                await clock.pausing.wait()
                coroutine.close()
                task.cancel()
                with suppress(RuntimeError):  # a task whose coroutine somebody else has closed
                    await task

        asyncio.run(deploy())
        [note_of] = caplog.messages
        before = "x-1 was deployed before this call" if ran == "ran before" else "x-1 was not undeployed"
        assert note_of.startswith(before)
        assert note_of.endswith("`undeploy(client, 1)` or `wallaroo-ext undeploy x-1` ends it.")
        assert is_deployed(client, "x")

    def test_so_does_one_that_is_closed_before_an_answer(self, caplog: pytest.LogCaptureFixture) -> None:
        begun = PendingDeployment("x", 1, 2, None, 3, ["v"])
        undeploying = steps_of(undeploy)(Client(base_url="https://nowhere.example.com"), 5)
        ending = clean_up_steps(replace(begun, id=5), KeyboardInterrupt())
        for steps in (undeploying, ending):
            next(steps)
            steps.close()
        unknown, undeployed, ended = leftovers(begun), *caplog.messages
        assert unknown.startswith("It is unknown whether x is deployed in the workspace 3. `undeploy(client, 'x',")
        assert undeployed.startswith("It is unknown whether the deployment 5 was undeployed")
        assert ended.startswith("Undeploying x-5 failed as well, it may go on running, because nobody waits for")

    def test_a_generator_that_is_closed_raises_why_its_block_did_not_undeploy(
        self, client: Client, control: Sandbox, model: ModelVersion
    ) -> None:
        def scoring() -> Generator[None]:
            with deploy_pipeline(client, "x", model):
                yield

        generator = scoring()
        next(generator)
        control.add_faults({"operation": "undeploy_pipeline", "kind": "unknown-status"})
        with pytest.raises(ServerError) as raised:
            generator.close()
        assert "`wallaroo-ext undeploy x-1` ends it" in note_of(raised.value)

    def test_a_program_that_exits_without_a_traceback_says_it(
        self, client: Client, model: ModelVersion, caplog: pytest.LogCaptureFixture
    ) -> None:
        deploy_pipeline(client, "x", model)
        with pytest.raises(SystemExit):
            deploy_pipeline(client, "x", model, progress=lambda _: sys.exit())
        assert "x-1 was deployed before this call" in caplog.text


class Waiting(Clock):
    """A clock by which a pause never ends."""

    def __init__(self) -> None:
        self.pausing = asyncio.Event()

    async def sleep_async(self, seconds: float) -> None:
        _ = seconds
        self.pausing.set()
        await asyncio.Event().wait()


class TestTheEndOfABlock:
    def test_an_interrupt_while_it_undeploys_is_tried_again_and_raised(
        self, sandbox: dict[str, str], client: Client, model: ModelVersion
    ) -> None:
        count = len(operations_of(sandbox, model))
        transport = Interrupting({count}, answered=False)
        with (
            connected(sandbox, transport) as interrupted,
            pytest.raises(KeyboardInterrupt),
            deploy_pipeline(interrupted, "x", model, wait=False),
        ):
            pass
        assert not is_deployed(client, "x")

    def test_one_that_keeps_interrupting_is_told_what_is_left(
        self, sandbox: dict[str, str], client: Client, model: ModelVersion
    ) -> None:
        count = len(operations_of(sandbox, model))
        transport = Interrupting({count, count + 1}, answered=False)
        with (
            connected(sandbox, transport) as interrupted,
            pytest.raises(KeyboardInterrupt) as raised,
            deploy_pipeline(interrupted, "x", model, wait=False) as deployment,
        ):
            _ = 1 / 0
        assert isinstance(raised.value.__cause__, ZeroDivisionError)
        assert f"`wallaroo-ext undeploy {deployment.name}` ends it" in note_of(raised.value)
        assert is_deployed(client, "x")

    def test_an_exit_stack_that_it_is_pushed_on_ends_it_too(self, client: Client, model: ModelVersion) -> None:
        with ExitStack() as stack:
            stack.push(deploy_pipeline(client, "x", model))
        assert not is_deployed(client, "x")

    def test_but_not_in_a_forked_child(self, client: Client, model: ModelVersion) -> None:
        with ExitStack() as stack:
            stack.push(deploy_pipeline(client, "x", model))
            assert run_in_child(stack.close) == 0
            assert is_deployed(client, "x")


class TestOnTheCommandLine:
    def test_so_it_is_in_a_process_of_its_own(
        self, sandbox: dict[str, str], client: Client, control: Sandbox, model: ModelVersion
    ) -> None:
        """The other commands are forked, which spares them the time that Python takes to load them."""
        before = deploy_pipeline(client, "x", model)
        control.set_transitions(deployments={"status": "Starting"})
        command = [*SCRIPT, "deploy", "x", "--model", "model"]
        with subprocess.Popen(command, env=environment_of(sandbox), stderr=subprocess.PIPE, text=True) as started:
            assert started.stderr is not None
            while not (line := started.stderr.readline()).startswith("x is S"):
                assert line
            started.terminate()
            assert f"{before.name} was deployed before this call" in started.stderr.read()
        assert started.returncode == 128 + signal.SIGTERM

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    @pytest.mark.parametrize("ran", ["nothing", "ran before"])
    def test_a_signal_ends_what_the_command_started_and_says_what_stays(
        self,
        sandbox: dict[str, str],
        client: Client,
        control: Sandbox,
        model: ModelVersion,
        number: signal.Signals,
        ran: str,
    ) -> None:
        before = deploy_pipeline(client, "x", model) if ran == "ran before" else None
        control.set_transitions(deployments={"status": "Starting"})
        out, err, code = interrupted("deploy", "x", "--model", "model", sandbox=sandbox, number=number, after="x is S")
        assert (out, code) == ("", 128 + number)
        assert is_deployed(client, "x") == (before is not None)
        if before is None:
            assert err == ""
        else:
            assert f"{before.name} was deployed before this call" in err
            assert f"`wallaroo-ext undeploy {before.name}` ends it" in err
            assert "Traceback" not in err

    def test_a_program_is_told_too(
        self, wallaroo: Callable[..., Done], client: Client, control: Sandbox, model: ModelVersion
    ) -> None:
        deploy_pipeline(client, "x", model)
        control.set_transitions(deployments={"status": "Error", "reason": "no room"})
        done = wallaroo("deploy", "x", "--model", "model", "--error-grace", "0", "--json")
        error = json.loads(done.err)["error"]
        assert (done.code, error["kind"]) == (1, "DeploymentError")
        assert "was deployed before this call" in error["notes"][0]
        assert is_deployed(client, "x")
        people = wallaroo("deploy", "x", "--model", "model", "--error-grace", "0")
        assert "x-1 was deployed before this call" in people.err.splitlines()[-1]

    def test_so_is_one_that_is_interrupted(
        self, sandbox: dict[str, str], client: Client, control: Sandbox, model: ModelVersion
    ) -> None:
        deploy_pipeline(client, "x", model)
        control.set_transitions(deployments={"status": "Starting"})
        asked = requests_of(control, "get_deployment_status")
        _, err, code = interrupted(
            "deploy",
            "x",
            "--model",
            "model",
            "--json",
            sandbox=sandbox,
            number=signal.SIGINT,
            ready=lambda: requests_of(control, "get_deployment_status") > asked + 2,
        )
        error = json.loads(err)["error"]
        assert (code, error["kind"]) == (130, "Interrupted")
        assert "x-1 was deployed before this call" in error["message"]

    @pytest.mark.parametrize(
        ("command", "says"),
        [
            (("deploy", "x", "--model", "model"), "x-1 is deployed. `undeploy(client, 1)` or"),
            (("undeploy", "y"), "y-1 is undeployed."),
            (("upload", "FILE", "--name", "kept"), "The model kept is stored in the workspace 1, as the version 2."),
        ],
        ids=["deploy", "undeploy", "upload"],
    )
    def test_a_command_that_is_interrupted_when_all_is_done_says_what_was_done(
        self,
        client: Client,
        wallaroo: Callable[..., Done],
        model: ModelVersion,
        model_file: Path,
        monkeypatch: pytest.MonkeyPatch,
        command: tuple[str, ...],
        says: str,
    ) -> None:
        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        if command[0] == "undeploy":
            deploy_pipeline(client, "y", model)
        showing = {"deploy": "_show", "undeploy": "_say", "upload": "_show"}[command[0]]
        monkeypatch.setattr(f"{COMMANDS[command[0]]}.{showing}", interrupt)
        done = wallaroo(*(str(model_file) if word == "FILE" else word for word in command))
        assert done.code == 130
        assert done.err.splitlines()[-1].startswith(says)

    def test_so_does_an_upload_between_its_answer_and_the_first_look(
        self, client: Client, model_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("wallaroo_ext.uploads.upload._version_id", interrupt)
        with pytest.raises(KeyboardInterrupt) as raised:
            upload_model(client, model_file, name="kept", workspace=1)
        assert (
            note_of(raised.value).strip().startswith("It is unknown whether the model was stored: list_model_versions")
        )

    def test_an_upload_that_is_interrupted_while_waiting_says_that_the_model_is_there(
        self, sandbox: dict[str, str], client: Client, control: Sandbox, model_file: Path
    ) -> None:
        def is_waited_for() -> bool:
            """Return whether the upload has asked for its version's state, and more than once."""
            return requests_of(control, "get_model_version_by_id") > 0

        control.set_transitions(models={"seconds": 3600})
        command = ("upload", str(model_file), "--name", "kept")
        _, err, code = interrupted(
            *command, sandbox=sandbox, number=signal.SIGTERM, after="Waiting for", ready=is_waited_for
        )
        assert code == 143
        version = model_version(client, "kept")
        assert err.startswith(f"The model kept is stored in the workspace 1, as the version {version.id}.")

    def test_inferring_says_that_nothing_was_written(
        self, sandbox: dict[str, str], client: Client, control: Sandbox, model: ModelVersion, tmp_path: Path
    ) -> None:
        deploy_pipeline(client, "x", model)
        rows, scored = tmp_path / "rows.json", tmp_path / "scored.csv"
        rows.write_text(json.dumps([{"tensor": [0.0] * 29}]), encoding="utf-8")
        control.add_faults({"operation": "infer_pipeline", "kind": "delay", "seconds": 30})
        _, err, code = interrupted(
            "infer",
            "x",
            str(rows),
            "--output",
            str(scored),
            "--verbose",
            sandbox=sandbox,
            number=signal.SIGTERM,
            ready=lambda: is_scoring(control),
        )
        assert code == 143
        assert f"0 of 1 rows were scored, which the instance has logged; nothing was written to {scored}." in err
        assert not scored.exists()

    @pytest.mark.slow
    def test_batch_says_how_to_go_on(
        self,
        sandbox: dict[str, str],
        wallaroo: Callable[..., Done],
        client: Client,
        control: Sandbox,
        model: ModelVersion,
        tmp_path: Path,
    ) -> None:
        deploy_pipeline(client, "x", model)
        rows, scored = tmp_path / "rows.csv", tmp_path / "scored"
        rows.write_text(",".join(f"c{n}" for n in range(29)) + "\n" + ",".join(["0"] * 29) + "\n", encoding="utf-8")
        control.add_faults({"operation": "infer_pipeline", "kind": "delay", "seconds": 2, "count": 1})
        command = ("batch", str(rows), str(scored), "--pipeline", "x", "--vector")
        _, err, code = interrupted(*command, sandbox=sandbox, number=signal.SIGINT, ready=lambda: is_scoring(control))
        assert code == 130
        assert f"the parts that are complete stay in {scored}, and the same command goes on after them." in err
        control.clear_faults()
        assert wallaroo(*command).code == 0


def requests_of(control: Sandbox, operation: str) -> int:
    """Return how many requests of an operation came."""
    return sum(control.state()["requests"].get(operation, {}).values())


def is_scoring(control: Sandbox) -> bool:
    return any(fault["applied"] for fault in control.faults())


def interrupted(
    *arguments: str,
    sandbox: dict[str, str],
    number: signal.Signals,
    after: str = "",
    ready: Callable[[], bool] | None = None,
) -> tuple[str, str, int]:
    """Send a command a signal after a line of its standard error: what it printed after that, and its exit code.

    Args:
        *arguments: The command line.
        sandbox: The environment.
        number: The signal.
        after: How the line begins; empty for none.
        ready: Whether the moment has come.
    """
    for module in (
        COMMANDS[arguments[0]],
        "wallaroo_ext.batch.dataset",
        "pyarrow.csv",
        "pyarrow.parquet",
    ):
        import_module(module)  # loading it takes longer than all the rest
    with forked(*arguments, environment=sandbox) as command:
        while after and not (line := command.err.readline()).startswith(after):
            assert line
        if ready is not None:
            wait_for(ready, seconds=20)
        os.kill(command.pid, number)
        done = command.ended()
    return done.out, done.err, done.code
