"""Reads the operations of an OpenAPI document, so that two documents are compared by paths and not by names."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.drift.changes import DriftError
from wallaroo_ext.conformance.drift.shapes import resolved

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NOT_A_PARAMETER = {"accept", "content-type", "authorization"}
"""Headers that OpenAPI describes by media types and security, and ignores as parameters."""
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
_FORM_TYPES = {"application/x-www-form-urlencoded", "multipart/form-data"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation.

    Attributes:
        name: Its name; that of a header in lower case.
        place: `path`, `query`, `header` or `cookie`.
        required: Whether it has to be sent.
        style: OpenAPI's `style` and `explode`.
        schema: The schema of its value.
    """

    name: str
    place: str
    required: bool
    style: tuple[str, bool]
    schema: Any


@dataclass(frozen=True, slots=True)
class DocumentOperation:
    """An operation of a document.

    Attributes:
        name: Its `operationId`, or else its path.
        path: Its path, as the document writes it.
        key: Its path with `{}` for each parameter and without a slash at its end, and its method.
        own_server: Whether it has a server of its own.
        parameters: Its parameters; those of the path by their number, others by their place and name.
        request: The schemas of its bodies, by media type; None where it has no body.
        request_required: Whether it needs a body.
        answers: The schemas of its answers, by status (or `2XX`, or `default`) and media type.
    """

    name: str
    path: str
    key: tuple[str, str]
    own_server: bool
    parameters: dict[tuple[str, str], Parameter]
    request: dict[str, Any] | None
    request_required: bool
    answers: dict[str, dict[str, Any]]


def operations_of(document: dict[str, Any], name: str) -> dict[tuple[str, str], DocumentOperation]:
    """Return the operations of a document, by path and method, in its order.

    Args:
        document: The document.
        name: The document's name in error messages.

    Raises:
        DriftError: It is no OpenAPI document of version 3.
    """
    version = object_of(document).get("openapi")
    if not isinstance(version, str) or not version.startswith("3."):
        raise DriftError(f"{name} is no OpenAPI document of version 3: its `openapi` is {str(version)[:40]!r}.")
    try:
        found = [
            _operation(document, path, method, operation) for path, method, operation in contract.operations(document)
        ]
    except ValueError as error:
        raise DriftError(f"{name}: {error}") from None
    return {each.key: each for each in found}


def _operation(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> DocumentOperation:
    item = object_of(object_of(document["paths"])[path])
    body = resolved(document, object_of(operation.get("requestBody")))
    answers = {
        str(status).upper().replace("DEFAULT", "default"): _schemas(resolved(document, object_of(answer)))
        for status, answer in object_of(operation.get("responses")).items()
    }
    return DocumentOperation(
        name=str(operation.get("operationId", path)),
        path=path,
        key=(path_key(path), method),
        own_server="servers" in item or "servers" in operation,
        parameters=_parameters(
            document, path, [*list_of(item.get("parameters")), *list_of(operation.get("parameters"))]
        ),
        request=_schemas(body) if body else None,
        request_required=body.get("required") is True,
        answers=answers,
    )


def path_key(path: str) -> str:
    """Return a path with `{}` for each parameter, and without a slash at its end."""
    return re.sub(r"\{[^}]*\}", "{}", path).rstrip("/")


def _parameters(document: dict[str, Any], path: str, entries: Iterable[Any]) -> dict[tuple[str, str], Parameter]:
    """Return the parameters of an operation; its own come after those of its path, and replace them."""
    order = [name.strip("{}") for name in re.findall(r"\{[^}]*\}", path)]
    found: dict[tuple[str, str], Parameter] = {}
    for entry in entries:
        each = _parameter(resolved(document, object_of(entry)))
        if each.place == "header" and each.name in _NOT_A_PARAMETER:
            continue
        number = order.index(each.name) if each.place == "path" and each.name in order else None
        found[each.place, each.name if number is None else str(number)] = each
    return found


def _parameter(entry: dict[str, Any]) -> Parameter:
    place, name = str(entry.get("in")), str(entry.get("name"))
    style = str(entry.get("style", _STYLES.get(place)))
    explode = entry.get("explode", style == "form") is True
    content = _schemas(entry)
    return Parameter(
        name.lower() if place == "header" else name,
        place,
        entry.get("required") is True,
        (style, explode),
        next(iter(content.values())) if content else entry.get("schema", True),
    )


def _schemas(holder: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas of a body, by media type; schemas of bytes and text are not compared, and allow anything."""
    return {
        kind: object_of(value).get("schema", True) if has_fields(kind) else True
        for name, value in object_of(holder.get("content")).items()
        for kind in [normalized_media_type(name)]
    }


def normalized_media_type(name: str) -> str:
    """Return a media type in lower case, with sorted parameters and without a character set."""
    kind, *parameters = (part.strip().lower() for part in name.split(";"))
    compared = sorted(part.replace(" ", "") for part in parameters if part and not part.startswith("charset"))
    return "; ".join([kind, *compared])


def has_fields(kind: str) -> bool:
    """Return whether bodies of a media type are JSON, or a form."""
    kind = kind.partition(";")[0]
    return kind in _FORM_TYPES or kind.endswith(("/json", "+json")) or kind in {"*/*", "application/*"}


def with_contract_prefix(
    wanted: dict[tuple[str, str], DocumentOperation], found: dict[tuple[str, str], DocumentOperation]
) -> dict[tuple[str, str], DocumentOperation]:
    """Return the other document's operations, with the contract's prefix in their paths in place of their own.

    A document may leave out what its servers' URLs have, or have a longer prefix than the contract. The change of
    prefix by which most paths are the contract's is taken.
    """
    paths, others = {path for path, _ in wanted}, {path for path, _ in found}
    changes = Counter(change for other in others for path in paths for change in _prefixes(path, other))
    best = max(changes, key=lambda change: (changes[change], -len("".join(change))), default=("", ""))
    return {
        (_with_prefix(path, best), method): replace(each, key=(_with_prefix(path, best), method))
        for (path, method), each in found.items()
    }


def _prefixes(path: str, other: str) -> Iterator[tuple[str, str]]:
    """Yield the prefix to remove from the other path, and the prefix to add, so that it is the contract's path."""
    if other.endswith(path):
        yield other.removesuffix(path), ""
    elif other and path.endswith(other):
        yield "", path.removesuffix(other)


def _with_prefix(path: str, change: tuple[str, str]) -> str:
    removed, added = change
    return added + path.removeprefix(removed)
