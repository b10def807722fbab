"""Keeps track of the things that a run made on the instance, and so may use, change and end."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.effects import split_thing
from wallaroo_ext.conformance.guard.expressions import IN_TEMPLATE, location_of

if TYPE_CHECKING:
    from wallaroo_ext.conformance.guard.effects import AnswerName, Effects
    from wallaroo_ext.conformance.guard.request_fields import RequestFields

T = TypeVar("T")

NOBODYS = 2_147_483_647
"""An id that no instance has given to a thing: the largest that the contract allows."""
NOBODYS_UUID = "00000000-0000-4000-8000-000000000000"
"""A UUID that no instance has given to a thing or a user."""
DOMAIN = "@example.com"
"""The domain of the e-mail addresses of a run's users: nobody gets mail there."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A thing that a run made.

    Attributes:
        kind: Its kind, such as `model version`.
        id: Its id; None where no answer had it.
        name: Its name; None where it has none, or no answer had it.
        workspace: The id of its workspace; None where it is in none, or it is not known.
    """

    kind: str
    id: int | str | None = None
    name: str | None = None
    workspace: int | str | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned of the things of a run.

    Attributes:
        known: Ids and names, by kind and key.
        made: Things.
        unsettled: The writing requests whose result is unknown.
    """

    known: dict[str, list[Any]]
    made: list[Resource]
    unsettled: list[tuple[Effects, RequestFields]]


class OwnedResources:
    """The ids and names of what a run made, learned from its requests and their answers.

    Args:
        prefix: The beginning of all names that the run gives.

    Attributes:
        prefix: The beginning of all names that the run gives.
        name_prefix: The beginning of those that this process gives.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = self.name_prefix = prefix
        self._taken = Learned({}, [], [])
        self._known: dict[str, dict[Any, None]] = {}
        self._made: dict[tuple[str, int | str | None, str | None], Resource] = {}
        self._existing: dict[str, set[str]] = {}
        self._unsettled: dict[int, tuple[Effects, RequestFields]] = {}
        self._lock = threading.Lock()
        self._name = re.compile(rf"{re.escape(prefix)}-[\w.\U00010000-\U0010ffff-]*(?:[\w.+-]*{re.escape(DOMAIN)})?")

    def note_request(self, effects: Effects, request: RequestFields) -> None:
        """Note a request and the names that it gives, before its answer comes: the answer may be lost."""
        if effects.writes:
            with self._lock:
                self._unsettled[id(request)] = (effects, request)
        given = [name for name in effects.names if effects.writes and name.origin != "existing"]
        for name in given:
            for value in request.at(name.location):
                self.add(name.thing, value)

    def settle(self, request: RequestFields) -> None:
        """Note that the answer to a request told its result."""
        with self._lock:
            self._unsettled.pop(id(request), None)

    def unsettled_requests(self) -> list[tuple[Effects, RequestFields]]:
        """Return the writing requests whose result is unknown."""
        with self._lock:
            return list(self._unsettled.values())

    def take_learned(self) -> Learned:
        """Return what was learned since the last call, for another process of the run."""
        with self._lock:
            known, made = {thing: list(values) for thing, values in self._known.items()}, list(self._made.values())
            unsettled = list(self._unsettled.values())
            self._unsettled.clear()
        before, self._taken = self._taken, Learned(known, made, [])
        new = {thing: _without(values, before.known.get(thing, [])) for thing, values in known.items()}
        return Learned(new, _without(made, before.made), unsettled)

    def add_learned(self, learned: Learned) -> None:
        """Add what another process of the run learned."""
        for thing, values in learned.known.items():
            for value in values:
                self.add(thing, value)
        for resource in learned.made:
            self.add_resource(resource)
        with self._lock:
            self._unsettled.update({id(request): (effects, request) for effects, request in learned.unsettled})

    def note_existing(self, thing: str, value: Any) -> None:
        """Note an id that was there before the run, and so does not belong to the run, whatever an answer says."""
        self._existing.setdefault(thing, set()).add(normalized(value))

    def _is_of_others(self, thing: str, value: Any) -> bool:
        return normalized(value) in self._existing.get(thing, ())

    def learn(self, effects: Effects, request: RequestFields, answer: Any) -> bool:
        """Note the things of the run in an answer: what the request made, or what belongs to the things that it names.

        Args:
            effects: The effects of the operation.
            request: The request.
            answer: The JSON of the answer, which is a success.

        Returns:
            Whether the answer has the ids of all that the request gave a name to, where the contract promises them.
        """
        if not effects.writes and not (
            self._is_about_own(effects, request) and self._has_only_what_was_asked(effects, request, answer)
        ):
            return True
        found: dict[str, dict[str, list[Any]]] = {}
        for given in effects.answer:
            kind, key = split_thing(given.thing)
            values = found.setdefault(kind, {})[key] = _answered_values(given, request, answer)
            for value in values:
                self.add(given.thing, value)
        if effects.writes:
            self._add_made(effects, request, found)
        named = _new_names(effects, request)
        return all(keys["id"] for kind, keys in found.items() if kind in named and "id" in keys)

    def forget(self, effects: Effects, request: RequestFields) -> None:
        """Forget the ids that a request removed: an instance may give them to things of others."""
        removed = [name for name in effects.names if split_thing(name.thing)[0] in effects.writes]
        for name in removed:
            ids = {part for value in request.at(name.location) for part in normalized(value).split(",")}
            with self._lock:
                known = self._known.get(name.thing, {})
                for value in [value for value in known if normalized(value).isdigit() and normalized(value) in ids]:
                    del known[value]

    def _is_about_own(self, effects: Effects, request: RequestFields) -> bool:
        """Return whether a request names things, all of which belong to the run."""
        named = [
            (name.thing, value) for name in effects.names for value in request.at(name.location) if value is not None
        ]
        return bool(named) and all(
            normalized(value) != str(NOBODYS) and self.has(thing, value) for thing, value in named
        )

    def _has_only_what_was_asked(self, effects: Effects, request: RequestFields, answer: Any) -> bool:
        """Return whether an answer is only about what the request names: an instance may ignore a filter."""
        named = {name.thing for name in effects.names if any(value is not None for value in request.at(name.location))}
        answered = [_answered_values(given, request, answer) for given in effects.answer]
        confirming = [
            (given.thing, values)
            for given, values in zip(effects.answer, answered, strict=True)
            if given.thing in named
        ]
        # If not every item says what it belongs to, the instance may have ignored the filter.
        is_confirmed = not confirming or any(len(values) >= max(map(len, answered)) for _, values in confirming)
        return is_confirmed and all(self.has(thing, value) for thing, values in confirming for value in values)

    def _add_made(self, effects: Effects, request: RequestFields, found: dict[str, dict[str, list[Any]]]) -> None:
        """Add the things that a request made, with their names and their workspace."""
        named = _new_names(effects, request)
        workspace = self._known_value("workspace id", effects, request)
        for kind, keys in found.items():
            name = _first(keys.get("name", [])) or named.get(kind) or named.get(kind.removesuffix(" version"))
            # Pipelines and deployments are listed by ids without names: with a name alone they would be there twice.
            is_found_by_name = kind in named and kind not in {"pipeline", "deployment"}
            for number in keys.get("id", []) or ([None] if is_found_by_name else []):
                self.add_resource(Resource(kind, number, name, None if kind == "workspace" else workspace))
        for kind, name in named.items():
            if kind not in found:
                self.add_resource(Resource(kind, None, name, workspace))

    def _known_value(self, thing: str, effects: Effects, request: RequestFields) -> Any:
        """Return what a request names, as it is known: a number even if the request has a text."""
        locations = [name.location for name in effects.names if name.thing == thing]
        named = {normalized(value) for location in locations for value in request.at(location)}
        return _first([known for known in self.values_of(thing) if normalized(known) in named])

    def add_resource(self, resource: Resource) -> None:
        """Add a thing that the run made, or what was not known of it yet."""
        if self._is_of_others(f"{resource.kind} id", resource.id):
            return
        with self._lock:
            known = next((key for key, old in self._made.items() if _is_same(old, resource)), None)
            old = Resource(resource.kind) if known is None else self._made.pop(known)
            new = replace(
                old,
                id=old.id if resource.id is None else resource.id,
                name=old.name or resource.name,
                workspace=old.workspace if resource.workspace is None else resource.workspace,
            )
            self._made[new.kind, new.id, new.name] = new

    def resources(self, kind: str) -> list[Resource]:
        """Return the things of a kind that the run made, in their order."""
        with self._lock:
            return [found for found in self._made.values() if found.kind == kind]

    def add(self, thing: str, value: Any) -> None:
        """Add an id or a name of something that belongs to the run.

        Args:
            thing: A kind and a key such as `workspace id`.
            value: The id or the name.
        """
        if self._is_of_others(thing, value):
            return
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            with self._lock:
                self._known.setdefault(thing, {})[value] = None

    def values_of(self, thing: str) -> list[Any]:
        """Return the ids or names of the run for a kind and key, in their order."""
        with self._lock:
            return list(self._known.get(thing, {}))

    def things(self) -> list[str]:
        """Return the kinds and keys of which the run has values, such as `workspace id`."""
        with self._lock:
            return list(self._known)

    def has(self, thing: str, value: Any) -> bool:
        """Return whether a text, number, boolean or null in a request can only name what belongs to the run.

        Numbers match texts, too, as instances may be more lenient than the contract. A boolean or a fraction may be
        taken for an id, and is none of the run.

        Args:
            thing: What the value names, a kind and a key such as `workspace id`.
            value: The value.
        """
        if value is None:
            return True
        if isinstance(value, str) and "," in value:
            return all(self.has(thing, part) for part in value.split(","))
        return self.is_harmless(value) or normalized(value) in {normalized(known) for known in self.values_of(thing)}

    def is_harmless(self, value: Any) -> bool:
        """Return whether a value names nothing of others, whatever its field means: null, nobody's id, an own name."""
        if value is None:
            return True
        return normalized(value) == str(NOBODYS) or (isinstance(value, str) and self.is_own_name(value))

    def is_own_name(self, text: str) -> bool:
        """Return whether only the run gives such a name: it has the run's prefix and no special characters."""
        return self._name.fullmatch(text) is not None and ".." not in text


def normalized(value: Any) -> str:
    """Return a value as a text to compare it by: a whole number and its text are equal."""
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _is_same(old: Resource, new: Resource) -> bool:
    """Return whether two resources are the same: by their ids, or by their names where one has no id."""
    if old.kind != new.kind:
        return False
    if old.id is not None and new.id is not None:
        return old.id == new.id
    return (
        old.name is not None
        and old.name == new.name
        and (old.workspace == new.workspace or None in (old.workspace, new.workspace))
    )


def _new_names(effects: Effects, request: RequestFields) -> dict[str, str]:
    """Return the names that a request gives, by the kind of the named thing."""
    found: dict[str, str] = {}
    for name in effects.names:
        values = [value for value in request.at(name.location) if isinstance(value, str)]
        if name.origin != "existing" and values:
            found[split_thing(name.thing)[0]] = values[0]
    return found


def _answered_values(given: AnswerName, request: RequestFields, answer: Any) -> list[Any]:
    """Return the ids or names that an answer has: the values of an expression, or a text made of several."""
    if not IN_TEMPLATE.search(given.template):
        return _evaluate(given.template, request, answer)
    parts = {each: _evaluate(each, request, answer) for each in IN_TEMPLATE.findall(given.template)}
    if not all(parts.values()):
        return []
    return [IN_TEMPLATE.sub(lambda match: str(parts[match[1]][0]), given.template)]


def _evaluate(expression: str, request: RequestFields, answer: Any) -> list[Any]:
    location = location_of(expression)
    values = request.at(location) if expression.startswith("$request.") else _at(answer, location[1:])
    return [value for value in values if isinstance(value, str | int) and not isinstance(value, bool)]


def _at(value: Any, keys: tuple[str, ...]) -> list[Any]:
    """Return the values below a value, at keys of which `*` stands for any."""
    if not keys:
        return [value]
    key, *rest = keys
    if isinstance(value, list):
        items = list_of(value)
        inner = items if key == "*" else items[int(key) : int(key) + 1] if key.isdigit() else []
    else:
        fields = object_of(value)
        inner = list(fields.values()) if key == "*" else [fields[key]] if key in fields else []
    return [found for each in inner for found in _at(each, tuple(rest))]


def _without(values: list[T], others: list[T]) -> list[T]:
    """Return the values that are not among others, all of which can be keys."""
    known = set(others)
    return [value for value in values if value not in known]


def _first(values: list[Any]) -> Any:
    """Return the first of some values; None where there is none."""
    return values[0] if values else None
