"""Does the sandbox take a contract that says things in other ways than ours?"""

from __future__ import annotations

from typing import Any

import pytest
from starlette.datastructures import QueryParams

from wallaroo_ext.sandbox.http.problems import Problem
from wallaroo_ext.sandbox.http.validation import ContractSpec, OperationSpec


def operation(responses: dict[str, Any] | None = None, **parameter: Any) -> OperationSpec:
    """Return an operation with a parameter `p` of the query."""
    parameters = [{"name": "p", "in": "query"} | parameter] if parameter else []
    answers = {"200": {"description": "It."}} if responses is None else responses
    item = {"get": {"operationId": "a", "parameters": parameters, "responses": answers}}
    return ContractSpec({"openapi": "3.1.0", "paths": {"/a": item}}).operations["a"]


@pytest.mark.parametrize(
    ("statuses", "success"), [(["4XX", "201"], 201), (["default"], 200), (["2XX", "404"], 200), (["204", "200"], 204)]
)
def test_answers_may_be_ranges_and_all_others(statuses: list[str], success: int) -> None:
    spec = operation({status: {"description": "It."} for status in statuses})
    assert spec.success == success
    assert spec.statuses == {int(status) for status in statuses if status.isdecimal()}


NUMBERS = {"type": "array", "items": {"type": "integer"}}
NUMBER_OR_NULL = {"anyOf": [{"type": "integer"}, {"type": "null"}]}


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        ({"schema": NUMBERS}, "p=1&p=2", "p=1,2"),
        ({"schema": NUMBERS, "explode": False}, "p=1,2", "p=1,x"),
        ({"schema": NUMBERS, "explode": False, "style": "pipeDelimited"}, "p=1%7C2", "p=1,2"),
        ({"schema": NUMBERS, "explode": False, "style": "spaceDelimited"}, "p=1%202", "p=1,2"),
        ({"schema": {"type": ["integer", "null"]}}, "p=1", "p=x"),
        ({"schema": NUMBER_OR_NULL}, "p=1", "p=x"),
        ({"content": {"application/json": {"schema": {"type": "object"}}}}, "p=%7B%7D", "p=1&p=2"),
    ],
)
def test_parameters_are_read_in_their_styles(parameter: dict[str, Any], good: str, bad: str) -> None:
    spec = operation(**parameter)
    spec.check_parameters({}, QueryParams(good))
    with pytest.raises(Problem):
        spec.check_parameters({}, QueryParams(bad))
