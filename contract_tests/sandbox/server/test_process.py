"""Does the sandbox keep its state, and does it start and end as a program should?"""

from __future__ import annotations

import asyncio
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from wallaroo_mlops_client.api.deployments import get_pipeline_external_url
from wallaroo_mlops_client.api.models import list_model_versions
from wallaroo_mlops_client.api.pipelines import create_pipeline, deploy_pipeline
from wallaroo_mlops_client.models import (
    CreatePipelineRequest,
    DeployPipelineRequest,
    GetPipelineExternalUrlRequest,
    ListModelVersionsRequest,
    PipelineDefinition,
)

from contract_tests.support.servers.callers import user_token
from contract_tests.support.servers.forks import fork_server
from contract_tests.support.servers.http_servers import is_answering
from scripts.lib.bench.sandbox_processes import tree
from wallaroo_ext import call, connect, contract, infer, upload_model, wait_until_running
from wallaroo_ext.sandbox.http.validation import ContractSpec
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.options import SandboxOptions
from wallaroo_ext.sandbox.paths import DOCS_PAGE
from wallaroo_ext.sandbox.process import SandboxFailedError, read_environment, running
from wallaroo_ext.sandbox.server.app import create_app
from wallaroo_ext.sandbox.server.banner import sign_in_command
from wallaroo_ext.sandbox.server.env_file import EnvFileError
from wallaroo_ext.sandbox.server.serve import ServerOptions, serve
from wallaroo_ext.sandbox.storage.data_directory import new_upload

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_mlops_client import Client

pytestmark = pytest.mark.slow  # each test starts sandboxes of its own


def deploy(client: Client, model_file: Path) -> str:
    version = upload_model(client, model_file, name="kept", workspace=1)
    body = CreatePipelineRequest(pipeline_id="kept", workspace_id=1, definition=PipelineDefinition())
    pipeline = call(create_pipeline, client=client, body=body)
    request = DeployPipelineRequest(
        deploy_id="kept",
        pipeline_id=pipeline.pipeline_pk_id,
        pipeline_version_pk_id=pipeline.pipeline_variant_pk_id,
        model_ids=[version.id],
    )
    deployment = call(deploy_pipeline, client=client, body=request)
    return f"kept-{deployment.id}"


def score(client: Client, deployment: str) -> list[Any]:
    wait_until_running(client, deployment)
    where = GetPipelineExternalUrlRequest(workspace_id=1, pipeline_name="kept")
    url = call(get_pipeline_external_url, client=client, body=where).url
    return infer(client, url, {"tensor": np.ones((2, 29), np.float32)}).column("out.dense_1").to_pylist()


def test_state_is_kept_over_a_restart(tmp_path: Path, model_file: Path) -> None:
    with running(tmp_path / "data") as environment, connect(environment=environment) as client:
        deployment = deploy(client, model_file)
        before = score(client, deployment)
        mapped = [Path(f"/proc/{pid}/maps").read_text(encoding="utf-8") for pid in tree(os.getpid())[1:]]
        assert any("/onnxruntime/" in text for text in mapped)
        assert not any("/pandas/" in text for text in mapped), "pandas takes long to load, and nothing needs it"
        kept = {name: value for name, value in environment.items() if not name.endswith("_URL")}
    with running(tmp_path / "data") as environment, connect(environment=environment) as client:
        assert {name: environment[name] for name in kept} == kept
        assert score(client, deployment) == before
        body = ListModelVersionsRequest(model_id="kept")
        [version] = call(list_model_versions, client=client, body=body)
        assert version.status == "ready"
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_a_token_is_good_after_a_restart(tmp_path: Path) -> None:
    with fork_server.running(tmp_path / "data") as environment:
        token = user_token(environment)
    with fork_server.running(tmp_path / "data") as environment:
        headers = {"Authorization": f"Bearer {token}"}
        url = environment["WALLAROO_API_URL"] + contract.operation("list_workspaces").path
        assert httpx.post(url, json={}, headers=headers).status_code == 200


def test_a_data_directory_has_one_sandbox(tmp_path: Path) -> None:
    with fork_server.running(tmp_path / "data"):
        with (
            pytest.raises(SandboxFailedError, match="Another sandbox works on") as raised,
            fork_server.running(tmp_path / "data"),
        ):
            pass
        assert "Traceback" not in str(raised.value)


def test_a_taken_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    with fork_server.running(tmp_path / "data") as environment:
        port = environment["WALLAROO_API_URL"].rpartition(":")[2]
        taken = fork_server.running(tmp_path / "other", "--port", port)
        with pytest.raises(SandboxFailedError, match=f"{port}: Address already in use") as raised, taken:
            pass
        assert "Traceback" not in str(raised.value)


def test_a_data_directory_keeps_its_port(tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    with fork_server.running(data) as environment:
        url = environment["WALLAROO_API_URL"]
    assert 20_000 <= int(url.rpartition(":")[2]) < 32_768, "others would be given to connections of other programs"
    with fork_server.running(data, log=log) as environment, fork_server.running(tmp_path / "other") as other:
        assert environment["WALLAROO_API_URL"] == url
        assert other["WALLAROO_API_URL"] != url
    assert log.read_text(encoding="utf-8") == ""
    port = url.rpartition(":")[2]
    with fork_server.running(tmp_path / "other", "--port", port):
        with fork_server.running(data, log=log) as environment:
            moved = environment["WALLAROO_API_URL"]
        assert moved != url
        reason = f"Port {port}, which this data directory had before, is taken: it is {moved.rpartition(':')[2]} now"
        assert log.read_text(encoding="utf-8").startswith(reason)
    with fork_server.running(data) as environment:
        assert environment["WALLAROO_API_URL"] == moved
    with fork_server.running(data, "--port", port) as environment:
        assert environment["WALLAROO_API_URL"] == url
    with fork_server.running(data, "--port", "0") as environment:
        assert environment["WALLAROO_API_URL"] != url


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_the_environment_and_ends_when_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    env_file = tmp_path / "environment"
    command = [sys.executable, "-m", "wallaroo_ext.cli", "sandbox", "--env-file", str(env_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = [process.stdout.readline() for _ in range(6)]
        process.send_signal(number)
        reason = process.stderr.read()
    assert process.returncode in {0, -number}
    assert reason == ""
    assert "".join(lines) == env_file.read_text(encoding="utf-8")
    assert env_file.stat().st_mode & 0o777 == 0o600
    environment = read_environment(env_file)
    assert set(environment) == {
        "WALLAROO_API_URL",
        "WALLAROO_AUTH_URL",
        "WALLAROO_CLIENT_ID",
        "WALLAROO_CLIENT_SECRET",
        "WALLAROO_USER",
        "WALLAROO_PASSWORD",
    }
    with pytest.raises(httpx.ConnectError):
        httpx.get(environment["WALLAROO_API_URL"])


HOLD = """
import os, subprocess, sys, time
from pathlib import Path
import httpx
from wallaroo_ext.sandbox.process import running

directory = Path(sys.argv[1])
{before}
with running(directory / "data") as environment:
    url = environment["WALLAROO_API_URL"]
    {within}
    (directory / "written").write_text(f"{{os.getpid()}} {{url}}")
    (directory / "written").rename(directory / "ready")
    time.sleep(60)
"""
"""A program that runs a sandbox until it is ended."""
DAEMON = "os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0)"


def _wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("before", "within"),
    [
        ("", ""),
        (DAEMON, ""),
        ("", "os.fork() or time.sleep(60)"),
        ("", "subprocess.Popen(['sleep', '60'], close_fds=False)"),
    ],
    ids=["a program", "a daemon", "a forked child lives on", "a started program lives on"],
)
def test_it_ends_when_its_owner_is_killed(tmp_path: Path, before: str, within: str) -> None:
    command = [sys.executable, "-c", HOLD.format(before=before, within=within), str(tmp_path)]
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            _wait_until((tmp_path / "ready").exists)
            owner, url = (tmp_path / "ready").read_text(encoding="utf-8").split()
            assert is_answering(url)
            os.kill(int(owner), signal.SIGKILL)
            _wait_until(lambda: not is_answering(url))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # surviving children


def test_ctrl_c_leaves_it_to_its_owner_to_clean_up(tmp_path: Path) -> None:
    """A terminal sends it to all programs of a group, so that the sandbox would be gone before its owner is done."""
    within = """
    import signal
    try:
        os.killpg(0, signal.SIGINT)
        time.sleep(60)
    except KeyboardInterrupt:
        for _ in range(100):
            httpx.get(url)
        sys.exit("it answers")
    """
    command = [sys.executable, "-c", HOLD.format(before="", within=within), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, start_new_session=True)
    assert done.stderr == "it answers\n"


def test_a_forked_child_that_leaves_the_block_does_not_end_it(tmp_path: Path) -> None:
    within = "child = os.fork(); child or sys.exit(); os.waitpid(child, 0); httpx.get(url); sys.exit('it answers')"
    command = [sys.executable, "-c", HOLD.format(before="", within=within), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == "it answers\n"


def test_it_ends_with_its_standard_input_if_it_is_told_to(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wallaroo_ext.cli", "sandbox", "--data-dir", str(tmp_path / "data")]
    with subprocess.Popen([*command, "--end-with-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline().startswith(b"export ")
        process.stdin.write(b"what comes is not looked at\n")
        process.stdin.flush()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.stdin.close()
        assert process.wait(20) in {0, -signal.SIGTERM}


def test_it_ends_as_well_when_its_terminal_goes_away(tmp_path: Path) -> None:
    env_file = tmp_path / "environment"
    command = [sys.executable, "-m", "wallaroo_ext.cli", "sandbox", "--env-file", str(env_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"TMPDIR": str(tmp_path)}) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert not list(tmp_path.glob("wallaroo-sandbox-*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_temporary_directory_is_removed(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "wallaroo_ext.cli", "sandbox"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"TMPDIR": str(tmp_path)}) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert list(tmp_path.glob("wallaroo-sandbox-*"))
        process.send_signal(number)
        process.communicate(timeout=30)
    assert not list(tmp_path.glob("wallaroo-sandbox-*"))


def run_at_a_terminal(columns: int, *arguments: str, try_out: Callable[[dict[str, str]], None]) -> tuple[str, str]:
    """Run a sandbox whose stderr is a terminal, and return its stdout and the text on the terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (30, columns))
    command = [sys.executable, "-m", "wallaroo_ext.cli", "sandbox", *arguments]
    environment = os.environ | {"TERM": "xterm"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True, env=environment) as process:
        os.close(theirs)
        assert process.stdout is not None
        seen = _read_until(ours, b"scripts/demo")
        printed = [process.stdout.readline()]
        while not printed[-1].startswith("export WALLAROO_PASSWORD"):
            printed.append(process.stdout.readline())
        try_out(dict(word.split("=", 1) for word in shlex.split("".join(printed)) if "=" in word))
        process.send_signal(signal.SIGINT)
        seen += _read_until(ours, None)
        printed.append(process.stdout.read())
    os.close(ours)
    return "".join(printed), seen.decode().replace("\r\n", "\n")


def _read_until(descriptor: int, text: bytes | None) -> bytes:
    seen = b""
    while text is None or text not in seen:
        try:
            part = os.read(descriptor, 4096)
        except OSError:  # on Linux, this means that the terminal is closed
            part = b""
        if not part:
            break
        seen += part
    return seen


def _nothing(_: dict[str, str]) -> None:
    return None


@pytest.mark.parametrize("columns", [80, 120])
def test_at_a_terminal_it_says_what_to_try_next(tmp_path: Path, columns: int) -> None:
    env_file = tmp_path / "wallaroo.env"
    arguments = ["--data-dir", str(tmp_path / "data"), "--env-file", str(env_file)]
    printed, coloured = run_at_a_terminal(columns, *arguments, try_out=_nothing)
    assert all(line.startswith("export ") for line in printed.splitlines())
    seen = re.sub(r"\x1b\[\d*m", "", coloured)
    assert seen != coloured
    environment = read_environment(env_file)
    for text in (environment["WALLAROO_API_URL"] + DOCS_PAGE, str(tmp_path / "data"), f"source {env_file}", "Ctrl-C"):
        assert text in seen
    assert environment["WALLAROO_PASSWORD"] not in seen
    assert environment["WALLAROO_CLIENT_SECRET"] not in seen
    assert seen.splitlines()[-1].endswith(f"The sandbox has ended; its data stays in {tmp_path / 'data'}.")


def test_the_commands_that_it_names_work(tmp_path: Path) -> None:
    answers: list[str] = []

    def sign_in(environment: dict[str, str]) -> None:
        command = sign_in_command(trusts=False)
        variables = os.environ | environment
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True, env=variables)
        answers.append(done.stdout)

    printed, seen = run_at_a_terminal(100, "--data-dir", str(tmp_path / "data"), try_out=sign_in)
    assert "WALLAROO_PASSWORD" in printed
    assert "access_token" in answers[0]
    assert sign_in_command(trusts=False) in seen
    assert re.search(r"200.*POST request_token", seen)
    named = re.search(r"(/\S+/scripts/demo)", seen)
    assert named is not None
    assert os.access(named[1], os.X_OK)


def test_without_a_directory_it_says_that_nothing_is_kept() -> None:
    _, seen = run_at_a_terminal(80, try_out=_nothing)
    assert "until it ends; --data-dir keeps it" in seen
    assert "its data is gone" in seen


def test_what_was_not_acknowledged_is_gone_after_a_crash(tmp_path: Path, model_file: Path) -> None:
    instance = Instance(tmp_path / "data")
    stray = instance.store.model_file("00000000-0000-0000-0000-000000000000")
    instance.store.mark_pending(stray)
    stray.write_bytes(model_file.read_bytes())
    new_upload(instance.store.staging).write_bytes(b"half a model")
    instance.close()
    again = Instance(tmp_path / "data")
    assert not stray.exists()
    assert list(again.store.staging.iterdir()) == []
    again.close()


def test_an_operation_without_a_handler_answers_501(tmp_path: Path) -> None:
    document = contract.load()
    listing = document["paths"][contract.operation("list_workspaces").path]["post"]
    path = "/v1/api/unheard/of"
    document["paths"][path] = {"post": listing | {"operationId": "unheard_of"}}
    instance = Instance(tmp_path / "data")
    token = instance.tokens.issue("api-client", _default_user(instance), "issuer")["access_token"]
    transport = httpx.ASGITransport(create_app(instance, ContractSpec(document)))

    async def post(**headers: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
            return await http.post(path, json={}, headers=headers)

    answer = asyncio.run(post(Authorization=f"Bearer {token}"))
    assert (answer.status_code, answer.json()["code"]) == (501, 501)
    assert "unheard_of" in answer.json()["msg"]
    assert asyncio.run(post()).status_code == 401
    instance.close()


def _default_user(instance: Instance) -> Any:
    from wallaroo_ext.sandbox.auth.users import check_password

    with instance.store.transaction() as db:
        return check_password(db, instance.credentials.username, instance.credentials.password)


def test_no_process_stays_behind(tmp_path: Path) -> None:
    with running(tmp_path / "data") as environment:
        assert environment
    with os.scandir("/proc") as entries:
        pids = [entry.name for entry in entries if entry.name.isdigit()]
    commands = [_command(pid) for pid in pids]
    assert not [command for command in commands if str(tmp_path) in command]


def _command(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    except OSError:
        return ""


def test_an_environment_file_that_fails_once_it_answers_ends_it_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise EnvFileError("There is no room left.")

    monkeypatch.setattr("wallaroo_ext.sandbox.server.serve.write_env_file", fail)
    with pytest.raises(EnvFileError, match="no room"):
        serve(ServerOptions(env_file=tmp_path / "environment", directory=tmp_path / "data"), SandboxOptions())
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    assert capfd.readouterr() == ("", "")
