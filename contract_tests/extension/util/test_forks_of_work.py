"""Does work stay with the process that started it, if it is forked meanwhile: uploads, batches, a sandbox?"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.data.batch_rows import batch, inputs_of, pq, scores_of, table_of, vectors, write_tables
from contract_tests.support.sandbox.deployments import WORKSPACE, deployed
from contract_tests.support.servers.forks.forking import children, forked_within, run_in_child
from wallaroo_ext import (
    ForkedError,
    NotFoundError,
    PartSize,
    aio,
    connect,
    deploy_pipeline,
    infer,
    infer_batches,
    infer_dataset,
    upload_model,
)
from wallaroo_ext.sandbox.control_client import Sandbox
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from wallaroo_mlops_client import Client

pytestmark = [
    # Forking a process that has threads is what this is about.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
]


@pytest.fixture(scope="module")
def url(sandbox: dict[str, str], model_file: Path) -> str:
    return deployed(sandbox, model_file, "forked")


@pytest.fixture
def used(client: Client, url: str) -> Client:
    """Return a client that has connections and a token, and has imported what a first call imports."""
    infer(client, url, {"dense_input": vectors(1).tolist()})
    return client


def close_to(scored: Any, rows: Any, expected: Callable[[Any], Any]) -> None:
    assert scores_of(scored) == pytest.approx(expected(inputs_of(rows)).reshape(-1), abs=1e-6)


class TestScoring:
    def test_each_process_gets_its_own_rows(self, used: Client, url: str, expected: Callable[[Any], Any]) -> None:
        def score(first: int) -> None:
            for number in range(3):
                rows = table_of(batch(3, 100 * first + number))
                close_to(infer(used, url, rows.select(["dense_input"])), rows, expected)

        with children(score, 4):
            score(9)

    def test_in_asyncio(self, used: Client, url: str, expected: Callable[[Any], Any]) -> None:
        async def score(first: int) -> None:
            tables = [table_of(batch(3, 100 * first + number)) for number in range(3)]
            async with used:
                scored = await asyncio.gather(*(aio.infer(used, url, each.select(["dense_input"])) for each in tables))
            for answer, rows in zip(scored, tables, strict=True):
                close_to(answer, rows, expected)

        with children(lambda number: asyncio.run(score(number)), 3):
            pass
        asyncio.run(score(9))


class TestBatches:
    def test_each_process_has_its_own_threads(self, used: Client, url: str, expected: Callable[[Any], Any]) -> None:
        def score(first: int) -> None:
            rows = [batch(40, 1000 * first + 40 * number) for number in range(5)]
            scored = list(infer_batches(used, url, iter(rows), keys=["id"], request_rows=20, in_flight=3))
            close_to(table_of(*scored), table_of(*rows), expected)

        score(8)
        with children(score, 3):
            score(9)

    def test_a_child_does_not_go_on_with_a_run(self, used: Client, url: str, expected: Callable[[Any], Any]) -> None:
        rows = [batch(20, 20 * number) for number in range(8)]
        taken: list[Any] = []
        with closing(infer_batches(used, url, iter(rows), keys=["id"], request_rows=20, in_flight=2)) as scored:
            for each in scored:
                taken.append(each)
                if len(taken) == 2:
                    assert run_in_child(lambda: _is_refused(scored)) == 0
        close_to(table_of(*taken), table_of(*rows), expected)


def _is_refused(scored: Any) -> None:
    with pytest.raises(ForkedError, match="The scoring of these rows was started before"):
        next(scored)
    scored.close()
    gc.collect()


class TestDatasets:
    def test_each_process_has_its_own(
        self, used: Client, url: str, tmp_path: Path, expected: Callable[[Any], Any]
    ) -> None:
        tables = write_tables(tmp_path / "in", 50, 50)

        def score(number: int) -> None:
            target = tmp_path / f"out-{number}"
            infer_dataset(used, url, tmp_path / "in", target, keys=["id"])
            close_to(_read(target), table_of(*(each for table in tables for each in table.to_batches())), expected)

        score(9)
        with children(score, 2):
            score(8)

    @pytest.mark.parametrize("leaves", [SystemExit, KeyboardInterrupt, ForkedError, None])
    def test_a_child_leaves_the_files_to_its_parent(
        self,
        used: Client,
        url: str,
        tmp_path: Path,
        expected: Callable[[Any], Any],
        leaves: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """It is forked while a part is being write_tables, and leaves its copy of the run in any way."""
        monkeypatch.setattr("wallaroo_ext.batch.progress._INTERVAL", 0.0)  # so that progress is reported in the middle
        [table] = write_tables(tmp_path / "in", 400)
        parent = os.getpid()
        options: Any = {"keys": ["id"], "request_rows": 20, "in_flight": 2, "part_size": PartSize(rows=200)}
        with forked_within(leaves or ForkedError) as fork:

            def tell(progress: Any) -> None:
                if 0 < progress.rows < progress.of:
                    fork()
                    if os.getpid() != parent and leaves is not None:
                        raise leaves("the child goes")

            infer_dataset(used, url, tmp_path / "in", tmp_path / "out", progress=tell, **options)
        close_to(_read(tmp_path / "out"), table, expected)
        names = [file.name for file in (tmp_path / "out").iterdir()]
        assert [name for name in names if "unfinished" in name] == []


def _read(target: Path) -> Any:
    return table_of(*(each for file in sorted(target.glob("*.parquet")) for each in pq.read_table(file).to_batches()))


class TestUploads:
    def test_each_process_uploads_its_own(self, used: Client, model_file: Path) -> None:
        """The child uploads during an upload of the parent; each compares the SHA-256 of both files."""
        content, begun, go_on = model_file.read_bytes(), threading.Event(), threading.Event()

        def slowly() -> Iterator[bytes]:
            yield content[:100]
            begun.set()
            go_on.wait(30)
            yield content[100:]

        thread_errors: list[BaseException] = []

        def upload() -> None:
            try:
                upload_model(used, slowly(), name="parents", workspace=WORKSPACE, size=len(content))
            except BaseException as error:  # noqa: BLE001 - it is looked at below
                thread_errors.append(error)

        thread = threading.Thread(target=upload)
        thread.start()
        begun.wait(30)
        with children(lambda number: upload_model(used, content, name=f"childs-{number}", workspace=WORKSPACE), 2):
            pass
        go_on.set()
        thread.join()
        assert thread_errors == []

    @pytest.mark.parametrize("where", ["source", "progress"])
    @pytest.mark.parametrize("check_sha", [True, False])
    def test_a_child_does_not_go_on_with_one(self, used: Client, where: str, check_sha: bool) -> None:  # noqa: FBT001 - a parameter
        piece = os.urandom(300_000)
        options: Any = {"name": "forked-in", "workspace": WORKSPACE, "wait": False, "framework": "keras"}
        with forked_within(ForkedError) as fork:

            def pieces() -> Iterator[bytes]:
                for number in range(5):
                    time.sleep(0.11)  # longer than the shortest time between two calls of `progress`
                    if number == 2 and where == "source":
                        fork()
                    yield piece

            def tell(sent: int, _: int | None) -> None:
                if sent and where == "progress":
                    fork()

            upload_model(used, pieces(), progress=tell, check_sha=check_sha, **options)


class TestDeployments:
    """A deployment is ended by the process that made it, although a child leaves its copy of the block."""

    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_a_child_that_leaves_the_block_ends_nothing(
        self,
        used: Client,
        model_file: Path,
        asynchronous: bool,  # noqa: FBT001 - a parameter
    ) -> None:
        model = upload_model(used, model_file, name="kept", workspace=WORKSPACE)
        rows = {"dense_input": vectors(1).tolist()}
        with forked_within(SystemExit) as fork, deploy_pipeline(used, "kept", model) as deployment:

            async def in_asyncio() -> None:
                async with used, deployment:
                    forked_here()

            def forked_here() -> None:
                parent = os.getpid()
                fork()
                if os.getpid() != parent:
                    sys.exit(0)

            if asynchronous:
                asyncio.run(in_asyncio())
            else:
                forked_here()
                assert infer(used, deployment, rows).num_rows == 1
        with pytest.raises(NotFoundError):
            infer(used, deployment.url, rows)

    def test_a_child_whose_wait_fails_ends_nothing(self, used: Client, model_file: Path) -> None:
        model = upload_model(used, model_file, name="waited-for", workspace=WORKSPACE)
        with forked_within(SystemExit) as fork:
            parent = os.getpid()

            def tell(_: Any) -> None:
                fork()
                if os.getpid() != parent:
                    sys.exit(0)

            with deploy_pipeline(used, "waited-for", model, progress=tell) as deployment:
                assert infer(used, deployment, {"dense_input": vectors(1).tolist()}).num_rows == 1


class TestSandbox:
    def test_a_child_that_leaves_its_block_ends_nothing(self) -> None:
        block: Any = running()
        environment = block.__enter__()
        try:
            assert run_in_child(lambda: block.__exit__(None, None, None)) == 0
            assert run_in_child(lambda: _leaves_by(block, SystemExit())) == 0
            with Sandbox(environment) as steered:
                steered.clear_faults()
                with children(lambda _: steered.clear_faults(), 3):
                    steered.clear_faults()
            with connect(environment=environment) as client:
                assert client.get_httpx_client().post("/v1/api/workspaces/list", json={}).status_code == 200
        finally:
            block.__exit__(None, None, None)


def _leaves_by(block: Any, error: BaseException) -> None:
    with pytest.raises(type(error)):
        block.gen.throw(error)
    sys.stdout.flush()
