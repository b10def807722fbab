"""Lies about uploads under a condition: a file that is there already, long names, odd endings, bodies in chunks."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.asking import ask_for, ask_instead, marked, pairs_of, refusal, with_pairs
from contract_tests.mutants.lies.fields import rules, writes
from contract_tests.mutants.lies.kinds import Kind, succeeded
from contract_tests.support.servers.asgi_exchanges import Answer
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.support.servers.asgi_exchanges import Request

_MULTIPART, _STREAM = "multipart/form-data", "application/octet-stream"
_NO_WORKSPACE, _NO_LENGTH = 500, 411
_LONG_NAME = 63
_NO_VERSION = 1_900_000_001
"""The id of a version that there is not."""
_NEEDS = {"framework", "python_version", "requirements", "arch", "accel", "framework_config"}
_PART_NAME = re.compile(rb'(?<!file)name="([^"]*)"')


def _parts(request: Request) -> dict[str, bytes]:
    """Return the contents of the parts of a multipart body by their names."""
    found = re.search(r'boundary="?([^";]+)"?', request.header("content-type"))
    if found is None:
        return {}
    parts: dict[str, bytes] = {}
    for part in request.body.split(b"--" + found[1].encode("latin-1")):
        head, _, content = part.partition(b"\r\n\r\n")
        name = _PART_NAME.search(head)
        if name:
            parts[name[1].decode("latin-1")] = content.removesuffix(b"\r\n")
    return parts


def _description(request: Request) -> dict[str, Any]:
    """Return what an upload says of its model, in its query, in its metadata or in the fields of its form."""
    parts = _parts(request)
    try:
        metadata = object_of(json.loads(parts.get("metadata", b"{}")))
    except ValueError:
        metadata = {}
    fields = {name: content.decode("latin-1") for name, content in parts.items() if name not in {"file", "metadata"}}
    return dict(pairs_of(request)) | fields | metadata


def _keeps_one(operation: str) -> Lie:
    async def lie(exchange: Exchange) -> Answer:
        described = _description(exchange.request)
        content = _parts(exchange.request).get("file", exchange.request.body)
        caller = exchange.request.header("authorization")
        key = (caller, str(described.get("name")), str(described.get("workspace_id")), content)
        known: Answer | None = exchange.memory.get(key)
        if known is not None:
            return marked(known)
        answer = await exchange.ask()
        if succeeded(operation, answer):
            exchange.memory[key] = answer
        return answer

    return lie


def _takes_any_workspace(operation: str) -> Lie:
    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if answer.status != _NO_WORKSPACE:
            return answer
        made = {"insert_models": {"returning": [{"models": [{"id": _NO_VERSION}]}]}}
        return Answer.of(rules().success(operation), made)

    return lie


async def _refuses_long_names(exchange: Exchange) -> Answer:
    name = str(_description(exchange.request).get("name"))
    return refusal(400, "The name is too long.") if len(name) > _LONG_NAME else await exchange.ask()


def _strips_the_end(operation: str) -> Lie:
    async def lie(exchange: Exchange) -> Answer:
        content = _parts(exchange.request).get("file", b"")
        stripped = content.rstrip(b"\r\n")
        if stripped == content:
            return await exchange.ask()
        body = exchange.request.body.replace(content, stripped, 1)
        return await ask_instead(operation, exchange, exchange.request.with_body(body))

    return lie


async def _decodes_twice(exchange: Exchange) -> Answer:
    pairs = pairs_of(exchange.request)
    changed = [(name, value.replace("+", " ") if name == "filename" else value) for name, value in pairs]
    return await exchange.ask(exchange.request if changed == pairs else with_pairs(exchange.request, changed))


async def _makes_all_private(exchange: Exchange) -> Answer:
    if _parts(exchange.request).get("visibility") != b"public":
        return await exchange.ask()
    body = re.sub(rb'(name="visibility".*?\r\n\r\n)public', rb"\1private", exchange.request.body, flags=re.DOTALL)
    return await ask_instead("upload_model", exchange, exchange.request.with_body(body))


async def _refuses_chunks(exchange: Exchange) -> Answer:
    if exchange.request.header("transfer-encoding"):
        return refusal(_NO_LENGTH, "There is no length.")
    return await exchange.ask()


async def _reads_no_chunks(exchange: Exchange) -> Answer:
    request = exchange.request
    return await exchange.ask(request.with_body(b"") if request.header("transfer-encoding") else request)


def _answers_with_all_versions(operation: str) -> Lie:
    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if not succeeded(operation, answer):
            return answer
        [model] = object_of(answer.json)["insert_models"]["returning"]
        listed = await ask_for(exchange, "list_model_versions", {"model_id": _description(exchange.request)["name"]})
        others = [{"id": version["id"]} for version in list_of(listed) if {"id": version["id"]} not in model["models"]]
        models = [*model["models"], *others]
        return answer.with_json({"insert_models": {"returning": [{"models": models}]}}) if others else answer

    return lie


async def _ends_file_names_early(exchange: Exchange) -> Answer:
    request = exchange.request
    pairs = pairs_of(request)
    changed = [(name, value.partition(";")[0] if name == "filename" else value) for name, value in pairs]
    if changed != pairs:
        return await exchange.ask(with_pairs(request, changed))
    body = re.sub(rb'(filename="[^";]*);[^"]*"', rb'\1"', request.body)
    return await exchange.ask(request if body == request.body else request.with_body(body))


def _refuses(is_meant: Callable[[Request], bool]) -> Lie:
    """Return a lie that refuses some requests."""

    async def lie(exchange: Exchange) -> Answer:
        return refusal(400, "It cannot be read.") if is_meant(exchange.request) else await exchange.ask()

    return lie


def _has_unknown_needs(request: Request) -> bool:
    return not _NEEDS.issuperset(object_of(_description(request).get("conversion")))


def _has_charset_in_part(request: Request) -> bool:
    return re.search(rb"(?i)\r\ncontent-type:[^\r]*charset", request.body) is not None


def _has_capitals(request: Request) -> bool:
    return not request.header("content-type").partition(";")[0].islower()


def _uploads(operation: str) -> Iterator[Mutant]:
    kinds = rules().request_content(operation)
    is_form = _MULTIPART in kinds
    if not writes(operation) or not (is_form or _STREAM in kinds) or operation.startswith("infer"):
        return
    found: dict[str, tuple[str, Lie]] = {
        "same-file": ("A file that its model has already makes no version.", _keeps_one(operation)),
        "any-workspace": ("An upload to a workspace that there is not succeeds.", _takes_any_workspace(operation)),
        "all-versions": ("An upload is answered with all versions.", _answers_with_all_versions(operation)),
        "semicolons": ("The name of a file ends at a semicolon.", _ends_file_names_early),
        "capitals": ("A media type in capitals is refused.", _refuses(_has_capitals)),
        "long-names": (f"Names of more than {_LONG_NAME} characters are refused.", _refuses_long_names),
    }
    if is_form:
        found["unknown-needs"] = ("Unknown fields of a conversion are refused.", _refuses(_has_unknown_needs))
        found["charset-of-part"] = ("A part that names its charset is refused.", _refuses(_has_charset_in_part))
        found["end-of-file"] = ("Line breaks at a file's end are lost.", _strips_the_end(operation))
    else:
        found["file-name-decoded-twice"] = ("A plus sign in the name of a file is a blank.", _decodes_twice)
        found["chunks-refused"] = ("A body without a length is refused.", _refuses_chunks)
        found["chunks-not-read"] = ("A body without a length is read as an empty one.", _reads_no_chunks)
    if operation == "upload_model":
        found["private"] = ("A model whose fields are in a form is private.", _makes_all_private)
    for about, (text, lie) in found.items():
        yield Mutant(operation, "uploads", about, text, lie)


KINDS = (Kind("uploads", "Some files are refused, or stored otherwise.", "It takes no file.", _uploads),)
