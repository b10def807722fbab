"""Uploading a model and waiting until it is ready."""

from __future__ import annotations

import time
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, Required, TypedDict, Unpack

from wallaroo_ext.errors import ContractViolationError, ConversionError, InvalidDataError, WaitTimeoutError
from wallaroo_ext.operations import Pause, Steps, call_steps, run

if TYPE_CHECKING:
    from collections.abc import Generator

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import ModelMetadata, ModelVersion, UploadModelResponse

ModelSource = str | PathLike[str] | BinaryIO | bytes
"""A model's file: its path, an open binary file, or its bytes."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_TIMEOUT = 600.0


class UploadOptions(TypedDict, total=False):
    """What an upload is told beside the file; see `upload_model`."""

    name: Required[str]
    workspace_id: Required[int]
    framework: str
    visibility: Literal["public", "private"]
    python_version: str | None
    requirements: list[str] | None
    arch: Literal["x86", "arm"] | None
    input_schema: str | None
    output_schema: str | None
    file_name: str | None
    timeout: float


def upload_model(client: Client, source: ModelSource, **options: Unpack[UploadOptions]) -> ModelVersion:
    """Upload a model file, and wait until its conversion has ended.

    The file is read and sent piece by piece, so that its size does not matter.

    Source: mlops-api-tutorial, "Upload Model to Workspace".

    Args:
        client: What `connect` gave.
        source: The file's path, an open binary file at its beginning, or its bytes.
        **options: By name:
            `name`: the model's name, of letters, digits and dashes. Under a name that the workspace has, a version is
            added.
            `workspace_id`: the workspace to upload into.
            `framework`: what the model was written with; `onnx` by default.
            `visibility`: who may see the model, everybody (`public`) or the members of its workspace (`private`, the
            default).
            `python_version`: the version of Python that the model needs, such as `3.8`.
            `requirements`: the packages that the model needs.
            `arch`: the processors to deploy on, `x86` or `arm`.
            `input_schema`: the Arrow schema of the inputs, serialised, in base64; for frameworks that need it.
            `output_schema`: the Arrow schema of the outputs, likewise.
            `file_name`: the name to store the file under; by default the path's own, or the model's.
            `timeout`: how long to wait for the conversion, in seconds; 600 by default.

    Returns:
        The new model version, with its `id`, `model_version` and `sha`.

    Raises:
        ConversionError: The conversion ended in `error`; the message has the reason.
        WaitTimeoutError: The conversion did not end in time.
        ApiError: The instance refuses the upload.
    """
    return run(client, upload_model_steps(source, **options))


def upload_model_steps(source: ModelSource, **options: Unpack[UploadOptions]) -> Steps[ModelVersion]:
    """What `upload_model` does."""
    from wallaroo_mlops_client.api.models import upload_and_convert_model
    from wallaroo_mlops_client.models import UploadAndConvertModelRequest, UploadModelResponse
    from wallaroo_mlops_client.types import File

    name = options["name"]
    file_name = options.get("file_name") or _name_of(source) or name
    with _opened(source) as payload:
        file = File(payload=payload, file_name=file_name, mime_type="application/octet-stream")
        body = UploadAndConvertModelRequest(metadata=_metadata(options), file=file)
        answer = yield from call_steps(upload_and_convert_model, UploadModelResponse, body=body)
    return (yield from _ready_version(name, _version_id(answer), options.get("timeout", _TIMEOUT)))


def _metadata(options: UploadOptions) -> ModelMetadata:
    from wallaroo_mlops_client.models import Architecture, Conversion, ModelMetadata, Visibility
    from wallaroo_mlops_client.types import UNSET

    arch = options.get("arch")
    return ModelMetadata(
        name=options["name"],
        visibility=Visibility(options.get("visibility", "private")),
        workspace_id=options["workspace_id"],
        conversion=Conversion(
            framework=options.get("framework", "onnx"),
            python_version=options.get("python_version") or UNSET,
            requirements=options.get("requirements") or [],
            arch=Architecture(arch) if arch else UNSET,
        ),
        input_schema=options.get("input_schema") or UNSET,
        output_schema=options.get("output_schema") or UNSET,
    )


@contextmanager
def _opened(source: ModelSource) -> Generator[BinaryIO]:
    """The source as a binary file; one that was opened here is closed here."""
    if isinstance(source, str | PathLike):
        with Path(source).open("rb") as file:
            yield file
    elif isinstance(source, bytes):
        from io import BytesIO

        yield BytesIO(source)
    elif hasattr(source, "read"):
        yield source
    else:
        raise InvalidDataError(f"A model is a path, an open binary file or bytes, not {type(source).__name__}.")


def _name_of(source: ModelSource) -> str | None:
    return Path(source).name if isinstance(source, str | PathLike) else None


def _version_id(answer: UploadModelResponse) -> int:
    for row in answer.insert_models.returning:
        for version in row.models:
            return version.id
    raise ContractViolationError(
        "upload_and_convert_model: the answer names no model version.",
        operation="upload_and_convert_model",
        status=202,
        body=str(answer.to_dict()),
    )


def _ready_version(name: str, version_id: int, timeout: float) -> Steps[ModelVersion]:
    """Wait for the version of this id to be `ready`; a release without a status has only ready ones."""
    from wallaroo_mlops_client.types import Unset

    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while True:
        version = yield from _find_version(name, version_id)
        status = version.status
        if isinstance(status, Unset) or status == "ready":
            return version
        if status == "error":
            reason = version.error_summary or "the instance gives no reason"
            raise ConversionError(f"The model {name} was not converted: {reason}.", version_id=version_id)
        if time.monotonic() + pause > deadline:
            raise WaitTimeoutError(f"The model {name} is still {status!r} after {timeout:g} s; it may need longer.")
        yield Pause(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _find_version(name: str, version_id: int) -> Steps[ModelVersion]:
    from wallaroo_mlops_client.api.models import list_model_versions
    from wallaroo_mlops_client.models import ListModelVersionsRequest, ModelVersion

    body = ListModelVersionsRequest(model_id=name)
    versions = yield from call_steps(list_model_versions, list[ModelVersion], body=body)
    for version in versions:
        if version.id == version_id:
            return version
    raise ContractViolationError(
        f"list_model_versions: the version {version_id} of {name} that was just uploaded is not in the list.",
        operation="list_model_versions",
        status=200,
        body=str([version.to_dict() for version in versions])[:500],
    )
