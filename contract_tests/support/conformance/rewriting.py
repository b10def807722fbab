"""Rewrites the contract without changing its meaning, as other generators of OpenAPI documents may write it."""

from __future__ import annotations

import copy
import json
import random
from typing import TYPE_CHECKING, Any

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable


def inlined(document: dict[str, Any]) -> dict[str, Any]:
    """Return the contract without a reference: each operation can be changed by itself."""

    def replaced(value: Any) -> Any:
        if isinstance(value, list):
            return [replaced(item) for item in list_of(value)]
        if isinstance(value, dict):
            fields = object_of(value)
            target = contract.resolve(document, {"$ref": fields["$ref"]}) if "$ref" in fields else {}
            return {name: replaced(inner) for name, inner in (target | fields).items() if name != "$ref"}
        return value

    return {name: replaced(value) for name, value in document.items() if name != "components"}


def everywhere(change: Callable[[dict[str, Any]], dict[str, Any]], value: Any) -> Any:
    """Return a copy of a document in which each object was changed."""
    if isinstance(value, list):
        return [everywhere(change, item) for item in list_of(value)]
    if isinstance(value, dict):
        return change({name: everywhere(change, inner) for name, inner in object_of(value).items()})
    return copy.copy(value)


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    kinds = schema.get("type")
    if isinstance(kinds, list):
        rest = [kind for kind in list_of(kinds) if kind != "null"]
        one = {"type": rest[0]} if len(rest) == 1 else {"anyOf": [{**schema, "type": kind} for kind in rest]}
        kept = {name: value for name, value in schema.items() if name not in {"type", "items"} or len(rest) == 1}
        return {**kept, **one, "nullable": "null" in list_of(kinds)}
    parts = list_of(schema.get("anyOf"))
    if {"type": "null"} in parts:
        rest = [part for part in parts if part != {"type": "null"}]
        kept = {name: value for name, value in schema.items() if name != "anyOf"}
        return kept | {"allOf" if len(rest) == 1 else "anyOf": rest, "nullable": True}
    return schema


def as_3_0(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with `nullable` in place of lists of types and alternatives of null, as in OpenAPI 3.0."""
    return everywhere(_nullable, document) | {"openapi": "3.0.3"}


def renamed(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with other names of components, operations and path parameters."""
    text = json.dumps(everywhere(dict, document), default=str)
    for kind, entries in document["components"].items():
        for name in entries:
            text = text.replace(f'"#/components/{kind}/{name}"', f'"#/components/{kind}/Their{name}"')
    other = json.loads(text.replace("{deployment}", "{id}").replace('"name": "deployment"', '"name": "id"'))
    for kind, entries in other["components"].items():
        other["components"][kind] = {f"Their{name}": value for name, value in entries.items()}
    for path, _, operation in contract.operations(other):
        operation["operationId"] = path.replace("/", "_")
    return other


def shuffled(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with every object and every set in another order."""
    chance = random.Random(29)  # noqa: S311 - any order will do, if it is the same each time

    def change(fields: dict[str, Any]) -> dict[str, Any]:
        for name in ("required", "anyOf", "allOf", "enum", "parameters", "x-always"):
            if isinstance(fields.get(name), list):
                chance.shuffle(fields[name])
        names = list(fields)
        chance.shuffle(names)
        return {name: fields[name] for name in names}

    return everywhere(change, document)


def bare(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document without extensions, descriptions, examples and links."""
    unwanted = ("x-", "description", "summary", "example", "links")

    def change(fields: dict[str, Any]) -> dict[str, Any]:
        if set(fields) & {"type", "$ref", "schema", "content", "operationId", "anyOf", "allOf"} and not any(
            isinstance(fields.get(name), dict) for name in ("type", "description")
        ):
            return {name: value for name, value in fields.items() if not name.startswith(unwanted)}
        return fields

    return everywhere(change, document)


def wrapped(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with each reference to a schema inside an `allOf` of one."""

    def change(fields: dict[str, Any]) -> dict[str, Any]:
        reference = str(fields.get("$ref", ""))
        if not reference.startswith("#/components/schemas/"):
            return fields
        return {name: value for name, value in fields.items() if name != "$ref"} | {"allOf": [{"$ref": reference}]}

    return everywhere(change, document)


def moved(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with another prefix before its paths, and a slash at their ends."""
    paths = {f"/gateway{path}/": item for path, item in document["paths"].items()}
    return document | {"paths": paths}


def relative(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document whose paths are relative to the servers' URLs, without those that are below another URL."""
    paths = {path.removeprefix("/v1/api"): item for path, item in document["paths"].items() if "/v1/api" in path}
    return document | {"paths": paths, "servers": [{"url": "/v1/api"}]}
