"""Does an instance keep the contract on the way from a workspace to a score? Plain HTTP, as any client may send it."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, cast

import httpx
import numpy as np
import pyarrow as pa
import pytest

from wallaroo_ext import contract, upload_model, wait_until_running
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.inference.inputs.rows import to_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wallaroo_mlops_client import Client

RECORDS = contract.operation("infer_pipeline").request_types[0]
ARROW = contract.operation("infer_pipeline").request_types[1]
TENSORS = contract.operation("infer_deployment").request_types[2]


def post(http: httpx.Client, operation: str, body: Any) -> httpx.Response:
    return http.post(contract.operation(operation).path, json=body)


@pytest.fixture
def running(
    client: Client, workspace_id: int, model_file: Path, deploy: Callable[..., tuple[str, str]]
) -> tuple[str, str]:
    """Return the documents' model shape, deployed: the deployment's name and URL."""
    model = upload_model(client, model_file, name="running", workspace=workspace_id)
    deployment, url = deploy("running", model.id)
    wait_until_running(client, deployment)
    return deployment, url


def infer(http: httpx.Client, url: str, content: Any, kind: str = RECORDS, **options: Any) -> httpx.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {"Content-Type": kind} | options.pop("headers", {})
    return http.post(url, content=body, headers=headers, **options)


class TestTokens:
    def test_a_missing_token_is_refused(self, sandbox: dict[str, str]) -> None:
        answer = httpx.post(sandbox["WALLAROO_API_URL"] + contract.operation("list_workspaces").path, json={})
        assert answer.status_code == 401
        assert answer.json()["code"] == 401
        assert answer.json()["msg"]

    @pytest.mark.parametrize("kind", ["garbage", "cut off", "foreign", "unsigned"])
    def test_a_wrong_token_is_refused(self, sandbox: dict[str, str], token: str, kind: str) -> None:
        import jwt

        claims = jwt.decode(token, options={"verify_signature": False})
        wrong = {
            "garbage": "abc",
            "cut off": token[:-5],
            "foreign": jwt.encode(claims, "x" * 32, "HS256"),
            "unsigned": jwt.encode(claims, "", "none"),
        }[kind]
        answer = httpx.post(
            sandbox["WALLAROO_API_URL"] + contract.operation("list_workspaces").path,
            json={},
            headers={"Authorization": f"Bearer {wrong}"},
        )
        assert answer.status_code == 401
        assert set(answer.json()) == {"code", "msg"}

    def test_a_wrong_secret_and_a_wrong_password_are_refused_in_keycloaks_form(self, sandbox: dict[str, str]) -> None:
        url = sandbox["WALLAROO_AUTH_URL"] + contract.operation("request_token").path
        form = {"grant_type": "password", "username": sandbox["WALLAROO_USER"], "password": "wrong"}
        secret = (sandbox["WALLAROO_CLIENT_ID"], sandbox["WALLAROO_CLIENT_SECRET"])
        assert httpx.post(url, data=form, auth=secret).json()["error"] == "invalid_grant"
        assert httpx.post(url, data=form, auth=(secret[0], "wrong")).json()["error"] == "unauthorized_client"
        assert httpx.post(url, data={"scope": "a"}, auth=secret).json()["error"] == "invalid_request"
        assert httpx.post(url, data={"grant_type": "magic"}, auth=secret).json()["error"] == "unsupported_grant_type"

    def test_a_refresh_token_is_used_up(self, sandbox: dict[str, str]) -> None:
        url = sandbox["WALLAROO_AUTH_URL"] + contract.operation("request_token").path
        secret = (sandbox["WALLAROO_CLIENT_ID"], sandbox["WALLAROO_CLIENT_SECRET"])
        user = {"username": sandbox["WALLAROO_USER"], "password": sandbox["WALLAROO_PASSWORD"]}
        first = httpx.post(url, data={"grant_type": "password", **user}, auth=secret).json()
        assert (first["expires_in"], first["refresh_expires_in"]) == (3600, 1800)
        renewal = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        assert "access_token" in httpx.post(url, data=renewal, auth=secret).json()
        again = httpx.post(url, data=renewal, auth=secret)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")

    def test_a_token_without_a_user_may_infer_and_nothing_else(
        self, sandbox: dict[str, str], running: tuple[str, str], documents_row: list[float]
    ) -> None:
        url = sandbox["WALLAROO_AUTH_URL"] + contract.operation("request_token").path
        secret = (sandbox["WALLAROO_CLIENT_ID"], sandbox["WALLAROO_CLIENT_SECRET"])
        answer = httpx.post(url, data={"grant_type": "client_credentials"}, auth=secret).json()
        assert "refresh_token" not in answer
        headers = {"Authorization": f"Bearer {answer['access_token']}"}
        with httpx.Client(base_url=sandbox["WALLAROO_API_URL"], headers=headers) as http:
            assert infer(http, running[1], [{"tensor": documents_row}]).status_code == 200
            assert post(http, "list_workspaces", {}).status_code == 401


class TestRequests:
    @pytest.mark.parametrize(
        ("body", "excerpt"),
        [
            (b"{", "no JSON"),
            (b"", "no JSON"),
            (b'{"workspace_name": NaN}', "no JSON"),
            (b'{"workspace_name": "\\ud800"}', "no JSON"),
            (b"[]", "object"),
            (b"{}", "workspace_name"),
            (b'{"workspace_name": 5}', "workspace_name"),
            (b'{"workspace_name": "Upper Case"}', "workspace_name"),
            (b"[" * 100_000, "no JSON"),
        ],
        ids=["cut off", "empty", "NaN", "surrogate", "list", "missing", "number", "name", "deep"],
    )
    def test_a_malformed_body_is_refused(self, http: httpx.Client, body: bytes, excerpt: str) -> None:
        headers = {"Content-Type": "application/json"}
        answer = http.post(contract.operation("create_workspace").path, content=body, headers=headers)
        assert answer.status_code == 400
        assert answer.json()["code"] == 400
        assert excerpt in answer.json()["msg"]

    def test_other_methods_and_content_types_are_refused(self, http: httpx.Client) -> None:
        path = contract.operation("list_workspaces").path
        answer = http.get(path)
        assert (answer.status_code, answer.headers["Allow"], answer.json()["code"]) == (405, "POST", 405)
        answer = http.post(path, content=b"<a/>", headers={"Content-Type": "text/xml"})
        assert (answer.status_code, answer.json()["code"]) == (415, 415)
        assert http.post("/v1/api/nothing").json()["code"] == 404

    def test_unknown_fields_are_ignored(self, http: httpx.Client) -> None:
        assert post(http, "list_workspaces", {"workspace_id": 1}).status_code == 200

    def test_one_of_two_fields_is_required(self, http: httpx.Client) -> None:
        for operation in ("list_model_versions", "undeploy_pipeline"):
            answer = post(http, operation, {})
            assert answer.status_code == 400
            assert "required" in answer.json()["msg"]

    @pytest.mark.parametrize(
        ("operation", "body"),
        [
            ("list_models", {"workspace_id": 999}),
            ("list_model_versions", {"models_pk_id": 999}),
            ("list_model_versions", {"model_id": "no-such-model"}),
            ("create_pipeline", {"pipeline_id": "a", "workspace_id": 999, "definition": {}}),
            ("deploy_pipeline", {"deploy_id": "a", "pipeline_id": 999, "pipeline_version_pk_id": 1}),
            ("undeploy_pipeline", {"deployment_id": 999}),
            ("get_pipeline_external_url", {"workspace_id": 999, "pipeline_name": "nothing"}),
        ],
    )
    def test_what_does_not_exist_is_400(self, http: httpx.Client, operation: str, body: dict[str, Any]) -> None:
        answer = post(http, operation, body)
        assert (answer.status_code, set(answer.json())) == (400, {"code", "msg"})

    def test_an_unknown_deployment_is_404(self, http: httpx.Client) -> None:
        assert post(http, "get_deployment_status", {"name": "nothing-1"}).status_code == 404
        where = {"workspace_id": 1, "pipeline_name": "nothing"}
        assert post(http, "get_pipeline_external_url", where).status_code == 404
        path = contract.operation("infer_deployment").path.format(deployment="nothing-1")
        answer = infer(http, path, [{"tensor": [1.0]}])
        assert (answer.status_code, answer.json()["code"]) == (404, 404)

    def test_a_workspace_name_is_taken_once(self, http: httpx.Client) -> None:
        first, second = (post(http, "create_workspace", {"workspace_name": "taken"}) for _ in range(2))
        assert (first.status_code, second.status_code) == (200, 400)
        names = [found["name"] for found in post(http, "list_workspaces", {}).json()["workspaces"]]
        assert names.count("taken") == 1


class TestUploads:
    def upload(self, http: httpx.Client, metadata: Any, content: bytes = b"x", **headers: str) -> httpx.Response:
        files = {
            "metadata": (None, json.dumps(metadata), "application/json"),
            "file": ("a.onnx", content, "application/octet-stream"),
        }
        return http.post(contract.operation("upload_and_convert_model").path, files=files, headers=headers)

    def metadata(self, **changes: Any) -> dict[str, Any]:
        good = {"name": "up", "visibility": "private", "workspace_id": 1, "conversion": {"framework": "onnx"}}
        return good | changes

    @pytest.mark.parametrize(
        ("changes", "excerpt"),
        [
            ({"visibility": "secret"}, "visibility"),
            ({"workspace_id": "1"}, "workspace_id"),
            ({"conversion": {}}, "framework"),
            ({"conversion": {"framework": "onnx", "arch": "mips"}}, "arch"),
            ({"name": "../up"}, "name"),
        ],
    )
    def test_wrong_metadata_is_refused(self, http: httpx.Client, changes: dict[str, Any], excerpt: str) -> None:
        answer = self.upload(http, self.metadata(**changes))
        assert answer.status_code == 400
        assert excerpt in answer.json()["msg"]

    def test_an_upload_to_an_unknown_workspace_is_500(self, http: httpx.Client) -> None:
        answer = self.upload(http, self.metadata(workspace_id=999))
        assert (answer.status_code, answer.json()["code"]) == (500, 500)
        assert "workspace 999" in answer.json()["msg"]

    def test_a_body_that_was_cut_off_is_refused(self, http: httpx.Client) -> None:
        request = http.build_request(
            "POST",
            contract.operation("upload_and_convert_model").path,
            files={"metadata": (None, json.dumps(self.metadata()), "application/json"), "file": ("a", b"x" * 1000)},
        )
        content = request.read()[:-20]
        headers = {"Content-Type": request.headers["Content-Type"]}
        answer = http.post(request.url, content=content, headers=headers)
        assert answer.status_code == 400
        assert "cut off" in answer.json()["msg"]

    def test_a_body_without_a_file_is_refused(self, http: httpx.Client) -> None:
        files = {"metadata": (None, json.dumps(self.metadata()), "application/json")}
        answer = http.post(contract.operation("upload_and_convert_model").path, files=files)
        assert (answer.status_code, "file" in answer.json()["msg"]) == (400, True)

    def test_a_second_upload_adds_a_version(self, http: httpx.Client) -> None:
        ids = [
            self.upload(http, self.metadata(name="twice"), content).json()["insert_models"]["returning"][0]["models"][0]
            for content in (b"first", b"second")
        ]
        versions = post(http, "list_model_versions", {"model_id": "twice"}).json()
        assert sorted(found["id"] for found in versions) == sorted(row["id"] for row in ids)
        assert {found["models_pk_id"] for found in versions} == {ids[0]["id"]}
        assert len({found["model_version"] for found in versions}) == 2
        models = [found["model"] for found in post(http, "list_models", {"workspace_id": 1}).json()["models"]]
        assert [found["id"] for found in models if found["name"] == "twice"] == [ids[0]["id"]]


class TestDeployments:
    def test_an_empty_pipeline_stays_starting(self, http: httpx.Client, deploy: Callable[..., tuple[str, str]]) -> None:
        deployment, url = deploy("empty")
        status = post(http, "get_deployment_status", {"name": deployment}).json()
        assert (status["status"], status["engines"][0]["status"]) == ("Starting", "Pending")
        assert status["engines"][0]["ip"] is status["engines"][0]["model_statuses"] is None
        answer = infer(http, url, [{"tensor": [1.0]}])
        assert (answer.status_code, answer.json()["source"]) == (400, "engine")

    def test_deploying_again_gives_the_same_id(
        self, client: Client, model_file: Path, workspace_id: int, deploy: Callable[..., tuple[str, str]]
    ) -> None:
        model = upload_model(client, model_file, name="again", workspace=workspace_id)
        assert deploy("again", model.id) == deploy("again", model.id)

    def test_what_was_undeployed_does_not_answer(
        self, http: httpx.Client, running: tuple[str, str], documents_row: list[float]
    ) -> None:
        deployment, url = running
        body = {"deployment_id": int(deployment.rpartition("-")[2])}
        for _ in range(2):
            answer = post(http, "undeploy_pipeline", body)
            assert (answer.status_code, answer.content) == (200, b"{}")
        assert post(http, "get_deployment_status", {"name": deployment}).status_code == 404
        assert infer(http, url, [{"tensor": documents_row}]).status_code == 404

    def test_a_model_that_cannot_run_ends_in_error_with_the_reason(
        self, http: httpx.Client, deploy: Callable[..., tuple[str, str]]
    ) -> None:
        upload = TestUploads()
        metadata = upload.metadata(name="custom", conversion={"framework": "custom"})
        version = upload.upload(http, metadata).json()["insert_models"]["returning"][0]["models"][0]["id"]
        deployment, url = deploy("custom", version)
        status: dict[str, Any] = {"status": "Starting"}
        while status["status"] == "Starting":
            status = post(http, "get_deployment_status", {"name": deployment}).json()
        assert status["status"] == "Error"
        assert "ONNX models only" in status["engines"][0]["details"][0]
        answer = infer(http, url, [{"tensor": [1.0]}])
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/plain; charset=utf-8")


class TestInference:
    def url_forms(self, running: tuple[str, str]) -> list[str]:
        deployment, url = running
        return [url, contract.operation("infer_deployment").path.format(deployment=deployment)]

    def test_the_documents_row_in_every_form(
        self,
        http: httpx.Client,
        running: tuple[str, str],
        documents_row: list[float],
        expected: Callable[[Any], np.ndarray[Any, Any]],
    ) -> None:
        value = expected([documents_row])[0, 0]
        for url in self.url_forms(running):
            for field in ("tensor", "dense_input"):
                record = infer(http, url, [{field: documents_row}]).json()[0]
                assert record["in"] == {field: documents_row}
                np.testing.assert_allclose(record["out"]["dense_1"], [value], rtol=1e-5)
                table = to_table({field: np.array([documents_row], np.float32)})
                answer = infer(http, url, to_file(table).to_pybytes(), ARROW)
                assert answer.headers["Content-Type"] == ARROW
                scored = pa.ipc.open_file(io.BytesIO(answer.content)).read_all()
                outputs: Any = scored.column("out").to_pylist()[0]
                np.testing.assert_allclose(outputs["dense_1"], [value], rtol=1e-5)

    def test_a_nested_answer_has_the_recorded_keys(
        self, http: httpx.Client, running: tuple[str, str], documents_row: list[float], document: dict[str, Any]
    ) -> None:
        examples = document["components"]["responses"]["Inference"]["content"]["application/json"]["examples"]
        recorded = examples["pipeline-management-tutorial"]["value"][0]
        record = infer(http, running[1], [{"dense_input": documents_row}]).json()[0]
        assert list(record) in (list(recorded), ["time", "in", "out", "anomaly", "metadata"])
        assert list(record["metadata"]) == list(recorded["metadata"])
        assert json.loads(record["metadata"]["last_model"])["model_name"] == "running"
        assert abs(record["time"] - 1000 * __import__("time").time()) < 60_000

    def test_an_arrow_answer_has_the_recorded_types(
        self, http: httpx.Client, running: tuple[str, str], documents_row: list[float]
    ) -> None:
        body = to_file(to_table({"tensor": np.array([documents_row], np.float32)})).to_pybytes()
        params = {"dataset[]": "*", "dataset.exclude[]": ["metadata", "anomaly", "check_failures"]}
        nested, flat = (
            cast("Any", pa)
            .ipc.open_file(io.BytesIO(infer(http, running[1], body, ARROW, params=params | more).content))
            .schema
            for more in ({}, {"dataset.separator": "."})
        )
        assert [str(field.type) for field in nested] == [
            "int64",
            "struct<tensor: list<item: float> not null>",
            "struct<dense_1: list<inner: float not null> not null>",
        ]
        assert flat.equals(
            pa.schema(
                [
                    pa.field("time", pa.timestamp("ms")),
                    pa.field("in.tensor", pa.list_(pa.float32())),
                    pa.field("out.dense_1", pa.list_(pa.field("inner", pa.float32(), nullable=False)), nullable=False),
                ]
            )
        )

    def test_the_oldest_form_of_a_request_is_read(
        self,
        http: httpx.Client,
        running: tuple[str, str],
        documents_row: list[float],
        expected: Callable[[Any], np.ndarray[Any, Any]],
    ) -> None:
        older = contract.operation("infer_deployment").path.format(deployment=running[0])
        records = infer(http, older, {"tensor": [documents_row] * 3}, TENSORS).json()
        output = [record["out"]["dense_1"] for record in records]
        np.testing.assert_allclose(output, expected([documents_row] * 3), rtol=1e-5)

    def test_the_newer_url_does_not_take_the_oldest_form(
        self, http: httpx.Client, running: tuple[str, str], documents_row: list[float]
    ) -> None:
        assert contract.operation_at(httpx.URL(running[1]).path) == "infer_pipeline"
        answer = infer(http, running[1], {"tensor": [documents_row]}, TENSORS)
        assert answer.status_code == 415
        assert RECORDS in answer.text

    def test_accept_chooses_the_format(
        self, http: httpx.Client, running: tuple[str, str], documents_row: list[float]
    ) -> None:
        records = [{"tensor": documents_row}]
        body = to_file(to_table({"tensor": np.array([documents_row], np.float32)})).to_pybytes()
        assert infer(http, running[1], records, headers={"Accept": ARROW}).headers["Content-Type"] == ARROW
        liked = {"Accept": f"{ARROW};q=0.5, application/json"}
        assert infer(http, running[1], body, ARROW, headers=liked).headers["Content-Type"] == "application/json"

    def test_the_parts_of_the_answer_can_be_chosen(
        self, http: httpx.Client, running: tuple[str, str], documents_row: list[float]
    ) -> None:
        records = [{"tensor": documents_row}]
        [flat] = infer(http, running[1], records, params={"dataset.separator": "."}).json()
        assert list(flat)[:3] == ["time", "in.tensor", "out.dense_1"]
        assert list(flat)[3] in {"check_failures", "anomaly.count"}
        assert "metadata.last_model" in flat
        [some] = infer(http, running[1], records, params={"dataset[]": ["out", "time"]}).json()
        assert list(some) == ["time", "out"]
        [rest] = infer(http, running[1], records, params={"dataset.exclude[]": ["in", "metadata"]}).json()
        assert list(rest) in (["time", "out", "check_failures"], ["time", "out", "anomaly"])

    @pytest.mark.parametrize(
        ("rows", "excerpt"),
        [
            ([{"tensor": [1.0] * 28}], ["'tensor'", "[28]", "[29]"]),
            ([{"tensor": [[1.0] * 28]}], ["'tensor'", "[1, 28]", "[29]"]),
            ([{"tensor": [1.0] * 29}, {"tensor": [1.0] * 28}], ["'tensor'", "different lengths", "number 1"]),
            ([{"other": [1.0] * 29}], ["'dense_input'", "missing", "'other'"]),
            ([{"tensor": ["a"] * 29}], ["'tensor'", "string", "float32"]),
            ([{"tensor": None}], ["'tensor'"]),
            ([{"tensor": [1.0] * 28 + [None]}], ["'tensor'", "nulls"]),
            ([{"tensor": [1.0] * 29}, {"dense_input": [1.0] * 29}], ["Record 1", "differ"]),
            ([], ["missing"]),
        ],
        ids=["narrow", "nested", "ragged", "name", "strings", "null", "null inside", "mixed", "no rows"],
    )
    def test_rows_that_do_not_fit_are_the_engines_error(
        self, http: httpx.Client, running: tuple[str, str], rows: Any, excerpt: list[str]
    ) -> None:
        answer = infer(http, running[1], rows)
        assert answer.status_code == 400
        error = answer.json()
        assert (error["code"], error["status"], error["source"]) == (400, "Error", "engine")
        assert all(text in error["error"] for text in excerpt), error["error"]

    def test_what_is_no_arrow_file_is_the_engines_error(self, http: httpx.Client, running: tuple[str, str]) -> None:
        whole = to_file(to_table({"tensor": np.zeros((5, 29), np.float32)})).to_pybytes()
        for content in (b"", b"ARROW1", whole[:-20], whole[20:]):
            answer = infer(http, running[1], content, ARROW)
            assert (answer.status_code, answer.json()["source"]) == (400, "engine")

    def test_no_rows_in_are_no_rows_out(self, http: httpx.Client, running: tuple[str, str]) -> None:
        body = to_file(to_table({"tensor": np.zeros((0, 29), np.float32)})).to_pybytes()
        answer = infer(http, running[1], body, ARROW)
        assert pa.ipc.open_file(io.BytesIO(answer.content)).read_all().num_rows == 0

    def test_a_pipeline_of_another_name_is_404(self, http: httpx.Client, running: tuple[str, str]) -> None:
        path = contract.operation("infer_pipeline").path.format(deployment=running[0], pipeline="other")
        assert infer(http, path, [{"tensor": [1.0] * 29}]).status_code == 404
