"""`wallaroo-ext call`: call any operation by its id."""

from __future__ import annotations

import json
import re
import shlex
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from wallaroo_ext import contract
from wallaroo_ext.cli.call_requests import RequestInputs, build_request
from wallaroo_ext.cli.commands.operations import find_operation
from wallaroo_ext.cli.completion import at_files
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.parameters import OUTPUT_FILE
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.cli.printing.output_files import check_output, open_output
from wallaroo_ext.cli.reading.bodies import MULTIPART, example_body, required_query
from wallaroo_ext.operations import Send, sendable
from wallaroo_ext.redaction.terminal_text import printable_json
from wallaroo_ext.transport.response_errors import connection_error, contract_violation, response_error
from wallaroo_ext.transport.retry import request_options
from wallaroo_ext.transport.wire_errors import NO_ANSWER

if TYPE_CHECKING:
    from collections.abc import Generator

    import httpx

_MANY = Parameter(negative=())
_FLAG = Parameter(negative=(), show_default=False)


def call(
    operation: Annotated[str, Parameter(completer=lambda _: contract.operation_ids())],
    /,
    *,
    data: Annotated[str | None, Parameter(allow_leading_hyphen=True, completer=at_files)] = None,
    path: Annotated[list[str] | None, _MANY] = None,
    query: Annotated[list[str] | None, _MANY] = None,
    part: Annotated[list[str] | None, _MANY] = None,
    content_type: str | None = None,
    accept: str | None = None,
    example: Annotated[bool, _FLAG] = False,
    output_file: Annotated[Path | None, Parameter(name="--output"), OUTPUT_FILE] = None,
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """Call an operation of the API, and print what it answers.

    `wallaroo-ext call list_models --data '{"workspace_id": 1}'`. JSON is printed unchanged; on a terminal, on several
    lines.

    Args:
        operation: The operation's id, such as list_workspaces; `wallaroo-ext operations` lists all.
        data: The body: JSON, @FILE for the content of a file, or - for the standard input. An empty object by default.
        path: A parameter of the path, as NAME=VALUE.
        query: A parameter of the query, as NAME=VALUE; a name may be given several times.
        part: A part of a multipart body, as NAME=TEXT or NAME=@FILE, such as `metadata={…}` and `file=@model.onnx`.
        content_type: The body's media type; by default the operation's media type that fits the body.
        accept: The answer's media type to ask for.
        example: Print a body that the operation takes, by the contract, and how to send it; nothing is sent.
        output_file: A file to write the answer to, as it comes. It is needed for binary answers on a terminal.
        options: The instance, and how to answer.
    """
    with options.report_errors():
        name = find_operation(operation)
        if name == "request_token":
            raise UsageError("For a token, run `wallaroo-ext token`: `call` signs in by itself.")
        if example:
            _show_example(name, machine=options.json)
            return
        if output_file is not None:
            check_output(output_file)
        inputs = RequestInputs(data, path or [], query or [], part or [], content_type, accept)
        with build_request(name, inputs) as request, options.connect() as client:
            step = Send(name, request | {"extensions": {request_options.STREAM: output_file is not None}})
            with _send(client.get_httpx_client(), step) as response:
                _write_answer(name, response, output_file, machine=options.json)


def _show_example(name: str, *, machine: bool) -> None:
    """Print a body, and to standard error the command that sends it."""
    body, found = example_body(name), contract.operation(name)
    words = [f"--path {parameter}=…" for parameter in re.findall(r"\{(\w+)\}", found.path)]
    words += [f"--query {parameter}={shlex.quote(str(value))}" for parameter, value in required_query(name)]
    if MULTIPART in found.request_types:
        words += [f"--part {part}={shlex.quote(_compact(value))}" for part, value in body.items()]
        words.append("--part file=@model.onnx")
    elif found.request_types:
        words.append("--data @FILE" if body is None else "--data @body.json")
    if body is not None:
        output.print_json(printable_json(json.dumps(body, ensure_ascii=False, indent=None if machine else 2)))
    else:
        output.print_note(f"{name} takes {'a file' if found.request_types else 'no body'}.")
    beginning = "With the body in body.json" if "--data @body.json" in words else "To send it"
    output.print_note(" ".join([f"{beginning}: wallaroo-ext call {name}", *words]))


def _compact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


@contextmanager
def _send(http: httpx.Client, step: Send) -> Generator[httpx.Response]:
    """Send the request and yield its answer, which is a success and whose body is unread."""
    try:
        with http.stream(**sendable(step)) as response:
            if not response.is_success:
                response.read()
                raise response_error(step.operation, response)
            yield response
    except NO_ANSWER as error:
        raise connection_error(step.operation, error) from error


def _write_answer(name: str, response: httpx.Response, file: Path | None, *, machine: bool) -> None:
    """Write an answer to the file or to standard output."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
    if kind not in contract.operation(name).response_types:
        response.read()
        if response.content:
            raise contract_violation(name, response, f"its content type is {kind or 'none'}")
    if file is not None:
        size = _write(file, response)
        if machine:
            output.print_line(output.to_json({"output": str(file), "bytes": size, "content_type": kind}, machine=True))
        else:
            output.print_note(f"{size} bytes of {kind} are in {file}.")
    elif kind == "application/json":
        response.read()
        _print_json(name, response, machine=machine)
    elif response.read():
        _print_bytes(response.content, kind)


def _print_json(name: str, response: httpx.Response, *, machine: bool) -> None:
    try:
        content: Any = json.loads(response.content)
    except (ValueError, RecursionError):
        raise contract_violation(name, response, "it is no JSON") from None
    if output.is_terminal() or machine:
        output.print_line(output.to_json(content, machine=machine))
    else:
        output.print_json(response.content.decode("utf-8", errors="replace").rstrip("\n"))


def _print_bytes(content: bytes, kind: str) -> None:
    if output.is_terminal():
        raise UsageError(f"The answer is {kind}, which is not for a terminal: give a file with --output FILE.")
    output.print_bytes(content)


def _write(file: Path, response: httpx.Response) -> int:
    """Write an answer to a file atomically. Return its size in bytes."""
    with open_output(file) as target:
        return sum(target.write(piece) for piece in response.iter_bytes())
