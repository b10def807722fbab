"""Do the control routes reset, seed, show and configure a sandbox, for authorized clients only?"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import httpx
import numpy as np
import pyarrow as pa
import pytest

from contract_tests.support import recorded
from contract_tests.support.sandbox.steering import (
    JANUARY_MS,
    MODEL,
    PIPELINE,
    assay,
    baseline_of,
    day,
    done,
    reset,
    seed_pipeline,
    seed_rows,
    steer,
    wait_for,
)
from contract_tests.support.servers.callers import PASSWORD, sign_in, sign_in_as
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import ConversionError, connect, contract, infer, upload_model, wait_until_running
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.sandbox.control_client import Sandbox
from wallaroo_ext.sandbox.engine import engine
from wallaroo_ext.sandbox.engine.engine import ModelUnreadableError
from wallaroo_ext.sandbox.http.problems import Problem
from wallaroo_ext.sandbox.http.reset_gate import ResetGate
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.options import SandboxOptions
from wallaroo_ext.sandbox.paths import CONTROL
from wallaroo_ext.sandbox.server.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import ModelVersion

SECRET = "a-control-secret-of-the-tests"
BEARER = {"Authorization": f"Bearer {SECRET}"}
LOOPBACK, ELSEWHERE = "127.0.0.1", "203.0.113.7"
JSON_RECORDS, ARROW = contract.operation("infer_pipeline").request_types
RECORD, RECORDS = b'[{"tensor": [' + b"0.0, " * 28 + b"0.0]}]", {"Content-Type": JSON_RECORDS}
TIME_IS_LONG = {"seconds": 3600}
DROP = {"operation": "list_workspaces", "kind": "drop-before-answer", "count": 1}


@pytest.fixture(scope="module")
def data_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("control")


@pytest.fixture(scope="module")
def sandbox(data_directory: Path) -> Generator[dict[str, str]]:
    """Yield a sandbox for these tests alone, because they reset it."""
    with running(data_directory) as environment:
        yield environment


@pytest.fixture(autouse=True)
def steering(sandbox: dict[str, str]) -> Generator[httpx.Client]:
    """Yield an HTTP client that sends no token, for a sandbox that was just reset."""
    with httpx.Client(base_url=sandbox["WALLAROO_API_URL"], timeout=30) as plain:
        reset(plain)
        yield plain


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the message of an error in the API's form."""
    content = answer.json()
    assert content["code"] == answer.status_code
    assert set(content) == {"code", "msg"}
    return answer.status_code, content["msg"]


class FromAddress:
    """A client with an address that sends requests to a sandbox.

    Args:
        instance: The sandbox.
        peer: The address.
    """

    def __init__(self, instance: Instance, peer: str) -> None:
        app = create_app(instance, recorded.SPEC)
        self._transport = httpx.ASGITransport(app, client=(peer, 50_000))

    def request(self, method: str, path: str, headers: Any = None) -> httpx.Response:
        return asyncio.run(self._request(method, path, httpx.Headers(headers)))

    async def _request(self, method: str, path: str, headers: httpx.Headers) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._transport, base_url="http://127.0.0.1:8080") as plain:
            return await plain.request(method, path, headers=headers)

    def get(self, path: str, headers: Any = None) -> httpx.Response:
        return self.request("GET", path, headers)

    def post(self, path: str, headers: Any = None) -> httpx.Response:
        return self.request("POST", path, headers)


class TestAccess:
    @contextmanager
    def client(self, directory: Path, peer: str, secret: str | None) -> Generator[FromAddress]:
        """Return a client with an address, of a sandbox with or without a control secret."""
        instance = Instance(directory, SandboxOptions(control_secret=secret))
        yield FromAddress(instance, peer)
        instance.close()

    @pytest.mark.parametrize("peer", [LOOPBACK, "127.8.9.1", "::1", "::ffff:127.0.0.1"])
    def test_programs_on_the_machine_may(self, tmp_path: Path, peer: str) -> None:
        with self.client(tmp_path, peer, None) as client:
            for host in ("127.0.0.1:8080", "localhost", "LocalHost:80", "a.localhost:1", "[::1]:8080"):
                assert client.get(f"{CONTROL}/clock", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize("peer", [ELSEWHERE, "::ffff:203.0.113.7", "2001:db8::1", "testclient"])
    def test_others_may_not_without_a_secret(self, tmp_path: Path, peer: str) -> None:
        with self.client(tmp_path, peer, None) as client:
            for method, route in (("GET", "state"), ("POST", "reset"), ("GET", "faults"), ("GET", "transitions")):
                status, reason = refusal(client.request(method, f"{CONTROL}/{route}", headers=BEARER))
                assert status == 403
                assert reason.startswith("Only programs on its own machine may steer this sandbox. ")
                assert reason.endswith("Start it with --control-secret-file to allow others.")

    def test_who_has_the_secret_may(self, tmp_path: Path) -> None:
        with self.client(tmp_path, ELSEWHERE, SECRET) as client:
            assert client.get(f"{CONTROL}/state", headers=BEARER | {"Host": "sandbox.example"}).status_code == 200
            assert client.post(f"{CONTROL}/reset", headers={"Authorization": f"bearer  {SECRET} "}).status_code == 200
            for wrong in ({}, {"Authorization": f"Basic {SECRET}"}, {"Authorization": "Bearer é".encode("latin-1")}):
                status, reason = refusal(client.post(f"{CONTROL}/reset", headers=wrong))
                assert status == 403
                assert reason.endswith("To steer it from elsewhere, send `Authorization: Bearer <control secret>`.")
                assert SECRET not in reason

    def test_programs_on_the_machine_need_no_secret_where_there_is_one(self, tmp_path: Path) -> None:
        with self.client(tmp_path, LOOPBACK, SECRET) as client:
            assert client.get(f"{CONTROL}/state").status_code == 200

    @pytest.mark.parametrize(
        "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8080"]
    )
    def test_pages_of_other_origins_may_not(self, tmp_path: Path, origin: str) -> None:
        with self.client(tmp_path, LOOPBACK, SECRET) as client:
            for headers in ({}, BEARER):
                status, reason = refusal(client.post(f"{CONTROL}/reset", headers={"Origin": origin} | headers))
                assert (status, reason) == (403, "A web page of another origin may not steer this sandbox.")

    @pytest.mark.parametrize("site", ["cross-site", "same-site", "", "none, same-origin"])
    def test_pages_of_other_sites_may_not_even_look(self, tmp_path: Path, site: str) -> None:
        """Browsers request images and scripts of other sites with GET and without an Origin."""
        with self.client(tmp_path, LOOPBACK, None) as client:
            assert refusal(client.get(f"{CONTROL}/state", headers={"Sec-Fetch-Site": site}))[0] == 403
            assert client.get(f"{CONTROL}/state", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
            assert client.get(f"{CONTROL}/state", headers={"Sec-Fetch-Site": "none"}).status_code == 200

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP"])
    def test_a_header_does_not_say_where_a_request_comes_from(self, tmp_path: Path, header: str) -> None:
        value = "for=127.0.0.1" if header == "Forwarded" else LOOPBACK
        with self.client(tmp_path, ELSEWHERE, None) as client:
            headers = {header: value, "Host": "127.0.0.1:8080"}
            assert refusal(client.post(f"{CONTROL}/reset", headers=headers))[0] == 403

    def test_its_own_page_may(self, tmp_path: Path) -> None:
        with self.client(tmp_path, LOOPBACK, None) as client:
            assert client.post(f"{CONTROL}/reset", headers={"Origin": "http://127.0.0.1:8080"}).status_code == 200

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "[::1",
            "",
            "localhost.evil",
            "localhost:80@evil.example",
            "localhost:x",
            "evil.example:80:localhost",
            "localhost evil",
            "0.0.0.0",  # noqa: S104 - nothing is bound to it
            "[::]",
            "[::1]evil",
            "127.1",
            "localhost,evil.example",
        ],
    )
    def test_a_foreign_name_for_the_machine_will_not_do(self, tmp_path: Path, host: str) -> None:
        with self.client(tmp_path, LOOPBACK, None) as client:
            headers = {"Host": host, "Origin": f"http://{host}"}
            status, reason = refusal(client.post(f"{CONTROL}/reset", headers=headers))
            assert status == 403
            assert "by the host localhost" in reason

    def test_the_secret_is_not_shown(self) -> None:
        assert SECRET not in repr(SandboxOptions(control_secret=SECRET))


class TestRequests:
    def test_a_wrong_method_is_405(self, steering: httpx.Client) -> None:
        for method, route, allowed in (("GET", "reset", "POST"), ("POST", "state", "GET"), ("HEAD", "state", "GET")):
            answer = steering.request(method, f"{CONTROL}/{route}")
            assert answer.status_code == 405
            assert answer.headers["Allow"] == allowed

    def test_an_unknown_parameter_is_refused(self, steering: httpx.Client) -> None:
        status, reason = refusal(steering.post(f"{CONTROL}/reset?hard=1"))
        assert status == 400
        assert "'hard'" in reason

    def test_a_body_for_nothing_is_refused(self, steering: httpx.Client) -> None:
        for method, route in (("POST", "reset"), ("GET", "state")):
            status, reason = refusal(steering.request(method, f"{CONTROL}/{route}", json={}))
            assert status == 400
            assert "takes no body" in reason

    @pytest.mark.parametrize("route", ["clock", "seed", "transitions"])
    def test_a_body_is_json_by_its_type_and_its_content(self, steering: httpx.Client, route: str) -> None:
        path = f"{CONTROL}/{route}"
        for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
            status, reason = refusal(steering.post(path, content=b"{}", headers=headers))
            assert status == 415
            assert "application/json" in reason
        for content in (b"", b"{", b"[]", b"null", b"\xff", b'{"unheard": 1}', b'{"now": NaN}'):
            answer = steering.post(path, content=content, headers={"Content-Type": "application/json"})
            assert refusal(answer)[0] == 400

    def test_answers_are_not_kept_by_caches(self, steering: httpx.Client) -> None:
        assert steering.get(f"{CONTROL}/clock").headers["Cache-Control"] == "no-store"


def deploy_and_infer(
    client: Client, model_file: Path, deploy: Callable[..., Any], name: str
) -> tuple[ModelVersion, str]:
    """Upload and deploy a model, score three rows, and return the model version and the URL of the deployment."""
    version = upload_model(client, model_file, name=name, workspace=1)
    deployment, url = deploy(name, version.id)
    wait_until_running(client, deployment)
    infer(client, url, {"tensor": np.ones((3, 29), np.float32)})
    return version, url


class TestReset:
    def fill(
        self, steering: httpx.Client, client: Client, http: httpx.Client, model_file: Path, deploy: Callable[..., Any]
    ) -> str:
        """Add a record of each kind, and return the URL of a deployment."""
        _, url = deploy_and_infer(client, model_file, deploy, "kept")
        pipeline_id = seed_pipeline(steering)
        seed_rows(steering, pipeline_id, [*day(1, 1, 2), *day(2, 3)])
        assay_id = done(http, "create_assay", assay(pipeline_id))["assay_id"]
        assert len(done(http, "get_assay_results", {"assay_id": assay_id})) == 1
        done(http, "invite_user", {"email": "second@example.com", "password": PASSWORD})
        steer(steering, "clock", {"advance": 3600})
        steer(steering, "transitions", {"deployments": TIME_IS_LONG, "models": TIME_IS_LONG})
        steer(steering, "faults", {"rules": [DROP | {"skip": 1000}]})
        return url

    def test_nothing_is_left_but_the_default_user(
        self,
        steering: httpx.Client,
        client: Client,
        http: httpx.Client,
        model_file: Path,
        deploy: Callable[..., Any],
        data_directory: Path,
    ) -> None:
        reset(steering)
        new = steer(steering, "state")
        url = self.fill(steering, client, http, model_file, deploy)
        filled = steer(steering, "state")
        assert all(filled["counts"].values())
        assert list((data_directory / "models").iterdir())
        reset(steering)
        left = steer(steering, "state")
        assert abs(left["clock"].pop("ahead_seconds")) == abs(new["clock"].pop("ahead_seconds")) == 0
        assert left.pop("clock").keys() == new.pop("clock").keys()
        assert left == new
        assert list((data_directory / "models").iterdir()) == list((data_directory / "log").iterdir()) == []
        assert http.post(url, content=RECORD, headers=RECORDS).status_code == 404

    def test_ids_begin_at_one_again(
        self, steering: httpx.Client, client: Client, http: httpx.Client, model_file: Path, deploy: Callable[..., Any]
    ) -> None:
        for _ in range(2):
            version = upload_model(client, model_file, name="first", workspace=1)
            deployment, _ = deploy("first", version.id)
            assert (version.id, version.models_pk_id, deployment) == (1, 1, "first-1")
            wait_until_running(client, deployment)
            seeded = steer(steering, "seed", {"workspaces": [{"name": "w"}]})
            assert seeded["workspaces"] == [2]
            done(http, "invite_user", {"email": "second@example.com"})
            reset(steering)

    def test_tokens_and_credentials_stay_good(self, steering: httpx.Client, sandbox: dict[str, str]) -> None:
        grant = {"grant_type": "password", "username": sandbox["WALLAROO_USER"]}
        before = sign_in(sandbox, **grant, password=sandbox["WALLAROO_PASSWORD"]).json()
        headers = {"Authorization": f"Bearer {before['access_token']}"}
        path = contract.operation("deactivate_user").path
        assert steering.post(path, json={"email": sandbox["WALLAROO_USER"]}, headers=headers).is_success
        reset(steering)
        listed = steering.post(contract.operation("list_workspaces").path, json={}, headers=headers)
        assert [workspace["id"] for workspace in listed.json()["workspaces"]] == [1]
        refreshed = sign_in(sandbox, grant_type="refresh_token", refresh_token=before["refresh_token"])
        assert refreshed.status_code == 200
        assert sign_in(sandbox, **grant, password=sandbox["WALLAROO_PASSWORD"]).status_code == 200

    def test_another_users_tokens_are_no_good_afterwards(
        self, steering: httpx.Client, http: httpx.Client, sandbox: dict[str, str]
    ) -> None:
        done(http, "invite_user", {"email": "second@example.com", "password": PASSWORD})
        theirs = sign_in_as(sandbox, "second@example.com").json()
        reset(steering)
        headers = {"Authorization": f"Bearer {theirs['access_token']}"}
        assert steering.post(contract.operation("list_workspaces").path, json={}, headers=headers).status_code == 401
        assert sign_in(sandbox, grant_type="refresh_token", refresh_token=theirs["refresh_token"]).status_code == 400
        assert sign_in_as(sandbox, "second@example.com").status_code == 401

    def test_an_upload_that_is_still_arriving_leaves_nothing(
        self, steering: httpx.Client, http: httpx.Client, model_file: Path, data_directory: Path
    ) -> None:
        content = model_file.read_bytes()

        def pieces() -> Iterator[bytes]:
            yield content[:100]
            wait_for(lambda: steer(steering, "state")["requests"].get("upload_model_stream") == {"unanswered": 1})
            reset(steering)
            yield content[100:]

        query = {"name": "old", "filename": "old.onnx", "visibility": "private", "workspace_id": 1}
        answer = http.post(
            contract.operation("upload_model_stream").path,
            params=query,
            content=pieces(),
            headers={"Content-Type": "application/octet-stream"},
        )
        status, reason = refusal(answer)
        assert status == 503
        assert "was reset while this request was under way" in reason
        assert steer(steering, "state")["counts"]["models"] == 0
        assert list((data_directory / "models").iterdir()) == []
        wait_for(lambda: not list((data_directory / "staging").iterdir()))

    def test_conversions_and_deployments_under_way_come_to_nothing(
        self, steering: httpx.Client, http: httpx.Client, client: Client, model_file: Path, deploy: Callable[..., Any]
    ) -> None:
        upload = contract.operation("upload_model_stream").path
        query = {"name": "same", "filename": "m.onnx", "visibility": "private", "workspace_id": 1}
        headers = {"Content-Type": "application/octet-stream"}
        for _ in range(20):
            http.post(upload, params=query, content=b"no model", headers=headers).raise_for_status()
            deploy("same", 1)
            reset(steering)
        version = upload_model(client, model_file, name="same", workspace=1)
        deployment, _ = deploy("same", version.id)
        wait_until_running(client, deployment)
        state = steer(steering, "state")
        assert [model["status"] for model in state["models"]] == ["ready"]
        assert [found["status"] for found in state["deployments"]] == ["Running"]

    def test_a_conversion_that_ends_after_a_reset_changes_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def refuse_slowly(*_: Any, **__: Any) -> None:
            begun.set()
            assert go_on.wait(30)
            raise ModelUnreadableError("it was slow")

        monkeypatch.setattr(engine, "open_models", refuse_slowly)
        instance = Instance(tmp_path)
        instance.engine.convert(_add_version(instance))
        assert begun.wait(60)
        instance.reset()
        assert _add_version(instance) == 1
        go_on.set()
        instance.engine.close()  # work in progress finishes first
        with instance.store.reading() as db:
            [row] = db.execute("SELECT status, error_summary FROM model_versions")
            assert tuple(row) == ("pending_conversion", None)
        instance.close()

    def test_nothing_old_comes_back_under_load(
        self, steering: httpx.Client, sandbox: dict[str, str], token: str, model_file: Path
    ) -> None:
        ended = threading.Event()
        statuses: set[int] = set()

        def load(number: int) -> None:
            headers = {"Authorization": f"Bearer {token}"}
            query = {"name": f"m{number}", "filename": "m.onnx", "visibility": "private", "workspace_id": 1}
            with httpx.Client(base_url=sandbox["WALLAROO_API_URL"], headers=headers, timeout=60) as plain:
                while not ended.is_set():
                    answers = [
                        plain.post(
                            contract.operation("upload_model_stream").path,
                            params=query,
                            content=model_file.read_bytes(),
                            headers={"Content-Type": "application/octet-stream"},
                        ),
                        _post(plain, "create_pipeline", pipeline_id=f"p{number}", workspace_id=1, definition={}),
                        _post(plain, "list_models", workspace_id=1),
                        _post(plain, "create_workspace", workspace_name=f"w{number}"),
                    ]
                    statuses.update(answer.status_code for answer in answers)

        with ThreadPoolExecutor(4) as threads:
            loads = [threads.submit(load, number) for number in range(4)]
            try:
                for _ in range(20):
                    reset(steering)
            finally:
                ended.set()
            for running_load in loads:
                running_load.result()
        assert statuses <= {200, 400, 503}  # 400: the name is taken
        reset(steering)
        counts = steer(steering, "state")["counts"]
        assert {name: count for name, count in counts.items() if count} == {"users": 1, "workspaces": 1}


def _post(plain: httpx.Client, operation: str, **body: Any) -> httpx.Response:
    return plain.post(contract.operation(operation).path, json=body)


def _add_version(instance: Instance) -> int:
    """Return the id of a model version without a file."""
    with instance.store.transaction() as db:
        db.execute("PRAGMA defer_foreign_keys = ON")
        cursor = db.execute(
            "INSERT INTO model_versions (model_id, version, sha, file_name, metadata, status, created_at) "
            """VALUES (1, 'v', '', 'f', '{"conversion": {"framework": "onnx"}}', 'pending_conversion', '')"""
        )
        db.execute("INSERT INTO models VALUES (1, 1, 'm', 'private', '', '')")
        return int(cursor.lastrowid or 0)


class TestGate:
    def test_who_wants_to_be_alone_waits_and_lets_nobody_in_meanwhile(self) -> None:
        gate, begun, go_on = ResetGate(), threading.Event(), threading.Event()
        order: list[str] = []

        def work(name: str) -> None:
            order.append(name)
            begun.set()
            assert go_on.wait(30)
            order.append(f"{name} ended")

        def be_alone() -> None:
            with gate.exclusive():
                order.append("alone")

        with ThreadPoolExecutor(3) as threads:
            first = threads.submit(gate.run, 0, work, "first")
            assert begun.wait(30)
            alone = threads.submit(be_alone)
            wait_for(lambda: gate.is_closed)
            late = threads.submit(gate.run, 0, work, "late")
            go_on.set()
            first.result(30)
            alone.result(30)
            with pytest.raises(Problem) as raised:
                late.result(30)
        assert raised.value.status == 503
        assert order == ["first", "first ended", "alone"]
        assert gate.run(1, str, 7) == "7"

    def test_a_failure_inside_keeps_nobody_out(self) -> None:
        gate = ResetGate()
        with pytest.raises(ValueError, match="invalid literal"):
            gate.run(0, int, "x")
        with pytest.raises(ZeroDivisionError), gate.exclusive():
            _ = 1 / 0
        assert gate.run(1, int, "5") == 5


ROW = {"time": 1, "out.y": 1.0}
UNSEEDABLE: list[tuple[dict[str, Any], str]] = [
    ({"models": []}, "models"),
    ({"users": {}}, "users"),
    ({"users": [{"email": "a@example.com"}]}, "password"),
    ({"users": [{"email": "no address", "password": "x"}]}, "no address"),
    ({"users": [{"email": "a@example.com", "password": ""}]}, "users.1.password"),
    ({"users": [{"email": "USER@example.com", "password": "x"}]}, "The user 'USER@example.com' already exists"),
    ({"users": [{"email": "a@example.com", "password": "x", "admin": True}]}, "admin"),
    ({"workspaces": [{"name": "No Name!"}]}, "No Name!"),
    ({"workspaces": [{"name": "w"}, {"name": "w"}]}, "The workspace 'w' already exists"),
    ({"workspaces": [{"name": "w", "owner": "nobody@example.com"}]}, "'nobody@example.com', is not a user"),
    ({"pipelines": [{"name": "p", "workspace_id": 7}]}, "The workspace 7"),
    ({"pipelines": [{"name": "p", "workspace_id": 2**63}]}, "workspace_id"),
    ({"pipelines": [{"name": "No Name!", "workspace_id": 1}]}, "No Name!"),
    ({"pipelines": [{"name": "p", "workspace_id": 1}] * 2}, "has a pipeline 'p' already"),
    (
        {"inferences": [{"pipeline_id": 5, "model_name": MODEL, "rows": [ROW]}]},
        "The pipeline 5 of the rows does not exist",
    ),
    ({"inferences": [{"pipeline_id": 1, "model_name": MODEL, "rows": []}]}, "rows"),
    ({"inferences": [{"pipeline_id": 1, "model_name": MODEL, "rows": [{"time": 1}]}]}, "have a column"),
    ({"inferences": [{"pipeline_id": 1, "model_name": MODEL, "rows": [{"out.y": 1}]}]}, "time"),
    ({"inferences": [{"pipeline_id": 1, "model_name": MODEL, "rows": [ROW | {"y": 1}]}]}, "y"),
    ({"inferences": [{"pipeline_id": 1, "model_name": MODEL, "rows": [ROW | {"time": "1"}]}]}, "time"),
    ({"inferences": [{"pipeline_id": 1, "model_name": MODEL, "rows": [ROW | {"out.y": {}}]}]}, "out.y"),
    (
        {"inferences": [{"pipeline_id": 1, "model_name": MODEL, "rows": [ROW, ROW | {"out.y": "a"}]}]},
        "inferences.0: the column 'out.y' has values of different types",
    ),
    (
        {"inferences": [{"pipeline_id": 1, "model_name": MODEL, "rows": [ROW, ROW | {"out.z": 1}]}]},
        "inferences.0.1: the row and the first one differ in the column 'out.z'",
    ),
]
"""Invalid seeds, and a part of the error message for each."""


class TestSeed:
    def test_all_kinds_at_once(self, steering: httpx.Client, sandbox: dict[str, str]) -> None:
        made = steer(
            steering,
            "seed",
            {
                "users": [{"email": "Second@example.com", "password": PASSWORD}],
                "workspaces": [{"name": "theirs", "owner": "second@example.com"}, {"name": "ours"}],
                "pipelines": [{"name": PIPELINE, "workspace_id": 3}, {"name": PIPELINE, "workspace_id": 4}],
                "inferences": [
                    {
                        "pipeline_id": 1,
                        "model_name": MODEL,
                        "rows": [
                            {"time": JANUARY_MS, "in.x": 1, "in.name": "a", "out.y": [[0.5, 1], [2, 3]]},
                            {"time": JANUARY_MS + 1, "in.x": 2.5, "in.name": None, "out.y": [[4, 5], [6, 7]]},
                        ],
                    }
                ],
            },
        )
        assert [len(made["users"]), made["workspaces"], made["pipelines"], made["inferences"]] == [
            1,
            [3, 4],
            [1, 2],
            [1],
        ]
        token = sign_in_as(sandbox, "second@example.com").json()["access_token"]
        steering.headers["Authorization"] = f"Bearer {token}"
        workspaces = done(steering, "list_workspaces", {})["workspaces"]
        assert [(found["id"], found["name"]) for found in workspaces][1:] == [(3, "theirs")]
        rows = done(steering, "get_assay_baseline", {"workspace_id": 3, "pipeline_name": PIPELINE})
        assert [row["time"] for row in rows] == [JANUARY_MS, JANUARY_MS + 1]
        assert [(row["in.x"], row["in.name"], row["out.y"]) for row in rows] == [
            (1.0, "a", [[0.5, 1.0], [2.0, 3.0]]),
            (2.5, None, [[4.0, 5.0], [6.0, 7.0]]),
        ]
        assert rows[0]["metadata.last_model"] == '{"model_name":"model","model_sha":""}'
        again: dict[str, Any] = {"pipeline_id": PIPELINE, "workspace_id": 3, "definition": {}}
        assert done(steering, "create_pipeline", again)["pipeline_pk_id"] == 1

    def test_rows_are_of_the_newest_version_of_their_model(
        self, steering: httpx.Client, http: httpx.Client, client: Client, model_file: Path
    ) -> None:
        version = upload_model(client, model_file, name=MODEL, workspace=1)
        seed_rows(steering, seed_pipeline(steering), day(1, 5))
        [row] = done(http, "get_assay_baseline", {"workspace_id": 1, "pipeline_name": PIPELINE})
        assert version.sha in row["metadata.last_model"]

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns", None])
    def test_an_arrow_file_is_the_same(self, steering: httpx.Client, http: httpx.Client, unit: Any) -> None:
        pipeline_id = seed_pipeline(steering)
        times = JANUARY_MS + 1000 * np.arange(10_000)
        column: Any = pa.array(times)
        if unit is not None:
            column = column.cast(pa.timestamp("ms")).cast(pa.timestamp(unit, "UTC"))
        values = np.random.default_rng(1).normal(size=(10_000, 3))
        inputs = cast("Any", pa.FixedSizeListArray).from_arrays(pa.array(values.ravel()), 3)
        table = pa.table({"time": column, "in.x": inputs, "out.y": pa.array(values[:, 0])})
        made = self.send(steering, table, pipeline_id=pipeline_id, model_name=MODEL).json()
        assert made == {"users": [], "workspaces": [], "pipelines": [], "inferences": [1]}
        [logged] = steer(steering, "state")["inferences"]
        span = {"first_ms": JANUARY_MS, "last_ms": JANUARY_MS + 9_999_000}
        assert logged == {"pipeline_id": pipeline_id, "model_name": MODEL, "requests": 1, "rows": 10_000} | span
        body = {"workspace_id": 1, "pipeline_name": PIPELINE, "limit": 2}
        rows = done(http, "get_assay_baseline", body)
        assert [row["in.x"] for row in rows] == values[:2].tolist()
        request = assay(pipeline_id, path="input x 2")
        assert done(http, "run_interactive_assay_baseline", request)["baseline_summary"]["max"] == values[:, 2].max()

    def send(self, steering: httpx.Client, table: pa.Table | bytes, **query: Any) -> httpx.Response:
        content = table if isinstance(table, bytes) else to_file(table).to_pybytes()
        return steering.post(f"{CONTROL}/seed", params=query, content=content, headers={"Content-Type": ARROW})

    @pytest.mark.parametrize(
        ("columns", "reason"),
        [
            ({"in.x": [1.0]}, "have a column 'time'"),
            ({"time": [1]}, "columns 'in.<field>' or 'out.<field>'"),
            ({"time": [1], "x": [1.0]}, "'x' is neither"),
            ({"time": [1], "in.": [1.0]}, "'in.' is neither"),
            ({"time": [1.5], "in.x": [1.0]}, "milliseconds since 1970 or timestamps"),
            ({"time": ["1"], "in.x": [1.0]}, "milliseconds since 1970 or timestamps"),
            ({"time": pa.array([1, None]), "in.x": [1.0, 2.0]}, "no nulls"),
            ({"time": [-1], "in.x": [1.0]}, "1970 to 9999"),
            ({"time": [253_402_300_800_000], "in.x": [1.0]}, "1970 to 9999"),
            ({"time": pa.array([2**64 - 1], pa.uint64()), "in.x": [1.0]}, "not times"),
            ({"time": pa.array([2**62], pa.timestamp("s")), "in.x": [1.0]}, "'time' has"),
            ({"time": [1], "in.x": [{"a": 1}]}, "the type struct"),
            ({"time": [1], "in.x": pa.nulls(1)}, "the type null"),
            ({"time": pa.array([], pa.int64()), "in.x": pa.array([], pa.float64())}, "no rows"),
        ],
    )
    def test_columns_that_are_no_log_are_refused(self, steering: httpx.Client, columns: Any, reason: str) -> None:
        pipeline_id = seed_pipeline(steering)
        answer = self.send(steering, pa.table(columns), pipeline_id=pipeline_id, model_name=MODEL)
        assert refusal(answer)[0] == 400
        assert reason in answer.json()["msg"]
        assert steer(steering, "state")["counts"]["inferences"] == 0

    @pytest.mark.parametrize(
        ("query", "reason"),
        [
            ({}, "pipeline_id: an Arrow file needs"),
            ({"pipeline_id": 1}, "model_name: an Arrow file needs"),
            ({"pipeline_id": "-1", "model_name": MODEL}, "not '-1'"),
            ({"pipeline_id": "9" * 5000, "model_name": MODEL}, "pipeline_id"),
            ({"pipeline_id": "٣", "model_name": MODEL}, "pipeline_id"),
            ({"pipeline_id": 9, "model_name": MODEL}, "The pipeline 9 of the rows does not exist"),
            ({"pipeline_id": 1, "model_name": MODEL, "rows": 3}, "'rows'"),
        ],
    )
    def test_a_query_that_names_nothing_is_refused(self, steering: httpx.Client, query: Any, reason: str) -> None:
        seed_pipeline(steering)
        status, found = refusal(self.send(steering, pa.table({"time": [1], "in.x": [1.0]}), **query))
        assert (status, reason in found) == (400, True), found

    def test_other_bytes_than_an_arrow_file_are_refused(self, steering: httpx.Client) -> None:
        broken = bytearray(to_file(pa.table({"time": [1], "in.x": ["é"]})).to_pybytes())
        broken[broken.index("é".encode())] = 0xFF
        for content in (b"", b"ARROW1", b"{}", bytes(broken)):
            status, reason = refusal(
                self.send(steering, content, pipeline_id=seed_pipeline(steering), model_name=MODEL)
            )
            assert status == 400
            assert reason.startswith("The body is")
            assert reason.count("no Arrow file") <= 1
            reset(steering)

    @pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.large_list(pa.large_string())])
    def test_texts_of_any_type_are_seeded(self, steering: httpx.Client, http: httpx.Client, kind: Any) -> None:
        """Polars has large texts and views of them."""
        values = [["a"], ["b"]] if pa.types.is_large_list(kind) else ["a", "b"]
        table = pa.table({"time": [JANUARY_MS] * 2, "in.x": pa.array(values, kind), "out.y": [1.0, 2.0]})
        answer = self.send(steering, table, pipeline_id=seed_pipeline(steering), model_name=MODEL)
        assert answer.is_success, answer.text
        body = {"workspace_id": 1, "pipeline_name": PIPELINE, "limit": 2}
        found = [row.get("in.x", row.get("in.x.0")) for row in done(http, "get_assay_baseline", body)]
        assert found in (["a", "b"], [["a"], ["b"]])

    def test_two_columns_of_one_name_are_refused(self, steering: httpx.Client) -> None:
        table = pa.Table.from_arrays([pa.array([1]), pa.array([1]), pa.array([2])], names=["time", "in.x", "in.x"])
        status, reason = refusal(self.send(steering, table, pipeline_id=seed_pipeline(steering), model_name=MODEL))
        assert (status, "one name" in reason) == (400, True)

    @pytest.mark.parametrize(("body", "reason"), UNSEEDABLE)
    def test_what_cannot_be_seeded_leaves_nothing(self, steering: httpx.Client, body: Any, reason: str) -> None:
        good = {"email": "good@example.com", "password": PASSWORD}
        if isinstance(body.get("users", []), list):
            body = body | {"users": [good, *body.get("users", [])]}
        before = steer(steering, "state")["counts"]
        status, found = refusal(steering.post(f"{CONTROL}/seed", json=body))
        assert (status, reason in found) == (400, True), found
        assert steer(steering, "state")["counts"] == before

    def test_deep_lists_are_refused(self, steering: httpx.Client) -> None:
        deep: Any = 1.0
        for _ in range(60):
            deep = [deep]
        entry = {"pipeline_id": seed_pipeline(steering), "model_name": MODEL, "rows": [{"time": 1, "in.x": deep}]}
        status, reason = refusal(steering.post(f"{CONTROL}/seed", json={"inferences": [entry]}))
        assert (status, "'in.x' has the type" in reason) == (400, True)


class TestState:
    def test_it_lists_what_there_is(
        self, steering: httpx.Client, client: Client, http: httpx.Client, model_file: Path, deploy: Callable[..., Any]
    ) -> None:
        version, url = deploy_and_infer(client, model_file, deploy, "shown")
        infer(client, url, {"tensor": np.ones((2, 29), np.float32)})
        done(http, "create_assay", assay(1, pipeline_name="shown") | _named("shown"))
        state = steer(steering, "state")
        assert state["counts"] == {
            "users": 1,
            "workspaces": 1,
            "models": 1,
            "pipelines": 1,
            "deployments": 1,
            "inferences": 2,
            "assays": 1,
        }
        [user], [model], [found], [logged], [watching] = (
            state[name] for name in ("users", "models", "deployments", "inferences", "assays")
        )
        assert (user["email"], user["enabled"]) == ("user@example.com", True)
        assert (model["name"], model["status"], model["version"]) == ("shown", "ready", version.model_version)
        assert found == {"id": 1, "deploy_id": "shown", "pipeline_id": 1, "status": "Running"}
        assert (logged["requests"], logged["rows"], logged["model_name"]) == (2, 5, "shown")
        assert (watching["name"], watching["active"], watching["results"]) == ("watch", True, 0)
        done(http, "undeploy_pipeline", {"pipeline_id": 1})
        assert steer(steering, "state")["deployments"][0]["status"] is None

    def test_lists_are_short_and_counts_are_whole(self, steering: httpx.Client) -> None:
        steer(steering, "seed", {"pipelines": [{"name": f"p{number}", "workspace_id": 1} for number in range(150)]})
        state = steer(steering, "state")
        assert (state["counts"]["pipelines"], len(state["pipelines"])) == (150, 100)
        assert [found["id"] for found in state["pipelines"]] == list(range(51, 151))

    def test_requests_are_counted_by_operation_and_status(
        self, steering: httpx.Client, sandbox: dict[str, str], http: httpx.Client
    ) -> None:
        reset(steering)
        assert steer(steering, "state")["requests"] == {}
        for body in ({}, {}, {"user_id": 5}):
            http.post(contract.operation("list_workspaces").path, json=body)
        steering.post(contract.operation("list_workspaces").path, json={})
        sign_in_as(sandbox, "nobody@example.com")
        assert steer(steering, "state")["requests"] == {
            "list_workspaces": {"200": 2, "400": 1, "401": 1},
            "request_token": {"401": 1},
        }

    def test_a_request_whose_answer_never_came_is_counted_too(self, steering: httpx.Client, http: httpx.Client) -> None:
        steer(steering, "faults", {"rules": [DROP]})
        path = contract.operation("list_workspaces").path
        with pytest.raises(httpx.RemoteProtocolError):
            http.post(path, json={})
        assert http.post(path, json={}).status_code == 200
        assert steer(steering, "state")["requests"]["list_workspaces"] == {"200": 1, "unanswered": 1}

    def test_nothing_in_it_is_secret(self, steering: httpx.Client, sandbox: dict[str, str], token: str) -> None:
        text = steering.get(f"{CONTROL}/state").text
        for secret in (sandbox["WALLAROO_PASSWORD"], sandbox["WALLAROO_CLIENT_SECRET"], token):
            assert secret not in text


def _named(name: str) -> dict[str, Any]:
    """Return the fields of an assay that name its pipeline."""
    window = assay(1)["window"] | {"pipeline_name": name, "model_name": name}
    return {"baseline": baseline_of(window), "window": window}


class TestTransitions:
    def status(self, http: httpx.Client, deployment: str) -> dict[str, Any]:
        return done(http, "get_deployment_status", {"name": deployment})

    @pytest.fixture
    def version_id(self, client: Client, model_file: Path) -> int:
        return upload_model(client, model_file, name="slow", workspace=1).id

    def test_usually_nothing_takes_longer_than_it_does(self, steering: httpx.Client) -> None:
        usual = {"deployments": {"seconds": 0.0, "status": "Running"}, "models": {"seconds": 0.0, "status": "ready"}}
        assert steer(steering, "transitions") == usual
        deployments = {"seconds": 2, "status": "Error", "reason": "out of memory"}
        changed = usual | {"deployments": deployments}
        assert steer(steering, "transitions", {"deployments": deployments}) == changed
        assert steer(steering, "transitions") == steer(steering, "transitions", {}) == changed
        assert steer(steering, "transitions", {"deployments": {}}) == usual

    def test_a_deployment_takes_as_long_as_it_is_told(
        self,
        steering: httpx.Client,
        http: httpx.Client,
        client: Client,
        version_id: int,
        deploy: Callable[..., tuple[str, str]],
    ) -> None:
        steer(steering, "transitions", {"deployments": {"seconds": 1.5}})
        deployment, url = deploy("slow", version_id)
        steer(steering, "transitions", {"deployments": {}})
        found = self.status(http, deployment)
        assert (found["status"], found["engines"][0]["status"]) == ("Starting", "Pending")
        assert http.post(url, content=RECORD, headers=RECORDS).status_code == 503
        wait_until_running(client, deployment)
        assert http.post(url, content=RECORD, headers=RECORDS).status_code == 200

    def test_a_deployment_fails_as_it_is_told(
        self, steering: httpx.Client, http: httpx.Client, version_id: int, deploy: Callable[..., tuple[str, str]]
    ) -> None:
        steer(steering, "transitions", {"deployments": {"seconds": 0.2, "status": "Error", "reason": "no room left"}})
        deployment, url = deploy("slow", version_id)
        wait_for(lambda: self.status(http, deployment)["status"] == "Error")
        answer = http.post(url, content=RECORD, headers=RECORDS)
        assert (answer.status_code, "the deployment is Error" in answer.text) == (503, True)
        [engine] = self.status(http, deployment)["engines"]
        assert (engine["status"], engine["details"]) == ("Error", ["no room left"])

    def test_a_deployment_that_never_starts_is_ended_and_begun_anew(
        self,
        steering: httpx.Client,
        http: httpx.Client,
        client: Client,
        version_id: int,
        deploy: Callable[..., tuple[str, str]],
    ) -> None:
        steer(steering, "transitions", {"deployments": {"status": "Starting"}})
        deployment, _ = deploy("slow", version_id)
        assert self.status(http, deployment)["status"] == "Starting"
        steer(steering, "transitions", {"deployments": {}})
        done(http, "undeploy_pipeline", {"pipeline_id": 1})
        assert http.post(contract.operation("get_deployment_status").path, json={"name": deployment}).status_code == 404
        assert deploy("slow", version_id)[0] == deployment
        wait_until_running(client, deployment)

    def test_a_conversion_takes_as_long_as_it_is_told(
        self, steering: httpx.Client, client: Client, model_file: Path
    ) -> None:
        steer(steering, "transitions", {"models": {"seconds": 1}})
        with ThreadPoolExecutor(1) as threads:
            upload = threads.submit(upload_model, client, model_file, name="slow", workspace=1)
            wait_for(lambda: [found["status"] for found in steer(steering, "state")["models"]] == ["converting"])
            assert upload.result(30).status == "ready"

    def test_a_conversion_fails_as_it_is_told(self, steering: httpx.Client, client: Client, model_file: Path) -> None:
        steer(steering, "transitions", {"models": {"seconds": 0.2, "status": "error", "reason": "a bad day"}})
        with pytest.raises(ConversionError, match="a bad day"):
            upload_model(client, model_file, name="slow", workspace=1)

    def test_many_that_wait_keep_no_thread_from_working(
        self, steering: httpx.Client, http: httpx.Client, client: Client, model_file: Path
    ) -> None:
        steer(steering, "transitions", {"models": TIME_IS_LONG})
        for number in range(10):
            http.post(
                contract.operation("upload_model_stream").path,
                params={"name": f"m{number}", "filename": "m.onnx", "visibility": "private", "workspace_id": 1},
                content=model_file.read_bytes(),
                headers={"Content-Type": "application/octet-stream"},
            ).raise_for_status()
        steer(steering, "transitions", {"models": {}})
        assert upload_model(client, model_file, name="quick", workspace=1).status == "ready"
        statuses = [found["status"] for found in steer(steering, "state")["models"]]
        assert statuses == ["converting"] * 10 + ["ready"]

    def test_an_end_in_between_is_clean(self, tmp_path: Path, model_file: Path) -> None:
        with running(tmp_path) as environment, connect(environment=environment) as client:
            http = client.get_httpx_client()
            steer(http, "transitions", {"models": TIME_IS_LONG})
            with ThreadPoolExecutor(1) as threads:
                threads.submit(_upload_and_leave, http, model_file).result(30)
            wait_for(lambda: [found["status"] for found in steer(http, "state")["models"]] == ["converting"])
        with running(tmp_path) as environment, connect(environment=environment) as client:
            http = client.get_httpx_client()
            wait_for(lambda: [found["status"] for found in steer(http, "state")["models"]] == ["ready"])

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            ({"pipelines": {}}, "pipelines"),
            ({"deployments": []}, "deployments"),
            ({"deployments": {"seconds": -1}}, "deployments.seconds"),
            ({"deployments": {"seconds": 1e9}}, "deployments.seconds"),
            ({"deployments": {"seconds": "1"}}, "deployments.seconds"),
            ({"deployments": {"status": "ready"}}, "deployments.status"),
            ({"models": {"status": "Running"}}, "models.status"),
            ({"models": {"reason": ""}}, "models.reason"),
            ({"models": {"details": "x"}}, "details"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, steering: httpx.Client, body: Any, reason: str) -> None:
        before = steer(steering, "transitions")
        status, found = refusal(steering.post(f"{CONTROL}/transitions", json=body))
        assert (status, reason in found) == (400, True), found
        assert steer(steering, "transitions") == before


def test_certificates_are_read_for_tls_alone(sandbox: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object, **__: object) -> None:
        raise OSError("certificates were read")

    monkeypatch.setattr("ssl.create_default_context", read)
    with Sandbox(sandbox) as control:
        assert control.state()
    with pytest.raises(OSError, match="certificates were read"):
        Sandbox(sandbox | {"WALLAROO_API_URL": sandbox["WALLAROO_API_URL"].replace("http:", "https:")})


def _upload_and_leave(http: httpx.Client, model_file: Path) -> None:
    """Upload a model without waiting for its conversion."""
    http.post(
        contract.operation("upload_model_stream").path,
        params={"name": "slow", "filename": "m.onnx", "visibility": "private", "workspace_id": 1},
        content=model_file.read_bytes(),
        headers={"Content-Type": "application/octet-stream"},
    ).raise_for_status()
