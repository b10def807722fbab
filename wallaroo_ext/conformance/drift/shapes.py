"""Reads schemas into shapes, one for each type of JSON value that a schema allows, so that schemas can be compared.

Two schemas that mean the same have the same shapes: references are followed, the parts of an `allOf` are merged,
`anyOf`, `oneOf`, lists of types and `nullable` become several shapes, and a format that means limits becomes limits.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.drift.changes import DriftError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Side = Literal["request", "answer"]

TYPES = ("null", "boolean", "number", "string", "array", "object")
LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
UPPER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}

_NUMBER = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_STRING = ("minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType")
_ARRAY = ("minItems", "maxItems", "uniqueItems", "prefixItems", "contains")
_OBJECT = ("minProperties", "maxProperties", "patternProperties", "propertyNames", "dependentRequired")
_ANY = ("not", "if", "then", "else")
_LIMITS = {"number": _NUMBER, "string": _STRING, "array": _ARRAY, "object": _OBJECT}
_TYPE_BY_KEYWORD = {
    **dict.fromkeys((*_OBJECT, "properties", "required", "additionalProperties"), "object"),
    **dict.fromkeys((*_ARRAY, "items"), "array"),
    **dict.fromkeys(_STRING, "string"),
    **dict.fromkeys(_NUMBER, "number"),
}
_WHOLE_NUMBERS = {
    "int8": (-(2**7), 2**7 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint8": (0, 2**8 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint": (0, None),
    "uint64": (0, None),
}
_DISPLAY_FORMATS = {"password"}  # formats that say how to show a field, and not what is sent
_MOST_SHAPES = 200


@dataclass(frozen=True, slots=True)
class Shape:
    """The meaning of a schema for values of one type.

    Attributes:
        type: JSON's name of the type.
        whole: Whether numbers have to be integers.
        values: The values that are allowed; None for all.
        listed: The values of `x-extensible-enum`, to which others may be added; None where there is none.
        limits: The other limits of values, by keyword.
        fields: The schemas of an object's named fields.
        required: The fields that an object has to have.
        always: The fields of `x-always`.
        one_of: The fields of which an object needs one.
        others: The schema of further fields; True for any, False for none.
        items: The schema of an array's items.
        free: Whether the schema says that an object's further fields are meant to be any.
    """

    type: str
    whole: bool = False
    values: tuple[Any, ...] | None = None
    listed: tuple[Any, ...] | None = None
    limits: dict[str, Any] = field(default_factory=dict[str, Any])
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    required: frozenset[str] = frozenset()
    always: frozenset[str] = frozenset()
    one_of: frozenset[str] = frozenset()
    others: Any = True
    items: Any = True
    free: bool = field(default=False, compare=False)

    @property
    def schema_of_others(self) -> dict[str, Any] | None:
        """The schema of further fields; None where any or none are allowed."""
        return object_of(self.others) or None

    @property
    def name(self) -> str:
        """The type, as a schema names it."""
        return "integer" if self.whole else self.type


ANYTHING = tuple(Shape(kind) for kind in TYPES)


class Shapes:
    """The shapes of a document's schemas.

    Args:
        document: An OpenAPI document of version 3.
        side: Whether the schemas are of requests or of answers: `readOnly` fields are in no request, and `writeOnly`
            fields in no answer.
    """

    def __init__(self, document: dict[str, Any], side: Side) -> None:
        self._document = document
        self._absent = "readOnly" if side == "request" else "writeOnly"
        self._known: dict[int, tuple[Any, tuple[Shape, ...]]] = {}
        self._joins: dict[tuple[int, int], dict[str, Any]] = {}
        self._open: set[int] = set()

    def of(self, schema: Any) -> tuple[Shape, ...]:
        """Return the shapes of a schema; none where no value fits it.

        Raises:
            DriftError: It is no schema, has a reference without a target, or contains itself.
        """
        if schema is False:
            return ()
        if schema is True or schema == {}:
            return ANYTHING
        if not isinstance(schema, dict):
            raise DriftError(f"{str(schema)[:80]!r} stands where a schema is expected.")
        fields = object_of(schema)
        if id(fields) not in self._known:
            self._known[id(fields)] = (fields, self._once(fields))
        return self._known[id(fields)][1]

    def follow(self, schema: Any) -> Any:
        """Return the target of a schema that is only a reference, and any other schema as it is."""
        return resolved(self._document, object_of(schema)) if object_of(schema).keys() == {"$ref"} else schema

    def _once(self, schema: dict[str, Any]) -> tuple[Shape, ...]:
        if id(schema) in self._open:
            raise DriftError("A schema consists of itself: no value can be compared with it.")
        self._open.add(id(schema))
        try:
            return self._read(schema)
        finally:
            self._open.remove(id(schema))

    def _read(self, schema: dict[str, Any]) -> tuple[Shape, ...]:
        shapes = tuple(self._own(schema))
        if "$ref" in schema:
            shapes = self._both(shapes, self.of(resolved(self._document, {"$ref": schema["$ref"]})))
        for part in list_of(schema.get("allOf")):
            shapes = self._both(shapes, self.of(part))
        for keyword in ("anyOf", "oneOf"):
            if parts := list_of(schema.get(keyword)):
                shapes = self._both(shapes, [shape for part in parts for shape in self.of(part)])
        if schema.get("nullable") is True and not any(shape.type == "null" for shape in shapes):
            shapes = (*shapes, Shape("null"))
        return _merge_similar(shapes)

    def _own(self, schema: dict[str, Any]) -> Iterator[Shape]:
        """Yield the shapes of a schema's own keywords, without its references and parts."""
        allowed = list_of(schema["enum"]) if "enum" in schema else [schema["const"]] if "const" in schema else None
        for kind in TYPES:
            names = _types(schema, allowed)
            whole = kind == "number" and "integer" in names and "number" not in names
            if kind not in names and not whole:
                continue
            values = None if allowed is None else tuple(value for value in allowed if _fits(value, kind, whole=whole))
            if values != ():
                yield self._of_type(schema, kind, whole=whole, values=_closed(kind, values))

    def _of_type(self, schema: dict[str, Any], kind: str, *, whole: bool, values: tuple[Any, ...] | None) -> Shape:
        listed = tuple(list_of(schema["x-extensible-enum"])) if "x-extensible-enum" in schema else None
        shape = Shape(
            kind, whole, values, listed if kind not in {"null", "object", "array"} else None, _limits(schema, kind)
        )
        if kind == "array":
            return replace(shape, items=_simplified(schema.get("items", True)))
        return self._object(shape, schema) if kind == "object" else shape

    def _object(self, shape: Shape, schema: dict[str, Any]) -> Shape:
        required = frozenset(map(str, list_of(schema.get("required"))))
        every = object_of(schema.get("properties")) | {
            name: True for name in required if name not in object_of(schema.get("properties"))
        }
        fields = {name: inner for name, inner in every.items() if not self._is_absent(inner)}
        return replace(
            shape,
            fields=fields,
            required=required & set(fields),
            always=frozenset(list_of(schema.get("x-always"))),
            one_of=frozenset(list_of(schema.get("x-one-of-required"))),
            others=_simplified(schema.get("additionalProperties", True)),
            free=_simplified(schema.get("additionalProperties")) is True,
        )

    def _is_absent(self, schema: Any) -> bool:
        return resolved(self._document, object_of(schema)).get(self._absent) is True

    def _both(self, left: Iterable[Shape], right: Iterable[Shape]) -> tuple[Shape, ...]:
        """Return the shapes of two schemas that both apply."""
        pairs = ((one, other) for one in left for other in right if one.type == other.type)
        found: list[Shape] = []
        for one, other in pairs:
            joined = self._joined(one, other)
            if joined.values != ():
                found.append(joined)
            if len(found) > _MOST_SHAPES:
                raise DriftError(f"A schema has more than {_MOST_SHAPES} alternatives: it cannot be compared.")
        return tuple(found)

    def _joined(self, one: Shape, other: Shape) -> Shape:
        return Shape(
            one.type,
            one.whole or other.whole,
            _common(one.values, other.values),
            one.listed if other.listed is None else other.listed,
            _narrower(one.limits, other.limits),
            one.fields
            | {name: self._schema(one.fields.get(name, True), inner) for name, inner in other.fields.items()},
            one.required | other.required,
            one.always | other.always,
            one.one_of | other.one_of,
            self._schema(one.others, other.others),
            self._schema(one.items, other.items),
            one.free or other.free,
        )

    def _schema(self, one: Any, other: Any) -> Any:
        """Return a schema of the values that fit both schemas."""
        if one is True or one == other:
            return other
        if other is True:
            return one
        if one is False or other is False:
            return False
        return self._joins.setdefault((id(one), id(other)), {"allOf": [one, other]})


def resolved(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """Return the target of a reference, or of a chain of them; a value that is no reference is returned as it is.

    Raises:
        DriftError: The target is not in the document, or the references are circular.
    """
    seen: set[str] = set()
    while isinstance(reference := value.get("$ref"), str):
        if reference in seen or not reference.startswith("#"):
            reason = "itself" if reference in seen else f"{reference[:200]!r}, which is not in the document"
            raise DriftError(f"A reference leads to {reason}.")
        seen.add(reference)
        target = _at(document, reference)
        if not isinstance(target, dict):
            raise DriftError(f"A reference leads to {reference[:200]!r}, which is no object.")
        value = object_of(target)
    return value


def _at(document: dict[str, Any], reference: str) -> Any:
    value: Any = document
    for key in reference.removeprefix("#").split("/")[1:]:
        name = unquote(key).replace("~1", "/").replace("~0", "~")
        items = list_of(value)
        if name in object_of(value):
            value = object_of(value)[name]
        elif name.isdigit() and int(name) < len(items):
            value = items[int(name)]
        else:
            raise DriftError(f"A reference leads to {reference[:200]!r}, which is not in the document.")
    return value


def type_of(value: Any) -> str:
    """Return JSON's name of a value's type; an integer is a `number`."""
    kinds = ((bool, "boolean"), (int | float, "number"), (str, "string"), (list, "array"), (dict, "object"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


def is_anything(shapes: tuple[Shape, ...]) -> bool:
    """Return whether shapes allow every value."""
    return len(shapes) == len(ANYTHING) and all(shape in ANYTHING for shape in shapes)


def text_of(shapes: Iterable[Shape]) -> str:
    """Return the types of shapes, for a person."""
    found = tuple(shapes)
    if is_anything(found):
        return "any value"
    names = list(dict.fromkeys(shape.name for shape in found))
    return " or ".join(sorted(names, key=lambda name: name == "null")) or "no value"


def _types(schema: dict[str, Any], allowed: list[Any] | None) -> set[str]:
    """Return the types that a schema names, or else those that its keywords apply to."""
    named = schema.get("type")
    if named is not None:
        return set(map(str, list_of(named) or [named]))
    if allowed is not None:
        return {type_of(value) for value in allowed}
    about = {_TYPE_BY_KEYWORD[keyword] for keyword in schema if keyword in _TYPE_BY_KEYWORD}
    return about or set(TYPES)


def _fits(value: Any, kind: str, *, whole: bool) -> bool:
    return type_of(value) == kind and (not whole or isinstance(value, int) or value.is_integer())


def _closed(kind: str, values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    """Return the allowed values; None where they are all values of the type."""
    return None if kind == "null" or (kind == "boolean" and values is not None and len(set(values)) > 1) else values


def _simplified(schema: Any) -> Any:
    return True if schema == {} else schema


def _limits(schema: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the limits of values of a type, in a normalized form."""
    limits = {name: schema[name] for name in (*_LIMITS.get(kind, ()), *_ANY) if _is_limit(schema, name)}
    if kind == "number":
        _normalize_exclusive_limits(schema, limits)
        if "integer" in _types(schema, None):
            _normalize_integer_limits(schema, limits)
    if kind == "string":
        _normalize_formats(limits)
    return limits


def _is_limit(schema: dict[str, Any], name: str) -> bool:
    value = schema.get(name)
    return (
        value is not None
        and value is not False
        and not (name in {"minLength", "minItems", "minProperties"} and not value)
    )


def _normalize_exclusive_limits(schema: dict[str, Any], limits: dict[str, Any]) -> None:
    """Write exclusive limits as numbers, as OpenAPI 3.1 does; 3.0 has a boolean beside the limit."""
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.get(exclusive) is True:
            limits.pop(exclusive)
            if inclusive in limits:
                limits[exclusive] = limits.pop(inclusive)


def _normalize_integer_limits(schema: dict[str, Any], limits: dict[str, Any]) -> None:
    """Write exclusive limits and formats of integers as inclusive limits."""
    for exclusive, inclusive, step in (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)):
        if exclusive in limits:
            limits[inclusive] = limits.pop(exclusive) + step
    least, most = _WHOLE_NUMBERS.get(str(schema.get("format")), (None, None))
    if least is not None:
        limits["minimum"] = max(least, limits.get("minimum", least))
    if most is not None:
        limits["maximum"] = min(most, limits.get("maximum", most))


def _normalize_formats(limits: dict[str, Any]) -> None:
    if limits.get("format") in _DISPLAY_FORMATS:
        limits.pop("format")
    if limits.get("format") == "byte":
        limits.pop("format")
        limits["contentEncoding"] = "base64"
    if limits.get("contentMediaType") == "application/octet-stream" and "contentEncoding" not in limits:
        limits.pop("contentMediaType")
        limits["format"] = "binary"


def _common(one: tuple[Any, ...] | None, other: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    if one is None or other is None:
        return other if one is None else one
    return tuple(value for value in one if value in other)


def _narrower(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the limits of values that keep both."""
    limits = one | other
    for name in set(one) & set(other):
        if name in LOWER | UPPER:
            limits[name] = (max if name in LOWER else min)(one[name], other[name])
        elif one[name] != other[name]:
            limits[name] = [one[name], other[name]]
    return limits


def _merge_similar(shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """Return each shape once; shapes that differ only in their allowed values, or in one required field, are merged."""
    found: list[Shape] = []
    for shape in shapes:
        similar = next((number for number, other in enumerate(found) if _can_merge(shape, other)), None)
        if similar is None:
            found.append(shape)
        else:
            found[similar] = _merge(found[similar], shape)
    return tuple(found)


def _can_merge(one: Shape, other: Shape) -> bool:
    if one == other:
        return True
    if one.values is not None and other.values is not None:
        return replace(one, values=other.values) == other
    most = max(len(one.required - other.required), len(other.required - one.required))
    return _without_required(one) == _without_required(other) and most <= 1


def _without_required(shape: Shape) -> Shape:
    return replace(shape, required=frozenset(), one_of=frozenset())


def _merge(one: Shape, other: Shape) -> Shape:
    """Return one shape for two; if each requires a field of its own, the result needs one of these fields."""
    if one.values is not None and other.values is not None:
        return replace(one, values=(*one.values, *(value for value in other.values if value not in one.values)))
    common = one.required & other.required
    choices = [(shape.required - common) | shape.one_of for shape in (one, other)]
    return replace(one, required=common, one_of=choices[0] | choices[1] if all(choices) else frozenset())
