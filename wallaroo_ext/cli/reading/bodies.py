"""What the body of an operation has to have, by the contract, and an example of one."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.cli.printing.output import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECORDED = "recordings"
"""How the names of recorded examples begin."""
MULTIPART = "multipart/form-data"
"""The media type of a body of parts."""
_DEEPEST = 8
"""How deep a made example is at most; the contract's bodies are flatter."""
_OF_TYPE: dict[str, Any] = {"string": "text", "integer": 1, "number": 1.0, "boolean": True, "array": [], "object": {}}


def example_body(name: str) -> Any:
    """Return a body of an operation, as JSON: an example of the contract, or one that is made of its schema.

    Of a body of parts it is an object of them, without the files. None for an operation without a body in JSON.
    """
    content = _content(name)
    for kind, media in content.items():
        examples = _examples(media) if "json" in kind else {}
        if examples:
            # Recorded ones are of newer servers than those of documents, and a server may refuse an older form.
            first = next((example for key, example in examples.items() if key.startswith(_RECORDED)), None)
            return contract.resolve(_document(), object_of(first or next(iter(examples.values()))))["value"]
    for kind, media in content.items():
        if "json" in kind or kind == MULTIPART:
            return _made(object_of(media.get("schema")))
    return None


def _examples(media: dict[str, Any]) -> dict[str, Any]:
    """Return the examples of a body by their names, with those of other operations that take the same."""
    own, schema = object_of(media.get("examples")), media.get("schema")
    if not own or "$ref" not in object_of(schema):
        return own
    names = (found["operationId"] for _, _, found in contract.operations(_document()) if "requestBody" in found)
    others = (other for name in names for other in _content(name).values() if other.get("schema") == schema)
    return own | {key: example for other in others for key, example in object_of(other.get("examples")).items()}


def required_query(name: str) -> list[tuple[str, Any]]:
    """Return the parameters that the query of an operation has to have, each with an example."""
    return [(each["name"], _made(each)) for each in _parameters(name) if each["in"] == "query" and each.get("required")]


def check_fields(name: str, kind: str, body: Any) -> list[str]:
    """Check that a body has all fields that the contract requires.

    Returns a sentence for each field that is none of it, and is named nearly like one.

    Args:
        name: The operation's id.
        kind: The body's media type; the parts of a multipart body are an object.
        body: The body.

    Raises:
        UsageError: Fields are missing, all of which the message names.
    """
    schema = object_of(object_of(_content(name).get(kind)).get("schema"))
    missing, unknown = list(_missing(schema, body)), list(_unknown(schema, body))
    if not missing:
        return [f"{field!r} is no field of {name}{near}." for field, near in unknown if near]
    one = len(missing) == 1
    guesses = "".join(f" {field!r} is no field{near}." for field, near in unknown)
    raise UsageError(
        f"{name}: the field{'' if one else 's'} {_listed(missing)} {'is' if one else 'are'} missing.{guesses} "
        f"`wallaroo-ext call {name} --example` prints a body."
    )


@cache
def _document() -> dict[str, Any]:
    return contract.load()


@cache
def _operation(name: str) -> dict[str, Any]:
    return next(found for _, _, found in contract.operations(_document()) if found.get("operationId") == name)


def _content(name: str) -> dict[str, dict[str, Any]]:
    """Return the body of an operation by its media types."""
    body = contract.resolve(_document(), object_of(_operation(name).get("requestBody")))
    return {kind: object_of(media) for kind, media in object_of(body.get("content")).items()}


def _parameters(name: str) -> Iterator[dict[str, Any]]:
    return (contract.resolve(_document(), object_of(each)) for each in list_of(_operation(name).get("parameters")))


def _parts(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a schema and those that it puts together by `allOf`, without references."""
    whole = contract.resolve(_document(), schema)
    return [whole, *(part for each in list_of(whole.get("allOf")) for part in _parts(object_of(each)))]


def _properties(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: object_of(each) for part in _parts(schema) for name, each in object_of(part.get("properties")).items()
    }


def _missing(schema: dict[str, Any], value: Any, path: str = "") -> Iterator[str]:
    """Yield the fields that a value has to have and has not, with what they are in."""
    if isinstance(value, list):
        items = next((object_of(part["items"]) for part in _parts(schema) if "items" in part), object_of(None))
        for index, each in enumerate(cast("list[Any]", value)):
            yield from _missing(items, each, f"{path}[{index}]")
    if not isinstance(value, dict):
        return
    given, before = object_of(value), f"{path}." if path else ""
    for part in _parts(schema):
        yield from (f"{before}{name}" for name in list_of(part.get("required")) if name not in given)
        choices: list[str] = list_of(part.get("x-one-of-required"))
        if choices and not any(name in given for name in choices):
            yield " or ".join(f"{before}{name}" for name in choices)
    for name, each in _properties(schema).items():
        if name in given:
            yield from _missing(each, given[name], f"{before}{name}")


def _unknown(schema: dict[str, Any], value: Any) -> Iterator[tuple[str, str]]:
    """Yield the fields that the schema of a value does not have, each with the near ones that it has."""
    known = list(_properties(schema))
    for field in object_of(value) if isinstance(value, dict) and known else ():
        if field not in known:
            near = get_close_matches(field.casefold(), known, n=2)
            yield field, f"; near: {', '.join(near)}" if near else ""


def _made(schema: dict[str, Any], depth: int = 0) -> Any:
    """Return a value that a schema, or a parameter with one, describes."""
    parts = [part for each in _parts(schema) for part in (each, object_of(each.get("schema")))]
    for part in parts:
        for found in (part.get("example"), *list_of(part.get("examples")), part.get("default"), part.get("const")):
            if found is not None:
                return found
        for choices in (part.get("enum"), part.get("x-extensible-enum")):
            if choices:
                return list_of(choices)[0]
    for part in parts:
        for other in (*list_of(part.get("anyOf")), *list_of(part.get("oneOf"))):
            if object_of(other).get("type") != "null" and depth < _DEEPEST:
                return _made(object_of(other), depth + 1)
    if any("properties" in part for part in parts) and depth < _DEEPEST:
        return {name: _made(each, depth + 1) for name, each in _needed(schema).items()}
    kinds = [kind for part in parts for kind in _types(part) if kind != "null"]
    return _OF_TYPE.get(kinds[0]) if kinds else None


def _needed(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the properties that a value has to have, except files; the first of those of which it needs one."""
    parts = _parts(schema)
    names = {
        name for part in parts for name in (*list_of(part.get("required")), *list_of(part.get("x-one-of-required"))[:1])
    }
    properties = _properties(schema)
    return {name: each for name, each in properties.items() if name in names and each.get("format") != "binary"}


def _types(part: dict[str, Any]) -> list[str]:
    kinds = part.get("type", [])
    return [kinds] if isinstance(kinds, str) else list_of(kinds)


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
