"""Checks what all that reads a contract relies on, so that one that somebody wrote is refused with a sentence.

Whether it is good OpenAPI is for other programs to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
DATA = {"default", "enum", "const", "example", "examples", "x-extensible-enum"}
"""The keys of a contract whose values are data, in which `$ref` has no meaning."""
NAMES = {"properties", "patternProperties", "$defs", "schemas", "responses", "parameters", "requestBodies", "headers"}
"""The keys of a contract whose values have names as their keys."""
_PLACES = ("path", "query", "header", "cookie")
"""Where a parameter may be. They are compared, because what stands there in a contract may be a list."""
_IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")
"""The keys of a schema whose schemas are about the same value as it is itself."""


class ContractError(ValueError):
    """Nobody can work with a contract; the message says what is wrong where.

    Args:
        keys: The keys that lead to the place in the contract.
        reason: What is wrong there.
    """

    def __init__(self, keys: tuple[str, ...], reason: str) -> None:
        super().__init__(reason)
        self.keys = keys
        self.reason = reason

    def at_line(self, line: int | None) -> ContractError:
        """Return the error with its place in the file before its reason."""
        where = pointer(self.keys)
        reason = self.reason if self.reason.startswith(where) else f"{where}: {self.reason}"
        return ContractError(self.keys, reason if line is None else f"line {line}, {reason}")


def pointer(keys: tuple[str, ...]) -> str:
    """Return the JSON pointer of a place, as references write it, without percent signs."""
    return "#" + "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in keys)


def keys_of(reference: str) -> tuple[str, ...]:
    """Return the keys that lead from a contract's root to what a reference in it refers to."""
    keys = unquote(reference).removeprefix("#/").split("/")
    return tuple(key.replace("~1", "/").replace("~0", "~") for key in keys)


def is_component(keys: tuple[str, ...]) -> bool:
    """Return whether keys lead to a component of a contract, and not into one or elsewhere."""
    return len(keys) == 3 and keys[0] == "components"  # noqa: PLR2004 - the kind's name, and its own


def resolve(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference into a contract refers to; the value itself if it is no reference.

    Raises:
        LookupError: The reference leads nowhere, or to itself.
    """
    seen: set[str] = set()
    found: Any = value
    while "$ref" in object_of(found):  # what is found may be `true`, which is a schema, too
        reference: str = found["$ref"]
        if reference in seen:
            raise LookupError(f"the reference {reference} leads to itself")
        seen.add(reference)
        found = at(document, keys_of(reference))
    return found


def at(document: dict[str, Any], keys: tuple[str, ...]) -> Any:
    """Return the part of a contract that keys lead to.

    Raises:
        LookupError: Nothing is there.
        TypeError: A key leads into what has no parts.
    """
    value: Any = document
    for key in keys:
        items = list_of(value)
        value = items[int(key)] if items and key.isdecimal() else object_of(value)[key]
    return value


def check_form(document: Any) -> None:
    """Check that a document is one of OpenAPI 3, that its references lead somewhere, and that no schema needs itself.

    Args:
        document: The document, as it was read.

    Raises:
        ContractError: It is none.
    """
    fields = object_of(document)
    if not isinstance(fields.get("openapi"), str) or not fields["openapi"].startswith("3."):
        raise ContractError(
            ("openapi",), "it is no OpenAPI document of version 3: it has no text such as `openapi: 3.1.0`"
        )
    if not isinstance(fields.get("paths"), dict):
        what = "is no object" if "paths" in fields else "is missing"
        raise ContractError(("paths",), f"it is no OpenAPI document, its `paths` {what}")
    if not isinstance(fields.get("components", {}), dict):
        raise ContractError(("components",), "its `components` is no object")
    for kind, entries in object_of(fields.get("components")).items():
        if not isinstance(entries, dict) and not kind.startswith("x-"):
            raise ContractError(("components", kind), f"its `{kind}` is no object")
    check_references(fields)
    _check_schemas(fields)


def check_references(document: dict[str, Any]) -> None:
    """Check that each reference leads to an object of the contract.

    Raises:
        ContractError: One does not.
    """
    for keys, reference in references(document):
        where = pointer(keys)
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise ContractError(
                keys,
                f"{where} refers to {reference!r}: only what begins with `#/` is followed; "
                "move what is in another file into this one",
            )
        try:
            target: Any = resolve(document, {"$ref": reference})
        except (LookupError, TypeError, AttributeError) as error:
            why = str(error) if "leads to itself" in str(error) else "nothing is there"
            raise ContractError(keys, f"{where} refers to {reference}: {why}") from None
        if not isinstance(target, dict | bool):
            raise ContractError(keys, f"{where} refers to {reference}, which is no object")


def references(
    value: Any, keys: tuple[str, ...] = (), *, are_names: bool = False
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the references in a part of a contract, with the keys that lead to what has them.

    Args:
        value: The part.
        keys: The keys that lead to it.
        are_names: Whether its keys are names, of which each may be `$ref`.
    """
    for number, item in enumerate(list_of(value)):
        yield from references(item, (*keys, str(number)))
    for key, inner in object_of(value).items():
        if key == "$ref" and not are_names:
            yield keys, inner
        elif are_names or (key not in DATA and not key.startswith("x-")):
            yield from references(inner, (*keys, key), are_names=not are_names and key in NAMES)


def _check_schemas(document: dict[str, Any]) -> None:
    """Check that no named schema consists of itself: no value could be held against it, and no class made of it."""
    schemas = object_of(object_of(document.get("components")).get("schemas"))
    whole: set[str] = set()
    for name in schemas:
        path = _circle(schemas, name, (), whole)
        if path:
            raise ContractError(
                ("components", "schemas", path[0]),
                f"#/components/schemas/{path[0]} consists of itself, by {' and '.join(path)}: "
                "put the inner one into a property or into items",
            )


def _circle(schemas: dict[str, Any], name: str, open_names: tuple[str, ...], whole: set[str]) -> tuple[str, ...]:
    """Return the names of the schemas that consist of each other, from a schema on; empty where none do."""
    if name in open_names:
        return open_names[open_names.index(name) :]
    if name in whole or name not in schemas:
        return ()
    for inner in _needed(schemas[name]):
        if found := _circle(schemas, inner, (*open_names, name), whole):
            return found
    whole.add(name)
    return ()


def _needed(schema: Any) -> Iterator[str]:
    """Yield the names of the schemas that a schema is about the same value as."""
    fields = object_of(schema)
    reference = fields.get("$ref")
    if isinstance(reference, str):
        keys = keys_of(reference)
        if keys[:2] == ("components", "schemas") and is_component(keys):
            yield keys[2]
    for key in _IN_PLACE:
        if key in fields:
            for part in list_of(fields[key]) or [fields[key]]:
                yield from _needed(part)


def check_operations(document: dict[str, Any]) -> None:
    """Check that each operation has what all else relies on: an id of its own, answers, named parameters.

    Args:
        document: The document, in the form that `contract.plainly_written` gives.

    Raises:
        ContractError: One has not.
    """
    seen: dict[str, str] = {}
    for path, item in object_of(document["paths"]).items():
        if path.startswith("x-"):
            continue
        if not path.startswith("/"):
            raise ContractError(("paths", path), f"the path `{path}` does not begin with a slash")
        if not isinstance(item, dict):
            raise ContractError(("paths", path), f"`{path}` is no object")
        fields = object_of(item)
        if "$ref" in fields:  # `contract.load` has followed all others
            raise ContractError(
                ("paths", path), f"`{path}` refers to {fields['$ref']}: nothing is there that is followed"
            )
        _check_parameters(document, ("paths", path), fields)
        for method in METHODS:
            if method in fields:
                _check_operation(document, ("paths", path, method), fields[method], seen)


def _check_operation(document: dict[str, Any], keys: tuple[str, ...], operation: Any, seen: dict[str, str]) -> None:
    where = f"{keys[2].upper()} {keys[1]}"
    fields = object_of(operation)
    name = fields.get("operationId")
    if not isinstance(name, str) or not name:
        raise ContractError(keys, f"{where} has no operationId that is a text, by which all else names it")
    if name in seen:
        raise ContractError(
            (*keys, "operationId"), f"{where} has the operationId of {seen[name]}, {name}: each needs its own"
        )
    seen[name] = where
    if not object_of(fields.get("responses")):
        raise ContractError(keys, f"{where} has no `responses`, to which an answer could be held")
    for status, answer in object_of(fields["responses"]).items():
        if not isinstance(answer, dict):
            raise ContractError((*keys, "responses", status), f"the answer {status} of {where} is no object")
    for key in ("tags", "security"):
        if not isinstance(fields.get(key, []), list):
            raise ContractError((*keys, key), f"the `{key}` of {where} are no list")
    if not isinstance(fields.get("requestBody", {}), dict):
        raise ContractError((*keys, "requestBody"), f"the body of {where} is no object")
    _check_parameters(document, keys, fields)


def _check_parameters(document: dict[str, Any], keys: tuple[str, ...], fields: dict[str, Any]) -> None:
    where = pointer(keys)
    if not isinstance(fields.get("parameters", []), list):
        raise ContractError((*keys, "parameters"), f"the parameters of {where} are no list")
    for number, entry in enumerate(list_of(fields.get("parameters"))):
        parameter = object_of(resolve(document, object_of(entry)))
        if not isinstance(parameter.get("name"), str) or parameter.get("in") not in _PLACES:
            raise ContractError(
                (*keys, "parameters", str(number)),
                f"parameter {number + 1} of {where} lacks its `name`, or an `in` that is path, query, header or cookie",
            )
        if "schema" not in parameter and "content" not in parameter:
            raise ContractError(
                (*keys, "parameters", str(number)), f"the parameter {parameter['name']} of {where} has no `schema`"
            )
