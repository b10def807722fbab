"""Does the generated client read every answer that the contract allows, and give it back as it came?"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import recorded
from answers import Answers, broken
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wallaroo_ext.conformance.drift.shapes import Shapes
from wallaroo_ext.errors import ContractViolationError
from wallaroo_ext.operations import parse

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
    derandomize=True, database=None, deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow]
)


def answer(status: int, value: Any) -> httpx.Response:
    return httpx.Response(status, json=value)


def given_back(parsed: Any) -> Any:
    """What was read, as JSON."""
    if isinstance(parsed, list):
        return [given_back(item) for item in parsed]
    return parsed.to_dict() if hasattr(parsed, "to_dict") else parsed


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: 1, 1.0 and true are three."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@pytest.mark.parametrize(("operation", "status"), DECLARED)
def test_what_the_contract_allows_is_read_and_given_back_as_it_came(operation: str, status: int) -> None:
    module, schema = recorded.module_of(operation), recorded.RULES.answer_schema(operation, status)

    @settings(QUIET, max_examples=40 if status < 300 else 5)
    @given(ANSWERS.of(schema))
    def check(value: Any) -> None:
        assert same(given_back(parse(module, answer(status, value))), value)

    check()


@pytest.mark.parametrize(("operation", "status"), SUCCESSES)
def test_what_breaks_the_contract_is_refused_in_one_way_or_kept(operation: str, status: int) -> None:
    module, schema = recorded.module_of(operation), recorded.RULES.answer_schema(operation, status)

    @settings(QUIET)
    @given(broken(SHAPES, schema, ANSWERS.of(schema)))
    def check(value: Any) -> None:
        try:
            parsed = parse(module, answer(status, value))
        except ContractViolationError as error:
            assert (error.operation, error.status) == (operation, status)
        else:
            assert same(given_back(parsed), value)

    check()
