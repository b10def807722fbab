"""The request of an upload, at each of the three endpoints."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, get_args

from wallaroo_ext import contract
from wallaroo_ext._util.files.signatures import ARROW_MESSAGE
from wallaroo_ext.errors import ConfigurationError, InvalidDataError
from wallaroo_ext.operations import Operation, operation_id, request_of
from wallaroo_ext.uploads.envelope import Envelope, Part, multipart_form

if TYPE_CHECKING:
    from collections.abc import Sequence
    from enum import Enum

    import pyarrow as pa
    from wallaroo_mlops_client.models import ModelMetadata, UploadModelResponse, Visibility
    from wallaroo_mlops_client.types import File

    Schema = pa.Schema | bytes | str
    """A schema, or its serialised bytes, or their base64."""


Endpoint = Literal["upload_and_convert", "upload", "upload_stream"]
AnEnum = TypeVar("AnEnum", bound="Enum")

_OF_CONVERSION = ("arch", "python_version", "requirements", "input_schema", "output_schema")
_NATIVE = "onnx"
_FILE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Plan:
    """The request of an upload, before the file's size is known.

    Attributes:
        operation: The generated module.
        request: The arguments for httpx's `build_request` that do not depend on the file's size.
        envelope: The bytes around the file.
    """

    operation: Operation[..., UploadModelResponse]
    request: dict[str, Any]
    envelope: Envelope

    @property
    def name(self) -> str:
        """The operation's id."""
        return operation_id(self.operation)

    def request_for(self, size: int | None) -> dict[str, Any]:
        """Return the request for a file of a size, in bytes; without one, the file is sent in chunks."""
        around = len(self.envelope.head) + len(self.envelope.tail)
        length = {"Transfer-Encoding": "chunked"} if size is None else {"Content-Length": str(size + around)}
        headers = {
            "Accept": contract.operation(self.name).response_types[0],
            "Content-Type": self.envelope.media_type,
        }
        return self.request | {"headers": headers | length}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The fields of an upload; `upload_model` describes them.

    Attributes:
        name: The model's name.
        workspace_id: The workspace.
        file_name: The name to store the file under.
        framework: The framework that the model was written with.
        input_schema: The Arrow schema of the inputs.
        output_schema: The Arrow schema of the outputs.
        arch: The processors to deploy on.
        python_version: The version of Python that the model needs.
        requirements: The packages that the model needs.
        visibility: Who may see the model.
    """

    name: str
    workspace_id: int
    file_name: str
    framework: str
    input_schema: Schema | None
    output_schema: Schema | None
    arch: str | None
    python_version: str | None
    requirements: Sequence[str]
    visibility: str


def requirement_list(requirements: str | Iterable[str] | None) -> list[str]:
    """Return requirements as a list; a text is a list of one.

    Raises:
        InvalidDataError: They are not texts, or a text is several lines.
    """
    given: Any = [requirements] if isinstance(requirements, str) else () if requirements is None else requirements
    if isinstance(given, Mapping | bytes) or not isinstance(given, Iterable):
        kind = type(requirements).__name__
        raise InvalidDataError(f"`requirements` is a list of texts such as numpy==1.26, not {kind}.")
    listed = list(cast("Iterable[Any]", given))
    for each in listed:
        if not isinstance(each, str) or len(each.splitlines()) != 1:
            raise InvalidDataError(
                f"`requirements` is a list of texts such as numpy==1.26, one for each package, and {each!r} is none: "
                "give the lines of a requirements file one by one."
            )
    return listed


def plan_upload(form: Form, endpoint: str) -> Plan:
    """Return the plan of an upload to an endpoint.

    Raises:
        ConfigurationError: The fields contradict each other, or the endpoint.
        InvalidDataError: A schema cannot be read.
    """
    if endpoint == "upload_and_convert":
        return _converted(form)
    if endpoint not in get_args(Endpoint):
        raise ConfigurationError(f"endpoint is one of {', '.join(get_args(Endpoint))}, not {endpoint!r}.")
    _refuse_conversion(form, endpoint)
    return _plain(form) if endpoint == "upload" else _streamed(form)


def plan_without_conversion(form: Form, endpoint: str | None) -> Plan | None:
    """Return the plan for an instance that has no conversion; None where an endpoint is named, or one is needed."""
    return None if endpoint is not None or _needs_of_conversion(form) else _plain(form)


def _needs_of_conversion(form: Form) -> list[str]:
    """Return the names of the fields that only a conversion takes."""
    named = [name for name in _OF_CONVERSION if getattr(form, name)]
    return named if form.framework == _NATIVE else [*named, "framework"]


def _refuse_conversion(form: Form, endpoint: str) -> None:
    if named := _needs_of_conversion(form):
        raise ConfigurationError(
            f"endpoint={endpoint!r} takes a model as it is, without {', '.join(named)}.",
            advice="Use endpoint='upload_and_convert'.",
        )


def _converted(form: Form) -> Plan:
    from wallaroo_mlops_client.api.models import upload_and_convert_model
    from wallaroo_mlops_client.models import UploadAndConvertModelRequest

    body = UploadAndConvertModelRequest(metadata=_metadata(form), file=_no_file())
    return _multipart(upload_and_convert_model, body, form.file_name)


def _plain(form: Form) -> Plan:
    """Return the plan with a field for each value, because old releases do not read the part `metadata`."""
    from wallaroo_mlops_client.api.models import upload_model
    from wallaroo_mlops_client.models import UploadModelRequest, UploadModelRequestVisibility

    body = UploadModelRequest(
        name=form.name,
        visibility=UploadModelRequestVisibility(_visibility(form).value),
        workspace_id=form.workspace_id,
        file=_no_file(),
    )
    return _multipart(upload_model, body, form.file_name)


def _streamed(form: Form) -> Plan:
    from wallaroo_mlops_client.api.models import upload_model_stream

    request = request_of(
        upload_model_stream,
        body=_no_file(),
        name=form.name,
        filename=form.file_name,
        visibility=_visibility(form),
        workspace_id=form.workspace_id,
    )
    del request["content"]
    media_type = contract.operation(operation_id(upload_model_stream)).request_types[0]
    return Plan(upload_model_stream, request, Envelope(media_type))


def _multipart(operation: Operation[..., UploadModelResponse], body: Any, file_name: str) -> Plan:
    """Return the plan of a multipart form with the parts that the generated client would send, the file last."""
    request = request_of(operation, body=body)
    given: list[tuple[str, tuple[Any, Any, str]]] = request.pop("files")
    fields = [Part(name, kind, content) for name, (_, content, kind) in given if content is not None]
    files = [Part(name, kind, file_name=file_name) for name, (_, content, kind) in given if content is None]
    return Plan(operation, request, multipart_form(*fields, *files))


def _no_file() -> File:
    """Return a stand-in for the file, with which the generated client makes the rest of a request."""
    from wallaroo_mlops_client.types import File

    return File(cast("Any", None), mime_type=_FILE)


def _metadata(form: Form) -> ModelMetadata:
    from wallaroo_mlops_client.models import Architecture, Conversion, ModelMetadata
    from wallaroo_mlops_client.types import UNSET

    schemas = {"input_schema": form.input_schema, "output_schema": form.output_schema}
    return ModelMetadata(
        name=form.name,
        visibility=_visibility(form),
        workspace_id=form.workspace_id,
        conversion=Conversion(
            framework=form.framework,
            python_version=form.python_version or UNSET,
            requirements=list(form.requirements),
            arch=UNSET if form.arch is None else _choice(Architecture, "arch", form.arch),
        ),
        **{name: encoded(name, schema) for name, schema in schemas.items() if schema is not None},
    )


def _visibility(form: Form) -> Visibility:
    from wallaroo_mlops_client.models import Visibility

    return _choice(Visibility, "visibility", form.visibility)


def _choice(kind: type[AnEnum], name: str, value: str) -> AnEnum:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(str(one.value) for one in kind)
        raise ConfigurationError(f"{name} is one of {known}, not {value!r}.") from None


def encoded(name: str, schema: Schema) -> str:
    """Return a schema as base64.

    Args:
        name: The name of the argument, for errors.
        schema: A `pyarrow.Schema`; its bytes, as `serialize` returns them; or the base64 of these, as text or bytes.

    Raises:
        InvalidDataError: It is none of these.
    """
    if isinstance(schema, str):
        return _checked(name, schema)
    content = _message(name, schema)
    if content.startswith(ARROW_MESSAGE):
        return base64.b64encode(content).decode("ascii")
    return _checked(name, content.decode("ascii", errors="replace"))


def _message(name: str, schema: Any) -> bytes:
    try:
        return bytes(memoryview(schema.serialize() if hasattr(schema, "serialize") else schema))
    except TypeError:
        raise InvalidDataError(f"{name} is a pyarrow.Schema, or its base64, not {type(schema).__name__}.") from None


def _checked(name: str, text: str) -> str:
    """Return the base64 of a schema, as Arrow has serialised it since 0.15, and as all that is recorded is."""
    try:
        is_schema = base64.b64decode(text, validate=True).startswith(ARROW_MESSAGE)
    except (binascii.Error, ValueError):
        is_schema = False
    if not is_schema:
        raise InvalidDataError(f"{name} is no base64 of a serialised schema; give the pyarrow.Schema itself.")
    return text
