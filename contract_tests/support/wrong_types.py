"""A JSON value of another type for each type of a schema, for tests that break bodies."""

from __future__ import annotations

from typing import Any

VALUE_OF_ANOTHER_TYPE: dict[str, Any] = {
    "string": 5,
    "integer": "5",
    "number": "5",
    "boolean": "yes",
    "array": {},
    "object": [],
}
