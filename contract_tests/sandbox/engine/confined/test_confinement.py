"""Are models and files of rows confined to their own process, memory and time, whatever they contain?"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto

from contract_tests.support.data.bad_files import (
    compressed_as_of_old,
    endless_loop,
    external,
    file_of,
    graph_hidden_by,
    graph_of,
    node,
    onnx_of,
    summed,
)
from contract_tests.support.sandbox.deployments import WORKSPACE, deployed
from contract_tests.support.servers.callers import sign_in
from scripts.lib.bench.sandbox_processes import memory_of_tree_mib, sandboxes_below, tree
from wallaroo_ext import contract
from wallaroo_ext.sandbox.engine import tensors
from wallaroo_ext.sandbox.engine.engine import ModelUnreadableError, RunningDeployment, open_models
from wallaroo_ext.sandbox.engine.messages import BrokenMessageError
from wallaroo_ext.sandbox.engine.model_process import (
    ModelFile,
    ModelProcesses,
    ModelRefusedError,
    ProcessEndedError,
    RowsRefusedError,
    ShortageError,
)
from wallaroo_ext.sandbox.engine.steps import Model
from wallaroo_ext.sandbox.http.problems import Problem
from wallaroo_ext.sandbox.inference.inference_queue import MAX_RUNNING, MAX_WAITING
from wallaroo_ext.sandbox.options import SandboxOptions
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

RECORDS, ARROW, TENSORS = contract.operation("infer_deployment").request_types
MIB = 1 << 20
MODEL = Model("m", "v", "s")
MODEL_MEMORY, ROWS_MEMORY = 128, 32
MOST_MIB = 700
"""What a process may take: the limits of these tests, its libraries, and as much as bytes, parsed and kept."""

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the layers are those of Linux")


def sandbox_of(environment: dict[str, str]) -> int:
    """Return the process id of the sandbox that listens on the port of an environment."""
    port = environment["WALLAROO_API_URL"].rsplit(":", 1)[1]
    for pid in sandboxes_below(os.getpid()):
        listening = Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii")
        sockets = opened_by(pid)
        for line in listening.splitlines()[1:]:
            words = line.split()
            if words[1].endswith(f":{int(port):04X}") and f"socket:[{words[9]}]" in sockets:
                return pid
    raise AssertionError(port)


def opened_by(pid: int) -> set[str]:
    """Return what the file descriptors of a process refer to."""
    return {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}


class Peak:
    """The peak memory of a process and its descendants, measured twenty times a second."""

    def __init__(self, pid: int) -> None:
        self.mib = 0.0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.05):
            self.mib = max(self.mib, memory_of_tree_mib(self._pid))


class Target:
    """A sandbox with low limits, and a client that is signed in to it."""

    def __init__(self, environment: dict[str, str], http: httpx.Client) -> None:
        self.environment = environment
        self.http = http
        self.pid = sandbox_of(environment)

    def deployed(self, model: bytes | Path, name: str) -> str:
        return deployed(self.environment, model, name)

    def infer(self, url: str, table: Any) -> httpx.Response:
        return self.http.post(url, content=file_of(table), headers={"Content-Type": ARROW, "Accept": ARROW})

    def answers(self, url: str, table: Any) -> bool:
        return self.infer(url, table).status_code == 200

    def post(self, operation: str, body: Any) -> Any:
        answer = self.http.post(contract.operation(operation).path, json=body)
        answer.raise_for_status()
        return answer.json()

    def sign_in(self) -> float:
        """Return how many seconds signing in takes."""
        began = time.monotonic()
        user, password = self.environment["WALLAROO_USER"], self.environment["WALLAROO_PASSWORD"]
        assert sign_in(self.environment, grant_type="password", username=user, password=password).is_success
        return time.monotonic() - began

    def processes(self) -> list[int]:
        """Return the process ids of the fork server and of the workers."""
        return tree(self.pid)[1:]

    def all_run(self) -> bool:
        """Return whether each deployment is running."""
        listed = self.http.get("/_sandbox/state").json()["deployments"]
        return {found["status"] for found in listed} <= {"Running", None}

    def models(self) -> list[int]:
        """Return the process ids of the workers."""
        return self.processes()[1:]


@contextmanager
def target_with(directory: Path, *options: str) -> Generator[Target]:
    limits = ("--model-memory", str(MODEL_MEMORY), "--rows-memory", str(ROWS_MEMORY), "--arrow-limit", "8", *options)
    with running(directory, *limits) as environment:
        user, password = environment["WALLAROO_USER"], environment["WALLAROO_PASSWORD"]
        granted = sign_in(environment, grant_type="password", username=user, password=password)
        headers = {"Authorization": f"Bearer {granted.json()['access_token']}"}
        with httpx.Client(base_url=environment["WALLAROO_API_URL"], headers=headers, timeout=60) as http:
            yield Target(environment, http)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Generator[Target]:
    with target_with(tmp_path_factory.mktemp("confined"), "--model-seconds", "60") as made:
        yield made


def rows(count: int = 1) -> Any:
    return pa.table({"x": pa.array([1.0] * count)})


def negation() -> bytes:
    return onnx_of(graph_of([node("Neg", ["x"], ["y"])]))


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class TestProcesses:
    def test_each_layer_holds(self, tmp_path: Path) -> None:
        """A process that has confined itself fails at all of this, also with a file of its own user."""
        file = tmp_path / "file"
        file.write_bytes(b"content")
        before = file.stat()
        tried = subprocess.run(
            [sys.executable, "-c", ATTEMPTS, str(file)], capture_output=True, text=True, check=True, timeout=60
        ).stdout
        assert (file.read_bytes(), file.stat().st_mode, file.stat().st_mtime) == (
            b"content",
            before.st_mode,
            before.st_mtime,
        )
        outcomes = json.loads(tried)
        assert outcomes.pop("layers") == ["a network of its own", "limits", *outcomes["kernel"], "seccomp"]
        del outcomes["kernel"]
        assert outcomes.pop("thread") == outcomes.pop("limits of its own") == "done"
        assert set(outcomes.values()) <= {"PermissionError", "MemoryError", "OSError"}, outcomes
        assert len(outcomes) == 20

    def test_they_are_told_nothing_secret_and_have_nothing_open(self, target: Target) -> None:
        target.deployed(negation(), "open")
        secrets = [value.encode() for name, value in target.environment.items() if "PASS" in name or "SECRET" in name]
        assert secrets
        for pid in target.processes():
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            assert not [secret for secret in secrets if secret in environment]
            assert b"WALLAROO" not in environment
            assert "deleted" in str(Path(f"/proc/{pid}/cwd").readlink())
            assert {name for name in opened_by(pid) if not name.startswith("socket:")} == {"/dev/null"}

    def test_the_sandbox_says_what_holds(self, target: Target) -> None:
        target.deployed(negation(), "says")
        layers = target.http.get("/_sandbox/state").json()["engine"]["confined_by"]
        assert [layer.split(" ")[0] for layer in layers] == ["a", "limits", "Landlock", "seccomp"]

    def test_a_process_that_ends_is_started_anew_and_no_other_feels_it(self, target: Target) -> None:
        url, other = target.deployed(negation(), "ends"), target.deployed(negation(), "stays")
        before = set(target.models())
        killed = target.deployed(negation(), "third")
        [third] = set(target.models()) - before
        os.kill(third, signal.SIGKILL)
        for unharmed in (url, other):
            assert target.answers(unharmed, rows())
        wait_until(lambda: target.answers(killed, rows()))
        assert before < set(target.models())

    def test_all_are_started_anew_when_the_first_one_ends(self, target: Target) -> None:
        url = target.deployed(negation(), "first")
        first = target.processes()[0]
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: target.answers(url, rows()) and first not in target.processes())

    def test_they_end_with_their_deployment(self, target: Target) -> None:
        wait_until(target.all_run)  # the test before may have ended them
        before = set(target.models())
        url = target.deployed(negation(), "undeployed")
        [process] = set(target.models()) - before
        deployments = target.http.get("/_sandbox/state").json()["deployments"]
        pipeline = next(found["pipeline_id"] for found in deployments if found["deploy_id"] == "undeployed")
        target.post("undeploy_pipeline", {"pipeline_id": pipeline})
        wait_until(lambda: not is_running(process))
        assert not target.answers(url, rows())

    def test_they_end_when_their_deployment_runs_another_version(self, target: Target) -> None:
        wait_until(target.all_run)
        before = set(target.models())
        url = target.deployed(negation(), "replaced")

        def made() -> list[int]:
            return [pid for pid in target.models() if pid not in before and is_running(pid)]

        wait_until(lambda: len(made()) == 1)  # the process of the conversion may still be ending
        [process] = made()
        assert target.deployed(negation(), "replaced") == url
        wait_until(lambda: not is_running(process))
        assert target.answers(url, rows())

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_they_end_with_the_sandbox_whatever_they_do(self, tmp_path: Path, number: signal.Signals) -> None:
        with target_with(tmp_path, "--model-seconds", "300") as target, ThreadPoolExecutor(1) as threads:
            url = target.deployed(endless_loop(), "endless")
            request = threads.submit(target.infer, url, rows())
            processes = target.processes()
            wait_until(lambda: seconds_of(processes[-1]) > 0.3)
            os.kill(target.pid, number)
            wait_until(lambda: not any(is_running(process) for process in processes), 20)
            assert request.exception() or request.result().is_error


def seconds_of(pid: int) -> float:
    """Return how long a process has worked."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


ATTEMPTS = """
import json, os, resource, socket, sys, threading, ctypes
from wallaroo_ext.sandbox.engine.confined import confinement
layers = confinement.isolate()
parent = os.getppid()
version = ctypes.CDLL(None).syscall(444, None, 0, 1)
layers += confinement.confine(100 << 20)
def attempt(work):
    try:
        work()
    except Exception as error:
        return type(error).__name__
    return "done"
def thread():
    worker = threading.Thread(target=lambda: None)
    worker.start()
    worker.join()
print(json.dumps({
    "layers": layers,
    "kernel": [f"Landlock {version}"] if version > 0 else [],
    "thread": attempt(thread),
    "limits of its own": attempt(lambda: resource.prlimit(0, resource.RLIMIT_NOFILE, (32, 32))),
    "rights": attempt(lambda: os.chmod(sys.argv[1], 0o777)),
    "times": attempt(lambda: os.utime(sys.argv[1])),
    "owner": attempt(lambda: os.chown(sys.argv[1], os.getuid(), os.getgid())),
    "attributes": attempt(lambda: os.setxattr(sys.argv[1], "user.x", b"x")),
    "truncate": attempt(lambda: os.truncate(sys.argv[1], 0)),
    "rename": attempt(lambda: os.rename(sys.argv[1], sys.argv[1] + "2")),
    "remove": attempt(lambda: os.unlink(sys.argv[1])),
    "limits": attempt(lambda: resource.prlimit(parent, resource.RLIMIT_CORE)),
    "priority": attempt(lambda: os.setpriority(os.PRIO_PROCESS, parent, 19)),
    "processors": attempt(lambda: os.sched_setaffinity(parent, {0})),
    "read": attempt(lambda: open("/etc/passwd")),
    "write": attempt(lambda: open("/tmp/x", "w")),
    "list": attempt(lambda: os.listdir("/")),
    "tcp": attempt(lambda: socket.socket()),
    "unix": attempt(lambda: socket.socket(socket.AF_UNIX)),
    "fork": attempt(os.fork),
    "execute": attempt(lambda: os.execv("/bin/true", ["true"])),
    "signal": attempt(lambda: os.kill(parent, 0)),
    "memory": attempt(lambda: bytearray(200 << 20)),
    "file in memory": attempt(lambda: os.memfd_create("x")),
}))
"""


BLIND = """
from wallaroo_ext.sandbox.engine.confined import onnx_file
import wallaroo_ext.sandbox.engine.confined.model_limits as model_limits
model_limits.inspect = lambda content: onnx_file.OnnxFile(nodes=1)
import wallaroo_ext.sandbox.engine.arrow_rows as arrow_rows
arrow_rows.check_file = lambda content, limit: False
arrow_rows.check_table = lambda table, limit: None
"""


@pytest.fixture
def blind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[ModelProcesses]:
    """Yield processes that check no file, as if a file could pass the checks in a way that nobody thought of."""
    (tmp_path / "sitecustomize.py").write_text(BLIND, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    processes = ModelProcesses(
        SandboxOptions(model_memory_mib=MODEL_MEMORY, rows_memory_mib=ROWS_MEMORY, arrow_limit_mib=8, model_seconds=5)
    )
    yield processes
    processes.close()


class TestBlind:
    """What confinement prevents when the checks of files do not."""

    @pytest.mark.parametrize("location", ["another-users-model", "etc/passwd", "proc/self/environ", "../etc/passwd"])
    def test_a_model_reads_no_other_file(self, blind: ModelProcesses, tmp_path: Path, location: str) -> None:
        graph = graph_of([node("Add", ["x", "w"], ["y"])])
        graph.initializer.append(external(location))
        file = tmp_path / "model"
        (tmp_path / "another-users-model").write_bytes(b"1234")
        file.write_bytes(onnx_of(graph))
        with pytest.raises(ModelRefusedError, match="no ONNX model that can be loaded"):
            blind.load([ModelFile(MODEL, file)])

    def test_rows_take_no_more_than_they_may(self, blind: ModelProcesses, tmp_path: Path) -> None:
        file = tmp_path / "model"
        file.write_bytes(negation())
        process = blind.load([ModelFile(MODEL, file)])
        bomb = compressed_as_of_old(4096 * MIB)
        with Peak(os.getpid()) as peak, pytest.raises(RowsRefusedError) as refused:
            process.score([bomb])
        assert (refused.value.status, "more memory than they may" in str(refused.value)) == (413, True)
        assert peak.mib < memory_of_tree_mib(os.getpid()) + MOST_MIB
        assert process.score([file_of(rows())]).elapsed_ns > 0


HIDDEN = """
from pathlib import Path
from wallaroo_ext.sandbox.engine.confined import confinement
read = Path.read_text
def hidden(path, **options):
    if path.is_relative_to("/proc"):
        raise FileNotFoundError(2, "No such file or directory")
    return read(path, **options)
Path.read_text = hidden
print(*confinement.confine(100 << 20))
"""


@pytest.fixture(scope="module")
def processes() -> Generator[ModelProcesses]:
    made = ModelProcesses(SandboxOptions(model_memory_mib=MODEL_MEMORY, rows_memory_mib=ROWS_MEMORY))
    made.start()
    yield made
    made.close()


@pytest.fixture
def model(tmp_path: Path) -> ModelFile:
    file = tmp_path / "model"
    file.write_bytes(negation())
    return ModelFile(MODEL, file)


@contextmanager
def without_files(pid: int) -> Generator[None]:
    """Keep a process from opening files during the `with` block."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


class TestEnded:
    def test_of_several_requests_none_is_blamed(
        self, processes: ModelProcesses, model: ModelFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Though the first one has failed, and is no longer under way, when the second one fails."""
        process = processes.load([model])
        both_sent, fails = threading.Barrier(2), threading.Lock()
        failed = threading.Event()

        def receive(*_: object) -> Any:
            both_sent.wait(10)
            if not fails.acquire(blocking=False):
                failed.wait(10)
            raise BrokenMessageError("the other process has ended")

        def score(_: int) -> ProcessEndedError:
            with pytest.raises(ProcessEndedError) as ended:
                process.score([file_of(rows())])
            failed.set()
            return ended.value

        monkeypatch.setattr("wallaroo_ext.sandbox.engine.messages.receive", receive)
        with ThreadPoolExecutor(2) as threads:
            assert [ended.was_only_request for ended in threads.map(score, range(2))] == [False, False]

    def test_the_only_request_is_blamed(
        self, processes: ModelProcesses, model: ModelFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        process = processes.load([model])

        def receive(*_: object) -> Any:
            raise BrokenMessageError("the other process has ended")

        monkeypatch.setattr("wallaroo_ext.sandbox.engine.messages.receive", receive)
        with pytest.raises(ProcessEndedError) as ended:
            process.score([file_of(rows())])
        assert ended.value.was_only_request


SPLIT = [
    {"MetaValueSplit": {"split_key": "when", "control": MODEL._asdict(), "routes": {"a": MODEL._asdict()}}},
]
BROKEN_STEPS = """
import wallaroo_ext.sandbox.engine.confined.step_runs as step_runs
def run(*_):
    raise LookupError("what nobody thought of")
step_runs.StepRun.run = run
"""
NO_MEMORY = """
import wallaroo_ext.sandbox.engine.confined.model_limits as model_limits
def fail(*_):
    raise MemoryError
model_limits.ModelLimits.{step} = fail
"""


class TestRowsThatNobodyThoughtOf:
    @pytest.mark.parametrize(
        "column",
        [
            pa.array([1], pa.timestamp("ns")),
            pa.array([1], pa.duration("ns")),
            pa.array([1 << 40], pa.timestamp("s")),
            pa.array([1], pa.timestamp("s", "Nowhere/At_All")),
        ],
        ids=lambda column: f"{column.type}",
    )
    def test_values_that_cannot_be_compared_are_refused(
        self, processes: ModelProcesses, model: ModelFile, column: Any
    ) -> None:
        process = processes.load([model], SPLIT)
        with pytest.raises(RowsRefusedError, match="splits rows by the field 'when'") as refused:
            process.score([file_of(pa.table({"x": [1.0], "when": column}))])
        assert refused.value.status == 400
        assert process.score([file_of(pa.table({"x": [1.0], "when": ["a"]}))]).elapsed_ns > 0
        process.end()

    def test_an_error_of_any_kind_refuses_them_and_is_logged(
        self, model: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        with processes_with(tmp_path, monkeypatch, BROKEN_STEPS) as processes:
            process = processes.load([model])
            for _ in range(2):
                with pytest.raises(RowsRefusedError, match="what nobody thought of") as refused:
                    process.score([file_of(rows())])
                assert refused.value.status == 400
            assert process.is_alive
        assert "Traceback" in caplog.text

    def test_a_model_without_memory_is_refused_for_that(
        self, model: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with (
            processes_with(tmp_path, monkeypatch, NO_MEMORY.format(step="load")) as processes,
            pytest.raises(ModelRefusedError, match="MiB of memory for models"),
        ):
            processes.load([model])

    def test_rows_for_which_there_is_no_memory_are_too_large(
        self, model: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with (
            processes_with(tmp_path, monkeypatch, NO_MEMORY.format(step="run")) as processes,
            pytest.raises(RowsRefusedError, match="more memory than they may") as refused,
        ):
            processes.load([model]).score([file_of(rows())])
        assert refused.value.status == 413


class TestShortage:
    """A refusal of the system fails the request that met it, and nothing else."""

    @pytest.mark.parametrize("who", ["the sandbox", "the fork server"])
    def test_without_files_a_model_is_not_loaded_and_the_next_one_is(
        self, processes: ModelProcesses, model: ModelFile, who: str
    ) -> None:
        before = processes.load([model])
        [fork_server] = [pid for pid in tree(os.getpid())[1:] if before.pid in tree(pid)[1:]]
        pid = os.getpid() if who == "the sandbox" else fork_server
        with without_files(pid), pytest.raises(ModelUnreadableError, match=r"short of what it takes .*files"):
            open_models(processes, [model])
        assert before.score([file_of(rows())]).elapsed_ns > 0
        open_models(processes, [model]).end()
        before.end()

    def test_without_files_rows_are_refused_for_now(self, processes: ModelProcesses, model: ModelFile) -> None:
        process = processes.load([model])
        deployment = RunningDeployment([MODEL], process)
        with without_files(os.getpid()), pytest.raises(Problem) as refused:
            deployment.score([file_of(rows())])
        assert (refused.value.status, "send this request again" in str(refused.value)) == (503, True)
        assert deployment.score([file_of(rows())]).results[0].outputs
        process.end()

    def test_a_fork_server_that_cannot_run_is_reported(self, model: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "executable", "/bin/false")
        processes = ModelProcesses(SandboxOptions())
        with pytest.raises(ModelUnreadableError, match="ends when it is started"):
            open_models(processes, [model])
        processes.close()

    def test_a_fork_server_that_starts_slowly_is_reported_as_slow(
        self, model: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slow = tmp_path / "slow"
        slow.write_text("#!/bin/sh\nexec sleep 60\n", encoding="ascii")
        slow.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(slow))
        monkeypatch.setattr("wallaroo_ext.sandbox.engine.model_process._START_SECONDS", 0.2)
        processes = ModelProcesses(SandboxOptions())
        with pytest.raises(ModelUnreadableError, match="takes more than 60 seconds to start"):
            open_models(processes, [model])
        processes.close()

    def test_what_is_reserved_of_a_lower_limit_leaves_nothing_and_ends_nothing(self) -> None:
        program = (
            "import resource; from wallaroo_ext.sandbox.engine.confined import confinement\n"
            "resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30))\n"
            "with confinement.reserve(2 << 30): within = resource.getrlimit(resource.RLIMIT_DATA)[0]\n"
            "print(within, resource.getrlimit(resource.RLIMIT_DATA)[0])"
        )
        held = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        assert held.split() == ["0", str(1 << 30)]

    def test_a_lower_limit_of_the_system_holds_as_well(self) -> None:
        """A limit as `ulimit -v` sets it."""
        within = "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))"
        confined = "from wallaroo_ext.sandbox.engine.confined import confinement; print(*confinement.confine(1 << 20))"
        program = f"{within}; {confined}"
        held = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        assert held.startswith("limits")

    def test_where_the_system_does_not_say_what_is_taken_the_other_layers_hold(self) -> None:
        held = subprocess.run([sys.executable, "-c", HIDDEN], capture_output=True, text=True, check=True).stdout
        assert "limits" not in held
        assert "seccomp" in held


class TestAttacks:
    def test_another_users_model_is_not_read(self, target: Target) -> None:
        graph = graph_of([node("Add", ["x", "w"], ["y"])])
        graph.initializer.append(external("another-users-model"))
        attack = onnx_of(graph)
        with Peak(target.pid) as peak:
            target.deployed(negation(), "own")
            target.http.post(
                contract.operation("upload_model_stream").path,
                content=graph_hidden_by(attack, bytes.fromhex("ba80808010")),
                params={"name": "attack", "filename": "m.onnx", "workspace_id": WORKSPACE},
                headers={"Content-Type": "application/octet-stream"},
            ).raise_for_status()
            wait_until(lambda: self.version(target)["status"] in {"ready", "error"})
        assert self.version(target)["status"] == "error"
        assert "above 32 bits" in self.version(target)["error_summary"]
        assert peak.mib < MOST_MIB

    @staticmethod
    def version(target: Target) -> dict[str, Any]:
        [version] = target.post("list_model_versions", {"model_id": "attack"})
        return version

    def test_rows_compressed_as_of_old_take_nothing(self, target: Target) -> None:
        url = target.deployed(negation(), "old")
        content = compressed_as_of_old(2048 * MIB)
        with Peak(target.pid) as peak:
            before = memory_of_tree_mib(target.pid)
            answer = target.http.post(url, content=content, headers={"Content-Type": ARROW})
        assert (answer.status_code, "0.15 to 0.17" in answer.json()["error"]) == (400, True)
        assert peak.mib < before + 100

    def test_models_that_take_much_take_no_more_than_they_may(self, target: Target) -> None:
        url = target.deployed(summed("ConstantOfShape", ["size"], 1 << 33), "large")
        with Peak(target.pid) as peak:
            before = memory_of_tree_mib(target.pid)
            assert target.infer(url, rows()).status_code == 400
        assert peak.mib < before + 2 * MODEL_MEMORY

    def test_who_waits_for_models_keeps_nobody_waiting(self, tmp_path: Path) -> None:
        with target_with(tmp_path, "--model-seconds", "300") as target, ThreadPoolExecutor(100) as threads:
            other = target.deployed(negation(), "other")
            endless = target.deployed(endless_loop(), "endless")
            most = MAX_RUNNING + MAX_WAITING
            requests = [threads.submit(target.infer, endless, rows()) for _ in range(most + 8)]
            wait_until(lambda: sum(request.done() for request in requests) == 8)
            turned_away = [request.result() for request in requests if request.done()]
            assert {answer.status_code for answer in turned_away} == {503}
            assert all(answer.headers["Retry-After"] for answer in turned_away)
            assert target.sign_in() < 5
            began = time.monotonic()
            target.post("list_workspaces", {})
            assert time.monotonic() - began < 5
            assert target.answers(other, rows())
            began = time.monotonic()
            target.http.post("/_sandbox/reset").raise_for_status()
            assert time.monotonic() - began < 30
            assert {request.result().status_code for request in requests} == {503}

    def test_a_loop_without_an_end_is_ended_between_two_of_its_operators(self, tmp_path: Path) -> None:
        with target_with(tmp_path, "--model-seconds", "1") as target:
            url = target.deployed(endless_loop(), "slow")
            began = time.monotonic()
            answer = target.infer(url, rows())
            assert (answer.status_code, "longer than" in answer.json()["error"]) == (400, True)
            assert time.monotonic() - began < 30


@contextmanager
def processes_with(directory: Path, monkeypatch: pytest.MonkeyPatch, patch: str) -> Generator[ModelProcesses]:
    """Yield processes that run a patch before anything else."""
    (directory / "sitecustomize.py").write_text(patch, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(directory), *sys.path])
    processes = ModelProcesses(SandboxOptions(model_seconds=1))
    try:
        yield processes
    finally:
        processes.close()


class TestNothingThatReturns:
    @pytest.mark.parametrize("step", ["load", "run"])
    def test_is_ended_with_its_process(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
        """An operator may never check whether it should stop."""
        monkeypatch.setattr("wallaroo_ext.sandbox.engine.model_process._GRACE_SECONDS", 1.0)
        modules = "import time, wallaroo_ext.sandbox.engine.confined.model_limits as m"
        sleep = f"{modules}\nm.ModelLimits.{step} = lambda *_: time.sleep(600)"
        file = tmp_path / "model"
        file.write_bytes(negation())
        with processes_with(tmp_path, monkeypatch, sleep) as processes:
            processes.start()
            before = set(tree(os.getpid()))  # the fork server, and a sandbox of other tests
            began = time.monotonic()
            with pytest.raises(ProcessEndedError) as ended:
                processes.load([ModelFile(MODEL, file)]).score([file_of(rows())])
            assert ended.value.timed_out
            assert time.monotonic() - began < 20
            forked = set(tree(os.getpid())) - before
            wait_until(lambda: not any(is_running(process) for process in forked), 10)


class TestNoMoreProcesses:
    def test_those_that_run_go_on(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        once = """
import os
fork, count = os.fork, []
def limited():
    count.append(1)
    if len(count) > 2:
        raise BlockingIOError("no more processes")
    return fork()
os.fork = limited
"""
        file = tmp_path / "model"
        file.write_bytes(negation())
        with processes_with(tmp_path, monkeypatch, once) as processes:
            running = processes.load([ModelFile(MODEL, file)])  # the first fork tries the layers
            with pytest.raises(ShortageError, match="no more processes"):
                processes.load([ModelFile(MODEL, file)])
            assert running.is_alive
            assert running.score([file_of(rows())]).results["answered"]

    def test_a_fork_server_that_cannot_be_created_is_an_error_of_the_models(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*_: object, **__: object) -> None:
            raise FileNotFoundError("no directory for temporary files")

        monkeypatch.setattr("wallaroo_ext.sandbox.engine.model_process.tempfile.TemporaryDirectory", fails)
        file = tmp_path / "model"
        file.write_bytes(negation())
        with pytest.raises(ModelUnreadableError, match="no directory for temporary files"):
            open_models(ModelProcesses(SandboxOptions()), [ModelFile(MODEL, file)])


class TestLists:
    """Even empty lists take memory, in the sandbox's own process."""

    @pytest.mark.parametrize("shape", [[1, 1 << 26, 0], [1, 1 << 40, 0], [1 << 17, *[1] * 40]])
    @pytest.mark.parametrize("accepted", [ARROW, "application/json"])
    def test_more_than_fit_are_refused(self, target: Target, shape: list[int], accepted: str) -> None:
        count = shape[0]
        nodes = [
            node("ReduceSum", ["x"], ["sum"], keepdims=0),
            node("Cast", ["sum"], ["small"], to=TensorProto.BOOL),
            node("Expand", ["small", "shape"], ["y"]),
        ]
        graph = graph_of(nodes, shape=np.array(shape))
        graph.output[0].type.tensor_type.elem_type = TensorProto.BOOL
        graph.output[0].type.tensor_type.ClearField("shape")
        url = target.deployed(onnx_of(graph), f"lists-{len(shape)}-{shape[1]}")
        table = pa.table({"x": pa.array(np.zeros(count, np.uint8))})
        with Peak(target.pid) as peak:
            answer = target.http.post(
                url, content=file_of(table, compression="zstd"), headers={"Content-Type": ARROW, "Accept": accepted}
            )
        assert answer.status_code == 413, answer.text[:300]
        assert peak.mib < 3 * MOST_MIB


class TestNothingIsBelieved:
    def test_of_a_shape_whose_size_takes_long_to_compute(self) -> None:
        began = time.monotonic()
        with pytest.raises(ValueError, match="shape"):
            tensors.unpack([{"name": "y", "dtype": "float32", "shape": [1 << 62] * 20_000}], memoryview(b""))
        assert time.monotonic() - began < 1

    @given(st.lists(st.integers() | st.none() | st.booleans() | st.text(), max_size=3) | st.integers() | st.text())
    def test_of_what_describes_tensors(self, shape: Any) -> None:
        for dtype in ("float32", "bool", "string", "object", shape):
            try:
                outputs, _ = tensors.unpack([{"name": "y", "dtype": dtype, "shape": shape}], memoryview(bytes(64)))
            except ValueError:
                continue
            assert outputs["y"].nbytes <= 64 or dtype == "string"

    @given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
    def test_texts_and_numbers_come_back_as_they_were(self, texts: list[list[str]]) -> None:
        packed = {
            "text": np.array(texts, object).reshape(len(texts), -1 if texts else 2),
            "half": np.array([[0.5, 1.5]], np.float16),
            "flag": np.array([True, False]),
            "none": np.empty((0, 3), np.int64),
        }
        descriptions, pieces = tensors.pack(packed)
        content = b"".join(piece.tobytes() for piece in pieces)
        outputs, rest = tensors.unpack(json.loads(json.dumps(descriptions)), memoryview(content + b"rows"))
        assert bytes(rest) == b"rows"
        for name, tensor in packed.items():
            assert (outputs[name].dtype, outputs[name].shape) == (tensor.dtype, tensor.shape)
            assert outputs[name].tolist() == tensor.tolist()
