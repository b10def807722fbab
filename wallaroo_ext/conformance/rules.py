"""What the contract says of an answer, and where each rule stands and comes from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.contract_schemas import ContractSchemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    import jsonschema_rs

STATUS = "status_code_conformance"
CONTENT_TYPE = "content_type_conformance"
SCHEMA = "response_schema_conformance"
ALWAYS = "x_always"
"""The checks of every answer. The first three have schemathesis's names, so that a report has one name for each."""

_JSON = "application/json"
_KEYWORDS = {
    "type",
    "required",
    "x-always",
    "enum",
    "const",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "anyOf",
    "oneOf",
    "additionalProperties",
}
_NOT_SHOWN = {"x-evidence", "examples", "example", "links"}
_SHOWN_LEVELS = 5


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement of the contract comes from.

    Attributes:
        document: The document's name.
        section: The section's heading.
        kind: `recorded`, `example`, `prose`, `observed` or `convention`.
    """

    document: str
    section: str
    kind: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A statement of the contract.

    Attributes:
        pointer: Where it stands, as a JSON pointer with `#` before it.
        text: What stands there, as YAML.
        sources: Where it comes from: its own evidence, or that of what it is a part of.
    """

    pointer: str
    text: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that an answer breaks.

    Attributes:
        check: The name of the check.
        where: The place in the answer, such as `$.workspaces[0].id`; empty where it is the answer itself.
        message: What is wrong there, for a person.
        pointer: Where the rule stands in the contract, as the keys of a way from its root.
    """

    check: str
    where: str
    message: str
    pointer: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A value that the contract does not list in `x-extensible-enum`.

    Attributes:
        where: The place in the answer.
        value: The value.
        listed: The values that the contract lists.
    """

    where: str
    value: Any
    listed: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the contract says of the answers of one status."""

    pointer: tuple[str, ...]
    media_types: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])


class Rules:
    """A contract, as what answers are held against.

    Args:
        document: The contract.

    Attributes:
        document: The contract.
        schemas: Its schemas.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.schemas = ContractSchemas(document)
        self._validators: dict[int, jsonschema_rs.Validator] = {}

    @cached_property
    def operations(self) -> dict[str, dict[str, Any]]:
        """The operations as the contract writes them, by their ids, in the contract's order."""
        return {found["operationId"]: found for _, _, found in contract.operations(self.document)}

    @cached_property
    def places(self) -> dict[str, tuple[str, ...]]:
        """Where each operation stands, as the keys of a way from the contract's root."""
        return {
            found["operationId"]: ("paths", path, method) for path, method, found in contract.operations(self.document)
        }

    def success(self, operation: str) -> int:
        """Return the status of an operation's success."""
        return next(int(status) for status in self.operations[operation]["responses"] if status.startswith("2"))

    def takes_token(self, operation: str) -> bool:
        """Return whether an operation wants a bearer token."""
        security = self.operations[operation].get("security", self.document.get("security", []))
        return any("bearerToken" in scheme for scheme in security)

    def answer_schema(self, operation: str, status: int | None = None) -> dict[str, Any]:
        """Return the schema of an operation's JSON answer.

        Args:
            operation: The contract's `operationId`.
            status: The status; that of the success by default.
        """
        answer = self.operations[operation]["responses"][str(status or self.success(operation))]
        return self.schemas.resolve(answer)["content"][_JSON]["schema"]

    def broken(self, operation: str, status: int, content_type: str, body: bytes) -> Iterator[Broken]:
        """Yield the rules that an answer breaks.

        Args:
            operation: The contract's `operationId`.
            status: The answer's status.
            content_type: The answer's media type with its parameters; empty where it has none.
            body: The whole body.
        """
        answer = self._answer(operation, status)
        if answer is None:
            place = (*self.places[operation], "responses")
            yield Broken(STATUS, "", f"The contract has no answer of status {status} for {operation}.", place)
            return
        kind = content_type.partition(";")[0].strip().lower()
        if kind not in answer.media_types:
            known = ", ".join(answer.media_types)
            said = f"has the media type {kind}" if kind else "has no media type"
            yield Broken(CONTENT_TYPE, "", f"The answer {said}, and the contract has {known}.", answer.pointer)
            return
        if kind == _JSON:
            place = (*answer.pointer, "content", kind, "schema")
            yield from self._broken_json(answer.media_types[kind]["schema"], body, place)

    def _broken_json(self, schema: dict[str, Any], body: bytes, place: tuple[str, ...]) -> Iterator[Broken]:
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            yield Broken(SCHEMA, "", "The answer says that it is JSON, and is none.", place)
            return
        for error in self._validator(schema).iter_errors(value):
            yield Broken(SCHEMA, _path(error.instance_path), error.message, self._way(place, error.schema_path))
        for where, name, pointer in self.missing_always(schema, value, place):
            message = f"{where} has no `{name}`, which every recording has."
            yield Broken(ALWAYS, f"{where}.{name}", message, pointer)

    def problems(self, schema: dict[str, Any], value: Any) -> list[str]:
        """Return what is wrong with a value by a schema of the contract, and by `x-always`, for a person."""
        found = self._validator(schema).iter_errors(value)
        errors = [f"{_path(error.instance_path)}: {error.message}" for error in found]
        return errors + [f"{where}.{name} is missing" for where, name, _ in self.missing_always(schema, value, ())]

    def missing_always(
        self, schema: dict[str, Any], value: Any, place: tuple[str, ...], where: str = "$"
    ) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Yield the fields of `x-always` that a value lacks, at any depth.

        Args:
            schema: The value's schema.
            value: The value.
            place: Where the schema stands in the contract.
            where: What the value is called.

        Yields:
            The place in the value, the field's name, and where the rule stands.
        """
        place, schema = self.resolved(place, schema)
        for name in schema.get("x-always", ()):
            if isinstance(value, dict) and name not in value:
                yield where, name, (*place, "x-always")
        for inner, inner_place, inner_value, inner_where in self.parts(schema, value, place, where):
            yield from self.missing_always(inner, inner_value, inner_place, inner_where)

    def unlisted(self, schema: dict[str, Any], value: Any, where: str = "$") -> Iterator[Unlisted]:
        """Yield the values that `x-extensible-enum` does not list, at any depth."""
        _, schema = self.resolved((), schema)
        listed = schema.get("x-extensible-enum")
        if listed is not None and value is not None and value not in listed:
            yield Unlisted(where, value, tuple(listed))
        for inner, _, inner_value, inner_where in self.parts(schema, value, (), where):
            yield from self.unlisted(inner, inner_value, inner_where)

    def parts(
        self, schema: dict[str, Any], value: Any, place: tuple[str, ...], where: str
    ) -> Iterator[tuple[dict[str, Any], tuple[str, ...], Any, str]]:
        """The schemas below a schema, each with its place, what it is about in the value, and what that is called."""
        for number, inner in enumerate(schema.get("allOf", ())):
            yield inner, (*place, "allOf", str(number)), value, where
        for keyword in ("anyOf", "oneOf"):
            fitting = [
                found for found in enumerate(schema.get(keyword, ())) if self._validator(found[1]).is_valid(value)
            ]
            for number, inner in fitting[:1]:
                yield inner, (*place, keyword, str(number)), value, where
        properties = object_of(schema.get("properties"))
        others = schema.get("additionalProperties")
        for name, inner_value in object_of(value).items():
            if name in properties:
                yield properties[name], (*place, "properties", name), inner_value, f"{where}.{name}"
            elif isinstance(others, dict):
                yield object_of(others), (*place, "additionalProperties"), inner_value, f"{where}.{name}"
        items = object_of(schema.get("items"))
        for number, item in enumerate(list_of(value) if items else ()):
            yield items, (*place, "items"), item, f"{where}[{number}]"

    def _validator(self, schema: dict[str, Any]) -> jsonschema_rs.Validator:
        """Return the validator of a schema of the contract, made once."""
        found = self._validators.get(id(schema))
        if found is None:
            found = self._validators[id(schema)] = self.schemas.validator(schema)
        return found

    def _answer(self, operation: str, status: int) -> _Answer | None:
        responses = self.operations[operation]["responses"]
        if str(status) not in responses:
            return None
        place = (*self.places[operation], "responses", str(status))
        place, answer = self.resolved(place, responses[str(status)])
        return _Answer(place, answer.get("content", {}))

    def resolved(self, place: tuple[str, ...], value: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Return what a reference stands for, and where that stands."""
        while "$ref" in value:
            place = tuple(str(value["$ref"]).removeprefix("#/").split("/"))
            value = contract.resolve(self.document, {"$ref": value["$ref"]})
        return place, value

    @staticmethod
    def _way(place: tuple[str, ...], path: list[str | int]) -> tuple[str, ...]:
        """The place of a keyword that a validator names: from the contract's root where a reference led there."""
        keys = tuple(map(str, path))
        starts = [number for number in range(len(keys)) if keys[number : number + 2] == ("components", "schemas")]
        return keys[starts[-1] :] if starts else (*place, *keys)

    def _at(self, place: tuple[str, ...]) -> Any:
        value: Any = self.document
        for key in place:
            value = _below(value, key)
        return value

    def rule(self, place: tuple[str, ...]) -> Rule:
        """Return what stands at a place of the contract, with its evidence.

        Args:
            place: The keys of a way from the contract's root.
        """
        pointer = "#/" + "/".join(key.replace("~", "~0").replace("/", "~1") for key in place)
        return Rule(pointer, self._text(place), self._sources(place))

    def _text(self, place: tuple[str, ...]) -> str:
        """Return what stands at a place as YAML; of a schema's keyword the schema that it belongs to, in short."""
        import yaml

        if place and place[-1] in _KEYWORDS:
            place, keyword = place[:-1], place[-1]
            schema = object_of(self._at(place))
            value: Any = {name: schema[name] for name in ("description", keyword) if name in schema}
        else:
            value = self._at(place)
        named = {place[-1] if place else "": _shown(value, _SHOWN_LEVELS)}
        return yaml.safe_dump(named, sort_keys=False, allow_unicode=True, width=100).rstrip()

    def _sources(self, place: tuple[str, ...]) -> tuple[Source, ...]:
        """Return the evidence of a place: its own, or the nearest above it, or what refers to it."""
        for length in range(len(place), -1, -1):
            evidence = object_of(self._at(place[:length])).get("x-evidence")
            if evidence:
                return tuple(Source(**entry) for entry in evidence)
        return ()


def _shown(value: Any, levels: int) -> Any:
    """A part of the contract without evidence, examples and links, and without what is deeper than so many levels."""
    if isinstance(value, dict):
        if not levels:
            return "…"
        kept = {name: inner for name, inner in object_of(value).items() if name not in _NOT_SHOWN}
        return {name: _shown(inner, levels - 1) for name, inner in kept.items()}
    return value


def _below(value: Any, key: str) -> Any:
    """Return what is below a key of an object or a number of a list; nothing where it is neither."""
    if isinstance(value, list):
        items = list_of(value)
        return items[int(key)] if key.isdigit() and int(key) < len(items) else None
    return object_of(value).get(key)


def _path(keys: list[str | int]) -> str:
    """Return a place in a value, as people write it."""
    return "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
