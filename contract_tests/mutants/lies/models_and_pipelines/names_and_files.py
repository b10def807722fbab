"""Lies about names and files under a condition: capitals, long names, names outside ASCII, and large files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import rules, writes
from contract_tests.mutants.lies.kinds import Kind, of_json
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.mutants.layer import Exchange
    from contract_tests.support.servers.asgi_exchanges import Answer, Request

_OF_NAMES = {
    "list_pipelines": "pipeline.name",
    "get_pipeline_by_name": "pipeline.name",
    "get_pipeline_version": "pipeline_id",
    "list_models": "model.name",
    "get_model": "name",
    "get_model_by_id": "name",
    "list_model_versions": "model_id",
    "get_model_version_by_id": "name",
}
"""The operations that answer with the names of pipelines and models, and the last keys of the field."""
_OF_FILES = ("list_model_versions", "get_model", "get_model_version_by_id")
_LARGE_BYTES = 1 << 16
_CUT = 62


def with_texts(value: Any, keys: tuple[str, ...], change: Callable[[str], str], path: tuple[str, ...] = ()) -> Any:
    """Return a value with a change of the texts at paths that end in some keys."""
    if isinstance(value, list):
        return [with_texts(inner, keys, change, path) for inner in list_of(value)]
    if isinstance(value, dict):
        return {name: with_texts(inner, keys, change, (*path, name)) for name, inner in object_of(value).items()}
    return change(value) if isinstance(value, str) and path[-len(keys) :] == keys else value


_CHANGES: dict[str, tuple[str, Callable[[str], str]]] = {
    "lowered": ("Capitals in names become small letters.", str.lower),
    "cut": (f"Names of more than {_CUT} characters are cut there.", lambda name: name[:_CUT]),
}


def _wrong_names(operation: str) -> Iterator[Mutant]:
    if operation not in _OF_NAMES:
        return
    keys = tuple(_OF_NAMES[operation].split("."))
    for about, (text, change) in _CHANGES.items():
        lie = of_json(operation, lambda body, change=change: with_texts(body, keys, change))
        yield Mutant(operation, "changes-names", about, text, lie)


_GIVEN = {"create_pipeline": "pipeline_id", "create_workspace": "workspace_name"}


def _given_names(operation: str) -> Iterator[Mutant]:
    if operation not in _GIVEN:
        return
    field = _GIVEN[operation]
    for about, (text, change) in _CHANGES.items():
        if operation == "create_workspace" and about == "lowered":
            continue  # it may have no capitals

        async def lie(exchange: Exchange, change: Callable[[str], str] = change) -> Answer:
            body: Any = exchange.request.json
            name = object_of(body).get(field)
            if not isinstance(name, str) or rules().problems(_request_schema(operation), body):
                return await exchange.ask()
            return await exchange.ask(exchange.request.with_json(body | {field: change(name)}))

        yield Mutant(operation, "stores-changed-names", about, text, lie)


def _request_schema(operation: str) -> dict[str, Any]:
    return rules().request_content(operation)["application/json"]["schema"]


def _file_names(operation: str) -> Iterator[Mutant]:
    if operation in _OF_FILES:

        def in_ascii(name: str) -> str:
            return name.encode("ascii", "replace").decode()

        text = "Letters outside ASCII in names of files become question marks."
        lie = of_json(operation, lambda body: with_texts(body, ("file_name",), in_ascii))
        yield Mutant(operation, "changes-file-names", "", text, lie)
    if not _takes_file(operation):
        return

    async def misread(exchange: Exchange) -> Answer:
        request = exchange.request
        if b"filename=" in request.query:
            before, _, after = request.query.partition(b"filename=")
            name, more, rest = after.partition(b"&")
            changed = quote(unquote_to_bytes(name).decode("latin-1")).encode()
            query = before + b"filename=" + changed + more + rest
            return await exchange.ask(_with_query(request, query) if changed != name else request)
        found = re.search(rb'filename="([^"]*)"', request.body)
        if found is None or found[1].isascii():
            return await exchange.ask()
        start, end = found.span(1)
        misread_name = found[1].decode("latin-1").encode()
        return await exchange.ask(request.with_body(request.body[:start] + misread_name + request.body[end:]))

    yield Mutant(operation, "misreads-file-names", "", "Names of files in UTF-8 are read as Latin-1.", misread)


def _with_query(request: Request, query: bytes) -> Request:
    from dataclasses import replace

    return replace(request, query=query)


def _takes_file(operation: str) -> bool:
    kinds = rules().request_content(operation)
    return writes(operation) and any(kind in {"multipart/form-data", "application/octet-stream"} for kind in kinds)


def _large_files(operation: str) -> Iterator[Mutant]:
    if not _takes_file(operation) or operation.startswith("infer"):
        return

    async def lie(exchange: Exchange) -> Answer:
        request = exchange.request
        if len(request.body) <= _LARGE_BYTES:
            return await exchange.ask()
        middle = len(request.body) // 2
        changed = bytes([request.body[middle] ^ 1])
        return await exchange.ask(request.with_body(request.body[:middle] + changed + request.body[middle + 1 :]))

    async def chunked(exchange: Exchange) -> Answer:
        return await (exchange.ask() if exchange.request.header("content-length") else lie(exchange))

    yield Mutant(operation, "damages-large-files", "", "A file of more than 64 KiB has another byte.", lie)
    text = "A file of more than 64 KiB that comes in chunks has another byte."
    yield Mutant(operation, "damages-large-files", "in-chunks", text, chunked)


KINDS = (
    Kind("changes-names", "Names are shown lowered or cut.", "It shows no such name.", _wrong_names),
    Kind("stores-changed-names", "Names are stored lowered or cut.", "It takes no such name.", _given_names),
    Kind("changes-file-names", "The name of a file is shown changed.", "It shows and takes no file.", _file_names),
    Kind("damages-large-files", "A large file is stored changed.", "It takes no file.", _large_files),
)
