"""After a kill, does the sandbox have everything that it acknowledged, and nothing in part?"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

from contract_tests.support.servers.forks import fork_server
from scripts.lib.bench.mixed_load import ACTIONS, LARGE, Actor
from scripts.lib.bench.model import WIDTH
from scripts.lib.bench.sandbox_processes import sandboxes_below
from wallaroo_ext.sandbox.inference.inference_log import InferenceLog
from wallaroo_ext.sandbox.process import SandboxFailedError, running
from wallaroo_ext.sandbox.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from contextlib import AbstractContextManager

    from contract_tests.support.servers.forks.fork_server import Program

    RunningWithPid = Callable[[Path], AbstractContextManager[tuple[dict[str, str], int]]]

pytestmark = pytest.mark.slow  # each test kills and starts sandboxes

ACTORS, REQUESTS = 4, 200
READS = ("list", "read", "compute")
MIX = {name: 2 if name.startswith(("upload", "infer")) else 1 for name in ACTIONS if not name.startswith(READS)}
PATIENCE_SECONDS = 60
LOG_LIMIT_MIB = 1024


class Round:
    """Requests of several actors, during which the sandbox is killed.

    Args:
        actors: The senders.
        pid: The process id of the sandbox.
        answers: The number of answers before it is killed.
    """

    def __init__(self, actors: list[Actor], pid: int, answers: int) -> None:
        self._actors = actors
        self._pid = pid
        self._left = answers
        self._lock = threading.Lock()

    def run(self) -> None:
        """Send requests until the sandbox no longer answers."""
        with ThreadPoolExecutor(len(self._actors)) as threads:
            for done in [threads.submit(self._work, actor) for actor in self._actors]:
                done.result()

    def _work(self, actor: Actor) -> None:
        with suppress(httpx.TransportError):
            for _ in range(REQUESTS // len(self._actors)):
                actor.step()
                self._count()

    def _count(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(self._pid, signal.SIGKILL)


def sandbox_of(directory: Path) -> int:
    """Return the process id of the sandbox that uses a directory and was started anew."""
    below = sandboxes_below(os.getpid())
    [pid] = [pid for pid in below if str(directory) in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")]
    return pid


@contextmanager
def running_anew(directory: Path) -> Generator[tuple[dict[str, str], int]]:
    """Run a sandbox in a new process. Yields its environment and its process id."""
    with running(directory) as environment:
        yield environment, sandbox_of(directory)


@contextmanager
def running_in_a_fork(directory: Path) -> Generator[tuple[dict[str, str], int]]:
    """Run a sandbox in a fork, which starts faster. Yields its environment and its process id."""
    pids: list[int] = []

    def start(arguments: Sequence[str], files: tuple[int, int, int]) -> Program:
        program = fork_server.start_sandbox(arguments, files)
        pids.append(program.pid)
        return program

    with running(directory, start=start) as environment:
        yield environment, pids[0]


def crash_and_check(directory: Path, kills: int, running_with_pid: RunningWithPid) -> None:
    """Kill the sandbox some times while it works, and check each time what it kept."""
    decide = random.Random(kills)  # noqa: S311 - when, not a secret
    with ExitStack() as opened:
        actors = [opened.enter_context(closing(Actor(number, number, MIX))) for number in range(ACTORS)]
        for number in range(kills + 1):
            with running_with_pid(directory) as (environment, pid):
                for actor in actors:
                    actor.connect(environment)
                    check_answers(actor) if number else actor.prepare()
                for actor in actors:
                    wait_until_settled(actor)
                if number < kills:
                    Round(actors, pid, decide.randint(10, REQUESTS - 20)).run()
            check_files(directory, actors)


def check_answers(actor: Actor) -> None:
    """Check that the answers contain everything that was acknowledged."""
    known = actor.acknowledged
    workspaces = actor.post("list_workspaces", {})["workspaces"]
    assert known.workspaces <= {workspace["name"] for workspace in workspaces}
    assert known.pipelines <= {pipeline for workspace in workspaces for pipeline in workspace["pipelines"]}
    assert known.users <= set(actor.post("query_users", {})["users"])
    assert known.versions.items() <= {version["id"]: version["sha"] for version in actor.versions()}.items()
    assert known.assays.items() <= {assay["id"]: assay["active"] for assay in actor.assays()}.items()
    assert known.is_deployed in {None, actor.is_deployed()}


def wait_until_settled(actor: Actor) -> None:
    """Wait until every conversion has ended and the deployment is running."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(version["status"] not in {"ready", "error"} for version in actor.versions()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    actor.wait_until_running()


def check_files(directory: Path, actors: list[Actor]) -> None:
    """Check that every model file is complete, and every acknowledged inference is in the log with all its rows."""
    with closing(Store(directory)) as store:
        with store.reading() as db:
            assert [tuple(row) for row in db.execute("PRAGMA integrity_check")] == [("ok",)]
            assert list(db.execute("PRAGMA foreign_key_check")) == []
            shas = {row["version"]: row["sha"] for row in db.execute("SELECT version, sha FROM model_versions")}
            pipelines = [row["id"] for row in db.execute("SELECT id FROM pipelines")]
        assert {file.name: sha_of(file) for file in (directory / "models").iterdir()} == shas
        with closing(InferenceLog(store, LOG_LIMIT_MIB)) as log:
            logged = dict(marked for pipeline in pipelines for marked in marked_rows(log, pipeline))
    for actor in actors:
        assert actor.acknowledged.rows.items() <= logged.items()
    assert set(logged.values()) <= {1, LARGE}


def sha_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def marked_rows(log: InferenceLog, pipeline: int) -> Iterator[tuple[int, int]]:
    """Yield the marker of each logged batch, which all of its rows contain, and the number of its rows."""
    for batch in log.read(pipeline):
        rows: Any = batch.table.column("in.dense_input")
        [marker] = np.unique(np.asarray(rows.combine_chunks().flatten()).reshape(-1, WIDTH)[:, 0])
        yield int(marker), batch.table.num_rows


def test_a_kill_loses_nothing_that_was_acknowledged_and_leaves_nothing_by_half(tmp_path: Path) -> None:
    crash_and_check(tmp_path / "data", 1, running_anew)


@pytest.mark.slow
def test_twenty_kills_lose_nothing_that_was_acknowledged_and_leave_nothing_by_half(tmp_path: Path) -> None:
    crash_and_check(tmp_path / "data", 20, running_in_a_fork)


def test_a_directory_is_free_again_when_its_sandbox_was_killed(tmp_path: Path) -> None:
    with running(tmp_path) as environment:
        with pytest.raises(SandboxFailedError, match="Another sandbox works on"), running(tmp_path):
            pass
        assert httpx.get(environment["WALLAROO_API_URL"]).status_code == 404  # the first one goes on
        os.kill(sandbox_of(tmp_path), signal.SIGKILL)
    with running(tmp_path) as environment:
        assert httpx.get(environment["WALLAROO_API_URL"]).status_code == 404
