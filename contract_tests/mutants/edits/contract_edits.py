"""Edits after which the contract says something else than the documents."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.lies.kinds import spread
from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Place = tuple[str, ...]

_OF_EACH_KIND = 10
_OTHER_TYPE = {
    "string": "integer",
    "integer": "string",
    "number": "string",
    "boolean": "string",
    "array": "object",
    "object": "array",
}
_NO_SCHEMAS = {"example", "examples", "x-evidence"}


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of the contract.

    Attributes:
        kind: Its kind, such as `field-renamed`.
        place: Its location: the keys that lead to it from the contract's root.
        change: Makes it, given the object at that location.
        about: The name in that object that it is about; empty where there is none.
    """

    kind: str
    place: Place
    change: Callable[[dict[str, Any]], None]
    about: str = ""

    @property
    def name(self) -> str:
        """Its name, such as `required-dropped #/components/schemas/Workspace id`."""
        pointer = "#/" + "/".join(key.replace("~", "~0").replace("/", "~1") for key in self.place)
        return f"{self.kind} {pointer} {self.about}".rstrip()

    def made(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return the contract with the edit."""
        edited = copy.deepcopy(document)
        found: Any = edited
        for key in self.place:
            found = list_of(found)[int(key)] if isinstance(found, list) else object_of(found)[key]
        self.change(found)
        return edited

    def operations(self, document: dict[str, Any]) -> list[str]:
        """Return the operations that the edited place belongs to, directly or by references."""
        if self.place[0] == "paths":
            return [document["paths"][self.place[1]][self.place[2]]["operationId"]]
        reference = "#/" + "/".join(self.place[:3])
        return [
            operation["operationId"]
            for _, _, operation in contract.operations(document)
            if _refers(document, operation, reference, set())
        ]


def _refers(document: dict[str, Any], value: Any, wanted: str, seen: set[str]) -> bool:
    reference = object_of(value).get("$ref")
    if reference == wanted:
        return True
    if isinstance(reference, str):
        if reference in seen:
            return False
        seen.add(reference)
        return _refers(document, contract.resolve(document, object_of(value)), wanted, seen)
    return any(_refers(document, inner, wanted, seen) for inner in [*object_of(value).values(), *list_of(value)])


def edits(document: dict[str, Any]) -> list[Edit]:
    """Return a few edits of each kind, from all over the contract, the same each time."""
    kinds = (
        _renamed_fields,
        _changed_types,
        _dropped_required,
        _dropped_always,
        _removed_statuses,
        _cut_links,
        _removed_evidence,
    )
    return [edit for kind in kinds for edit in spread(list(kind(document)), _OF_EACH_KIND)]


def _objects(value: Any, place: Place = ()) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield every object of the contract outside of examples, with its location."""
    if isinstance(value, dict):
        yield place, object_of(value)
    for name, inner in object_of(value).items():
        if name not in _NO_SCHEMAS:
            yield from _objects(inner, (*place, name))
    for number, inner in enumerate(list_of(value)):
        yield from _objects(inner, (*place, str(number)))


def _properties(document: dict[str, Any]) -> Iterator[tuple[Place, str, dict[str, Any]]]:
    for place, found in _objects(document):
        for name, schema in object_of(found.get("properties")).items():
            if place[-1] != "properties":
                yield place, name, object_of(schema)


def _renamed_fields(document: dict[str, Any]) -> Iterator[Edit]:
    for place, name, _ in _properties(document):

        def rename(schema: dict[str, Any], name: str = name) -> None:
            schema["properties"] = {
                f"{found}_" if found == name else found: kept for found, kept in schema["properties"].items()
            }
            for keyword in ("required", "x-always"):
                if keyword in schema:
                    schema[keyword] = [f"{found}_" if found == name else found for found in schema[keyword]]

        yield Edit("field-renamed", place, rename, name)


def _changed_types(document: dict[str, Any]) -> Iterator[Edit]:
    for place, name, schema in _properties(document):
        if str(schema.get("type")) in _OTHER_TYPE:

            def change(found: dict[str, Any]) -> None:
                found["type"] = _OTHER_TYPE[found["type"]]

            yield Edit("type-changed", (*place, "properties", name), change)


def _dropped(document: dict[str, Any], keyword: str, kind: str) -> Iterator[Edit]:
    for place, schema in _objects(document):
        if "properties" in schema and place[-1] != "properties":
            for name in list_of(schema.get(keyword)):

                def drop(found: dict[str, Any], name: Any = name) -> None:
                    found[keyword] = [kept for kept in found[keyword] if kept != name]

                yield Edit(kind, place, drop, str(name))


def _dropped_required(document: dict[str, Any]) -> Iterator[Edit]:
    yield from _dropped(document, "required", "required-dropped")


def _dropped_always(document: dict[str, Any]) -> Iterator[Edit]:
    yield from _dropped(document, "x-always", "always-dropped")


def _removed(document: dict[str, Any], keyword: str, kind: str) -> Iterator[Edit]:
    for place, found in _objects(document):
        for name in object_of(found.get(keyword)):

            def remove(statement: dict[str, Any], name: str = name) -> None:
                del statement[keyword][name]

            yield Edit(kind, place, remove, name)


def _removed_statuses(document: dict[str, Any]) -> Iterator[Edit]:
    yield from (
        edit
        for edit in _removed(document, "responses", "status-removed")
        if edit.place[0] == "paths" and edit.about.isdigit()
    )


def _cut_links(document: dict[str, Any]) -> Iterator[Edit]:
    yield from _removed(document, "links", "link-cut")


def _removed_evidence(document: dict[str, Any]) -> Iterator[Edit]:
    for place, found in _objects(document):
        if "x-evidence" in found:
            yield Edit("evidence-removed", place, lambda statement: statement.__delitem__("x-evidence"))
