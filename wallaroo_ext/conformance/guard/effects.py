"""Reads from the contract what each operation may change, and which of its fields name what.

`x-writes` lists the kinds of things that an operation may change; an empty list says that it only reads. `x-names` maps
runtime expressions, as OpenAPI's links have them, to what they name. The contract's own `info` describes both. If one
of them is missing, or if they do not mention a field that could name something, the operation is undescribed, and a
run does not send it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.expressions import (
    IN_TEMPLATE,
    Location,
    UndescribedError,
    expression_of,
    location_of,
    matches,
)
from wallaroo_ext.conformance.guard.request_schema import RequestSchema, has_location

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

INFERENCE_LOG = "inference log"

KEYS: dict[str, tuple[str, ...]] = {
    "workspace": ("id", "name"),
    "member": (),
    "user": ("id", "email", "name"),
    "model": ("id", "name"),
    "model version": ("id", "uuid", "sha"),
    "model configuration": ("id",),
    "pipeline": ("id", "name", "topic"),
    "pipeline version": ("id", "uuid"),
    "deployment": ("id", "name"),
    "assay": ("id", "uuid", "name"),
    INFERENCE_LOG: (),
}
"""The kinds of things that an instance has, and the keys by which a field can name one."""

NOTHING = "nothing"
ABOUT_PEOPLE = frozenset({"user", "member"})
"""The kinds of things whose change concerns people."""

_MISSING_WRITES = "The contract does not say what it writes (x-writes is missing)."
_MISSING_NAMES = "The contract does not say which of its fields name something (x-names is missing)."
_ORIGINS = ("existing", "new", "unused")


_CHANGING_METHODS = {"put", "patch", "delete"}


@dataclass(frozen=True, slots=True)
class RequestName:
    """A field of a request, and what it names.

    Attributes:
        location: Its location; `*` stands for any one key, a last `**` for the location itself and all below it.
        thing: The kind and the key that it names, such as `workspace id`; `nothing` where it names nothing.
        origin: `existing` for a thing that is there, `new` for a name that the request gives, `unused` for a name that
            the request gives and that must not be taken yet.
    """

    location: Location
    thing: str
    origin: str = "existing"

    def covers(self, location: Location) -> bool:
        """Return whether a value at a location belongs to this field.

        Values below a field that names a thing belong to it, too, so that a value of a wrong type is covered.
        """
        if self.thing == NOTHING:
            return matches(self.location, location)
        return any(matches(self.location, location[:length]) for length in range(len(self.location), len(location) + 1))


@dataclass(frozen=True, slots=True)
class AnswerName:
    """An id or a name in an answer, of a thing that the request made.

    Attributes:
        thing: The kind and the key, such as `pipeline id`.
        template: A text with expressions in braces, or one expression.
    """

    thing: str
    template: str

    @property
    def kind(self) -> str:
        """The kind of the thing."""
        return split_thing(self.thing)[0]


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of one operation, by the contract.

    Attributes:
        operation: The contract's `operationId`.
        writes: The kinds of things that it may change; empty where it only reads.
        request: The fields of its request that name something, or are declared to name nothing.
        answer: The ids and names in its answer, of things that it made.
        nameless: The locations of booleans and files, which can name nothing.
        files: The locations of files, whose content is not inspected.
        file_types: Whether a body is a file, by its media type in lower case.
        keys: The locations of fields that the contract lists by name.
        maps: The locations of objects whose keys the contract does not list, so that a key could name something.
        required: The locations that every valid request has, or at least one of several such.
        requires_name: Whether every valid request names something.
        decisive: The fields that decide what it touches, in groups; every valid request has at least one of each group.
        problem: Why it is undescribed; empty where it is described.
    """

    operation: str
    writes: tuple[str, ...] = ()
    request: tuple[RequestName, ...] = ()
    answer: tuple[AnswerName, ...] = ()
    nameless: frozenset[Location] = frozenset()
    files: frozenset[Location] = frozenset()
    file_types: Mapping[str, bool] = field(default_factory=dict[str, bool])
    keys: frozenset[Location] = frozenset()
    maps: frozenset[Location] = frozenset()
    required: frozenset[Location] = frozenset()
    requires_name: bool = False
    decisive: tuple[tuple[RequestName, ...], ...] = ()
    problem: str = ""
    _covering: dict[Location, list[RequestName]] = field(
        default_factory=dict[Location, list[RequestName]], init=False, repr=False, compare=False
    )
    _free_keys: dict[Location, list[str]] = field(
        default_factory=dict[Location, list[str]], init=False, repr=False, compare=False
    )

    @property
    def names(self) -> list[RequestName]:
        """The fields that name a thing."""
        return [name for name in self.request if name.thing != NOTHING]

    @property
    def has_nameless_body(self) -> bool:
        """Whether the contract says that nothing in the body names anything, whatever it has."""
        whole = any(name.thing == NOTHING and name.location == ("body", "**") for name in self.request)
        return whole and not any(name.location[0] == "body" for name in self.names)

    def requires(self, pattern: Location) -> bool:
        """Return whether every valid request has a field, or one of several of which this is one."""
        return any(matches(pattern, location) for location in self.required)

    def covering(self, location: Location) -> list[RequestName]:
        """Return the fields that a location belongs to; if some of them name something, only those."""
        known = self._covering.get(location)
        if known is None:
            found = [name for name in self.request if name.covers(location)]
            known = self._covering[location] = [name for name in found if name.thing != NOTHING] or found
        return known

    def is_file(self, location: Location) -> bool:
        """Return whether there is a file at a location."""
        return any(matches(pattern, location) for pattern in self.files)

    def is_file_of(self, media_type: str) -> bool:
        """Return whether a body of a media type is a file.

        An instance may read a media type that the contract does not list as any that it lists. So a body of such a type
        counts as a file only if no body names a thing.
        """
        if media_type in self.file_types:
            return self.file_types[media_type]
        return any(self.file_types.values()) and not any(name.location[0] == "body" for name in self.names)

    def free_keys(self, location: Location) -> list[str]:
        """Return the keys of a location that the contract does not list, so that they could name something."""
        known = self._free_keys.get(location)
        if known is None:
            known = self._free_keys[location] = self._find_free_keys(location)
        return known

    def _find_free_keys(self, location: Location) -> list[str]:
        found: list[str] = []
        for length in range(1, len(location)):
            is_free = any(matches(each, location[:length]) for each in self.maps)
            is_listed = any(
                each[-1] == location[length] and matches(each, location[: length + 1]) for each in self.keys
            )
            if is_free and not is_listed and not self._has_nothing_below(location[:length]):
                found.append(location[length])
        return found

    def _has_nothing_below(self, location: Location) -> bool:
        return any(
            name.thing == NOTHING and name.location[-1] == "**" and matches(name.location, location)
            for name in self.request
        )

    def is_nameless(self, location: Location) -> bool:
        """Return whether the contract has only a boolean or a file at a location, which names nothing."""
        return any(matches(pattern, location) for pattern in self.nameless)


def split_thing(thing: str) -> tuple[str, str]:
    """Return the kind and the key of a thing such as `model version id`."""
    kind, _, key = thing.rpartition(" ")
    return kind, key


def effects_of(document: dict[str, Any], *, without: Container[str] = ()) -> dict[str, Effects]:
    """Return the effects of each operation of a contract, by its id, without those that are known."""
    found: dict[str, Effects] = {}
    for path, method, operation in contract.operations(document):
        name = operation["operationId"]
        if name in without:
            continue
        duplicate = Effects(name, problem=f"Another operation of the contract is called {name}, too.")
        found[name] = duplicate if name in found else _effects(document, path, method, object_of(operation))
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
    _check_path(path)
    request, answer = _names(operation)
    schema = RequestSchema(document, path, operation)
    for found in request:
        if not schema.has(found.location):
            raise UndescribedError(f"x-names has {expression_of(found.location)}, and its request has no such field.")
    for found in answer:
        _check_answer(document, operation, schema, found)
    if writes:
        _check_all_named(request, schema)
        _check_no_defaults(request, schema)
    named = [name for name in request if name.thing != NOTHING]
    return Effects(
        operation=str(operation["operationId"]),
        writes=writes,
        request=request,
        answer=answer,
        nameless=schema.nameless,
        files=frozenset(location for location in schema.files if not _is_named(location, named)),
        file_types={kind: is_file and not _is_named(("body",), named) for kind, is_file in schema.file_types.items()},
        keys=schema.keys,
        maps=schema.maps,
        required=schema.required,
        requires_name=schema.always_has([name.location for name in named]),
        decisive=tuple(_decisive(writes, named, {given.kind for given in answer}, schema)),
    )


def _check_path(path: str) -> None:
    """Check that a path tells requests of its operation from others, and each parameter from the next.

    Raises:
        UndescribedError: It does not.
    """
    if "?" in path or "#" in path:
        raise UndescribedError("Its path has a query or a fragment, by which requests are not told apart.")
    if any(step.count("{") > 1 for step in path.split("/")):
        raise UndescribedError("A step of its path has two parameters, which can be told apart in more than one way.")


def _is_named(location: Location, named: Iterable[RequestName]) -> bool:
    """Return whether the contract says that the value at a location names a thing; such a file is read as a text."""
    return any(matches(name.location, location) for name in named)


def _decisive(
    writes: Iterable[str], named: Iterable[RequestName], given: set[str], schema: RequestSchema
) -> Iterator[tuple[RequestName, ...]]:
    """Yield the fields that decide what an operation touches, and that every valid request has.

    An instance could apply a request without one of them to everything. They are the fields that name a thing of a kind
    that the operation may change. If it changes a kind of which it neither names nor makes one, all fields that name
    something count.
    """
    existing = [name for name in named if name.origin == "existing"]
    made = given | {split_thing(name.thing)[0] for name in named if name.origin != "existing"}
    kinds = {split_thing(name.thing)[0] for name in existing}
    changed = set(writes) - made
    decides = existing if changed - kinds else [name for name in existing if split_thing(name.thing)[0] in set(writes)]
    yield from ((name,) for name in decides if schema.always_has([name.location]))
    if changed and schema.always_has([name.location for name in existing]):
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
            request.append(RequestName(location_of(str(expression)), thing, origin))
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


def _check_answer(
    document: dict[str, Any], operation: dict[str, Any], request: RequestSchema, found: AnswerName
) -> None:
    """Check that the fields of an answer that `x-names` mentions are in the contract.

    Raises:
        UndescribedError: It is not.
    """
    for expression in IN_TEMPLATE.findall(found.template) or [found.template]:
        location = location_of(expression)
        if expression.startswith("$request."):
            known = request.has(location)
        else:
            answers = object_of(operation.get("responses"))
            bodies = [answers[status] for status in answers if str(status).startswith("2")]
            known = any(has_location(document, body, location) for body in bodies)
        if not known:
            raise UndescribedError(f"x-names has {expression}, and there is no such field.")


def _check_all_named(request: Iterable[RequestName], schema: RequestSchema) -> None:
    """Check that `x-names` mentions every field of a writing request that could name a thing.

    Raises:
        UndescribedError: There is such a field.
    """
    known = tuple(request)
    for location in schema.texts_and_numbers:
        if not any(name.covers(location) for name in known):
            raise UndescribedError(f"It writes, and x-names does not say what {expression_of(location)} names.")


def _check_no_defaults(request: Iterable[RequestName], schema: RequestSchema) -> None:
    """Check that a writing request does not name a thing by leaving out a field.

    Raises:
        UndescribedError: A field that names a thing has a default.
    """
    locations = [name.location for name in request if name.thing != NOTHING]
    for location, default in schema.defaults:
        # The default of an object or a list can have what stands below it.
        if any(matches(each[: len(location)], location[: len(each)]) or matches(each, location) for each in locations):
            raise UndescribedError(
                f"It writes, and without {expression_of(location)} it names {default!r}, its default."
            )
