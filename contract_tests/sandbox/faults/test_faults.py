"""Does the sandbox fail on demand, as networks and servers do, and perform the operations that it should?"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import product
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from contract_tests.support.servers.callers import post, refused, sign_in
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import contract, upload_model, wait_until_running
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.inference.inputs.rows import to_table
from wallaroo_ext.sandbox.auth.issuer import read_token
from wallaroo_ext.sandbox.auth.issuer_keys import ALGORITHM
from wallaroo_ext.sandbox.faults import FaultMiddleware, Faults
from wallaroo_ext.sandbox.faults.exchange import Exchange
from wallaroo_ext.sandbox.faults.kinds import KINDS
from wallaroo_ext.sandbox.http.problems import Problem
from wallaroo_ext.sandbox.http.protocol import drop_connection
from wallaroo_ext.sandbox.paths import CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from wallaroo_mlops_client import Client

FAULTS = f"{CONTROL}/faults"
LIST, CREATE, UPLOAD = "list_workspaces", "create_workspace", "upload_model_stream"
TOKEN = "request_token"
LONG = 3600
MIB = 1 << 20
JSON = "application/json"
_, ARROW = contract.operation("infer_pipeline").request_types


@pytest.fixture(scope="module")
def data_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data directory of the sandbox of these tests."""
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def sandbox(data_directory: Path) -> Generator[dict[str, str]]:
    """Yield a sandbox for these tests alone, because fault rules affect all of its clients."""
    with running(data_directory) as environment:
        yield environment


@pytest.fixture
def control(sandbox: dict[str, str]) -> Generator[httpx.Client]:
    """Yield an HTTP client for the route of the fault rules, which have been cleared."""
    with httpx.Client(base_url=sandbox["WALLAROO_API_URL"]) as plain:
        assert plain.delete(FAULTS).json() == {"rules": []}
        yield plain
        plain.delete(FAULTS)


@pytest.fixture
def fail(control: httpx.Client, token: str) -> Callable[..., None]:
    """Return a function that adds a rule, for one request by default. The HTTP client has already signed in."""
    assert token

    def add(operation: str, kind: str, **fields: Any) -> None:
        rule = {"operation": operation, "kind": kind} | ({} if "probability" in fields else {"count": 1}) | fields
        answer = control.post(FAULTS, json={"rules": [rule]})
        assert answer.status_code == 200, answer.text

    return add


def applied(control: httpx.Client) -> list[int]:
    """Return how often each rule was applied."""
    return [rule["applied"] for rule in control.get(FAULTS).json()["rules"]]


def create(http: httpx.Client, name: str) -> httpx.Response:
    return post(http, CREATE, {"workspace_name": name})


def new_name() -> str:
    return f"w-{uuid.uuid4().hex}"


def written(http: httpx.Client, name: str) -> bool:
    """Return whether there is a workspace with a name."""
    return name in {workspace["name"] for workspace in post(http, LIST, {}).json()["workspaces"]}


@dataclass
class Received:
    """The bytes received on a connection, and how it ended."""

    content: bytes
    reset: bool

    @property
    def head(self) -> str:
        return self.content.partition(b"\r\n\r\n")[0].decode("ascii").lower()

    @property
    def body(self) -> bytes:
        return self.content.partition(b"\r\n\r\n")[2]

    @property
    def announced(self) -> int:
        found = re.search("content-length: ([0-9]+)", self.head)
        assert found, self.head
        return int(found[1])


def exchange_bytes(
    http: httpx.Client, operation: str, *, body: bytes = b"{}", path: str = "", media_type: str = JSON
) -> Received:
    """Send a request on a new connection, and return everything that is received until it ends."""
    request = http.build_request(
        "POST",
        path or contract.operation(operation).path,
        content=body,
        headers={"Content-Type": media_type, "Accept": media_type, "Connection": "close"},
    )
    lines = [f"POST {request.url.raw_path.decode()} HTTP/1.1", *(f"{k}: {v}" for k, v in request.headers.items())]
    with socket.create_connection((http.base_url.host, http.base_url.port or 80), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        return receive_all(connection)


def receive_all(connection: socket.socket) -> Received:
    parts: list[bytes] = []
    try:
        while part := connection.recv(1 << 16):
            parts.append(part)
    except ConnectionResetError:
        return Received(b"".join(parts), reset=True)
    return Received(b"".join(parts), reset=False)


def rows_file(rows: int) -> bytes:
    """Return rows for the small model as an Arrow file."""
    return bytes(to_file(to_table({"dense_input": np.zeros((rows, 29), np.float32)})))


class TestDroppedConnections:
    def test_before_the_answer_the_client_sees_a_disconnect_and_the_write_has_happened(
        self, http: httpx.Client, fail: Callable[..., None]
    ) -> None:
        fail(CREATE, "drop-before-answer")
        name = new_name()
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            create(http, name)
        assert written(http, name)
        assert refused(create(http, name), name), "to send it again would be to write twice"

    @pytest.mark.parametrize("reset", [False, True])
    def test_before_the_answer_not_a_byte_of_http_is_sent(
        self, http: httpx.Client, fail: Callable[..., None], *, reset: bool
    ) -> None:
        fail(LIST, "drop-before-answer", reset=reset)
        assert exchange_bytes(http, LIST) == Received(b"", reset)

    def test_before_the_operation_nothing_is_written(self, http: httpx.Client, fail: Callable[..., None]) -> None:
        fail(CREATE, "drop-before-answer", handled=False)
        name = new_name()
        with pytest.raises(httpx.TransportError):
            create(http, name)
        assert not written(http, name)
        assert create(http, name).status_code == 200

    def test_during_the_answer_the_headers_and_half_of_the_body_arrive(
        self, http: httpx.Client, fail: Callable[..., None]
    ) -> None:
        whole = exchange_bytes(http, LIST)
        fail(LIST, "drop-during-answer")
        half = exchange_bytes(http, LIST)
        assert half.head.startswith("http/1.1 200 ok\r\n")
        assert half.announced == whole.announced == len(whole.body)
        assert half.body == whole.body[: len(whole.body) // 2] != b""
        assert not half.reset

    def test_during_the_answer_a_reset_can_be_asked_for(self, http: httpx.Client, fail: Callable[..., None]) -> None:
        whole = exchange_bytes(http, LIST)
        fail(LIST, "drop-during-answer", reset=True)
        half = exchange_bytes(http, LIST)
        assert (half.body, half.reset) == (whole.body[: len(whole.body) // 2], True)

    def test_during_the_answer_the_client_sees_an_incomplete_body_and_the_write_has_happened(
        self, http: httpx.Client, fail: Callable[..., None]
    ) -> None:
        fail(CREATE, "drop-during-answer")
        name = new_name()
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
            create(http, name)
        assert written(http, name)

    @pytest.mark.parametrize("after_bytes", [0, 3 * MIB])
    def test_an_upload_can_be_dropped_while_it_arrives(
        self,
        http: httpx.Client,
        control: httpx.Client,
        fail: Callable[..., None],
        data_directory: Path,
        after_bytes: int,
    ) -> None:
        name = new_name()
        fail(UPLOAD, "drop-before-answer", handled=False, after_bytes=after_bytes)
        before = {path for path in data_directory.rglob("*") if path.is_dir() or path.suffix == ".onnx"}
        sent = 0

        def content() -> Generator[bytes]:
            nonlocal sent
            for _ in range(64):
                sent += MIB
                yield bytes(MIB)

        with pytest.raises(httpx.TransportError):
            http.post(
                contract.operation(UPLOAD).path,
                content=content(),
                params={"name": name, "filename": "file.onnx", "visibility": "private", "workspace_id": 1},
                headers={"Content-Type": "application/octet-stream"},
            )
        assert after_bytes <= sent < 64 * MIB
        assert applied(control) == [1]
        assert refused(post(http, "list_model_versions", {"model_id": name}), name)
        assert before == {path for path in data_directory.rglob("*") if path.is_dir() or path.suffix == ".onnx"}

    def test_an_upload_can_be_dropped_before_any_of_it_arrives(
        self, http: httpx.Client, fail: Callable[..., None]
    ) -> None:
        fail(UPLOAD, "drop-before-answer", handled=False)
        head = f"POST {contract.operation(UPLOAD).path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"
        with socket.create_connection((http.base_url.host, http.base_url.port or 80), timeout=30) as connection:
            connection.sendall(head.encode())
            assert receive_all(connection).content == b""

    def test_over_tls_they_are_dropped_as_well(self) -> None:
        with running(None, "--tls") as environment:
            trusted = ssl.create_default_context(cafile=environment["WALLAROO_CA_BUNDLE"])
            with httpx.Client(base_url=environment["WALLAROO_API_URL"], verify=trusted, timeout=30) as plain:
                for kind, reset in product(("drop-before-answer", "drop-during-answer"), (False, True)):
                    rule = {"operation": LIST, "kind": kind, "count": 1, "reset": reset}
                    assert plain.post(FAULTS, json={"rules": [rule]}).is_success
                    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):  # OpenSSL may call both an end
                        post(plain, LIST, {})

    def test_only_the_sandboxs_own_server_can_drop_connections(self) -> None:
        with pytest.raises(RuntimeError, match="wallaroo-ext sandbox"):
            asyncio.run(drop_connection({"type": "http"}, reset=False))


class TestRefusals:
    @pytest.mark.parametrize(("kind", "status"), [("too-many-requests", 429), ("service-unavailable", 503)])
    def test_retry_after_comes_in_both_forms_or_not_at_all(
        self, http: httpx.Client, fail: Callable[..., None], kind: str, status: int
    ) -> None:
        fail(LIST, kind, retry_after=7.0)
        fail(LIST, kind, retry_after=7, form="date")
        fail(LIST, kind)
        seconds, date, absent = (post(http, LIST, {}) for _ in range(3))
        assert {answer.status_code for answer in (seconds, date, absent)} == {status}
        assert seconds.headers["Retry-After"] == "7"
        wait = parsedate_to_datetime(date.headers["Retry-After"]).timestamp() - time.time()
        assert date.headers["Retry-After"].endswith(" GMT")
        assert wait < 8.01
        assert "Retry-After" not in absent.headers

    def test_too_many_requests_have_the_form_of_the_api(self, http: httpx.Client, fail: Callable[..., None]) -> None:
        fail(LIST, "too-many-requests")
        assert post(http, LIST, {}).json()["code"] == 429

    def test_a_bad_gateway_shows_a_page(self, http: httpx.Client, fail: Callable[..., None]) -> None:
        fail(LIST, "bad-gateway")
        answer = post(http, LIST, {})
        assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
        assert "<title>502 Bad Gateway</title>" in answer.text

    def test_an_unknown_status_is_in_no_standard(self, http: httpx.Client, fail: Callable[..., None]) -> None:
        fail(LIST, "unknown-status")
        assert exchange_bytes(http, LIST).head.startswith("http/1.1 520 ")

    def test_an_expired_token_is_refused_as_when_it_has_expired(
        self, http: httpx.Client, fail: Callable[..., None]
    ) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        expired = jwt.encode({"sub": "x", "exp": 1, "typ": "Bearer"}, key, ALGORITHM)
        with pytest.raises(Problem) as real:
            read_token(expired, lambda _: key.public_key(), leeway=0)
        fail(LIST, "expired-token")
        answer = post(http, LIST, {})
        assert (answer.status_code, answer.json()) == (real.value.status, real.value.content)
        assert answer.headers["WWW-Authenticate"] == real.value.headers["WWW-Authenticate"]
        assert post(http, LIST, {}).is_success

    @pytest.mark.parametrize(("fields", "status"), [({}, 307), ({"status": 302}, 302), ({"status": 307}, 307)])
    def test_a_redirect_leads_to_another_host(
        self, http: httpx.Client, fail: Callable[..., None], fields: dict[str, int], status: int
    ) -> None:
        fail(LIST, "redirect", location="https://elsewhere.example.com/v1", **fields)
        answer = post(http, LIST, {})
        assert (answer.status_code, answer.headers["Location"]) == (status, "https://elsewhere.example.com/v1")

    @pytest.mark.parametrize("handled", [None, False, True])
    @pytest.mark.parametrize(
        ("kind", "fields", "by_default"),
        [
            ("too-many-requests", {}, False),
            ("service-unavailable", {}, False),
            ("bad-gateway", {}, False),
            ("unknown-status", {}, False),
            ("expired-token", {}, False),
            ("redirect", {"location": "https://elsewhere.example.com"}, False),
            ("empty-answer", {}, True),
        ],
    )
    def test_the_operation_is_carried_out_where_the_rule_says_so(
        self,
        http: httpx.Client,
        fail: Callable[..., None],
        kind: str,
        fields: dict[str, str],
        *,
        by_default: bool,
        handled: bool | None,
    ) -> None:
        fail(CREATE, kind, **fields, **({} if handled is None else {"handled": handled}))
        name = new_name()
        answer = http.post(contract.operation(CREATE).path, json={"workspace_name": name})
        assert "workspace_id" not in answer.text
        assert written(http, name) is (by_default if handled is None else handled)

    def test_a_refused_upload_leaves_a_connection_that_is_good(
        self, http: httpx.Client, control: httpx.Client, fail: Callable[..., None]
    ) -> None:
        fail(UPLOAD, "service-unavailable", retry_after=0)
        refusal = http.post(
            contract.operation(UPLOAD).path,
            content=bytes(8 * MIB),
            params={"name": new_name(), "filename": "file.onnx", "visibility": "private", "workspace_id": 1},
            headers={"Content-Type": "application/octet-stream"},
        )
        assert refusal.status_code == 503
        assert post(http, LIST, {}).is_success
        assert applied(control) == [1]


class TestAnswers:
    def test_an_empty_answer_is_a_success_without_a_body(self, http: httpx.Client, fail: Callable[..., None]) -> None:
        fail(LIST, "empty-answer")
        answer = exchange_bytes(http, LIST)
        assert answer.head.startswith("http/1.1 200 ok\r\n")
        assert (answer.announced, answer.body) == (0, b"")

    def test_a_slow_answer_arrives_in_many_pieces_and_whole(
        self, http: httpx.Client, fail: Callable[..., None]
    ) -> None:
        whole = post(http, LIST, {}).content
        fail(LIST, "slow-answer", seconds=0.4)
        before = time.monotonic()
        with http.stream("POST", contract.operation(LIST).path, json={}) as answer:
            pieces = list(answer.iter_raw())
        assert time.monotonic() - before >= 0.35
        assert len(pieces) > 2
        assert b"".join(pieces) == whole

    def test_a_slow_answer_may_take_a_time_a_byte(self, http: httpx.Client, fail: Callable[..., None]) -> None:
        fail("get_pipeline_external_url", "slow-answer", seconds_per_byte=0.005)
        before = time.monotonic()
        answer = post(http, "get_pipeline_external_url", {"workspace_id": 1, "pipeline_name": "unknown"})
        assert time.monotonic() - before >= 0.005 * len(answer.content)
        assert answer.status_code == answer.json()["code"] == 404

    @pytest.mark.parametrize("fields", [{"seconds": 0}, {"seconds_per_byte": 0}])
    def test_a_slow_answer_without_time_is_whole(
        self, http: httpx.Client, fail: Callable[..., None], fields: dict[str, int]
    ) -> None:
        whole = post(http, LIST, {}).content
        fail(LIST, "slow-answer", **fields)
        assert post(http, LIST, {}).content == whole

    def test_a_client_that_goes_away_does_not_leave_a_slow_answer_behind(self) -> None:
        sent: list[Any] = []

        async def operation(_scope: Any, _receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x" * 100})

        async def gone() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        exchange = Exchange(operation, {}, gone, send, {"seconds": LONG}, handled=True)
        asyncio.run(asyncio.wait_for(KINDS["slow-answer"].apply(exchange), timeout=10))
        assert [message.get("body") for message in sent] == [None, b""]

    def test_a_delay_comes_before_the_operation(self, http: httpx.Client, fail: Callable[..., None]) -> None:
        fail(LIST, "delay", seconds=0.2)
        before = time.monotonic()
        assert post(http, LIST, {}).is_success
        assert time.monotonic() - before >= 0.19

    def test_a_delay_of_an_upload_loses_no_byte(
        self, http: httpx.Client, fail: Callable[..., None], workspace_id: int
    ) -> None:
        fail(UPLOAD, "delay", seconds=0.1)
        answer = http.post(
            contract.operation(UPLOAD).path,
            content=bytes(MIB),
            params={"name": new_name(), "filename": "f.onnx", "visibility": "private", "workspace_id": workspace_id},
            headers={"Content-Type": "application/octet-stream"},
        )
        assert answer.is_success


class TestInference:
    @pytest.fixture
    def paths(
        self,
        client: Client,
        workspace_id: int,
        model_file: Path,
        deploy: Callable[..., tuple[str, str]],
        control: httpx.Client,
    ) -> dict[str, str]:
        """Return the path of a running deployment by the operation that serves it."""
        assert applied(control) == []
        name = f"faults-{uuid.uuid4().hex[:8]}"
        version = upload_model(client, model_file, name=name, workspace=workspace_id).id
        deployment, _ = deploy(name, version)
        wait_until_running(client, deployment)
        return {
            operation: contract.operation(operation).path.format(deployment=deployment, pipeline=name)
            for operation in ("infer_deployment", "infer_pipeline")
        }

    @staticmethod
    def ask(http: httpx.Client, path: str, rows: int = 2) -> httpx.Response:
        return http.post(path, content=rows_file(rows), headers={"Content-Type": ARROW, "Accept": ARROW})

    def test_each_form_of_the_url_is_an_operation_of_its_own(
        self, http: httpx.Client, control: httpx.Client, paths: dict[str, str]
    ) -> None:
        for operation, path in paths.items():
            control.delete(FAULTS)
            control.post(FAULTS, json={"rules": [{"operation": operation, "kind": "bad-gateway"}]})
            statuses = {name: self.ask(http, other).status_code for name, other in paths.items()}
            assert statuses == dict.fromkeys(paths, 200) | {operation: 502}, path

    def test_truncated_arrow_is_noticed_by_its_reader_alone(
        self, http: httpx.Client, fail: Callable[..., None], paths: dict[str, str]
    ) -> None:
        path = paths["infer_pipeline"]
        size = len(self.ask(http, path, 1000).content)
        fail("infer_pipeline", "truncated-answer")
        answer = self.ask(http, path, 1000)
        assert answer.status_code == 200
        assert int(answer.headers["Content-Length"]) == len(answer.content) == size // 2
        with pytest.raises(pa.ArrowInvalid):
            pa.ipc.open_file(answer.content)

    @pytest.mark.parametrize("reset", [False, True])
    def test_a_large_answer_in_pieces_is_dropped_in_its_middle(
        self, http: httpx.Client, fail: Callable[..., None], paths: dict[str, str], *, reset: bool
    ) -> None:
        path = paths["infer_pipeline"]
        size = len(self.ask(http, path, 20_000).content)
        assert size > 2 * MIB
        fail("infer_pipeline", "drop-during-answer", reset=reset)
        half = exchange_bytes(http, "infer_pipeline", path=path, body=rows_file(20_000), media_type=ARROW)
        assert (half.announced, half.reset) == (size, reset)
        if reset:
            assert len(half.body) <= size // 2, "what was still on its way may be lost"
        else:
            assert len(half.body) == size // 2

    def test_a_large_slow_answer_is_whole(
        self, http: httpx.Client, fail: Callable[..., None], paths: dict[str, str]
    ) -> None:
        fail("infer_pipeline", "slow-answer", seconds=0.3)
        answer = self.ask(http, paths["infer_pipeline"], 20_000)
        assert pa.ipc.open_file(answer.content).read_all().num_rows == 20_000


class TestWhichRequests:
    def test_count_requests_fail_and_no_more(
        self, http: httpx.Client, control: httpx.Client, fail: Callable[..., None]
    ) -> None:
        fail(LIST, "bad-gateway", count=2)
        assert [post(http, LIST, {}).status_code for _ in range(4)] == [502, 502, 200, 200]
        assert applied(control) == [2]

    def test_skipped_requests_pass_first(self, http: httpx.Client, fail: Callable[..., None]) -> None:
        fail(LIST, "bad-gateway", skip=2)
        assert [post(http, LIST, {}).status_code for _ in range(4)] == [200, 200, 502, 200]

    def test_without_a_count_every_request_fails_until_the_rules_are_cleared(
        self, http: httpx.Client, control: httpx.Client
    ) -> None:
        control.post(FAULTS, json={"rules": [{"operation": LIST, "kind": "unknown-status"}]})
        assert [post(http, LIST, {}).status_code for _ in range(5)] == [520] * 5
        control.delete(FAULTS)
        assert post(http, LIST, {}).status_code == 200

    def test_the_first_rule_that_is_not_used_up_applies(self, http: httpx.Client, fail: Callable[..., None]) -> None:
        fail(LIST, "bad-gateway", skip=1)
        fail("*", "unknown-status", count=2)
        assert [post(http, LIST, {}).status_code for _ in range(4)] == [520, 502, 520, 200]

    def test_a_rule_concerns_its_operation_alone(
        self, http: httpx.Client, control: httpx.Client, fail: Callable[..., None]
    ) -> None:
        fail(CREATE, "bad-gateway")
        assert post(http, LIST, {}).status_code == 200
        assert applied(control) == [0]

    def test_the_star_concerns_every_operation_and_nothing_else(
        self, http: httpx.Client, sandbox: dict[str, str], control: httpx.Client, fail: Callable[..., None]
    ) -> None:
        fail("*", "unknown-status", count=10)
        assert post(http, LIST, {}).status_code == sign_in(sandbox, grant_type="client_credentials").status_code == 520
        assert http.get("/v1/api/docs").status_code == 200
        assert http.get("/unknown").status_code == 404
        assert applied(control) == [2]

    def test_the_token_endpoint_fails_like_any_other(self, sandbox: dict[str, str], fail: Callable[..., None]) -> None:
        fail(TOKEN, "too-many-requests", retry_after=1)
        refusal = sign_in(sandbox, grant_type="client_credentials")
        assert (refusal.status_code, refusal.headers["Retry-After"]) == (429, "1")
        assert sign_in(sandbox, grant_type="client_credentials").status_code == 200

    def test_a_request_for_a_token_has_none_that_could_expire(
        self, sandbox: dict[str, str], control: httpx.Client, fail: Callable[..., None]
    ) -> None:
        fail("*", "expired-token")
        assert sign_in(sandbox, grant_type="client_credentials").status_code == 200
        assert applied(control) == [0]

    def test_a_seed_makes_the_same_choice_each_time(self) -> None:
        def choices(**fields: Any) -> list[bool]:
            faults = Faults()
            faults.add([{"operation": "*", "kind": "bad-gateway", "probability": 0.5} | fields])
            return [faults.take(LIST) is not None for _ in range(200)]

        assert choices(seed=1) == choices(seed=1)
        assert choices(seed=1) != choices(seed=2)
        assert choices() != choices()
        assert 60 < sum(choices(seed=3)) < 140

    @pytest.mark.parametrize(("probability", "count"), [(0, 0), (1, 50), (0.0, 0), (1.0, 50)])
    def test_probabilities_of_none_and_all_are_none_and_all(self, probability: float, count: int) -> None:
        faults = Faults()
        faults.add([{"operation": LIST, "kind": "bad-gateway", "probability": probability}])
        assert sum(faults.take(LIST) is not None for _ in range(50)) == count

    def test_requests_at_once_use_up_a_rule_exactly(
        self, http: httpx.Client, control: httpx.Client, fail: Callable[..., None]
    ) -> None:
        fail(LIST, "drop-before-answer", count=7)

        def succeeds(_: int) -> bool:
            try:
                return post(http, LIST, {}).is_success
            except httpx.RemoteProtocolError:
                return False

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(succeeds, range(40))).count(False) == 7
        assert applied(control) == [7]

    def test_threads_may_change_and_take_rules_at_once(self) -> None:
        faults = Faults()
        rule = {"operation": "*", "kind": "bad-gateway", "count": 3}

        def work(_: int) -> int:
            faults.add([rule])
            return sum(faults.take(LIST) is not None for _ in range(3))

        with ThreadPoolExecutor(8) as pool:
            taken = sum(pool.map(work, range(100)))
        assert taken == 300 == sum(listed["applied"] for listed in faults.list())
        assert not faults.active

    def test_without_rules_nobody_asks_for_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        faults, passed = Faults(), list[str]()

        async def operation(_scope: Any, _receive: Any, _send: Any) -> None:
            passed.append("once")

        async def nothing(*_: Any) -> Any:
            return None

        monkeypatch.setattr(faults, "take", None)
        asyncio.run(FaultMiddleware(operation, faults, LIST)({"type": "http"}, nothing, nothing))
        assert passed == ["once"]


class TestRules:
    def test_they_are_listed_with_their_defaults_and_how_often_they_were_applied(
        self, http: httpx.Client, control: httpx.Client
    ) -> None:
        given = [
            {"operation": LIST, "kind": "drop-before-answer", "count": 1},
            {"operation": "*", "kind": "too-many-requests", "probability": 0.0, "seed": 3, "retry_after": 2, "skip": 4},
        ]
        added = control.post(FAULTS, json={"rules": given})
        assert added.json() == {
            "rules": [
                given[0] | {"handled": True, "skip": 0, "applied": 0},
                given[1] | {"handled": False, "applied": 0},
            ]
        }
        with pytest.raises(httpx.RemoteProtocolError):
            post(http, LIST, {})
        assert applied(control) == [1, 0]
        assert control.delete(FAULTS).json() == control.get(FAULTS).json() == {"rules": []}

    def test_rules_are_added_behind_those_that_are_there(self, control: httpx.Client) -> None:
        for kind in ("bad-gateway", "unknown-status"):
            control.post(FAULTS, json={"rules": [{"operation": LIST, "kind": kind}]})
        assert [rule["kind"] for rule in control.get(FAULTS).json()["rules"]] == ["bad-gateway", "unknown-status"]

    def test_a_reset_of_the_sandbox_clears_them(self, control: httpx.Client) -> None:
        control.post(FAULTS, json={"rules": [{"operation": LIST, "kind": "bad-gateway"}]})
        assert control.post(f"{CONTROL}/reset").is_success
        assert applied(control) == []

    def test_one_wrong_rule_keeps_all_of_its_list_out(self, control: httpx.Client) -> None:
        good = {"operation": LIST, "kind": "bad-gateway"}
        assert refused(control.post(FAULTS, json={"rules": [good, good | {"count": 0}]}), "Rule 2, count: 0")
        assert applied(control) == []

    @pytest.mark.parametrize("body", [{}, {"rules": {}}, {"rules": [1]}, {"rules": [], "more": 1}, []])
    def test_a_body_of_another_shape_is_refused(self, control: httpx.Client, body: Any) -> None:
        assert refused(control.post(FAULTS, json=body), "")

    @pytest.mark.parametrize(
        ("rule", "reason"),
        [
            (1, "Rule 1: 1 is not of type"),
            ({"kind": "delay", "seconds": 1}, '"operation" is a required property'),
            ({"operation": LIST}, '"kind" is a required property'),
            ({"operation": 5, "kind": "bad-gateway"}, "Rule 1, operation: 5"),
            ({"operation": "listworkspaces", "kind": "bad-gateway"}, "Rule 1, operation: the contract has no"),
            (
                {"operation": LIST, "kind": "explode"},
                "Rule 1, kind: there is no kind 'explode'; the kinds are bad-gateway, delay",
            ),
            ({"operation": LIST, "kind": ["delay"]}, "Rule 1, kind:"),
            ({"operation": LIST, "kind": "bad-gateway", "times": 1}, "Rule 1, times: bad-gateway does not have"),
            ({"operation": LIST, "kind": "bad-gateway", "": 1}, "Rule 1, : bad-gateway does not have"),
            ({"operation": LIST, "kind": "bad-gateway", 1: 1}, "Rule 1: it is not JSON"),
            ({"operation": LIST, "kind": "bad-gateway", "count": -1}, "Rule 1, count: -1 is less than"),
            ({"operation": LIST, "kind": "bad-gateway", "count": True}, "Rule 1, count: true is not of type"),
            ({"operation": LIST, "kind": "bad-gateway", "count": 10**30}, "Rule 1, count:"),
            ({"operation": LIST, "kind": "bad-gateway", "count": 1, "probability": 1}, "Rule 1, probability: the rule"),
            ({"operation": LIST, "kind": "bad-gateway", "probability": 1.5}, "Rule 1, probability: 1.5"),
            ({"operation": LIST, "kind": "bad-gateway", "probability": float("nan")}, "Rule 1"),
            ({"operation": LIST, "kind": "bad-gateway", "seed": 1}, '"probability" is a required property'),
            ({"operation": LIST, "kind": "bad-gateway", "skip": "2"}, 'Rule 1, skip: "2"'),
            ({"operation": LIST, "kind": "bad-gateway", "handled": 1}, "Rule 1, handled: 1"),
            ({"operation": LIST, "kind": "bad-gateway", "seconds": 1}, "Rule 1, seconds: bad-gateway does not have"),
            ({"operation": LIST, "kind": "delay"}, '"seconds" is a required property'),
            ({"operation": LIST, "kind": "delay", "seconds": -1}, "Rule 1, seconds: -1"),
            ({"operation": LIST, "kind": "delay", "seconds": float("inf")}, "Rule 1"),
            ({"operation": LIST, "kind": "slow-answer"}, "Rule 1, seconds_per_byte: it is missing"),
            ({"operation": LIST, "kind": "slow-answer", "seconds": 1, "seconds_per_byte": 1}, "has seconds too"),
            (
                {"operation": LIST, "kind": "slow-answer", "seconds": 1, "handled": False},
                "Rule 1, handled: slow-answer",
            ),
            ({"operation": LIST, "kind": "drop-before-answer", "after_bytes": 1}, "Rule 1, after_bytes:"),
            ({"operation": LIST, "kind": "too-many-requests", "retry_after": 0.5}, "Rule 1, retry_after: 0.5"),
            ({"operation": LIST, "kind": "too-many-requests", "form": "date"}, '"retry_after" is a required property'),
            ({"operation": LIST, "kind": "service-unavailable", "retry_after": 1, "form": "x"}, "Rule 1, form:"),
            ({"operation": LIST, "kind": "redirect"}, '"location" is a required property'),
            (
                {"operation": LIST, "kind": "redirect", "location": "/here"},
                "Rule 1, location: '/here' is not a complete URL",
            ),
            ({"operation": LIST, "kind": "redirect", "location": "https://[a"}, "Rule 1, location:"),
            ({"operation": LIST, "kind": "redirect", "location": "https://?a"}, "Rule 1, location:"),
            ({"operation": LIST, "kind": "redirect", "location": "https://a\r\nb: c"}, "Rule 1, location:"),
            (
                {"operation": LIST, "kind": "redirect", "location": "https://a.example", "status": 200},
                "Rule 1, status:",
            ),
            ({"operation": TOKEN, "kind": "expired-token"}, "Rule 1, operation: a request to request_token has no"),
        ],
    )
    def test_a_wrong_rule_is_refused_with_its_number_and_field(self, rule: Any, reason: str) -> None:
        faults = Faults()
        with pytest.raises(Problem) as refusal:
            faults.add([rule])
        assert refusal.value.status == 400
        sentence = object_of(refusal.value.content)["msg"]
        assert reason in sentence
        assert sentence.startswith("Rule 1")
        assert sentence.endswith(".")
        assert faults.list() == []
