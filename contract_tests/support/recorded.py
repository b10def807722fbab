"""The exchanges that the documents recorded, and their schemas in the contract."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from wallaroo_ext import contract
from wallaroo_ext.conformance.rules import Rules
from wallaroo_ext.sandbox.http.validation import ContractSpec

NOTHING = object()
FOLDER = Path(__file__).parents[1] / "documents"
DOCUMENT = contract.load()
SPEC = ContractSpec(DOCUMENT)
RULES = Rules(DOCUMENT)


@cache
def rules_of(release: str | None) -> Rules:
    """Return the rules of a release's contract; of the contract without an overlay for None."""
    return Rules(contract.load(release))


def files() -> dict[str, dict[str, Any]]:
    """Return the recordings, by document."""
    return {
        file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("recordings/*.json"))
    }


def exchanges() -> list[dict[str, Any]]:
    """Return all recorded exchanges."""
    return [exchange for recording in files().values() for exchange in recording["exchanges"]]


def answered() -> list[Any]:
    """Return the exchanges whose answer was recorded, in full or its beginning, as parameters of a test."""
    return [pytest.param(found, id=found["id"]) for found in exchanges() if recorded_answer(found) is not NOTHING]


def requested() -> list[Any]:
    """Return the exchanges whose request body is known, as parameters of a test."""
    return [pytest.param(found, id=found["id"]) for found in exchanges() if sent_body(found) is not NOTHING]


def recorded_answer(exchange: dict[str, Any]) -> Any:
    """Return the JSON of an answer; if only its beginning was printed, as much as there is."""
    response = exchange["response"]
    if "truncated_text" in response:
        return _completed(response["truncated_text"])
    return response.get("body", NOTHING)


def _completed(text: str) -> Any:
    """Return the JSON of a text that ends inside a list of numbers, without the last number, its brackets closed."""
    text = text[: text.rindex(",")]
    open_brackets: list[str] = []
    for character in re.sub(r'"(?:[^"\\]|\\.)*"', "", text):
        if character in "[{":
            open_brackets.append("]" if character == "[" else "}")
        elif character in "]}":
            open_brackets.pop()
    return json.loads(text + "".join(reversed(open_brackets)))


def sent_body(exchange: dict[str, Any]) -> Any:
    """Return the body of a request for its schema; a multipart body is an object, in which a file is an empty text."""
    request = exchange["request"]
    if "parts" in request:
        return request["parts"] | {"file": ""}
    return request.get("body", NOTHING)


def operation_of(operation_id: str) -> dict[str, Any]:
    """Return an operation as the contract writes it."""
    spec = SPEC.operations[operation_id]
    return DOCUMENT["paths"][spec.path][spec.method.lower()]


def answer_schema(operation_id: str) -> dict[str, Any]:
    """Return the schema of an operation's JSON answer when it succeeds."""
    return RULES.answer_schema(operation_id)


def request_schema(exchange: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a recorded request's body."""
    kind = SPEC.operations[exchange["operation"]].body_kind(exchange["request"]["content_type"])
    assert kind is not None, exchange["id"]
    return kind.schema


def module_of(operation_id: str) -> Any:
    """Return the generated module of an operation."""
    return import_module(f"wallaroo_mlops_client.api.{operation_of(operation_id)['tags'][0]}.{operation_id}")


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    """Return the problems of a value, by the schema and by `x-always`."""
    return RULES.problems(schema, value)
