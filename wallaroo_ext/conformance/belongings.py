"""What a run made on the instance, and so may use, change and remove."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from wallaroo_ext.conformance.subjects import GIVEN, Kind
from wallaroo_ext.json_values import list_of, object_of

if TYPE_CHECKING:
    from wallaroo_ext.conformance.requests import Said


_DEPLOYED: dict[str, dict[str, tuple[str | int, ...]]] = {
    "deploy_pipeline": {"deploy_id": ("id",)},
    "copy_pipeline": {"deploy": ("deployment", "id")},
}
"""The fields of requests that name a deployment, and where its id stands in the answer: its full name has both."""

NOBODYS = 2_147_483_647
"""An id that no instance has given to a thing: the largest that the contract knows."""


class Belongings:
    """The ids and names of what a run made. It learns them from the answers that it sees.

    Args:
        prefix: What the names of everything that the run makes begin with.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._known: dict[Kind, dict[Any, None]] = {}
        self._lock = threading.Lock()

    def learn(self, operation: str, said: Said, answer: Any) -> None:
        """Take note of what an answer gives.

        Args:
            operation: The contract's `operationId`.
            said: The request.
            answer: The JSON of the answer, which is a success.
        """
        for kind, way in GIVEN.get(operation, {}).items():
            value = _at(answer, way)
            if value is not None:
                self.add(kind, value)
        for name_field, way in _DEPLOYED.get(operation, {}).items():
            for name in said.values(name_field):
                self.add("deployment name", f"{name}-{_at(answer, way)}")
        if operation == "invite_user":
            for email in said.values("email"):
                self.add("email", email)

    def add(self, kind: Kind, value: Any) -> None:
        """Take note of something of the run's."""
        if isinstance(value, str | int) and not isinstance(value, bool):
            with self._lock:
                self._known.setdefault(kind, {})[value] = None

    def of(self, kind: Kind) -> list[Any]:
        """What the run has of a kind, in the order in which it came."""
        with self._lock:
            return list(self._known.get(kind, {}))

    def has(self, kind: Kind, value: Any) -> bool:
        """Whether a value that stands in a request can name nothing but what is the run's.

        A value of a type that names nothing (an object, a number with a fraction) names nothing of others, either.
        """
        if isinstance(value, list):
            return all(self.has(kind, item) for item in list_of(value))
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, str | int):
            return True
        if kind in {"new workspace", "deploy id"}:
            return not isinstance(value, str) or value.startswith(self.prefix)
        known = [NOBODYS, *self.of(kind)]
        return value in known or str(value) in map(str, known)


def _at(value: Any, way: tuple[str | int, ...]) -> Any:
    for key in way:
        if isinstance(key, int):
            items = list_of(value)
            value = items[key] if key < len(items) else None
        else:
            value = object_of(value).get(key)
    return value
