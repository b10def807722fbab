"""Strategies of hypothesis for answers that the contract allows, and for answers that break it in one place.

Schemathesis has strategies for schemas, too. These add what it lacks: unknown fields in every object, values that
`x-extensible-enum` does not list, and a single wrong place in an answer that is right otherwise.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.drift.shapes import type_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import DrawFn, SearchStrategy

    from wallaroo_ext.conformance.drift.shapes import Shape, Shapes

NAMES = st.sampled_from(["new_field", "additional_properties", "to_dict", "self", "type", "class", "ä", "a.b", ""])
"""Names of unknown fields, some of which a generated class uses for something else."""
TEXTS = st.sampled_from(["", "a", "none", "\u2028", "\U0001f600", "2023-01-01T05:00:00Z"]) | st.text(max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
PLAIN = st.none() | st.booleans() | NUMBERS | TEXTS
ANY_JSON = PLAIN | st.lists(PLAIN, max_size=2) | st.dictionaries(TEXTS, PLAIN, max_size=2)

JsonPath = tuple[str | int, ...]


class Answers:
    """Strategies of the values that schemas allow.

    Args:
        shapes: The schemas' shapes, as answers.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self._known: dict[int, SearchStrategy[Any]] = {}

    def of(self, schema: Any) -> SearchStrategy[Any]:
        """Return a strategy of the values of a schema."""
        if schema is True:
            return ANY_JSON
        if id(schema) not in self._known:
            self._known[id(schema)] = st.one_of(*(self._of_shape(shape) for shape in self.shapes.of(schema)))
        return self._known[id(schema)]

    def _of_shape(self, shape: Shape) -> SearchStrategy[Any]:
        if shape.values is not None:
            return st.sampled_from(shape.values)
        return {
            "null": st.none,
            "boolean": st.booleans,
            "number": lambda: st.integers(-(2**70), 2**70) if shape.whole else NUMBERS,
            "string": lambda: _texts(shape),
            "array": lambda: st.lists(self.of(shape.items), max_size=3),
            "object": lambda: self._objects(shape),
        }[shape.type]()

    def _objects(self, shape: Shape) -> SearchStrategy[dict[str, Any]]:
        fields = {name: self.of(schema) for name, schema in shape.fields.items()}
        required = {name: values for name, values in fields.items() if name in shape.required}
        optional = {name: values for name, values in fields.items() if name not in shape.required}
        known = st.fixed_dictionaries(required, optional=optional)
        others = st.dictionaries(NAMES.filter(lambda name: name not in fields), self.of(shape.others), max_size=2)
        return st.tuples(known, others).map(_merge)


def _merge(parts: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    return parts[0] | parts[1]


def _texts(shape: Shape) -> SearchStrategy[str]:
    if "pattern" in shape.limits:
        return st.from_regex(shape.limits["pattern"], fullmatch=True, alphabet=st.characters(max_codepoint=126))
    return st.sampled_from(shape.listed) | st.just("a-value-of-a-later-release") if shape.listed else TEXTS


@st.composite
def broken(draw: DrawFn, shapes: Shapes, schema: Any, values: SearchStrategy[Any]) -> Any:
    """Return a value that breaks its schema in one place: a required field is missing, or a value has a wrong type."""
    value = copy.deepcopy(draw(values))
    paths = list(described_paths(shapes, schema, value))
    path, allowed, may_be_missing = draw(st.sampled_from(paths))
    if may_be_missing and draw(st.booleans()):
        del _parent(value, path)[path[-1]]
        return value
    wrong = draw(ANY_JSON.filter(lambda other: type_of(other) not in allowed))
    if not path:
        return wrong
    _parent(value, path)[path[-1]] = wrong
    return value


def described_paths(
    shapes: Shapes, schema: Any, value: Any, path: JsonPath = ()
) -> Iterator[tuple[JsonPath, set[str], bool]]:
    """Yield the paths of a value and of its described parts, each with its types and whether it is required."""
    found = shapes.of(schema)
    yield path, {shape.type for shape in found}, False
    yield from _inner_paths(shapes, found, value, path)


def _inner_paths(
    shapes: Shapes, found: tuple[Shape, ...], value: Any, path: JsonPath
) -> Iterator[tuple[JsonPath, set[str], bool]]:
    shape = next(
        (shape for shape in found if shape.type == type_of(value) and shape.required <= set(object_of(value))), None
    )
    if shape is None:
        return
    for name, inner in object_of(value).items():
        if name in shape.fields:
            types = shapes.of(shape.fields[name])
            yield (*path, name), {each.type for each in types}, name in shape.required
            yield from _inner_paths(shapes, types, inner, (*path, name))
    for number, item in enumerate(list_of(value)):
        yield from described_paths(shapes, shape.items, item, (*path, number))


def _parent(value: Any, path: JsonPath) -> Any:
    for key in path[:-1]:
        value = value[key]
    return value
