"""Writes a contract in the one of several legal ways that the rest of the package knows."""

from __future__ import annotations

import re
from typing import Any

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.contract_checks import (
    DATA,
    METHODS,
    NAMES,
    ContractError,
    at,
    is_component,
    keys_of,
    pointer,
    resolve,
)

_PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXCLUSIVE = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))


def plainly_written(document: Any) -> Any:
    """Return a contract in the form that the rest of the package knows.

    Statuses are texts, which YAML may read as numbers, and paths have their operations in place of a reference to them.
    References lead to components, whose names need no escapes; what others lead to stands in their place. What OpenAPI
    3.0 writes by `nullable` and by limits that are true is written as in 3.1.

    Args:
        document: The contract, in which each reference leads somewhere. It is not changed.

    Raises:
        ContractError: A reference leads to what it is a part of.
    """
    if not isinstance(object_of(document).get("paths"), dict):
        return document
    writer = _Writer(document)
    written = object_of(writer.written(document, ()))
    schemas = object_of(object_of(document.get("components")).get("schemas"))
    if schemas:
        named = {writer.names[name]: object_of(written["components"])["schemas"][name] for name in schemas}
        written["components"] = written["components"] | {"schemas": named}
    paths = {path: _plain_item(written, item) for path, item in object_of(written["paths"]).items()}
    return written | {"paths": paths}


class _Writer:
    """Rewrites a contract from its root.

    Args:
        document: The contract.

    Attributes:
        names: The new name of each named schema.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._open: list[str] = []
        self.names: dict[str, str] = {}
        for name in object_of(object_of(document.get("components")).get("schemas")):
            plain = name if _PLAIN_NAME.fullmatch(name) else re.sub(r"[^A-Za-z0-9._-]+", "_", name)
            if plain in self.names.values():
                raise ContractError(
                    ("components", "schemas", name),
                    f"without what needs an escape, the schema {name!r} has the name of another, {plain}: rename it",
                )
            self.names[name] = plain

    def written(self, value: Any, keys: tuple[str, ...], *, are_names: bool = False) -> Any:
        """Return a part of the contract in its new form.

        Args:
            value: The part.
            keys: The keys that lead to it.
            are_names: Whether its keys are names.
        """
        if isinstance(value, list):
            return [self.written(item, (*keys, str(number))) for number, item in enumerate(list_of(value))]
        if not isinstance(value, dict):
            return value
        fields = object_of(value)
        if not are_names and isinstance(fields.get("$ref"), str):
            fields = self._reference(fields, keys)
        made = {
            key: inner
            if not are_names and (key in DATA or key.startswith("x-"))
            else self.written(inner, (*keys, key), are_names=not are_names and key in NAMES)
            for key, inner in fields.items()
        }
        return made if are_names else _as_3_1(made)

    def _reference(self, fields: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
        """Return a reference to a component, or the fields of what another one leads to."""
        reference: str = fields["$ref"]
        target = keys_of(reference)
        if target[:2] == ("components", "schemas") and is_component(target):
            return fields | {"$ref": f"#/components/schemas/{self.names.get(target[2], target[2])}"}
        if is_component(target) or (len(keys) == 2 and keys[0] == "paths"):  # noqa: PLR2004 - a path's own reference
            return fields
        if reference in self._open:
            raise ContractError(
                keys,
                f"{pointer(keys)} refers to {reference}, which it is a part of: move it to the components, by a name",
            )
        self._open.append(reference)
        try:
            found = self.written(at(self._document, target), target)
        finally:
            self._open.pop()
        beside = {key: inner for key, inner in fields.items() if key != "$ref"}
        return (object_of(found) if isinstance(found, dict) else {"allOf": [found]}) | beside


def _as_3_1(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without what only OpenAPI 3.0 has; anything else as it is."""
    schema = dict(schema)
    for exclusive, limit in _EXCLUSIVE:
        if isinstance(schema.get(exclusive), bool):
            is_exclusive = schema.pop(exclusive)
            if is_exclusive and limit in schema:
                schema[exclusive] = schema.pop(limit)
    if not isinstance(schema.get("nullable"), bool):
        return schema
    return _with_null(schema) if schema.pop("nullable") else schema


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that null fits, too."""
    kinds = schema.get("type")
    if kinds is None and any(key in schema for key in ("$ref", "allOf", "anyOf", "oneOf")):
        about = {key: schema.pop(key) for key in ("description", "title", "default") if key in schema}
        return {"anyOf": [schema, {"type": "null"}]} | about
    if kinds is not None:
        named = list_of(kinds) or [kinds]
        schema["type"] = named if "null" in named else [*named, "null"]
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema


def _plain_item(document: dict[str, Any], item: Any) -> Any:
    if isinstance(item, dict) and str(object_of(item).get("$ref", "")).startswith("#/"):
        own = {key: value for key, value in object_of(item).items() if key != "$ref"}
        try:
            item = object_of(resolve(document, object_of(item))) | own
        except (LookupError, TypeError, AttributeError):
            return object_of(item)  # whoever needs it says that nothing is there
    if not isinstance(item, dict):
        return item
    return {key: _plain_operation(value) if key in METHODS else value for key, value in object_of(item).items()}


def _plain_operation(operation: Any) -> Any:
    responses = object_of(operation).get("responses")
    if not isinstance(responses, dict):
        return operation
    plain = {_plain_status(str(status)): answer for status, answer in object_of(responses).items()}
    return object_of(operation) | {"responses": plain}


def _plain_status(status: str) -> str:
    return status.upper() if re.fullmatch(r"[1-5][xX]{2}", status) else status
