"""Checks a contract that somebody wrote, before anything is sent: a run by half of a contract would blame the instance.

Whether it is good OpenAPI is for other programs to say. This is what the suite itself relies on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.contract_schemas import ContractSchemas

if TYPE_CHECKING:
    from collections.abc import Iterator

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_VALUES = {"default", "enum", "const", "example", "examples", "x-extensible-enum"}
"""The keys of a contract whose values are data, in which `$ref` has no meaning."""
_NAMES = {"properties", "patternProperties", "$defs", "schemas", "responses", "parameters", "requestBodies", "headers"}
"""The keys of a contract whose values have names as their keys."""


class UnusableContractError(ValueError):
    """The suite cannot hold an instance to a contract; the message says what is wrong where."""


def check_contract(document: Any) -> None:
    """Check that the suite can hold an instance to a contract.

    Args:
        document: The contract, as it was read.

    Raises:
        UnusableContractError: It cannot.
    """
    fields = object_of(document)
    if not str(fields.get("openapi", "")).startswith("3."):
        raise UnusableContractError("it is no OpenAPI document of version 3, it has no `openapi: 3.…`")
    for name in ("info", "paths"):
        if not object_of(fields.get(name)):
            raise UnusableContractError(f"its `{name}` is missing, empty or no object")
    _check_operations(fields)
    _check_references(fields)
    _check_schemas(fields)


def _check_operations(document: dict[str, Any]) -> None:
    seen: dict[str, str] = {}
    for path, item in object_of(document["paths"]).items():
        if not isinstance(item, dict):
            raise UnusableContractError(f"`{path}` is no object")
        if "$ref" in item:  # `contract.load` has followed all others
            raise UnusableContractError(f"`{path}` refers to {item['$ref']}: nothing is there that is followed")
        for method in _METHODS:
            if method in item:
                _check_operation(f"{method.upper()} {path}", item[method], seen)


def _check_operation(where: str, operation: Any, seen: dict[str, str]) -> None:
    fields = object_of(operation)
    name = fields.get("operationId")
    if not isinstance(name, str) or not name:
        raise UnusableContractError(f"{where} has no operationId, by which all else names it")
    if name in seen:
        raise UnusableContractError(f"{where} has the operationId of {seen[name]}, {name}: each needs its own")
    seen[name] = where
    if not object_of(fields.get("responses")):
        raise UnusableContractError(f"{where} has no `responses`, to which an answer could be held")


def _check_references(document: dict[str, Any]) -> None:
    for where, reference in _references(document, "#"):
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise UnusableContractError(f"{where} refers to {reference!r}: only what begins with `#/` is followed")
        try:
            target: Any = contract.resolve(document, {"$ref": reference})
        except (LookupError, TypeError, AttributeError) as error:
            why = str(error) if "leads to itself" in str(error) else "nothing is there"
            raise UnusableContractError(f"{where} refers to {reference}: {why}") from None
        if not isinstance(target, dict):
            raise UnusableContractError(f"{where} refers to {reference}, which is no object")


def _references(value: Any, where: str, *, are_names: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield the references in a part of a contract, with their places.

    Args:
        value: The part.
        where: Its place.
        are_names: Whether its keys are names, of which each may be `$ref`.
    """
    for number, item in enumerate(list_of(value)):
        yield from _references(item, f"{where}/{number}")
    for key, inner in object_of(value).items():
        if key == "$ref" and not are_names:
            yield where, inner
        elif are_names or key not in _VALUES:
            yield from _references(inner, f"{where}/{key}", are_names=not are_names and key in _NAMES)


def _check_schemas(document: dict[str, Any]) -> None:
    """Check that each named schema, and each schema of an answer or a body, is one that a validator can be made of."""
    import jsonschema_rs

    schemas = ContractSchemas(document)
    for where, schema in _schemas(document):
        try:
            schemas.validator(schema)
        except (ValueError, jsonschema_rs.ValidationError) as error:
            raise UnusableContractError(f"{where} is no schema: {' '.join(str(error).split())}") from None
        except (LookupError, TypeError):
            raise UnusableContractError(
                f"{where} has `$ref` in its data, which would be taken for a reference"
            ) from None


def _schemas(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the schemas of a contract and of its bodies, with their places; `true` and `false` are some, too."""
    components = object_of(document.get("components"))
    found = [(f"#/components/schemas/{name}", value) for name, value in object_of(components.get("schemas")).items()]
    for path, method, operation in contract.operations(document):
        for part in [operation.get("requestBody"), *object_of(operation["responses"]).values()]:
            content = object_of(contract.resolve(document, object_of(part)).get("content"))
            found += [
                (f"{method.upper()} {path}, {kind},", object_of(media).get("schema", True))
                for kind, media in content.items()
            ]
    for where, schema in found:
        if isinstance(schema, dict):
            yield where, object_of(schema)
        elif not isinstance(schema, bool):
            raise UnusableContractError(f"{where} is no schema: it is no object")
