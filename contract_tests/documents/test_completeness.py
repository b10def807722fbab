"""Does the contract say all that the recordings show? No recording breaks a rule that is missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.recorded import (
    NOTHING,
    RULES,
    answer_schema,
    exchanges,
    recorded_answer,
    request_schema,
    sent_body,
)
from wallaroo_ext._util.json_values import object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Location = tuple[str, ...]
    Body = tuple[Location, dict[str, Any], Any]

NOT_ALWAYS = {
    # Observed: only the id, the name and whether it may sign in are always there.
    "User": {
        "access",
        "createdTimestamp",
        "disableableCredentialTypes",
        "emailVerified",
        "notBefore",
        "requiredActions",
    },
    "InferenceOutput": {"Float"},  # a model's outputs may be of another type
    "AssayBaseline": {"Fixed"},  # the one kind of several that was recorded
    # What the five documents always have, and recordings of other releases do not; overlays promise it for a release.
    "AssayBaselineRow": {"metadata.last_model", "metadata.profile"},
    "AssayResult": {"analyzed_at", "bin_index", "id", "iopath", "summarizer", "window_start"},
    "AssayWindow": {"model", "pipeline"},
    "DeploymentStatus": {"sidekicks"},
    "InferenceMetadata": {"elapsed", "pipeline_version"},
    "PodStatus": {"details"},
}
"""Fields that every recording has, and that the contract does not promise."""
FREE = {
    "AssayBaselineRow": {"in.tensor", "out.dense_2"},  # a model's own fields
    "QueryUsersRequest": {"workspace_id"},  # sent in a document, and ignored there: everybody was answered
}
"""Recorded fields that the contract does not name."""


@dataclass
class Seen:
    """The recordings of one object of the contract.

    Attributes:
        schema: Its schema in the contract.
        times: How often it was recorded.
        fields: How often it had which field.
    """

    schema: dict[str, Any]
    times: int = 0
    fields: Counter[str] = field(default_factory=Counter[str])

    @property
    def ever_present(self) -> set[str]:
        """The fields that it had each time."""
        return {name for name, count in self.fields.items() if count == self.times}

    @property
    def stated(self) -> set[str]:
        """The fields that it always has, by the contract."""
        return {*self.schema.get("required", ()), *self.schema.get("x-always", ())}


def objects(
    location: Location, schema: dict[str, Any], value: Any
) -> Iterator[tuple[Location, dict[str, Any], dict[str, Any]]]:
    """Yield every object in a value whose fields the contract names: its schema's location, the schema, the object."""
    location, schema = RULES.resolve(location, schema)
    if isinstance(value, dict) and schema.get("properties"):
        yield location, schema, object_of(value)
    for inner, inner_location, inner_value, _ in RULES.parts(schema, value, location, ""):
        yield from objects(inner_location, inner, inner_value)


def seen(bodies: Iterator[Body]) -> dict[Location, Seen]:
    """Return the recordings of each object of the contract, by its schema's location."""
    found: dict[Location, Seen] = {}
    for start, schema, body in bodies:
        for location, inner, value in objects(start, schema, body):
            entry = found.setdefault(location, Seen(inner))
            entry.times += 1
            entry.fields.update(value.keys())
    return found


def answers() -> Iterator[Body]:
    for exchange in exchanges():
        if (body := recorded_answer(exchange)) is not NOTHING:
            yield (exchange["operation"], "answer"), answer_schema(exchange["operation"]), body


def requests() -> Iterator[Body]:
    for exchange in exchanges():
        if (body := sent_body(exchange)) is not NOTHING:
            yield (exchange["operation"], "request"), request_schema(exchange), body


def at(location: Location) -> str:
    """Return a location as text, for a person."""
    return "/".join(location).removeprefix("components/schemas/")


def test_what_every_recording_has_is_required_or_always_there() -> None:
    found = seen(answers())
    assert len(found) > 20
    for location, entry in found.items():
        unsaid = (entry.ever_present & entry.schema["properties"].keys()) - entry.stated
        assert unsaid == NOT_ALWAYS.get(at(location), set()), at(location)


@pytest.mark.parametrize("bodies", [answers, requests])
def test_every_recorded_field_is_named(bodies: Callable[[], Iterator[Body]]) -> None:
    for start, schema, body in bodies():
        named: dict[int, set[str]] = defaultdict(set)
        recorded: dict[int, tuple[str, set[str]]] = {}
        for location, inner, value in objects(start, schema, body):
            named[id(value)] |= inner["properties"].keys() | FREE.get(at(location), set())
            recorded[id(value)] = at(location), set(value)
        for number, (name, fields) in recorded.items():
            assert fields <= named[number], f"{name}: {fields - named[number]}"
