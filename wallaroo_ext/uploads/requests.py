"""The request of an upload, at each of the three endpoints."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, get_args

from wallaroo_ext import contract
from wallaroo_ext.errors import ConfigurationError, InvalidDataError
from wallaroo_ext.operations import Operation, operation_id, request_of
from wallaroo_ext.uploads.envelope import Envelope, Part, form

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import Enum

    import pyarrow as pa
    from wallaroo_mlops_client.models import ModelMetadata, UploadModelResponse, Visibility
    from wallaroo_mlops_client.types import File

    Schema = pa.Schema | bytes | str
    """A schema, or what it is as bytes or base64 already."""


Endpoint = Literal["upload_and_convert", "upload", "upload_stream"]
AnEnum = TypeVar("AnEnum", bound="Enum")

_OF_CONVERSION = ("arch", "python_version", "requirements", "input_schema", "output_schema")
_NATIVE = "onnx"
_FILE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is going to be uploaded.

    Attributes:
        operation: The generated module.
        request: What httpx's `build_request` takes, without what depends on the file's size.
        envelope: What is sent around the file.
    """

    operation: Operation[..., UploadModelResponse]
    request: dict[str, Any]
    envelope: Envelope

    @property
    def name(self) -> str:
        """The operation's id."""
        return operation_id(self.operation)

    def request_for(self, size: int | None) -> dict[str, Any]:
        """Return the request for a file of a size, in bytes; without one, it is sent in chunks that say their own."""
        around = len(self.envelope.head) + len(self.envelope.tail)
        length = {"Transfer-Encoding": "chunked"} if size is None else {"Content-Length": str(size + around)}
        headers = {
            "Accept": contract.operation(self.name).response_types[0],
            "Content-Type": self.envelope.media_type,
        }
        return self.request | {"headers": headers | length}


def planned(options: Mapping[str, Any], workspace_id: int, file_name: str) -> Plan:
    """Return the plan of an upload.

    Args:
        options: What `upload_model` was told.
        workspace_id: The workspace.
        file_name: The name to store the file under.

    Raises:
        ConfigurationError: The options contradict each other.
        InvalidDataError: A schema is none.
    """
    endpoint = options.get("endpoint", "upload_and_convert")
    if endpoint == "upload_and_convert":
        return _converted(options, workspace_id, file_name)
    if endpoint not in get_args(Endpoint):
        raise ConfigurationError(f"endpoint is one of {', '.join(get_args(Endpoint))}, not {endpoint!r}.")
    _refuse_conversion(options, endpoint)
    if endpoint == "upload":
        return _plain(options, workspace_id, file_name)
    return _streamed(options, workspace_id, file_name)


def _refuse_conversion(options: Mapping[str, Any], endpoint: str) -> None:
    named = [name for name in _OF_CONVERSION if options.get(name)]
    if options.get("framework", _NATIVE) != _NATIVE:
        named.append("framework")
    if named:
        raise ConfigurationError(
            f"endpoint={endpoint!r} takes a model as it is, without {', '.join(named)}.",
            advice="Use endpoint='upload_and_convert'.",
        )


def _converted(options: Mapping[str, Any], workspace_id: int, file_name: str) -> Plan:
    from wallaroo_mlops_client.api.models import upload_and_convert_model
    from wallaroo_mlops_client.models import UploadAndConvertModelRequest

    body = UploadAndConvertModelRequest(metadata=_metadata(options, workspace_id), file=_no_file())
    return _form(upload_and_convert_model, body, file_name)


def _plain(options: Mapping[str, Any], workspace_id: int, file_name: str) -> Plan:
    """Return the oldest form, with fields in place of the part `metadata`, which old releases do not read."""
    from wallaroo_mlops_client.api.models import upload_model
    from wallaroo_mlops_client.models import UploadModelRequest

    body = UploadModelRequest(
        name=options["name"],
        visibility=_visibility(options),
        workspace_id=workspace_id,
        file=_no_file(),
    )
    return _form(upload_model, body, file_name)


def _streamed(options: Mapping[str, Any], workspace_id: int, file_name: str) -> Plan:
    from wallaroo_mlops_client.api.models import upload_model_stream

    request = request_of(
        upload_model_stream,
        body=_no_file(),
        name=options["name"],
        filename=file_name,
        visibility=_visibility(options),
        workspace_id=workspace_id,
    )
    del request["content"]
    media_type = contract.operation(operation_id(upload_model_stream)).request_types[0]
    return Plan(upload_model_stream, request, Envelope(media_type))


def _form(operation: Operation[..., UploadModelResponse], body: Any, file_name: str) -> Plan:
    """Return a plan with the parts that the generated client would send, the file being the last one."""
    request = request_of(operation, body=body)
    given: list[tuple[str, tuple[Any, Any, str]]] = request.pop("files")
    fields = [Part(name, kind, content) for name, (_, content, kind) in given if content is not None]
    files = [Part(name, kind, file_name=file_name) for name, (_, content, kind) in given if content is None]
    return Plan(operation, request, form(*fields, *files))


def _no_file() -> File:
    """Return what stands for the file where the generated client makes the rest of a request."""
    from wallaroo_mlops_client.types import File

    return File(cast("Any", None), mime_type=_FILE)


def _metadata(options: Mapping[str, Any], workspace_id: int) -> ModelMetadata:
    from wallaroo_mlops_client.models import Architecture, Conversion, ModelMetadata
    from wallaroo_mlops_client.types import UNSET

    arch = options.get("arch")
    schemas = {name: options.get(name) for name in ("input_schema", "output_schema")}
    return ModelMetadata(
        name=options["name"],
        visibility=_visibility(options),
        workspace_id=workspace_id,
        conversion=Conversion(
            framework=options.get("framework", _NATIVE),
            python_version=options.get("python_version") or UNSET,
            requirements=list(options.get("requirements") or ()),
            arch=UNSET if arch is None else _choice(Architecture, "arch", arch),
        ),
        **{name: encoded(name, schema) for name, schema in schemas.items() if schema is not None},
    )


def _visibility(options: Mapping[str, Any]) -> Visibility:
    from wallaroo_mlops_client.models import Visibility

    return _choice(Visibility, "visibility", options.get("visibility", "private"))


def _choice(kind: type[AnEnum], name: str, value: str) -> AnEnum:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(str(one.value) for one in kind)
        raise ConfigurationError(f"{name} is one of {known}, not {value!r}.") from None


_MESSAGE = b"\xff\xff\xff\xff"
"""What an Arrow message begins with, and no base64."""


def encoded(name: str, schema: Schema) -> str:
    """Return a schema as base64.

    Args:
        name: The argument that it came by.
        schema: A `pyarrow.Schema`; its bytes, as `serialize` gives them; or the base64 of these, as text or bytes.

    Raises:
        InvalidDataError: It is none of these.
    """
    if isinstance(schema, str):
        return _checked(name, schema)
    content = _message(name, schema)
    if content.startswith(_MESSAGE):
        return base64.b64encode(content).decode("ascii")
    return _checked(name, content.decode("ascii", errors="replace"))


def _message(name: str, schema: Any) -> bytes:
    try:
        return bytes(memoryview(schema.serialize() if hasattr(schema, "serialize") else schema))
    except TypeError:
        raise InvalidDataError(f"{name} is a pyarrow.Schema, or its base64, not {type(schema).__name__}.") from None


def _checked(name: str, text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidDataError(f"{name} is no base64 of a serialised schema; give the pyarrow.Schema itself.") from None
    return text
