"""The contract: its file, and a table of its operations for clients."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.files.repository_files import repository_file
from wallaroo_ext._util.files.yaml_files import line_of, parse_yaml
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.contract_checks import (
    DATA,
    METHODS,
    NAMES,
    ContractError,
    check_form,
    check_operations,
    keys_of,
    resolve,
)
from wallaroo_ext.contract_forms import plainly_written

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "COPY",
    "RELEASES",
    "RULES",
    "OperationInfo",
    "digest",
    "is_idempotent",
    "keys_of",
    "load",
    "load_rules",
    "operation",
    "operation_at",
    "operation_ids",
    "operations",
    "overlay_path",
    "path",
    "plainly_written",
    "read_contract",
    "resolve",
    "rules_of",
]

RELEASES = ("2022.4", "2023.1", "2023.2", "2023.4", "2024.2", "2025.2")
"""The releases that have an overlay, the oldest first."""

COPY = "contract.json"
"""The file of the generated client that holds the contract and the SHA-256 of the file it was made from."""

_FILE = "openapi/wallaroo-mlops.yaml"
_OVERLAYS = "openapi/releases"
_NOT_IN_RULES = {
    "description",
    "summary",
    "tags",
    "example",
    "examples",
    "links",
    "x-evidence",
    "x-names",
    "x-writes",
    "x-always",
    "x-extensible-enum",
    "x-arrow-columns",
}
"""The keys of a contract that say nothing about which requests are valid."""
RULES = "releases"
"""The folder of the client with the rules of each release."""


@dataclass(frozen=True, slots=True)
class OperationInfo:
    """What a client needs to know of an operation besides its generated module.

    Attributes:
        summary: What it does, in a few words.
        method: The HTTP method, in upper case.
        path: The path, with parameters in braces.
        request_types: The media types of its body.
        response_types: The media types of its answer when it succeeds.
        idempotent: Whether a request may be sent twice.
    """

    summary: str
    method: str
    path: str
    request_types: tuple[str, ...]
    response_types: tuple[str, ...]
    idempotent: bool


def operation_ids() -> list[str]:
    """Return the ids of all operations, in the contract's order."""
    return list(_operations())


def _client_file(name: str) -> Path:
    """Return the path of a file of the generated client, without importing it, which would import httpx and attrs."""
    spec = find_spec("wallaroo_mlops_client")
    if spec is None or spec.origin is None:
        raise ImportError("The generated client, wallaroo_mlops_client, is not installed.")
    return Path(spec.origin).parent / name


@cache
def _operations() -> dict[str, OperationInfo]:
    table: dict[str, dict[str, Any]] = json.loads(_client_file("operations.json").read_text(encoding="utf-8"))
    return {
        name: OperationInfo(
            summary=row["summary"],
            method=row["method"],
            path=row["path"],
            request_types=tuple(row["request_types"]),
            response_types=tuple(row["response_types"]),
            idempotent=row["idempotent"],
        )
        for name, row in table.items()
    }


def operation(operation_id: str) -> OperationInfo:
    """Return the row of an operation.

    Raises:
        KeyError: The contract has no operation of this id.
    """
    return _operations()[operation_id]


def is_idempotent(operation_id: str) -> bool:
    """Return whether a request of an operation may be sent twice; False for an unknown operation."""
    row = _operations().get(operation_id)
    return row is not None and row.idempotent


def operation_at(path: str) -> str | None:
    """Return the id of the operation that a URL's path belongs to, after the prefix of an instance; None if none."""
    begins = _BEGINNING.search(path)
    path = path if begins is None else path[begins.start() :]
    exact, templates = _paths()
    found = exact.get(path)
    if found is not None:
        return found
    return next((name for pattern, name in templates if pattern.fullmatch(path)), None)


_BEGINNING = re.compile(r"/(?:v\d+/(?:api|logs)|auth/realms)/")
"""How the contract's own paths begin: an instance may have a prefix before them in its URL."""


@cache
def _paths() -> tuple[dict[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    """Return the ids of operations by their paths: those without parameters, and the patterns of those with some."""
    exact = {row.path: name for name, row in _operations().items() if "{" not in row.path}
    templates = ((row.path, name) for name, row in _operations().items() if "{" in row.path)
    return exact, tuple((re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), name) for path, name in templates)


def path() -> Path:
    """Return the contract file that comes with this package."""
    return repository_file(_FILE)


def overlay_path(release: str) -> Path:
    """Return the overlay of a release.

    Raises:
        ValueError: There is none.
    """
    if release not in RELEASES:
        raise ValueError(f"{release!r} has no overlay: choose one of {', '.join(RELEASES)}.")
    return repository_file(f"{_OVERLAYS}/{release}.yaml")


def load(release: str | None = None, *, file: Path | None = None) -> dict[str, Any]:
    """Return the contract, or that of a release; needs the extra `sandbox`.

    Args:
        release: A release of `RELEASES`, whose overlay is applied: the result is what an instance of it is held to.
        file: Another contract than the one that comes with this package.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no contract, or the overlay does not fit it, or the release has no overlay.
    """
    document = read_contract(file) if file else _own()
    if release is None:
        return document
    from wallaroo_ext.contract_overlays import apply_overlay

    return apply_overlay(document, overlay_path(release))


def read_contract(file: Path) -> dict[str, Any]:
    """Return a contract that somebody wrote, in YAML or JSON, in the form that `plainly_written` gives.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no contract; the message says what is wrong, in which line, and at which JSON pointer.
    """
    content = file.read_bytes()
    document = parse_yaml(content)
    try:
        check_form(document)
        document = plainly_written(document)
        check_operations(document)
    except ContractError as error:
        raise error.at_line(line_of(content, error.keys)) from None
    return document


def _own() -> dict[str, Any]:
    """Return the contract that comes with this package: the client's copy in JSON, which is read ten times as fast.

    The copy counts only if it was made of the contract's file as it is.
    """
    try:
        made: dict[str, Any] = json.loads(_client_file(COPY).read_bytes())
    except OSError:  # a client of another contract has none
        made = {}
    if made.get("sha256") == digest(path()):
        return made["contract"]
    return read_contract(path())


def digest(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def load_rules(release: str) -> dict[str, Any]:
    """Return what a server of a release needs of its contract, as `rules_of` returns it; needs no YAML and no overlay.

    They are generated with the client, since to read the contract and to apply an overlay takes longer and more memory.
    """
    try:
        return json.loads(_client_file(f"{RULES}/{release}.json").read_bytes())
    except OSError:  # a client of another contract has none
        return rules_of(load(release))


def rules_of(document: dict[str, Any]) -> dict[str, Any]:
    """Return the operations of a contract and the schemas of their requests, without texts, examples and answers.

    Args:
        document: The contract, as `load` returns it. It is not changed.
    """
    components = object_of(document.get("components"))
    left_out = {"responses"} | _NOT_IN_RULES
    kept = {kind: _rule(part, are_names=True) for kind, part in components.items() if kind not in left_out}
    return {
        "openapi": document["openapi"],
        "paths": {path: _rule(item) for path, item in object_of(document["paths"]).items()},
        "security": document.get("security", []),
        "components": kept,
    }


def _rule(value: Any, *, are_names: bool = False) -> Any:
    """Return a part of a contract without what no server needs.

    Args:
        value: The part.
        are_names: Whether its keys are names, all of which are kept.
    """
    if isinstance(value, list):
        return [_rule(inner) for inner in list_of(value)]
    if not isinstance(value, dict):
        return value
    if are_names:
        return {name: _rule(inner) for name, inner in object_of(value).items()}
    kept = {key: inner for key, inner in object_of(value).items() if key not in _NOT_IN_RULES}
    rules = {key: inner if key in DATA else _rule(inner, are_names=key in NAMES) for key, inner in kept.items()}
    if "responses" in rules:
        rules["responses"] = {status: {} for status in object_of(rules["responses"])}
    return rules


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every operation of a contract: its path, its method in lower case, and its definition.

    Args:
        document: The contract, as `load` returns it.

    Raises:
        ValueError: It is no OpenAPI document.
    """
    if "paths" not in object_of(document):
        raise ValueError("it is no OpenAPI document, it has no paths.")
    for path, item in object_of(document["paths"]).items():
        yield from ((path, method, item[method]) for method in METHODS if method in object_of(item))


def parameters(document: dict[str, Any], path: str, operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters of an operation, without references; its own replace those of its path.

    Args:
        document: The contract, as `load` returns it.
        path: The operation's path.
        operation: The operation, as the contract has it.
    """
    shared = list_of(object_of(document["paths"][path]).get("parameters"))
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for declared in [*shared, *list_of(operation.get("parameters"))]:
        parameter = object_of(resolve(document, object_of(declared)))
        found[parameter_location(parameter)] = parameter
    return list(found.values())


def parameter_location(parameter: dict[str, Any]) -> tuple[str, str]:
    """Return where a parameter is, such as `path` or `header`, and its name; names of headers are in lower case."""
    where, name = str(parameter.get("in")), str(parameter.get("name"))
    return (where, name.lower() if where == "header" else name)
