"""`wallaroo-ext upload`: upload a model file to a workspace."""

from __future__ import annotations

import base64
import binascii
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from wallaroo_ext._util.files.signatures import ARROW_FILE, PARQUET
from wallaroo_ext.cli import signals
from wallaroo_ext.cli.completion import FileOrUrl, ModelName, Workspace
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.parameters import PATH, workspace_id
from wallaroo_ext.cli.printing import output, progress
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.cli.printing.tables import show_facts
from wallaroo_ext.cli.reading.standard_input import standard_input

if TYPE_CHECKING:
    import pyarrow as pa
    from wallaroo_mlops_client.models import ModelVersion


def upload(
    file: Annotated[FileOrUrl, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    name: ModelName,
    workspace: Workspace = None,
    framework: str = "onnx",
    new_framework: Annotated[bool, Parameter(negative=())] = False,
    arch: Literal["x86", "arm"] | None = None,
    input_schema: Annotated[Path | None, PATH] = None,
    output_schema: Annotated[Path | None, PATH] = None,
    python_version: str | None = None,
    requirement: Annotated[list[str] | None, Parameter(negative=())] = None,
    visibility: Literal["public", "private"] = "private",
    file_name: str | None = None,
    wait: bool = True,
    wait_timeout: Annotated[float, Parameter(validator=Number(gte=0))] = 600,
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """Upload a model, and wait until it is ready.

    The SHA-256 of the sent file is compared with that of the stored one. If Ctrl-C interrupts the sending, nothing is
    stored; after that the model stays, and the command says so.

    For example: `wallaroo-ext upload tumours.onnx --name tumours`

    Args:
        file: The model's file, or - for the standard input.
        name: The model's name, of letters, digits and dashes. If the workspace has the model, it gets another version.
        workspace: The workspace, by its name or its id; the user's own one by default.
        framework: The framework of the model. A name that is near a known one is taken for a typing error.
        new_framework: Whether such a name is meant.
        arch: The processors to deploy it on.
        input_schema: A file with the Arrow schema of its inputs, for frameworks that need it: an .arrow or .parquet
            file with any rows, or a serialised schema.
        output_schema: The same for its outputs.
        python_version: The version of Python that it needs, such as 3.8.
        requirement: A package that it needs; the option can be given several times.
        visibility: Who may see it: everybody, or the members of its workspace.
        file_name: The name to store the file under; its own by default.
        wait: Whether to wait until the model is ready.
        wait_timeout: How long to wait for that, in seconds.
        options: The instance, and how to answer.
    """
    with options.report_errors(), ExitStack() as after:
        from wallaroo_ext.uploads import upload_model

        schemas: Any = {"input_schema": read_schema(input_schema), "output_schema": read_schema(output_schema)}
        source = standard_input() if file == "-" else file
        with options.connect() as client:
            workspace_number = workspace_id(client, workspace)
            with progress.show_upload(name, quiet=options.json) as show:
                version = upload_model(
                    client,
                    source,
                    name=name,
                    workspace=workspace_number,
                    framework=framework,
                    new_framework=new_framework,
                    arch=arch,
                    python_version=python_version,
                    requirements=requirement,
                    visibility=visibility,
                    file_name=file_name,
                    wait=wait,
                    timeout=wait_timeout,
                    progress=show,
                    **schemas,
                )
                note = f"The model {name} is stored in the workspace {workspace_number}, as the version {version.id}."
                after.enter_context(signals.note_on_interrupt(lambda: note))
        _show(name, workspace_number, version, machine=options.json)


def _show(name: str, workspace_number: int, version: ModelVersion, *, machine: bool) -> None:
    from wallaroo_mlops_client.types import Unset

    status = None if isinstance(version.status, Unset) else version.status
    facts: dict[str, Any] = {
        "model": name,
        "id": version.id,
        "version": version.model_version,
        "sha256": version.sha,
        "status": status,
        "workspace_id": workspace_number,
    }
    if machine:
        output.print_line(output.to_json(facts, machine=True))
    else:
        show_facts({title.replace("_id", ""): str(value) for title, value in facts.items() if value is not None})


def read_schema(file: Path | None) -> pa.Schema | None:
    """Return the Arrow schema of a file: an Arrow or Parquet file, a serialised schema, or the base64 of one.

    Raises:
        UsageError: The file has no schema, or pyarrow is not installed.
        OSError: The file cannot be read.
    """
    if file is None:
        return None
    try:
        arrow: Any = import_module("pyarrow")
    except ImportError:
        raise UsageError("Schemas need pyarrow: pip install 'wallaroo-ext[arrow]'.") from None
    with file.open("rb") as opened:
        start = opened.read(len(ARROW_FILE))
    try:
        if start.startswith(PARQUET):
            return import_module("pyarrow.parquet").read_schema(file)
        if start.startswith(ARROW_FILE):
            return arrow.ipc.open_file(file).schema
        return arrow.ipc.read_schema(arrow.py_buffer(_decode_schema(file.read_bytes())))
    except (arrow.ArrowException, ValueError, OSError):
        raise UsageError(
            f"There is no Arrow schema in {file}: give an .arrow or .parquet file that has it, the schema as "
            f"`serialize` writes it, or the base64 of that."
        ) from None


def _decode_schema(content: bytes) -> bytes:
    """Return a serialised schema, decoded if it is in base64."""
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        return content
