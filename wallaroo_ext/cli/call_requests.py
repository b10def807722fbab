"""Building the request of an operation from the arguments of `wallaroo-ext call`."""

from __future__ import annotations

import json
import re
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from wallaroo_ext import contract
from wallaroo_ext._util.files.signatures import ARROW_FILE
from wallaroo_ext._util.files.user_paths import near_name, user_path
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.cli.reading.bodies import check_fields, required_query

if TYPE_CHECKING:
    from collections.abc import Generator

    from wallaroo_ext.contract import OperationInfo

_JSON = "application/json"
_MULTIPART = "multipart/form-data"
_BYTES = "application/octet-stream"

_Part = tuple[str | None, BinaryIO | bytes, str]


@dataclass(frozen=True, slots=True)
class RequestInputs:
    """The arguments of a request; see `wallaroo-ext call --help`."""

    data: str | None
    path: list[str]
    query: list[str]
    part: list[str]
    content_type: str | None
    accept: str | None


@contextmanager
def build_request(name: str, inputs: RequestInputs) -> Generator[dict[str, Any]]:
    """Yield the arguments of httpx's `request` for an operation; its files are open until the block ends.

    Raises:
        UsageError: Something is missing or invalid.
    """
    operation = contract.operation(name)
    _check_parameters(name, operation, inputs)
    with ExitStack() as files:
        yield {
            "method": operation.method,
            "url": _url(operation, inputs),
            "params": _pairs(inputs.query, "--query"),
            **_body(name, operation, inputs, files),
        }


def _check_parameters(name: str, operation: OperationInfo, inputs: RequestInputs) -> None:
    """Check that the parameters of the path are those of the operation, and name all that is missing at once."""
    wanted = re.findall(r"\{(\w+)\}", operation.path)
    path, query = dict(_pairs(inputs.path, "--path")), dict(_pairs(inputs.query, "--query"))
    needed = [f"--path {parameter}=…" for parameter in wanted if set(wanted) != set(path)]
    needed += [f"--query {parameter}=…" for parameter, _ in required_query(name) if parameter not in query]
    if inputs.data is None and operation.request_types and _is_binary(operation):
        needed.append("--data @FILE")
    if set(path) - set(wanted) and not wanted:
        raise UsageError(f"{name} needs no --path.")
    if needed:
        raise UsageError(f"{name} needs {' and '.join(needed)}.")


def _is_binary(operation: OperationInfo) -> bool:
    """Return whether the body is neither JSON nor made of parts."""
    return not any("json" in kind or kind == _MULTIPART for kind in operation.request_types)


def _url(operation: OperationInfo, inputs: RequestInputs) -> str:
    given = dict(_pairs(inputs.path, "--path"))
    return operation.path.format_map({parameter: quote(value, safe="") for parameter, value in given.items()})


def _pairs(given: list[str], option: str) -> list[tuple[str, str]]:
    pairs = [text.partition("=") for text in given]
    if any(not name or not separator for name, separator, _ in pairs):
        raise UsageError(f"{option} takes NAME=VALUE.")
    return [(name, value) for name, _, value in pairs]


def _body(name: str, operation: OperationInfo, inputs: RequestInputs, files: ExitStack) -> dict[str, Any]:
    """Return the body, and the headers for its media type and the answer's."""
    if _MULTIPART in operation.request_types:
        return _multipart(name, operation, inputs, files)
    if not operation.request_types:
        return _no_body(name, operation, inputs)
    if inputs.part:
        raise UsageError(f"{name} takes no parts: give its body with --data.")
    streamed = operation.request_types == (_BYTES,)
    content = _content(inputs.data, files, streamed=streamed)
    kind = inputs.content_type or _fitting_type(operation, content)
    if kind.partition(";")[0] == _JSON and isinstance(content, bytes):
        _note(check_fields(name, kind, _check_json(content)))
    return {
        "content": content,
        "headers": {"Content-Type": kind, "Accept": inputs.accept or _answer_type(operation, kind)},
    }


def _no_body(name: str, operation: OperationInfo, inputs: RequestInputs) -> dict[str, Any]:
    if inputs.data is not None or inputs.part or inputs.content_type:
        raise UsageError(f"{name} takes no body: leave out --data, --part and --content-type.")
    return {"headers": {"Accept": inputs.accept or _answer_type(operation, _JSON)}}


def _content(data: str | None, files: ExitStack, *, streamed: bool) -> bytes | BinaryIO:
    """Return the body, in memory so that it can be sent again; one that is streamed as a file, as it may be large."""
    if data == "-":
        return sys.stdin.buffer if streamed else sys.stdin.buffer.read()
    if data is not None and data.startswith("@"):
        file = _open_file(data[1:], files)
        return file if streamed else file.read()
    return ("{}" if data is None else data).encode()


def _fitting_type(operation: OperationInfo, content: bytes | BinaryIO) -> str:
    """Return the media type of a body; an Arrow file and a list of records are recognised by their first bytes."""
    start = content[:100].lstrip() if isinstance(content, bytes) else b""
    word = "arrow" if start.startswith(ARROW_FILE) else "records" if start.startswith(b"[") else None
    fitting = [kind for kind in operation.request_types if word is not None and word in kind]
    return next(
        iter([*fitting, *(kind for kind in operation.request_types if kind == _JSON), *operation.request_types, _JSON])
    )


def _answer_type(operation: OperationInfo, kind: str) -> str:
    """Return the media type to ask for: the body's if the operation can answer in it, otherwise its first one."""
    return kind if kind in operation.response_types else next(iter(operation.response_types), "*/*")


def _note(texts: list[str]) -> None:
    for text in texts:
        output.print_note(text)


def _check_json(content: bytes) -> Any:
    """Return what JSON says."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The body is no JSON: {error}.") from None


def _multipart(name: str, operation: OperationInfo, inputs: RequestInputs, files: ExitStack) -> dict[str, Any]:
    if inputs.data is not None or not inputs.part:
        raise UsageError(f"{name} takes a body of parts: --part metadata='{{…}}' --part file=@model.onnx.")
    parts = [(part, _part(value, files)) for part, value in _pairs(inputs.part, "--part")]
    body = {
        part: json.loads(value) if isinstance(value, bytes) and kind == _JSON else ""
        for part, (_, value, kind) in parts
    }
    _note(check_fields(name, _MULTIPART, body))
    return {"files": parts, "headers": {"Accept": inputs.accept or _answer_type(operation, _MULTIPART)}}


def _part(value: str, files: ExitStack) -> _Part:
    """Return a part: a file with its name, an object as JSON, or a text."""
    if value.startswith("@"):
        return user_path(value[1:]).name, _open_file(value[1:], files), _BYTES
    if value.startswith("{"):
        _check_json(value.encode())
        return None, value.encode(), _JSON
    return None, value.encode(), "text/plain"


def _open_file(name: str, files: ExitStack) -> BinaryIO:
    try:
        return files.enter_context(user_path(name).open("rb"))
    except OSError as error:
        near = near_name(user_path(name)) if isinstance(error, FileNotFoundError) else None
        instead = "" if near is None else f": there is {near!r}"
        raise UsageError(f"The file {name} cannot be read: {error.strerror}{instead}.") from None
