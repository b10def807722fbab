"""Is bad input refused in one clear sentence, at a bounded cost, without leaving anything behind?"""

from __future__ import annotations

import json
import os
import random
import socket
import struct
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from contract_tests.support.data.bad_files import (
    endless_loop,
    external,
    file_of,
    graph_of,
    node,
    onnx_of,
    summed,
    vector,
)
from contract_tests.support.sandbox.deployments import WORKSPACE, deployed
from contract_tests.support.servers.callers import sign_in
from scripts.lib.bench.sandbox_processes import memory_mib, sandboxes_below
from wallaroo_ext import contract
from wallaroo_ext.sandbox.engine.confined.onnx_file import OnnxFile, OnnxFileError, inspect
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

pa: Any = import_module("pyarrow")
"""Untyped, because bad input does not have the types that its stubs require."""

MIB = 1 << 20
JSON_LIMIT, ARROW_LIMIT, UPLOAD_LIMIT, ROWS_MEMORY, MODEL_MEMORY = 1, 4, 4, 32, 128
MOST_GROWTH_MIB = 400
"""How much the memory of the sandbox may grow over all tests: twice the sum of its limits."""
RECORDS, ARROW, TENSORS = contract.operation("infer_deployment").request_types
OCTETS = "application/octet-stream"
FLOAT = TensorProto.FLOAT


@dataclass(frozen=True, slots=True)
class Target:
    """A sandbox with small limits.

    Attributes:
        http: Plain HTTP with a token.
        url: Where a model of one input, float32 [N, 29], infers.
        staging: Where the sandbox keeps what arrives.
        process: Its id.
        environment: How to reach it.
    """

    http: httpx.Client
    url: str
    staging: Path
    process: int
    environment: dict[str, str]

    def post(self, operation: str, **request: Any) -> httpx.Response:
        return self.http.post(contract.operation(operation).path, **request)

    def infer(self, content: bytes, kind: str = ARROW, accept: str = ARROW) -> httpx.Response:
        return self.http.post(self.url, content=content, headers={"Content-Type": kind, "Accept": accept})

    def is_well(self) -> bool:
        """Return whether it still answers correctly, and has kept nothing that it refused."""
        answer = self.infer(file_of(pa.table({"tensor": vectors(2)})))
        return answer.status_code == 200 and not list(self.staging.iterdir())


@pytest.fixture(scope="module")
def target(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Target]:
    directory = tmp_path_factory.mktemp("bad-input")
    limits = {
        "--json-limit": JSON_LIMIT,
        "--arrow-limit": ARROW_LIMIT,
        "--upload-limit": UPLOAD_LIMIT,
        "--rows-memory": ROWS_MEMORY,
        "--model-memory": MODEL_MEMORY,
        "--model-seconds": 2,
    }
    others = set(sandboxes_below(os.getpid()))
    with running(directory, *(str(word) for pair in limits.items() for word in pair)) as environment:
        [process] = set(sandboxes_below(os.getpid())) - others
        url = deployed(environment, model_file)
        user, password = environment["WALLAROO_USER"], environment["WALLAROO_PASSWORD"]
        granted = sign_in(environment, grant_type="password", username=user, password=password)
        headers = {"Authorization": f"Bearer {granted.json()['access_token']}"}
        with httpx.Client(base_url=environment["WALLAROO_API_URL"], headers=headers, timeout=30) as http:
            yield Target(http, url, directory / "staging", process, environment)


@pytest.fixture(scope="module", autouse=True)
def _bounded_memory(target: Target) -> Generator[None]:
    """Check after the tests of this module that the memory of the sandbox has not grown too much."""
    assert target.is_well()
    before = memory_mib(target.process, "VmHWM")
    yield
    grown = memory_mib(target.process, "VmHWM") - before
    assert grown < MOST_GROWTH_MIB, f"the sandbox has grown by {grown:.0f} MiB"


def refused(answer: httpx.Response, status: int, *reason: str) -> bool:
    """Return whether an answer is an error in one of the API's forms, with a meaningful sentence."""
    body = answer.json()
    sentence = body.get("msg") or body.get("error_description") or body.get("error")
    problem = f"{answer.status_code} {answer.text[:300]}"
    assert answer.status_code == status, problem
    assert all(word in sentence for word in reason), problem
    assert "Traceback" not in answer.text, problem
    return True


def vectors(rows: int) -> Any:
    return pa.array([[0.5] * 29] * rows, pa.list_(pa.float32()))


def upload(target: Target, content: Any, name: str | None = None, **query: Any) -> httpx.Response:
    params = {"name": name or new_name(), "filename": "m.onnx", "workspace_id": WORKSPACE} | query
    return target.post("upload_model_stream", content=content, params=params, headers={"Content-Type": OCTETS})


def new_name() -> str:
    return f"m-{uuid.uuid4().hex}"


def settled(target: Target, name: str) -> dict[str, Any]:
    """Return the only version of a model once its conversion has ended."""
    deadline = time.monotonic() + 30
    while True:
        [version] = target.post("list_model_versions", json={"model_id": name}).json()
        if version["status"] in {"ready", "error"}:
            return version
        assert time.monotonic() < deadline
        time.sleep(0.02)


def raw(target: Target, content: bytes, *, half_close: bool = False) -> bytes:
    """Send bytes on a new connection, and return everything that is received until it is closed."""
    url = urlsplit(target.environment["WALLAROO_API_URL"])
    with socket.create_connection((url.hostname, url.port or 80), timeout=10) as connection:
        connection.sendall(content)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def request_lines(
    target: Target, operation: str, *headers: str, version: str = "1.1", target_form: str = "{}"
) -> bytes:
    """Return the head of a request."""
    path = contract.operation(operation).path
    token = target.http.headers["Authorization"]
    lines = [f"POST {target_form.format(path)} HTTP/{version}", "Host: localhost", f"Authorization: {token}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


class TestLimits:
    @pytest.fixture(autouse=True)
    def _stays_well(self, target: Target) -> Generator[None]:
        yield
        assert target.is_well()

    @pytest.mark.parametrize("form", ["announced", "in chunks"])
    @pytest.mark.parametrize(
        ("operation", "kind", "mib", "option"),
        [
            ("list_workspaces", "application/json", JSON_LIMIT, "--json-limit"),
            ("request_token", "application/x-www-form-urlencoded", 1, "A form"),
            ("infer_pipeline", ARROW, ARROW_LIMIT, "--arrow-limit"),
            ("upload_model_stream", OCTETS, UPLOAD_LIMIT, "--upload-limit"),
        ],
    )
    def test_a_larger_body_is_413(
        self, target: Target, operation: str, kind: str, mib: int, option: str, form: str
    ) -> None:
        content = b" " * (mib * MIB + 1)
        url = target.url if operation == "infer_pipeline" else contract.operation(operation).path
        answer = target.http.post(
            url,
            content=content if form == "announced" else pieces(content),
            headers={"Content-Type": kind},
            params={"name": new_name(), "filename": "f", "workspace_id": 1} if kind == OCTETS else {},
        )
        assert refused(answer, 413, f"{mib} MiB", option)

    @pytest.mark.parametrize("form", ["announced", "in chunks"])
    @pytest.mark.parametrize("size", [UPLOAD_LIMIT * MIB + 1, (UPLOAD_LIMIT + 9) * MIB])
    def test_a_larger_file_in_a_form_is_413(self, target: Target, form: str, size: int) -> None:
        name = new_name()
        content = multipart(("name", name.encode()), ("workspace_id", b"1"), ("file", bytes(size)))
        answer = target.post(
            "upload_model", **content | ({} if form == "announced" else {"content": pieces(content["content"])})
        )
        assert refused(answer, 413, f"{UPLOAD_LIMIT} MiB", "--upload-limit")
        assert refused(target.post("list_model_versions", json={"model_id": name}), 400, name)

    def test_bodies_as_large_as_the_limits_are_read(self, target: Target) -> None:
        name = new_name()
        assert upload(target, bytes(UPLOAD_LIMIT * MIB), name).status_code == 200
        assert settled(target, name)["status"] == "error"
        padded = b"{}" + b" " * (JSON_LIMIT * MIB - 2)
        assert target.post("list_workspaces", content=padded, headers=JSON_TYPE).status_code == 200

    def test_the_same_connection_goes_on_after_a_413(self, target: Target) -> None:
        path = contract.operation("list_workspaces").path
        token = target.http.headers["Authorization"]
        head = f"POST {path} HTTP/1.1\r\nHost: h\r\nAuthorization: {token}\r\nContent-Type: application/json\r\n"
        large = f"Content-Length: {2 * MIB}\r\n\r\n".encode() + b" " * (2 * MIB)
        small = b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"
        answer = raw(target, head.encode() + large + head.encode() + small)
        assert [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]] == [413, 200]

    def test_a_413_does_not_wait_for_the_body(self, target: Target) -> None:
        head = request_lines(target, "list_workspaces", "Content-Type: application/json", f"Content-Length: {10**15}")
        assert status_of(raw(target, head)) == 413

    def test_an_upload_that_breaks_off_leaves_nothing(self, target: Target) -> None:
        query = f"?name={new_name()}&filename=f&workspace_id=1"
        head = request_lines(
            target,
            "upload_model_stream",
            f"Content-Type: {OCTETS}",
            "Content-Length: 1000000",
            target_form="{}" + query,
        )
        raw(target, head + bytes(500_000), half_close=True)
        wait_until(lambda: not list(target.staging.iterdir()))


JSON_TYPE = {"Content-Type": "application/json"}


def pieces(content: bytes) -> Iterator[bytes]:
    """Yield a body of unknown length."""
    for start in range(0, len(content), 1 << 16):
        yield content[start : start + (1 << 16)]


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


BOUNDARY = "a-boundary-of-the-tests"


def multipart(*parts: tuple[str, bytes], end: bool = True) -> dict[str, Any]:
    """Return a multipart request whose part `file` is a file."""
    content = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        + (b'; filename="m.onnx"' if name == "file" else b"")
        + b"\r\n\r\n"
        + value
        + b"\r\n"
        for name, value in parts
    )
    return {
        "content": content + (f"--{BOUNDARY}--\r\n".encode() if end else b""),
        "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
    }


def compressed(table: Any, *, declared: int | None = None) -> bytes:
    """Return a compressed Arrow file whose buffers declare a given uncompressed length."""
    content = bytearray(file_of(table, compression="zstd"))
    if declared is not None:
        magic = bytes.fromhex("28b52ffd")  # the start of a Zstandard frame
        place = content.find(magic)
        while place >= 0:
            content[place - 8 : place] = struct.pack("<q", declared)
            place = content.find(magic, place + 1)
    return bytes(content)


def zeros(values: int) -> Any:
    return pa.table({"tensor": pa.array(np.zeros(values, np.float32))})


def dictionary(rows: int, text: int) -> Any:
    indices = pa.array(np.zeros(rows, np.int32))
    return pa.table({"tensor": pa.DictionaryArray.from_arrays(indices, pa.array(["x" * text]))})


def nothing(rows: int) -> Any:
    """Return a column of nulls, which takes no memory whatever its length."""
    return pa.Array.from_buffers(pa.null(), rows, [None])


def lists_of_nothing(size: int) -> Any:
    """Return a row that is a list of lists of nulls, each of the maximum fixed size."""
    inner: Any = pa.list_(pa.null(), size)
    array: Any = pa.Array
    lists = array.from_buffers(inner, size, [None], children=[nothing(size * size)])
    return array.from_buffers(pa.list_(inner, size), 1, [None], children=[lists])


def overlapping(batches: int) -> bytes:
    """Return an Arrow file whose footer refers to its large first batch in place of all batches."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, zeros(0).schema) as writer:
        writer.write_table(zeros(MIB // 2))
        for _ in range(batches - 1):
            writer.write_table(zeros(1))
    content = bytearray(sink.getvalue().to_pybytes())
    first = 8 + 8 + struct.unpack_from("<i", content, 12)[0]  # after the magic bytes and the schema
    metadata = 8 + struct.unpack_from("<i", content, first + 4)[0]
    place = content.rindex(struct.pack("<qi4x", first, metadata))
    block = content[place : place + 24]
    content[place : place + batches * len(block)] = block * batches
    return bytes(content)


def views(rows: int, text: int) -> Any:
    """Return a column of views that all refer to one long text."""
    one = pa.array(["x" * text], pa.string_view()).buffers()
    return pa.Array.from_buffers(
        pa.string_view(), rows, [None, pa.py_buffer(one[1].to_pybytes()[:16] * rows), *one[2:]]
    )


def run_ends(rows: int) -> Any:
    return pa.RunEndEncodedArray.from_arrays(pa.array([rows], pa.int32()), pa.array([0.5]))


def list_views(rows: int) -> Any:
    offsets, sizes = pa.array([0] * rows, pa.int32()), pa.array([29] * rows, pa.int32())
    return pa.ListViewArray.from_arrays(offsets, sizes, pa.array([0.5] * 29))


class TestArrow:
    @pytest.fixture(autouse=True)
    def _stays_well(self, target: Target) -> Generator[None]:
        yield
        assert target.is_well()

    @pytest.mark.parametrize(
        ("content", "status", "reason"),
        [
            (lambda: compressed(zeros(1000), declared=1 << 50), 413, "32 MiB when they are read"),
            (lambda: compressed(zeros(1000), declared=2**63 - 1), 413, "32 MiB when they are read"),
            (lambda: compressed(zeros(1000), declared=-2), 400, "negative length"),
            (lambda: compressed(zeros(1000), declared=3999), 400, "no Arrow file"),
            (lambda: compressed(zeros(100 * MIB)), 413, "32 MiB when they are read"),
            (lambda: compressed(zeros(6 * MIB)), 413, "32 MiB when they are expanded"),
            (lambda: compressed(dictionary(100_000, 1 * MIB)), 413, "32 MiB when they are expanded"),
            (lambda: compressed(dictionary(4 * MIB, 10)), 413, "32 MiB when they are expanded"),
            (lambda: file_of(pa.table({"tensor": nothing(2**31 - 1)})), 413, "32 MiB when they are expanded"),
            (lambda: file_of(pa.table({"t": lists_of_nothing(46_000)})), 413, "32 MiB when they are expanded"),
            (lambda: file_of(pa.table({"tensor": views(1000, MIB)})), 413, "32 MiB when they are expanded"),
            (lambda: file_of(pa.table({"tensor": run_ends(2**31 - 1)})), 400, "an engine does not read"),
            (lambda: file_of(pa.table({"tensor": list_views(100)})), 400, "an engine does not read"),
            (
                lambda: file_of(pa.table([vectors(1), vectors(1)], names=["tensor", "tensor"])),
                400,
                "two of its columns",
            ),
            (lambda: file_of(pa.table({f"c{number}": [1] for number in range(17_000)})), 413, "columns"),
            (lambda: overlapping(2500), 413, "32 MiB when they are read"),
            (lambda: file_of(pa.table({"tensor": vectors(10)}))[:-1], 400, "cut off"),
            (lambda: file_of(pa.table({"tensor": vectors(10)}))[:400], 400, "cut off"),
            (lambda: b"ARROW1", 400, "no Arrow file"),
            (lambda: b"", 400, "no Arrow file"),
            (lambda: bytes(1000), 400, "no Arrow file"),
        ],
    )
    def test_a_bomb_or_a_broken_file_is_refused(
        self, target: Target, content: Callable[[], bytes], status: int, reason: str
    ) -> None:
        assert refused(target.infer(content()), status, reason)

    def test_compressed_rows_within_the_limits_are_scored(self, target: Target) -> None:
        for codec in ("lz4", "zstd"):
            answer = target.infer(file_of(pa.table({"tensor": vectors(1000)}), compression=codec))
            assert pa.ipc.open_file(answer.content).read_all().num_rows == 1000

    def test_an_answer_that_is_too_large_as_json_is_given_as_arrow_only(self, target: Target) -> None:
        content = file_of(pa.table({"tensor": vectors(30_000)}), compression="zstd")
        assert refused(target.infer(content, accept="application/json"), 413, "32 MiB", "Arrow")
        assert target.infer(content).status_code == 200

    def test_columns_of_any_type_are_answered_beside_the_inputs(self, target: Target) -> None:
        beside: dict[str, Any] = {
            "bytes": pa.array([b"\x00\xff"]),
            "decimal": pa.array(["1.5"]).cast(pa.decimal128(5, 2)),
            "duration": pa.array([5], pa.duration("s")),
            "time": pa.array([5], pa.timestamp("ns", "UTC")),
            "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int8())),
            "object": pa.array([{"a": None, "b": [1]}]),
            "nothing": pa.nulls(1),
            "category": pa.array(["x"]).dictionary_encode(),
            "half": pa.array([np.float16(0.5)]),
        }
        content = file_of(pa.table({"tensor": vectors(1)} | beside))
        assert target.infer(content, accept=ARROW).status_code == 200
        answer = target.infer(content, accept="application/json").json()
        [record] = answer
        assert record["in"] | {"bytes": "AP8=", "decimal": "1.50", "category": "x", "half": 0.5} == record["in"]

    def test_thousands_of_broken_files_are_refused_or_read(self) -> None:
        from wallaroo_ext.sandbox.http.problems import Problem
        from wallaroo_ext.sandbox.inference.rows import read_rows

        chance = random.Random(29)  # noqa: S311 - not for secrets
        outcomes: Counter[str] = Counter()
        before = pa.default_memory_pool().max_memory()
        for number in range(5000):
            content = _mutated(chance, MIXED[number % len(MIXED)])
            try:
                table = read_rows(ARROW, content, ROWS_MEMORY).table
            except Problem as problem:
                outcomes[problem.status.name] += 1
            else:
                table.to_pylist()
                outcomes["OK"] += 1
        assert set(outcomes) == {"OK", "BAD_REQUEST", "REQUEST_ENTITY_TOO_LARGE"}
        assert outcomes["OK"] > 500
        assert pa.default_memory_pool().max_memory() - before < 4 * ROWS_MEMORY * MIB


def _mixed() -> Any:
    return pa.table(
        {
            "fixed": pa.array([[1.0, 2.0]] * 5, pa.list_(pa.float32(), 2)),
            "list": pa.array([[1], [2, 3], [], [4], [5]]),
            "text": pa.array(["a", "bb", None, "d", "é"]),
            "category": pa.array(["x", "y", "x", "y", "x"]).dictionary_encode(),
            "view": pa.array(["a long text that is not in its view"] * 5, pa.string_view()),
            "object": pa.array([{"a": 1, "b": "x"}] * 5),
        }
    )


MIXED = [file_of(_mixed()), file_of(_mixed(), compression="lz4"), file_of(_mixed(), compression="zstd")]


def _mutated(chance: random.Random, content: bytes) -> bytes:
    """Return a copy of a file with some changed bytes, a changed length, a missing end, or a missing part."""
    changed = bytearray(content)
    kind = chance.random()
    if kind < 0.6:
        for _ in range(chance.choice([1, 2, 4, 16])):
            changed[chance.randrange(len(changed))] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
    elif kind < 0.8:
        place = chance.randrange(len(changed) - 8)
        length = chance.choice([2**63 - 1, 2**62, 2**40, 2**31 - 1, -1])
        changed[place : place + 8] = length.to_bytes(8, "little", signed=True)
    elif kind < 0.9:
        del changed[chance.randrange(len(changed)) :]
    else:
        place = chance.randrange(len(changed))
        del changed[place : place + chance.randrange(1, 64)]
    return bytes(changed)


def functions_upon_functions(levels: int) -> bytes:
    """Return a model in which each function calls the next one ten times: 10 ** levels nodes in total."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    functions: list[Any] = []
    for level in range(levels):
        kind, domain = (f"F{level + 1}", "own") if level + 1 < levels else ("Neg", "")
        calls = [node(kind, [f"v{number}"], [f"v{number + 1}"], domain=domain) for number in range(10)]
        functions.append(helper.make_function("own", f"F{level}", ["v0"], ["v10"], calls, opsets))
    return onnx_of(graph_of([node("F0", ["x"], ["y"], domain="own")]), *functions)


def recursive_function() -> bytes:
    opsets = [helper.make_opsetid("own", 1)]
    itself = helper.make_function("own", "R", ["a"], ["b"], [node("R", ["a"], ["b"], domain="own")], opsets)
    return onnx_of(graph_of([node("R", ["x"], ["y"], domain="own")]), itself)


def chain(length: int) -> bytes:
    names = ["x", *(f"v{number}" for number in range(length - 1)), "y"]
    return onnx_of(graph_of([node("Neg", [a], [b]) for a, b in pairwise(names)]))


def cyclic() -> bytes:
    return onnx_of(graph_of([node("Add", ["x", "b"], ["a"]), node("Neg", ["a"], ["b"]), node("Neg", ["b"], ["y"])]))


def declared(*dimensions: int) -> bytes:
    """Return a model with a tensor of four bytes, whatever its declared size."""
    graph = graph_of([node("Add", ["x", "w"], ["y"])])
    graph.initializer.append(TensorProto(name="w", data_type=FLOAT, dims=dimensions, raw_data=b"1234"))
    return onnx_of(graph)


def sparse(size: int) -> bytes:
    graph = graph_of([node("ReduceSum", ["w"], ["sum"], keepdims=0), node("Add", ["x", "sum"], ["y"])])
    values, indices = np.array([1], np.float32), np.array([5])
    made = (numpy_helper.from_array(values, "w"), numpy_helper.from_array(indices, "i"))
    graph.sparse_initializer.append(helper.make_sparse_tensor(*made, [size]))
    return onnx_of(graph)


def external_initializer(location: str) -> bytes:
    graph = graph_of([node("Add", ["x", "w"], ["y"])])
    graph.initializer.append(external(location))
    return onnx_of(graph)


def external_constant(location: str) -> bytes:
    inner = helper.make_graph([node("Constant", [], ["c"], value=external(location))], "inner", [], [vector("c", 1)])
    nodes = [node("If", ["true"], ["w"], then_branch=inner, else_branch=inner), node("Add", ["x", "w"], ["y"])]
    return onnx_of(graph_of(nodes, true=np.array(True)))


class TestModels:
    @pytest.fixture(autouse=True)
    def _stays_well(self, target: Target) -> Generator[None]:
        yield
        assert target.is_well()

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (lambda: b"\x08", "not all of one"),
            (lambda: b"", "empty"),
            (lambda: b"no model", "no ONNX model"),
            (lambda: chain(10)[:-20], "not all of one"),
            (cyclic, "not acyclic"),
            (lambda: chain(100_001), "more than 100000 nodes"),
            (lambda: functions_upon_functions(12), "more than 100000 nodes"),
            (recursive_function, "more than 64 times deep"),
            (lambda: sparse(1 << 40), "128 MiB"),
            (lambda: declared(1 << 40), "4398046511104 bytes"),
            (lambda: declared(1 << 62, 4), "no ONNX model that can be loaded"),
            (lambda: declared(-1), "no ONNX model that can be loaded"),
        ],
    )
    def test_what_cannot_be_loaded_ends_in_error_with_a_reason(
        self, target: Target, content: Callable[[], bytes], reason: str
    ) -> None:
        name = new_name()
        assert upload(target, content(), name).status_code == 200
        version = settled(target, name)
        assert version["status"] == "error"
        assert reason in version["error_summary"]
        assert "\n" not in version["error_summary"]

    @pytest.mark.parametrize("made", [external_initializer, external_constant])
    @pytest.mark.parametrize(
        "location", ["/proc/self/environ", "../lock", "w.bin", "link", "*/_ORT_MEM_ADDR_/*", "", "\0", "a\nb"]
    )
    def test_data_outside_of_the_file_is_refused_and_never_read(
        self, target: Target, made: Callable[[str], bytes], location: str, tmp_path: Path
    ) -> None:
        models = target.staging.parent / "models"
        secret = tmp_path / "secret"
        secret.write_bytes(b"1234")
        (models / "link").symlink_to(secret)
        try:
            name = new_name()
            upload(target, made(location), name)
            version = settled(target, name)
        finally:
            (models / "link").unlink()
        assert version["status"] == "error"
        assert "tensor 'w' is outside of the file" in version["error_summary"]
        assert repr(location) in version["error_summary"]

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (lambda: summed("ConstantOfShape", ["size"], 1 << 40), "128 MiB"),
            (lambda: summed("ConstantOfShape", ["size"], 1 << 62), "failed on these rows"),
            (lambda: summed("ConstantOfShape", ["size"], 40 * MIB), "128 MiB"),
            (lambda: summed("Expand", ["x", "size"], 1 << 40), "128 MiB"),
            (lambda: summed("Tile", ["x", "size"], 1 << 40), "failed on these rows"),
            (lambda: summed("Tile", ["x", "size"], 60 * MIB), "128 MiB"),
            (endless_loop, "longer than 2 seconds"),
        ],
    )
    def test_a_model_that_takes_too_much_is_stopped(
        self, target: Target, content: Callable[[], bytes], reason: str
    ) -> None:
        url = deployed(target.environment, content(), new_name())
        answer = target.http.post(url, content=file_of(pa.table({"x": [1.0]})), headers={"Content-Type": ARROW})
        assert refused(answer, 400, reason)
        assert answer.json()["source"] == "engine"

    def test_memory_in_pieces_is_brought_together(self, target: Target) -> None:
        """Each run needs a different amount of memory, so that an arena would become fragmented."""
        whole = [helper.make_tensor_value_info("x", TensorProto.INT64, ["N"])]
        nodes = [node("ConstantOfShape", ["x"], ["large"]), node("ReduceSum", ["large"], ["y"], keepdims=1)]
        content = onnx_of(helper.make_graph(nodes, "sized", whole, [vector("y")]))
        url = deployed(target.environment, content, new_name())
        for mib in (5, 15, 30, 45, 55, 60, 65, 30, 100, 50):
            rows = file_of(pa.table({"x": pa.array([mib * MIB // 4])}))
            answer = target.http.post(url, content=rows, headers={"Content-Type": ARROW, "Accept": ARROW})
            assert answer.status_code == 200, f"{mib} MiB: {answer.text}"

    def test_broken_files_are_looked_through_to_an_end(self) -> None:
        chance = random.Random(29)  # noqa: S311 - not for secrets
        whole = [cyclic(), sparse(5), external_constant("w"), functions_upon_functions(3), endless_loop()]
        outcomes = Counter[str]()
        for number in range(4000):
            try:
                inspect(_mutated(chance, whole[number % len(whole)]) or b"\0")
            except OnnxFileError as error:
                outcomes[str(error).split()[0]] += 1
            else:
                outcomes["read"] += 1
        assert min(outcomes["read"], outcomes.total() - outcomes["read"]) > 100

    def test_the_many_numbers_of_a_forest_are_no_matter(self) -> None:
        numbers = list(range(200_000))
        tree = node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", ids=numbers, values=[0.5] * 200_000)
        assert inspect(onnx_of(graph_of([tree]))) == OnnxFile(nodes=1)


PATHS = ["../m", "/etc/passwd", "..", "a/b", "a\\b", "m\0", "C:\\m", "%2e%2e%2f", "~root", "."]


class TestNames:
    @pytest.mark.parametrize("name", [*PATHS, "m" * 10_000, "", " ", "\ud800".encode("utf-8", "surrogatepass")])
    def test_a_model_has_no_path_for_a_name(self, target: Target, name: Any) -> None:
        params = {"name": name, "filename": "m.onnx", "workspace_id": 1}
        answer = target.post("upload_model_stream", content=b"x", params=params, headers={"Content-Type": OCTETS})
        assert refused(answer, 400, "name")

    @pytest.mark.parametrize("name", PATHS)
    @pytest.mark.parametrize("operation", ["create_pipeline", "create_workspace"])
    def test_nothing_else_has_a_path_for_a_name(self, target: Target, operation: str, name: str) -> None:
        body: dict[str, Any] = {"pipeline_id": name, "workspace_name": name, "workspace_id": 1, "definition": {}}
        assert refused(
            target.post(operation, json=body), 400, "name" if operation == "create_workspace" else "pipeline_id"
        )

    @pytest.mark.parametrize("name", [*PATHS, "ü" * 5000])
    def test_a_file_name_is_a_text_and_no_place(self, target: Target, name: str) -> None:
        model = new_name()
        before = sorted(target.staging.parent.iterdir())
        assert upload(target, b"x", model, filename=name).status_code == 200
        assert settled(target, model)["file_name"] == name
        assert sorted(target.staging.parent.iterdir()) == before

    @pytest.mark.parametrize("framework", ["../../onnx", "onnx\0", "ONNX", ""])
    def test_a_framework_is_a_text(self, target: Target, framework: str) -> None:
        name = new_name()
        metadata = {"name": name, "workspace_id": 1, "visibility": "private", "conversion": {"framework": framework}}
        form = multipart(("metadata", json.dumps(metadata).encode()), ("file", b"x"))
        answer = target.post("upload_model", **form)
        assert answer.status_code == 200 or refused(answer, 400, "framework")


def nested(depth: int, key: str = "a") -> str:
    return f'{{"{key}":' * depth + "1" + "}" * depth


class TestJson:
    @pytest.mark.parametrize(
        "text",
        [
            "NaN",
            '{"a": NaN}',
            '{"a": Infinity}',
            '{"a": -Infinity}',
            '{"a": "\\ud800"}',
            '{"\\udfff": 1}',
            '{"a": "' + "\udcff" + '"}',
            "",
            "{",
            "{'a': 1}",
            '{"a": 1,}',
            '{"a": "\n"}',
            "\ufeff{}",
            "{} {}",
            "[" * 100_000,
            nested(100_000),
        ],
    )
    @pytest.mark.parametrize("operation", ["list_workspaces", "infer_pipeline"])
    def test_what_is_no_json_is_refused(self, target: Target, operation: str, text: str) -> None:
        url = target.url if operation == "infer_pipeline" else contract.operation(operation).path
        content = text.encode("utf-8", "surrogateescape")
        answer = target.http.post(url, content=content, headers={"Content-Type": RECORDS})
        if operation == "list_workspaces":
            answer = target.http.post(url, content=content, headers=JSON_TYPE)
        assert refused(answer, 400, "no JSON" if text else "")

    @pytest.mark.parametrize("depth", [101, 254, 255, 1000])
    @pytest.mark.parametrize("operation", ["create_pipeline", "create_assay", "list_workspaces"])
    def test_deep_json_is_refused(self, target: Target, operation: str, depth: int) -> None:
        body = '{"workspace_id": 1, "pipeline_id": "deep", "definition": ' + nested(depth) + "}"
        answer = target.post(operation, content=body, headers=JSON_TYPE)
        assert refused(answer, 400, "levels deep")

    def test_deep_json_in_a_part_of_a_form_is_refused(self, target: Target) -> None:
        form = multipart(("metadata", nested(500).encode()), ("file", b"x"))
        assert refused(target.post("upload_model", **form), 400, "levels deep")

    @pytest.mark.parametrize("depth", [40, 300, 1000])
    @pytest.mark.parametrize("kind", ["lists", "objects"])
    def test_deep_rows_are_refused(self, target: Target, kind: str, depth: int) -> None:
        deep = "[" * depth + "1" + "]" * depth if kind == "lists" else nested(depth)
        row = json.dumps([0.5] * 29)
        answer = target.infer(f'[{{"tensor": {row}, "deep": {deep}}}]'.encode(), RECORDS, "application/json")
        assert refused(answer, 400)

    @pytest.mark.parametrize("value", ["1e400", "-1e400", str(10**400), str(2**64), str(-(2**63) - 1), "1e-400"])
    @pytest.mark.parametrize(("operation", "field"), [("get_model", "id"), ("list_models", "workspace_id")])
    def test_huge_numbers_are_refused(self, target: Target, operation: str, field: str, value: str) -> None:
        answer = target.post(operation, content=f'{{"{field}": {value}}}', headers=JSON_TYPE)
        assert refused(answer, 400)

    @pytest.mark.parametrize("value", ["1e400", str(10**400), str(2**64), "true", '"x"', "null", "[]", "{}"])
    def test_values_that_are_no_numbers_of_a_model_are_refused(self, target: Target, value: str) -> None:
        row = ", ".join([value] * 29)
        answer = target.infer(f'[{{"tensor": [{row}]}}]'.encode(), RECORDS, "application/json")
        if value in {str(10**400), str(2**64)} and answer.is_success:
            return  # orjson parses them as floating-point numbers
        assert refused(answer, 400)

    @pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
    def test_numbers_that_are_too_large_for_a_model_are_refused_and_infinity_is_not(
        self, target: Target, kind: Any
    ) -> None:
        for value, status in ((1e39, 400), (float("inf"), 200), (3.4e38, 200)):
            if kind == pa.float32() and status == 400:
                continue  # it has no such number
            content = file_of(pa.table({"tensor": pa.array([[value] + [0.0] * 28], pa.list_(kind))}))
            answer = target.infer(content)
            assert answer.status_code == status, answer.text
            assert status == 200 or refused(answer, 400, "values that are no float32")

    def test_the_last_of_two_keys_counts(self, target: Target) -> None:
        answer = target.post("list_models", content='{"workspace_id": "x", "workspace_id": 1}', headers=JSON_TYPE)
        assert answer.status_code == 200

    def test_nan_goes_into_a_model_and_comes_out_as_null(self, target: Target) -> None:
        rows = np.full((1, 29), np.nan, np.float32)
        rows[0, 0] = np.inf
        content = file_of(pa.table({"tensor": pa.array(rows.tolist(), pa.list_(pa.float32()))}))
        [record] = json.loads(target.infer(content, accept="application/json").text, parse_constant=pytest.fail)
        assert record["out"] == {"dense_1": [None]}
        assert record["in"]["tensor"] == [None] * 29
        table = pa.ipc.open_file(target.infer(content).content).read_all()
        [outputs] = table.column("out").to_pylist()
        assert np.isnan(outputs["dense_1"]).all()

    @pytest.mark.parametrize("text", ["a\0b", "x" * 500_000, "\u202e", "'; DROP TABLE users; --"])
    @pytest.mark.parametrize(
        ("operation", "field"),
        [
            ("invite_user", "email"),
            ("deactivate_user", "email"),
            ("create_workspace", "workspace_name"),
            ("get_deployment_status", "name"),
            ("list_model_versions", "model_id"),
        ],
    )
    def test_odd_texts_are_refused(self, target: Target, operation: str, field: str, text: str) -> None:
        answer = target.post(operation, json={field: text})
        assert answer.status_code in {400, 404}
        assert refused(answer, answer.status_code)


class TestForms:
    @pytest.mark.parametrize(
        ("request_of", "reason"),
        [
            (lambda: multipart(("name", b"m"), ("workspace_id", b"1"), end=False), "cut off"),
            (lambda: multipart(("name", b"m"), ("workspace_id", b"1")), "file"),
            (lambda: multipart(("file", b"x")), "name"),
            (lambda: multipart(("file", b"x"), ("file", b"y"), ("name", b"m"), ("workspace_id", b"1")), "twice"),
            (lambda: multipart(("name", b"m"), ("name", b"n"), ("workspace_id", b"1"), ("file", b"x")), "twice"),
            (lambda: multipart(("metadata", b"{"), ("file", b"x")), "no JSON"),
            (lambda: multipart(("metadata", b'"x"'), ("file", b"x")), "metadata"),
            (lambda: multipart(("name", b"m\xff"), ("workspace_id", b"1"), ("file", b"x")), "name"),
            (lambda: multipart() | {"headers": {"Content-Type": "multipart/form-data"}}, "boundary"),
            (
                lambda: multipart() | {"headers": {"Content-Type": f"multipart/form-data; boundary={'b' * 1000}"}},
                "oundary",
            ),
            (lambda: multipart() | {"content": b"no multipart"}, "multipart"),
            (lambda: multipart() | {"content": b""}, ""),
            (lambda: with_header(b"X-Long: " + b"x" * MIB), "header"),
            (lambda: with_header(b"\r\n".join(b"X-%d: y" % number for number in range(1000))), "header"),
            (lambda: with_header(b"no header"), "multipart"),
        ],
    )
    def test_odd_forms_are_refused(self, target: Target, request_of: Callable[[], dict[str, Any]], reason: str) -> None:
        assert refused(target.post("upload_model", **request_of()), 400, reason)
        assert target.is_well()

    def test_the_parts_of_an_upload_may_come_in_any_order(self, target: Target) -> None:
        name = new_name()
        form = multipart(("file", b"x"), ("workspace_id", b"1"), ("name", name.encode()), ("unknown", b"y"))
        assert target.post("upload_model", **form).status_code == 200
        assert settled(target, name)["file_name"] == "m.onnx"

    def test_a_part_that_is_no_file_has_its_limit(self, target: Target) -> None:
        form = multipart(("name", b"x" * (MIB + 1)), ("file", b"x"))
        assert refused(target.post("upload_model", **form), 413, "'name'")

    @pytest.mark.parametrize(
        ("content", "status"),
        [
            (b"grant_type=password&username=\xff", 400),
            (b"grant_type=password&username=%ff", 400),
            (b"&".join(b"a%d=1" % number for number in range(1000)), 400),
            (b"grant_type=password&username=a%00b&password=c", 401),
            (b"grant_type=", 400),
            (b"=", 400),
        ],
    )
    def test_odd_token_requests_are_refused(self, target: Target, content: bytes, status: int) -> None:
        environment = target.environment
        answer = httpx.post(
            environment["WALLAROO_AUTH_URL"] + contract.operation("request_token").path,
            content=content,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            auth=(environment["WALLAROO_CLIENT_ID"], environment["WALLAROO_CLIENT_SECRET"]),
        )
        assert answer.status_code == status, answer.text
        assert answer.json()["error"]


def with_header(header: bytes) -> dict[str, Any]:
    """Return a form whose first part has a given header."""
    form = multipart(("name", b"m"), ("workspace_id", b"1"), ("file", b"x"))
    return form | {"content": form["content"].replace(b"\r\n\r\n", b"\r\n" + header + b"\r\n\r\n", 1)}


class TestHttp:
    @pytest.mark.parametrize(
        ("operation", "kind"),
        [
            ("list_workspaces", "text/plain"),
            ("list_workspaces", ""),
            ("list_workspaces", "application/json-seq"),
            ("list_workspaces", "application/x-www-form-urlencoded"),
            ("upload_model", "application/json"),
            ("upload_model_stream", "text/html"),
            ("infer_pipeline", "application/vnd.apache.arrow.stream"),
            ("infer_pipeline", "a" * 8000),
        ],
    )
    def test_another_content_type_is_415(self, target: Target, operation: str, kind: str) -> None:
        url = target.url if operation == "infer_pipeline" else contract.operation(operation).path
        query = {"name": "m", "filename": "f", "workspace_id": 1} if operation == "upload_model_stream" else {}
        assert refused(
            target.http.post(url, content=b"{}", headers={"Content-Type": kind}, params=query), 415, "content type"
        )

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
    def test_another_method_is_405(self, target: Target, method: str) -> None:
        answer = target.http.request(method, contract.operation("list_workspaces").path)
        assert refused(answer, 405)
        assert answer.headers["Allow"] == "POST"

    @pytest.mark.parametrize(
        ("headers", "body", "status"),
        [
            (["Content-Length: -1"], b"", 400),
            (["Content-Length: 1e3"], b"", 400),
            (["Content-Length: 2", "Content-Length: 3"], b"{}", 400),
            (["Content-Length: 99999999999999999999999"], b"", 400),
            (["Transfer-Encoding: chunked"], b"zz\r\n{}\r\n0\r\n\r\n", 400),
            (["Transfer-Encoding: gzip"], b"{}", 400),
            (["no header"], b"", 400),
            ([f"X-{number}: y" for number in range(100_000)], b"", 431),
            (["X: " + "y" * 2 * MIB], b"", 431),
        ],
        ids=["negative", "no number", "two", "huge", "bad chunk", "unknown coding", "no colon", "many", "long"],
    )
    def test_odd_headers_are_refused(self, target: Target, headers: list[str], body: bytes, status: int) -> None:
        head = request_lines(target, "list_workspaces", "Content-Type: application/json", *headers)
        assert status_of(raw(target, head + body, half_close=True)) == status
        assert target.is_well()

    @pytest.mark.parametrize(
        ("version", "target_form"),
        [("1.0", "{}"), ("1.1", "http://localhost{}"), ("1.1", "{}?a=%00&%ff=%zz&&=")],
        ids=["HTTP/1.0", "absolute form", "odd query"],
    )
    def test_odd_but_good_requests_are_answered(self, target: Target, version: str, target_form: str) -> None:
        json_headers = ("Content-Type: application/json", "Content-Length: 2")
        head = request_lines(target, "list_workspaces", *json_headers, version=version, target_form=target_form)
        assert status_of(raw(target, head + b"{}")) == 200

    @pytest.mark.parametrize(
        "content",
        [
            b"\x16\x03\x01\x02\x00\x01",
            b"GET\r\n\r\n",
            b"BREW / HTTP/1.1\r\n\r\n",
            b"\0" * 100,
            b"PRI * HTTP/2.0\r\n\r\n",
        ],
    )
    def test_what_is_no_request_is_refused(self, target: Target, content: bytes) -> None:
        answer = raw(target, content, half_close=True)
        assert not answer or status_of(answer) == 400
        assert target.is_well()

    @pytest.mark.parametrize(
        "path", ["/%00", "/..%2f..%2fetc/passwd", "/v1/api/../../x", "/\xff", "/" + "a" * 60_000, "//", "*"]
    )
    def test_an_odd_path_is_unknown(self, target: Target, path: str) -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        assert status_of(raw(target, head.encode("latin-1"))) in {400, 404}

    @pytest.mark.parametrize("authorization", ["Bearer", "Bearer \xff", "Basic x", "x" * 30_000, "Bearer a.b.c"])
    def test_an_odd_authorization_is_401(self, target: Target, authorization: str) -> None:
        url = target.environment["WALLAROO_API_URL"] + contract.operation("list_workspaces").path
        headers = {"Authorization": authorization.encode("latin-1")}
        assert refused(httpx.post(url, json={}, headers=cast("Any", headers)), 401)
