"""What does the sandbox answer on a full disk, and does it work again afterwards?"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import resource
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request

from contract_tests.support.recorded import SPEC
from contract_tests.support.sandbox.deployments import deployed
from contract_tests.support.servers.callers import post, sign_in, with_token
from scripts.lib.bench.sandbox_processes import sandboxes_below
from wallaroo_ext import contract
from wallaroo_ext.sandbox.http.bodies import read_body
from wallaroo_ext.sandbox.http.problems import is_disk_full
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS
from wallaroo_ext.sandbox.paths import CONTROL, GRAPHQL, user_administration_path
from wallaroo_ext.sandbox.process import running
from wallaroo_ext.sandbox.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import httpx

OCTETS = "application/octet-stream"
RECORDS = contract.operation("infer_pipeline").request_types[0]
SIZE = 3 << 20


@dataclass(frozen=True)
class FullDisk:
    """A sandbox on a directory of its own, with a running deployment."""

    directory: Path
    pid: int
    environment: dict[str, str]
    http: httpx.Client
    url: str

    @contextmanager
    def without_room(self, largest: int) -> Generator[None]:
        """Limit the size of the sandbox's files, so that writing fails as on a full disk."""
        unlimited = resource.RLIM_INFINITY
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (largest, unlimited))
        try:
            yield
        finally:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))

    def sign_in(self) -> httpx.Response:
        environment = self.environment
        user = {"username": environment["WALLAROO_USER"], "password": environment["WALLAROO_PASSWORD"]}
        return sign_in(environment, grant_type="password", **user)

    def infer(self, rows: int = 1) -> httpx.Response:
        return self.http.post(self.url, json=[{"dense_input": [0.5] * 29}] * rows, headers={"Content-Type": RECORDS})

    def log_sizes(self) -> dict[Path, int]:
        return {file: file.stat().st_size for file in (self.directory / "log").iterdir()}

    def stored_files(self) -> set[Path]:
        return {file for name in ("models", "staging") for file in (self.directory / name).iterdir()}


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory, model_file: Path) -> Generator[FullDisk]:
    before = set(sandboxes_below(os.getpid()))
    directory = tmp_path_factory.mktemp("full")
    with running(directory) as environment:
        [pid] = set(sandboxes_below(os.getpid())) - before
        url = deployed(environment, model_file)
        user = {"username": environment["WALLAROO_USER"], "password": environment["WALLAROO_PASSWORD"]}
        token = sign_in(environment, grant_type="password", **user).json()["access_token"]
        with with_token(environment, token) as http:
            yield FullDisk(directory, pid, environment, http, url)


def streamed(http: httpx.Client, content: bytes) -> httpx.Response:
    query = {"name": "large", "filename": "large.onnx", "workspace_id": 1}
    path = contract.operation("upload_model_stream").path
    return http.post(path, params=query, content=content, headers={"Content-Type": OCTETS})


def plain(http: httpx.Client, content: bytes) -> httpx.Response:
    fields = {"name": "large", "visibility": "private", "workspace_id": "1"}
    return http.post(contract.operation("upload_model").path, data=fields, files={"file": ("large.onnx", content)})


def converted(http: httpx.Client, content: bytes) -> httpx.Response:
    metadata = {"name": "large", "visibility": "private", "workspace_id": 1, "conversion": {"framework": "custom"}}
    parts = {"metadata": (None, json.dumps(metadata), "application/json"), "file": ("large.bin", content, OCTETS)}
    return http.post(contract.operation("upload_and_convert_model").path, files=parts)


@pytest.mark.parametrize("upload", [streamed, plain, converted])
def test_an_upload_without_room_is_a_507_and_leaves_nothing(
    disk: FullDisk, upload: Callable[[httpx.Client, bytes], httpx.Response]
) -> None:
    before = disk.stored_files()
    with disk.without_room(1 << 20):
        answer = upload(disk.http, bytes(SIZE))
        assert (answer.status_code, answer.json()["code"]) == (507, 507)
        assert "no room left" in answer.json()["msg"]
        assert disk.stored_files() == before
    assert upload(disk.http, bytes(SIZE)).is_success
    assert len(disk.stored_files()) == len(before) + 1


@pytest.mark.parametrize("upload", [streamed, plain, converted])
def test_an_upload_whose_row_has_no_room_is_a_507_and_leaves_nothing(
    disk: FullDisk, upload: Callable[[httpx.Client, bytes], httpx.Response]
) -> None:
    before = disk.stored_files()
    with disk.without_room(100):
        assert upload(disk.http, b"x" * 50).status_code == 507
        assert disk.stored_files() == before


def test_nothing_stays_of_an_upload_that_filled_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "full").symlink_to("/dev/full")

    def full(_: object) -> Path:
        return tmp_path / "full"

    def followed(path: Path) -> Any:
        return path.open("wb")

    monkeypatch.setattr("wallaroo_ext.sandbox.http.bodies.new_upload", full)
    monkeypatch.setattr("wallaroo_ext.sandbox.http.bodies.create_file", followed)
    kind = SPEC.operations["upload_model_stream"].body_kind(OCTETS)
    assert kind is not None
    pieces = [{"type": "http.request", "body": b"x" * 3000, "more_body": more} for more in (True, True, True, False)]

    async def receive() -> dict[str, Any]:
        return pieces.pop(0)

    request = Request({"type": "http", "headers": []}, receive)
    with pytest.raises(OSError, match="No space left"):
        asyncio.run(read_body(request, kind, SPEC, tmp_path, DEFAULT_OPTIONS))
    assert list(tmp_path.iterdir()) == []


def test_writing_without_room_is_a_500_in_the_form_of_the_api_and_reading_goes_on(disk: FullDisk) -> None:
    name = "no-room"
    with disk.without_room(1):
        answers = [
            post(disk.http, "create_workspace", {"workspace_name": name}),
            post(disk.http, "create_pipeline", {"pipeline_id": name, "workspace_id": 1, "definition": {}}),
            post(disk.http, "invite_user", {"email": f"{name}@example.com"}),
            disk.sign_in(),
            disk.infer(),
            disk.infer(1000),
        ]
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (500, 500)
            assert "no room left" in answer.json()["msg"]
        workspaces = post(disk.http, "list_workspaces", {}).json()["workspaces"]
    assert name not in [workspace["name"] for workspace in workspaces]
    assert post(disk.http, "create_workspace", {"workspace_name": name}).is_success
    assert post(disk.http, "invite_user", {"email": f"{name}@example.com"}).is_success
    assert disk.sign_in().is_success


def test_steering_and_tables_without_room_are_a_500_as_well(disk: FullDisk) -> None:
    seeds = {"workspaces": [{"name": "no-room-to-seed"}]}
    mutation = {"query": 'mutation { insert_tag(objects: {tag: "no room"}) { returning { id } } }'}
    users = user_administration_path(contract.operation("request_token").path)
    with disk.without_room(1):
        seeded, tagged = disk.http.post(f"{CONTROL}/seed", json=seeds), disk.http.post(GRAPHQL, json=mutation)
        assert (seeded.status_code, "no room left" in seeded.json()["msg"]) == (500, True)
        assert "no room left" in tagged.text
        assert disk.http.get(users).is_success
    assert disk.http.post(f"{CONTROL}/seed", json=seeds).is_success
    assert "errors" not in disk.http.post(GRAPHQL, json=mutation).json()


def test_an_inference_is_logged_or_refused_and_not_logged_by_half(disk: FullDisk) -> None:
    body = {"workspace_id": 1, "pipeline_name": "deployed"}
    before = len(post(disk.http, "get_assay_baseline", body).json())
    assert disk.infer().is_success
    sizes = disk.log_sizes()
    with disk.without_room(max(sizes.values()) + 100):
        assert disk.infer().status_code == 500
        assert disk.infer(1000).status_code == 500
    assert disk.log_sizes() == sizes
    assert disk.infer(3).is_success
    assert len(post(disk.http, "get_assay_baseline", body).json()) == before + 4


def test_a_refresh_token_is_good_again_when_there_is_room(disk: FullDisk) -> None:
    token = disk.sign_in().json()["refresh_token"]
    with disk.without_room(1):
        assert sign_in(disk.environment, grant_type="refresh_token", refresh_token=token).status_code == 500
    assert sign_in(disk.environment, grant_type="refresh_token", refresh_token=token).is_success


def test_a_database_that_is_full_stores_nothing_and_goes_on(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        store.change_setting("small", "1")
        with store.reading() as db:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(sqlite3.OperationalError, match="database or disk is full") as raised:
            store.change_setting("large", "x" * SIZE)
        assert is_disk_full(raised.value)
        store.change_setting("small", "2")
        assert store.setting("small", str) == "2"


def test_a_full_device_is_known_by_its_error() -> None:
    with pytest.raises(OSError, match="No space left") as raised, Path("/dev/full").open("wb") as device:
        device.write(b"x")
    assert is_disk_full(raised.value)
    assert is_disk_full(OSError(errno.EDQUOT, "Disk quota exceeded"))
    assert not is_disk_full(OSError(errno.EACCES, "Permission denied"))
    assert not is_disk_full(sqlite3.OperationalError("no such table"))
