"""What do the rules of a contract say of requests?"""

from __future__ import annotations

from typing import Any

import pytest

from wallaroo_ext import contract
from wallaroo_ext.conformance.rules import Rules


@pytest.fixture(scope="module")
def rules() -> Rules:
    """Return the rules of the contract."""
    return Rules(contract.load())


def reading(parameter: dict[str, Any] | None, **more: Any) -> Rules:
    """Return the rules of a contract whose one operation is a GET with one parameter of its path, or with none."""
    operation = {"operationId": "read", "responses": {"200": {"description": "Read."}}} | more
    parameters = [] if parameter is None else [{"name": "which", "in": "path", "required": True} | parameter]
    return Rules({"paths": {"/read/{which}": {"parameters": parameters, "get": operation}}, "components": {}})


def test_the_bodies_of_an_operation_are_found_through_references(rules: Rules) -> None:
    assert list(rules.request_content("list_workspaces")) == ["application/json"]
    assert "application/vnd.apache.arrow.file" in rules.request_content("infer_pipeline")
    assert rules.request_content("get_topic_partitions") == {}


def test_a_request_with_any_text_in_its_path_and_nothing_else_cannot_be_invalid(rules: Rules) -> None:
    assert [name for name in rules.operations if not rules.can_be_invalid(name)] == ["get_topic_partitions"]
    assert not reading(None).can_be_invalid("read")
    assert not reading({"schema": {"type": "string", "minLength": 1}}).can_be_invalid("read")


@pytest.mark.parametrize(
    "parameter",
    [
        {"schema": {"type": "integer"}},
        {"schema": {"type": "string", "enum": ["a"]}},
        {"schema": {"type": "string", "pattern": "^a"}},
        {"schema": {"type": "string", "format": "uuid"}},
        {"in": "query", "schema": {"type": "string"}},
    ],
    ids=str,
)
def test_other_parameters_can_be_invalid(parameter: dict[str, Any]) -> None:
    assert reading(parameter).can_be_invalid("read")
    own = {"name": "which", "in": "path", "required": True} | parameter
    assert reading(None, parameters=[own]).can_be_invalid("read")


def test_a_body_can_be_invalid() -> None:
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    assert reading(None, requestBody=body).can_be_invalid("read")


@pytest.mark.parametrize("keyword", ["x-always", "x-extensible-enum", ""])
def test_of_many_rows_only_what_a_keyword_is_about_is_read(keyword: str, rules: Rules) -> None:
    schema = rules.schemas.resolve(rules.answer_schema("infer_pipeline")["items"])
    row = {"time": 1, "in": {"a": [1]}, "out": {"b": [2]}, "metadata": {"last_model": "{}"}}
    found = {where for _, _, _, where in rules.parts(schema, row, (), "$", keyword)}
    assert (
        found
        == {
            "x-always": {"$.metadata"},
            "x-extensible-enum": set[str](),
            "": {"$.time", "$.in", "$.out", "$.metadata"},
        }[keyword]
    )


def test_what_is_always_there_is_missed_in_each_row(rules: Rules) -> None:
    rows = [{"metadata": {"last_model": "{}"}}, {"metadata": {}}]
    missing = list(rules.missing_always(rules.answer_schema("infer_pipeline"), rows, ()))
    assert [(where, name) for where, name, _ in missing] == [("$[1].metadata", "last_model")]
