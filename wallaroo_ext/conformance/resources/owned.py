"""What a run made on the instance, and so may use, change and end."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.effects import place_of, split_thing

if TYPE_CHECKING:
    from wallaroo_ext.conformance.guard.effects import AnswerName, Effects
    from wallaroo_ext.conformance.guard.request_fields import RequestFields

NOBODYS = 2_147_483_647
"""An id that no instance has given to a thing: the largest that the contract knows."""
DOMAIN = "@example.com"
"""Where the e-mail addresses of a run's users are: nobody gets mail there."""

_EXPRESSION = re.compile(r"\{(\$[^}]*)\}")


@dataclass(frozen=True, slots=True)
class Resource:
    """A thing that a run made.

    Attributes:
        kind: Its kind, such as `model version`.
        id: Its id; None where no answer told it.
        name: Its name; None where it has none or no answer told it.
        workspace: The id of its workspace; None where it is in none, or nothing told it.
    """

    kind: str
    id: int | str | None = None
    name: str | None = None
    workspace: int | str | None = None


class OwnedResources:
    """The ids and names of what a run made. It learns them from the requests and answers that it sees.

    Args:
        prefix: What the names of everything that the run makes begin with.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._known: dict[str, dict[Any, None]] = {}
        self._made: dict[tuple[str, int | str | None, str | None], Resource] = {}
        self._there_before: dict[str, set[str]] = {}
        self._unanswered: dict[int, tuple[Effects, RequestFields]] = {}
        self._lock = threading.Lock()
        self._name = re.compile(rf"{re.escape(prefix)}-[A-Za-z0-9._-]*(?:{re.escape(DOMAIN)})?")

    def attempt(self, effects: Effects, request: RequestFields) -> None:
        """Take note of a request and the names that it gives, before its answer comes, which may be lost."""
        if effects.writes:
            with self._lock:
                self._unanswered[id(request)] = (effects, request)
        given = [name for name in effects.names if effects.writes and name.origin != "existing"]
        for name in given:
            for value in request.at(name.place):
                self.add(name.thing, value)

    def answered(self, request: RequestFields) -> None:
        """Take note that a request's answer came, which says what became of it."""
        with self._lock:
            self._unanswered.pop(id(request), None)

    def unanswered(self) -> list[tuple[Effects, RequestFields]]:
        """Return the requests that write, of which nobody knows what became of them."""
        with self._lock:
            return list(self._unanswered.values())

    def was_there(self, thing: str, value: Any) -> None:
        """Take note of an id that was there before the run, and so is none of the run's, whatever an answer says."""
        self._there_before.setdefault(thing, set()).add(_number(value))

    def _is_of_others(self, thing: str, value: Any) -> bool:
        return _number(value) in self._there_before.get(thing, ())

    def learn(self, effects: Effects, request: RequestFields, answer: Any) -> bool:
        """Take note of what an answer tells of the run's: what a request made, or what belongs to what it names.

        Args:
            effects: What the contract says of the operation.
            request: The request.
            answer: The JSON of the answer, which is a success.

        Returns:
            Whether it tells the ids of all that the request gave a name to, as far as the contract says that it does.
        """
        if not effects.writes and not (
            self._is_about_own(effects, request) and self._is_asked_for(effects, request, answer)
        ):
            return True
        found: dict[str, dict[str, list[Any]]] = {}
        for given in effects.answer:
            kind, key = split_thing(given.thing)
            values = found.setdefault(kind, {})[key] = _given(given, request, answer)
            for value in values:
                self.add(given.thing, value)
        if effects.writes:
            self._list_made(effects, request, found)
        named = _new_names(effects, request)
        return all(keys["id"] for kind, keys in found.items() if kind in named and "id" in keys)

    def forget(self, effects: Effects, request: RequestFields) -> None:
        """Take note that a request removed what it names: an instance may give its id to what another makes."""
        removed = [name for name in effects.names if split_thing(name.thing)[0] in effects.writes]
        for name in removed:
            gone = {part for value in request.at(name.place) for part in _number(value).split(",")}
            with self._lock:
                known = self._known.get(name.thing, {})
                for value in [value for value in known if _number(value).isdigit() and _number(value) in gone]:
                    del known[value]

    def _is_about_own(self, effects: Effects, request: RequestFields) -> bool:
        """Return whether a request names things, all of them the run's."""
        named = [(name.thing, value) for name in effects.names for value in request.at(name.place) if value is not None]
        return bool(named) and all(_number(value) != str(NOBODYS) and self.has(thing, value) for thing, value in named)

    def _is_asked_for(self, effects: Effects, request: RequestFields, answer: Any) -> bool:
        """Whether an answer has nothing but what a request names; an instance may pass over what it was asked for."""
        named = {name.thing for name in effects.names if any(value is not None for value in request.at(name.place))}
        answered = [_given(given, request, answer) for given in effects.answer]
        confirming = [
            (given.thing, values)
            for given, values in zip(effects.answer, answered, strict=True)
            if given.thing in named
        ]
        # One that does not say of each item to what it belongs may have passed over what it was asked for.
        is_confirmed = not confirming or any(len(values) >= max(map(len, answered)) for _, values in confirming)
        return is_confirmed and all(self.has(thing, value) for thing, values in confirming for value in values)

    def _list_made(self, effects: Effects, request: RequestFields, found: dict[str, dict[str, list[Any]]]) -> None:
        """Take note of the things that a request made, with their names and their workspace."""
        named = _new_names(effects, request)
        workspace = self._known_as("workspace id", effects, request)
        for kind, keys in found.items():
            name = _first(keys.get("name", [])) or named.get(kind) or named.get(kind.removesuffix(" version"))
            # Of pipelines and deployments, others' lists tell ids and no names: they would be there twice.
            is_found_by_name = kind in named and kind not in {"pipeline", "deployment"}
            for number in keys.get("id", []) or ([None] if is_found_by_name else []):
                self.made(Resource(kind, number, name, None if kind == "workspace" else workspace))
        for kind, name in named.items():
            if kind not in found:
                self.made(Resource(kind, None, name, workspace))

    def _known_as(self, thing: str, effects: Effects, request: RequestFields) -> Any:
        """Return what a request names, as it is known: a number, also where the request has it as a text."""
        places = [name.place for name in effects.names if name.thing == thing]
        named = {_number(value) for place in places for value in request.at(place)}
        return _first([known for known in self.of(thing) if _number(known) in named])

    def made(self, resource: Resource) -> None:
        """Take note of a thing that the run made; what is known of it already is kept."""
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
        """Return what the run made of a kind, in the order in which it came."""
        with self._lock:
            return [found for found in self._made.values() if found.kind == kind]

    def add(self, thing: str, value: Any) -> None:
        """Take note of an id or a name of something of the run's.

        Args:
            thing: A kind and a key such as `workspace id`.
            value: The id or the name.
        """
        if self._is_of_others(thing, value):
            return
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            with self._lock:
                self._known.setdefault(thing, {})[value] = None

    def of(self, thing: str) -> list[Any]:
        """Return what the run has of a thing, in the order in which it came."""
        with self._lock:
            return list(self._known.get(thing, {}))

    def things(self) -> list[str]:
        """Return the kinds and keys of what the run has, such as `workspace id`."""
        with self._lock:
            return list(self._known)

    def has(self, thing: str, value: Any) -> bool:
        """Return whether a text, number, boolean or null in a request can name nothing but what is the run's.

        Numbers are known as texts, too, as instances may be less particular than the contract. A boolean or a fraction
        may be taken for an id, and is none of the run's.

        Args:
            thing: What the value names, a kind and a key such as `workspace id`.
            value: The value.
        """
        if value is None:
            return True
        if isinstance(value, str) and "," in value:
            return all(self.has(thing, part) for part in value.split(","))
        return self.is_harmless(value) or _number(value) in {_number(known) for known in self.of(thing)}

    def is_harmless(self, value: Any) -> bool:
        """Return whether a value names nothing of others, whatever it stands for: null, nobody's id, an own name."""
        if value is None:
            return True
        return _number(value) == str(NOBODYS) or (isinstance(value, str) and self.is_own_name(value))

    def is_own_name(self, text: str) -> bool:
        """Return whether a name is one that only the run gives: its prefix and a hyphen, and no special characters."""
        return self._name.fullmatch(text) is not None and ".." not in text


def _number(value: Any) -> str:
    """Return a value as it is compared: whole numbers alike as numbers and as texts."""
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _is_same(old: Resource, new: Resource) -> bool:
    """Return whether two are one thing: of one id, or of one name where one of them has no id."""
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
    """Return the names that a request gives, by the kinds of what they are for."""
    found: dict[str, str] = {}
    for name in effects.names:
        values = [value for value in request.at(name.place) if isinstance(value, str)]
        if name.origin != "existing" and values:
            found[split_thing(name.thing)[0]] = values[0]
    return found


def _given(given: AnswerName, request: RequestFields, answer: Any) -> list[Any]:
    """Return what an answer gives: the values of one expression, or one text of several."""
    if not _EXPRESSION.search(given.template):
        return _evaluated(given.template, request, answer)
    parts = {each: _evaluated(each, request, answer) for each in _EXPRESSION.findall(given.template)}
    if not all(parts.values()):
        return []
    return [_EXPRESSION.sub(lambda match: str(parts[match[1]][0]), given.template)]


def _evaluated(expression: str, request: RequestFields, answer: Any) -> list[Any]:
    place = place_of(expression)
    values = request.at(place) if expression.startswith("$request.") else _at(answer, place[1:])
    return [value for value in values if isinstance(value, str | int) and not isinstance(value, bool)]


def _at(value: Any, way: tuple[str, ...]) -> list[Any]:
    """Return the values at the end of a way of keys, of which `*` stands for any item."""
    if not way:
        return [value]
    key, *rest = way
    if isinstance(value, list):
        items = list_of(value)
        inner = items if key == "*" else items[int(key) : int(key) + 1] if key.isdigit() else []
    else:
        fields = object_of(value)
        inner = list(fields.values()) if key == "*" else [fields[key]] if key in fields else []
    return [found for each in inner for found in _at(each, tuple(rest))]


def _first(values: list[Any]) -> Any:
    """Return the first of some values; None where there is none."""
    return values[0] if values else None
