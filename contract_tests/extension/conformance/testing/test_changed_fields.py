"""Is what was forgotten or changed told from what is only written otherwise?"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from wallaroo_ext.conformance.testing.api_calls import Api, says_why
from wallaroo_ext.conformance.testing.read_back import changed_fields, differences, kept_of, twice_in


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"a": 1}, {"a": 1.0, "b": 2}),
        ({"a": None, "b": 1}, {"a": "default", "b": 1}),
        ({"a": 1, "hidden": 2}, {"a": 1}),
        ({"at": "2024-01-01T00:00:00+00:00"}, {"at": "2024-01-01T01:00:00.000+01:00"}),
        ({"a": [{"b": 1}, {"b": None}]}, {"a": [{"b": 1, "c": 2}, {"b": 3}]}),
    ],
)
def test_what_is_written_otherwise_is_the_same(given: Any, shown: Any) -> None:
    assert list(changed_fields(given, shown)) == []


@pytest.mark.parametrize(
    ("given", "shown", "path"),
    [
        ({"a": 1}, {"a": None}, "$.a"),
        ({"a": {"b": ["x"]}}, {"a": {"b": []}}, "$.a.b"),
        ({"a": {"b": ["x", "y"]}}, {"a": {"b": ["x", "z"]}}, "$.a.b[1]"),
        ({"at": "2024-01-01T00:00:00+00:00"}, {"at": "2024-01-01T00:00:00+01:00"}, "$.at"),
        ({"at": "2024-01-01T00:00:00+00:00"}, {"at": "2024-01-01T00:00:00"}, "$.at"),
        ({"a": {"b": 1}}, {"a": "text"}, "$.a"),
    ],
)
def test_what_was_forgotten_or_changed_is_named(given: Any, shown: Any, path: str) -> None:
    [problem] = changed_fields(given, shown)
    assert problem.startswith(f"{path} is ")


def test_all_of_it_may_be_wanted() -> None:
    given: dict[str, Any] = {"steps": [{"model": {"name": "m", "sha": "s"}}], "note": None}
    shown: dict[str, Any] = {"steps": [{"model": {"name": "m", "sha": "s", "more": 1}, "more": []}], "more": {}}
    assert list(changed_fields(given, shown, is_whole=True)) == []
    del shown["steps"][0]["model"]["sha"]
    assert list(changed_fields(given, shown, is_whole=True)) == ["$.steps[0].model.sha is missing"]
    assert list(changed_fields(given, shown)) == []
    assert list(changed_fields(given["steps"], [], is_whole=True))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "only": 2}, {"a": 1.0, "own": 3}),
        ({"at": "2024-01-01T00:00:00+00:00"}, {"at": "2024-01-01T01:00:00.000+01:00"}),
        ([{"a": None}], [{"a": None, "b": 1}]),
    ],
)
def test_two_answers_about_one_thing_may_say_different_parts(one: Any, other: Any) -> None:
    assert [*differences(one, other), *differences(other, one)] == []


@pytest.mark.parametrize(
    ("one", "other", "path"),
    [
        ({"a": None}, {"a": 1}, "$.a"),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, "$.a[1].b"),
        ([1], [1, 2], "$"),
    ],
)
def test_what_two_answers_say_otherwise_is_named(one: Any, other: Any, path: str) -> None:
    for [problem] in (list(differences(one, other)), list(differences(other, one))):
        assert problem.startswith(f"{path} is ")


def test_a_version_keeps_all_but_what_its_conversion_changes() -> None:
    assert kept_of({"id": 1, "status": "ready", "deployed": True, "name": "m"}) == {"id": 1, "name": "m"}


def test_what_is_listed_twice_is_found_at_any_depth() -> None:
    assert twice_in({"models": [{"id": 1}, {"id": 2}]}) == []
    assert twice_in({"models": [{"model": {"id": 1}}, {"model": {"id": 1}}]}) == [{"model": {"id": 1}}]


def test_an_upload_is_answered_with_one_version() -> None:
    assert Api.version_in({"insert_models": {"returning": [{"models": [{"id": 4}]}]}}) == 4
    wrong: list[list[dict[str, Any]]] = [
        [{"models": [{"id": 4}, {"id": 5}]}],
        [{"models": [{"id": 4}]}, {"models": []}],
    ]
    for several in wrong:
        with pytest.raises(AssertionError, match="several"):
            Api.version_in({"insert_models": {"returning": several}})


@pytest.mark.parametrize(
    ("body", "is_said"), [(b'{"msg": "No."}', True), (b'{"msg": " "}', False), (b"<html>", True), (b"[]", True)]
)
def test_a_refusal_of_the_api_says_why(body: bytes, *, is_said: bool) -> None:
    assert says_why(httpx.Response(400, content=body)) is is_said
