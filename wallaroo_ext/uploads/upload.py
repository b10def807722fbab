"""Uploading a model file, and waiting until the version is ready."""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from wallaroo_ext._util.progress import check_progress
from wallaroo_ext._util.quantities import check_count
from wallaroo_ext._util.times import check_seconds
from wallaroo_ext.errors import (
    ConnectionFailedError,
    ContractViolationError,
    ConversionError,
    InvalidDataError,
    NotFoundError,
    UploadCorruptedError,
    WaitTimeoutError,
)
from wallaroo_ext.operations import Send, Steps, Work, note_leftovers, parse, send, synchronous
from wallaroo_ext.resources.naming import explained_names
from wallaroo_ext.resources.workspaces import list_workspaces_steps, workspace_id_steps
from wallaroo_ext.uploads.body import UploadBody
from wallaroo_ext.uploads.conversion import ready_version_steps
from wallaroo_ext.uploads.digest import BackgroundDigest
from wallaroo_ext.uploads.frameworks import check_framework
from wallaroo_ext.uploads.progress import Reporter, show_progress
from wallaroo_ext.uploads.requests import Form, plan_upload, plan_without_conversion, requirement_list
from wallaroo_ext.uploads.sources import Source, extent_of, is_open_file, open_source, opener_again
from wallaroo_ext.uploads.stored import stored_version_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import ModelVersion, UploadModelResponse

    from wallaroo_ext.uploads.progress import OnProgress
    from wallaroo_ext.uploads.requests import Endpoint, Plan, Schema
    from wallaroo_ext.uploads.sources import ModelSource

TIMEOUT = 600.0
"""How long a conversion is waited for by default, in seconds."""


@synchronous
def upload_model(
    client: Client,  # noqa: ARG001 - the steps run with it
    model: ModelSource,
    *,
    name: str,
    workspace: int | str | None = None,
    framework: str = "onnx",
    new_framework: bool = False,
    input_schema: Schema | None = None,
    output_schema: Schema | None = None,
    arch: Literal["x86", "arm"] | None = None,
    python_version: str | None = None,
    requirements: str | Sequence[str] | None = None,
    visibility: Literal["public", "private"] = "private",
    file_name: str | None = None,
    size: int | None = None,
    progress: OnProgress | bool | None = None,
    endpoint: Endpoint | None = None,
    check_sha: bool = True,
    wait: bool = True,
    timeout: float = TIMEOUT,
) -> Steps[ModelVersion]:
    """Upload a model file, and wait until its conversion has ended.

    The file is read, hashed and sent piece by piece, so that its size does not matter to memory. Its SHA-256 is
    compared with what the instance stored. It is sent once: where the connection is lost, the error says whether the
    model can be there. An instance that refuses it may answer while it is still being sent; in asyncio, only the
    transport `aiohttp` sees that answer where the connection is closed right behind it.

    Source: mlops-api-tutorial, "Upload Model to Workspace".

    Args:
        client: What `connect` gave.
        model: The file's path; an open binary file, which is read from its position; its bytes; or an iterator of them,
            which may be asynchronous for `wallaroo_ext.aio`. asyncio reads files and other iterators in threads.
        name: The model's name, of letters, digits and dashes. Where the workspace has a model of this name, a version
            is added to it.
        workspace: The workspace to upload into, by its name or its id; by default the user's own.
        framework: The framework that the model was written with, `onnx` by default. A name that is not known is sent as
            it is, unless it is near a known one.
        new_framework: True to send such a name, too.
        input_schema: The Arrow schema of the inputs, for frameworks that need it: a `pyarrow.Schema`, its serialised
            bytes, or their base64.
        output_schema: The Arrow schema of the outputs, in the same forms.
        arch: The processors to deploy on, `x86` or `arm`.
        python_version: The version of Python that the model needs, such as `3.8`.
        requirements: The packages that the model needs, such as `["numpy==1.26"]`; a text is one of them.
        visibility: Who may see the model: everybody (`public`), or the members of its workspace (`private`).
        file_name: The name to store the file under; by default the file's own, or the model's.
        size: How many bytes there are, for an iterator or a pipe. Without it, these are sent in chunks, which some
            gateways refuse with 411.
        progress: A function that is called with the number of bytes sent and the number of all bytes (None where that
            is unknown): at the beginning, at the end, and at most ten times a second; or True for a bar, or lines
            where none can be shown, which needs the extra `cli`. An error of the function ends the upload.
        endpoint: The endpoint of the API: `upload_and_convert`; `upload`, a form for releases that have no conversion;
            or `upload_stream`, the file alone. The last two take ONNX models as they are. By default, the first, and
            where the instance does not have it, the second, if the model needs no conversion.
        check_sha: Whether to compute the SHA-256 and compare it with the instance's.
        wait: Whether to wait for the conversion; False to return as soon as the version is stored.
        timeout: How long to wait for the conversion, in seconds; 600 by default.

    Returns:
        The new model version, with its `id`, `model_version` and `sha`.

    Raises:
        NotFoundError: There is no workspace of this name.
        AmbiguousError: No workspace is named, and it is not clear which one is the user's own.
        ConversionError: The conversion ended in `error`; the message has the reason, `logs` the log where there is one.
        UploadCorruptedError: The instance stored other bytes than were sent.
        WaitTimeoutError: The conversion did not end in time.
        InvalidDataError: The framework's name is mistyped, there is nothing to send, or the file changed while it was
            sent; nothing was uploaded then.
        ConfigurationError: The options contradict each other.
        ConnectionFailedError: The connection was lost; its `advice` says whether the model can be there.
        ApiError: The instance refuses the upload.
        OSError: The file cannot be opened or read.
    """
    _check_readable(model)
    check_seconds("timeout", timeout)
    if size is not None:
        check_count("size", size)
    check_progress(progress, "the bytes sent", "the bytes in all")
    _check_texts(name=name, file_name=file_name or "", python_version=python_version or "")
    required = requirement_list(requirements)
    framework = check_framework(framework, new_framework=new_framework)
    sending = _Sending(name, progress, check_sha)
    extent = (yield Work(partial(extent_of, model))) if is_open_file(model) else None
    open_again = opener_again(model, size, extent)
    with open_source(model, size, extent) as source:
        workspace_id = yield from _workspace_id(workspace)
        form = Form(
            name=name,
            workspace_id=workspace_id,
            file_name=file_name or source.file_name or name,
            framework=framework,
            input_schema=input_schema,
            output_schema=output_schema,
            arch=arch,
            python_version=python_version,
            requirements=required,
            visibility=visibility,
        )
        plan, other = plan_upload(form, endpoint or "upload_and_convert"), plan_without_conversion(form, endpoint)
        version_id, sha = yield from _sent_by_either(plan, other, source, open_again, sending)
    with _stays(f"The model {name} is stored in the workspace {workspace_id}, as the version {version_id}."):
        if wait:
            return (yield from ready_version_steps(name, version_id, sha, timeout))
        return (yield from stored_version_steps(name, version_id, sha))


def _check_readable(model: ModelSource) -> None:
    """Refuse an asynchronous iterator where no event loop can read it."""
    if not isinstance(model, AsyncIterable):
        return
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise InvalidDataError("An asynchronous iterator is for wallaroo_ext.aio.upload_model.") from None


def _check_texts(**options: object) -> None:
    """Raise InvalidDataError for an option that is no text: as a number, a version of Python would lose its zero."""
    for name, value in options.items():
        if not isinstance(value, str):
            raise InvalidDataError(f"`{name}` is a text, not {type(value).__name__}.")


@contextmanager
def _stays(what: str) -> Generator[None]:
    """Note on an error while waiting that the model is stored; `ConversionError` and others say so themselves."""
    try:
        yield
    except (ConversionError, UploadCorruptedError, WaitTimeoutError):
        raise
    except BaseException as error:
        note_leftovers(error, f"{what} Do not upload it again: list_model_versions shows whether it is ready.")
        raise


@contextmanager
def _may_be_there(source: Source, body: UploadBody) -> Generator[None]:
    """Note on an interrupt, while the file is sent and shortly after, whether the model may be stored."""
    try:
        yield
    except Exception:
        raise
    except BaseException as interrupt:
        if body.may_be_whole:
            note_leftovers(interrupt, _advice(source, body))
        raise


def _workspace_id(workspace: int | str | None) -> Steps[int]:
    """Return the id of the workspace of an upload.

    A request is sent in any case: where the instance no longer takes the token, it is renewed for this request, and not
    for the upload, which cannot be sent twice.
    """
    if isinstance(workspace, int):
        yield from list_workspaces_steps()
    return (yield from workspace_id_steps(workspace))


@dataclass(frozen=True, slots=True)
class _Sending:
    """How a model is sent.

    Attributes:
        name: The model's name, for the progress.
        progress: Who is told of the progress.
        check_sha: Whether to compute the SHA-256.
    """

    name: str
    progress: OnProgress | bool | None
    check_sha: bool


def _sent_by_either(
    plan: Plan,
    other: Plan | None,
    source: Source,
    open_again: Callable[[], AbstractContextManager[Source]] | None,
    sending: _Sending,
) -> Steps[tuple[int, str | None]]:
    """Send a model by a plan or, where the instance does not have its operation, by the other one.

    Releases before 2023.2 have no conversion, and answer as to any unknown path.
    """
    try:
        return (yield from _sent(plan, source, sending))
    except NotFoundError as error:
        if other is None:
            raise
        if open_again is None:
            error.advice = "Releases before 2023.2 do not have it: give endpoint='upload', for a model as it is."
            raise
    with open_again() as again:
        return (yield from _sent(other, again, sending))


def _sent(plan: Plan, source: Source, sending: _Sending) -> Steps[tuple[int, str | None]]:
    """Send a model, and return its version's id and its SHA-256, which is None where it is not computed."""
    with ExitStack() as after, ExitStack() as stack:
        digest = stack.enter_context(BackgroundDigest()) if sending.check_sha else None
        bar = stack.enter_context(show_progress(sending.name, sending.progress or None))
        body = UploadBody(source, plan.envelope, digest, Reporter(bar, source.size))
        after.enter_context(_may_be_there(source, body))
        with explained_names("model", sending.name):
            answer = yield from _uploaded(plan, source, body)
        return _version_id(plan, answer), None if digest is None else digest.hexdigest()


def _uploaded(plan: Plan, source: Source, body: UploadBody) -> Steps[UploadModelResponse]:
    """Send the request.

    Raises:
        Exception: The source or the progress function raised an error.
        ConnectionFailedError: No answer came.
    """
    try:
        response = yield from send(Send(plan.name, plan.request_for(source.size), body))
    except ConnectionFailedError as error:
        if body.failure is not None:
            raise body.failure from None
        if body.begun:
            error.advice = _advice(source, body)
        raise
    return parse(plan.operation, response)


def _advice(source: Source, body: UploadBody) -> str:
    """Return whether the model may be stored after a lost connection, and what to do."""
    if body.may_be_whole:
        return (
            "It is unknown whether the model was stored: list_model_versions shows that, by the SHA-256. If it was "
            "not, upload it again."
        )
    total = "" if source.size is None else f" of {source.size}"
    return (
        f"Nothing was uploaded: the connection ended after {body.sent}{total} bytes of the file. Upload it again; "
        f"where it ends again, the instance may refuse the file, and its answer be lost."
    )


def _version_id(plan: Plan, answer: UploadModelResponse) -> int:
    for row in answer.insert_models.returning:
        for version in row.models:
            return version.id
    raise ContractViolationError(
        f"{plan.name}: the answer names no model version.",
        operation=plan.name,
        status=200,
        body=str(answer.to_dict()),
    )
