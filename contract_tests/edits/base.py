"""A contract of few operations, which edits change: ours without the rest, so that a client of it is made soon."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of

KEPT = ("request_token", "list_workspaces", "create_workspace")
LIST = "/v1/api/workspaces/list"
CREATE = "/v1/api/workspaces/create"


def base() -> dict[str, Any]:
    """Return a copy of the contract of few operations."""
    return copy.deepcopy(_base())


@cache
def _base() -> dict[str, Any]:
    whole = contract.load()
    kept = {
        path: item
        for path, item in object_of(whole["paths"]).items()
        if any(object_of(part).get("operationId") in KEPT for part in object_of(item).values())
    }
    paths = object_of(_without_links(kept))
    needed = _needed(whole, [paths])
    components = {
        kind: {name: _without_links(each) for name, each in object_of(entries).items() if (kind, name) in needed}
        for kind, entries in object_of(whole["components"]).items()
    }
    components["securitySchemes"] = whole["components"]["securitySchemes"]
    return whole | {"paths": paths, "components": components}


def _without_links(value: Any) -> Any:
    """Return a part of the contract without links, which lead to operations that are not there."""
    if isinstance(value, list):
        return [_without_links(item) for item in list_of(value)]
    if not isinstance(value, dict):
        return value
    return {key: _without_links(inner) for key, inner in object_of(value).items() if key != "links"}


def _needed(whole: dict[str, Any], parts: list[Any]) -> set[tuple[str, str]]:
    """Return the components that parts of the contract refer to, themselves or by others: their kinds and names."""
    found: set[tuple[str, str]] = set()
    while parts:
        part = parts.pop()
        fields = object_of(part)
        parts += [*list_of(part), *fields.values()]
        if isinstance(fields.get("$ref"), str):
            _, kind, name = contract.keys_of(fields["$ref"])
            if (kind, name) not in found:
                found.add((kind, name))
                parts.append(_without_links(whole["components"][kind][name]))
    return found
