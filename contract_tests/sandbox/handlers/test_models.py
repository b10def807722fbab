"""Does an instance take models in every form of an upload, and show them to those who may see them?"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import socket
import time
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pyarrow as pa
import pytest

from contract_tests.support.servers.callers import invited, new_workspace, post, refused, sign_in, with_token
from wallaroo_ext import contract
from wallaroo_ext.sandbox.auth.users import check_password
from wallaroo_ext.sandbox.http.validation import ContractSpec
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.server.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

OCTETS = "application/octet-stream"
SCHEMA = base64.b64encode(bytes(pa.schema([pa.field("a", pa.list_(pa.float32(), 29))]).serialize())).decode()


def new_name() -> str:
    """Return an unused name for a model."""
    return f"m-{uuid.uuid4().hex}"


def version_id(answer: httpx.Response) -> int:
    """Return the id of the version that an upload added."""
    assert answer.status_code == 200, answer.text
    return answer.json()["insert_models"]["returning"][0]["models"][0]["id"]


def upload(http: httpx.Client, content: bytes = b"x", **parts: Any) -> httpx.Response:
    """Upload a model in the oldest form, with fields as texts beside the file."""
    fields = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parts.items()}
    return http.post(contract.operation("upload_model").path, data=fields, files={"file": ("file.onnx", content)})


def stream(http: httpx.Client, content: Any = b"x", **query: Any) -> httpx.Response:
    """Upload a file that the query describes."""
    return http.post(
        contract.operation("upload_model_stream").path,
        content=content,
        params={"filename": "file.onnx"} | query,
        headers={"Content-Type": OCTETS},
    )


def settled(http: httpx.Client, name: str) -> list[dict[str, Any]]:
    """Return the versions of a model once all conversions have ended."""
    deadline = time.monotonic() + 20
    while True:
        versions = post(http, "list_model_versions", {"model_id": name}).json()
        if all(version["status"] in {"ready", "error"} for version in versions):
            return versions
        assert time.monotonic() < deadline, versions
        time.sleep(0.05)


def unknown(http: httpx.Client, name: str) -> bool:
    """Return whether the caller sees no model with a name."""
    return refused(post(http, "list_model_versions", {"model_id": name}), repr(name))


class TestUploads:
    @pytest.mark.parametrize("form", ["fields", "metadata", "stream"])
    def test_each_form_stores_the_file(
        self, http: httpx.Client, workspace_id: int, model_file: Path, form: str
    ) -> None:
        name, content = new_name(), model_file.read_bytes()
        description = {"name": name, "workspace_id": workspace_id, "visibility": "private"}
        number = version_id(
            {
                "fields": lambda: upload(http, content, **description),
                "metadata": lambda: upload(
                    http, content, metadata=description | {"conversion": {"framework": "onnx"}, "input_schema": SCHEMA}
                ),
                "stream": lambda: stream(http, content, **description),
            }[form]()
        )
        [version] = settled(http, name)
        assert (version["id"], version["models_pk_id"], version["model_id"]) == (number, number, name)
        assert version["sha"] == hashlib.sha256(content).hexdigest()
        assert (version["file_name"], version["status"]) == ("file.onnx", "ready")

    def test_a_second_upload_in_another_form_adds_a_version(self, http: httpx.Client, workspace_id: int) -> None:
        name = new_name()
        first = version_id(upload(http, b"first", name=name, workspace_id=workspace_id))
        second = version_id(stream(http, b"second", name=name, workspace_id=workspace_id))
        versions = post(http, "get_model", {"id": first}).json()["models"]
        assert [(found["id"], found["models_pk_id"]) for found in versions] == [(first, first), (second, first)]

    def test_metadata_decides_over_the_fields(self, http: httpx.Client, workspace_id: int) -> None:
        name, other = new_name(), new_name()
        conversion = {"framework": "custom"}
        metadata = {"name": name, "workspace_id": workspace_id, "visibility": "private", "conversion": conversion}
        version_id(upload(http, name=other, workspace_id=workspace_id, metadata=metadata))
        assert [version["status"] for version in settled(http, name)] == ["ready"]
        assert unknown(http, other)

    def test_an_upload_without_a_framework_is_onnx(self, http: httpx.Client, workspace_id: int) -> None:
        name = new_name()
        stream(http, b"no model", name=name, workspace_id=workspace_id)
        [version] = settled(http, name)
        assert (version["status"], "ONNX" in version["error_summary"]) == ("error", True)

    @pytest.mark.parametrize(
        ("parts", "excerpt"),
        [
            ({}, "name"),
            ({"workspace_id": 1}, "name"),
            ({"name": "half"}, "workspace_id"),
            ({"name": "half", "workspace_id": "one"}, "workspace_id"),
            ({"name": "half", "workspace_id": 0}, "workspace_id"),
            ({"name": "half", "workspace_id": 1, "visibility": "secret"}, "visibility"),
            ({"name": "../half", "workspace_id": 1}, "name"),
            ({"metadata": {"name": "half", "workspace_id": 1, "visibility": "private"}}, "conversion"),
        ],
    )
    def test_a_wrong_description_is_refused(self, http: httpx.Client, parts: dict[str, Any], excerpt: str) -> None:
        assert refused(upload(http, **parts), excerpt)
        assert unknown(http, "half")

    def test_a_workspace_that_does_not_exist_is_an_error_of_the_server(self, http: httpx.Client) -> None:
        assert refused(upload(http, name="half", workspace_id=2_000_000_000), "workspace 2000000000", 500)
        assert unknown(http, "half")

    @pytest.mark.parametrize("field", ["input_schema", "output_schema"])
    @pytest.mark.parametrize(
        ("text", "excerpt"),
        [
            ("no base64!", "no base64"),
            ("ä", "no base64"),
            (SCHEMA[:-1], "no base64"),
            ("", "no Arrow schema"),
            (base64.b64encode(b"something else").decode(), "no Arrow schema"),
            (base64.b64encode(base64.b64decode(SCHEMA)[:-40]).decode(), "no Arrow schema"),
        ],
        ids=["letters", "umlaut", "cut off", "empty", "other bytes", "half a schema"],
    )
    def test_what_is_no_schema_is_refused(
        self, http: httpx.Client, workspace_id: int, field: str, text: str, excerpt: str
    ) -> None:
        name = new_name()
        conversion = {"framework": "custom"}
        metadata = {"name": name, "workspace_id": workspace_id, "visibility": "private", "conversion": conversion}
        answer = upload(http, metadata=metadata | {field: text})
        assert refused(answer, excerpt)
        assert answer.json()["msg"].startswith(field)
        assert unknown(http, name)


class TestStreams:
    @pytest.mark.parametrize(
        ("query", "excerpt"),
        [
            ({"name": None}, "name"),
            ({"name": ""}, "name"),
            ({"name": "a b"}, "name"),
            ({"name": ["half", "half"]}, "name"),
            ({"filename": ""}, "filename"),
            ({"workspace_id": None}, "workspace_id"),
            ({"workspace_id": "one"}, "workspace_id"),
            ({"workspace_id": "1.0"}, "workspace_id"),
            ({"workspace_id": "+1"}, "workspace_id"),
            ({"workspace_id": "0"}, "workspace_id"),
            ({"workspace_id": "9" * 5000}, "workspace_id"),
            ({"visibility": "secret"}, "visibility"),
        ],
    )
    def test_a_wrong_parameter_is_named(self, http: httpx.Client, query: dict[str, Any], excerpt: str) -> None:
        good: dict[str, Any] = {"name": "half", "workspace_id": 1}
        wanted = {name: value for name, value in (good | query).items() if value is not None}
        answer = stream(http, **wanted)
        assert refused(answer, excerpt)
        assert answer.json()["msg"].startswith(f"{excerpt}: ")
        assert unknown(http, "half")

    def test_a_workspace_of_somebody_else_is_refused(self, http: httpx.Client, sandbox: dict[str, str]) -> None:
        workspace_id = new_workspace(http)
        with invited(sandbox, http) as (_, _, theirs):
            answer = stream(theirs, name=new_name(), workspace_id=workspace_id)
        assert refused(answer, f"no workspace {workspace_id}", 500)

    def test_a_body_of_unknown_length_is_stored_whole(self, http: httpx.Client, workspace_id: int) -> None:
        name = new_name()
        pieces = [bytes([number]) * 100_000 for number in range(20)]
        version_id(stream(http, iter(pieces), name=name, workspace_id=workspace_id))
        [version] = settled(http, name)
        assert version["sha"] == hashlib.sha256(b"".join(pieces)).hexdigest()

    def test_other_content_types_are_refused(self, http: httpx.Client, workspace_id: int) -> None:
        path = contract.operation("upload_model_stream").path
        query = {"name": new_name(), "filename": "a", "workspace_id": workspace_id}
        assert http.post(path, params=query, json={}).status_code == 415

    def test_a_token_without_a_user_is_refused(self, sandbox: dict[str, str]) -> None:
        token = sign_in(sandbox, grant_type="client_credentials").json()["access_token"]
        with with_token(sandbox, token) as client_alone:
            assert stream(client_alone, name=new_name(), workspace_id=1).status_code == 401
            assert upload(client_alone, name=new_name(), workspace_id=1).status_code == 401

    @pytest.mark.parametrize("announced", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
    def test_a_body_that_is_cut_off_stores_nothing(
        self, http: httpx.Client, sandbox: dict[str, str], token: str, workspace_id: int, announced: str
    ) -> None:
        name = new_name()
        query = urlencode({"name": name, "filename": "file.onnx", "workspace_id": workspace_id})
        url = urlsplit(sandbox["WALLAROO_API_URL"])
        head = [
            f"POST {contract.operation('upload_model_stream').path}?{query} HTTP/1.1",
            f"Host: {url.netloc}",
            f"Authorization: Bearer {token}",
            f"Content-Type: {OCTETS}",
            announced,
        ]
        body = b"64\r\n" + b"x" * 100 + b"\r\n"  # the first chunk, or simply too few bytes
        with socket.create_connection((str(url.hostname), url.port or 80), timeout=10) as connection:
            connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
        whole = version_id(stream(http, b"whole", name=name, workspace_id=workspace_id))
        [version] = settled(http, name)
        assert (version["id"], version["sha"]) == (whole, hashlib.sha256(b"whole").hexdigest())

    @pytest.mark.parametrize(
        ("ending", "workspace_id"),
        [
            ({"type": "http.disconnect"}, 1),
            ({"type": "http.request", "body": b"x" * 100}, 1),
            ({"type": "http.request", "body": b"x" * 900}, 2_000_000_000),
        ],
        ids=["nobody listens", "too short", "whole, but refused"],
    )
    def test_nothing_stays_on_disk_of_a_body_that_is_not_stored(
        self, tmp_path: Path, ending: dict[str, Any], workspace_id: int
    ) -> None:
        instance = Instance(tmp_path / "data")
        with instance.store.transaction() as db:
            user = check_password(db, instance.credentials.username, instance.credentials.password)
        token = instance.tokens.issue("api-client", user, "issuer")["access_token"]
        status = 400 if workspace_id == 1 else 500
        assert asyncio.run(_status_of_stream(instance, token, workspace_id, ending)) == status
        with instance.store.transaction() as db:
            assert db.execute("SELECT count(*) FROM model_versions").fetchone()[0] == 0
        assert list(instance.store.staging.iterdir()) == []
        instance.close()


async def _status_of_stream(instance: Instance, token: str, workspace_id: int, ending: dict[str, Any]) -> int:
    """Return the status of the answer to a body of 1000 bytes, of which 100 come before this ending."""
    messages = [{"type": "http.request", "body": b"x" * 100, "more_body": True}, ending]
    answers: list[Any] = []
    headers = {"authorization": f"Bearer {token}", "content-type": OCTETS, "content-length": "1000"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": contract.operation("upload_model_stream").path,
        "query_string": f"name=half&filename=a&workspace_id={workspace_id}".encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        answers.append(message)

    await create_app(instance, ContractSpec(contract.load()))(scope, receive, send)
    return int(answers[0]["status"])


class TestModels:
    def test_a_model_has_its_versions_without_a_status(self, http: httpx.Client, workspace_id: int) -> None:
        name = new_name()
        number = version_id(upload(http, name=name, workspace_id=workspace_id))
        [listed] = settled(http, name)
        model = post(http, "get_model", {"id": number}).json()
        assert list(model) == ["id", "name", "owner_id", "created_at", "updated_at", "models", "workspace"]
        assert (model["id"], model["name"], model["owner_id"]) == (number, name, '""')
        known = {key: value for key, value in listed.items() if key not in {"status", "error_summary"}}
        assert model["models"] == [known | {"owner_id": '""'}]

    def test_what_a_version_needs_is_shown_as_it_was_sent(self, http: httpx.Client, workspace_id: int) -> None:
        plain: dict[str, Any] = {
            "python_version": None,
            "requirements": [],
            "framework": "onnx",
            "framework_config": None,
        }
        without = {"arch": "x86", "accel": "none"} | plain
        full: dict[str, Any] = {"arch": "arm", "accel": "cuda", "python_version": "3.10", "requirements": ["one==1.0"]}
        full |= {"framework": "onnx", "framework_config": {"threads": 2}}
        for conversion, expected in (({"framework": "onnx"}, without), (without, without), (full, full)):
            metadata = {"name": new_name(), "workspace_id": workspace_id, "visibility": "private"}
            needs = {key: value for key, value in conversion.items() if key != "python_version" or value is not None}
            number = version_id(upload(http, metadata=metadata | {"conversion": needs}))
            shown = post(http, "get_model_version_by_id", {"model_version_id": number}).json()["model_version"]
            assert shown["model_version"]["conversion"] == expected

    def test_a_conversion_that_failed_has_logged_how(self, http: httpx.Client, workspace_id: int) -> None:
        name = new_name()
        number = version_id(upload(http, b"no model", name=name, workspace_id=workspace_id))
        [version] = settled(http, name)
        which = {"model_version_id": number}
        logs: list[str] = post(http, "get_model_upload_logs", which).json()["logs"]
        assert len(logs) > 3
        assert sorted(logs) == logs, "each has its time"
        assert version["error_summary"] in logs[-2]
        for lines in range(1, len(logs) + 2):
            answer = post(http, "get_model_upload_logs", which | {"lines": lines})
            assert answer.json()["logs"] == logs[-lines:], "the newest ones"

    def test_a_model_by_its_id_has_its_workspace(self, http: httpx.Client) -> None:
        name, workspace_id = new_name(), new_workspace(http)
        number = version_id(upload(http, name=name, workspace_id=workspace_id))
        model = post(http, "get_model_by_id", {"id": number}).json()
        assert set(model) == {"id", "owner_id", "workspace_id", "name", "updated_at", "created_at", "model_config"}
        config = post(http, "get_model_config_by_id", {"model_id": number}).json()
        assert (model["name"], model["workspace_id"], model["model_config"]) == (
            name,
            workspace_id,
            config["model_config"],
        )

    def test_a_models_own_id_is_wanted(self, http: httpx.Client, workspace_id: int) -> None:
        name = new_name()
        first, second = (version_id(upload(http, name=name, workspace_id=workspace_id)) for _ in range(2))
        for operation in ("get_model", "get_model_by_id"):
            assert post(http, operation, {"id": first}).json()["id"] == first
            assert refused(post(http, operation, {"id": second}), f"no model {second}")
        assert post(http, "get_model_config_by_id", {"model_id": second}).is_success

    @pytest.mark.parametrize(
        ("operation", "field"),
        [("get_model", "id"), ("get_model_by_id", "id"), ("get_model_config_by_id", "model_id")],
    )
    def test_what_does_not_exist_is_refused(self, http: httpx.Client, operation: str, field: str) -> None:
        assert refused(post(http, operation, {field: 2_000_000_000}), "2000000000")
        assert refused(post(http, operation, {}), field)


class TestVisibility:
    def questions(self, name: str, number: int) -> list[tuple[str, dict[str, Any]]]:
        return [
            ("get_model", {"id": number}),
            ("get_model_by_id", {"id": number}),
            ("get_model_config_by_id", {"model_id": number}),
            ("list_model_versions", {"models_pk_id": number}),
            ("list_model_versions", {"model_id": name}),
        ]

    def test_a_public_model_is_seen_by_everybody(self, http: httpx.Client, sandbox: dict[str, str]) -> None:
        name, workspace_id = new_name(), new_workspace(http)
        number = version_id(stream(http, name=name, workspace_id=workspace_id, visibility="public"))
        settled(http, name)
        with invited(sandbox, http) as (_, _, theirs):
            for operation, body in self.questions(name, number):
                assert post(theirs, operation, body).json() == post(http, operation, body).json()
            assert post(theirs, "list_models", {"workspace_id": workspace_id}).status_code == 400

    @pytest.mark.parametrize("visibility", [{}, {"visibility": "private"}])
    def test_a_private_model_is_seen_by_members(
        self, http: httpx.Client, sandbox: dict[str, str], visibility: dict[str, str]
    ) -> None:
        name, workspace_id = new_name(), new_workspace(http)
        number = version_id(stream(http, name=name, workspace_id=workspace_id, **visibility))
        with invited(sandbox, http) as (_, user_id, theirs):
            for operation, body in self.questions(name, number):
                assert refused(post(theirs, operation, body), f"{next(iter(body.values()))!r}.")
            post(http, "add_workspace_user", {"workspace_id": workspace_id, "user_id": user_id})
            assert [post(theirs, *question).status_code for question in self.questions(name, number)] == [200] * 5


class TestConfigurations:
    def test_a_version_keeps_its_own_when_it_is_deployed(
        self,
        http: httpx.Client,
        workspace_id: int,
        model_file: Path,
        deploy: Callable[..., tuple[str, str]],
    ) -> None:
        name = new_name()
        first, second = (
            version_id(upload(http, model_file.read_bytes(), name=name, workspace_id=workspace_id)) for _ in range(2)
        )
        config, other = (
            post(http, "get_model_config_by_id", {"model_id": number}).json()["model_config"]
            for number in (first, second)
        )
        deploy(name, first)
        assert post(http, "get_model_config_by_id", {"model_id": first}).json()["model_config"] == config
        assert config == {"id": config["id"], "runtime": "onnx", "tensor_fields": None, "filter_threshold": None}
        assert other["id"] > config["id"] > 1000 > first
        assert post(http, "get_model_by_id", {"id": first}).json()["model_config"] == other
        deploy(f"{name}-2", first, second)
        newest = post(http, "get_model_by_id", {"id": first}).json()["model_config"]
        assert newest == post(http, "get_model_config_by_id", {"model_id": second}).json()["model_config"]
        assert post(http, "get_model_config_by_id", {"model_id": first}).json() == {"model_config": config}
        assert newest["id"] != config["id"]

    def test_what_a_version_is_to_offer_as_openai_does_is_stored(
        self, http: httpx.Client, workspace_id: int, model_file: Path
    ) -> None:
        number = version_id(upload(http, model_file.read_bytes(), name=new_name(), workspace_id=workspace_id))
        wanted = {"enabled": True, "chat_completion_config": {"temperature": 0.3}}
        answer = post(http, "insert_model_config", {"model_version_id": number, "openai_config": wanted})
        assert answer.json()["model_config"]["openai"] == wanted
        stored = post(http, "get_model_version_by_id", {"model_version_id": number}).json()["model_version"]
        assert stored["config"]["openai"] == wanted


class TestParametersInPaths:
    def test_a_parameter_that_occurs_once_is_refused_twice(self, http: httpx.Client) -> None:
        path = contract.operation("infer_deployment").path.format(deployment="nothing-1")
        answer = http.post(path, params={"dataset.separator": [".", "."], "dataset[]": ["in", "out"]}, json={})
        assert refused(answer, "dataset.separator: ")
        answer = http.post(path, params={"dataset.separator": ".", "dataset[]": ["in", "out"]}, json={"tensor": [1]})
        assert answer.status_code == 404
