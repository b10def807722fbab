"""The operations that an OpenAPI document describes, found by where they are and not by what they are called."""

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
_BESIDE_JSON = {"application/x-www-form-urlencoded", "multipart/form-data"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation.

    Attributes:
        name: Its name; that of a header in lower case.
        place: `path`, `query`, `header` or `cookie`.
        required: Whether it has to be sent.
        style: How its value is written, and whether a list's items stand by themselves.
        schema: The schema of its value.
    """

    name: str
    place: str
    required: bool
    style: tuple[str, bool]
    schema: Any


@dataclass(frozen=True, slots=True)
class Described:
    """An operation of a document.

    Attributes:
        name: Its `operationId`, or else its path.
        path: Its path, as the document writes it.
        key: Its path with `{}` for each parameter and without a slash at its end, and its method.
        own_server: Whether the document says that it is on another server than the rest.
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


def described(document: dict[str, Any], name: str) -> dict[tuple[str, str], Described]:
    """Return the operations of a document, by path and method, in its order.

    Args:
        document: The document.
        name: What it is called in an error.

    Raises:
        DriftError: It is no OpenAPI document of version 3.
    """
    version = object_of(document).get("openapi")
    if not isinstance(version, str) or not version.startswith("3."):
        raise DriftError(f"{name} is no OpenAPI document of version 3: its `openapi` is {str(version)[:40]!r}.")
    try:
        found = [
            _described(document, path, method, operation) for path, method, operation in contract.operations(document)
        ]
    except ValueError as error:
        raise DriftError(f"{name}: {error}") from None
    return {each.key: each for each in found}


def _described(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> Described:
    item = object_of(object_of(document["paths"])[path])
    body = resolved(document, object_of(operation.get("requestBody")))
    answers = {
        str(status).upper().replace("DEFAULT", "default"): _schemas(resolved(document, object_of(answer)))
        for status, answer in object_of(operation.get("responses")).items()
    }
    return Described(
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
    """Parameters; an operation's own stand after its path's and take their place."""
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
    style = str(entry.get("style", _STYLES.get(place, "form")))
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
    """Return the schemas of a body, by media type; that of bytes and text says nothing that could be compared."""
    return {
        kind: object_of(value).get("schema", True) if has_fields(kind) else True
        for written, value in object_of(holder.get("content")).items()
        for kind in [media_type(written)]
    }


def media_type(written: str) -> str:
    """Return a media type in one way of writing it: in lower case, its parameters in order, without a character set."""
    kind, *parameters = (part.strip().lower() for part in written.split(";"))
    kept = sorted(part.replace(" ", "") for part in parameters if part and not part.startswith("charset"))
    return "; ".join([kind, *kept])


def has_fields(kind: str) -> bool:
    """Return whether bodies of a media type are JSON, or a form."""
    kind = kind.partition(";")[0]
    return kind in _BESIDE_JSON or kind.endswith(("/json", "+json")) or kind in {"*/*", "application/*"}


def under_the_contracts_prefix(
    wanted: dict[tuple[str, str], Described], found: dict[tuple[str, str], Described]
) -> dict[tuple[str, str], Described]:
    """The other document's operations with the contract's prefix before their paths, where theirs is another one.

    The prefix is the one by which most of them are the contract's: a document leaves out what its servers' URLs have,
    or has more before it than the contract.
    """
    paths, others = {path for path, _ in wanted}, {path for path, _ in found}
    changes = Counter(change for other in others for path in paths for change in _prefixes(path, other))
    best = max(changes, key=lambda change: (changes[change], -len("".join(change))), default=("", ""))
    return {
        (_moved(path, best), method): replace(each, key=(_moved(path, best), method))
        for (path, method), each in found.items()
    }


def _prefixes(path: str, other: str) -> Iterator[tuple[str, str]]:
    """Yield what to take from the other path, and what to put before it, so that it is the contract's."""
    if other.endswith(path):
        yield other.removesuffix(path), ""
    elif other and path.endswith(other):
        yield "", path.removesuffix(other)


def _moved(path: str, change: tuple[str, str]) -> str:
    taken, put = change
    return put + path.removeprefix(taken)
