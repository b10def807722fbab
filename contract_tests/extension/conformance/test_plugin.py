"""Is a test skipped only where an operation is missing that it cannot do without?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from wallaroo_ext.conformance.plugin import needed_by, operations_of


def item_with(*marks: pytest.MarkDecorator, **parameters: str) -> Any:
    """Return what a test with some marks is to the plugin."""
    found = {decorator.name: decorator.mark for decorator in marks}
    more = {"callspec": SimpleNamespace(params=parameters)} if parameters else {}
    return SimpleNamespace(get_closest_marker=found.get, **more)


def test_operations_that_may_be_missing_are_what_a_test_is_about_and_not_what_it_needs() -> None:
    item = item_with(pytest.mark.touches("list_models", if_there=("list_pipelines",)))
    assert operations_of(item) == ["list_models", "list_pipelines"]
    assert needed_by(item) == ["list_models"]


def test_a_test_of_one_operation_needs_it() -> None:
    item = item_with(pytest.mark.touches("list_models", "get_model"), operation_id="get_model")
    assert operations_of(item) == needed_by(item) == ["get_model"]


def test_without_a_mark_a_test_needs_none() -> None:
    assert needed_by(item_with()) == []
