"""Does an upload arrive as it is, once, whatever it comes from and whatever happens to it?"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import io
import json
import os
import socket
import threading
import uuid
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import httpx
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_multipart.multipart import MultipartParser, parse_options_header
from wallaroo_mlops_client.api.models import list_model_versions
from wallaroo_mlops_client.models import ListModelVersionsRequest

from contract_tests.support.data.recordings import recording
from contract_tests.support.sandbox.steering import wait_for
from contract_tests.support.servers.http_servers import path_of
from wallaroo_ext import (
    ApiError,
    AuthenticationError,
    Clock,
    ConfigurationError,
    ConnectionFailedError,
    ContractViolationError,
    ConversionError,
    InvalidDataError,
    InvalidRequestError,
    NotFoundError,
    RetryPolicy,
    ServerError,
    UploadCorruptedError,
    WaitTimeoutError,
    WallarooError,
    aio,
    call,
    connect,
    contract,
    upload_model,
)
from wallaroo_ext._util.standard_error import StandardError
from wallaroo_ext.operations import run
from wallaroo_ext.resources.models import models_steps
from wallaroo_ext.sandbox.control_client import Sandbox
from wallaroo_ext.uploads.body import UploadBody
from wallaroo_ext.uploads.digest import BackgroundDigest
from wallaroo_ext.uploads.envelope import Envelope, Part, multipart_form
from wallaroo_ext.uploads.progress import Reporter, show_progress
from wallaroo_ext.uploads.sources import PIECE, EvenPieces, open_source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator
    from pathlib import Path

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import ModelVersion

MIB = 1 << 20
CONTENT = bytes(range(256)) * 4096 + b"an odd end"
SHA = hashlib.sha256(CONTENT).hexdigest()
STORED: dict[str, Any] = {"framework": "custom"}
"""A framework whose models the sandbox stores as they are."""
GONE = httpx.Response(404, html="<h1>no such page</h1>")
"""What a gateway answers for an operation that the release behind it does not have."""


def new_name() -> str:
    return f"m-{uuid.uuid4().hex[:12]}"


def parts_of(content_type: str, body: bytes) -> list[tuple[dict[bytes, bytes], bytes]]:
    """Return the headers and the content of each part of a form, by another library's reading."""
    _, options = parse_options_header(content_type)
    found: list[tuple[dict[bytes, bytes], bytearray]] = []
    header: list[bytearray] = []

    def begin() -> None:
        found.append(({}, bytearray()))
        header[:] = [bytearray(), bytearray()]

    def end_header() -> None:
        found[-1][0][bytes(header[0]).lower()] = bytes(header[1])
        header[:] = [bytearray(), bytearray()]

    def add(place: int) -> Callable[[bytes, int, int], None]:
        return lambda data, start, end: header[place].extend(data[start:end])

    def content(data: bytes, start: int, end: int) -> None:
        found[-1][1].extend(data[start:end])

    callbacks: Any = {
        "on_part_begin": begin,
        "on_header_field": add(0),
        "on_header_value": add(1),
        "on_header_end": end_header,
        "on_part_data": content,
    }
    parser = MultipartParser(options[b"boundary"], callbacks)
    parser.write(body)
    parser.finalize()
    return [(headers, bytes(text)) for headers, text in found]


@dataclass(frozen=True)
class Upload:
    """A request that uploaded something."""

    url: httpx.URL
    headers: httpx.Headers
    content: bytes


class Instance:
    """An instance that does what a test wants, without a network; it has one workspace, and each upload is one version.

    Attributes:
        number: The version's id.
        uploads: What was uploaded.
        versions: What it lists, one list after the other, the last one again and again.
        outcomes: What becomes of the next uploads: an answer, or an error before or after the body is read.
        by_id: What it answers to requests for the version by its id, one answer after the other, the last one again and
            again; a gateway's page unless a test says otherwise, as if its release did not have the operation.
        log: What it answers to requests for the log of the conversion.
        asked: The operations that it was asked for after the upload.
    """

    def __init__(self, *versions: list[dict[str, Any]]) -> None:
        self.number = 7
        self.uploads: list[Upload] = []
        self.attempts = 0
        self.versions = list(versions)
        self.outcomes: list[httpx.Response | Exception | tuple[Exception]] = []
        self.by_id = [GONE]
        self.log = GONE
        self.asked: list[str] = []

    def details(self, status: str, **changes: Any) -> httpx.Response:
        """Return the answer to a request for the version by its id, in the shape recorded on 2025.2."""
        version = self.version()
        file_info = {"version": version["model_version"], "sha": version["sha"], "file_name": "a.onnx", "size": 5}
        details: dict[str, Any] = {
            "id": version["id"],
            "name": "a",
            "visibility": "private",
            "workspace_id": 3,
            "conversion": {"python_version": "3.8", "requirements": [], "framework": "onnx", "framework_config": None},
            "image_path": None,
            "status": status,
            "task_id": "6a6c5f0c-2c1f-4f5a-9a53-1f8b3f7f2b11",
            "file_info": file_info,
            "created_on_version": "2025.2.1",
            "created_by": "first.user@example.com",
            "created_at": "2026-01-05T09:30:00.125000+00:00",
            "deployed": False,
            "error_summary": None,
        }
        config = {"id": 57, "model_version_id": version["id"], "runtime": "onnx", "tensor_fields": None}
        return httpx.Response(200, json={"model_version": {"model_version": details | changes, "config": config}})

    def version(self, **changes: Any) -> dict[str, Any]:
        sha = hashlib.sha256(self.file).hexdigest() if self.uploads else ""
        return {"id": self.number, "models_pk_id": 7, "model_version": "v", "sha": sha, "status": "ready"} | changes

    @property
    def file(self) -> bytes:
        """The last file that was uploaded."""
        request = self.uploads[-1]
        kind = request.headers["Content-Type"]
        return parts_of(kind, request.content)[-1][1] if "multipart" in kind else request.content

    def _handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == path_of("list_workspaces"):
            return httpx.Response(200, json={"workspaces": [{"id": 3, "name": "own"}]})
        operation = contract.operation_at(request.url.path) or ""
        if operation in {"list_model_versions", "get_model_version_by_id", "get_model_upload_logs"}:
            self.asked.append(operation)
        if operation == "list_model_versions":
            return httpx.Response(200, json=_next(self.versions) if self.versions else [self.version()])
        if operation == "get_model_version_by_id":
            assert json.loads(request.content) == {"model_version_id": self.number}
            return _next(self.by_id)
        return self.log if operation == "get_model_upload_logs" else self._take(request)

    def _take(self, request: httpx.Request) -> httpx.Response:
        self.attempts += 1
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if isinstance(outcome, Exception):
            raise outcome
        content = b"".join(cast("httpx.SyncByteStream", request.stream))
        if isinstance(outcome, tuple):
            raise outcome[0]
        self.uploads.append(Upload(request.url, request.headers, content))
        stored = {"insert_models": {"returning": [{"models": [{"id": self.number}]}]}}
        status = 202 if request.url.path == path_of("upload_and_convert_model") else 200
        return outcome or httpx.Response(status, json=stored)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._handle(request)

    @contextmanager
    def connected(self, **options: Any) -> Generator[Client]:
        transport = _Lazy(self._handle)
        with connect(
            "https://api.example.com", token="a-token", transport=transport, environment={}, **options
        ) as client:
            yield client


def _next(answers: list[Any]) -> Any:
    """Return the next one of several answers, the last one again and again."""
    return answers.pop(0) if len(answers) > 1 else answers[0]


class _Lazy(httpx.BaseTransport):
    """A transport that leaves it to the test whether a body is read."""

    def __init__(self, handle: Callable[[httpx.Request], httpx.Response]) -> None:
        self._handle = handle

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._handle(request)


def in_asyncio(sandbox: dict[str, str], model: Any, transport: str = "httpx", **options: Any) -> ModelVersion:
    """Upload in asyncio."""

    async def upload() -> ModelVersion:
        async with connect(environment=sandbox, transport=transport) as client:  # pyright: ignore[reportArgumentType] - one of the two
            return await aio.upload_model(client, model, **options)

    return asyncio.run(upload())


def uploaded(sandbox: dict[str, str], way: str, model: Any, **options: Any) -> ModelVersion:
    """Upload with one of the clients."""
    if way != "sync":
        return in_asyncio(sandbox, model, way, **options)
    with connect(environment=sandbox) as client:
        return upload_model(client, model, **options)


def models_named(client: Client, workspace_id: int, name: str) -> int:
    """Return how many models of a name there are."""
    return sum(model.name == name for model in run(client, models_steps(workspace_id)))


def no_thread_is_left() -> bool:
    return not any("wallaroo-ext-sha256" in thread.name for thread in threading.enumerate())


def at_position(content: bytes) -> io.BytesIO:
    """Return an open file that somebody has read the beginning of."""
    file = io.BytesIO(b"before" + content)
    file.seek(6)
    return file


class Watched(io.BytesIO):
    """An open file that notes in which threads its end is looked for."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.threads: list[str] = []

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a position."""
        if whence == os.SEEK_END:
            self.threads.append(threading.current_thread().name)
        return super().seek(offset, whence)


def compressed(content: bytes) -> gzip.GzipFile:
    """Return a file that has to be read to its end before anybody knows its size."""
    return gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(content, 1)))


def in_a_list(content: bytes) -> list[Any]:
    return [content, b"", bytearray(b"")]


@contextmanager
def pipe(content: bytes) -> Generator[Any]:
    """Yield a file that cannot be rewound, and whose length nobody knows."""
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as file:
            file.write(content)

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(reading, "rb") as file:
        yield file
    thread.join()


async def trickle(content: bytes, size: int = 70_000) -> AsyncIterator[bytes]:
    for begin in range(0, len(content), size):
        await asyncio.sleep(0)
        yield content[begin : begin + size]


def in_pieces(content: bytes, size: int) -> Iterator[bytes]:
    return (content[begin : begin + size] for begin in range(0, len(content), size))


class TestSources:
    @pytest.mark.parametrize(
        "source",
        [
            bytes,
            bytearray,
            memoryview,
            at_position,
            compressed,
            partial(in_pieces, size=1000),
            partial(in_pieces, size=PIECE),
            in_a_list,
        ],
    )
    @pytest.mark.parametrize("way", ["sync", "asyncio"])
    def test_whatever_a_model_comes_from_it_arrives_as_it_is(
        self, sandbox: dict[str, str], client: Client, source: Callable[[bytes], Any], way: str
    ) -> None:
        name = new_name()
        if way == "sync":
            version = upload_model(client, source(CONTENT), name=name, workspace=1, **STORED)
        else:
            version = in_asyncio(sandbox, source(CONTENT), name=name, workspace=1, **STORED)
        assert (version.sha, version.status, version.file_name) == (SHA, "ready", name)

    @pytest.mark.parametrize("way", ["httpx", "aiohttp"])
    def test_a_path_and_an_asynchronous_iterator_in_asyncio(
        self, sandbox: dict[str, str], tmp_path: Path, way: str
    ) -> None:
        file = tmp_path / "large.bin"
        file.write_bytes(CONTENT * 5)
        version = in_asyncio(sandbox, file, way, name=new_name(), workspace=1, **STORED)
        assert (version.sha, version.file_name) == (hashlib.sha256(CONTENT * 5).hexdigest(), "large.bin")
        for size in (None, len(CONTENT)):
            version = in_asyncio(sandbox, trickle(CONTENT), way, name=new_name(), workspace=1, size=size, **STORED)
            assert version.sha == SHA

    @pytest.mark.parametrize("size", [None, len(CONTENT)])
    def test_a_pipe_is_sent_with_or_without_its_size(self, client: Client, size: int | None) -> None:
        with pipe(CONTENT) as file:
            assert upload_model(client, file, name=new_name(), workspace=1, size=size, **STORED).sha == SHA

    def test_an_open_file_gives_its_name_and_stays_open(self, client: Client, tmp_path: Path) -> None:
        path = tmp_path / "own-name.bin"
        path.write_bytes(CONTENT)
        with path.open("rb") as file:
            version = upload_model(client, file, name=new_name(), workspace=1, **STORED)
            assert (file.closed, file.read()) == (False, b"")
        assert (version.sha, version.file_name) == (SHA, "own-name.bin")

    @pytest.mark.parametrize("way", ["sync", "httpx"])
    def test_the_end_of_an_open_file_is_looked_for_once_and_in_asyncio_in_a_thread(
        self, sandbox: dict[str, str], way: str
    ) -> None:
        """It may be a file that decompresses, which has to be read to its end for that."""
        file = Watched(CONTENT)
        uploaded(sandbox, way, file, name=new_name(), workspace=1, **STORED)
        [thread] = file.threads
        assert (thread == "MainThread") is (way == "sync")

    @pytest.mark.parametrize(("size", "length"), [(None, None), (10, "10")])
    def test_the_length_is_announced_where_it_is_known(self, size: int | None, length: str | None) -> None:
        instance = Instance()
        with instance.connected() as client:
            upload_model(client, iter([b"01234", b"56789"]), name="a", size=size, endpoint="upload_stream")
        headers = instance.uploads[0].headers
        assert headers.get("Content-Length") == length
        assert ("Transfer-Encoding" in headers) == (length is None)

    @pytest.mark.parametrize(
        ("source", "excerpt"),
        [
            (5, "not int"),
            (None, "not NoneType"),
            (b"", "is empty"),
            (io.BytesIO(b""), "is empty"),
            (iter([]), "is empty"),
            (iter([b"", b""]), "is empty"),
            (io.StringIO("text"), "mode 'rb'"),
            (iter(["text"]), "mode 'rb'"),
            ({"a": 1}, "not of str"),
            (trickle(b"x"), "aio"),
        ],
    )
    def test_what_is_no_model_is_refused(self, source: Any, excerpt: str) -> None:
        instance = Instance()
        with instance.connected() as client, pytest.raises(InvalidDataError, match=excerpt):
            upload_model(client, source, name="a")
        assert instance.uploads == []

    def test_a_path_that_is_no_file_is_refused(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo")
        (tmp_path / "closed").touch(mode=0)
        instance = Instance()
        with instance.connected() as client:
            with pytest.raises(InvalidDataError, match=r"is a directory.*Pack it"):
                upload_model(client, tmp_path, name="a")
            with pytest.raises(InvalidDataError, match=r"no regular file.*Open it"):
                upload_model(client, tmp_path / "fifo", name="a")
            with pytest.raises(InvalidDataError, match=r"https://a\.example/m\.onnx is a URL.*Download it"):
                upload_model(client, "https://a.example/m.onnx", name="a")
            with pytest.raises(InvalidDataError, match=r"'a\\x00b' is no path of a file"):
                upload_model(client, "a\0b", name="a")
            with pytest.raises(FileNotFoundError, match=r"absent\.onnx"):
                upload_model(client, tmp_path / "absent.onnx", name="a")
            if os.getuid() != 0:
                with pytest.raises(PermissionError):
                    upload_model(client, tmp_path / "closed", name="a")
        assert instance.attempts == 0

    @pytest.mark.parametrize("size", ["5", 5e6, True, 0, -1])
    def test_a_size_that_is_none_is_refused_before_anything_is_sent(self, size: Any) -> None:
        instance = Instance()
        with instance.connected() as client, pytest.raises(InvalidDataError, match="`size` is a whole number from 1"):
            upload_model(client, iter([b"01234"]), name="a", size=size)
        assert instance.attempts == 0

    @pytest.mark.parametrize(("size", "excerpt"), [(9, "has more than the 9"), (11, "ended after 10 of 11")])
    def test_another_size_than_was_said_uploads_nothing(
        self, client: Client, workspace_id: int, size: int, excerpt: str
    ) -> None:
        name = new_name()
        for endpoint in ("upload_and_convert", "upload_stream"):
            with pytest.raises(InvalidDataError, match=excerpt):
                upload_model(client, iter([b"01234", b"56789"]), name=name, workspace=1, size=size, endpoint=endpoint)
        with pytest.raises(InvalidDataError, match=f"`size` says {size}"):
            upload_model(client, b"0123456789", name=name, workspace=1, size=size)
        assert models_named(client, workspace_id, name) == 0


class TestFilesThatChange:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "changing.bin"
        path.write_bytes(bytes(8 * MIB))
        return path

    @pytest.mark.parametrize(
        ("change", "excerpt"),
        [
            (partial(os.truncate, length=MIB), f"ended after {MIB} of {8 * MIB}"),
            (partial(os.truncate, length=9 * MIB), "has more than"),
            (partial(os.utime, times=(1, 1)), "written to while it was sent"),
        ],
    )
    @pytest.mark.parametrize("endpoint", ["upload_and_convert", "upload_stream"])
    def test_while_it_is_sent_nothing_is_uploaded(
        self, client: Client, workspace_id: int, file: Path, change: Callable[[Path], None], excerpt: str, endpoint: Any
    ) -> None:
        name = new_name()

        def tell(sent: int, _: int | None) -> None:
            if sent == 0:
                change(file)

        with pytest.raises(InvalidDataError, match=excerpt):
            upload_model(client, file, name=name, workspace=1, progress=tell, endpoint=endpoint)
        assert models_named(client, workspace_id, name) == 0
        assert no_thread_is_left()

    def test_a_file_that_vanishes_is_sent_to_its_end(self, client: Client, file: Path) -> None:
        def tell(_: int, __: int | None) -> None:
            file.unlink(missing_ok=True)

        version = upload_model(client, file, name=new_name(), workspace=1, progress=tell, **STORED)
        assert version.sha == hashlib.sha256(bytes(8 * MIB)).hexdigest()


class TestForm:
    def test_the_metadata_come_first_without_a_file_name(self) -> None:
        instance = Instance()
        schema = pa.schema([("tensor", pa.list_(pa.float32()))])
        text = base64.b64encode(schema.serialize().to_pybytes())
        with instance.connected() as client:
            upload_model(
                client,
                b"model",
                name="a",
                framework="keras",
                arch="arm",
                python_version="3.8",
                requirements=("numpy",),
                visibility="public",
                input_schema=schema,
                output_schema=text,
                file_name="m.onnx",
            )
        [request] = instance.uploads
        assert int(request.headers["Content-Length"]) == len(request.content)
        metadata, file = parts_of(request.headers["Content-Type"], request.content)
        assert metadata[0] == {
            b"content-disposition": b'form-data; name="metadata"',
            b"content-type": b"application/json",
        }
        assert json.loads(metadata[1]) == {
            "name": "a",
            "visibility": "public",
            "workspace_id": 3,
            "conversion": {"framework": "keras", "python_version": "3.8", "requirements": ["numpy"], "arch": "arm"},
            "input_schema": text.decode(),
            "output_schema": text.decode(),
        }
        assert file == (
            {
                b"content-disposition": b'form-data; name="file"; filename="m.onnx"',
                b"content-type": b"application/octet-stream",
            },
            b"model",
        )

    @pytest.mark.parametrize(
        ("given", "sent"),
        [("numpy==1.26", ["numpy==1.26"]), (["a", "b>=1,<2"], ["a", "b>=1,<2"]), (("a",), ["a"]), ((), []), (None, [])],
    )
    def test_requirements_are_a_list_and_a_text_is_one_of_them(self, given: Any, sent: list[str]) -> None:
        instance = Instance()
        with instance.connected() as client:
            upload_model(client, b"model", name="a", requirements=given)
        [request] = instance.uploads
        metadata, _ = parts_of(request.headers["Content-Type"], request.content)
        assert json.loads(metadata[1])["conversion"]["requirements"] == sent

    @pytest.mark.parametrize("given", ["numpy\npandas", b"numpy", ["numpy", 1], [["numpy"]], {"numpy": "1.26"}, [""]])
    def test_other_requirements_are_refused_before_anything_is_sent(self, given: Any) -> None:
        instance = Instance()
        with instance.connected() as client, pytest.raises(InvalidDataError, match="`requirements` is a list of texts"):
            upload_model(client, b"model", name="a", requirements=given)
        assert not instance.uploads

    def test_each_form_has_a_boundary_of_its_own(self) -> None:
        kinds = {multipart_form(Part("file", "x/y", file_name="a")).media_type for _ in range(100)}
        assert len(kinds) == 100

    @pytest.mark.parametrize(
        ("name", "written"),
        [
            ('a"b.onnx', "a%22b.onnx"),
            ("a\r\nContent-Type: evil\r\n\r\n.onnx", "a%0D%0AContent-Type: evil%0D%0A%0D%0A.onnx"),
            ("modèle 模型.onnx", "modèle 模型.onnx"),
            ("lone\udcff", "lone?"),
        ],
    )
    def test_a_file_name_is_written_as_browsers_do(self, name: str, written: str) -> None:
        instance = Instance()
        with instance.connected() as client:
            upload_model(client, b"model", name="a", file_name=name)
        headers, content = parts_of(instance.uploads[0].headers["Content-Type"], instance.uploads[0].content)[-1]
        assert headers[b"content-disposition"] == f'form-data; name="file"; filename="{written}"'.encode()
        assert content == b"model"

    def test_the_sandbox_reads_such_names(self, client: Client, tmp_path: Path) -> None:
        path = tmp_path / "modèle 模型.bin"
        path.write_bytes(b"model")
        for endpoint in ("upload_and_convert", "upload", "upload_stream"):
            version = upload_model(client, path, name=new_name(), workspace=1, endpoint=endpoint, wait=False)
            assert version.file_name == path.name

    @settings(deadline=None, derandomize=True, max_examples=100)
    @given(
        pieces=st.lists(
            st.one_of(st.binary(max_size=40), st.sampled_from([b"\r\n--", b"--\r\n", b"\r\n", b"BOUNDARY"])), min_size=1
        ),
        name=st.text(max_size=20),
    )
    def test_any_content_comes_out_as_it_went_in(self, pieces: list[bytes], name: str) -> None:
        envelope = multipart_form(Part("metadata", "application/json", b"{}"), Part("file", "x/y", file_name=name))
        boundary = envelope.media_type.partition("boundary=")[2].encode()
        near = [piece.replace(b"BOUNDARY", b"\r\n--" + boundary[:-1]) for piece in pieces]
        whole = b"".join(near)
        with open_source(iter([*near, b"end"]), None) as source:
            body = UploadBody(source, envelope, None, Reporter(None, None))
            sent = b"".join(body)
        assert parts_of(envelope.media_type, sent)[-1][1] == whole + b"end"

    @pytest.mark.parametrize(
        ("tail", "whole"), [(b"", [False, False, True]), (b"--end--", [False, False, False, True])]
    )
    def test_it_may_be_whole_once_its_last_byte_is_handed_over(self, tail: bytes, whole: list[bool]) -> None:
        with open_source(iter([bytes(PIECE), b"end"]), None) as source:
            body = UploadBody(source, Envelope("x/y", b"head", tail), None, Reporter(None, None))
            assert [body.may_be_whole for part in body if part] == whole

    @settings(deadline=None, derandomize=True, max_examples=50)
    @given(sizes=st.lists(st.sampled_from([0, 1, 1000, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE]), max_size=6))
    def test_pieces_of_any_size_are_evened(self, sizes: list[int]) -> None:
        content = os.urandom(sum(sizes))
        evened, given_out, begin = EvenPieces(), list[bytes](), 0
        for size in sizes:
            again = bytearray(content[begin : begin + size])
            given_out += evened.add(again)
            again[:] = bytes(size)  # a buffer that its owner uses again
            begin += size
        given_out += evened.rest()
        assert b"".join(given_out) == content
        assert all(len(piece) == PIECE for piece in given_out[:-1])
        assert all(len(piece) <= PIECE for piece in given_out[-1:])


class TestEndpoints:
    @pytest.mark.parametrize("endpoint", ["upload_and_convert", "upload", "upload_stream"])
    def test_each_stores_the_model(self, client: Client, model_file: Path, endpoint: Any) -> None:
        version = upload_model(client, model_file, name=new_name(), workspace=1, endpoint=endpoint)
        sha = hashlib.sha256(model_file.read_bytes()).hexdigest()
        assert (version.sha, version.status, version.file_name) == (sha, "ready", model_file.name)

    @pytest.mark.parametrize("kind", ["path", "bytes", "open file"])
    def test_a_release_without_conversion_gets_the_old_form(self, kind: str, tmp_path: Path) -> None:
        (tmp_path / "a.onnx").write_bytes(b"xxmodel")
        with (tmp_path / "a.onnx").open("rb") as file:
            file.seek(2)
            source: Any = {"path": tmp_path / "a.onnx", "bytes": b"model", "open file": file}[kind]
            instance = Instance()
            instance.outcomes = [GONE]
            with instance.connected() as client:
                version = upload_model(client, source, name="a")
        refused, stored = instance.uploads
        assert [each.url.path.rpartition("/")[2] for each in (refused, stored)] == ["upload_and_convert", "upload"]
        content = b"xxmodel" if kind == "path" else b"model"
        assert all(b"\r\n\r\n" + content + b"\r\n" in each.content for each in (refused, stored))
        assert version.sha == hashlib.sha256(content).hexdigest()

    def test_what_can_be_read_once_is_not_sent_again_and_the_error_says_what_to_do(self) -> None:
        instance = Instance()
        instance.outcomes = [GONE]
        with instance.connected() as client, pytest.raises(NotFoundError, match="give endpoint='upload'"):
            upload_model(client, iter([b"model"]), name="a")
        assert len(instance.uploads) == 1

    @pytest.mark.parametrize("options", [{"framework": "keras"}, {"endpoint": "upload_and_convert"}])
    def test_what_needs_a_conversion_is_not_sent_without(self, options: Any) -> None:
        instance = Instance()
        instance.outcomes = [GONE]
        with instance.connected() as client, pytest.raises(NotFoundError):
            upload_model(client, b"model", name="a", **options)
        assert len(instance.uploads) == 1

    def test_the_old_form_has_fields_and_the_stream_a_query(self) -> None:
        instance = Instance()
        with instance.connected() as client:
            upload_model(client, b"model", name="a", endpoint="upload", file_name="f")
            upload_model(client, b"model", name="a", endpoint="upload_stream", file_name="f ü", visibility="public")
        old, stream = instance.uploads
        assert [content for _, content in parts_of(old.headers["Content-Type"], old.content)] == [
            b"a",
            b"private",
            b"3",
            b"model",
        ]
        assert dict(stream.url.params) == {
            "name": "a",
            "filename": "f ü",
            "visibility": "public",
            "workspace_id": "3",
        }
        assert (stream.headers["Content-Type"], stream.content) == ("application/octet-stream", b"model")

    @pytest.mark.parametrize(
        ("options", "excerpt"),
        [
            ({"endpoint": "upload", "framework": "keras"}, "without framework"),
            ({"endpoint": "upload_stream", "arch": "arm", "input_schema": "AAAA"}, "without arch, input_schema"),
            ({"endpoint": "elsewhere"}, "one of upload_and_convert"),
            ({"arch": "mips"}, "arch is one of"),
            ({"visibility": "all"}, "visibility is one of"),
        ],
    )
    def test_options_that_contradict_each_other_are_refused(self, options: Any, excerpt: str) -> None:
        instance = Instance()
        with instance.connected() as client, pytest.raises(ConfigurationError, match=excerpt):
            upload_model(client, b"model", name="a", **options)
        assert instance.attempts == 0

    def test_a_misspelt_or_missing_option_is_refused(self) -> None:
        options: dict[str, Any] = {"name": "a", "frame": "keras"}
        with Instance().connected() as client:
            with pytest.raises(TypeError, match="'frame'"):
                upload_model(client, b"model", **options)
            with pytest.raises(TypeError, match="required keyword-only argument: 'name'"):
                upload_model(client, b"model")  # pyright: ignore[reportCallIssue] - what is tested

    @pytest.mark.parametrize("schema", ["no base64!", b"no base64!", 5, "AAAA", b"AAAA", ""])
    def test_what_is_no_schema_is_refused(self, schema: Any) -> None:
        with Instance().connected() as client, pytest.raises(InvalidDataError, match="input_schema is"):
            upload_model(client, b"model", name="a", input_schema=schema)

    def test_schemas_reach_the_sandbox_in_every_form(self, client: Client) -> None:
        schema = pa.schema([("tensor", pa.list_(pa.float32()))])
        serialised = schema.serialize().to_pybytes()
        text = base64.b64encode(serialised)
        for given_as in (schema, serialised, schema.serialize(), text, text.decode()):
            options: dict[str, Any] = {"input_schema": given_as, "output_schema": given_as}
            upload_model(client, b"model", name=new_name(), workspace=1, wait=False, **STORED, **options)


class TestWorkspace:
    def test_a_name_or_the_only_one(self) -> None:
        instance = Instance()
        with instance.connected() as connected:
            for workspace in ("own", 3, None):
                upload_model(connected, b"model", name="a", workspace=workspace, endpoint="upload_stream")
        assert [request.url.params["workspace_id"] for request in instance.uploads] == ["3"] * 3

    def test_a_name_that_nothing_has_is_refused(self) -> None:
        instance = Instance()
        with instance.connected() as client, pytest.raises(NotFoundError, match="'other'"):
            upload_model(client, b"model", name="a", workspace="other")
        assert instance.attempts == 0

    def test_a_token_that_expired_is_renewed_before_the_upload(self, sandbox: dict[str, str], client: Client) -> None:
        with Sandbox(sandbox) as control:
            control.add_faults({"operation": "*", "kind": "expired-token", "count": 1})
            try:
                version = upload_model(client, iter([CONTENT]), name=new_name(), workspace=1, **STORED)
            finally:
                control.clear_faults()
        assert version.sha == SHA


class TestProgress:
    @pytest.mark.parametrize(("size", "total"), [(None, None), (len(CONTENT), len(CONTENT))])
    def test_it_is_told_from_nothing_to_all(self, client: Client, size: int | None, total: int | None) -> None:
        reports: list[tuple[int, int | None]] = []
        upload_model(
            client,
            in_pieces(CONTENT, 100_000),
            name=new_name(),
            workspace=1,
            size=size,
            progress=lambda sent, total: reports.append((sent, total)),
            **STORED,
        )
        assert (reports[0], reports[-1]) == ((0, total), (len(CONTENT), total))
        assert reports == sorted(set(reports), key=lambda figures: figures[0])

    def test_at_most_ten_times_a_second_and_at_the_end(self) -> None:
        now, reports = [0.0], list[int]()
        reporter = Reporter(lambda sent, _: reports.append(sent), 1000, clock=lambda: now[0])
        for sent in range(1000):
            reporter.at(sent)
            now[0] += 0.001
        reporter.at(1000, last=True)
        assert len(reports) == 11
        assert reports[-1] == 1000

    def test_what_it_raises_ends_the_upload(self, client: Client, workspace_id: int) -> None:
        name = new_name()

        def stop(sent: int, _: int | None) -> None:
            if sent:
                raise LookupError("enough")

        with pytest.raises(LookupError, match="enough"):
            upload_model(client, CONTENT * 4, name=name, workspace=1, progress=stop)
        assert models_named(client, workspace_id, name) == 0
        assert no_thread_is_left()

    def test_a_bar_is_on_a_terminal_and_lines_elsewhere(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def is_a_terminal(_: StandardError) -> bool:
            return True

        with Instance().connected() as client:
            upload_model(client, CONTENT, name="[bold]model", progress=True)
            assert capsys.readouterr() == ("", "Sending [bold]model of 1.0 MiB.\n1.0 MiB of 1.0 MiB sent.\n")
            monkeypatch.setattr(StandardError, "isatty", is_a_terminal)
            monkeypatch.setenv("TERM", "xterm")
            monkeypatch.setenv("COLUMNS", "100")
            upload_model(client, CONTENT, name="[bold]model", progress=True)
        out, err = capsys.readouterr()
        assert out == ""
        assert "[bold]model" in err
        assert "1.0/1.0 MiB" in err

    def test_a_bar_without_rich_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "rich", None)
        with pytest.raises(ConfigurationError, match=r"wallaroo-ext\[cli\]"), show_progress("model", progress=True):
            pass


class TestDigest:
    def test_other_bytes_than_were_sent_are_an_error_with_both_digests(self) -> None:
        instance = Instance()
        instance.versions = [[instance.version(sha="0" * 64, status="converting")]]
        with instance.connected() as client, pytest.raises(UploadCorruptedError, match=f"{'0' * 64}.*{SHA}") as raised:
            upload_model(client, CONTENT, name="a")
        assert (raised.value.version_id, raised.value.sent_sha, raised.value.stored_sha) == (7, SHA, "0" * 64)

    def test_it_is_not_compared_where_nobody_wants_it_or_there_is_none(self) -> None:
        instance = Instance()
        instance.versions = [[instance.version(sha="0" * 64)]]
        with instance.connected() as client:
            assert upload_model(client, CONTENT, name="a", check_sha=False).id == 7
            instance.versions = [[instance.version(sha="")]]
            assert upload_model(client, CONTENT, name="a").id == 7
            instance.versions = [[instance.version(sha=SHA.upper())]]
            assert upload_model(client, CONTENT, name="a").id == 7

    def test_it_takes_no_more_than_a_few_pieces_ahead(self) -> None:
        with BackgroundDigest() as digest:
            for _ in range(100):
                digest.feed(b"x" * PIECE)
            assert digest.hexdigest() == hashlib.sha256(b"x" * PIECE * 100).hexdigest()
        assert no_thread_is_left()


class TestConversion:
    def test_the_version_is_found_by_its_id_when_it_appears_and_awaited(self) -> None:
        instance = Instance()
        other, own = instance.version(id=8), instance.version()
        instance.versions = [
            [],
            [other],
            [other, own | {"status": "converting"}],
            [other, own | {"status": "a new one"}],
            [other, own],
        ]
        with instance.connected() as client:
            version = upload_model(client, b"model", name="a")
        assert (version.id, version.status) == (7, "ready")

    def test_without_waiting_it_is_returned_as_it_is(self) -> None:
        instance = Instance()
        instance.versions = [[instance.version(status="pending_conversion")]]
        with instance.connected() as client:
            assert upload_model(client, b"model", name="a", wait=False).status == "pending_conversion"

    def test_an_error_has_the_conversions_reason(self) -> None:
        instance = Instance()
        instance.versions = [[instance.version(status="error", error_summary="no opset")]]
        with instance.connected() as client, pytest.raises(ConversionError, match="not converted: no opset"):
            upload_model(client, b"model", name="a")

    def test_a_deadline_ends_the_waiting(self) -> None:
        instance = Instance()
        instance.versions = [[instance.version(status="converting")]]
        with instance.connected() as client, pytest.raises(WaitTimeoutError, match=r"version 7, is still 'converting'"):
            upload_model(client, b"model", name="a", timeout=0.2)

    def test_an_answer_without_a_version_breaks_the_contract(self) -> None:
        instance = Instance()
        instance.outcomes = [httpx.Response(202, json={"insert_models": {"returning": []}})]
        with instance.connected() as client, pytest.raises(ContractViolationError, match="names no model version"):
            upload_model(client, b"model", name="a")


LOGGED = ["2026-01-05T09:31:10.000000001Z stderr F Resolved 2 packages", "…Z stderr F token=abc", "…Z stdout F the end"]


class TestWaitingById:
    @pytest.fixture(autouse=True)
    def _without_pauses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def sleep(_: Clock, __: float) -> None:
            pass

        monkeypatch.setattr(Clock, "sleep", sleep)

    def waiting(self, *statuses: str, listed: str = "pending_conversion") -> Instance:
        """Return an instance that lists the version with one status, and tells these statuses by its id."""
        instance = Instance()
        instance.versions = [[instance.version(status=listed)]]
        instance.by_id = [instance.details(status) for status in statuses] or [GONE]
        return instance

    def test_it_is_listed_once_and_then_asked_for_by_its_id(self) -> None:
        instance = self.waiting("pending_conversion", "attempting_load_container", "ready")
        with instance.connected() as client:
            version = upload_model(client, b"model", name="a")
        assert (version.id, version.models_pk_id, version.status) == (7, 7, "ready")
        assert instance.asked == ["list_model_versions", *["get_model_version_by_id"] * 3]

    @pytest.mark.parametrize(
        "status",
        [
            "uploading",
            "pending_conversion",
            "converting",
            "pending_load_native",
            "attempting_load_native",
            "pending_load_container",
            "attempting_load_container",
            "one of a later release",
        ],
    )
    def test_every_status_but_two_is_one_on_the_way(self, status: str) -> None:
        instance = self.waiting(status, status, "ready", listed=status)
        with instance.connected() as client:
            assert upload_model(client, b"model", name="a").status == "ready"
        assert len(instance.by_id) == 1

    def test_in_asyncio_too(self) -> None:
        instance = self.waiting("attempting_load_container", "ready")

        async def upload() -> ModelVersion:
            async with connect(
                "https://api.example.com",
                token="a-token",
                transport=httpx.MockTransport(lambda request: answer_in_asyncio(instance, request)),
                environment={},
            ) as client:
                return await aio.upload_model(client, b"model", name="a")

        assert asyncio.run(upload()).status == "ready"
        assert instance.asked.count("get_model_version_by_id") == 2

    @pytest.mark.parametrize(
        "answer",
        [
            GONE,
            httpx.Response(404, json={"code": 404, "msg": "not found"}),
            httpx.Response(405, json={"code": 405, "msg": "method not allowed"}),
            httpx.Response(501, text="not implemented"),
            httpx.Response(403, json={"message": "Missing Authentication Token"}),
            httpx.Response(500, json={"code": 500, "msg": "unknown error."}),
            httpx.Response(200, html="<h1>Sign in</h1>"),
            httpx.Response(302, headers={"Location": "https://instance.example.com/login"}),
            httpx.Response(200, json={"model_version": None}),
        ],
    )
    def test_a_release_without_the_operation_is_asked_once_and_lists_from_then_on(self, answer: httpx.Response) -> None:
        instance = self.waiting()
        instance.by_id = [answer]
        own = instance.versions[0][0]
        instance.versions = [[own], [own], [own | {"status": "ready"}]]
        with instance.connected() as client:
            assert upload_model(client, b"model", name="a").status == "ready"
        listed, by_id = "list_model_versions", "get_model_version_by_id"
        assert instance.asked == [listed, by_id, listed, listed]

    def test_so_is_one_that_tells_another_version(self) -> None:
        instance = self.waiting()
        own = instance.versions[0][0]
        instance.versions = [[own], [own | {"status": "ready"}]]
        instance.by_id = [instance.details("error", id=8)]
        with instance.connected() as client:
            assert upload_model(client, b"model", name="a").status == "ready"

    def test_a_refused_token_is_an_error(self) -> None:
        instance = self.waiting()
        instance.by_id = [httpx.Response(401, json={"code": 401, "msg": "no"})]
        with instance.connected() as client, pytest.raises(AuthenticationError):
            upload_model(client, b"model", name="a")

    def test_a_release_before_statuses_is_not_asked_by_id(self) -> None:
        instance = self.waiting()
        del instance.versions[0][0]["status"]
        with instance.connected() as client:
            upload_model(client, b"model", name="a")
        assert instance.asked == ["list_model_versions"]

    def test_an_error_has_its_summary_and_its_log(self) -> None:
        instance = self.waiting()
        instance.by_id = [instance.details("error", error_summary="No requirements.txt in the file.")]
        instance.log = httpx.Response(200, json={"logs": LOGGED})
        excerpt = (
            r"not converted: No requirements.txt in the file\. Its log ends: 2026.*Resolved 2 packages; .*; .*the end$"
        )
        with instance.connected() as client, pytest.raises(ConversionError, match=excerpt) as raised:
            upload_model(client, b"model", name="a")
        assert raised.value.version_id == 7
        assert (len(raised.value.logs), raised.value.logs[0]) == (3, LOGGED[0])
        assert "abc" not in repr(raised.value.logs) + str(raised.value)

    def test_one_that_is_only_listed_is_asked_for_by_its_id(self) -> None:
        instance = self.waiting(listed="error")
        instance.by_id = [instance.details("error", error_summary="no opset")]
        with instance.connected() as client, pytest.raises(ConversionError, match=r"not converted: no opset\.$"):
            upload_model(client, b"model", name="a")

    def test_an_error_holds_no_secret_of_its_summary(self) -> None:
        instance = self.waiting(listed="error")
        instance.by_id = [instance.details("error", error_summary="pull https://u:hunter2@registry/x failed.")]
        reason = r"not converted: pull https://u:\[removed\]@registry/x failed\.$"
        with instance.connected() as client, pytest.raises(ConversionError, match=reason):
            upload_model(client, b"model", name="a")

    @pytest.mark.parametrize("summary", [None, "null"])
    @pytest.mark.parametrize("log", [GONE, httpx.Response(200, json={"logs": []}), httpx.Response(503)])
    def test_one_without_a_reason_says_so(self, summary: str | None, log: httpx.Response) -> None:
        instance = self.waiting()
        instance.by_id, instance.log = [instance.details("error", error_summary=summary)], log
        with (
            instance.connected(retries=RetryPolicy(attempts=1)) as client,
            pytest.raises(ConversionError, match=r"not converted: the instance gives no reason\.$") as raised,
        ):
            upload_model(client, b"model", name="a")
        assert raised.value.logs == []

    def test_every_recorded_version_is_waited_for_or_ends_the_waiting(self) -> None:
        files = sorted(recording("").glob("*-models-get_version_by_id-*.json"))
        assert files
        for file in files:
            answer = json.loads(file.read_text(encoding="utf-8"))["response"]
            found = answer["model_version"]["model_version"]
            instance = self.waiting()
            instance.by_id = [httpx.Response(200, json=json.loads(json.dumps(answer)))]
            instance.number = found["id"]
            instance.versions = [[instance.version(status="pending_conversion")]]
            expected: dict[str, Any] = {"ready": nullcontext(), "error": pytest.raises(ConversionError)}
            with (
                instance.connected() as client,
                expected.get(found["status"], pytest.raises(WaitTimeoutError)) as raised,
            ):
                assert upload_model(client, b"model", name="a", timeout=0.02).image_path == found["image_path"]
            if found["status"] == "error" and found["error_summary"] not in {None, "null"}:
                assert found["error_summary"].strip().rstrip(".") in str(raised.value), file.name


def answer_in_asyncio(instance: Instance, request: httpx.Request) -> httpx.Response:
    """Return an instance's answer to a request whose body asyncio has read."""
    request.stream = httpx.ByteStream(request.content)
    return instance.handle_request(request)


class TestSentOnce:
    @pytest.mark.parametrize("source", [lambda: CONTENT, lambda: iter([CONTENT])])
    def test_it_is_sent_again_only_if_the_connection_was_never_made(self, source: Callable[[], Any]) -> None:
        instance = Instance()
        instance.outcomes = [httpx.ConnectError("refused")]
        with instance.connected(retries=RetryPolicy(first_pause=0.001)) as client:
            upload_model(client, source(), name="a")
        assert instance.attempts == 2
        assert instance.file == CONTENT

    @pytest.mark.parametrize("source", [lambda: CONTENT, lambda: iter([CONTENT])])
    @pytest.mark.parametrize(
        "outcome",
        [
            (httpx.ReadError("lost"),),
            (httpx.ConnectError("odd"),),
            httpx.Response(503, text="no healthy upstream"),
            httpx.Response(429, json={"msg": "slowly", "code": 429}),
        ],
    )
    def test_what_was_read_is_not_sent_again(self, source: Callable[[], Any], outcome: Any) -> None:
        instance = Instance()
        instance.outcomes = [outcome]
        with (
            instance.connected(retries=RetryPolicy(first_pause=0.001)) as client,
            pytest.raises((ConnectionFailedError, ApiError)),
        ):
            upload_model(client, source(), name="a")
        assert instance.attempts == 1

    def test_a_refused_token_is_the_answer(self, sandbox: dict[str, str], client: Client) -> None:
        with Sandbox(sandbox) as control:
            control.add_faults({"operation": "upload_and_convert_model", "kind": "expired-token"})
            try:
                with pytest.raises(AuthenticationError):
                    upload_model(client, CONTENT, name=new_name(), workspace=1)
                assert [rule["applied"] for rule in control.faults()] == [1]
            finally:
                control.clear_faults()

    def test_a_body_is_read_once(self) -> None:
        with open_source(b"model", None) as source:
            body = UploadBody(source, multipart_form(Part("file", "x/y", file_name="a")), None, Reporter(None, 5))
        assert b"model" in b"".join(body)
        with pytest.raises(httpx.StreamConsumed):
            next(iter(body))


class TestLostConnections:
    @pytest.mark.parametrize("way", ["sync", "httpx", "aiohttp"])
    @pytest.mark.parametrize("reset", [False, True])
    def test_in_the_middle_nothing_was_uploaded(self, sandbox: dict[str, str], way: str, *, reset: bool) -> None:
        name = new_name()
        rule = {"kind": "drop-before-answer", "handled": False, "after_bytes": MIB, "reset": reset}
        error = self.lost(sandbox, way, name, rule, CONTENT * 32)
        assert "Nothing was uploaded" in str(error)
        assert f"of {len(CONTENT) * 32} bytes" in str(error)

    @pytest.mark.parametrize("way", ["sync", "httpx", "aiohttp"])
    def test_after_the_end_it_is_unknown(self, sandbox: dict[str, str], client: Client, way: str) -> None:
        name = new_name()
        error = self.lost(sandbox, way, name, {"kind": "drop-before-answer", "handled": True}, CONTENT)
        assert "unknown whether the model was stored" in str(error)
        body = ListModelVersionsRequest(model_id=name)
        [version] = call(list_model_versions, client=client, body=body)
        assert version.sha == SHA

    def lost(self, sandbox: dict[str, str], way: str, name: str, rule: dict[str, Any], content: bytes) -> Exception:
        with Sandbox(sandbox) as control:
            control.add_faults({"operation": "upload_and_convert_model", "count": 1} | rule)
            try:
                with pytest.raises(ConnectionFailedError) as raised:
                    uploaded(sandbox, way, content, name=name, workspace=1, **STORED)
            finally:
                control.clear_faults()
        assert no_thread_is_left()
        return raised.value


@contextmanager
def answering_early(status: int, *, after: int) -> Generator[str]:
    """Yield a server that answers an upload before it has read it, and closes the connection; its URL."""
    ended = threading.Event()
    listed = b'{"workspaces": [{"id": 1, "name": "own"}]}'
    early = json.dumps({"msg": "that is enough", "code": status}).encode()

    def serve(listening: socket.socket) -> None:
        while not ended.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                read = b""
                while b"\r\n\r\n" not in read:
                    read += connection.recv(65536)
                wanted = listed if path_of("list_workspaces").encode() in read else early
                left = after if wanted is early else int(read.lower().partition(b"content-length:")[2].split()[0])
                left -= len(read.partition(b"\r\n\r\n")[2])
                while left > 0:
                    left -= len(connection.recv(65536))
                line = f"HTTP/1.1 {200 if wanted is listed else status} X\r\nContent-Type: application/json\r\n"
                line += f"Connection: close\r\nContent-Length: {len(wanted)}\r\n\r\n"
                connection.sendall(line.encode() + wanted)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            ended.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


class TestEarlyAnswers:
    KINDS = ((413, InvalidRequestError), (401, AuthenticationError), (507, ServerError))

    @pytest.mark.parametrize(("status", "kind"), KINDS)
    def test_the_answer_surfaces_while_the_file_is_still_sent(self, status: int, kind: type[Exception]) -> None:
        with answering_early(status, after=MIB) as url:
            environment = {"WALLAROO_API_URL": url, "WALLAROO_TOKEN": "a-token"}
            with pytest.raises(kind, match="that is enough"):
                uploaded(environment, "sync", CONTENT * 64, name="a")
        assert no_thread_is_left()

    @pytest.mark.parametrize(("status", "kind"), KINDS)
    def test_it_surfaces_in_aiohttp_unless_the_end_of_the_connection_is_seen_first(
        self, status: int, kind: type[Exception]
    ) -> None:
        """Which of the two aiohttp sees first is chance, and rarely the end; then the error says so."""
        surfaced = 0
        for _ in range(5):
            with answering_early(status, after=MIB) as url:
                environment = {"WALLAROO_API_URL": url, "WALLAROO_TOKEN": "a-token"}
                with pytest.raises(
                    WallarooError, match=r"that is enough|Nothing was uploaded.*its answer be lost"
                ) as raised:
                    uploaded(environment, "aiohttp", CONTENT * 64, name="a")
            surfaced += isinstance(raised.value, kind)
        assert surfaced
        assert no_thread_is_left()

    def test_where_httpx_loses_it_in_asyncio_the_error_says_so(self) -> None:
        with answering_early(413, after=MIB) as url:
            environment = {"WALLAROO_API_URL": url, "WALLAROO_TOKEN": "a-token"}
            with pytest.raises(WallarooError, match=r"that is enough|Nothing was uploaded.*its answer be lost"):
                uploaded(environment, "httpx", CONTENT * 64, name="a")


class TestInterrupted:
    def test_what_a_generator_raises_comes_out_and_nothing_stays(
        self, sandbox: dict[str, str], client: Client, workspace_id: int
    ) -> None:
        name = new_name()

        def breaking(error: Exception) -> Iterator[bytes]:
            yield CONTENT * 2
            raise error

        for error in (LookupError("no more"), httpx.ReadError("of another server"), OSError(5, "Input/output error")):
            with pytest.raises(type(error)) as raised:
                upload_model(client, breaking(error), name=name, workspace=1)
            assert raised.value is error
            for way in ("httpx", "aiohttp"):
                with pytest.raises(type(error)) as raised:
                    in_asyncio(sandbox, breaking(error), way, name=name, workspace=1)
                assert raised.value is error
        assert models_named(client, workspace_id, name) == 0
        assert no_thread_is_left()

    def test_an_interrupt_leaves_no_thread(self, client: Client, workspace_id: int) -> None:
        name = new_name()

        def interrupt(sent: int, _: int | None) -> None:
            if sent:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            upload_model(client, CONTENT * 8, name=name, workspace=1, progress=interrupt)
        assert no_thread_is_left()
        assert models_named(client, workspace_id, name) == 0

    def test_a_cancelled_task_leaves_no_thread(self, sandbox: dict[str, str], tmp_path: Path) -> None:
        path = tmp_path / "model.bin"
        path.write_bytes(CONTENT * 32)

        async def cancelled() -> None:
            begun = asyncio.Event()

            def tell(sent: int, _: int | None) -> None:
                if sent:
                    begun.set()

            async with connect(environment=sandbox) as client:
                task = asyncio.create_task(aio.upload_model(client, path, name=new_name(), workspace=1, progress=tell))
                await begun.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

        asyncio.run(cancelled())
        wait_for(no_thread_is_left)
