"""The fields that a request of an operation can have, read from the schemas of the contract."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.expressions import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from wallaroo_ext.conformance.guard.expressions import Location

_SCALAR_TYPES = {"boolean", "null"}
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class _Part:
    """A location in a message: its schema, whether it is required, its default, and the media type of the body."""

    location: Location
    schema: dict[str, Any]
    required: bool
    default: Any = None
    media_type: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it is a file: a body that is no form and no JSON, or a part of a multipart body."""
        is_whole = self.location == ("body",) and self.media_type != _FORM and "json" not in self.media_type
        return _is_binary(self.schema) and (is_whole or self.media_type.startswith("multipart/"))

    @property
    def could_name(self) -> bool:
        """Whether it can be a text or a number."""
        return not self.is_file and _could_name(self.schema)


class RequestSchema:
    """The fields that a request of an operation can have, by the contract.

    Args:
        document: The contract.
        path: The operation's path.
        operation: The operation, as the contract has it.
    """

    def __init__(self, document: dict[str, Any], path: str, operation: dict[str, Any]) -> None:
        self._parts = [*_parameters(document, path, operation)]
        body = object_of(contract.resolve(document, object_of(operation.get("requestBody"))))
        self._parts += _locations(document, body, required=bool(body.get("required")))
        self._document = document
        self._bodies = [object_of(media).get("schema") for media in object_of(body.get("content")).values()]
        self._has_body = bool(body.get("required"))

    def has(self, location: Location) -> bool:
        """Return whether a request can have a field at a location."""
        return _has_part(location, self._parts)

    @property
    def required(self) -> frozenset[Location]:
        """The locations that every valid request has, or at least one of several such."""
        return frozenset(part.location for part in self._parts if part.required)

    def always_has(self, locations: list[Location]) -> bool:
        """Return whether every valid request has a value at one of these locations."""
        parameters = (part for part in self._parts if part.location[0] != "body")
        if any(part.required and any(matches(each, part.location) for each in locations) for part in parameters):
            return True
        always = [_always_has(self._document, schema, ("body",), locations, ()) for schema in self._bodies]
        return self._has_body and bool(always) and all(always)

    @property
    def defaults(self) -> list[tuple[Location, Any]]:
        """The defaults of fields, with their locations."""
        return [(part.location, part.default) for part in self._parts if part.default not in (None, [], {})]

    @cached_property
    def texts_and_numbers(self) -> list[Location]:
        """The locations that can have a text or a number, which could name something."""
        return list(dict.fromkeys(part.location for part in self._parts if part.could_name))

    @property
    def nameless(self) -> frozenset[Location]:
        """The locations that can only have a boolean, null or a file."""
        found = [part.location for part in self._parts if not part.could_name and _is_plain(part.schema)]
        return frozenset(found) - frozenset(self.texts_and_numbers)

    @property
    def files(self) -> frozenset[Location]:
        """The locations of files."""
        return frozenset(part.location for part in self._parts if part.is_file)

    @property
    def file_types(self) -> dict[str, bool]:
        """Whether a body is a file, by its media type."""
        return {part.media_type: part.is_file for part in self._parts if part.location == ("body",)}

    @property
    def keys(self) -> frozenset[Location]:
        """The locations of fields that are listed by name."""
        return frozenset(part.location for part in self._parts if part.location[-1] != "*")

    @property
    def maps(self) -> frozenset[Location]:
        """The locations of objects whose keys are not listed."""
        return frozenset(part.location for part in self._parts if _is_map(part.schema))


def has_location(document: dict[str, Any], message: dict[str, Any], location: Location) -> bool:
    """Return whether a message of the contract, such as an answer, can have a field at a location."""
    return _has_part(location, _locations(document, message))


def _has_part(pattern: Location, parts: Iterable[_Part]) -> bool:
    """Return whether a part matches a pattern; an index in the pattern stands for any item."""
    if pattern[-1:] == ("**",):
        pattern = pattern[:-1]
    return any(
        len(part.location) == len(pattern)
        and all(
            key in {found, "*"} or (found == "*" and key.isdigit())
            for key, found in zip(pattern, part.location, strict=True)
        )
        for part in parts
    )


def _parameters(document: dict[str, Any], path: str, operation: dict[str, Any]) -> Iterator[_Part]:
    """Yield the parameters of an operation."""
    for parameter in contract.parameters(document, path, operation):
        schema = object_of(parameter.get("schema"))
        inner = [part.default for part in _below(document, schema, (), required=False, above=())]
        default = next((each for each in [_default(document, schema), *inner] if each is not None), None)
        required = bool(parameter.get("required"))
        yield _Part(contract.parameter_location(parameter), _parameter_schema(document, parameter), required, default)


def _default(document: dict[str, Any], schema: Any) -> Any:
    """Return the default of a schema: the one beside a reference, or else that of its target."""
    beside = object_of(schema).get("default")
    return object_of(contract.resolve(document, object_of(schema))).get("default") if beside is None else beside


def _parameter_schema(document: dict[str, Any], parameter: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter as one text: any text where a value in it could name a thing."""
    schema = object_of(contract.resolve(document, object_of(parameter.get("schema"))))
    inner = [part.schema for part in _below(document, schema, (), required=False, above=())]
    return {} if any(map(_could_name, inner)) else schema


def _locations(document: dict[str, Any], message: dict[str, Any], *, required: bool = False) -> Iterator[_Part]:
    """Yield the locations in a body, for all its media types."""
    for name, media in object_of(object_of(contract.resolve(document, message)).get("content")).items():
        media_type = str(name).partition(";")[0].strip().lower()
        schema = object_of(object_of(media).get("schema"))
        resolved = object_of(contract.resolve(document, schema))
        yield _Part(("body",), resolved, required, _default(document, schema), media_type)
        for part in _below(document, schema, ("body",), required=required, above=()):
            yield replace(part, media_type=media_type)


def _below(
    document: dict[str, Any], schema: Any, location: Location, *, required: bool, above: tuple[int, ...]
) -> Iterator[_Part]:
    """Yield the locations below one, by its schema; a schema that contains itself is followed once."""
    schema = object_of(contract.resolve(document, object_of(schema)))
    if id(schema) in above:
        return
    above = (*above, id(schema))
    for keyword in ("allOf", "anyOf", "oneOf"):
        for inner in list_of(schema.get(keyword)):
            resolved = object_of(contract.resolve(document, object_of(inner)))
            yield _Part(location, resolved, required, _default(document, inner))
            yield from _below(document, inner, location, required=required and keyword == "allOf", above=above)
    needed = {*list_of(schema.get("required")), *list_of(schema.get("x-one-of-required"))}
    inner_schemas = [(key, inner, required and key in needed) for key, inner in _properties(schema)]
    inner_schemas += [("*", inner, required) for inner in _items(schema)]
    for key, inner, is_needed in inner_schemas:
        resolved = object_of(contract.resolve(document, object_of(inner)))
        yield _Part((*location, key), resolved, is_needed, _default(document, inner))
        yield from _below(document, inner, (*location, key), required=is_needed, above=above)


def _properties(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from object_of(schema.get("properties")).items()
    yield from (("*", inner) for inner in object_of(schema.get("patternProperties")).values())
    others = schema.get("additionalProperties", False)
    if others is not False:
        yield "*", {} if others is True else others


def _items(schema: dict[str, Any]) -> Iterator[Any]:
    if isinstance(schema.get("items"), dict):
        yield schema["items"]
    yield from list_of(schema.get("prefixItems"))


def _always_has(
    document: dict[str, Any], schema: Any, location: Location, wanted: list[Location], above: tuple[int, ...]
) -> bool:
    """Return whether every value of a schema has something at one of the wanted locations."""
    resolved = object_of(contract.resolve(document, object_of(schema)))
    if id(resolved) in above:
        return False

    def has(inner: Any, *keys: str) -> bool:
        return _always_has(document, inner, (*location, *keys), wanted, (*above, id(resolved)))

    types = _types(resolved)
    if "null" in types or None in list_of(resolved.get("enum")):
        return False
    if any(map(has, list_of(resolved.get("allOf")))) or _each_choice_has(document, resolved, has):
        return True
    if "array" in types:
        return bool(resolved.get("minItems")) and has(resolved.get("items"), "*")
    if any(matches(each, location) for each in wanted):
        return bool({"type", "enum", "const"}.intersection(resolved))
    properties = object_of(resolved.get("properties"))
    needed, either = list_of(resolved.get("required")), list_of(resolved.get("x-one-of-required"))
    is_needed = any(key in properties and has(properties[key], key) for key in needed)
    # One of several fields is there where it is not null.
    there = {key: _without_null(document, properties[key]) for key in either if key in properties}
    return is_needed or (bool(either) and there.keys() == set(either) and all(has(there[key], key) for key in there))


def _without_null(document: dict[str, Any], schema: Any) -> dict[str, Any]:
    """Return a schema without null as a value."""
    resolved = object_of(contract.resolve(document, object_of(schema)))
    types = [kind for kind in _types(resolved) if kind != "null"]
    found = resolved | ({"type": types} if "type" in resolved else {})
    if "anyOf" in resolved:
        found["anyOf"] = [choice for choice in list_of(resolved["anyOf"]) if object_of(choice) != {"type": "null"}]
    return found


def _each_choice_has(document: dict[str, Any], schema: dict[str, Any], has: Callable[[Any], bool]) -> bool:
    """Return whether a schema has choices, and `has` is true of each of them together with the rest of the schema."""
    rest = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf"}}
    choices = [list_of(schema.get(keyword)) for keyword in ("anyOf", "oneOf")]
    return any(
        bool(each) and all(has({"allOf": [choice, _with_required(document, rest, choice)]}) for choice in each)
        for each in choices
    )


def _with_required(document: dict[str, Any], schema: dict[str, Any], choice: Any) -> dict[str, Any]:
    """Return a schema that also requires what one of its choices requires."""
    chosen = object_of(contract.resolve(document, object_of(choice)))
    return schema | {"required": [*list_of(schema.get("required")), *list_of(chosen.get("required"))]}


def _is_map(schema: dict[str, Any]) -> bool:
    """Return whether a schema is of objects whose keys are not listed."""
    if any(keyword in schema for keyword in ("patternProperties", "propertyNames")):
        return True
    if schema.get("additionalProperties", False) is not False:
        return True
    is_composed = any(keyword in schema for keyword in ("properties", "allOf", "anyOf", "oneOf"))
    return "object" in _types(schema) and not is_composed


def _is_binary(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "string" and schema.get("format") == "binary"


def _is_plain(schema: dict[str, Any]) -> bool:
    """Return whether a schema is of values without fields or items."""
    return not {"object", "array"}.intersection(_types(schema)) and "type" in schema


def _could_name(schema: dict[str, Any]) -> bool:
    """Return whether a value of a schema can itself be a text or a number."""
    if any(keyword in schema for keyword in ("allOf", "anyOf", "oneOf", "properties", "items", "additionalProperties")):
        return not set(_types(schema)) <= {"object", "array", *_SCALAR_TYPES} if "type" in schema else False
    if "type" not in schema:
        return True
    return not set(_types(schema)) <= {"object", "array", *_SCALAR_TYPES}


def _types(schema: dict[str, Any]) -> list[Any]:
    found = schema.get("type", [])
    return list_of(found) if isinstance(found, list) else [found]
