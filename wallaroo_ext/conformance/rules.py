"""Checks answers against the contract, and finds the text and the sources of each rule."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.contract_schemas import ContractSchemas

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import jsonschema_rs

STATUS = "status_code_conformance"
CONTENT_TYPE = "content_type_conformance"
SCHEMA = "response_schema_conformance"
ALWAYS = "x_always"
"""The checks of every answer. The first three have schemathesis's names, as schemathesis makes them, too."""
ANSWERED = "an_answer_comes"
"""The check that an answer comes at all."""
FIXTURES = "fixtures_can_be_made"
"""The check that a workspace, a model, a deployment and an assay can be made, which all other tests need."""
DRIFT = "drift"
"""The check that the instance's own description, or recordings of it, break no client of the contract."""

_JSON = "application/json"
_OK = 200
_LIMITS_OF_TEXTS = {"const", "enum", "format", "maxLength", "pattern"}
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
_ANYTHING: dict[str, Any] = {}
"""The schema of a parameter that has none; there is one of it, as validators are known by their schemas."""


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a statement of the contract.

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
        pointer: Its location in the contract, as a JSON pointer with `#` before it.
        text: Its text, as YAML.
        sources: Its sources: its own evidence, or that of the nearest part above it.
    """

    pointer: str
    text: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that an answer breaks.

    Attributes:
        check: The name of the check.
        where: The JSON path in the answer, such as `$.workspaces[0].id`; empty where it is the answer itself.
        message: What is wrong there, for a person.
        location: The rule's location: the keys that lead to it from the contract's root.
    """

    check: str
    where: str
    message: str
    location: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A value that the contract does not list in `x-extensible-enum`.

    Attributes:
        where: The JSON path in the answer.
        value: The value.
        listed: The values that the contract lists.
    """

    where: str
    value: Any
    listed: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    """The answer that the contract has for one status."""

    location: tuple[str, ...]
    media_types: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])


class _Fields(NamedTuple):
    """The fields of objects that lead to a keyword.

    Attributes:
        named: The names of all fields that the schema has.
        followed: The schemas of those that lead to it, by name.
        others: The schema of all other fields, where that leads to it.
    """

    named: Collection[str]
    followed: dict[str, dict[str, Any]]
    others: dict[str, Any] | None


class Rules:
    """The rules of a contract, against which answers are checked.

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
        self._mentioned: dict[tuple[int, str], bool] = {}
        self._fields: dict[tuple[int, str], _Fields] = {}
        self._targets: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {}

    @cached_property
    def operations(self) -> dict[str, dict[str, Any]]:
        """The operations as the contract writes them, by their ids, in the contract's order."""
        return {found["operationId"]: found for _, _, found in contract.operations(self.document)}

    @cached_property
    def locations(self) -> dict[str, tuple[str, ...]]:
        """The location of each operation: the keys that lead to it from the contract's root."""
        return {
            found["operationId"]: ("paths", path, method) for path, method, found in contract.operations(self.document)
        }

    def success(self, operation: str) -> int:
        """Return the status of an operation's success, 200 where the contract has a range of them or no status."""
        named = (status for status in self.operations[operation]["responses"] if status.startswith("2"))
        return next((int(status) for status in named if status.isdigit()), _OK)

    def is_success(self, operation: str, status: int) -> bool:
        """Return whether a status is one of an operation's success, as the contract names them."""
        responses: dict[str, Any] = self.operations[operation]["responses"]
        name = status_name(responses, status)
        has_named = any(found.startswith("2") for found in responses)
        return status // 100 == 2 and name is not None and (name.startswith("2") or not has_named)  # noqa: PLR2004 - HTTP's

    def takes_token(self, operation: str) -> bool:
        """Return whether an operation wants a bearer token."""
        security = self.operations[operation].get("security", self.document.get("security", []))
        return any("bearerToken" in scheme for scheme in security)

    def request_content(self, operation: str) -> dict[str, dict[str, Any]]:
        """Return what the contract says of an operation's bodies, by media type; nothing where it takes none."""
        return self.schemas.resolve(self.operations[operation].get("requestBody", {})).get("content", {})

    def can_be_invalid(self, operation: str) -> bool:
        """Return whether a request can be invalid: it has a body or a query, or not every text will do in its path."""
        return bool(self.request_content(operation)) or not all(map(self._takes_any_text, self._parameters(operation)))

    def _parameters(self, operation: str) -> list[dict[str, Any]]:
        _, path, _ = self.locations[operation]
        return contract.parameters(self.document, path, self.operations[operation])

    def _takes_any_text(self, parameter: dict[str, Any]) -> bool:
        if "content" in parameter or parameter["in"] != "path":
            return False
        schema = self.schemas.resolve(_schema_of(parameter))
        return schema.get("type") == "string" and not schema.keys() & _LIMITS_OF_TEXTS

    def allows_body(self, operation: str, media_type: str, body: Any) -> bool:
        """Return whether the contract allows a body of an operation.

        Args:
            operation: The contract's `operationId`.
            media_type: The body's media type.
            body: Its value, before it is encoded; what JSON does not have, such as bytes, counts as text.
        """
        content = self.request_content(operation)
        declared = _media_type(content, media_type)
        if declared is None:
            return False
        try:
            value = json.loads(json.dumps(body, default=str), parse_int=_int64)
        except (OverflowError, ValueError, TypeError):
            return False
        return self._validator(object_of(content[declared].get("schema"))).is_valid(value)

    def allows_parameters(self, operation: str, location: str, values: Mapping[str, Any]) -> bool:
        """Return whether the contract allows the parameters of a request.

        Args:
            operation: The contract's `operationId`.
            location: What they are in, as the contract writes it: `path` or `query`.
            values: The values by name; those that the contract does not have are ignored.
        """
        declared = [each for each in self._parameters(operation) if each["in"] == location]
        return all(
            any(map(self._validator(_schema_of(each)).is_valid, _readings(values[each["name"]])))
            if each["name"] in values
            else not each.get("required")
            for each in declared
        )

    def answer_schema(self, operation: str, status: int | None = None) -> dict[str, Any]:
        """Return the schema of an operation's JSON answer.

        Args:
            operation: The contract's `operationId`.
            status: The status; that of the success by default.
        """
        answer = self._answer(operation, status or self.success(operation))
        if answer is None:
            raise KeyError(f"The contract has no answer of status {status} for {operation}.")
        found = _media_type(answer.media_types, _JSON)
        return {} if found is None else object_of(answer.media_types[found].get("schema"))

    def violations(self, operation: str, status: int, content_type: str, body: bytes) -> Iterator[Violation]:
        """Yield the rules that an answer breaks.

        Args:
            operation: The contract's `operationId`.
            status: The answer's status.
            content_type: The answer's media type with its parameters; empty where it has none.
            body: The whole body.
        """
        answer = self._answer(operation, status)
        if answer is None:
            location = (*self.locations[operation], "responses")
            yield Violation(STATUS, "", f"The contract has no answer of status {status} for {operation}.", location)
            return
        kind = content_type.partition(";")[0].strip().lower()
        declared = _media_type(answer.media_types, kind)
        if declared is None:
            if not answer.media_types:
                return  # the contract does not say what it has
            known = ", ".join(answer.media_types)
            actual = f"has the media type {kind}" if kind else "has no media type"
            yield Violation(CONTENT_TYPE, "", f"The answer {actual}, and the contract has {known}.", answer.location)
            return
        if kind == _JSON or kind.endswith("+json"):
            charset = _charset(content_type)
            if not _is_in(charset, body):
                message = f"The answer says that its text is in {charset}, and it is in UTF-8, as all JSON is."
                yield Violation(CONTENT_TYPE, "", message, answer.location)
            location = (*answer.location, "content", declared, "schema")
            schema = object_of(object_of(answer.media_types[declared]).get("schema"))
            yield from self._violations_of_json(schema, body, location)

    def _violations_of_json(
        self, schema: dict[str, Any], body: bytes, location: tuple[str, ...]
    ) -> Iterator[Violation]:
        is_json, value = read_strictly(body)
        if not is_json:
            yield Violation(SCHEMA, "", "The answer says that it is JSON, and is none.", location)
            return
        for error in self._validator(schema).iter_errors(value):
            keyword = self._keyword_location(location, error.schema_path)
            yield Violation(SCHEMA, _json_path(error.instance_path), error.message, keyword)
        for where, name, rule_location in self.missing_always(schema, value, location):
            message = f"{where} has no `{name}`, which every recording has."
            yield Violation(ALWAYS, f"{where}.{name}", message, rule_location)

    def problems(self, schema: dict[str, Any], value: Any) -> list[str]:
        """Return the problems of a value by a schema of the contract and by `x-always`, for a person."""
        found = self._validator(schema).iter_errors(value)
        errors = [f"{_json_path(error.instance_path)}: {error.message}" for error in found]
        return errors + [f"{where}.{name} is missing" for where, name, _ in self.missing_always(schema, value, ())]

    def missing_always(
        self, schema: dict[str, Any], value: Any, location: tuple[str, ...], where: str = "$"
    ) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Yield the fields of `x-always` that a value lacks, at any depth.

        Args:
            schema: The value's schema.
            value: The value.
            location: The schema's location in the contract.
            where: The JSON path of the value.

        Yields:
            The JSON path of the object, the field's name, and the rule's location.
        """
        location, schema = self.resolve(location, schema)
        for name in schema.get("x-always", ()):
            if isinstance(value, dict) and name not in value:
                yield where, name, (*location, "x-always")
        for inner, inner_location, inner_value, inner_where in self.parts(schema, value, location, where, "x-always"):
            yield from self.missing_always(inner, inner_value, inner_location, inner_where)

    def unlisted(self, schema: dict[str, Any], value: Any, where: str = "$") -> Iterator[Unlisted]:
        """Yield the values that `x-extensible-enum` does not list, at any depth."""
        _, schema = self.resolve((), schema)
        listed = schema.get("x-extensible-enum")
        if listed is not None and value is not None and value not in listed:
            yield Unlisted(where, value, tuple(listed))
        for inner, _, inner_value, inner_where in self.parts(schema, value, (), where, "x-extensible-enum"):
            yield from self.unlisted(inner, inner_value, inner_where)

    def _mentions(self, schema: dict[str, Any], keyword: str) -> bool:
        """Return whether a schema, or one that it leads to, has a keyword; an empty one, each has."""
        known = self._mentioned.get((id(schema), keyword))
        if known is None:
            known = not keyword or any(keyword in each for each in self._reached(schema))
            self._mentioned[id(schema), keyword] = known
        return known

    def _reached(self, schema: dict[str, Any]) -> list[dict[str, Any]]:
        """Return all objects in a schema and in those that it refers to, each once."""
        found: dict[int, dict[str, Any]] = {}
        waiting: list[Any] = [schema]
        while waiting:
            value = waiting.pop()
            if isinstance(value, list):
                waiting += list_of(value)
            elif isinstance(value, dict):
                _, resolved = self.resolve((), object_of(value))
                if id(resolved) not in found:
                    found[id(resolved)] = resolved
                    waiting += resolved.values()
        return list(found.values())

    def parts(
        self, schema: dict[str, Any], value: Any, location: tuple[str, ...], where: str, keyword: str = ""
    ) -> Iterator[tuple[dict[str, Any], tuple[str, ...], Any, str]]:
        """Yield the schemas below a schema, or only those that have a keyword or lead to one that has it.

        Args:
            schema: The schema.
            value: A value.
            location: The schema's location in the contract.
            where: The JSON path of the value.
            keyword: The keyword; empty for all schemas.

        Yields:
            A schema below, its location, and the value below with its JSON path.
        """
        for number, inner in enumerate(schema.get("allOf", ())):
            yield inner, (*location, "allOf", str(number)), value, where
        for combining in ("anyOf", "oneOf"):
            fitting = [
                found for found in enumerate(schema.get(combining, ())) if self._validator(found[1]).is_valid(value)
            ]
            for number, inner in fitting[:1]:
                yield inner, (*location, combining, str(number)), value, where
        fields = self._fields_of(schema, keyword)
        for name, inner_value in object_of(value).items() if fields.followed or fields.others is not None else ():
            if name in fields.followed:
                yield fields.followed[name], (*location, "properties", name), inner_value, f"{where}.{name}"
            elif fields.others is not None and name not in fields.named:
                yield fields.others, (*location, "additionalProperties"), inner_value, f"{where}.{name}"
        items = object_of(schema.get("items"))
        for number, item in enumerate(list_of(value) if items and self._mentions(items, keyword) else ()):
            yield items, (*location, "items"), item, f"{where}[{number}]"

    def _fields_of(self, schema: dict[str, Any], keyword: str) -> _Fields:
        """Return the fields of a schema's objects that `parts` follows for a keyword, found once."""
        found = self._fields.get((id(schema), keyword))
        if found is None:
            named = object_of(schema.get("properties"))
            followed = {name: object_of(each) for name, each in named.items() if isinstance(each, dict)}
            others = schema.get("additionalProperties")
            found = self._fields[id(schema), keyword] = _Fields(
                named.keys(),
                {name: each for name, each in followed.items() if self._mentions(each, keyword)},
                object_of(others) if isinstance(others, dict) and self._mentions(object_of(others), keyword) else None,
            )
        return found

    def _validator(self, schema: dict[str, Any]) -> jsonschema_rs.Validator:
        """Return the validator of a schema of the contract, made once."""
        found = self._validators.get(id(schema))
        if found is None:
            found = self._validators[id(schema)] = self.schemas.validator(schema)
        return found

    def _answer(self, operation: str, status: int) -> _Answer | None:
        responses = self.operations[operation]["responses"]
        name = status_name(responses, status)
        if name is None:
            return None
        location = (*self.locations[operation], "responses", name)
        location, answer = self.resolve(location, responses[name])
        return _Answer(location, answer.get("content", {}))

    def resolve(self, location: tuple[str, ...], value: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Return the target of a reference and its location; what is no reference is returned as it is."""
        while "$ref" in value:
            location, value = self._target(value["$ref"])
        return location, value

    def _target(self, reference: str) -> tuple[tuple[str, ...], dict[str, Any]]:
        found = self._targets.get(reference)
        if found is None:
            target = contract.resolve(self.document, {"$ref": reference})
            found = self._targets[reference] = contract.keys_of(reference), target
        return found

    @staticmethod
    def _keyword_location(location: tuple[str, ...], path: list[str | int]) -> tuple[str, ...]:
        """Return the location of a keyword, given the schema's location and the validator's path below it.

        The path begins anew at the last reference that the validator followed.
        """
        keys = tuple(map(str, path))
        starts = [number for number in range(len(keys)) if keys[number : number + 2] == ("components", "schemas")]
        return keys[starts[-1] :] if starts else (*location, *keys)

    def _at(self, location: tuple[str, ...]) -> Any:
        value: Any = self.document
        for key in location:
            value = _below(value, key)
        return value

    def rule(self, location: tuple[str, ...]) -> Rule:
        """Return the rule at a location of the contract, with its sources.

        Args:
            location: The keys that lead to it from the contract's root.
        """
        pointer = "#/" + "/".join(key.replace("~", "~0").replace("/", "~1") for key in location)
        return Rule(pointer, self._text(location), self._sources(location))

    def _text(self, location: tuple[str, ...]) -> str:
        """Return the text at a location as YAML; a keyword of a schema comes with the schema's description."""
        import yaml

        if location and location[-1] in _KEYWORDS:
            location, keyword = location[:-1], location[-1]
            schema = object_of(self._at(location))
            value: Any = {name: schema[name] for name in ("description", keyword) if name in schema}
        else:
            value = self._at(location)
        named = {location[-1] if location else "": _abridged(value, _SHOWN_LEVELS)}
        return yaml.safe_dump(named, sort_keys=False, allow_unicode=True, width=100).rstrip()

    def _sources(self, location: tuple[str, ...]) -> tuple[Source, ...]:
        """Return the evidence at a location, or the nearest above it."""
        for length in range(len(location), -1, -1):
            evidence = object_of(self._at(location[:length])).get("x-evidence")
            if evidence:
                return tuple(map(_source, list_of(evidence) or [evidence]))
        return ()


def _schema_of(parameter: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter, or of what its text is by its `content`."""
    media = next(iter(object_of(parameter.get("content")).values()), parameter)
    found = object_of(media).get("schema")
    return object_of(found) if isinstance(found, dict) else _ANYTHING


def _source(entry: Any) -> Source:
    """Return a source of `x-evidence`, which somebody else's contract may write in another way."""
    fields = object_of(entry)
    if "document" in fields:
        return Source(*(str(fields.get(name, "")) for name in ("document", "section", "kind")))
    return Source("; ".join(map(str, fields.values())) if fields else str(entry), "", "")


def status_name(responses: dict[str, Any], status: int) -> str | None:
    """Return the name under which a contract has a status: itself, its range or `default`; None for none of them."""
    names = (str(status), f"{status // 100}XX", f"{status // 100}xx", "default")
    return next((name for name in names if name in responses), None)


@lru_cache(maxsize=2)  # several in turn read the answer that came last
def read_strictly(body: bytes) -> tuple[bool, Any]:
    """Return whether a body is JSON as its standard has it, and its value, which nobody changes; None where it is none.

    It is none in another encoding than UTF-8, with numbers that only Python has, or a field of two values.
    """
    try:
        return True, json.loads(body.decode(), object_pairs_hook=_one_value_each, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return False, None


def _one_value_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the fields of an object of JSON.

    Raises:
        ValueError: One of them has two values, so that each reader takes another one.
    """
    found = dict(pairs)
    if len(found) < len(pairs) and any(found[name] != value for name, value in pairs):
        raise ValueError("A field has two values.")
    return found


def _no_number(text: str) -> float:
    """Refuse what Python writes for numbers that JSON does not have.

    Raises:
        ValueError: Always.
    """
    raise ValueError(f"{text} is no JSON.")


def _charset(content_type: str) -> str:
    """Return the charset that a media type names; UTF-8 where it names none."""
    found = re.search(r';\s*charset\s*=\s*"?([^";\s]+)', content_type, re.IGNORECASE)
    return "utf-8" if found is None else found[1]


def _is_in(charset: str, text: bytes) -> bool:
    """Return whether a text in UTF-8 is the same in another charset, as one in ASCII is in most."""
    try:
        return codecs.lookup(charset).name == "utf-8" or text.decode(charset) == text.decode()
    except LookupError:  # which says nothing
        return True
    except ValueError:
        return False


def _int64(digits: str) -> int:
    """Return a whole number, of which the contract's requests have none but those of 64 bits.

    Raises:
        OverflowError: It has more.
    """
    return int.from_bytes(int(digits).to_bytes(8, signed=True), signed=True)


def _readings(value: Any) -> list[Any]:
    """Return a parameter's value, and what its text says, since everything is text in a URL."""
    try:
        return [value, json.loads(value)] if isinstance(value, str) else [value]
    except ValueError:
        return [value]


def _media_type(declared: dict[str, Any], kind: str) -> str | None:
    """Return the media type or the range of a contract that a media type belongs to, the narrowest; None for none."""
    plain = {name.partition(";")[0].strip().lower(): name for name in reversed(declared)}
    ranges = (kind, f"{kind.partition('/')[0]}/*", "*/*") if kind else ()
    return next((plain[name] for name in ranges if name in plain), None)


def _abridged(value: Any, levels: int) -> Any:
    """Return a part of the contract without evidence, examples and links, and only so many levels deep."""
    if isinstance(value, dict):
        if not levels:
            return "…"
        shown = {name: inner for name, inner in object_of(value).items() if name not in _NOT_SHOWN}
        return {name: _abridged(inner, levels - 1) for name, inner in shown.items()}
    return value


def _below(value: Any, key: str) -> Any:
    """Return the value at a key of an object or an index of a list; None where there is none."""
    if isinstance(value, list):
        items = list_of(value)
        return items[int(key)] if key.isdigit() and int(key) < len(items) else None
    return object_of(value).get(key)


def _json_path(keys: list[str | int]) -> str:
    """Return the JSON path of keys and indexes."""
    return "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
