"""Tells which things of the run a request names, and makes requests that name others, or name them otherwise."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.effects import split_thing
from wallaroo_ext.conformance.guard.request_fields import fields_of
from wallaroo_ext.conformance.testing.answer_forms import JSON

if TYPE_CHECKING:
    import httpx

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite

_NOT_SENT = "conformance-not-sent"


def names_what_is_in_a_workspace(suite: Suite, operation: str, request: httpx.Request | None = None) -> bool:
    """Return whether an operation, or a request of it, names something that is there and belongs to a workspace."""
    effects = suite.guard.effects[operation]
    names = [
        name for name in effects.names if name.origin == "existing" and split_thing(name.thing)[0] not in {"user", ""}
    ]
    if request is None:
        return bool(names)
    template, headers = suite.rules.locations[operation][1], request.headers.multi_items()
    fields = fields_of(template, str(request.url), headers, request.content, effects)
    return any(value is not None for name in names for value in fields.at(name.location))


def named_in(suite: Suite, operation: str, body: dict[str, Any]) -> dict[tuple[str, ...], str]:
    """Return what a body of JSON names that is there and belongs to a workspace, by where it does."""
    return {
        name.location[1:]: name.thing
        for name in suite.guard.effects[operation].names
        if name.origin == "existing" and name.location[0] == "body" and split_thing(name.thing)[0] != "user"
        if replaced(body, name.location[1:], _NOT_SENT) != body
    }


def value_at(value: Any, location: tuple[str, ...]) -> Any:
    """Return the first value of JSON at a location; None where there is none. `*` stands for any key."""
    for key in location:
        items = list_of(value) or [inner for name, inner in object_of(value).items() if key in {name, "*"}]
        value = next(iter(items), None)
    return value


def replaced(value: Any, location: tuple[str, ...], new: Any) -> Any:
    """Return a value of JSON with another one at a location, where it has one; `*` stands for any key."""
    if not location:
        return value if value is None else new
    first, *rest = location
    fields, items = object_of(value), list_of(value)
    if items and first == "*":
        return [replaced(inner, tuple(rest), new) for inner in items]
    changed = {key: replaced(inner, tuple(rest), new) for key, inner in fields.items() if first in {key, "*"}}
    return fields | changed if fields else value


def naming(suite: Suite, fixtures: Fixtures, operation: str, good: dict[str, Any]) -> dict[str, Any]:
    """Return a good request that names something of the run, also where one need not."""
    body, ways = object_of(json_of(good)), other_ways_to_name(suite, fixtures, operation, good)
    if not ways or any(value_at(body, location) is not None for location in named_in(suite, operation, body)):
        return good
    return good | {"content": json.dumps(body | ways[0])}


def other_ways_to_name(suite: Suite, fixtures: Fixtures, operation: str, good: dict[str, Any]) -> list[dict[str, Any]]:
    """Return bodies that name the run's things by one field of several, as far as those of the good request may."""
    body, names = json_of(good), suite.guard.effects[operation].names
    if not isinstance(body, dict):
        return []
    body = object_of(body)
    values = fixtures.things_for(suite.guard.effects[operation])
    fields = {
        name.location[1]: values[name.thing][0]
        for name in names
        if name.origin == "existing" and name.location[:-1] == ("body",)
        if name.thing in values and split_thing(name.thing)[0] != "user"
    }
    schema = suite.rules.schemas.resolve(suite.rules.request_content(operation).get(JSON, {}).get("schema", {}))
    optional = fields.keys() - set(schema.get("required", ()))
    rest = {name: value for name, value in body.items() if name not in optional}
    ways = [rest | {name: fields[name]} for name in sorted(optional)]
    return [way for way in ways if way != {name: value for name, value in body.items() if value is not None}]


def json_of(request: dict[str, Any]) -> Any:
    """Return the JSON of a request's body; None where it has another one, or none."""
    try:
        return json.loads(request["content"])
    except (KeyError, TypeError, ValueError):
        return None


def places_of(fixtures: Fixtures, operation: str) -> list[dict[str, Any]]:
    """Return requests for the assays of the run's places."""
    names = ("pipeline_id", "workspace_id", "workspace_name")
    if operation == "get_assay_v2":
        names = ("pipeline_name", "workspace_id", "id")
    own = {"pipeline_name": fixtures.name, "id": fixtures.assay_uuid}
    bodies = ({name: own[name] if name in own else getattr(fixtures, name)} for name in names)
    return [body for body in bodies if None not in body.values()]
