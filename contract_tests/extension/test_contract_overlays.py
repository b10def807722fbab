"""Are overlays applied as Overlay 1.0 says, and is what cannot be applied an error that says where?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext.contract_overlays import OverlayError, apply_overlay, read_overlay

if TYPE_CHECKING:
    from pathlib import Path


def overlay(*actions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"overlay": "1.0.0", "info": {"title": "A release", "version": "1"}, "actions": list(actions)} | fields


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "release.yaml"


def applied(file: Path, document: dict[str, Any], *actions: dict[str, Any]) -> dict[str, Any]:
    file.write_text(json.dumps(overlay(*actions)), encoding="utf-8")
    return apply_overlay(document, file)


def test_objects_are_merged_values_replaced_and_lists_extended(file: Path) -> None:
    document = {"a": {"b": {"c": 1, "d": 2}, "required": ["x"]}}
    action = {"target": "$.a", "update": {"b": {"c": 3, "e": 4}, "required": ["y"]}}
    assert applied(file, document, action) == {"a": {"b": {"c": 3, "d": 2, "e": 4}, "required": ["x", "y"]}}


def test_an_update_of_a_list_is_added_to_it(file: Path) -> None:
    assert applied(file, {"a": [1]}, {"target": "$.a", "update": 2}) == {"a": [1, 2]}


def test_what_is_removed_is_gone_from_objects_and_lists(file: Path) -> None:
    document = {"a": {"b": 1, "c": 2}, "d": [{"n": 1}, {"n": 2}, {"n": 1}]}
    actions = [{"target": "$.a.b", "remove": True}, {"target": "$.d[?@.n == 1]", "remove": True}]
    assert applied(file, document, *actions) == {"a": {"c": 2}, "d": [{"n": 2}]}


def test_actions_are_applied_in_their_order(file: Path) -> None:
    actions: list[dict[str, Any]] = [{"target": "$.a", "update": {"b": {}}}, {"target": "$.a.b", "update": {"c": 1}}]
    assert applied(file, {"a": {}}, *actions) == {"a": {"b": {"c": 1}}}


def test_places_that_take_the_same_update_share_nothing(file: Path) -> None:
    document = applied(file, {"a": {}, "b": {}}, {"target": "$[*]", "update": {"c": {"d": [1]}}})
    document["a"]["c"]["d"].append(2)
    assert document["b"] == {"c": {"d": [1]}}


@pytest.mark.parametrize(
    ("action", "excerpt"),
    [
        ({"target": "$.nowhere", "remove": True}, r"\$\.nowhere matches nothing"),
        ({"target": "$.a[", "remove": True}, "no JSONPath"),
        ({"target": "$", "remove": True}, "cannot be removed"),
        ({"target": "$.a", "update": {"b": 1}}, "cannot be merged"),
    ],
)
def test_an_action_that_cannot_be_applied_is_an_error_that_names_file_and_action(
    file: Path, action: dict[str, Any], excerpt: str
) -> None:
    fine = {"target": "$", "update": {"x-fine": True}}
    with pytest.raises(OverlayError, match=rf"release\.yaml: action 2 \(why\): .*{excerpt}"):
        applied(file, {"a": 1}, fine, action | {"description": "why"})


@pytest.mark.parametrize(
    ("content", "excerpt"),
    [
        ("a: [", "no YAML"),
        ("[]", "the overlay is not what Overlay 1.0 asks for"),
        (json.dumps(overlay()), "actions is not what"),
        (json.dumps(overlay({"target": "$"})), "action 1 is not what"),
        (json.dumps(overlay({"target": "$", "remove": False})), "action 1 is not what"),
        (json.dumps(overlay({"target": "a.b", "remove": True})), "action 1 target is not what"),
        (json.dumps(overlay({"target": "$", "remove": True, "reason": ""})), "action 1 is not what"),
        (json.dumps(overlay({"target": "$", "remove": True}, overlay="2.0.0")), "overlay is not what"),
        (json.dumps(overlay({"target": "$", "remove": True}, version="1")), "the overlay is not what"),
    ],
)
def test_what_is_no_overlay_is_an_error_that_names_file_and_part(file: Path, content: str, excerpt: str) -> None:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(OverlayError, match=rf"release\.yaml: .*{excerpt}"):
        read_overlay(file)


def test_extensions_are_allowed(file: Path) -> None:
    action: dict[str, Any] = {"target": "$", "remove": True, "x-evidence": []}
    file.write_text(json.dumps(overlay(action, **{"x-more": 1})), encoding="utf-8")
    assert read_overlay(file)["x-more"] == 1
