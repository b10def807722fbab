"""Do the package's fixtures work in the tests of another project?"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest

from contract_tests.support.documentation import blocks, guide
from contract_tests.support.servers.http_servers import is_answering
from wallaroo_ext import contract
from wallaroo_ext.sandbox.control_client import Sandbox, SandboxControlError
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = pytest.mark.slow  # each test runs pytest in a process of its own

pytest_plugins = ["pytester"]

USES = """
from wallaroo_mlops_client.api.workspaces import create_workspace, list_workspaces
from wallaroo_mlops_client.models import CreateWorkspaceRequest, ListWorkspacesRequest

def names(client):
    listed = list_workspaces.sync(client=client, body=ListWorkspacesRequest())
    return [workspace.name for workspace in listed.workspaces]

def create(client, name):
    create_workspace.sync(client=client, body=CreateWorkspaceRequest(workspace_name=name))
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """Return a project with nothing but a module that its tests import."""
    pytester.makepyfile(uses=USES)
    pytester.makeini("[pytest]\npythonpath = .\nfilterwarnings = error\n")
    return pytester


def test_each_test_has_a_new_sandbox_of_one_process(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        from uses import create, names

        seen = []

        def test_first(wallaroo_client, wallaroo_sandbox):
            create(wallaroo_client, "first")
            assert "first" in names(wallaroo_client)
            seen.append(wallaroo_sandbox.url)

        def test_second(wallaroo_client, wallaroo_sandbox):
            assert len(names(wallaroo_client)) == 1
            assert seen == [wallaroo_sandbox.url] == [wallaroo_sandbox.environment["WALLAROO_API_URL"]]
        """
    )
    project.runpytest_subprocess().assert_outcomes(passed=2)


def test_modules_of_the_project_stand_in_for_none_of_the_sandbox(project: pytest.Pytester) -> None:
    project.makepyfile(uvicorn="raise ValueError('of the project')", starlette="raise ValueError('of the project')")
    project.makepyfile("def test_it(wallaroo_sandbox): assert wallaroo_sandbox.url")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout


def test_the_test_in_the_guide_passes(pytester: pytest.Pytester) -> None:
    [block] = [block for block in blocks(guide("testing"), "python") if "wallaroo_client" in block.code]
    pytester.makepyfile(block.code)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["command line", "configuration file"])
def test_the_release_can_be_chosen(project: pytest.Pytester, where: str) -> None:
    project.makepyfile(
        """
        import subprocess, sys, os

        def test_it(wallaroo_sandbox):
            command = ["ps", "-ww", "-o", "args=", "--ppid", str(os.getpid())]
            commands = subprocess.run(command, capture_output=True, text=True)
            assert "--release 2025.2" in commands.stdout
        """
    )
    if where == "configuration file":
        project.makeini("[pytest]\npythonpath = .\nwallaroo_release = 2025.2\n")
        project.runpytest_subprocess().assert_outcomes(passed=1)
    else:
        project.runpytest_subprocess("--wallaroo-release", "2025.2").assert_outcomes(passed=1)


def test_the_same_test_runs_on_the_instance_of_the_environment(
    project: pytest.Pytester, sandbox: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in sandbox.items():
        monkeypatch.setenv(name, value)
    project.makepyfile(
        f"""
        from uses import names

        def test_client(wallaroo_client):
            assert names(wallaroo_client)
            assert str(wallaroo_client.get_httpx_client().base_url).rstrip("/") == {sandbox["WALLAROO_API_URL"]!r}

        def test_sandbox(wallaroo_sandbox):
            raise AssertionError("somebody's instance would be reset")
        """
    )
    done = project.runpytest_subprocess("-rs", "--wallaroo-instance", "environment")
    done.assert_outcomes(passed=1, skipped=1)
    done.stdout.fnmatch_lines(["*wallaroo_sandbox is for tests that run on a sandbox*"])


@pytest.mark.slow
def test_two_sessions_at_a_time_do_not_meet(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest
        from uses import create, names

        @pytest.mark.parametrize("number", range(5))
        def test_it(wallaroo_client, number):
            create(wallaroo_client, "same-name")
            assert len(names(wallaroo_client)) == 2
        """
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    with ThreadPoolExecutor(2) as threads:
        sessions = [
            threads.submit(subprocess.run, command, cwd=project.path, capture_output=True, text=True, check=False)
            for _ in range(2)
        ]
    for session in sessions:
        assert "5 passed" in session.result().stdout


def test_without_the_extra_it_says_what_to_install(project: pytest.Pytester) -> None:
    project.makeconftest(
        """
        import importlib.util, wallaroo_ext.sandbox.process as process

        found = importlib.util.find_spec
        process.find_spec = lambda name: None if name == "onnxruntime" else found(name)
        """
    )
    project.makepyfile(
        """
        def test_one(wallaroo_client):
            pass

        def test_two(wallaroo_sandbox):
            pass

        def test_without_it():
            pass
        """
    )
    done = project.runpytest_subprocess()
    done.assert_outcomes(errors=2, passed=1)
    done.stdout.fnmatch_lines(["*which needs: pip install 'wallaroo-ext[[]sandbox[]]'."])
    done.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("option", "excerpt"),
    [
        ("--wallaroo-release=1.0", "*The sandbox did not start:*"),
        ("--wallaroo-instance=moon", "*it can be sandbox or environment*"),
    ],
)
def test_a_wrong_option_is_said_in_a_sentence(project: pytest.Pytester, option: str, excerpt: str) -> None:
    project.makepyfile("def test_it(wallaroo_client): pass")
    done = project.runpytest_subprocess(option)
    done.stdout.fnmatch_lines([excerpt])
    done.stdout.no_fnmatch_line("*Traceback*")


def test_the_plugin_loads_nothing_of_weight() -> None:
    program = (
        "import sys, pytest, wallaroo_ext; before = set(sys.modules)\n"
        "import wallaroo_ext.pytest_plugin\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "wallaroo_ext.pytest_plugin" in done.stdout.split()
    assert loaded - {"wallaroo_ext"} <= sys.stdlib_module_names
    assert not [name for name in done.stdout.split() if name.startswith("wallaroo_ext.sandbox")]


@pytest.fixture(scope="module")
def process() -> Generator[Sandbox]:
    with running() as environment, Sandbox(environment) as started:
        yield started


@pytest.fixture
def steered(process: Sandbox) -> Sandbox:
    """Return a sandbox that is new, on a process of this module."""
    process.reset()
    return process


def test_a_killed_run_leaves_no_sandbox(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import time
        from pathlib import Path

        def test_it(wallaroo_client, wallaroo_sandbox):
            Path("written").write_text(wallaroo_sandbox.url)
            Path("written").rename("ready")
            time.sleep(60)
        """
    )
    ready = project.path / "ready"
    with subprocess.Popen([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=project.path) as run:
        deadline = time.monotonic() + 30
        while not ready.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        url = ready.read_text(encoding="utf-8")
        httpx.get(url)
        run.kill()
    while is_answering(url):
        assert time.monotonic() < deadline
        time.sleep(0.02)


class TestSandbox:
    """What `wallaroo_sandbox` is, on a sandbox of its own."""

    def test_it_is_filled_and_made_new(self, steered: Sandbox) -> None:
        made = steered.seed(
            users=[{"email": "a@example.com", "password": "a-password"}],
            workspaces=[{"name": "seeded"}],
            pipelines=[{"name": "scored", "workspace_id": 1}],
        )
        rows = [{"time": 1_700_000_000_000, "in.x": 1.0, "out.y": 2.0}]
        [pipeline_id] = made["pipelines"]
        steered.seed(inferences=[{"pipeline_id": pipeline_id, "model_name": "m", "rows": rows}])
        counts = steered.state()["counts"]
        assert (counts["users"], counts["workspaces"], counts["inferences"]) == (2, 3, 1)
        steered.reset()
        counts = steered.state()["counts"]
        assert (counts["users"], counts["workspaces"], counts["inferences"]) == (1, 1, 0)

    def test_many_rows_come_as_a_table(self, steered: Sandbox) -> None:
        [pipeline_id] = steered.seed(pipelines=[{"name": "scored", "workspace_id": 1}])["pipelines"]
        table = {"time": np.arange(1000), "in.x": np.ones(1000), "out.y": np.zeros(1000)}
        assert steered.seed_rows(table, pipeline_id=pipeline_id, model_name="m") > 0
        [logged] = steered.state()["inferences"]
        assert logged["rows"] == 1000

    def test_its_clock_is_set(self, steered: Sandbox) -> None:
        assert steered.set_clock("2031-01-31T12:00:00Z")["now"].startswith("2031-01-31T12:00")
        assert steered.advance_clock(86_400)["now"].startswith("2031-02-01T12:00")
        assert steered.state()["clock"]["now"].startswith("2031-02-01")

    def test_requests_fail_as_they_are_told(self, steered: Sandbox) -> None:
        url = steered.url + contract.operation("list_workspaces").path
        [rule] = steered.add_faults({"operation": "list_workspaces", "kind": "service-unavailable", "count": 1})
        assert rule["applied"] == 0
        assert httpx.post(url, json={}).status_code == 503
        assert httpx.post(url, json={}).status_code == 401
        assert steered.faults()[0]["applied"] == 1
        steered.clear_faults()
        assert steered.faults() == []

    def test_transitions_are_set(self, steered: Sandbox) -> None:
        valid = steered.set_transitions(deployments={"seconds": 2, "status": "Error", "reason": "out of memory"})
        assert valid["deployments"] == {"seconds": 2, "status": "Error", "reason": "out of memory"}
        assert valid["models"]["status"] == "ready"
        assert steered.set_transitions(models={})["deployments"] == valid["deployments"]
        assert steered.set_transitions(deployments={})["deployments"]["status"] == "Running"

    def test_what_it_refuses_is_an_error_with_its_sentence(self, steered: Sandbox) -> None:
        with pytest.raises(SandboxControlError, match="Rule 1, kind"):
            steered.add_faults({"operation": "*", "kind": "moon"})
        with pytest.raises(SandboxControlError, match="no time of RFC 3339"):
            steered.set_clock("noon")
        with pytest.raises(SandboxControlError, match="name"):
            steered.seed(workspaces=[{"name": "Not A Name"}])

    def test_one_that_has_ended_is_said_to(self) -> None:
        with running() as environment:
            sandbox = Sandbox(environment)
        with pytest.raises(SandboxControlError, match="does not answer"):
            sandbox.reset()
        sandbox.close()

    def test_a_control_secret_is_sent_and_in_no_repr(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("the-secret\n", encoding="utf-8")
        arguments = ("--control-secret-file", str(tmp_path / "secret"))
        with (
            running(tmp_path / "data", *arguments) as environment,
            Sandbox(environment, control_secret="the-secret") as sandbox,
        ):
            sandbox.reset()
            assert "the-secret" not in repr(sandbox)


@pytest.mark.parametrize("content", [b"", b"two words\n", "größe".encode(), b"\x00"])
def test_a_control_secret_that_no_header_can_carry_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    command = [sys.executable, "-m", "wallaroo_ext.cli", "sandbox", "--control-secret-file", str(tmp_path / "secret")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert "has to have one word of ASCII characters" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
