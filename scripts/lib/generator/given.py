"""Writes a contract as openapi-python-client understands it: what it would drop is said in other ways."""

from __future__ import annotations

import json
import re
from typing import Any

from openapi_python_client.strings import snake_case

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.contract_checks import DATA, METHODS, NAMES

PLAIN = {"string", "integer", "number", "boolean"}
_IGNORED_HEADERS = {"accept", "authorization", "content-type"}
"""Headers that OpenAPI describes by media types and by security, and ignores as parameters."""
_TEXTS = {"description", "summary", "deprecated", "example", "examples"}
_WITHOUT_TYPE = {
    "$ref",
    "type",
    "properties",
    "enum",
    "const",
    "items",
    "allOf",
    "anyOf",
    "oneOf",
    "additionalProperties",
}
"""The keys of a schema of which its type in Python is made; a schema without them only limits values."""


def given_document(document: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of the contract for the generator.

    It reads references to schemas, and loses its way in others; and of a schema that has parts beside fields, it reads
    one or the other. Descriptions have their sources at their ends; beside a reference it would drop them, so for plain
    values, the value's schema stands in place of the reference.
    """
    copy = object_of(json.loads(json.dumps(document)))
    copy = inline_described_references(document, _without_other_references(document, copy))
    copy = object_of(_schemas_of(copy, are_names=False))
    for _, _, operation in contract.operations(copy):
        _without_ignored_headers(operation)
    described = [operation for _, _, operation in contract.operations(copy)]
    described += object_of(object_of(copy.get("components")).get("schemas")).values()
    for item in described:
        if item.get("x-evidence"):
            item["description"] = f"{item.get('description', '').strip()}\n\nSource: {sources(item)}."
    return copy


def _without_other_references(document: dict[str, Any], value: Any) -> Any:
    """Return a value with what references to parameters, bodies and answers lead to, in place of them."""
    if isinstance(value, list):
        return [_without_other_references(document, inner) for inner in list_of(value)]
    fields = object_of(value)
    reference = fields.get("$ref")
    if isinstance(reference, str) and re.match(
        "#/components/(?:parameters|requestBodies|responses|headers)/", reference
    ):
        return _without_other_references(document, contract.resolve(document, fields))
    if not isinstance(value, dict):
        return value
    return {
        name: inner if name in DATA else _without_other_references(document, inner) for name, inner in fields.items()
    }


def inline_described_references(document: dict[str, Any], value: Any) -> Any:
    """Return the value with references to plain schemas replaced, where a description stands beside the reference."""
    if isinstance(value, list):
        return [inline_described_references(document, inner) for inner in list_of(value)]
    fields = object_of(value)
    if isinstance(fields.get("$ref"), str) and "description" in fields:
        target = object_of(contract.resolve(document, fields))
        if target.get("type") in PLAIN and "enum" not in target:
            kept = {name: inner for name, inner in target.items() if name != "x-evidence"}
            return kept | {name: inner for name, inner in fields.items() if name != "$ref"}
    return {name: inline_described_references(document, inner) for name, inner in fields.items()} if fields else value


def _schemas_of(value: Any, *, are_names: bool) -> Any:
    """Return a part of a contract with each schema as the generator understands it."""
    if isinstance(value, list):
        return [_schemas_of(item, are_names=False) for item in list_of(value)]
    if not isinstance(value, dict):
        return value
    made = {
        key: inner
        if not are_names and (key in DATA or key.startswith("x-"))
        else _named(inner)
        if not are_names and key in {"properties", "schemas"}
        else _schemas_of(inner, are_names=not are_names and key in NAMES)
        for key, inner in object_of(value).items()
    }
    return made if are_names else _schema(made)


def _named(schemas: Any) -> Any:
    """Return named schemas, of which each may be `true` or `false`."""
    never: dict[str, Any] = {"not": {}}
    always: dict[str, Any] = {}
    return {
        name: (always if schema else never) if isinstance(schema, bool) else _schemas_of(schema, are_names=False)
        for name, schema in object_of(schemas).items()
    }


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without what the generator overlooks; anything that is no schema as it is."""
    if "$ref" in schema and set(schema) - {"$ref"} - _TEXTS and not any(key.startswith("x-") for key in schema):
        schema = {"allOf": [{"$ref": schema["$ref"]}]} | {key: inner for key, inner in schema.items() if key != "$ref"}
    for key in ("anyOf", "oneOf"):
        parts = list_of(schema.get(key))
        if (
            parts
            and all(not _WITHOUT_TYPE & object_of(part).keys() for part in parts)
            and schema.keys() & _WITHOUT_TYPE - {key}
        ):
            schema = {name: inner for name, inner in schema.items() if name != key}
    if "allOf" in schema:
        schema = _joined(schema)
    if isinstance(schema.get("enum"), list) and "x-enum-varnames" not in schema:
        schema = schema | _enum_names([value for value in schema["enum"] if value is not None])
    default = schema.get("default")
    if (isinstance(default, list | dict) and schema.keys() & _WITHOUT_TYPE) or _would_be_a_text(schema):
        text = json.dumps(default, ensure_ascii=False)
        described = f"{schema.get('description', '')}\n\nWithout it, the instance takes {text}.".strip()
        schema = {key: inner for key, inner in schema.items() if key != "default"} | {"description": described}
    return schema


def _would_be_a_text(schema: dict[str, Any]) -> bool:
    """Return whether the generator would write a default as a text, because a text is one of several types."""
    parts = [*list_of(schema.get("anyOf")), *list_of(schema.get("oneOf"))]
    parts += [{"type": kind} for kind in list_of(schema.get("type"))]
    is_text = any(object_of(part).get("type", "string") == "string" for part in parts)
    return is_text and isinstance(schema.get("default"), int | float)


def _enum_names(values: list[Any]) -> dict[str, Any]:
    """Return the names of an enumeration's values, if the generator's own are not one for each."""
    if not all(isinstance(value, str) for value in values):
        return {}
    names: list[str] = []
    for number, value in enumerate(values):
        plain = (snake_case(value.upper()).upper() if value[:1].isalpha() else "") or f"VALUE_{number}"
        names.append(plain if plain not in names else f"{plain}_VALUE_{number}")
    uppers = [value.upper() for value in values]
    is_clear = len(set(uppers)) == len(uppers) and not any("_VALUE_" in name for name in names)
    return {} if is_clear else {"x-enum-varnames": names}


def _joined(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose `allOf` has all that it needs: parts of parts, and the fields that stand beside it."""
    parts: list[Any] = []
    for part in list_of(schema["allOf"]):
        inner = object_of(part)
        parts += list_of(inner["allOf"]) if inner.keys() - _TEXTS == {"allOf"} else [part]
    limits = [
        part for part in parts if not _WITHOUT_TYPE & object_of(part).keys() and "required" not in object_of(part)
    ]
    parts = [part for part in parts if part not in limits]
    beside = {key: schema[key] for key in ("properties", "required", "additionalProperties") if key in schema}
    if beside:
        parts.append({"type": "object"} | beside)
        schema = {key: inner for key, inner in schema.items() if key not in beside}
    return schema | {"allOf": parts} if parts else {key: inner for key, inner in schema.items() if key != "allOf"}


def _without_ignored_headers(operation: dict[str, Any]) -> None:
    if "parameters" in operation:
        operation["parameters"] = [
            each
            for each in operation["parameters"]
            if each.get("in") != "header" or each["name"].lower() not in _IGNORED_HEADERS
        ]


def sources(item: dict[str, Any]) -> str:
    """Return the sources of a description as one line."""
    return "; ".join(f'{entry["document"]}, "{entry["section"]}" ({entry["kind"]})' for entry in item["x-evidence"])


def methods_of(item: dict[str, Any]) -> list[str]:
    """Return the methods of a path's item, in OpenAPI's order."""
    return [method for method in METHODS if method in item]
