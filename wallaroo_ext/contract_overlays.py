"""Overlays of the contract: how one release differs from it, as OpenAPI Overlay 1.0 documents."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.files.yaml_files import read_yaml
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_EXTENSIBLE: dict[str, Any] = {"patternProperties": {"^x-": True}, "additionalProperties": False}
_TEXT = {"type": "string", "minLength": 1}
_ACTION: dict[str, Any] = {
    "type": "object",
    "required": ["target"],
    "anyOf": [{"required": ["update"]}, {"properties": {"remove": {"const": True}}, "required": ["remove"]}],
    "properties": {
        "target": {"type": "string", "pattern": r"^\$"},
        "description": _TEXT,
        "update": True,
        "remove": {"type": "boolean"},
    },
    **_EXTENSIBLE,
}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["overlay", "info", "actions"],
    "properties": {
        "overlay": {"type": "string", "pattern": r"^1\.0\.\d+$"},
        "info": {
            "type": "object",
            "required": ["title", "version"],
            "properties": {"title": _TEXT, "version": _TEXT},
            **_EXTENSIBLE,
        },
        "extends": _TEXT,
        "actions": {"type": "array", "minItems": 1, "items": _ACTION},
    },
    **_EXTENSIBLE,
}
"""What an overlay has to be, by the specification of Overlay 1.0."""


class OverlayError(ValueError):
    """An overlay is invalid, or does not fit the contract; the message names its file and the action."""


def read_overlay(file: Path) -> dict[str, Any]:
    """Return an overlay.

    Raises:
        OSError: The file cannot be read.
        OverlayError: It is no overlay.
    """
    import jsonschema_rs

    try:
        overlay = read_yaml(file)
    except ValueError as error:
        raise OverlayError(f"{file}: {error}") from None
    for error in jsonschema_rs.Draft202012Validator(_SCHEMA).iter_errors(overlay):
        raise OverlayError(f"{file}: {_part_at(error.instance_path)} is not what Overlay 1.0 asks for: {error.message}")
    return overlay


def _part_at(path: Sequence[str | int]) -> str:
    match path:
        case ["actions", int(number), *rest]:
            return " ".join([f"action {number + 1}", *map(str, rest)])
        case _:
            return ".".join(map(str, path)) or "the overlay"


def apply_overlay(document: dict[str, Any], file: Path) -> dict[str, Any]:
    """Change a document as an overlay says, and return it.

    Objects are merged, a value of an `update` is added to a list, and every other value takes the place of the old one.

    Args:
        document: The contract, which is changed.
        file: The overlay.

    Raises:
        OSError: The file cannot be read.
        OverlayError: It is no overlay, or an action matches nothing, or cannot be applied.
    """
    for number, action in enumerate(read_overlay(file)["actions"], 1):
        try:
            apply_action(document, action)
        except ValueError as error:
            described = f" ({action['description']})" if "description" in action else ""
            raise OverlayError(f"{file}: action {number}{described}: {error}") from None
    return document


def apply_action(document: dict[str, Any], action: dict[str, Any]) -> None:
    """Change a document as one action of an overlay says.

    Raises:
        ValueError: It cannot be applied.
    """
    import jsonpath_rfc9535

    target = action["target"]
    try:
        nodes = jsonpath_rfc9535.find(target, document)
    except jsonpath_rfc9535.JSONPathError as error:
        raise ValueError(f"{target} is no JSONPath of RFC 9535: {error}") from None
    if not nodes:
        raise ValueError(f"{target} matches nothing.")
    for node in reversed(nodes):  # the last first: a value that is removed from a list moves those behind it
        if action.get("remove"):
            _remove(document, node.location)
        else:
            _update(node.value, action["update"], target)


def _remove(document: dict[str, Any], location: Sequence[int | str]) -> None:
    if not location:
        raise ValueError("The whole contract cannot be removed.")
    parent: Any = document
    for key in location[:-1]:
        parent = parent[key]
    del parent[location[-1]]


def _update(value: Any, update: Any, target: str) -> None:
    if isinstance(value, list):
        list_of(value).append(copy.deepcopy(update))
    elif isinstance(value, dict) and isinstance(update, dict):
        _merge(object_of(value), object_of(update))
    else:
        raise ValueError(f"{target} matches a value that cannot be merged with the update.")  # noqa: TRY004 - of a file


def _merge(target: dict[str, Any], update: dict[str, Any]) -> None:
    for name, new in update.items():
        old = target.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            _merge(object_of(old), object_of(new))
        elif isinstance(old, list) and isinstance(new, list):
            list_of(old).extend(copy.deepcopy(list_of(new)))
        else:
            target[name] = copy.deepcopy(new)
