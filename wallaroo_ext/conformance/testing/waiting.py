"""Waiting for what an instance does by and by, and things of its lists, for the tests of the suite."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from wallaroo_ext.conformance.testing.api_calls import Api

SOON_SECONDS = 60.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, _GROWTH = 0.01, 0.05, 1.3
_LEAST_LOOKS = 30
"""How often an instance is looked at, however long its answers take: at two seconds each, for a minute."""


class Patience:
    """Waiting that ends after a time, and after so many looks, so that a slow instance gets more of it.

    Args:
        seconds: The time.
        looks: The number of looks.
    """

    def __init__(self, seconds: float = SOON_SECONDS, looks: int = _LEAST_LOOKS) -> None:
        self._until = time.monotonic() + seconds
        self._looks = looks
        self._pause = _FIRST_PAUSE_SECONDS

    def lasts(self) -> bool:
        """Return whether to look once more, after a short pause; call it once after each look."""
        self._looks -= 1
        if self._looks <= 0 and time.monotonic() >= self._until:
            return False
        time.sleep(self._pause)
        self._pause = min(self._pause * _GROWTH, _LONGEST_PAUSE_SECONDS)
        return True


def soon(
    condition: Callable[[], Any], failure: Callable[[], str] = lambda: f"it did not come about in {SOON_SECONDS:g} s"
) -> Any:
    """Return the value of a condition as soon as it is true; fail after a minute, and thirty looks.

    Args:
        condition: The condition.
        failure: Returns what is said then.
    """
    patience = Patience()
    while not (found := condition()):
        assert patience.lasts(), failure()  # noqa: S101 - pytest's way to fail
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


def failed_version(api: Api, workspace_id: int | None, name: str = "") -> dict[str, Any] | None:
    """Upload a file that is no model, and return its version once it is in error.

    Returns None where the instance refuses such a file, takes it, or does not come to an end with it in a minute.

    Args:
        api: The operations.
        workspace_id: The id of the run's workspace.
        name: The model's name; one that is not taken yet by default.
    """
    name, operation = name or api.unused_name("m"), "upload_and_convert_model"
    if not api.has(operation):
        return None
    fields = {"name": name, "visibility": "private", "workspace_id": workspace_id}
    answer = api.send(operation, **api.upload_of(operation, fields, f"{name}.onnx", b"This is no model."))
    if not answer.is_success:
        return None
    version_id = api.version_in(answer.json())
    patience = Patience()
    while patience.lasts():
        version = by_id(api.call("list_model_versions", {"model_id": name}), version_id)
        if version.get("status") in {"ready", "error"}:
            return version | {"name": name} if version["status"] == "error" else None
    return None
