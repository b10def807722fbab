"""Does the generated client keep the contract, with the generator's traps mended?"""

from __future__ import annotations

import asyncio
import io
import json
import pkgutil
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import wallaroo_mlops_client
import yaml
from wallaroo_mlops_client.api.inference import infer_deployment
from wallaroo_mlops_client.api.models import (
    list_model_versions,
    upload_and_convert_model,
    upload_model,
    upload_model_stream,
)
from wallaroo_mlops_client.models import (
    Conversion,
    ListModelVersionsRequest,
    ModelMetadata,
    PandasRecordsItem,
    Tensors,
    UploadAndConvertModelRequest,
    UploadModelRequest,
    UploadModelRequestVisibility,
    UploadModelResponse,
    Visibility,
)
from wallaroo_mlops_client.types import File

from contract_tests.edits.base import base
from contract_tests.support.scripts import call_main
from scripts.lib.regenerate import run
from scripts.lib.regenerate.run import is_of_own, parse_arguments
from wallaroo_ext import contract
from wallaroo_ext.operations import request_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_mlops_client import Client

    from contract_tests.support.command_line import Done

ROOT = Path(__file__).parents[2]
TRAP = b"before\r\n--+++--\r\nafter"


def test_every_module_imports() -> None:
    names = [found.name for found in pkgutil.walk_packages(wallaroo_mlops_client.__path__, "wallaroo_mlops_client.")]
    assert len(names) > 70
    for name in names:
        import_module(name)


def test_every_operation_has_its_functions(document: dict[str, Any]) -> None:
    for _, _, operation in contract.operations(document):
        module = import_module(f"wallaroo_mlops_client.api.{operation['tags'][0]}.{operation['operationId']}")
        assert {"sync", "asyncio", "sync_detailed", "asyncio_detailed"} <= set(dir(module))


def upload_request(content: bytes, name: str, workspace_id: int) -> UploadAndConvertModelRequest:
    return UploadAndConvertModelRequest(
        metadata=ModelMetadata(
            name=name,
            visibility=Visibility.PRIVATE,
            workspace_id=workspace_id,
            conversion=Conversion(framework="custom"),
        ),
        file=File(payload=io.BytesIO(content), file_name="trap.bin", mime_type="application/octet-stream"),
    )


def uploaded_sha(client: Client, answer: Any) -> str:
    assert isinstance(answer, UploadModelResponse)
    version_id = answer.insert_models.returning[0].models[0].id
    versions = list_model_versions.sync(client=client, body=ListModelVersionsRequest(models_pk_id=version_id))
    assert isinstance(versions, list)
    return next(version.sha for version in versions if version.id == version_id)


def test_a_file_that_contains_the_generators_fixed_boundary_arrives_whole(client: Client, workspace_id: int) -> None:
    import hashlib

    content = TRAP * 1000
    answer = upload_and_convert_model.sync(client=client, body=upload_request(content, "trap-sync", workspace_id))
    assert uploaded_sha(client, answer) == hashlib.sha256(content).hexdigest()


def test_it_arrives_whole_from_the_asynchronous_function_too(client: Client, workspace_id: int) -> None:
    import hashlib

    content = TRAP * 1000

    async def upload() -> Any:
        async with client:
            return await upload_and_convert_model.asyncio(
                client=client, body=upload_request(content, "trap-async", workspace_id)
            )

    answer = asyncio.run(upload())
    assert uploaded_sha(client, answer) == hashlib.sha256(content).hexdigest()


def oldest_upload_request() -> UploadModelRequest:
    file = File(payload=io.BytesIO(TRAP), file_name="trap.bin", mime_type="application/octet-stream")
    return UploadModelRequest(file=file, name="trap", visibility=UploadModelRequestVisibility.PUBLIC, workspace_id=1)


def test_the_oldest_upload_sends_its_fields_and_its_file_whole() -> None:
    kwargs = request_of(upload_model, body=oldest_upload_request())
    content = httpx.Request("POST", "http://a", files=kwargs["files"]).read()
    assert TRAP in content
    for name, value in {"name": b"trap", "visibility": b"public", "workspace_id": b"1"}.items():
        assert f'name="{name}"'.encode() in content
        assert b"\r\n\r\n" + value + b"\r\n" in content


def test_the_stream_upload_sends_the_file_as_it_is() -> None:
    options = {"name": "trap", "filename": "trap.bin", "visibility": Visibility.PUBLIC, "workspace_id": 1}
    kwargs = request_of(upload_model_stream, body=File(payload=io.BytesIO(TRAP)), **options)
    request = httpx.Client(base_url="http://a").build_request(**kwargs)
    assert request.read() == TRAP
    assert request.headers["Content-Type"] == "application/octet-stream"
    expected = {"name": "trap", "filename": "trap.bin", "visibility": "public", "workspace_id": "1"}
    assert dict(request.url.params) == expected


@pytest.mark.parametrize(
    ("operation", "body"),
    [(upload_and_convert_model, lambda: upload_request(b"", "a", 1)), (upload_model, oldest_upload_request)],
)
def test_a_multipart_request_leaves_the_boundary_to_httpx(operation: Any, body: Callable[[], Any]) -> None:
    kwargs = request_of(operation, body=body())
    assert "Content-Type" not in kwargs["headers"]
    types = {httpx.Request("POST", "http://a", files=kwargs["files"]).headers["Content-Type"] for _ in range(2)}
    assert len(types) == 2


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ([PandasRecordsItem.from_dict({"tensor": [1.0]})], "application/json; format=pandas-records"),
        (File(payload=io.BytesIO(b"ARROW1")), "application/vnd.apache.arrow.file"),
        (Tensors.from_dict({"tensor": [[1.0]]}), "application/json"),
    ],
    ids=["records", "Arrow", "tensors"],
)
def test_each_body_of_inference_is_sent_under_its_own_type(body: Any, content_type: str) -> None:
    options: dict[str, Any] = {"body": body, "dataset": ["out", "time"], "dataset_separator": "."}
    kwargs = request_of(infer_deployment, deployment="a-1", **options)
    request = httpx.Client(base_url="http://a").build_request(**kwargs)
    assert request.headers["Content-Type"] == content_type
    assert request.url.params.get_list("dataset[]") == ["out", "time"]
    assert request.url.params["dataset.separator"] == "."


def test_a_field_that_is_not_set_is_left_out_and_is_shown_as_that_by_itself() -> None:
    from wallaroo_mlops_client.models import ListWorkspacesRequest

    assert repr(ListWorkspacesRequest()) == "ListWorkspacesRequest()"
    assert repr(ListWorkspacesRequest().user_id) == "UNSET"


def test_the_table_of_operations_is_the_contracts(document: dict[str, Any]) -> None:
    for path, method, operation in contract.operations(document):
        row = contract.operation(operation["operationId"])
        assert (row.method, row.path, row.idempotent) == (method.upper(), path, operation["x-idempotent"])
    assert contract.operation("infer_pipeline").request_types[1] == "application/vnd.apache.arrow.file"


def regenerated(*arguments: str) -> Done:
    """Call the program in this process."""
    return call_main(run.main, *arguments)


def test_generated_is_what_the_contract_gives() -> None:
    command = [sys.executable, run.__file__, "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a contract of one's own, of which a client is made sooner than of ours: rooms, in place of workspaces."""
    content = base()
    content["paths"] = {path.replace("workspaces", "rooms"): item for path, item in content["paths"].items()}
    file = tmp_path_factory.mktemp("contract") / "own.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def own_client(own: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a client of this contract."""
    directory = tmp_path_factory.mktemp("made") / "client"
    done = regenerated("--contract", str(own), "--output", str(directory))
    assert done.code == 0, done.err
    return directory


def test_a_client_is_made_from_a_contract_of_ones_own(own: Path, own_client: Path) -> None:
    package = own_client / "wallaroo_mlops_client"
    made = (package / "api/workspaces/list_workspaces.py").read_text(encoding="utf-8")
    assert "/v1/api/rooms/list" in made
    assert not (package / "api/pipelines").exists()
    compared = regenerated("--check", "--contract", str(own), "--output", str(own_client))
    assert compared.code == 0, compared.err


def test_a_client_of_one_release_has_its_operations_only(tmp_path: Path) -> None:
    done = regenerated("--release", "2022.4", "--output", str(tmp_path / "client"))

    assert done.code == 0, done.err
    table = json.loads((tmp_path / "client/wallaroo_mlops_client/operations.json").read_text(encoding="utf-8"))
    assert "upload_model" in table
    assert set(contract.operation_ids()) - set(table) >= {"upload_and_convert_model", "get_model_version_by_id"}


def test_a_client_of_one_release_does_not_take_the_place_of_that_of_all() -> None:
    done = regenerated("--release", "2022.4")
    assert done.code == 2
    assert "the client of all releases: give another directory by --output" in done.err


def test_neither_does_a_client_of_another_contract(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ours").symlink_to(ROOT)
    for output in ([], ["--output", str(tmp_path / "ours/generated")]):
        done = regenerated("--check", "--contract", str(own), *output)
        assert done.code == 2
        assert "the client of the repository's own contract: give another directory by --output" in done.err
    linked = tmp_path / "ours" / contract.path().relative_to(ROOT)
    monkeypatch.setattr(sys, "argv", ["regenerate", "--contract", str(linked)])
    assert is_of_own(parse_arguments())


def test_a_hand_edit_is_noticed(own: Path, own_client: Path, tmp_path: Path) -> None:
    shutil.copytree(own_client, tmp_path, dirs_exist_ok=True)
    package = tmp_path / "wallaroo_mlops_client"
    (package / "client.py").write_text("# edited\n", encoding="utf-8")
    (package / "extra.py").touch()
    (package / "types.py").unlink()
    (tmp_path / "api.md").write_text("", encoding="utf-8")

    done = regenerated("--check", "--contract", str(own), "--output", str(tmp_path))

    assert done.code == 1
    for line in (
        "client.py differs",
        "extra.py is not made from the contract",
        "types.py is missing",
        "api.md differs",
    ):
        assert line in done.err


@pytest.mark.parametrize(
    ("text", "reason"),
    [("[]", "no OpenAPI document"), ("openapi: 3.1.0", "its `paths` is missing"), ("a: [", "while parsing")],
    ids=["a list", "no paths", "no YAML"],
)
def test_what_is_no_contract_is_refused_in_a_sentence(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    done = regenerated("--contract", str(tmp_path / "own.yaml"), "--output", str(tmp_path / "client"))
    assert done.code == 2
    assert reason in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "client").exists()
