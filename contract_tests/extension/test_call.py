"""Does `call` run every generated operation, with its types, and turn every answer that is none into a typed error?"""

from __future__ import annotations

import asyncio
import io
import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_type

import httpx
import pytest
import wallaroo_mlops_client
from hypothesis import given, settings
from hypothesis import strategies as st
from wallaroo_mlops_client import Client
from wallaroo_mlops_client.api.authentication import request_token
from wallaroo_mlops_client.api.inference import infer_deployment, infer_pipeline
from wallaroo_mlops_client.api.models import list_model_versions, upload_and_convert_model, upload_model_stream
from wallaroo_mlops_client.api.pipelines import undeploy_pipeline
from wallaroo_mlops_client.api.workspaces import list_workspaces
from wallaroo_mlops_client.models import (
    Conversion,
    EmptyObject,
    InferenceResult,
    ListModelVersionsRequest,
    ListWorkspacesRequest,
    ListWorkspacesResponse,
    ModelMetadata,
    ModelVersion,
    PandasRecordsItem,
    Token,
    TokenRequest,
    UndeployPipelineRequest,
    UploadAndConvertModelRequest,
    Visibility,
)
from wallaroo_mlops_client.types import File

from wallaroo_ext import (
    AnswerError,
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    ContractViolationError,
    InvalidDataError,
    WallarooError,
    aio,
    call,
    contract,
    infer,
    infer_batches,
    pipeline_logs,
)
from wallaroo_ext.operations import parse

if TYPE_CHECKING:
    from collections.abc import Callable

FIELDS = st.sampled_from(["id", "msg", "code", "error", "models", "workspaces", "insert_models", "returning", "url"])
BODIES = st.binary() | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
).map(lambda value: json.dumps(value).encode())
ORIGIN = "https://api.example.com"
FOLDERS = {path.stem: path.parent.name for path in Path(wallaroo_mlops_client.__file__).parent.glob("api/*/*.py")}


def answering(handle: Callable[[httpx.Request], httpx.Response]) -> Client:
    """Return a client whose instance answers so, in both kinds of call."""
    transport = httpx.MockTransport(handle)
    client = Client(base_url=ORIGIN)
    client.set_httpx_client(httpx.Client(transport=transport, base_url=ORIGIN))
    return client.set_async_httpx_client(httpx.AsyncClient(transport=transport, base_url=ORIGIN))


def seeing(answer: httpx.Response) -> tuple[Client, list[httpx.Request]]:
    """Return a client whose instance gives one answer, and the requests that it has seen."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        request.read()
        seen.append(request)
        return answer

    return answering(handle), seen


def raised_by(answer: httpx.Response | Exception) -> WallarooError:
    """Return the error that both kinds of `call` raise for an answer."""

    def handle(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    client, body = answering(handle), ListWorkspacesRequest()
    with pytest.raises(WallarooError) as raised:
        call(list_workspaces, client=client, body=body)
    with pytest.raises(type(raised.value)) as again:
        asyncio.run(aio.call(list_workspaces, client=client, body=body))
    assert str(again.value) == str(raised.value)
    return raised.value


def check_types(client: Client) -> None:
    """Not run: pyright reads here that `call` has the types of what it calls."""
    assert_type(call(list_workspaces, client=client, body=ListWorkspacesRequest()), ListWorkspacesResponse)
    assert_type(call(list_model_versions, client=client, body=ListModelVersionsRequest()), list[ModelVersion])
    assert_type(call(infer_deployment, "a-1", client=client), list[InferenceResult])
    assert_type(call(undeploy_pipeline, client=client, body=UndeployPipelineRequest()), EmptyObject | None)
    call(list_workspaces, client=client, body=ListModelVersionsRequest())  # pyright: ignore[reportArgumentType, reportCallIssue]
    call(list_workspaces, client=client)  # pyright: ignore[reportCallIssue]
    call(infer_deployment, client=client)  # pyright: ignore[reportCallIssue]


async def check_types_of_aio(client: Client) -> None:
    """Not run either."""
    assert_type(await aio.call(list_workspaces, client=client, body=ListWorkspacesRequest()), ListWorkspacesResponse)
    assert_type(await aio.call(undeploy_pipeline, client=client, body=UndeployPipelineRequest()), EmptyObject | None)


class TestSuccess:
    def test_an_object_a_list_and_nothing_are_answers(self) -> None:
        found = call(
            list_workspaces,
            client=seeing(httpx.Response(200, json={"workspaces": []}))[0],
            body=ListWorkspacesRequest(),
        )
        assert found.workspaces == []
        versions = seeing(httpx.Response(200, json=[{"id": 1, "models_pk_id": 1, "model_version": "v", "sha": "s"}]))[0]
        assert [v.id for v in call(list_model_versions, client=versions, body=ListModelVersionsRequest())] == [1]
        for content in (b"null", b"", b"{}"):
            client, _ = seeing(httpx.Response(200, content=content))
            answer = call(undeploy_pipeline, client=client, body=UndeployPipelineRequest())
            assert answer is None or answer == EmptyObject()

    def test_parameters_of_the_path_and_the_query_are_sent(self) -> None:
        client, seen = seeing(httpx.Response(200, json=[]))
        rows = [PandasRecordsItem.from_dict({"tensor": [1.0]})]
        assert call(infer_pipeline, "a/b-1", "ü", client=client, body=rows, dataset=["time", "out"]) == []
        assert seen[0].url.raw_path == b"/v1/api/pipelines/infer/a%2Fb-1/%C3%BC?dataset%5B%5D=time&dataset%5B%5D=out"
        assert json.loads(seen[0].content) == [{"tensor": [1.0]}]
        assert seen[0].headers["Content-Type"] == "application/json; format=pandas-records"

    def test_json_is_asked_for_because_the_generated_client_reads_nothing_else(self) -> None:
        client, seen = seeing(httpx.Response(200, json=[]))
        call(infer_deployment, "a-1", client=client, body=File(payload=io.BytesIO(b"ARROW1")))
        assert seen[0].headers["Accept"] == "application/json"
        assert seen[0].headers["Content-Type"] == "application/vnd.apache.arrow.file"
        assert seen[0].content == b"ARROW1"

    def test_multipart_and_raw_files_are_sent_whole(self) -> None:
        uploaded = {"insert_models": {"returning": [{"models": [{"id": 5}]}]}}
        client, seen = seeing(httpx.Response(202, json=uploaded))
        metadata = ModelMetadata(
            name="m", visibility=Visibility.PRIVATE, workspace_id=1, conversion=Conversion(framework="onnx")
        )
        file = File(payload=io.BytesIO(b"\r\n--+++--\r\nmodel"), file_name="m.onnx")
        body = UploadAndConvertModelRequest(metadata=metadata, file=file)
        assert call(upload_and_convert_model, client=client, body=body).insert_models.returning[0].models[0].id == 5
        assert b"\r\n--+++--\r\nmodel" in seen[0].content
        assert b'name="metadata"' in seen[0].content
        client, seen = seeing(httpx.Response(200, json=uploaded))
        raw = File(payload=io.BytesIO(b"model"))
        call(upload_model_stream, client=client, body=raw, name="m", filename="m.onnx", workspace_id=1)
        assert seen[0].content == b"model"
        assert dict(seen[0].url.params) == {"name": "m", "filename": "m.onnx", "workspace_id": "1"}

    def test_the_transport_is_told_the_operation(self) -> None:
        client, seen = seeing(httpx.Response(200, json={"workspaces": []}))
        call(list_workspaces, client=client, body=ListWorkspacesRequest())
        assert seen[0].extensions["wallaroo_ext.operation"] == "list_workspaces"
        assert seen[0].extensions["timeout"]

    def test_a_token_can_be_asked_for(self) -> None:
        client: Any = seeing(httpx.Response(200, json={"access_token": "t", "expires_in": 60}))[0]
        body = TokenRequest.from_dict({"grant_type": "client_credentials"})
        assert isinstance(call(request_token, client=client, body=body), Token)
        client = seeing(httpx.Response(400, json={"error": "invalid_grant", "error_description": "Disabled"}))[0]
        with pytest.raises(AuthenticationError, match="Disabled"):
            call(request_token, client=client, body=body)


class TestFailure:
    @pytest.mark.parametrize(
        ("answer", "excerpt"),
        [
            (httpx.Response(200, content=b"<html>Sign in</html>"), "'Sign in'"),
            (httpx.Response(200, content=b""), "it has no body"),
            (httpx.Response(200, content=b"\xff\xfe"), "it is no JSON"),
            (httpx.Response(200, content=b'{"workspaces": ['), "it is no JSON"),
            (httpx.Response(200, content=b"[" * 100_000), "nested too deep"),
            (httpx.Response(200, json={}), "it has no field 'workspaces'"),
            (httpx.Response(200, json={"workspaces": None}), "a value in it is of another type"),
            (httpx.Response(200, json={"workspaces": [5]}), "a value in it is of another type"),
            (httpx.Response(200, json={"workspaces": {"a": 1}}), "a value in it is of another type"),
            (httpx.Response(200, content=b'{"workspaces": ' + b"9" * 5_000 + b"}"), "more digits than can be read"),
            (httpx.Response(200, json="text"), "it is neither an object nor a list"),
            (httpx.Response(200, content=b" null"), "it is neither an object nor a list"),
            (httpx.Response(200, json=[["workspaces", []]]), "another shape"),
            (httpx.Response(204), "does not have this status"),
            (httpx.Response(299, json={"workspaces": []}), "does not have this status"),
            (httpx.Response(301, headers={"Location": "https://elsewhere.example.com/"}), "elsewhere.example.com"),
            (httpx.Response(999, content=b"what"), "no status of the API"),
        ],
    )
    def test_an_answer_that_breaks_the_contract(self, answer: httpx.Response, excerpt: str) -> None:
        error = raised_by(answer)
        assert isinstance(error, ContractViolationError)
        assert excerpt in str(error)
        assert (error.operation, error.status) == ("list_workspaces", answer.status_code)
        assert error.advice

    def test_an_object_where_a_list_belongs(self) -> None:
        client, _ = seeing(httpx.Response(200, json={}))
        with pytest.raises(ContractViolationError, match="another shape"):
            call(list_model_versions, client=client, body=ListModelVersionsRequest())

    def test_arrow_where_json_belongs(self) -> None:
        kind = "application/vnd.apache.arrow.file"
        client, _ = seeing(httpx.Response(200, content=b"ARROW1\x00\x00\xff", headers={"Content-Type": kind}))
        with pytest.raises(ContractViolationError):
            call(infer_deployment, "a-1", client=client)

    def test_no_answer(self) -> None:
        assert isinstance(raised_by(httpx.ConnectError("refused")), ConnectionFailedError)
        assert isinstance(raised_by(httpx.DecodingError("bad gzip")), ConnectionFailedError)
        assert isinstance(raised_by(httpx.InvalidURL("bad")), ConfigurationError)

    def test_a_client_is_missing(self) -> None:
        with pytest.raises(TypeError, match="client=connect"):
            call(list_workspaces, body=ListWorkspacesRequest())  # pyright: ignore[reportCallIssue]

    @pytest.mark.parametrize("client", [None, "http://localhost", httpx.Client])
    def test_a_client_is_what_connect_returns(self, client: Any) -> None:
        """In every function that has one."""
        tries: list[Callable[[], object]] = [
            lambda: call(list_workspaces, client=client, body=ListWorkspacesRequest()),
            lambda: infer(client, "p", [{"x": 1.0}]),
            lambda: list(infer_batches(client, "http://localhost/v1/api/pipelines/infer/p-1/p", [])),
            lambda: pipeline_logs(client, "p"),
            lambda: asyncio.run(aio.infer(client, "p", [{"x": 1.0}])),
            lambda: asyncio.run(aio.call(list_workspaces, client=client, body=ListWorkspacesRequest())),
        ]
        for each in tries:
            with pytest.raises(InvalidDataError, match=r"^The client is .*\. Give what `wallaroo_ext.connect\(\)` "):
                each()

    @settings(deadline=None, derandomize=True, max_examples=400)
    @given(name=st.sampled_from(contract.operation_ids()), status=st.sampled_from([200, 202, 204]), content=BODIES)
    def test_any_success_is_read_or_breaks_the_contract(self, name: str, status: int, content: bytes) -> None:
        module: Any = import_module(f"wallaroo_mlops_client.api.{FOLDERS[name]}.{name}")
        try:
            parse(module, httpx.Response(status, content=content))
        except ContractViolationError as error:
            found = error
        else:
            return
        assert (found.operation, found.status) == (name, status)

    @settings(deadline=None, derandomize=True, max_examples=100)
    @given(status=st.integers(300, 999), content=BODIES)
    def test_any_failure_is_a_typed_error(self, status: int, content: bytes) -> None:
        client, _ = seeing(httpx.Response(status, content=content))
        with pytest.raises(AnswerError) as raised:
            call(list_workspaces, client=client, body=ListWorkspacesRequest())
        assert raised.value.status == status
        assert raised.value.advice
