"""Waiting for what an instance does by and by, and things of its lists, for the tests of the suite."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from wallaroo_ext.conformance.testing.api_calls import Api

SOON_SECONDS = 60.0
_PAUSE_SECONDS = 0.05


def soon(
    condition: Callable[[], Any], failure: Callable[[], str] = lambda: f"it did not come about in {SOON_SECONDS:g} s"
) -> Any:
    """Return the value of a condition as soon as it is true; fail after a minute.

    Args:
        condition: The condition.
        failure: Returns what is said then.
    """
    deadline = time.monotonic() + SOON_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, failure()  # noqa: S101 - pytest's way to fail
        time.sleep(_PAUSE_SECONDS)
    return found


def by_id(listed: list[dict[str, Any]], wanted: Any, key: str = "id") -> dict[str, Any]:
    """Return the one item of a list that has an id."""
    found = [item for item in listed if item[key] == wanted]
    assert len(found) == 1, f"{len(found)} of {len(listed)} listed things have the {key} {wanted}"  # noqa: S101 - pytest's way to fail
    return found[0]


def ended_version(
    api: Api, name: str, version_id: int, statuses: Collection[str] = frozenset({"ready"})
) -> dict[str, Any]:
    """Return a version of a model, once it has one of these statuses."""
    version: dict[str, Any] = {}

    def has_ended() -> bool:
        version.update(by_id(api.call("list_model_versions", {"model_id": name}), version_id))
        return version.get("status", "ready") in statuses

    soon(has_ended, lambda: f"the version stayed {version.get('status')}")
    return version
