"""Does the contract say what the documents recorded, and does the generated client read it?"""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from wallaroo_mlops_client.types import UNSET

from wallaroo_ext import contract
from wallaroo_ext.json_values import list_of
from wallaroo_ext.operations import parse
from wallaroo_ext.sandbox.spec import ContractSpec

RECORDINGS = Path(__file__).parent / "recordings"
DOCUMENT = contract.load()
SPEC = ContractSpec(DOCUMENT)


def exchanges() -> list[dict[str, Any]]:
    """All recorded exchanges of operations that the contract has."""
    files = sorted(RECORDINGS.glob("*.json"))
    found = [exchange for file in files for exchange in json.loads(file.read_text(encoding="utf-8"))["exchanges"]]
    return [exchange for exchange in found if exchange["operation"] in SPEC.operations]


def answered() -> list[Any]:
    """Those whose whole answer was recorded."""
    return [pytest.param(found, id=found["id"]) for found in exchanges() if "body" in found["response"]]


def requested() -> list[Any]:
    """Those whose request body is known."""
    return [pytest.param(found, id=found["id"]) for found in exchanges() if "body" in found["request"]]


def success_schema(operation_id: str) -> dict[str, Any]:
    spec = SPEC.operations[operation_id]
    operation = DOCUMENT["paths"][spec.path][spec.method.lower()]
    answer = SPEC.resolve(operation["responses"][str(spec.success)])
    return answer["content"]["application/json"]["schema"]


def module_of(operation_id: str) -> Any:
    spec = SPEC.operations[operation_id]
    tag = DOCUMENT["paths"][spec.path][spec.method.lower()]["tags"][0]
    return import_module(f"wallaroo_mlops_client.api.{tag}.{operation_id}")


def test_recordings_are_there() -> None:
    assert len(list(RECORDINGS.glob("*.json"))) == 5
    assert len(answered()) > 40
    assert {exchange["operation"] for exchange in exchanges()} == set(SPEC.operations)


def test_recordings_name_nobody_and_hold_no_token() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in RECORDINGS.glob("*.json"))
    assert {address.rpartition("@")[2] for address in re.findall(r"[\w.+-]+@[\w.-]+", text)} == {"example.com"}
    assert "eyJ" not in text


@pytest.mark.parametrize("exchange", requested())
def test_a_recorded_request_fits_the_contract(exchange: dict[str, Any]) -> None:
    kind = SPEC.operations[exchange["operation"]].body_kind(exchange["request"]["content_type"])
    assert kind is not None
    kind.check(exchange["request"]["body"])


@pytest.mark.parametrize("exchange", answered())
def test_a_recorded_answer_fits_the_contract(exchange: dict[str, Any]) -> None:
    validator = SPEC.validator(success_schema(exchange["operation"]))
    assert [error.message for error in validator.iter_errors(exchange["response"]["body"])] == []


@pytest.mark.parametrize("exchange", answered())
def test_a_recorded_answer_has_what_is_always_there(exchange: dict[str, Any]) -> None:
    assert missing_always(success_schema(exchange["operation"]), exchange["response"]["body"]) == []


def missing_always(schema: dict[str, Any], value: Any, where: str = "$") -> list[str]:
    """The fields of `x-always` that a value lacks, at any depth."""
    schema = SPEC.resolve(schema)
    found: list[str] = []
    for inner in [*schema.get("allOf", ()), *schema.get("anyOf", ())]:
        found += missing_always(inner, value, where)
    if isinstance(value, dict):
        found += [f"{where}.{name}" for name in schema.get("x-always", ()) if name not in value]
        for name, inner in schema.get("properties", {}).items():
            found += missing_always(inner, value[name], f"{where}.{name}") if name in value else []
    for number, item in enumerate(list_of(value)):
        found += missing_always(schema.get("items", {}), item, f"{where}[{number}]")
    return found


@pytest.mark.parametrize("exchange", answered())
def test_the_client_reads_a_recorded_answer_and_gives_the_same_json_back(exchange: dict[str, Any]) -> None:
    name, body = exchange["operation"], exchange["response"]["body"]
    response = httpx.Response(SPEC.operations[name].success, content=json.dumps(body))
    parsed = parse(module_of(name), object, response)
    assert as_json(parsed) == body


def as_json(parsed: Any) -> Any:
    if isinstance(parsed, list):
        return [as_json(item) for item in list_of(parsed)]
    return parsed if parsed is None or parsed is UNSET else parsed.to_dict()


BROKEN = {
    "wrong type": ("list_workspaces", {"workspaces": [{"id": "1", "name": "a"}]}),
    "missing required field": ("list_workspaces", {"workspaces": [{"name": "a"}]}),
    "null where none is allowed": ("list_workspaces", {"workspaces": [{"id": 1, "name": None}]}),
    "wrong type in an array": ("list_workspaces", {"workspaces": [{"id": 1, "name": "a", "models": ["1"]}]}),
    "wrong type, nested": (
        "get_deployment_status",
        {"status": "Running", "engines": [{"status": "Running", "model_statuses": {"models": [{"name": "a"}]}}]},
    ),
    "no array": ("list_model_versions", {"id": 1}),
}


@pytest.mark.parametrize(("operation", "body"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_answer_does_not_fit(operation: str, body: Any) -> None:
    assert list(SPEC.validator(success_schema(operation)).iter_errors(body))


def test_a_field_that_is_always_there_is_missed() -> None:
    workspace: dict[str, Any] = {
        "id": 1,
        "name": "a",
        "created_by": "b",
        "archived": False,
        "models": [],
        "pipelines": [],
    }
    schema = success_schema("list_workspaces")
    assert missing_always(schema, {"workspaces": [workspace]}) == ["$.workspaces[0].created_at"]
