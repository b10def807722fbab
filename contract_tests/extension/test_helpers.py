"""Do the helpers do what they promise, on a sandbox and on answers that no good instance gives?"""

from __future__ import annotations

import asyncio
import hashlib
import io
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wallaroo_mlops_client import Client
from wallaroo_mlops_client.api.workspaces import list_workspaces
from wallaroo_mlops_client.models import ListWorkspacesRequest, ListWorkspacesResponse

from wallaroo_ext import (
    ConfigurationError,
    ConnectionFailedError,
    ContractViolationError,
    ConversionError,
    DeploymentError,
    EngineError,
    InvalidDataError,
    InvalidRequestError,
    NotFoundError,
    ServerError,
    WaitTimeoutError,
    aio,
    call,
    connect,
    infer,
    upload_model,
    wait_until_running,
)
from wallaroo_ext._util.arrow.files import from_file, to_file
from wallaroo_ext.inference.inputs.rows import to_table
from wallaroo_ext.inference.scored_rows.answers import from_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def url(client: Client, model_file: Path, workspace_id: int, deploy: Callable[..., tuple[str, str]]) -> str:
    model = upload_model(client, model_file, name="helpers", workspace=workspace_id)
    deployment, where = deploy("helpers", model.id)
    assert wait_until_running(client, deployment).status == "Running"
    return where


def answering(*answers: httpx.Response | Exception) -> Client:
    """Return a client whose instance gives these answers, one after the other."""
    waiting = list(answers)

    def handle(_: httpx.Request) -> httpx.Response:
        answer = waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = Client(base_url="https://api.example.com")
    return client.set_httpx_client(
        httpx.Client(transport=httpx.MockTransport(handle), base_url="https://api.example.com")
    )


def listed(client: Client) -> ListWorkspacesResponse:
    return call(list_workspaces, client=client, body=ListWorkspacesRequest())


class TestUpload:
    def test_a_file_is_taken_in_every_form(self, client: Client, model_file: Path, workspace_id: int) -> None:
        content = model_file.read_bytes()
        sources: dict[str, Any] = {
            "path": model_file,
            "text": str(model_file),
            "bytes": content,
            "file": io.BytesIO(content),
        }
        versions = [
            upload_model(client, source, name=f"form-{name}", workspace=workspace_id)
            for name, source in sources.items()
        ]
        sha = hashlib.sha256(content).hexdigest()
        assert [(version.status, version.sha) for version in versions] == [("ready", sha)] * 4
        assert [version.file_name for version in versions] == [model_file.name] * 2 + ["form-bytes", "form-file"]

    def test_a_broken_model_is_an_error_with_the_reason(self, client: Client, workspace_id: int) -> None:
        with pytest.raises(ConversionError, match="no ONNX model") as raised:
            upload_model(client, b"nonsense", name="broken", workspace=workspace_id)
        assert raised.value.version_id > 0

    def test_what_the_instance_refuses_is_an_error(self, client: Client, model_file: Path) -> None:
        with pytest.raises(ServerError, match="no workspace 999") as raised:
            upload_model(client, model_file, name="nowhere", workspace=999)
        assert (raised.value.operation, raised.value.status) == ("upload_and_convert_model", 500)

    def test_what_is_no_file_is_refused_before_anything_is_sent(self, client: Client) -> None:
        source: Any = 5
        with pytest.raises(InvalidDataError, match="int"):
            upload_model(client, source, name="five", workspace=1)
        with pytest.raises(FileNotFoundError):
            upload_model(client, "no-such-file.onnx", name="none", workspace=1)

    def test_a_release_without_a_status_is_ready(self) -> None:
        version = {"id": 7, "models_pk_id": 7, "model_version": "v", "sha": hashlib.sha256(b"x").hexdigest()}
        client = answering(
            httpx.Response(200, json={"workspaces": []}),
            httpx.Response(202, json={"insert_models": {"returning": [{"models": [{"id": 7}]}]}}),
            httpx.Response(200, json=[version | {"id": 8}, version]),
        )
        assert upload_model(client, b"x", name="old", workspace=1).id == 7

    def test_waiting_for_the_conversion_ends(self) -> None:
        sha = hashlib.sha256(b"x").hexdigest()
        version = {"id": 7, "models_pk_id": 7, "model_version": "v", "sha": sha, "status": "converting"}
        client = answering(
            httpx.Response(200, json={"workspaces": []}),
            httpx.Response(202, json={"insert_models": {"returning": [{"models": [{"id": 7}]}]}}),
            httpx.Response(200, json=[version]),
            httpx.Response(404, html="<h1>no such page</h1>"),
            httpx.Response(200, json=[version]),
        )
        with pytest.raises(WaitTimeoutError, match="still 'converting'"):
            upload_model(client, b"x", name="slow", workspace=1, timeout=0.01)


class TestWait:
    def test_an_error_that_stays_ends_it_with_what_the_pods_say(self) -> None:
        pod = {"status": "Error", "name": "engine-1", "reason": "OOMKilled", "details": ["out of memory"]}
        client = answering(httpx.Response(200, json={"status": "Error", "details": [], "engines": [pod]}))
        with pytest.raises(DeploymentError, match=r"out of memory.*OOMKilled") as raised:
            wait_until_running(client, "a-1", error_grace=0)
        assert raised.value.details == ["engine-1: out of memory", "engine-1: OOMKilled"]

    def test_a_deadline_ends_it_with_what_the_pods_say(self, client: Client, deploy: Callable[..., Any]) -> None:
        deployment, _ = deploy("waiting")
        with pytest.raises(WaitTimeoutError, match=r"Starting after 0\.3 s: engine-.*unready"):
            wait_until_running(client, deployment, timeout=0.3)

    def test_an_unknown_deployment_is_waited_for_a_moment(self) -> None:
        missing, running = httpx.Response(404, json={"code": 404, "msg": "none"}), {"status": "Running"}
        assert wait_until_running(answering(missing, httpx.Response(200, json=running)), "a-1").status == "Running"

    def test_and_then_it_is_an_error(self, client: Client) -> None:
        with pytest.raises((NotFoundError, WaitTimeoutError)):
            wait_until_running(client, "nothing-1", timeout=0.3)


class TestInfer:
    def test_every_kind_of_rows_gives_the_same(
        self, client: Client, url: str, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        rows = np.random.default_rng(1).normal(size=(50, 29)).astype(np.float32)
        kinds: dict[str, Any] = {
            "numpy": {"dense_input": rows},
            "lists": {"tensor": rows.tolist()},
            "records": [{"tensor": row} for row in rows.tolist()],
            "pandas": pd.DataFrame({"tensor": list(rows)}),
            "pyarrow": pa.table({"dense_input": rows.tolist()}),
            "chunks": pa.concat_tables([to_table({"tensor": rows[:20]}), to_table({"tensor": rows[20:]})]),
            "a slice": to_table({"tensor": np.concatenate([rows, rows])}).slice(50),
        }
        for kind, data in kinds.items():
            scored = infer(client, url, data)
            assert scored.num_rows == 50, kind
            output = np.array(scored.column("out.dense_1").to_pylist())
            np.testing.assert_allclose(output, expected(rows), atol=1e-6, err_msg=kind)

    def test_a_wrong_width_names_the_field_and_both_shapes(self, client: Client, url: str) -> None:
        with pytest.raises(EngineError, match=r"'tensor'.*\[3\].*\[29\]"):
            infer(client, url, {"tensor": np.zeros((2, 3), np.float32)})

    def test_a_text_is_the_name_of_a_file(self, client: Client, url: str) -> None:
        with pytest.raises(FileNotFoundError, match=r"No such file.*'text'"):
            infer(client, url, "text")

    @pytest.mark.parametrize("rows", [5, [1, 2], {"a": [1], "b": [1, 2]}, [{"a": 1}, {"b": 1}]])
    def test_what_is_no_table_is_refused(self, client: Client, url: str, rows: Any) -> None:
        with pytest.raises(InvalidDataError):
            infer(client, url, rows)

    def test_the_token_goes_to_no_other_host(self, client: Client) -> None:
        with pytest.raises(ConfigurationError, match="another origin"):
            infer(client, "https://elsewhere.example.com/infer/a-1", {"tensor": [[1.0]]})

    def test_a_json_answer_is_read_too(self, document: dict[str, Any]) -> None:
        content = document["components"]["responses"]["Inference"]["content"]["application/json"]
        recorded = content["examples"]["pipeline-management-tutorial"]["value"]
        table = infer(answering(httpx.Response(200, json=recorded)), "/infer", {"a": [1]})
        assert table.column("out.dense_1").to_pylist() == [[0.0014974177]]
        assert table.column("time").cast(pa.int64()).to_pylist() == [1701377058894]

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (b"<html>", "text/html"),
            (b"ARROW1", "application/vnd.apache.arrow.file"),
            (b"{", "application/json"),
            (b"", ""),
        ],
    )
    def test_an_answer_without_rows_breaks_the_contract(self, content: bytes, kind: str) -> None:
        answer = httpx.Response(200, content=content, headers={"Content-Type": kind})
        with pytest.raises(ContractViolationError):
            infer(answering(answer), "/infer", {"a": [1]})


class TestCall:
    @pytest.mark.parametrize(
        ("answer", "kind", "excerpt"),
        [
            (httpx.Response(200, content=b"<html>sign in</html>"), ContractViolationError, "sign in"),
            (httpx.Response(200, content=b""), ContractViolationError, "breaks the contract"),
            (httpx.Response(200, json={"workspaces": [{"id": 1}]}), ContractViolationError, "name"),
            (httpx.Response(200, json=None), ContractViolationError, "breaks the contract"),
            (httpx.Response(520, content=b"unknown"), ServerError, "520, unknown"),
            (httpx.Response(502, content=b"<html>Bad gateway</html>"), ServerError, "Bad gateway"),
            (httpx.Response(500, json=[{"error": "boom", "source": "engine"}]), EngineError, "boom"),
            (httpx.Response(302, headers={"Location": "https://elsewhere"}), ContractViolationError, "302"),
            (httpx.ConnectError("refused"), ConnectionFailedError, "refused"),
            (httpx.ReadTimeout("late"), ConnectionFailedError, "in time"),
        ],
    )
    def test_a_strange_answer_is_a_typed_error(self, answer: Any, kind: type[Exception], excerpt: str) -> None:
        with pytest.raises(kind, match=excerpt):
            listed(answering(answer))

    def test_nothing_secret_is_in_an_error(self) -> None:
        token = jwt.encode({"sub": "somebody"}, "a key that is long enough for it", "HS256")
        body = f'{{"msg": "bad token {token}", "access_token": "abc123"}}'.encode()
        with pytest.raises(InvalidRequestError) as raised:
            listed(answering(httpx.Response(400, content=body)))
        assert "abc123" not in raised.value.body
        assert "eyJ" not in raised.value.body + str(raised.value)

    def test_an_instance_that_is_not_there_is_said_in_a_sentence(self, sandbox: dict[str, str]) -> None:
        with (
            connect(environment=sandbox, api_url="http://127.0.0.1:9") as client,
            pytest.raises(ConnectionFailedError, match=r"list_workspaces.*127\.0\.0\.1"),
        ):
            listed(client)


class TestAsynchronous:
    def test_the_whole_path(
        self,
        sandbox: dict[str, str],
        model_file: Path,
        workspace_id: int,
        deploy: Callable[..., tuple[str, str]],
        expected: Callable[[Any], np.ndarray[Any, Any]],
    ) -> None:
        rows = np.random.default_rng(2).normal(size=(5, 29)).astype(np.float32)

        async def path() -> pa.Table:
            async with connect(environment=sandbox) as client:
                model = await aio.upload_model(client, model_file, name="async", workspace=workspace_id)
                deployment, where = await asyncio.to_thread(deploy, "async", model.id)
                await aio.wait_until_running(client, deployment)
                request = ListWorkspacesRequest()
                listed = await aio.call(list_workspaces, client=client, body=request)
                assert workspace_id in {found.id for found in listed.workspaces}
                tables = await asyncio.gather(*(aio.infer(client, where, {"tensor": rows}) for _ in range(4)))
                with pytest.raises(EngineError):
                    await aio.infer(client, where, {"tensor": rows[:, :3]})
                return tables[0]

        output = np.array(asyncio.run(path()).column("out.dense_1").to_pylist())
        np.testing.assert_allclose(output, expected(rows), atol=1e-6)


columns = st.sampled_from(
    [
        pa.array([1, None, 3], pa.int8()),
        pa.array([1.5, None, 2.5], pa.float64()),
        pa.array(["a", None, "ü"], pa.string()),
        pa.array([[1.0], [], None], pa.list_(pa.float32())),
        pa.array([[[1, 2]], [[3]], []], pa.list_(pa.list_(pa.int64()))),
        pa.array([True, False, None], pa.bool_()),
        pa.array([0, 1, None], pa.timestamp("ms")),
        pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.int32(), 2)),
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, derandomize=True)
@given(chosen=st.lists(columns, min_size=1, max_size=4), start=st.integers(0, 3), repeat=st.integers(1, 3))
def test_a_table_survives_the_file_format(chosen: list[Any], start: int, repeat: int) -> None:
    table = pa.concat_tables([pa.table({f"c{n}": column for n, column in enumerate(chosen)})] * repeat).slice(start)
    assert from_file(to_file(to_table(table)).to_pybytes()).equals(table)


def test_numpy_arrays_become_columns_over_the_same_memory() -> None:
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    column: Any = to_table({"a": array}).column("a").chunk(0)
    assert column.to_pylist() == array.tolist()
    values = column.flatten().flatten()
    assert values.buffers()[1].address == array.__array_interface__["data"][0]


def test_flat_and_nested_records_give_the_same_columns() -> None:
    nested: dict[str, Any] = {"time": 1, "in": {"a": [1.0]}, "out": {"b": [2.0]}, "check_failures": []}
    flat: dict[str, Any] = {"time": 1, "in.a": [1.0], "out.b": [2.0], "check_failures": []}
    assert from_records([nested]).equals(from_records([flat]))
