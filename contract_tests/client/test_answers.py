"""Does the generated client read every answer that the contract allows, and give it back as it came?"""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from wallaroo_mlops_client.models import ListWorkspacesResponse

from contract_tests.support import recorded
from contract_tests.support.data.inference_answers import Answers, broken
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.drift.shapes import Shapes
from wallaroo_ext.errors import ContractViolationError
from wallaroo_ext.operations import parse

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPES = Shapes(recorded.DOCUMENT, "answer")
ANSWERS = Answers(SHAPES)
DECLARED = [
    pytest.param(operation, int(status), id=f"{operation} {status}")
    for operation, found in recorded.RULES.operations.items()
    for status in found["responses"]
]
SUCCESSES = [
    pytest.param(operation, recorded.RULES.success(operation), id=operation) for operation in recorded.RULES.operations
]
QUIET = settings(
    derandomize=True, database=None, deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow]
)

UNSHRUNK = settings(QUIET, phases=[Phase.generate])
"""Settings for finding any example: it is not shrunk."""


def answer(status: int, value: Any) -> httpx.Response:
    return httpx.Response(status, json=value)


def given_back(parsed: Any) -> Any:
    """Return what was read, as JSON."""
    if isinstance(parsed, list):
        return [given_back(item) for item in list_of(parsed)]
    return parsed.to_dict() if hasattr(parsed, "to_dict") else parsed


def same(one: Any, other: Any) -> bool:
    """Return whether two values are the same JSON: 1, 1.0 and true are three."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def check_reading(operation: str, status: int, answers: Answers, schema: Any, chosen: settings) -> None:
    module = recorded.module_of(operation)

    @chosen
    @given(answers.of(schema))
    def check(value: Any) -> None:
        assert same(given_back(parse(module, answer(status, value))), value)

    check()


@pytest.mark.parametrize(("operation", "status"), DECLARED)
def test_what_the_contract_allows_is_read_and_given_back_as_it_came(operation: str, status: int) -> None:
    schema = recorded.RULES.answer_schema(operation, status)
    check_reading(operation, status, ANSWERS, schema, settings(QUIET, max_examples=25 if status < 300 else 3))


SHOWN: dict[str, Callable[[dict[str, Any]], bool]] = {
    "a missing optional field": lambda version: "status" not in version,
    "null": lambda version: version.get("image_path", "") is None,
    "an unlisted value": lambda version: version.get("status") == "a-value-of-a-later-release",
    "a listed value": lambda version: version.get("status") == "ready",
    "an unknown field": lambda version: "new_field" in version,
}


@pytest.mark.parametrize("what", SHOWN)
def test_the_answers_have_all_that_the_contract_allows(what: str) -> None:
    answers = ANSWERS.of(recorded.answer_schema("list_model_versions"))
    find(answers, lambda versions: any(map(SHOWN[what], versions)), settings=settings(UNSHRUNK, max_examples=500))


def test_a_field_that_the_contract_no_longer_requires_is_missed() -> None:
    """The same check, with a contract that promises less than the client was generated from."""
    contract = copy.deepcopy(recorded.DOCUMENT)
    schema = contract["components"]["schemas"]["ListWorkspacesResponse"]
    schema["required"] = []
    with pytest.raises(ContractViolationError, match="workspaces"):
        check_reading(
            "list_workspaces", 200, Answers(Shapes(contract, "answer")), schema, settings(UNSHRUNK, max_examples=50)
        )


def test_a_client_that_drops_unknown_fields_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ListWorkspacesResponse.to_dict

    def without_unknown_fields(self: ListWorkspacesResponse) -> dict[str, Any]:
        return {"workspaces": whole(self)["workspaces"]}

    monkeypatch.setattr(ListWorkspacesResponse, "to_dict", without_unknown_fields)
    with pytest.raises(AssertionError):
        check_reading("list_workspaces", 200, ANSWERS, recorded.answer_schema("list_workspaces"), UNSHRUNK)


def empties_alike(value: Any) -> Any:
    """Return a value in which empty texts, lists and objects are the same.

    The generated code iterates over what should be a list, and makes a dictionary of what should be an object. So it
    reads any of these three as the empty value of the expected type.
    """
    if not value and isinstance(value, str | list | dict):
        return []
    if isinstance(value, dict):
        return {name: empties_alike(inner) for name, inner in object_of(value).items()}
    return [empties_alike(item) for item in list_of(value)] if isinstance(value, list) else value


@pytest.mark.parametrize(("operation", "status"), SUCCESSES)
def test_what_breaks_the_contract_is_a_violation_or_is_kept_as_it_came(operation: str, status: int) -> None:
    module, schema = recorded.module_of(operation), recorded.RULES.answer_schema(operation, status)

    @settings(QUIET)
    @given(broken(SHAPES, schema, ANSWERS.of(schema)))
    def check(value: Any) -> None:
        with suppress(ContractViolationError):
            parsed = parse(module, answer(status, value))
            assert same(empties_alike(given_back(parsed)), empties_alike(value))

    check()


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("content", [b"<html></html>", b"{", b"\xff"])
def test_a_body_that_is_no_answer_is_a_violation(status: int, content: bytes) -> None:
    for operation in recorded.RULES.operations:
        if (
            status == recorded.RULES.success(operation)
            or str(status) in recorded.RULES.operations[operation]["responses"]
        ):
            with pytest.raises(ContractViolationError):
                parse(recorded.module_of(operation), httpx.Response(status, content=content))
