"""Is what was forgotten or changed told from what is only written otherwise?"""

from __future__ import annotations

from typing import Any

import pytest

from wallaroo_ext.conformance.testing.read_back import changed_fields


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
