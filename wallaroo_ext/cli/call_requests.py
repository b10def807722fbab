"""Building the request of an operation from the arguments of `wallaroo-ext call`."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from wallaroo_ext import contract
from wallaroo_ext._util.files.signatures import ARROW_FILE
from wallaroo_ext._util.files.user_paths import near_file_name, user_path
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.cli.reading.bodies import MULTIPART, check_fields, required_query
from wallaroo_ext.cli.reading.standard_input import standard_input

if TYPE_CHECKING:
    from collections.abc import Generator

    from wallaroo_ext.contract import OperationInfo

_JSON = "application/json"
_BYTES = "application/octet-stream"

_PIECE = 256 * 1024

_Content = bytes | BinaryIO | Iterator[bytes]
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
    needed = [f"--path {parameter}=…" for parameter in wanted if parameter not in path]
    needed += [f"--query {parameter}=…" for parameter, _ in required_query(name) if parameter not in query]
    if inputs.data is None and operation.request_types and _is_binary(operation):
        needed.append("--data @FILE")
    if path and not wanted:
        raise UsageError(f"{name} needs no --path.")
    if needed:
        raise UsageError(f"{name} needs {' and '.join(needed)}.")
    if unknown := [parameter for parameter in path if parameter not in wanted]:
        raise UsageError(f"{name} has no {unknown[0]!r} in its path, but {' and '.join(wanted)}.")


def _is_binary(operation: OperationInfo) -> bool:
    """Return whether the body is neither JSON nor made of parts."""
    return not any("json" in kind or kind == MULTIPART for kind in operation.request_types)


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
    if MULTIPART in operation.request_types:
        return _multipart(name, operation, inputs, files)
    if not operation.request_types:
        return _no_body(name, operation, inputs)
    if inputs.part:
        raise UsageError(f"{name} takes no parts: give its body with --data.")
    streamed = operation.request_types == (_BYTES,)
    content = _content(inputs.data, files, streamed=streamed)
    kind = inputs.content_type or _fitting_type(operation, content)
    media_type = kind.partition(";")[0].strip().lower()
    if media_type == _JSON and isinstance(content, bytes):
        _note(check_fields(name, media_type, _check_json(content)))
    return {
        "content": content,
        "headers": {"Content-Type": kind, "Accept": inputs.accept or _answer_type(operation, kind)},
    }


def _no_body(name: str, operation: OperationInfo, inputs: RequestInputs) -> dict[str, Any]:
    if inputs.data is not None or inputs.part or inputs.content_type:
        raise UsageError(f"{name} takes no body: leave out --data, --part and --content-type.")
    return {"headers": {"Accept": inputs.accept or _answer_type(operation, _JSON)}}


def _content(data: str | None, files: ExitStack, *, streamed: bool) -> _Content:
    """Return the body, in memory so that it can be sent again; one that is streamed as a file, as it may be large."""
    if data == "-":
        file = standard_input()
    elif data is not None and data.startswith("@"):
        file = _open_file(data[1:], files)
    else:
        return ("{}" if data is None else data).encode()
    return _stream(file) if streamed else file.read()


def _stream(file: BinaryIO) -> BinaryIO | Iterator[bytes]:
    """Return a file to send as it is, or in pieces where its size does not say how much follows.

    httpx announces a file's size as the length of the body, and that of a pipe is 0.
    """
    return file if _is_whole(file) else iter(partial(file.read, _PIECE), b"")


def _is_whole(file: BinaryIO) -> bool:
    """Return whether a file is a regular one at its beginning, so that its size is what follows."""
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode) and file.tell() == 0
    except OSError:  # it has no descriptor
        return False


def _fitting_type(operation: OperationInfo, content: _Content) -> str:
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
    _note(check_fields(name, MULTIPART, body))
    return {"files": parts, "headers": {"Accept": inputs.accept or _answer_type(operation, MULTIPART)}}


def _part(value: str, files: ExitStack) -> _Part:
    """Return a part: a file with its name, an object as JSON, or a text."""
    if value.startswith("@"):
        file = _open_file(value[1:], files)
        return user_path(value[1:]).name, file if _is_whole(file) else file.read(), _BYTES
    if value.startswith("{"):
        _check_json(value.encode())
        return None, value.encode(), _JSON
    return None, value.encode(), "text/plain"


def _open_file(name: str, files: ExitStack) -> BinaryIO:
    try:
        return files.enter_context(user_path(name).open("rb"))
    except OSError as error:
        near = near_file_name(user_path(name)) if isinstance(error, FileNotFoundError) else None
        instead = "" if near is None else f": there is {near!r}"
        raise UsageError(f"The file {name} cannot be read: {error.strerror}{instead}.") from None
