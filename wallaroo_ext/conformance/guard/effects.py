"""What the contract says of the effects of its operations: what each may change, and which fields name what.

`x-writes` lists the kinds of things that an operation may change; an empty list says that it only reads. `x-names` maps
runtime expressions, as OpenAPI's links have them, to what they name. The contract's own `info` describes both. An
operation without them, or whose request has a field that could name something and of which they say nothing, is not
described, and a run does not send it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Place = tuple[str, ...]
"""Where a value stands in a message: `body`, `path`, `query`, `header` or `cookie`, and the keys from there on."""

KEYS: dict[str, tuple[str, ...]] = {
    "workspace": ("id", "name"),
    "member": (),
    "user": ("id", "email", "name"),
    "model": ("id", "name"),
    "model version": ("id", "uuid", "sha"),
    "model configuration": ("id",),
    "pipeline": ("id", "name"),
    "pipeline version": ("id", "uuid"),
    "deployment": ("id", "name"),
    "assay": ("id", "name"),
    "inference log": (),
}
"""The kinds of things that an instance has, and by which keys a field can name one."""

NOTHING = "nothing"
ABOUT_PEOPLE = frozenset({"user", "member"})
"""The kinds of things whose change concerns people."""

_MISSING_WRITES = "The contract does not say what it writes (x-writes is missing)."
_MISSING_NAMES = "The contract does not say which of its fields name something (x-names is missing)."
_ORIGINS = ("existing", "new", "unused")
_EXPRESSION = re.compile(
    r"\$(request|response)\.(?:body(?:#(?P<pointer>(?:/[^}]*)?))?|(path|query|header|cookie)\.(.+))"
)
_IN_TEMPLATE = re.compile(r"\{(\$[^}]*)\}")
_CHANGING_METHODS = {"put", "patch", "delete"}
_HARMLESS_TYPES = {"boolean", "null"}
_FORM = "application/x-www-form-urlencoded"


class UndescribedError(ValueError):
    """The contract does not say in full what an operation changes and names; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class RequestName:
    """A field of a request, and what it names.

    Attributes:
        place: Where it stands; `*` stands for any one key, a last `**` for the place itself and all below it.
        thing: What it names, a kind and a key such as `workspace id`; `nothing` where it names nothing.
        origin: `existing` for a thing that is there, `new` for a name that the request gives, `unused` for a name that
            the request gives and nothing may have yet.
    """

    place: Place
    thing: str
    origin: str = "existing"

    def covers(self, place: Place) -> bool:
        """Return whether a value at a place belongs to this field.

        What is below a field that names a thing belongs to it too, so that a value of a wrong type is covered.
        """
        if self.thing == NOTHING:
            return is_at(self.place, place)
        return any(is_at(self.place, place[:length]) for length in range(len(self.place), len(place) + 1))


@dataclass(frozen=True, slots=True)
class AnswerName:
    """What an answer gives of a thing that the request made.

    Attributes:
        thing: A kind and a key such as `pipeline id`.
        template: Text with expressions in braces, or one expression.
    """

    thing: str
    template: str

    @property
    def kind(self) -> str:
        """The kind of the thing."""
        return split_thing(self.thing)[0]


@dataclass(frozen=True, slots=True)
class Effects:
    """What the contract says of the effects of one operation.

    Attributes:
        operation: The contract's `operationId`.
        writes: The kinds of things that it may change; empty where it only reads.
        request: The fields of its request that name something, or are said to name nothing.
        answer: What its answer gives of what it made.
        nameless: The places of booleans and files, which can name nothing.
        files: The places of files, whose content is not looked at.
        file_types: Of the media types of its body, whether each is of files; in lower case.
        keys: The places of fields that the contract lists by name.
        maps: The places of objects whose keys the contract does not list, and which could name something.
        required: The places of what every request has that the contract allows, or of one of several such.
        requires_name: Whether the contract allows no request that names nothing.
        decisive: Of what decides what it touches, what every request that the contract allows has: groups of fields, of
            each of which one names something.
        problem: Why the contract does not describe it; empty where it does.
    """

    operation: str
    writes: tuple[str, ...] = ()
    request: tuple[RequestName, ...] = ()
    answer: tuple[AnswerName, ...] = ()
    nameless: frozenset[Place] = frozenset()
    files: frozenset[Place] = frozenset()
    file_types: Mapping[str, bool] = field(default_factory=dict[str, bool])
    keys: frozenset[Place] = frozenset()
    maps: frozenset[Place] = frozenset()
    required: frozenset[Place] = frozenset()
    requires_name: bool = False
    decisive: tuple[tuple[RequestName, ...], ...] = ()
    problem: str = ""

    @property
    def names(self) -> list[RequestName]:
        """The fields that name a thing."""
        return [name for name in self.request if name.thing != NOTHING]

    def requires(self, pattern: Place) -> bool:
        """Return whether every request that the contract allows has a field, or one of several of which this is one."""
        return any(is_at(pattern, place) for place in self.required)

    def covering(self, place: Place) -> list[RequestName]:
        """Return the fields that a place of a request belongs to; a field that names something outweighs the rest."""
        found = [name for name in self.request if name.covers(place)]
        return [name for name in found if name.thing != NOTHING] or found

    def is_file(self, place: Place) -> bool:
        """Return whether a file stands at a place."""
        return any(is_at(pattern, place) for pattern in self.files)

    def is_file_of(self, media_type: str) -> bool:
        """Return whether a body of a media type is a file.

        What the contract does not list may be read as any that it lists, and is one only where no body names a thing.
        """
        if media_type in self.file_types:
            return self.file_types[media_type]
        return any(self.file_types.values()) and not any(name.place[0] == "body" for name in self.names)

    def free_keys(self, place: Place) -> list[str]:
        """Return the keys on the way to a place that the contract does not list, so that they could name something."""
        found: list[str] = []
        for length in range(1, len(place)):
            is_free = any(is_at(each, place[:length]) for each in self.maps)
            is_listed = any(each[-1] == place[length] and is_at(each, place[: length + 1]) for each in self.keys)
            if is_free and not is_listed and not self._has_nothing_below(place[:length]):
                found.append(place[length])
        return found

    def _has_nothing_below(self, place: Place) -> bool:
        return any(
            name.thing == NOTHING and name.place[-1] == "**" and is_at(name.place, place) for name in self.request
        )

    def is_nameless(self, place: Place) -> bool:
        """Return whether the contract has nothing at a place that could name something: a boolean or a file."""
        return any(is_at(pattern, place) for pattern in self.nameless)


def is_at(pattern: Place, place: Place) -> bool:
    """Return whether a place is one that a pattern stands for."""
    if pattern and pattern[-1] == "**":
        place = place[: len(pattern) - 1]
        pattern = pattern[:-1]
    return len(pattern) == len(place) and all(key in {"*", found} for key, found in zip(pattern, place, strict=True))


def split_thing(thing: str) -> tuple[str, str]:
    """Return the kind and the key of a thing such as `model version id`."""
    kind, _, key = thing.rpartition(" ")
    return kind, key


def effects_of(document: dict[str, Any]) -> dict[str, Effects]:
    """Return what a contract says of the effects of each operation, by its id."""
    found: dict[str, Effects] = {}
    for path, method, operation in contract.operations(document):
        name = operation["operationId"]
        another = Effects(name, problem=f"Another operation of the contract is called {name}, too.")
        found[name] = another if name in found else _effects(document, path, method, object_of(operation))
    return found


def _effects(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> Effects:
    name = str(operation["operationId"])
    try:
        found = _described(document, path, operation)
    except UndescribedError as error:
        return Effects(name, problem=str(error))
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        return Effects(name, problem=f"Its request cannot be read from the contract ({type(error).__name__}: {error}).")
    if method in _CHANGING_METHODS and not found.writes:
        return Effects(
            name, problem=f"x-writes says that it only reads, and {method.upper()} changes something, by HTTP."
        )
    return found


def _described(document: dict[str, Any], path: str, operation: dict[str, Any]) -> Effects:
    writes = _writes(operation)
    _see_path(path)
    request, answer = _names(operation)
    schema = RequestSchema(document, path, operation)
    for found in request:
        if not schema.has(found.place):
            raise UndescribedError(f"x-names has {written(found.place)}, and its request has no such field.")
    for found in answer:
        _see_answer(document, operation, schema, found)
    if writes:
        _see_all_named(request, schema)
        _see_no_defaults(request, schema)
    named = [name for name in request if name.thing != NOTHING]
    return Effects(
        operation=str(operation["operationId"]),
        writes=writes,
        request=request,
        answer=answer,
        nameless=schema.nameless,
        files=frozenset(place for place in schema.files if not _is_named(place, named)),
        file_types={kind: is_file and not _is_named(("body",), named) for kind, is_file in schema.file_types.items()},
        keys=schema.keys,
        maps=schema.maps,
        required=schema.required,
        requires_name=schema.always_has([name.place for name in named]),
        decisive=tuple(_decisive(writes, named, {given.kind for given in answer}, schema)),
    )


def _see_path(path: str) -> None:
    """See that a path says which requests are the operation's, and where in them each parameter stands.

    Raises:
        UndescribedError: It does not.
    """
    if "?" in path or "#" in path:
        raise UndescribedError("Its path has a query or a fragment, by which requests are not told apart.")
    if any(step.count("{") > 1 for step in path.split("/")):
        raise UndescribedError("A step of its path has two parameters, which can be told apart in more than one way.")


def _is_named(place: Place, named: Iterable[RequestName]) -> bool:
    """Whether the contract says that what stands at a place names a thing; a file that does is read as a text."""
    return any(is_at(name.place, place) for name in named)


def _decisive(
    writes: Iterable[str], named: Iterable[RequestName], given: set[str], schema: RequestSchema
) -> Iterator[tuple[RequestName, ...]]:
    """Yield the fields that decide what an operation touches, and which every request has that the contract allows.

    A request without one of them could be taken for one that is about everything. They are those that name a thing of a
    kind that the operation may change; where it changes a kind of which nothing is named or made new, all that are.
    """
    existing = [name for name in named if name.origin == "existing"]
    made = given | {split_thing(name.thing)[0] for name in named if name.origin != "existing"}
    kinds = {split_thing(name.thing)[0] for name in existing}
    changed = set(writes) - made
    decides = existing if changed - kinds else [name for name in existing if split_thing(name.thing)[0] in set(writes)]
    yield from ((name,) for name in decides if schema.always_has([name.place]))
    if changed and schema.always_has([name.place for name in existing]):
        yield tuple(existing)


def _writes(operation: dict[str, Any]) -> tuple[str, ...]:
    if "x-writes" not in operation:
        raise UndescribedError(_MISSING_WRITES)
    found = operation["x-writes"]
    if not isinstance(found, list):
        raise UndescribedError(f"x-writes is {found!r}, and has to be a list of kinds of things.")
    for kind in list_of(found):
        if not isinstance(kind, str) or kind not in KEYS:
            raise UndescribedError(f"x-writes has {kind!r}, and the kinds of things are {', '.join(KEYS)}.")
    return tuple(map(str, list_of(found)))


def _names(operation: dict[str, Any]) -> tuple[tuple[RequestName, ...], tuple[AnswerName, ...]]:
    if "x-names" not in operation:
        raise UndescribedError(_MISSING_NAMES)
    if not isinstance(operation["x-names"], dict):
        raise UndescribedError(f"x-names is {operation['x-names']!r}, and has to map expressions to what they name.")
    request: list[RequestName] = []
    answer: list[AnswerName] = []
    for expression, text in object_of(operation["x-names"]).items():
        origin, thing = _meaning(str(expression), text)
        if str(expression).startswith("$request."):
            request.append(RequestName(place_of(str(expression)), thing, origin))
        elif "$response." in str(expression) and thing != NOTHING and origin == "existing":
            answer.append(AnswerName(thing, str(expression)))
        else:
            raise UndescribedError(f"x-names has {expression!r}, which is no field of a request or an answer.")
    return tuple(request), tuple(answer)


def _meaning(expression: str, text: Any) -> tuple[str, str]:
    """Return the origin and the thing of a text such as `new pipeline name`."""
    if text == NOTHING:
        return "existing", NOTHING
    first, _, rest = str(text).partition(" ")
    origin, thing = (first, rest) if first in _ORIGINS[1:] else ("existing", str(text))
    kind, key = split_thing(thing)
    if not isinstance(text, str) or key not in KEYS.get(kind, ()):
        known = ", ".join(f"{kind} {key}" for kind, keys in KEYS.items() for key in keys)
        raise UndescribedError(f"x-names says that {expression} names {text!r}; what can be named is {known}.")
    return origin, thing


def place_of(expression: str) -> Place:
    """Return the place that a runtime expression stands for.

    Raises:
        UndescribedError: It is no expression.
    """
    found = _EXPRESSION.fullmatch(expression)
    if found is None:
        raise UndescribedError(f"x-names has {expression!r}, which is no runtime expression.")
    where, name = found[3], found[4]
    if where is not None:
        return (where, name.lower() if where == "header" else name)
    pointer = found["pointer"] or ""
    return ("body", *(key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]))


def written(place: Place) -> str:
    """Return a place of a request as an expression."""
    if place[0] != "body":
        return f"$request.{place[0]}.{'/'.join(place[1:])}"
    pointer = "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in place[1:])
    return "$request.body" + (f"#{pointer}" if pointer else "")


def _see_answer(document: dict[str, Any], operation: dict[str, Any], request: RequestSchema, found: AnswerName) -> None:
    """See that what an answer is said to give is in the contract.

    Raises:
        UndescribedError: It is not.
    """
    for expression in _IN_TEMPLATE.findall(found.template) or [found.template]:
        place = place_of(expression)
        if expression.startswith("$request."):
            known = request.has(place)
        else:
            answers = object_of(operation.get("responses"))
            bodies = [answers[status] for status in answers if str(status).startswith("2")]
            known = any(_is_described(place, _places(document, body)) for body in bodies)
        if not known:
            raise UndescribedError(f"x-names has {expression}, and there is no such field.")


def _see_all_named(request: Iterable[RequestName], schema: RequestSchema) -> None:
    """See that nothing in a writing request could name a thing of which the contract says nothing.

    Raises:
        UndescribedError: There is such a field.
    """
    known = tuple(request)
    for place in schema.texts_and_numbers:
        if not any(name.covers(place) for name in known):
            raise UndescribedError(f"It writes, and x-names does not say what {written(place)} names.")


def _see_no_defaults(request: Iterable[RequestName], schema: RequestSchema) -> None:
    """See that a writing request names no thing by leaving out a field.

    Raises:
        UndescribedError: A field that names a thing has a default.
    """
    places = [name.place for name in request if name.thing != NOTHING]
    for place, default in schema.defaults:
        # The default of an object or a list can have what stands below it.
        if any(is_at(each[: len(place)], place[: len(each)]) or is_at(each, place) for each in places):
            raise UndescribedError(f"It writes, and without {written(place)} it names {default!r}, its default.")


@dataclass(frozen=True, slots=True)
class _Part:
    """A place in a message: its schema, whether it is always there, its default, and the media type of the body."""

    place: Place
    schema: dict[str, Any]
    required: bool
    default: Any = None
    media_type: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it is a file: a body that is no form or JSON, or one of several parts of a body."""
        is_whole = self.place == ("body",) and self.media_type != _FORM and "json" not in self.media_type
        return _is_binary(self.schema) and (is_whole or self.media_type.startswith("multipart/"))

    @property
    def could_name(self) -> bool:
        """Whether it can be a text or a number."""
        return not self.is_file and _could_name(self.schema)


class RequestSchema:
    """The fields that a request can have, by the contract.

    Args:
        document: The contract.
        path: The operation's path.
        operation: What stands there.
    """

    def __init__(self, document: dict[str, Any], path: str, operation: dict[str, Any]) -> None:
        self._parts = [*_parameters(document, path, operation)]
        body = object_of(contract.resolve(document, object_of(operation.get("requestBody"))))
        self._parts += _places(document, body, required=bool(body.get("required")))
        self._document = document
        self._bodies = [object_of(media).get("schema") for media in object_of(body.get("content")).values()]
        self._has_body = bool(body.get("required"))

    def has(self, place: Place) -> bool:
        """Return whether a request can have a field at a place."""
        return _is_described(place, self._parts)

    @property
    def required(self) -> frozenset[Place]:
        """The places that every request has, or one of several of which each is among these."""
        return frozenset(part.place for part in self._parts if part.required)

    def always_has(self, places: list[Place]) -> bool:
        """Return whether every request that the contract allows has a value at one of some places."""
        parameters = (part for part in self._parts if part.place[0] != "body")
        if any(part.required and any(is_at(each, part.place) for each in places) for part in parameters):
            return True
        always = [_always_has(self._document, schema, ("body",), places, ()) for schema in self._bodies]
        return self._has_body and bool(always) and all(always)

    @property
    def defaults(self) -> list[tuple[Place, Any]]:
        """What the contract has for fields that a request lacks, by their places."""
        return [(part.place, part.default) for part in self._parts if part.default not in (None, [], {})]

    @cached_property
    def texts_and_numbers(self) -> list[Place]:
        """The places that can have a text or a number, which could name something."""
        return list(dict.fromkeys(part.place for part in self._parts if part.could_name))

    @property
    def nameless(self) -> frozenset[Place]:
        """The places that can have nothing but a boolean, null or a file."""
        found = [part.place for part in self._parts if not part.could_name and _is_plain(part.schema)]
        return frozenset(found) - frozenset(self.texts_and_numbers)

    @property
    def files(self) -> frozenset[Place]:
        """The places of files."""
        return frozenset(part.place for part in self._parts if part.is_file)

    @property
    def file_types(self) -> dict[str, bool]:
        """Of the body's media types, whether each is of files."""
        return {part.media_type: part.is_file for part in self._parts if part.place == ("body",)}

    @property
    def keys(self) -> frozenset[Place]:
        """The places of fields that are listed by name."""
        return frozenset(part.place for part in self._parts if part.place[-1] != "*")

    @property
    def maps(self) -> frozenset[Place]:
        """The places of objects whose keys are not listed."""
        return frozenset(part.place for part in self._parts if _is_map(part.schema))


def _is_described(pattern: Place, parts: Iterable[_Part]) -> bool:
    """Return whether there is a place that a pattern stands for; an index stands for any item."""
    if pattern[-1:] == ("**",):
        pattern = pattern[:-1]
    return any(
        len(part.place) == len(pattern)
        and all(
            key in {found, "*"} or (found == "*" and key.isdigit())
            for key, found in zip(pattern, part.place, strict=True)
        )
        for part in parts
    )


def _parameters(document: dict[str, Any], path: str, operation: dict[str, Any]) -> Iterator[_Part]:
    """Yield the parameters of an operation; its own replace those of its path."""
    shared = list_of(object_of(document["paths"][path]).get("parameters"))
    found: dict[Place, _Part] = {}
    for written_one in [*shared, *list_of(operation.get("parameters"))]:
        parameter = object_of(contract.resolve(document, object_of(written_one)))
        place = parameter_place(parameter)
        schema = object_of(parameter.get("schema"))
        inner = [part.default for part in _below(document, schema, (), required=False, above=())]
        default = next((each for each in [_default(document, schema), *inner] if each is not None), None)
        required = bool(parameter.get("required"))
        found[place] = _Part(place, _parameter_schema(document, parameter), required, default)
    yield from found.values()


def _default(document: dict[str, Any], schema: Any) -> Any:
    """Return the default of a schema: what stands beside a reference, or where that leads."""
    beside = object_of(schema).get("default")
    return object_of(contract.resolve(document, object_of(schema))).get("default") if beside is None else beside


def parameter_place(parameter: dict[str, Any]) -> Place:
    """Return the place of a parameter of a path, query, header or cookie; names of headers are in lower case."""
    where, name = str(parameter.get("in")), str(parameter.get("name"))
    return (where, name.lower() if where == "header" else name)


def _parameter_schema(document: dict[str, Any], parameter: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter as one text: any text, where something in it could name a thing."""
    schema = object_of(contract.resolve(document, object_of(parameter.get("schema"))))
    inner = [part.schema for part in _below(document, schema, (), required=False, above=())]
    return {} if any(map(_could_name, inner)) else schema


def _places(document: dict[str, Any], message: dict[str, Any], *, required: bool = False) -> Iterator[_Part]:
    """Yield the places of a body, of all its media types."""
    for name, media in object_of(object_of(contract.resolve(document, message)).get("content")).items():
        media_type = str(name).partition(";")[0].strip().lower()
        schema = object_of(object_of(media).get("schema"))
        resolved = object_of(contract.resolve(document, schema))
        yield _Part(("body",), resolved, required, _default(document, schema), media_type)
        for part in _below(document, schema, ("body",), required=required, above=()):
            yield replace(part, media_type=media_type)


def _below(
    document: dict[str, Any], schema: Any, place: Place, *, required: bool, above: tuple[int, ...]
) -> Iterator[_Part]:
    """Yield the places below one, by its schema; a schema that contains itself is followed once."""
    schema = object_of(contract.resolve(document, object_of(schema)))
    if id(schema) in above:
        return
    above = (*above, id(schema))
    for keyword in ("allOf", "anyOf", "oneOf"):
        for inner in list_of(schema.get(keyword)):
            resolved = object_of(contract.resolve(document, object_of(inner)))
            yield _Part(place, resolved, required, _default(document, inner))
            yield from _below(document, inner, place, required=required and keyword == "allOf", above=above)
    needed = {*list_of(schema.get("required")), *list_of(schema.get("x-one-of-required"))}
    inner_schemas = [(key, inner, required and key in needed) for key, inner in _properties(schema)]
    inner_schemas += [("*", inner, required) for inner in _items(schema)]
    for key, inner, is_needed in inner_schemas:
        resolved = object_of(contract.resolve(document, object_of(inner)))
        yield _Part((*place, key), resolved, is_needed, _default(document, inner))
        yield from _below(document, inner, (*place, key), required=is_needed, above=above)


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
    document: dict[str, Any], schema: Any, place: Place, wanted: list[Place], above: tuple[int, ...]
) -> bool:
    """Return whether every value of a schema has something at one of the wanted places."""
    resolved = object_of(contract.resolve(document, object_of(schema)))
    if id(resolved) in above:
        return False

    def has(inner: Any, *keys: str) -> bool:
        return _always_has(document, inner, (*place, *keys), wanted, (*above, id(resolved)))

    types = _types(resolved)
    if "null" in types or None in list_of(resolved.get("enum")):
        return False
    if any(map(has, list_of(resolved.get("allOf")))) or _each_choice_has(document, resolved, has):
        return True
    if "array" in types:
        return bool(resolved.get("minItems")) and has(resolved.get("items"), "*")
    if any(is_at(each, place) for each in wanted):
        return bool({"type", "enum", "const"}.intersection(resolved))
    properties = object_of(resolved.get("properties"))
    needed, either = list_of(resolved.get("required")), list_of(resolved.get("x-one-of-required"))
    having = {key for key in {*needed, *either} if key in properties and has(properties[key], key)}
    return not having.isdisjoint(needed) or (bool(either) and having.issuperset(either))


def _each_choice_has(document: dict[str, Any], schema: dict[str, Any], has: Callable[[Any], bool]) -> bool:
    """Return whether a schema has choices, each of which, with the rest of the schema, has something."""
    rest = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf"}}
    choices = [list_of(schema.get(keyword)) for keyword in ("anyOf", "oneOf")]
    return any(
        bool(each) and all(has({"allOf": [choice, _with_required(document, rest, choice)]}) for choice in each)
        for each in choices
    )


def _with_required(document: dict[str, Any], schema: dict[str, Any], choice: Any) -> dict[str, Any]:
    """Return a schema that requires also what one of its choices does."""
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
    """Return whether a schema is of values that have nothing below them."""
    return not {"object", "array"}.intersection(_types(schema)) and "type" in schema


def _could_name(schema: dict[str, Any]) -> bool:
    """Return whether a value of a schema can be a text or a number, apart from what is below it."""
    if any(keyword in schema for keyword in ("allOf", "anyOf", "oneOf", "properties", "items", "additionalProperties")):
        return not set(_types(schema)) <= {"object", "array", *_HARMLESS_TYPES} if "type" in schema else False
    if "type" not in schema:
        return True
    return not set(_types(schema)) <= {"object", "array", *_HARMLESS_TYPES}


def _types(schema: dict[str, Any]) -> list[Any]:
    found = schema.get("type", [])
    return list_of(found) if isinstance(found, list) else [found]
